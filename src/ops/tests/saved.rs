//! A saved plan goes on wherever it was left, and ends with each of its actions done once.

use super::super::Refusal;
use super::line::Spoil;
use super::world::World;
use crate::store::Moment;

const BEFORE: &str = "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CTO}\n  \
                      bob: {first_name: Bob, last_name: Quill, organization_name: Example}\n  \
                      cyd: {first_name: Cyd, last_name: Reed, email: cyd@example.com}\n  \
                      dee: {first_name: Dee, last_name: Wren, title: Clerk}\n";

/// One action of each kind: an update, a move with changes, a forget, a release, and creates that Apollo can and
/// cannot match.
const AFTER: &str = "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CEO, label_names: [Leads]}\n  \
                     rob: {first_name: Bob, last_name: Quill, organization_name: Example, title: Poet, moved_from: bob}\n  \
                     dee: {first_name: Dee, last_name: Wren}\n  \
                     eve: {first_name: Eve, last_name: Vale, email: eve@example.com, website_url: https://example.com}\n  \
                     fay: {first_name: Fay, last_name: Thorn, run_dedupe: false, label_names: [Board]}\n";

/// Applies the same file until it is spent, and compares.
async fn goes_on(world: &World, what: &str) {
    let mut refusal = None;
    for _ in 0..8 {
        if let Err(refused) = world.apply_saved().await {
            refusal = Some(refused);
            break;
        }
    }
    assert_eq!(refusal, Some(Refusal::Spent), "{what}");
    assert_eq!(world.server.contacts().len(), 6, "{what}");
    assert_eq!([&world.contact("Ada")["title"], &world.contact("Bob")["title"]], ["CEO", "Poet"], "{what}");
    assert_eq!(world.contact("Fay")["label_names"], serde_json::json!(["Board"]), "{what}");
    let state = world.snapshot();
    let keys: Vec<_> = state.bindings.keys().map(crate::model::ContactKey::as_str).collect();
    assert_eq!(keys, ["ada", "dee", "eve", "fay", "rob"], "{what}");
    assert!(state.intents.is_empty() && state.conflicts.is_empty(), "{what}: {state:#?}");
    assert!(world.apply().await.is_none(), "{what}: something is left to do");
}

async fn ready() -> World {
    let world = World::new(None).await;
    world.declare(BEFORE);
    world.settle_down().await;
    world.declare(AFTER);
    assert_eq!(world.save().planned.plan.actions.len(), 6);
    world
}

async fn every_commit_fails_in_turn(moment: Moment) {
    for number in 1.. {
        let world = ready().await;
        world.broken.at(number, moment);
        goes_on(&world, &format!("{moment:?} of commit {number}")).await;
        if !world.broken.has_struck() {
            assert!(number > 10, "{number} commits are too few to be all of them");
            return;
        }
    }
}

async fn every_request_fails_in_turn(spoil: Spoil) {
    for number in 1.. {
        let mut world = ready().await;
        world.spoil(number, spoil).await;
        goes_on(&world, &format!("{spoil:?} of request {number}")).await;
        if world.line.requests() < number {
            assert!(number > 5, "{number} requests are too few to be all of them");
            return;
        }
    }
}

#[tokio::test]
async fn any_commit_of_a_saved_plan_may_fail_before_it_reaches_the_disk() {
    every_commit_fails_in_turn(Moment::BeforeBatch).await;
}

#[tokio::test]
async fn any_commit_of_a_saved_plan_may_be_done_and_reported_as_failed() {
    every_commit_fails_in_turn(Moment::AfterHead).await;
}

#[tokio::test]
async fn any_request_of_a_saved_plan_may_be_lost_on_its_way() {
    every_request_fails_in_turn(Spoil::Before).await;
}

#[tokio::test]
async fn any_answer_to_a_saved_plan_may_be_lost() {
    every_request_fails_in_turn(Spoil::After).await;
}

