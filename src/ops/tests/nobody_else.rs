//! Nobody else's contact is written, whoever is in the account already.

use std::time::Duration;

use serde_json::{Value, json};

use super::line::{Spoil, Spoiled};
use super::world::World;
use crate::sandbox::Options;

const NAME_ALONE: &str = "  ada: {first_name: Ada, last_name: Byron, title: Engineer}\n";

async fn with(contact: Value) -> (World, Value) {
    let world = World::new(None).await;
    world.somebody(contact).await;
    let before = world.server.contacts().remove(0);
    (world, before)
}

fn namesake() -> Value {
    json!({"first_name": "Ada", "last_name": "Byron", "title": "Painter"})
}

/// A name alone was looked up on a new state, and the namesake who was there was bound and renamed.
#[tokio::test]
async fn a_namesake_is_never_bound_by_a_name_alone() {
    let (world, before) = with(namesake()).await;
    world.declare(NAME_ALONE);
    assert_eq!(world.apply().await.unwrap().failed, 1);
    assert_eq!(world.server.contacts(), std::slice::from_ref(&before));
    world.assert_told(&["ada: Undecided(Namesakes"]);
    // The decision is remembered, and asks Apollo nothing more.
    let requests = world.line.requests();
    assert_eq!(world.apply().await.unwrap().failed, 1);
    assert_eq!(world.line.requests(), requests);
    // A person says that it is somebody else.
    assert_eq!(world.apply_creating("ada").await.unwrap().added, 1);
    let contacts = world.server.contacts();
    assert_eq!((contacts.len(), &contacts[0]), (2, &before));
    assert!(world.apply().await.is_none());
}

/// A create was lost before the server worked, and settling bound the namesake who was there all along.
#[tokio::test]
async fn settling_binds_no_namesake_who_was_there_before() {
    for entry in
        [NAME_ALONE, "  ada: {first_name: Ada, last_name: Byron, organization_name: Example, run_dedupe: false}\n"]
    {
        let world = World::with_create(1, Spoil::Before).await;
        world.declare(entry);
        world.apply().await;
        let mut other = namesake();
        if entry != NAME_ALONE {
            other["organization_name"] = "Example".into();
        }
        world.somebody(other).await;
        let before = world.server.contacts();
        assert_eq!(world.apply().await.unwrap().failed, 1);
        assert_eq!(world.apply().await.unwrap().failed, 1);
        assert_eq!(world.server.contacts(), before, "{entry}");
        assert!(world.snapshot().bindings.is_empty(), "{entry}");
        assert_eq!(world.apply_creating("ada").await.unwrap().failed, 0, "{entry}");
        assert_eq!(world.server.contacts().len(), 2, "{entry}");
        assert!(world.apply().await.is_none(), "{entry}");
    }
}

/// `run_dedupe: false` with a mailbox that others share renamed the mailbox's owner.
#[tokio::test]
async fn a_shared_mailbox_is_nobodys_identity() {
    let office = json!({"first_name": "Eve", "last_name": "Stone", "email": "office@example.com"});
    let (world, before) = with(office).await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: office@example.com, run_dedupe: false}\n");
    assert_eq!(world.apply().await.unwrap().added, 1);
    assert_eq!((world.contact("Eve"), world.server.contacts().len()), (before, 2));
    // The same e-mail and the same name is somebody to decide about.
    world.declare(
        "  ada: {first_name: Ada, last_name: Byron, email: office@example.com, run_dedupe: false}\n  \
         eve: {first_name: Eve, last_name: Stone, email: office@example.com, run_dedupe: false}\n",
    );
    assert_eq!(world.apply().await.unwrap().failed, 1);
    assert_eq!(world.server.contacts().len(), 2);
}

/// Apollo matches a name at one company whatever the e-mails are, and overwrites whom it matches.
#[tokio::test]
async fn a_namesake_at_the_same_company_is_not_taken_over() {
    for other in [
        json!({"first_name": "Ada", "last_name": "Byron", "organization_name": "Example", "email": "ab@other.example"}),
        json!({"first_name": "Ada", "last_name": "Byron", "organization_name": "Example"}),
        json!({"first_name": "Ada", "last_name": "Byron", "email": "ada.byron@example.com"}),
    ] {
        let (world, before) = with(other).await;
        world.declare(
            "  ada: {first_name: Ada, last_name: Byron, organization_name: Example, email: ada@example.com}\n",
        );
        assert_eq!(world.apply().await.unwrap().failed, 1, "{before}");
        assert_eq!(world.server.contacts(), [before]);
    }
}

