//! When passes are made, and what they leave for later.

use std::time::Duration;

use super::world::World;
use crate::ops::watch::{Outcome, Phase};
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
