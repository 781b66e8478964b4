//! What went wrong once, each with its story.

use super::line::{Spoil, Spoiled};
use super::world::World;
use crate::sandbox::{DedupeReading, Witness};
use crate::store::Moment;

/// The answer to a create was lost, and the file dropped a list before the next run: the look-up found
/// the contact, counted only the declared lists, and left it on the other one for good.
#[tokio::test]
async fn a_settled_contact_is_taken_off_lists_that_were_dropped_meanwhile() {
    let world = World::with_create(1, Spoil::After).await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, label_names: [Leads, Board]}\n");
    world.apply().await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, label_names: [Leads]}\n");
    world.settle_down().await;
    assert_eq!(world.contact("Ada")["label_names"], serde_json::json!(["Leads"]));
}

/// The same when the body of the journal had to be sent again.
#[tokio::test]
async fn a_create_sent_again_is_taken_off_lists_that_were_dropped_meanwhile() {
    let world = World::with_create(1, Spoil::Before).await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, label_names: [Leads, Board]}\n");
    world.apply().await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, label_names: [Leads]}\n");
    world.settle_down().await;
    assert_eq!(world.contact("Ada")["label_names"], serde_json::json!(["Leads"]));
}

/// The list was still declared when the lost create was settled, and dropped before the call that makes sure of it
/// was answered: nothing remembered that the create had put the contact there.
#[tokio::test]
async fn a_settled_contact_is_taken_off_a_list_that_was_dropped_before_it_was_confirmed() {
    // The second run fails at each of its commits in turn, that of the call that adds to the list among them.
    for commit in 1.. {
        let world = World::with_create(1, Spoil::After).await;
        world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, label_names: [Leads]}\n");
        world.apply().await;
        world.broken.at(commit, Moment::BeforeBatch);
        world.apply().await;
        if !world.broken.has_struck() {
            assert!(commit > 3);
            break;
        }
        world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, label_names: []}\n");
        world.settle_down().await;
        assert_eq!(world.contact("Ada")["label_names"], serde_json::json!([]), "commit {commit}");
        let snapshot = world.snapshot();
        assert!(snapshot.bindings.values().all(|binding| binding.possible_lists.is_empty()));
    }
}

/// The entry was bound by a person's word to somebody else than its lost create had made: nothing was said of that one,
/// which nobody manages.
#[tokio::test]
async fn an_import_that_ends_a_doubt_says_that_there_may_be_a_second_contact() {
    let bob = "bob: {first_name: Bob, email: bob@example.com";
    for (spoil, is_made) in [(Spoil::After, true), (Spoil::After, false), (Spoil::Before, false)] {
        let world = World::with_create(1, spoil).await;
        world.declare(&format!("  {bob}}}\n"));
        world.apply().await;
        world.somebody(serde_json::json!({"first_name": "Rob", "email": "rob@example.com"})).await;
        world.take_problems();
        let meant = if is_made { world.contact("Bob") } else { world.contact("Rob") };
        world.declare(&format!("  {bob}, apollo_id: {}}}\n", meant["id"].as_str().unwrap()));
        world.apply().await;
        let told = world.take_problems();
        assert!(world.snapshot().intents.is_empty());
        assert_eq!(told.iter().any(|told| told.contains("MayBeTwice")), !is_made, "{spoil:?}: {told:?}");
    }
}

/// The same where the contact was another entry's before.
#[tokio::test]
async fn an_entry_that_takes_over_a_contact_while_its_create_is_in_doubt_says_so() {
    let world = World::with_create(2, Spoil::After).await;
    world.declare("  ada: {first_name: Ada, email: ada@example.com}\n");
    world.settle_down().await;
    world.declare(
        "  ada: {first_name: Ada, email: ada@example.com}\n  bob: {first_name: Bob, email: bob@example.com}\n",
    );
    world.apply().await;
    world.take_problems();
    let ada = world.contact("Ada");
    world.declare(&format!(
        "  bob: {{first_name: Bob, email: bob@example.com, apollo_id: {}}}\n",
        ada["id"].as_str().unwrap()
    ));
    world.apply().await;
    let told = world.take_problems();
    assert!(told.iter().any(|told| told.contains("MayBeTwice")), "{told:?}");
}

const UNMATCHED: &str = "  ada: {first_name: Ada, last_name: Byron}\n  \
    bob: {first_name: Bob, last_name: Quill, email: bob@example.com, run_dedupe: false}\n  \
    cyd: {first_name: Cyd, last_name: Reed, organization_name: Example, run_dedupe: false}\n";

