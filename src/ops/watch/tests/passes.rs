//! When passes are made, and what they leave for later.

use std::time::Duration;

use super::world::World;
use crate::ops::watch::{ApproveAnswer, Command, Outcome, Phase};
use crate::sandbox::Quota;

fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

async fn with_three_a_minute() -> World {
    World::with(|options| options.quota = Quota { minute: Some(3), ..Quota::default() }).await
}

#[tokio::test(start_paused = true)]
async fn a_pass_follows_a_change_and_the_clock() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..2);
    let service = world.start().await;
    let status = service.pass().await;
    assert_eq!(world.contacts().len(), 2);
    assert!(status.ready);
    assert_eq!(status.last_pass.as_ref().map(|pass| (pass.outcome, pass.done)), Some((Outcome::Applied, 2)));
    assert_eq!((status.declared, status.pending, status.phase), (2, 0, Phase::Resting));
    // Changed without a word: the clock finds it.
    world.declare_people("b.yaml", 2..3);
    let status = service.rest(minutes(4)).await;
    assert_eq!((status.passes, world.contacts().len()), (1, 2));
    let status = service.pass().await;
    assert_eq!((status.passes, world.contacts().len()), (2, 3));
    world.declare_people("c.yaml", 3..4);
    service.changed().await;
    assert_eq!(world.contacts().len(), 4);
    let summary = service.end().await;
    assert_eq!((summary.passes, summary.total.added), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn a_pass_rests_while_quota_is_used_up_and_goes_on_when_it_opens() {
    let world = with_three_a_minute().await;
    world.declare_people("a.yaml", 0..8);
    let service = world.start().await;
    let status = service.pass().await;
    assert_eq!(status.last_pass.as_ref().map(|pass| pass.outcome), Some(Outcome::WaitsForQuota));
    assert_eq!((world.contacts().len(), status.pending), (3, 5));
    let create = status.quota[&crate::model::Endpoint::CreateContact];
    assert_eq!((create[0].limit, create[0].left), (Some(3), Some(0)));
    assert!(create[0].resets_at > Some(status.started_at));
    assert_eq!(service.until(|status| status.pending == 0).await.passes, 3);
    assert_eq!(world.contacts().len(), 8);
    service.end().await;
}

/// The nightmare of everyone who generates files: a mistake of thousands, seen and taken back at once.
#[tokio::test(start_paused = true)]
async fn a_mistake_that_is_taken_back_during_a_wait_for_quota_stops_at_once() {
    let world = with_three_a_minute().await;
    world.declare_people("good.yaml", 0..1);
    let service = world.start().await;
    service.pass().await;
    world.declare_people("mistake.yaml", 100..900);
    let status = service.changed().await;
    assert_eq!(status.last_pass.as_ref().map(|pass| pass.outcome), Some(Outcome::WaitsForQuota));
    assert_eq!(world.contacts().len(), 3);
    std::fs::remove_file(world.dir().join("mistake.yaml")).unwrap();
    service.changed().await;
    let status = service.rest(minutes(60)).await;
    assert_eq!(world.contacts().len(), 3, "nothing of the mistake was sent after it was taken back");
    assert_eq!((status.pending, status.waiting.len()), (0, 0));
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_kind_of_request_without_quota_holds_up_no_other() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..2);
    let service = world.start().await;
    service.pass().await;
    service.end().await;
    // From now on the account knows of no more than two creates an hour.
    let mut settings = world.settings();
    settings.session.rules.limits = "2/h".parse().unwrap();
    let service = world.start().await;
    service.commands.send(crate::ops::watch::Command::Reload(Box::new(settings))).unwrap();
    service.until(|status| status.passes > 1).await;
    world.declare("a.yaml", "  p0: {email: p0@example.com, title: CTO}\n  p1: {email: p1@example.com}\n");
    world.declare_people("b.yaml", 2..4);
    service.changed().await;
    let titles: Vec<_> = world.contacts().iter().map(|contact| contact["title"].clone()).collect();
    assert_eq!(titles[0], "CTO", "the update did not wait for the creates");
    assert_eq!(titles.len(), 2);
    service.until(|status| status.pending == 0).await;
    assert_eq!(world.contacts().len(), 4);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn broken_files_change_nothing_and_the_last_good_stands() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..2);
    let service = world.start().await;
    service.pass().await;
    std::fs::write(world.dir().join("b.yaml"), "contacts: [").unwrap();
    world.declare_people("a.yaml", 0..1);
    let status = service.changed().await;
    assert_eq!(status.last_pass.as_ref().map(|pass| pass.outcome), Some(Outcome::Refused));
    assert!(status.ready, "it was good once, and nothing is wrong with the service");
    let status = service.rest(minutes(60)).await;
    assert!(status.waiting.is_empty() && status.last_good_pass < Some(status.last_pass.as_ref().unwrap().began));
    std::fs::remove_file(world.dir().join("b.yaml")).unwrap();
    let status = service.changed().await;
    assert_eq!(status.waiting.len(), 1);
    service.end().await;
}