/// Apollo matches a name at one e-mail domain, and the search did not show the namesake's.
#[tokio::test]
async fn a_namesake_whose_email_the_search_hides_is_not_taken_over() {
    let quirks = "search-hides-emails".parse().unwrap();
    let at = |number: usize, domain: &str| json!({"first_name": "Ada", "last_name": "Byron", "email": format!("a{number}@{domain}")});
    for (elsewhere, namesake) in [(0, true), (2, false), (8, true)] {
        let world = World::to(|options| Options { quirks, ..options }, None).await;
        for number in 0..elsewhere {
            world.somebody(at(number, "other.example")).await;
        }
        if namesake {
            world.somebody(at(99, "example.com")).await;
        }
        let before = world.server.contacts();
        world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com}\n");
        let report = world.apply().await.unwrap();
        assert_eq!((report.added, report.failed), if namesake { (0, 1) } else { (1, 0) }, "{elsewhere}");
        assert_eq!(world.server.contacts()[..before.len()], before, "{elsewhere}");
    }
}

/// A namesake elsewhere is nobody whom Apollo would match.
#[tokio::test]
async fn a_namesake_at_another_company_is_in_nobodys_way() {
    let other =
        json!({"first_name": "Ada", "last_name": "Byron", "organization_name": "Other", "email": "ada@other.example"});
    let (world, before) = with(other).await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, organization_name: Example, email: ada@example.com}\n");
    assert_eq!(world.apply().await.unwrap().added, 1);
    assert_eq!(world.server.contacts()[0], before);
}

#[tokio::test]
async fn the_one_contact_with_the_email_is_imported_and_several_are_not_guessed() {
    let ada = json!({"first_name": "Ada", "last_name": "Byron", "email": "ADA@example.com", "title": "CEO"});
    let (world, _) = with(ada.clone()).await;
    let entry = "  ada: {first_name: Ada, email: ada@example.com, title: CTO}\n";
    world.declare(entry);
    assert_eq!(world.apply().await.unwrap().imported, 1);
    let contact = world.contact("Ada");
    assert_eq!((&contact["title"], &contact["last_name"]), (&"CTO".into(), &"Byron".into()));
    let (world, _) = with(ada.clone()).await;
    world.somebody(ada).await;
    let before = world.server.contacts();
    world.declare(entry);
    assert_eq!(world.apply().await.unwrap().failed, 1);
    world.assert_told(&["ada: Undecided(Several"]);
    assert_eq!(world.server.contacts(), before);
}

/// An e-mail that is the contact's second one replaced the first one without a word.
#[tokio::test]
async fn a_second_address_does_not_replace_the_first() {
    let ada = json!({"first_name": "Ada", "email": "ada@new.example", "contact_emails": ["ada@example.com"]});
    let (world, _) = with(ada).await;
    world.declare("  ada: {first_name: Ada, email: ada@example.com, title: CTO}\n");
    assert_eq!(world.apply().await.unwrap().imported, 1);
    world.assert_told(&["ada: Deviates { deviation: Deviation { field: Email, kind: SecondAddress"]);
    let contact = world.contact("Ada");
    assert_eq!((&contact["email"], &contact["title"]), (&"ada@new.example".into(), &"CTO".into()));
    assert!(world.apply().await.is_none());
}

/// A list that a person had put the contact on was taken off when the entry dropped it.
#[tokio::test]
async fn a_list_that_somebody_else_put_the_contact_on_stays() {
    let ada = json!({"first_name": "Ada", "email": "ada@example.com", "label_names": ["Board"]});
    let (world, _) = with(ada).await;
    world.declare("  ada: {first_name: Ada, email: ada@example.com, label_names: [Board, Leads]}\n");
    world.settle_down().await;
    world.declare("  ada: {first_name: Ada, email: ada@example.com, label_names: []}\n");
    world.settle_down().await;
    assert_eq!(world.contact("Ada")["label_names"], json!(["Board"]));
}

/// Lists in a create reached whomever Apollo matched.
#[tokio::test]
async fn no_create_holds_lists() {
    let world = World::with_create(1, Spoil::Before).await;
    world.declare("  ada: {first_name: Ada, email: ada@example.com, label_names: [Leads]}\n");
    world.apply().await;
    let snapshot = world.snapshot();
    let intent = snapshot.intents.values().next().unwrap();
    assert!(!intent.body.contains("label"), "{}", intent.body);
    world.settle_down().await;
    assert_eq!(world.contact("Ada")["label_names"], json!(["Leads"]));
}

/// A page of a gateway after the work was done counted as a refusal, and the next apply made a second contact; after a
/// 429 the same run did.
///
/// After a 429 a minute is waited for; the time of tests is moved on.
#[tokio::test(start_paused = true)]
async fn a_page_after_the_work_was_done_is_no_refusal() {
    for status in [403, 404, 410, 418, 422, 429] {
        for spoil in [Spoil::PageAfter(status), Spoil::PageBefore(status)] {
            let world = World::with_create(1, spoil).await;
            world.declare(NAME_ALONE);
            world.apply().await;
            world.settle_down().await;
            assert_eq!(world.server.contacts().len(), 1, "{spoil:?}");
        }
    }
}