/// Only entries with `run_dedupe: false` were looked up after a lost state; Apollo matches nobody by a
/// name alone either. Whether it is the same person only a person can tell.
#[tokio::test]
async fn a_lost_state_makes_no_second_contact_of_those_apollo_cannot_match() {
    for request in 0..=8 {
        let mut world = World::new(None).await;
        world.declare(UNMATCHED);
        world.settle_down().await;
        world.lose_state();
        // A run that is cut off anywhere changes nothing about that.
        world.spoil(request, Spoil::Page).await;
        for _ in 0..3 {
            world.apply().await;
        }
        assert_eq!(world.server.contacts().len(), 3, "request {request}");
        let snapshot = world.snapshot();
        assert!(snapshot.bindings.is_empty() && snapshot.intents.is_empty(), "request {request}");
        assert_eq!(snapshot.conflicts.len(), 3, "request {request}");
    }
}

/// An older copy of the state was put back. The docs said that such entries are looked up; only a state that had
/// never been applied as a whole was.
#[tokio::test]
async fn an_older_state_makes_no_second_contact_of_those_apollo_cannot_match() {
    let world = World::new(None).await;
    world.declare("  eve: {first_name: Eve, email: eve@example.com}\n");
    world.settle_down().await;
    let backup = world.back_up();
    world.declare(&format!("  eve: {{first_name: Eve, email: eve@example.com}}\n{UNMATCHED}"));
    world.settle_down().await;
    world.put_back(&backup);
    world.apply().await;
    assert_eq!(world.server.contacts().len(), 4);
    assert_eq!(world.snapshot().conflicts.len(), 3);
}

/// Forgotten and put back under another key within two seconds: by its time of creation the contact
/// could be new, so the fields sent counted as applied, though Apollo had only returned it.
#[tokio::test]
async fn a_contact_that_the_state_knew_is_no_new_one() {
    let world = World::with(DedupeReading::ReturnExisting, Witness::CreatedAt, None).await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CTO}\n");
    world.settle_down().await;
    world.declare("  bob: {first_name: Bob, last_name: Quill, email: bob@example.com}\n");
    world.settle_down().await;
    world.declare("  countess: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CEO}\n");
    world.settle_down().await;
    assert_eq!(world.contact("Ada")["title"], "CEO");
}

/// The same with a state that was lost right after it: nothing but the answer's values tells.
#[tokio::test]
async fn a_create_that_shows_other_values_than_sent_confirms_none_of_them() {
    let world = World::with(DedupeReading::ReturnExisting, Witness::CreatedAt, None).await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CTO}\n");
    world.settle_down().await;
    world.lose_state();
    world.declare(
        "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CEO, label_names: [Leads],\n    \
         website_url: https://example.com}\n",
    );
    world.settle_down().await;
    let ada = world.contact("Ada");
    assert_eq!(ada["title"], "CEO");
    assert_eq!((&ada["website_url"], &ada["label_names"][0]), (&"https://example.com".into(), &"Leads".into()));
}

/// The update was done and answered by a page of something in between; that dropped the intent, and a
/// file put back as it was then had nothing to send.
#[tokio::test]
async fn an_update_answered_by_a_page_is_in_doubt() {
    let mut world = World::new(None).await;
    let cto = "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CTO}\n";
    world.declare(cto);
    world.settle_down().await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CEO}\n");
    world.spoil(1, Spoil::Page).await;
    assert_eq!(world.apply().await.unwrap().failed, 1);
    assert_eq!(world.contact("Ada")["title"], "CEO");
    world.declare(cto);
    world.settle_down().await;
    assert_eq!(world.contact("Ada")["title"], "CTO");
}

/// An update was never answered, and the file dropped its field before the next run: nothing was to be
/// done any more, but the contact counted as unconfirmed for good.
#[tokio::test]
async fn a_contact_whose_doubtful_field_is_dropped_stands_as_declared() {
    let mut world = World::new(None).await;
    world.declare("  ada: {first_name: Ada, email: ada@example.com}\n");
    world.settle_down().await;
    world.spoil(1, Spoil::Page).await;
    world.declare("  ada: {first_name: Ada, email: ada@example.com, title: CTO}\n");
    world.apply().await;
    assert_eq!(world.snapshot().intents.len(), 1);
    world.declare("  ada: {first_name: Ada, email: ada@example.com}\n");
    world.settle_down().await;
    let snapshot = world.snapshot();
    assert!(snapshot.intents.is_empty());
    assert!(snapshot.bindings.values().all(|binding| binding.fingerprint.is_some()));
}

