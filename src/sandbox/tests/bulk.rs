//! Creates of many contacts, in every reading of what becomes of the items.

use serde_json::{Value, json};

use super::super::{Action, Fault};
use super::{Reply, World, ada};

async fn world(quirks: &str) -> World {
    World::with(|options| options.quirks = quirks.parse().unwrap()).await
}

async fn faulty(faults: &str) -> World {
    World::with(|options| options.faults = faults.parse().unwrap()).await
}

fn person(number: usize) -> Value {
    json!({ "first_name": format!("P{number:03}"), "email": format!("p{number}@example.org") })
}

fn batch(items: &[Value]) -> Value {
    json!({ "contacts": items, "run_dedupe": true })
}

/// The e-mails of the rows under `name`, sorted.
fn emails(reply: &Reply, name: &str) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let rows = body[name].as_array().unwrap_or_else(|| panic!("{}", reply.text)).iter();
    let mut emails: Vec<_> = rows.map(|row| row["email"].as_str().unwrap().to_owned()).collect();
    emails.sort();
    emails
}

/// The e-mails of the created and of the existing rows.
fn rows(reply: &Reply) -> (Vec<String>, Vec<String>) {
    (emails(reply, "created_contacts"), emails(reply, "existing_contacts"))
}

fn owned(emails: &[&str]) -> Vec<String> {
    emails.iter().map(|&email| email.to_owned()).collect()
}

/// The titles that are stored, by first name.
fn titles(world: &World) -> Vec<(String, Value)> {
    let contacts = world.server.contacts();
    let mut titles: Vec<_> = contacts
        .iter()
        .map(|contact| (contact["first_name"].as_str().unwrap_or_default().to_owned(), contact["title"].clone()))
        .collect();
    titles.sort_by(|one, other| one.0.cmp(&other.0));
    titles
}

#[tokio::test]
async fn a_match_comes_back_as_it_was_unless_matches_are_overwritten() {
    for (quirk, title) in [("", "Engineer"), ("bulk-overwrites", "Poet")] {
        let world = world(quirk).await;
        let id = world.create(ada()).await.id();
        let mut again = ada();
        again["title"] = json!("Poet");
        again["email"] = json!("ADA.quill+x@example.com");
        let reply = world.bulk_create(batch(&[person(1), again])).await;
        assert_eq!(rows(&reply), (owned(&["p1@example.org"]), owned(&["ada.quill@example.com"])), "{quirk}");
        let row = &reply.json()["existing_contacts"][0];
        assert_eq!((&row["id"], &row["title"]), (&json!(id), &json!(title)), "{quirk}");
        assert_eq!(titles(&world), [("Ada".to_owned(), json!(title)), ("P001".to_owned(), Value::Null)], "{quirk}");
    }
}

#[tokio::test]
async fn matches_can_stand_among_the_created_ones_with_their_witnesses() {
    for (witness, keys) in [("all", ["was_existing", "dedupe_result"].as_slice()), ("created-at", &[])] {
        let world = World::with(|options| {
            options.quirks = "bulk-matches-among-created".parse().unwrap();
            options.witness = witness.parse().unwrap();
        })
        .await;
        world.create(ada()).await;
        let reply = world.bulk_create(batch(&[ada()])).await;
        assert_eq!(rows(&reply), (owned(&["ada.quill@example.com"]), vec![]), "{witness}");
        let row = &reply.json()["created_contacts"][0];
        let shown: Vec<_> =
            ["was_existing", "dedupe_result"].into_iter().filter(|key| row.get(key).is_some()).collect();
        assert_eq!(shown, keys, "{witness}");
    }
}

#[tokio::test]
async fn rows_are_thin_and_in_an_order_that_the_seed_decides() {
    let items: Vec<_> = (0..20).map(person).collect();
    let order = async |seed| {
        let world = World::with(|options| options.seed = seed).await;
        let reply = world.bulk_create(batch(&items)).await.json();
        let rows = reply["created_contacts"].as_array().unwrap().clone();
        rows.into_iter().map(|row| row["email"].clone()).collect::<Vec<_>>()
    };
    let sent: Vec<_> = items.iter().map(|item| item["email"].clone()).collect();
    let first = order(1).await;
    assert_ne!(first, sent);
    assert_eq!(first, order(1).await);
    assert_ne!(first, order(2).await);

    let full = json!({ "title": "Poet", "typed_custom_fields": { "65b0000000000000000000f1": "x" } });
    for (quirk, keys) in [
        (
            "",
            "account_id created_at email existence_level first_name id last_name name organization_name team_id title \
             updated_at",
        ),
        ("bulk-rows-bare", "email id name team_id"),
    ] {
        let world = world(quirk).await;
        let mut item = ada();
        item.as_object_mut().unwrap().extend(full.as_object().unwrap().clone());
        let reply = world.bulk_create(batch(&[item])).await.json();
        let mut shown: Vec<_> = reply["created_contacts"][0].as_object().unwrap().keys().map(String::as_str).collect();
        shown.sort_unstable();
        // A text that is not there is `null` in a whole contact; rows leave none of their keys out.
        assert_eq!(shown.join(" "), keys, "{quirk}");
        assert_eq!(world.server.contacts()[0]["typed_custom_fields"], full["typed_custom_fields"]);
    }
}