#[tokio::test]
async fn the_marks_of_a_plan_are_dropped_when_another_is_applied() {
    let world = World::new(None).await;
    world.declare(BEFORE);
    world.save();
    world.apply_saved().await.unwrap();
    assert_eq!(world.progress().await.spent.len(), 4);
    world.declare(AFTER);
    let saved = world.save();
    world.apply_saved().await.unwrap();
    let progress = world.progress().await;
    assert_eq!(progress.plan.map(|row| row.digest).as_ref(), Some(saved.digest()));
    let keys: Vec<_> = progress.spent.keys().map(crate::model::ContactKey::as_str).collect();
    assert_eq!(keys, ["ada", "cyd", "dee", "eve", "fay", "rob"]);
    assert!(progress.spent.values().all(|digest| digest == saved.digest()));
    world.declare(BEFORE);
    world.apply().await.unwrap();
    assert_eq!(world.progress().await, crate::state::PlanProgress::default());
}

const ADA: &str = "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CTO}\n";
const BOB: &str = "  bob: {first_name: Bob, last_name: Stone, email: bob@example.com, title: Mason}\n";

fn differs_for(key: &str, in_doubt: bool) -> Refusal {
    Refusal::OtherNow { contacts: vec![crate::model::ContactKey::parse(key).unwrap()], in_doubt }
}

/// Another apply left a create in doubt, which moves no serial: the saved create would be the settling of that one.
#[tokio::test]
async fn a_plan_is_stale_once_another_apply_left_a_create_in_doubt() {
    for spoil in [Spoil::Before, Spoil::After] {
        let mut world = World::new(None).await;
        world.declare(ADA);
        world.settle_down().await;
        let approved = format!("{ADA}{BOB}");
        world.declare(&approved);
        world.save();
        world.declare(&approved.replace("bob@example.com", "rob@other.example"));
        world.spoil_create(1, spoil).await;
        world.apply().await;
        world.declare(&approved);
        let contacts = world.server.contacts();
        assert_eq!(world.apply_saved().await.unwrap_err(), differs_for("bob", true), "{spoil:?}");
        assert_eq!(world.server.contacts(), contacts, "{spoil:?}");
    }
}

/// The same with an update, which would be sent with a further field.
#[tokio::test]
async fn a_plan_is_stale_once_another_apply_left_an_update_in_doubt() {
    let mut world = World::new(None).await;
    let ada = |title: &str, address: &str| ADA.replace("CTO", &format!("{title}, present_raw_address: {address}"));
    world.declare(&ada("CTO", "Paris"));
    world.settle_down().await;
    world.declare(&ada("CEO", "Paris"));
    world.save();
    world.declare(&ada("CTO", "Rome"));
    // Sent more often than once, since an update may be.
    world.spoil(1, Spoil::Page).await;
    world.apply().await;
    world.declare(&ada("CEO", "Paris"));
    let contacts = world.server.contacts();
    assert_eq!(world.apply_saved().await.unwrap_err(), differs_for("ada", true));
    assert_eq!(world.server.contacts(), contacts);
}

/// A backup was put back and came to the serial of the plan by another way.
#[tokio::test]
async fn a_plan_is_stale_in_a_state_that_came_to_its_serial_otherwise() {
    let world = World::new(None).await;
    let ada = |title: &str, address: &str| ADA.replace("CTO", &format!("{title}, present_raw_address: {address}"));
    world.declare(&ada("CTO", "Paris"));
    world.settle_down().await;
    let backup = world.back_up();
    world.declare(&ada("CEO", "Paris"));
    world.settle_down().await;
    world.declare(&ada("CFO", "Paris"));
    let planned = world.save().planned.plan.serial;
    world.put_back(&backup);
    world.declare(&ada("CTO", "Rome"));
    world.settle_down().await;
    assert_eq!(world.snapshot().serial, planned);
    world.declare(&ada("CFO", "Paris"));
    assert_eq!(world.apply_saved().await.unwrap_err(), differs_for("ada", false));
    assert_eq!(world.contact("Ada")["title"], "CEO", "nothing was sent");
}