/// Somebody else's contact, as it was before.
async fn rob_is_there(world: &World) -> serde_json::Value {
    let rob = serde_json::json!({
        "first_name": "Rob", "last_name": "Other", "email": "rob@other.example", "organization_name": "Acme", "title": "Painter"
    });
    world.somebody(rob).await;
    world.contact("Rob")
}

const BOB: &str = "  bob: {first_name: Bob, last_name: Stone, email: bob@example.com, title: Mason}\n";

/// An entry had somebody else's e-mail by mistake, and its create had no effect. The file was corrected; the
/// look-up for what was sent found that somebody, who was bound and made over into the corrected entry.
#[tokio::test]
async fn a_mistake_that_was_corrected_overwrites_nobody() {
    for mistake in [
        "  bob: {email: rob@other.example, title: Wrong}\n",
        "  bob: {first_name: Bob, last_name: Stone, email: rob@other.example, title: Wrong}\n",
        "  bob: {first_name: Rob, last_name: Other, organization_name: Acme, title: Wrong}\n",
    ] {
        let world = World::with_create(1, Spoil::Before).await;
        world.declare(mistake);
        world.apply().await;
        // Whom the look had not shown.
        let rob = rob_is_there(&world).await;
        world.declare(BOB);
        world.take_problems();
        assert_eq!(world.apply().await.unwrap().failed, 1, "{mistake}");
        world.assert_told(&["bob: MeantSomebodyElse"]);
        assert_eq!(world.contact("Rob"), rob, "{mistake}");
        let snapshot = world.snapshot();
        assert!(snapshot.bindings.is_empty() && snapshot.intents.is_empty(), "{mistake}");
        assert_eq!(snapshot.conflicts.len(), 1, "{mistake}");
        // Any edit of the entry ends the conflict, and it is created.
        world.declare(&BOB.replace("Mason", "Smith"));
        world.settle_down().await;
        assert_eq!((world.contact("Rob"), &world.contact("Bob")["title"]), (rob, &"Smith".into()), "{mistake}");
    }
}

/// The same where the look-up found nobody, since Apollo matches more than it searches: what was withdrawn was
/// sent again and written to somebody else.
#[tokio::test]
async fn a_mistake_that_was_corrected_is_not_sent_again() {
    let world = World::with_create(1, Spoil::Before).await;
    world.declare("  bob: {email: rob+x@other.example, title: Wrong}\n");
    world.apply().await;
    let rob = rob_is_there(&world).await;
    world.declare(BOB);
    world.take_problems();
    assert_eq!(world.apply().await.unwrap().added, 1);
    world.assert_told(&["bob: IntentWithdrawn"]);
    assert_eq!((world.contact("Rob"), &world.contact("Bob")["title"]), (rob, &"Mason".into()));
    world.settle_down().await;
    assert!(world.snapshot().intents.is_empty());
}

/// What the create did make is ours, whatever the entry says since.
#[tokio::test]
async fn a_contact_made_by_mistake_is_brought_to_the_corrected_entry() {
    let world = World::with_create(1, Spoil::After).await;
    world.declare("  bob: {email: rob@other.example, title: Wrong}\n");
    world.apply().await;
    world.declare(BOB);
    world.settle_down().await;
    let bob = world.contact("Bob");
    assert_eq!([&bob["email"], &bob["title"]], ["bob@example.com", "Mason"]);
    assert_eq!(world.server.contacts().len(), 1);
}

/// Without the right to search, sending again is the only look there is; whom it leads to was bound and made over.
#[tokio::test]
async fn a_mistake_that_was_corrected_makes_nobody_over_where_nothing_can_be_searched() {
    let world = World::without_search(Some(Spoiled { number: 1, spoil: Spoil::Before, among_creates: true })).await;
    rob_is_there(&world).await;
    world.declare("  bob: {email: rob@other.example, title: Wrong}\n");
    world.apply().await;
    world.declare(BOB);
    assert_eq!(world.apply().await.unwrap().failed, 1);
    assert_eq!(world.contact("Rob")["email"], "rob@other.example");
    let snapshot = world.snapshot();
    assert!(snapshot.bindings.is_empty() && snapshot.intents.is_empty() && snapshot.conflicts.len() == 1);
}

/// The same for what the create did make: sent again, it leads to our own contact.
#[tokio::test]
async fn a_create_sent_again_leads_to_the_contact_it_made() {
    let world = World::without_search(Some(Spoiled { number: 1, spoil: Spoil::After, among_creates: true })).await;
    world.declare("  bob: {email: rob@other.example, title: Wrong}\n");
    world.apply().await;
    world.declare(BOB);
    world.settle_down().await;
    assert_eq!(world.contact("Bob")["email"], "bob@example.com");
    assert_eq!(world.server.contacts().len(), 1);
}
