//! Each quirk as a client meets it; what is folded on storing is tried in `quirks.rs` itself.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Reply, World, ada};

async fn world(quirks: &str) -> World {
    World::with(|options| options.quirks = quirks.parse().unwrap()).await
}

async fn found(world: &World, keywords: &str) -> usize {
    world.search(json!({ "q_keywords": keywords })).await.json()["contacts"].as_array().unwrap().len()
}

fn ids(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    body["contacts"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_search_can_miss_what_is_there() {
    let person = json!({ "first_name": "Jörg", "last_name": "Groß", "email": "jo+news@example.com" });
    for (quirks, counts) in
        [("", [1, 0, 1, 1]), ("search-transliterates", [0, 1, 1, 1]), ("search-splits-at-plus", [1, 0, 0, 1])]
    {
        let world = world(quirks).await;
        world.create(person.clone()).await;
        for (keywords, count) in ["Jörg Groß", "Joerg Gross", "jo+news@example.com", "example.com"].iter().zip(counts)
        {
            assert_eq!(found(&world, keywords).await, count, "{quirks}: {keywords}");
        }
    }
}

#[tokio::test]
async fn rows_can_hide_emails_that_views_show() {
    let world = world("search-hides-emails").await;
    let id = world.create(ada()).await.id();
    let rows = world.search(json!({ "q_keywords": "ada.quill@example.com" })).await.json();
    assert_eq!((rows["contacts"][0].get("email"), rows["contacts"][0].get("contact_emails")), (None, None));
    assert_eq!(world.view(&id).await.contact()["email"], ada()["email"]);
}

#[tokio::test]
async fn pages_can_repeat_a_row_and_leave_others_out() {
    let world = world("search-repeats-rows").await;
    for number in 0..6 {
        world.create(json!({ "first_name": format!("P{number}") })).await;
    }
    let page = |page| world.search(json!({ "page": page, "per_page": 3 }));
    let (first, second) = (page(1).await, page(2).await);
    assert_eq!((ids(&first).len(), ids(&second).len()), (3, 3));
    assert_eq!(ids(&first)[2], ids(&second)[0]);
    assert_eq!(second.json()["pagination"]["total_pages"], 2);
    assert_eq!(second.json()["pagination"]["total_entries"], 6);
}

#[tokio::test]
async fn an_empty_page_can_be_bare() {
    let world = world("search-bare-when-empty").await;
    let empty = world.search(json!({})).await.json();
    assert_eq!((&empty["contacts"], empty.get("pagination")), (&Value::Null, None));
    world.create(ada()).await;
    assert_eq!(world.search(json!({})).await.json()["pagination"]["total_entries"], 1);
}

#[tokio::test]
async fn what_is_stored_can_differ_from_what_was_sent() {
    let world = world("stores-straight-quotes,stores-punycode").await;
    let sent = json!({ "last_name": "O\u{2019}Neil", "email": "pat@m\u{fc}nchen.de" });
    let contact = world.create(sent.clone()).await.contact();
    assert_eq!((&contact["last_name"], &contact["email"]), (&json!("O'Neil"), &json!("pat@xn--mnchen-3ya.de")));
    assert_eq!(world.patch(contact["id"].as_str().unwrap(), sent).await.contact(), contact);
}

#[tokio::test]
async fn an_update_can_be_answered_and_not_done() {
    let field = "65b0000000000000000000f1";
    let whole = json!({ "title": "Engineer", "mobile_phone": "5555550123", "typed_custom_fields": { field: "x" } });
    let clearing = json!({ "title": "", "mobile_phone": "", "typed_custom_fields": { field: "" } });
    for (quirks, name, cleared) in [("", "Bo", true), ("keeps-cleared", "Bo", false), ("updates-nothing", "Ada", false)]
    {
        let world = world(quirks).await;
        let id = world.create(ada()).await.id();
        world.control("PUT", "/sandbox/quirks", "").await;
        world.patch(&id, whole.clone()).await;
        world.control("PUT", "/sandbox/quirks", quirks).await;
        let mut sent = clearing.clone();
        sent["first_name"] = json!("Bo");
        let contact = world.patch(&id, sent).await.contact();
        assert_eq!(contact["first_name"], name, "{quirks}");
        let empty = [
            contact["title"].is_null(),
            contact["phone_numbers"] == json!([]),
            contact["typed_custom_fields"] == json!({}),
        ];
        assert_eq!(empty, [cleared; 3], "{quirks}");
        assert_eq!(world.view(&id).await.contact(), contact, "{quirks}");
    }
}

#[tokio::test]
async fn an_addition_to_lists_can_be_answered_and_not_done() {
    for (quirk, key) in [("list-add-refused", "errors"), ("list-add-ignored", "labels")] {
        let world = world(quirk).await;
        let id = world.create(json!({ "first_name": "Bo", "label_names": ["A"] })).await.id();
        let body = json!({ "entity_ids": [id], "label_names": ["B"], "modality": "contacts" });
        let reply = world.send("POST", "/api/v1/labels/add_entity_ids_to_label_names", body).await;
        assert_eq!(reply.status, 200, "{quirk}");
        assert!(reply.json()[key].is_array(), "{quirk}");
        assert_eq!(reply.json().get("success"), (key == "errors").then_some(&json!(false)), "{quirk}");
        assert_eq!(world.server.contacts()[0]["label_names"], json!(["A"]), "{quirk}");
    }
}

#[tokio::test]
async fn clocks_can_be_wrong_or_not_told() {
    let right = ("2025-06-15T15:06:40.123Z", Some("Sun, 15 Jun 2025 15:06:40 GMT"));
    for (quirk, created_at, date) in [
        ("", right.0, right.1),
        ("created-at-behind", "2025-06-15T15:06:37.123Z", right.1),
        ("no-date", right.0, None),
        ("clock-slow", "2025-06-15T15:06:10.123Z", Some("Sun, 15 Jun 2025 15:06:10 GMT")),
        ("clock-fast", "2025-06-15T15:07:10.123Z", Some("Sun, 15 Jun 2025 15:07:10 GMT")),
    ] {
        let world = world(quirk).await;
        let reply = world.create(ada()).await;
        assert_eq!((reply.contact()["created_at"].as_str(), reply.header("date")), (Some(created_at), date), "{quirk}");
        world.advance(Duration::from_secs(1));
        assert_eq!(found(&world, "ada").await, 1, "{quirk}");
    }
}

#[tokio::test]
async fn a_create_can_be_answered_with_a_contact_that_exists_nowhere() {
    let world = world("creates-ghosts").await;
    let reply = world.create(ada()).await;
    let contact = reply.contact();
    assert_eq!((reply.status, &contact["existence_level"], &contact["email"]), (200, &json!("none"), &ada()["email"]));
    assert!(world.server.contacts().is_empty());
    assert_eq!((world.view(&reply.id()).await.status, found(&world, "ada").await), (422, 0));
}

#[tokio::test]
async fn a_success_can_complain() {
    let world = world("error-beside-contact").await;
    let reply = world.create(ada()).await;
    assert!(reply.status == 200 && reply.json()["error"].is_string());
    let reply = world.patch(&reply.id(), json!({ "title": "Poet" })).await;
    assert!(reply.status == 200 && reply.json()["error"].is_string());
    assert_eq!(world.server.contacts()[0]["title"], "Poet");
}

#[tokio::test]
async fn several_picked_values_can_be_an_array() {
    let (several, one) = ("65b0000000000000000000f1", "65b0000000000000000000f2");
    let world = world("answers-arrays").await;
    let fields = json!({ several: "a;b", one: "c" });
    let reply = world.create(json!({ "first_name": "Bo", "typed_custom_fields": fields })).await;
    let expected = json!({ several: ["a", "b"], one: "c" });
    let row = world.search(json!({})).await.json()["contacts"][0].clone();
    for contact in [reply.contact(), world.view(&reply.id()).await.contact(), row] {
        assert_eq!(contact["typed_custom_fields"], expected);
    }
}

#[tokio::test]
async fn an_account_can_be_out_of_reach_for_a_key_that_reaches_the_call() {
    let world = world("forbids-accounts").await;
    let id = world.create(ada()).await.id();
    let account = json!({ "account_id": "65b0000000000000000000f1" });
    for reply in [world.create(account.clone()).await, world.patch(&id, account).await] {
        assert_eq!((reply.status, &reply.json()["error_code"]), (403, &json!("API_INACCESSIBLE")));
    }
    assert_eq!(world.server.contacts().len(), 1);
}