/// Has a service of which one entry fails at once, however often it is tried.
async fn with_a_failing_entry(world: &World) -> super::world::Running {
    world.declare("a.yaml", "  gone: {apollo_id: 000000000000000000000001}\n  p0: {email: p0@example.com}\n");
    let service = world.start().await;
    assert_eq!(service.pass().await.failing.len(), 1);
    service
}

/// Every such pass found that the time to try the entry had come, and called for the next at once.
#[tokio::test(start_paused = true)]
async fn a_pass_that_cannot_try_what_fails_calls_for_no_other_at_once() {
    let mut world = World::new().await;
    world.policy.max_creates = Some(crate::plan::Limit::Count(1));
    let service = with_a_failing_entry(&world).await;
    std::fs::write(world.dir().join("b.yaml"), "contacts: [").unwrap();
    let refused = service.changed().await.passes;
    let status = service.rest(minutes(1)).await;
    assert_eq!((status.last_pass.as_ref().unwrap().outcome, status.passes - refused), (Outcome::Refused, 0));
    world.declare_people("b.yaml", 1..4);
    let braked = service.changed().await.passes;
    let status = service.rest(minutes(1)).await;
    assert_eq!((status.last_pass.as_ref().unwrap().outcome, status.passes - braked), (Outcome::Braked, 0));
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_opened_is_asked_for_ever_less_often_and_a_signal_is_heard() {
    let world = World::new().await;
    let service = with_a_failing_entry(&world).await;
    service.command(|reply| Command::Pause { reply }).await.unwrap();
    std::fs::remove_file(world.state().join("head")).unwrap();
    service.command(|reply| Command::Resume { reply }).await.unwrap();
    let before = service.board.read().passes;
    let status = service.rest(minutes(10)).await;
    assert_eq!(status.last_pass.as_ref().unwrap().outcome, Outcome::Troubled);
    assert!((4..=10).contains(&(status.passes - before)), "{}", status.passes - before);
    service.end().await;
}

/// Only the first pass that wrote let go of the state before it had to be closed.
#[tokio::test(start_paused = true)]
async fn a_state_that_takes_no_more_writes_ends_no_service() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    service.pass().await;
    let moved = world.state().with_extension("moved");
    std::fs::rename(world.state(), &moved).unwrap();
    world.declare_people("b.yaml", 1..2);
    let status = service.changed().await;
    assert_eq!(status.last_pass.as_ref().unwrap().outcome, Outcome::Troubled);
    assert!(!status.ready);
    assert_eq!(world.contacts().len(), 1, "nothing is sent that could not be recorded");
    assert!(world.told("was moved, removed or replaced") > 0);
    std::fs::remove_dir_all(world.state()).ok();
    std::fs::rename(&moved, world.state()).unwrap();
    let status = service.rest(minutes(10)).await;
    assert!(status.ready, "{status:#?}");
    assert_eq!(world.contacts().len(), 2);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn no_pass_is_made_while_git_is_at_work_whatever_calls_for_it() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    service.pass().await;
    let git = world.dir().parent().unwrap().join(".git");
    std::fs::create_dir(&git).unwrap();
    std::fs::write(git.join("index.lock"), "").unwrap();
    // Half of what git is about to write; the clock calls for a pass.
    world.declare_people("b.yaml", 1..2);
    let status = service.rest(minutes(5) + Duration::from_secs(20)).await;
    assert_eq!((status.passes, world.contacts().len()), (1, 1));
    service.commands.send(Command::Reload(Box::new(world.settings()))).unwrap();
    let status = service.rest(Duration::from_secs(1)).await;
    assert_eq!((status.passes, world.contacts().len()), (1, 1));
    std::fs::remove_file(git.join("index.lock")).unwrap();
    let status = service.pass().await;
    assert_eq!((status.passes, world.contacts().len()), (2, 2));
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_what_is_to_be_done_and_what_passes_limits() {
    let mut world = World::new().await;
    (world.dry_run, world.policy.max_creates) = (true, Some(crate::plan::Limit::Count(2)));
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    let status = service.pass().await;
    assert_eq!((status.last_pass.as_ref().unwrap().outcome, status.pending), (Outcome::OnlyPlanned, 1));
    world.declare_people("b.yaml", 1..4);
    let status = service.changed().await;
    assert_eq!(status.last_pass.as_ref().unwrap().outcome, Outcome::Braked);
    assert!(status.only_plans, "nobody is to be told to approve it");
    let digest = status.braked.as_ref().unwrap().digest.clone();
    let answer = service.command(|reply| Command::Approve { digest, reply }).await;
    assert_eq!(answer, Ok(ApproveAnswer::DryRun));
    service.end().await;
    assert!(world.contacts().is_empty());
}