#[tokio::test]
async fn without_the_flag_every_item_makes_a_contact() {
    let world = World::new().await;
    for _ in 0..2 {
        let reply = world.bulk_create(json!({ "contacts": [ada(), ada()] })).await;
        assert_eq!(rows(&reply).0.len(), 2);
    }
    let reply = world.bulk_create(json!({ "contacts": [ada()], "run_dedupe": false })).await;
    assert_eq!(rows(&reply), (owned(&["ada.quill@example.com"]), vec![]));
    assert_eq!(world.server.contacts().len(), 5);
}

#[tokio::test]
async fn two_items_that_match_each_other_are_one_contact_or_two() {
    let email = "ada.quill@example.com";
    for (quirk, created, existing, count) in
        [("", vec![email], vec![email], 1), ("bulk-twins-made", vec![email, email], vec![], 2)]
    {
        let world = world(quirk).await;
        let reply = world.bulk_create(batch(&[ada(), ada()])).await;
        assert_eq!(rows(&reply), (owned(&created), owned(&existing)), "{quirk}");
        assert_eq!(world.server.contacts().len(), count, "{quirk}");
        // Whoever was there before is matched all the same.
        assert_eq!(rows(&world.bulk_create(batch(&[ada()])).await).1, [email], "{quirk}");
    }
}

#[tokio::test]
async fn what_items_cannot_carry_is_ignored_without_a_word() {
    let world = World::new().await;
    let mut item = person(1);
    item["label_names"] = json!(["A"]);
    item["website_url"] = json!("https://example.org");
    item["mobile_phone"] = json!("555-555-0100");
    item["contact_stage_id"] = json!("65a1000000000000000000c2");
    world.bulk_create(batch(&[item])).await;
    let made = &world.server.contacts()[0];
    assert_eq!((&made["label_names"], &made["website_url"]), (&json!([]), &Value::Null));
    assert_eq!((&made["phone_numbers"], &made["contact_stage_id"]), (&json!([]), &json!("65a1000000000000000000c2")));
    assert!(world.labels().await.is_empty());
}

#[tokio::test]
async fn appended_lists_reach_whom_the_batch_made_and_matches_unless_they_are_skipped() {
    for (quirk, on_list) in [("", 2), ("append-skips-matches", 1)] {
        let world = world(quirk).await;
        world.create(ada()).await;
        let mut body = batch(&[person(1), ada()]);
        body["append_label_names"] = json!(["A"]);
        assert_eq!(world.bulk_create(body).await.status, 200);
        assert_eq!(world.labels().await[0]["cached_count"], on_list, "{quirk}");
    }
}

#[tokio::test]
async fn an_item_can_be_missing_in_the_answer_whether_it_was_done_or_not() {
    for (fault, shown, made) in
        [("item-left-out", 0, 3), ("item-undone", 0, 0), ("item-ghost", 3, 0), ("update:item-undone", 3, 3)]
    {
        let world = faulty(&format!("{fault}=1")).await;
        let reply = world.bulk_create(batch(&[person(1), person(2), person(3)])).await;
        assert_eq!(rows(&reply).0.len(), shown, "{fault}");
        assert_eq!(world.server.contacts().len(), made, "{fault}");
        let names = world.search(json!({})).await.json()["contacts"].as_array().unwrap().len();
        assert_eq!(names, made, "{fault}");
    }
    let world = faulty("bulk-create:item-left-out=0.3,bulk-create:item-undone=0.3").await;
    let items: Vec<_> = (0..100).map(person).collect();
    let shown = rows(&world.bulk_create(batch(&items)).await).0.len();
    let (made, counts) = (world.server.contacts().len(), world.server.requests());
    let struck = |fault| usize::try_from(counts.struck(fault)).unwrap();
    assert_eq!(made, 100 - struck(Fault::ItemUndone));
    assert_eq!(shown, made - struck(Fault::ItemLeftOut));
    assert!((1..made).contains(&shown) && made < 100);
}

#[tokio::test]
async fn a_ghost_looks_created_and_is_nowhere() {
    for world in [faulty("item-ghost=1").await, world("creates-ghosts").await] {
        let reply = world.bulk_create(batch(&[ada()])).await;
        let row = reply.json()["created_contacts"][0].clone();
        assert_eq!((&row["existence_level"], &row["email"]), (&json!("none"), &ada()["email"]));
        assert_eq!(world.view(row["id"].as_str().unwrap()).await.status, 422);
        assert!(world.server.contacts().is_empty());
    }
}

