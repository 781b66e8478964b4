//! Successes that are none, and refusals that are about one value.

use serde_json::json;

use super::line::{Spoil, Spoiled};
use super::world::World;
use crate::model::Field;
use crate::sandbox::Options;

const FIELD: &str = "65b0000000000000000000f1";

async fn with(quirks: &str) -> World {
    let quirks = quirks.parse().unwrap();
    World::to(|options| Options { quirks, ..options }, None::<Spoiled>).await
}

/// A contact that exists nowhere was recorded as created.
#[tokio::test]
async fn a_create_that_stored_nothing_created_nobody() {
    for entry in [
        "  ada: {first_name: Ada, email: ada@example.com}\n",
        "  ada: {first_name: Ada, last_name: Byron, organization_name: Example}\n",
        "  ada: {first_name: Ada, last_name: Byron, title: Engineer}\n",
        "  ada: {first_name: Ada, email: ada@example.com, run_dedupe: false}\n",
    ] {
        let world = with("creates-ghosts").await;
        world.declare(entry);
        for _ in 0..3 {
            let report = world.apply().await.unwrap();
            assert_eq!((report.failed, report.added), (1, 0), "{entry}");
            assert!(world.snapshot().bindings.is_empty(), "{entry}");
        }
        world.server.set_quirks("".parse().unwrap());
        world.settle_down().await;
        assert_eq!(world.server.contacts().len(), 1, "{entry}");
    }
}

/// What an answer with an error does not show is sent once more, and then a warning says so.
#[tokio::test]
async fn an_error_beside_a_contact_is_told_and_ends() {
    let world = with("error-beside-contact").await;
    world.declare("  ada: {email: ada@example.com, title: CTO, website_url: 'https://example.com'}\n");
    world.settle_down().await;
    assert!(world.take_problems().iter().any(|told| told.contains("Complained")), "the complaint is told");
    let contacts = world.server.contacts();
    assert_eq!((contacts.len(), &contacts[0]["title"]), (1, &json!("CTO")));
}

/// Nothing was written, and the answer says so beside the contact as it was.
#[tokio::test]
async fn an_error_beside_a_contact_that_was_not_changed_completes_nothing() {
    let world = with("").await;
    world.declare("  ada: {email: ada@example.com, title: CTO}\n");
    world.settle_down().await;
    world.server.set_quirks("error-beside-contact,updates-nothing".parse().unwrap());
    world.declare("  ada: {email: ada@example.com, title: CEO}\n");
    world.take_problems();
    world.settle_down().await;
    assert_eq!(world.server.contacts()[0]["title"], "CTO");
    let snapshot = world.snapshot();
    let dropped = &snapshot.bindings.values().next().unwrap().dropped;
    assert!(dropped.contains(&Field::Title), "{dropped:?}");
    assert!(!world.take_problems().is_empty());
}

/// Several picked values come back as an array, which was taken for nothing: they were sent for ever.
#[tokio::test]
async fn several_picked_values_in_an_array_stand() {
    let world = with("answers-arrays").await;
    let entry =
        |values: &str| format!("  ada: {{email: ada@example.com, typed_custom_fields: {{{FIELD}: {values}}}}}\n");
    for values in ["a;b", "a;b;c", "c"] {
        world.declare(&entry(values));
        assert_eq!(world.apply().await.unwrap().failed, 0, "{values}");
        world.assert_told(&[]);
        assert!(world.apply().await.is_none(), "{values}");
        assert_eq!(world.server.contacts()[0]["typed_custom_fields"][FIELD], values);
    }
}

