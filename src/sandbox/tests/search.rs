//! Searching contacts: keywords, pages and lag.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Reply, World, ada};

fn names(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let rows = body["contacts"].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_word_must_occur_in_name_title_employer_or_email() {
    let world = World::new().await;
    world.create(ada()).await;
    world.create(json!({ "first_name": "Bo", "last_name": "Reed", "email": "bo@example.org" })).await;
    for (keywords, found) in [
        ("ada.quill@example.com", vec!["Ada Quill"]),
        ("QUILL engineer", vec!["Ada Quill"]),
        ("example corp", vec!["Ada Quill"]),
        ("example", vec!["Bo Reed", "Ada Quill"]),
        ("quill reed", vec![]),
    ] {
        assert_eq!(names(&world.search(json!({ "q_keywords": keywords })).await), found, "{keywords}");
    }
}

#[tokio::test]
async fn unknown_filters_are_ignored_and_show_everyone() {
    let world = World::new().await;
    world.create(ada()).await;
    assert_eq!(names(&world.search(json!({ "email": "bo@example.org" })).await), ["Ada Quill"]);
}

#[tokio::test]
async fn pages_are_counted_from_one_and_hold_a_hundred_at_most() {
    let world = World::new().await;
    for number in 0..105 {
        world.create(json!({ "first_name": format!("P{number:03}") })).await;
    }
    let page = |body: Value| world.search(body);
    let first = page(json!({})).await;
    let expected = json!({ "page": 1, "per_page": 25, "total_entries": 105, "total_pages": 5 });
    assert_eq!(first.json()["pagination"], expected);
    assert_eq!(names(&first)[0], "P104");
    let last = page(json!({ "page": "2", "per_page": 500 })).await;
    assert_eq!(last.json()["pagination"]["per_page"], 100);
    assert_eq!(names(&last), ["P004", "P003", "P002", "P001", "P000"]);
    assert!(names(&page(json!({ "page": 6 })).await).is_empty());
    let oldest = page(json!({ "sort_by_field": "contact_created_at", "sort_ascending": true, "per_page": 1 })).await;
    assert_eq!(names(&oldest), ["P000"]);
    for wrong in [json!({ "page": 0 }), json!({ "page": 501 }), json!({ "sort_by_field": "name" })] {
        assert_eq!(page(wrong).await.status, 422);
    }
}

#[tokio::test]
async fn the_newest_come_first_by_either_date_unless_told_otherwise() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(world.create(json!({ "first_name": name })).await.id());
        world.advance(Duration::from_secs(1));
    }
    world.patch(&ids[0], json!({ "title": "Poet" })).await;
    world.send("POST", "/sandbox/contacts", json!({ "first_name": "Old", "created_at": "2020-01-01T00:00:00Z" })).await;
    for (field, ascending, found) in [
        ("contact_created_at", None, ["C", "B", "A", "Old"]),
        ("contact_created_at", Some(true), ["Old", "A", "B", "C"]),
        ("contact_updated_at", Some(false), ["A", "C", "B", "Old"]),
    ] {
        let mut body = json!({ "sort_by_field": field, "per_page": 100, "page": 1 });
        body.as_object_mut().unwrap().extend(ascending.map(|is| ("sort_ascending".to_owned(), json!(is))));
        assert_eq!(names(&world.search(body).await), found, "{field} {ascending:?}");
    }
}

#[tokio::test]
async fn rows_name_lists_by_id_alone() {
    let world = World::new().await;
    world.create(json!({ "first_name": "Bo", "label_names": ["A"] })).await;
    let body = world.search(json!({})).await.json();
    let list = world.labels().await[0]["id"].clone();
    assert_eq!(body["contacts"][0]["label_ids"], json!([list]));
    assert!(body["contacts"][0].get("labels").is_none());
    assert_eq!(names(&world.search(json!({ "contact_label_ids": [list] })).await), ["Bo"]);
    let none = json!({ "contact_label_ids": ["65b000000000000000000099"] });
    assert!(names(&world.search(none).await).is_empty());
}

#[tokio::test]
async fn search_lags_behind_every_kind_of_write() {
    let world = World::with(|options| options.search_lag = Duration::from_secs(30)).await;
    let id = world.create(ada()).await.id();
    let titles = || async {
        let body = world.search(json!({})).await.json();
        body["contacts"].as_array().unwrap().iter().map(|row| row["title"].clone()).collect::<Vec<_>>()
    };
    assert!(titles().await.is_empty());
    world.advance(Duration::from_secs(30));
    assert_eq!(titles().await, ["Engineer"]);
    world.patch(&id, json!({ "title": "Poet" })).await;
    assert_eq!(titles().await, ["Engineer"]);
    assert_eq!(world.view(&id).await.contact()["title"], "Poet");
    world.advance(Duration::from_secs(30));
    assert_eq!(titles().await, ["Poet"]);
    world.delete_by_hand(&id).await;
    assert_eq!(titles().await, ["Poet"]);
    world.advance(Duration::from_secs(30));
    assert!(titles().await.is_empty());
}

#[tokio::test]
async fn a_seeded_contact_shows_at_once() {
    let world = World::with(|options| options.search_lag = Duration::from_secs(30)).await;
    world.create(json!({ "first_name": "Bo" })).await;
    world.send("POST", "/sandbox/contacts", ada()).await;
    assert_eq!(names(&world.search(json!({})).await), ["Ada Quill"]);
}