#[tokio::test]
async fn one_bad_item_refuses_the_batch_and_what_stood_before_it_may_be_done() {
    let mut bad = person(2);
    bad["account_id"] = json!("2342432");
    let items = [person(1), bad, person(3)];
    let named = "Parameters misconfigured. 2342432 is not a valid ID";
    let silent = "Parameters misconfigured.";
    for (quirks, error, made) in [
        ("", named, 0),
        ("bulk-refused-half-done", named, 1),
        ("bulk-refusals-silent", silent, 0),
        ("bulk-refusals-silent,bulk-refused-half-done", silent, 1),
    ] {
        let world = world(quirks).await;
        let reply = world.bulk_create(batch(&items)).await;
        assert_eq!((reply.status, &reply.json()), (422, &json!({ "error": error })), "{quirks}");
        assert_eq!(world.server.contacts().len(), made, "{quirks}");
    }
    let world = world("refuses-marked").await;
    let marked = json!({ "first_name": "Bo", "title": "Poet (refuse)" });
    assert_eq!(world.create(marked.clone()).await.status, 422);
    assert_eq!(world.bulk_create(batch(&[person(1), marked])).await.status, 422);
    assert!(world.server.contacts().is_empty());
    assert_eq!(world.bulk_create(batch(&[person(1)])).await.status, 200);
}

#[tokio::test]
async fn a_batch_holds_a_hundred_at_most_and_an_empty_one_makes_nothing() {
    let world = World::new().await;
    let items: Vec<_> = (0..101).map(person).collect();
    assert_eq!(world.bulk_create(batch(&items)).await.status, 422);
    assert!(world.server.contacts().is_empty());
    assert_eq!(rows(&world.bulk_create(batch(&items[..100])).await).0.len(), 100);
    assert_eq!(rows(&world.bulk_create(batch(&[])).await), (vec![], vec![]));
    assert_eq!(world.bulk_create(json!({ "run_dedupe": true })).await.status, 422);
    world.control("PUT", "/sandbox/quirks", "bulk-empty-refused").await;
    assert_eq!(world.bulk_create(batch(&[])).await.status, 422);
    assert_eq!(world.server.contacts().len(), 100);
    let counts = world.server.requests();
    assert_eq!((counts.answered(Action::BulkCreate, 200), counts.answered(Action::BulkCreate, 422)), (2, 3));
}

#[tokio::test]
async fn a_batch_can_be_answered_with_a_job_or_a_complaint_and_be_done() {
    let world = world("bulk-answers-jobs").await;
    let reply = world.bulk_create(batch(&[ada()])).await.json();
    assert_eq!(reply["entity_progress_job"]["entity_ids"], json!([]));
    assert_eq!((reply.get("created_contacts"), world.server.contacts().len()), (None, 1));
    world.control("PUT", "/sandbox/quirks", "error-beside-contact").await;
    let reply = world.bulk_create(batch(&[person(1)])).await;
    assert_eq!((rows(&reply).0.len(), reply.json()["error"].is_string()), (1, true));
}

#[tokio::test]
async fn a_batch_out_of_scope_and_one_that_is_struck_are_like_any_request() {
    let world = World::with(|options| options.missing_scopes = [Action::BulkCreate].into()).await;
    let reply = world.bulk_create(batch(&[ada()])).await;
    let error = "api/v1/contacts/bulk_create is not accessible with this api_key";
    assert_eq!((reply.status, reply.json()), (403, json!({ "error": error, "error_code": "API_INACCESSIBLE" })));
    assert_eq!(world.create(ada()).await.status, 200);

    for (fault, made) in
        [("lost-reply", 1), ("cut-before", 0), ("truncated", 1), ("html-502", 1), ("page-after", 1), ("page-before", 0)]
    {
        let world = faulty(&format!("bulk-create:{fault}=1")).await;
        let answer = world.try_send("POST", "/api/v1/contacts/bulk_create", &batch(&[ada()])).await;
        assert!(answer.is_err() || answer.is_ok_and(|reply| reply.status != 200), "{fault}");
        assert_eq!(world.server.contacts().len(), made, "{fault}");
    }
}

#[tokio::test]
async fn a_server_can_know_nothing_but_the_vendors_page() {
    let world = world("vendor-page-only").await;
    assert_eq!(world.create(ada()).await.status, 200);
    let id = world.create(ada()).await.id();
    for reply in [
        world.bulk_create(batch(&[])).await,
        world.bulk_update(json!({ "contact_attributes": [] })).await,
        world.search(json!({})).await,
        world.view(&id).await,
        world.patch(&id, json!({ "title": "Poet" })).await,
        world.get("/api/v1/users/api_profile").await,
        world.get("/api/v1/contacts").await,
        world.get("/api/v1/nothing").await,
    ] {
        assert_eq!((reply.status, reply.header("content-type")), (404, Some("text/html")));
        assert!(reply.text.starts_with("<html>"), "{}", reply.text);
    }
    assert_eq!(world.server.requests().answered(Action::BulkCreate, 404), 1);
    assert_eq!(world.server.contacts().len(), 2);
}