/// A refusal of one account ended all creates of the run, and blamed the scope of the key.
#[tokio::test]
async fn an_account_that_is_out_of_reach_stops_nobody_else() {
    let world = with("forbids-accounts").await;
    let others = "  bo: {email: bo@example.com}\n  cy: {email: cy@example.com}\n";
    let account = "account_id: 65b0000000000000000000f2";
    world.declare(&format!("  ada: {{email: ada@example.com, {account}}}\n{others}"));
    let report = world.apply().await.unwrap();
    assert_eq!((report.added, report.failed), (2, 1));
    let told = world.take_problems();
    assert!(told.len() == 1 && told[0].starts_with("ada: "), "{told:?}");
    // An update with it is refused alone as well.
    world.declare(&format!(
        "  ada: {{email: ada@example.com}}\n  bo: {{email: bo@example.com, {account}}}\n  \
         cy: {{email: cy@example.com, title: CTO}}\n"
    ));
    let report = world.apply().await.unwrap();
    assert_eq!((report.added, report.changed, report.failed), (1, 1, 1));
    let told = world.take_problems();
    assert!(told.len() == 1 && told[0].starts_with("bo: "), "{told:?}");
}

/// What a refused request had changed all the same stayed in Apollo when the entry took it back.
#[tokio::test]
async fn what_a_refused_change_may_have_done_is_undone_when_it_is_taken_back() {
    let ada = |rest: &str| format!("  ada: {{email: ada@example.com, {rest}}}\n");
    let first = "title: CTO, mobile_phone: '+12025550101', website_url: 'https://example.com/1', label_names: [Board]";
    for (change, action) in [
        (first.replace("CTO", "CEO"), "update"),
        (first.replace("0101", "0102"), "update"),
        (first.replace("com/1", "com/2"), "update"),
        (first.replace("Board", "Board, Leads"), "add-to-lists"),
        (first.replace("[Board]", "[]"), "remove-from-lists"),
    ] {
        for labels_in_view in [false, true] {
            let world = World::to(|options| Options { labels_in_view, ..options }, None::<Spoiled>).await;
            world.declare(&ada(first));
            world.settle_down().await;
            let before = world.server.contacts().remove(0);
            world.server.set_faults(format!("{action}:refused-after-work=1").parse().unwrap());
            world.declare(&ada(&change));
            world.apply().await;
            assert_ne!(world.server.contacts()[0], before, "{change}");
            world.server.set_faults("".parse().unwrap());
            world.declare(&ada(first));
            world.settle_down().await;
            let mut after = world.server.contacts().remove(0);
            after["updated_at"] = before["updated_at"].clone();
            assert_eq!(after, before, "{change}");
        }
    }
}

/// What the look after a lost answer had shown in the server's form was taken for what stood there before.
#[tokio::test]
async fn a_value_in_another_form_is_kept_however_it_came_there() {
    let quirks = "stores-punycode,stores-straight-quotes,stores-entities,stores-nfc".parse().unwrap();
    let lost = Spoiled { number: 1, spoil: Spoil::After, among_creates: true };
    for spoiled in [None, Some(lost)] {
        let world = World::to(|options| Options { quirks, ..options }, spoiled).await;
        world.declare(
            "  ada: {first_name: Rene\u{301}e, last_name: O\u{2019}Neil, email: ada@b\u{fc}cher.example, title: R&D}\n",
        );
        world.settle_down().await;
        let told = world.take_problems();
        assert!(!told.iter().any(|told| told.contains("StillDropped")), "{told:?}");
        assert!(world.snapshot().bindings.values().all(|binding| binding.dropped.is_empty()));
    }
}

/// An entry whose e-mail was in doubt was forgotten without it, and not known again when it came back.
#[tokio::test]
async fn who_is_forgotten_with_a_doubt_is_known_again() {
    let world = with("").await;
    let eve = "  eve: {first_name: Eve}\n";
    let ada = |email: &str| format!("  ada: {{first_name: Ada, email: {email}, run_dedupe: false}}\n{eve}");
    world.declare(&ada("ada@example.com"));
    world.settle_down().await;
    world.server.set_faults("update:refused-after-work=1".parse().unwrap());
    world.declare(&ada("ada@other.example"));
    world.apply().await;
    world.server.set_faults("".parse().unwrap());
    world.declare(eve);
    world.settle_down().await;
    world.declare(&ada("ada@example.com"));
    world.apply().await;
    // Apollo holds the other e-mail since, so that a person decides; nobody is made beside it.
    assert_eq!(world.contact("Ada")["email"], "ada@other.example");
    assert_eq!(world.snapshot().conflicts.len(), 1);
}
