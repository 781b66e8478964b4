//! Lists, which the API calls labels.

use serde_json::{Value, json};

use super::{Reply, World, ada, list_names};

async fn change(world: &World, call: &str, ids: &[&str], names: &[&str]) -> Reply {
    let body = json!({ "entity_ids": ids, "label_names": names, "modality": "contacts" });
    world.send("POST", &format!("/api/v1/labels/{call}"), body).await
}

const ADD: &str = "add_entity_ids_to_label_names";
const REMOVE: &str = "remove_entity_ids_from_label_names";

#[tokio::test]
async fn lists_are_a_bare_array_with_live_counts() {
    let world = World::new().await;
    world.create(json!({ "first_name": "Bo", "label_names": ["A", "B"] })).await;
    world.create(json!({ "first_name": "Cy", "label_names": ["A"] })).await;
    let labels = world.labels().await;
    let shown: Vec<_> = labels.iter().map(|label| (label["name"].clone(), label["cached_count"].clone())).collect();
    assert_eq!(shown, [(json!("A"), json!(2)), (json!("B"), json!(1))]);
    for label in labels {
        assert_eq!((&label["_id"], &label["key"]), (&label["id"], &label["id"]));
        assert_eq!(label["modality"], "contacts");
    }
}

#[tokio::test]
async fn adding_makes_missing_lists_and_ignores_unknown_contacts() {
    let world = World::new().await;
    let id = world.create(json!({ "first_name": "Bo", "label_names": ["A"] })).await.id();
    let reply = change(&world, ADD, &[&id, "65b000000000000000000099", "nobody"], &["A", "B"]).await;
    assert_eq!(list_names(&reply), ["A", "B"]);
    assert_eq!(world.server.contacts()[0]["label_names"], json!(["A", "B"]));
}

#[tokio::test]
async fn a_change_in_the_background_is_answered_with_a_job() {
    let world = World::new().await;
    let id = world.create(json!({ "first_name": "Bo" })).await.id();
    let body = json!({ "entity_ids": [id], "label_names": ["A"], "modality": "contacts", "async": true });
    let reply = world.send("POST", &format!("/api/v1/labels/{ADD}"), body).await.json();
    assert_eq!((&reply["entity_progress_job"]["progress"], reply.get("labels")), (&json!(-1), None));
    assert_eq!(world.server.contacts()[0]["label_names"], json!(["A"]));
}

#[tokio::test]
async fn removing_leaves_the_contact_and_its_other_lists() {
    let world = World::new().await;
    let id = world.create(json!({ "first_name": "Bo", "label_names": ["A", "B"] })).await.id();
    let reply = change(&world, REMOVE, &[&id], &["A", "unheard of"]).await;
    assert_eq!(list_names(&reply), ["A"]);
    assert_eq!(world.server.contacts()[0]["label_names"], json!(["B"]));
    assert_eq!(world.labels().await.len(), 2);
}

#[tokio::test]
async fn nothing_to_do_is_answered_with_a_message() {
    let world = World::new().await;
    let reply = change(&world, ADD, &[], &["A"]).await;
    assert_eq!(reply.status, 200);
    assert!(reply.json()["message"].is_string());
    assert!(world.labels().await.is_empty());
}

#[tokio::test]
async fn a_modality_that_is_not_contacts_is_refused() {
    let world = World::new().await;
    let id = world.create(ada()).await.id();
    for modality in [json!("accounts"), Value::Null] {
        let body = json!({ "entity_ids": [id], "label_names": ["A"], "modality": modality });
        assert_eq!(world.send("POST", &format!("/api/v1/labels/{ADD}"), body).await.status, 422);
    }
}

#[tokio::test]
async fn a_deleted_contact_leaves_its_lists() {
    let world = World::new().await;
    let id = world.create(json!({ "first_name": "Bo", "label_names": ["A"] })).await.id();
    world.delete_by_hand(&id).await;
    assert_eq!(world.labels().await[0]["cached_count"], 0);
}