/// The server refused what it had done all the same.
#[tokio::test]
async fn a_refusal_that_hides_a_contact_makes_no_second_one() {
    for status in [400, 403, 409, 422] {
        for (entry, edited) in [(NAME_ALONE, false), (NAME_ALONE, true)] {
            let world = World::with_create(1, Spoil::RefusedAfter(status)).await;
            world.declare(entry);
            assert_eq!(world.apply().await.unwrap().failed, 1);
            assert!(world.snapshot().intents.values().all(|intent| intent.refused));
            if edited {
                world.declare(&entry.replace("Engineer", "Poet"));
            }
            world.settle_down().await;
            assert_eq!(world.server.contacts().len(), 1, "{status}");
            assert_eq!(world.contact("Ada")["title"], if edited { "Poet" } else { "Engineer" }, "{status}");
            assert!(world.snapshot().intents.is_empty());
        }
    }
}

/// The newest contacts were read at once, where what the refusal hid did not show yet.
#[tokio::test]
async fn what_a_refusal_may_have_made_gets_the_time_to_show() {
    let mut world = World::with_create(1, Spoil::RefusedAfter(422)).await;
    world.declare(NAME_ALONE);
    world.apply().await;
    let sent_at = world.snapshot().intents.values().next().unwrap().last_sent_at;
    world.settle_after = Duration::from_millis(300);
    world.apply().await;
    assert_eq!(world.server.contacts().len(), 1);
    let bound_at = world.snapshot().bindings.values().next().unwrap().bound_at;
    assert!(bound_at.since(sent_at) >= world.settle_after, "{sent_at:?} {bound_at:?}");
}

/// An entry that got another key after the refusal was not known to be the one that was refused.
#[tokio::test]
async fn what_a_refusal_may_have_made_is_looked_for_under_a_new_key() {
    for entry in [
        NAME_ALONE.replace("ada:", "countess:"),
        "  countess: {first_name: Augusta, last_name: King, moved_from: ada}\n".to_owned(),
    ] {
        let world = World::with_create(1, Spoil::RefusedAfter(422)).await;
        world.declare(NAME_ALONE);
        world.apply().await;
        world.declare(&entry);
        world.settle_down().await;
        assert_eq!(world.server.contacts().len(), 1, "{entry}");
        assert!(world.snapshot().intents.is_empty());
    }
}

/// A refusal that is one leaves nothing behind once the entry is corrected or gone.
#[tokio::test]
async fn a_refused_create_is_forgotten_with_its_entry() {
    let world = World::new(None).await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, account_id: 000000000000000000000bad}\n");
    let refused = world.apply().await.unwrap();
    if refused.failed == 1 {
        assert_eq!(world.snapshot().intents.len(), 1);
    }
    world.declare("  eve: {first_name: Eve, email: eve@example.com}\n");
    world.settle_down().await;
    assert!(world.snapshot().intents.is_empty());
}

/// A key that may not search can only send again, and only what Apollo would match.
#[tokio::test]
async fn what_nobody_can_look_for_waits_for_a_person() {
    let spoiled = Spoiled { number: 1, spoil: Spoil::After, among_creates: true };
    let world = World::without_search(Some(spoiled)).await;
    world.declare("  ada: {first_name: Ada, email: ada@example.com}\n");
    world.apply().await;
    world.settle_down().await;
    assert_eq!(world.server.contacts().len(), 1);
    let world = World::without_search(None).await;
    world.declare(NAME_ALONE);
    assert_eq!(world.apply().await.unwrap().failed, 1);
    world.assert_told(&["ada: MayNotLook"]);
    assert!(world.server.contacts().is_empty());
    assert_eq!(world.apply_creating("ada").await.unwrap().added, 1);
    assert!(world.apply().await.is_none());
}

/// The contact had been deleted in Apollo meanwhile: it was "restored" for good, and refused each time.
#[tokio::test]
async fn what_cannot_be_restored_is_created() {
    let world = World::new(None).await;
    let ada = "  ada: {first_name: Ada, email: ada@example.com}\n";
    let eve = "  eve: {first_name: Eve, email: eve@example.com}\n";
    world.declare(&format!("{ada}{eve}"));
    world.settle_down().await;
    world.declare(eve);
    world.settle_down().await;
    world.delete("Ada").await;
    world.declare(&format!("{ada}{eve}"));
    world.take_problems();
    assert_eq!(world.apply().await.unwrap().added, 1);
    world.assert_told(&["ada: RestoredAsNew"]);
    assert!(world.apply().await.is_none());
}
