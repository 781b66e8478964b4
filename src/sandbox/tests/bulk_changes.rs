//! Changes of many contacts: fields, stages and lists.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::Action;
use super::{Reply, World};

const STAGE: &str = "65a1000000000000000000c2";
const NOBODY: &str = "65b000000000000000000099";

async fn with(quirks: &str) -> (World, Vec<String>) {
    let world = World::with(|options| options.quirks = quirks.parse().unwrap()).await;
    let ids = people(&world, 3).await;
    (world, ids)
}

async fn people(world: &World, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(world.create(json!({ "first_name": format!("P{number}"), "title": "Clerk" })).await.id());
    }
    ids
}

fn changes(pairs: &[(&String, Value)]) -> Value {
    let items = pairs.iter().map(|(id, fields)| {
        let mut item = fields.clone();
        item["id"] = json!(id);
        item
    });
    json!({ "contact_attributes": items.collect::<Vec<_>>() })
}

fn titled(title: &str) -> Value {
    json!({ "title": title })
}

/// The ids of the rows in an answer, sorted.
fn shown(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let rows = body["contacts"].as_array().unwrap_or_else(|| panic!("{}", reply.text)).iter();
    let mut ids: Vec<_> = rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn stored(world: &World, name: &str) -> Vec<Value> {
    world.server.contacts().iter().map(|contact| contact[name].clone()).collect()
}

#[tokio::test]
async fn each_contact_gets_its_own_values_and_rows_do_not_show_custom_fields() {
    let (world, ids) = with("").await;
    let custom = json!({ "typed_custom_fields": { "65b0000000000000000000f1": "x" } });
    let ignored = json!({ "contact_stage_id": STAGE, "label_names": ["A"], "mobile_phone": "1", "title": "" });
    let pairs = [(&ids[0], titled("Poet")), (&ids[1], custom), (&ids[2], ignored)];
    let reply = world.bulk_update(changes(&pairs)).await;
    assert_eq!(shown(&reply), ids);
    let body = reply.json();
    assert!(body["contacts"].as_array().unwrap().iter().all(|row| row.get("typed_custom_fields").is_none()));
    assert_eq!(stored(&world, "title"), [json!("Poet"), json!("Clerk"), Value::Null]);
    assert_eq!(stored(&world, "typed_custom_fields")[1], json!({ "65b0000000000000000000f1": "x" }));
    let last = world.view(&ids[2]).await.contact();
    assert_ne!(last["contact_stage_id"], STAGE);
    assert_eq!((&last["label_ids"], &last["phone_numbers"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_refused_change_names_contact_and_field_and_its_neighbours_may_be_done() {
    for (quirks, titles, named) in [
        ("", ["Clerk", "Clerk", "Clerk"], true),
        ("bulk-refused-half-done", ["Poet", "Clerk", "Clerk"], true),
        ("bulk-refusals-silent", ["Clerk", "Clerk", "Clerk"], false),
        ("bulk-refusals-silent,bulk-refused-half-done", ["Poet", "Clerk", "Clerk"], false),
    ] {
        let (world, ids) = with(quirks).await;
        let bad = json!({ "title": "Poet", "account_id": "2342432" });
        let pairs = [(&ids[0], titled("Poet")), (&ids[1], bad), (&ids[2], titled("Poet"))];
        let reply = world.bulk_update(changes(&pairs)).await;
        let message = "Parameters misconfigured. 2342432 is not a valid ID";
        let details = json!({ "contact_id": ids[1], "field": "account_id", "message": message });
        let spoken = json!({ "error": "Validation failed.", "error_details": details });
        let expected = if named { spoken } else { json!({ "error": "Parameters misconfigured." }) };
        assert_eq!((reply.status, reply.json()), (422, expected), "{quirks}");
        assert_eq!(stored(&world, "title"), titles.map(Value::from), "{quirks}");
    }
    let (world, ids) = with("refuses-marked").await;
    let reply = world.bulk_update(changes(&[(&ids[0], titled("Poet (refuse)"))])).await;
    assert_eq!((reply.status, &reply.json()["error_details"]["field"]), (422, &json!("title")));
}

#[tokio::test]
async fn a_contact_that_is_gone_refuses_all_or_is_left_out() {
    for (answer, deleted_ids) in [("422-ids", true), ("422", false), ("404", false)] {
        let world = World::with(|options| options.deleted_answer = answer.parse().unwrap()).await;
        let ids = people(&world, 2).await;
        world.delete_by_hand(&ids[0]).await;
        let pairs = [(&ids[0], titled("Poet")), (&ids[1], titled("Poet"))];
        let stages = format!("/api/v1/contacts/update_stages?contact_ids[]={}&contact_stage_id={STAGE}", ids[0]);
        for reply in [world.bulk_update(changes(&pairs)).await, world.send("POST", &stages, json!({})).await] {
            assert_eq!(reply.status, 422, "{answer}");
            assert_eq!(reply.json().get("deleted_contact_ids").is_some(), deleted_ids, "{answer}");
        }
        assert_eq!(stored(&world, "title"), [json!("Clerk")], "{answer}");
        world.control("PUT", "/sandbox/quirks", "bulk-ignores-gone").await;
        assert_eq!(shown(&world.bulk_update(changes(&pairs)).await), ids[1..], "{answer}");
        assert_eq!(stored(&world, "title"), [json!("Poet")], "{answer}");
    }
    let world = World::with(|options| options.deleted_answer = "person-deleted".parse().unwrap()).await;
    let ids = people(&world, 1).await;
    world.delete_by_hand(&ids[0]).await;
    let reply = world.bulk_update(changes(&[(&ids[0], titled("Poet"))])).await;
    assert_eq!((shown(&reply), &reply.json()["contacts"][0]["person_deleted"]), (ids, &json!(true)));
}

#[tokio::test]
async fn above_a_hundred_changes_are_a_job_and_above_a_thousand_refused() {
    let (world, ids) = with("").await;
    let many = |count: usize| {
        let pairs: Vec<_> = (0..count).map(|_| (&ids[0], titled("Poet"))).collect();
        changes(&pairs)
    };
    assert!(world.bulk_update(many(100)).await.json()["contacts"].is_array());
    let job = world.bulk_update(many(101)).await.json();
    assert_eq!((&job["entity_progress_job"]["status"], job.get("contacts")), (&json!("pending"), None));
    assert_eq!(world.bulk_update(many(1001)).await.status, 422);
    let mut asked = changes(&[(&ids[1], titled("Poet"))]);
    asked["async"] = json!(true);
    assert!(world.bulk_update(asked).await.json()["entity_progress_job"].is_object());
    assert_eq!(stored(&world, "title"), ["Poet", "Poet", "Clerk"].map(Value::from));
}

#[tokio::test]
async fn a_change_can_be_answered_and_not_done_or_done_and_not_shown() {
    for (fault, count, title) in [("item-left-out", 0, "Poet"), ("item-undone", 0, "Clerk"), ("item-ghost", 1, "Poet")]
    {
        let world = World::with(|options| options.faults = format!("bulk-update:{fault}=1").parse().unwrap()).await;
        let ids = people(&world, 1).await;
        let reply = world.bulk_update(changes(&[(&ids[0], titled("Poet"))])).await;
        assert_eq!((shown(&reply).len(), stored(&world, "title")), (count, vec![json!(title)]), "{fault}");
    }
    for (quirk, cleared) in [("updates-nothing", false), ("keeps-cleared", false), ("", true)] {
        let (world, ids) = with(quirk).await;
        let reply = world.bulk_update(changes(&[(&ids[0], titled(""))])).await;
        assert_eq!(reply.json()["contacts"][0].get("title").is_none_or(Value::is_null), cleared, "{quirk}");
    }
}

#[tokio::test]
async fn many_contacts_are_moved_to_a_stage_by_the_query_or_the_body() {
    let by_query = |ids: &[String]| {
        let ids: Vec<_> = ids.iter().map(|id| format!("contact_ids%5B%5D={id}")).collect();
        (format!("/api/v1/contacts/update_stages?{}&contact_stage_id={STAGE}", ids.join("&")), Value::Null)
    };
    let by_body = |ids: &[String]| {
        let body = json!({ "contact_ids": ids, "contact_stage_id": STAGE });
        ("/api/v1/contacts/update_stages".to_owned(), body)
    };
    for said in [by_query, by_body] as [fn(&[String]) -> (String, Value); 2] {
        let (world, ids) = with("").await;
        let (path, body) = said(&ids[..2]);
        let reply = world.send("POST", &path, body).await;
        assert_eq!(shown(&reply), ids[..2]);
        assert!(reply.json()["contacts"][0].get("label_ids").is_some(), "whole contacts");
        let stages = stored(&world, "contact_stage_id");
        assert_eq!((&stages[0], &stages[1]), (&json!(STAGE), &json!(STAGE)));
        assert_ne!(stages[2], STAGE);
    }
    let (world, ids) = with("").await;
    for path in [
        format!("?contact_stage_id={STAGE}"),
        format!("?contact_ids[]={}", ids[0]),
        format!("?contact_ids[]={}&contact_stage_id=won", ids[0]),
        format!("?contact_ids[]={NOBODY}&contact_stage_id={STAGE}"),
    ] {
        let reply = world.send("POST", &format!("/api/v1/contacts/update_stages{path}"), json!({})).await;
        assert_eq!(reply.status, 422, "{path}");
    }
    assert_eq!(world.server.requests().requests(Action::UpdateStages), 4);
}

#[tokio::test]
async fn many_contacts_join_and_leave_lists_and_some_may_not() {
    let change = |call: &str, ids: &[String]| {
        let body = json!({ "entity_ids": ids, "label_names": ["A", "B"], "modality": "contacts" });
        (format!("/api/v1/labels/{call}_entity_ids_{}_label_names", if call == "add" { "to" } else { "from" }), body)
    };
    let (world, ids) = with("").await;
    let (path, body) = change("add", &ids);
    assert_eq!(world.send("POST", &path, body).await.status, 200);
    assert_eq!(stored(&world, "label_names"), [json!(["A", "B"]), json!(["A", "B"]), json!(["A", "B"])]);
    let (path, body) = change("remove", &ids[1..]);
    world.send("POST", &path, body).await;
    assert_eq!(stored(&world, "label_names"), [json!(["A", "B"]), json!([]), json!([])]);
    world.control("PUT", "/sandbox/faults", "add-to-lists:item-undone=1").await;
    let (path, body) = change("add", &ids);
    let reply = world.send("POST", &path, body).await;
    assert_eq!((reply.status, reply.json()["labels"].as_array().unwrap().len()), (200, 2));
    assert_eq!(stored(&world, "label_names")[1], json!([]));
}

#[tokio::test]
async fn a_bulk_change_shows_in_searches_by_change_after_the_lag_and_counts_can_be_texts() {
    let world = World::with(|options| {
        options.search_lag = Duration::from_secs(30);
        options.quirks = "search-counts-as-text".parse().unwrap();
    })
    .await;
    let ids = people(&world, 3).await;
    world.advance(Duration::from_mins(1));
    world.bulk_update(changes(&[(&ids[1], titled("Poet"))])).await;
    let by_change = async || {
        let body = json!({ "sort_by_field": "contact_updated_at", "sort_ascending": false, "per_page": 2, "page": 1 });
        world.search(body).await.json()
    };
    assert_eq!(by_change().await["contacts"][0]["id"], ids[2].as_str());
    world.advance(Duration::from_secs(30));
    let page = by_change().await;
    assert_eq!((&page["contacts"][0]["id"], &page["contacts"][0]["title"]), (&json!(ids[1]), &json!("Poet")));
    let told = json!({ "page": "1", "per_page": "2", "total_entries": "3", "total_pages": "2" });
    assert_eq!(page["pagination"], told);
}
