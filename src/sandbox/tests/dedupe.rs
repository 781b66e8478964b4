//! Creates that meet a contact which is there already, in both documented readings.

use serde_json::{Value, json};

use super::super::{DedupeReading, Witness};
use super::{World, ada, ada_again, list_names};

#[tokio::test]
async fn without_dedupe_every_create_makes_a_contact() {
    let world = World::new().await;
    let (one, other) = (world.create(ada()).await, world.create(ada()).await);
    assert_ne!(one.id(), other.id());
    assert!(other.json().get("dedupe_result").is_none());
}

#[tokio::test]
async fn an_overwriting_match_writes_what_was_sent_and_adds_lists() {
    let world = World::new().await;
    let first = world.create(ada_again(&json!({ "label_names": ["A"], "home_phone": "555-555-0100" }))).await;
    let sent =
        ada_again(&json!({ "title": "", "organization_name": "Other", "label_names": ["B"], "mobile_phone": "1" }));
    let second = world.create(sent).await;
    assert_eq!(second.id(), first.id());
    let contact = second.contact();
    assert_eq!((&contact["title"], &contact["organization_name"]), (&Value::Null, &json!("Other")));
    assert_eq!(contact["phone_numbers"].as_array().unwrap().len(), 2);
    assert_eq!(list_names(&second), ["A", "B"]);
    assert_eq!(world.server.contacts().len(), 1);
    let result = json!({ "found_existing": true, "match_reason": "email_match", "existing_contact_id": first.id() });
    assert_eq!(second.json()["dedupe_result"], result);
}

#[tokio::test]
async fn a_returning_match_changes_nothing() {
    let world = World::with(|options| options.dedupe = DedupeReading::ReturnExisting).await;
    let first = world.create(ada()).await;
    let second = world.create(ada_again(&json!({ "title": "Director", "label_names": ["B"] }))).await;
    assert_eq!(second.contact(), first.contact());
    assert_eq!(second.json()["dedupe_result"]["found_existing"], true);
    assert!(world.labels().await.is_empty());
}

#[tokio::test]
async fn a_match_can_look_like_a_creation() {
    let world = World::with(|options| options.witness = Witness::CreatedAt).await;
    let first = world.create(ada()).await;
    let second = world.create(ada_again(&json!({}))).await;
    assert_eq!(second.id(), first.id());
    assert!(second.json().get("dedupe_result").is_none());
}

#[tokio::test]
async fn a_match_is_shown_by_the_witnesses_that_were_asked_for() {
    for (witness, shown) in [
        ("all", (true, true)),
        ("dedupe-result", (true, false)),
        ("was-existing", (false, true)),
        ("created-at", (false, false)),
    ] {
        let world = World::with(|options| options.witness = witness.parse().unwrap()).await;
        let made = world.create(ada_again(&json!({}))).await.json();
        assert_eq!((made.get("dedupe_result"), made.get("was_existing")), (None, None), "{witness}");
        let matched = world.create(ada_again(&json!({}))).await.json();
        assert_eq!((matched["dedupe_result"]["found_existing"] == true, matched["was_existing"] == true), shown);
    }
}

#[tokio::test]
async fn a_plus_tag_matches_and_does_not_replace_the_email() {
    let world = World::new().await;
    let first = world.create(ada()).await;
    let second = world.create(json!({ "email": "Ada.Quill+news@Example.com", "run_dedupe": true })).await;
    assert_eq!(second.id(), first.id());
    assert_eq!(second.contact()["email"], "ada.quill@example.com");
}

#[tokio::test]
async fn a_name_at_one_company_matches_and_replaces_the_email() {
    let world = World::new().await;
    let first = world.create(ada()).await;
    let second = world.create(ada_again(&json!({ "email": "aq@example.com" }))).await;
    assert_eq!(second.id(), first.id());
    assert_eq!(second.contact()["email"], "aq@example.com");
    assert_eq!(second.json()["dedupe_result"]["match_reason"], "name_and_company_match");
}

#[tokio::test]
async fn the_email_counts_before_the_name() {
    let world = World::new().await;
    let by_name =
        world.create(json!({ "first_name": "Ada", "last_name": "Quill", "organization_name": "Example Corp" })).await;
    let by_email = world.create(json!({ "first_name": "Bo", "email": "ada.quill@example.com" })).await;
    assert_ne!(by_name.id(), by_email.id());
    assert_eq!(world.create(ada_again(&json!({}))).await.id(), by_email.id());
}

#[tokio::test]
async fn what_a_contact_was_before_an_update_no_longer_matches() {
    let world = World::new().await;
    let id = world.create(ada()).await.id();
    world.patch(&id, json!({ "email": "bo@example.org", "last_name": "Reed" })).await;
    assert_ne!(world.create(ada_again(&json!({}))).await.id(), id);
    let again = world.create(json!({ "email": "bo@example.org", "run_dedupe": true })).await;
    assert_eq!(again.id(), id);
}

#[tokio::test]
async fn a_deleted_contact_is_not_matched() {
    let world = World::new().await;
    let id = world.create(ada()).await.id();
    world.delete_by_hand(&id).await;
    assert_ne!(world.create(ada_again(&json!({}))).await.id(), id);
}

#[tokio::test]
async fn a_seeded_contact_keeps_its_age_and_matches_by_any_of_its_emails() {
    let world = World::new().await;
    let seed = ada_again(&json!({ "created_at": "2024-01-02T03:04:05.006Z", "contact_emails": ["old@example.org"] }));
    let seeded = world.send("POST", "/sandbox/contacts", seed).await;
    let matched = world.create(json!({ "email": "old@example.org", "title": "Poet", "run_dedupe": true })).await;
    assert_eq!(matched.id(), seeded.id());
    let contact = matched.contact();
    assert_eq!(contact["created_at"], "2024-01-02T03:04:05.006Z");
    assert_eq!((&contact["title"], &contact["email"]), (&json!("Poet"), &json!("ada.quill@example.com")));
    assert_eq!(contact["contact_emails"][1]["email"], "old@example.org");
}
