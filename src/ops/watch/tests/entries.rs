//! Entries that fail, and entries that go.

use std::time::Duration;

use super::world::World;
use crate::ops::ProblemKind;
use crate::plan::{BrakeKind, Dispute};
use crate::state::Wanted;
use crate::store::read;

fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

fn bound(world: &World) -> Vec<String> {
    let state = read(&world.state().into(), &Wanted::everything()).unwrap().unwrap();
    state.bindings.keys().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failing_entry_is_tried_ever_less_often_and_holds_up_no_other() {
    let world = World::new().await;
    world.declare("a.yaml", "  gone: {apollo_id: 000000000000000000000001}\n  p0: {email: p0@example.com}\n");
    let service = world.start().await;
    let mut status = service.pass().await;
    assert_eq!(world.contacts().len(), 1, "the other entry is applied");
    for attempt in 1..=12 {
        let [failing] = &status.failing[..] else { panic!("one entry fails: {status:#?}") };
        assert_eq!((failing.key.as_str(), failing.attempts), ("gone", attempt));
        let pause = failing.next_try.unwrap().since(status.last_pass.as_ref().unwrap().ended);
        let ceiling = Duration::from_secs(1 << (attempt - 1).min(9)).min(minutes(5));
        assert!(pause + Duration::from_millis(1) >= ceiling / 2 && pause <= ceiling, "{attempt}: {pause:?}");
        status = service.until(move |status| status.failing.iter().any(|failing| failing.attempts > attempt)).await;
    }
    assert!(status.ready && status.trouble.is_none());
    // An edit is tried at once, and begins again.
    world.declare("a.yaml", "  gone: {apollo_id: 000000000000000000000002}\n  p0: {email: p0@example.com}\n");
    let status = service.changed().await;
    assert_eq!(status.failing[0].attempts, 1);
    world.declare("a.yaml", "  gone: {email: here@example.com}\n  p0: {email: p0@example.com}\n");
    let status = service.changed().await;
    assert!(status.failing.is_empty());
    assert_eq!(world.contacts().len(), 2);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_needs_a_person_is_said_once_and_not_tried() {
    let world = World::new().await;
    world.declare("a.yaml", "  p0: {email: p0@example.com}\n");
    let service = world.start().await;
    service.pass().await;
    world.declare("a.yaml", "  p0: {email: p0@example.com, apollo_id: 000000000000000000000001}\n");
    let status = service.changed().await;
    assert_eq!(status.failing[0].next_try, None);
    service.rest(minutes(60)).await;
    assert_eq!(world.told("Problem(Problem { kind: Contradiction"), 1);
    world.declare("a.yaml", "  p0: {email: p0@example.com, title: CTO}\n");
    assert!(service.changed().await.failing.is_empty());
    assert_eq!(world.contacts()[0]["title"], "CTO");
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_is_forgotten_after_its_time_and_a_create_of_the_same_person_waits_for_that() {
    let world = World::new().await;
    world.declare_people("b.yaml", 0..5);
    world.declare("a.yaml", "  ada: {email: ada@example.com}\n");
    let service = world.start().await;
    service.pass().await;
    // The same mailbox to Apollo, another e-mail to a rename.
    world.declare("a.yaml", "  byron: {email: ada+new@example.com}\n");
    let status = service.changed().await;
    let waiting: Vec<_> = status.waiting.iter().map(|waiting| waiting.key.as_str()).collect();
    assert_eq!((waiting, status.pending, world.contacts().len()), (vec!["ada"], 2, 6));
    let status = service.rest(Duration::from_secs(50)).await;
    assert_eq!((status.waiting.len(), world.server.requests().requests(crate::sandbox::Action::Create)), (1, 6));
    // Whom Apollo takes it for is for a person to decide; that the two keys collide is not.
    let status = service.until(|status| !status.failing.is_empty()).await;
    assert!(
        status.waiting.is_empty()
            && matches!(status.failing[0].error, ProblemKind::Undecided(Dispute::Namesakes { .. }))
    );
    service.rest(minutes(10)).await;
    assert_eq!(world.server.requests().requests(crate::sandbox::Action::Create), 6, "nothing was sent");
    assert_eq!(world.told("Problem(Problem { kind: Undecided"), 1);
    service.end().await;
    assert_eq!(bound(&world), ["p0", "p1", "p2", "p3", "p4"]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_or_vanished_directory_forgets_nobody_whatever_was_allowed() {
    let mut world = World::new().await;
    world.policy.force = true;
    world.declare_people("a.yaml", 0..3);
    let service = world.start().await;
    service.pass().await;
    std::fs::remove_file(world.dir().join("a.yaml")).unwrap();
    let status = service.changed().await;
    assert_eq!((status.waiting.len(), status.waiting[0].forget_at), (3, None));
    assert_eq!(service.rest(minutes(60)).await.waiting.len(), 3);
    assert_eq!(world.told("NoFiles"), 1);
    std::fs::remove_dir(world.dir()).unwrap();
    service.changed().await;
    service.rest(minutes(60)).await;
    service.end().await;
    assert_eq!(bound(&world).len(), 3);
}

/// Each of them alone was few; together they are most of the directory.
#[tokio::test(start_paused = true)]
async fn files_that_go_one_by_one_are_measured_together() {
    let world = World::new().await;
    for number in 0..10 {
        world.declare_people(&format!("{number}.yaml"), number..number + 1);
    }
    let service = world.start().await;
    service.pass().await;
    for number in 0..7 {
        std::fs::remove_file(world.dir().join(format!("{number}.yaml"))).unwrap();
        service.changed().await;
        service.rest(Duration::from_secs(20)).await;
    }
    let status = service.rest(minutes(10)).await;
    let braked = status.braked.as_ref().expect("the fourth is one too many");
    let [ProblemKind::Braked { brake, gone: 3 }] = &braked.reasons[..] else { panic!("{braked:?}") };
    assert_eq!((brake.kind, brake.count), (BrakeKind::ForgetsMany, 7));
    let digest = braked.digest.clone();
    let answer = service.command(|reply| crate::ops::watch::Command::Approve { digest, reply }).await;
    assert!(matches!(answer, Ok(crate::ops::watch::ApproveAnswer::Approved { .. })), "{answer:?}");
    service.end().await;
}

fn emails(world: &World) -> Vec<String> {
    let contacts = world.contacts();
    let mut emails: Vec<String> =
        contacts.iter().map(|contact| contact["email"].as_str().unwrap().to_owned()).collect();
    emails.sort();
    emails
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_being_written_is_neither_applied_nor_gone() {
    let world = World::new().await;
    world.declare("a.yaml", "  p0: {email: p0@example.com}\n");
    world.declare("b.yaml", "  p1: {email: p1@example.com}\n");
    let service = world.start().await;
    service.pass().await;
    service.writes(world.dir().join("a.yaml"));
    world.declare("a.yaml", "  p9: {email: p9@example.co}\n");
    world.declare("b.yaml", "  p1: {email: p1@example.com}\n  p2: {email: p2@example.com}\n");
    let status = service.changed().await;
    assert_eq!(emails(&world), ["p0@example.com", "p1@example.com", "p2@example.com"], "other files are applied");
    assert!(status.waiting.is_empty(), "{status:#?}");
    assert_eq!(world.told("Absent"), 0);
    world.declare("a.yaml", "  p0: {email: p0@example.com}\n  p9: {email: p9@example.com}\n");
    service.closes(world.dir().join("a.yaml"));
    let status = service.changed().await;
    assert_eq!(emails(&world).last().unwrap(), "p9@example.com");
    assert_eq!((status.declared, bound(world_at_rest(service, &world).await).len()), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_gone_is_not_forgotten_while_a_file_is_being_written() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..3);
    world.declare("b.yaml", "  q: {email: q@example.com}\n");
    let service = world.start().await;
    service.pass().await;
    world.declare_people("a.yaml", 0..2);
    service.changed().await;
    service.rest(Duration::from_secs(50)).await;
    service.writes(world.dir().join("b.yaml"));
    let status = service.rest(Duration::from_secs(20)).await;
    assert_eq!(status.waiting.len(), 1, "it is due, and the file may hold it: {status:#?}");
    let status = service.rest(minutes(2)).await;
    assert!(status.waiting.is_empty(), "a minute was enough: {status:#?}");
    assert_eq!(bound(world_at_rest(service, &world).await).len(), 3);
}

/// Ends a service, so that its state can be read.
async fn world_at_rest(service: super::world::Running, world: &World) -> &World {
    service.end().await;
    world
}
