//! What people tell a service: to pause, to resume, to let a plan through.

use std::time::Duration;

use super::world::{World, holder};
use crate::model::Digest;
use crate::ops::ProblemKind;
use crate::ops::watch::{ApproveAnswer, Command, Outcome, PauseAnswer, Phase, ResumeAnswer};
use crate::plan::{Brake, BrakeKind, Limit};
use crate::sandbox::Quota;
use crate::state::{self, Wanted};
use crate::store::{self, read};

/// More than five contacts would be created.
fn five() -> Brake {
    Brake { kind: BrakeKind::MaxCreates, count: 8, limit: 5 }
}

#[tokio::test(start_paused = true)]
async fn a_pause_releases_the_state_and_outlives_the_service() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..2);
    let service = world.start().await;
    service.pass().await;
    assert!(matches!(read(&world.state().into(), &Wanted::everything()), Err(state::Error::Locked { .. })));
    let Ok(PauseAnswer::Paused { since }) = service.command(|reply| Command::Pause { reply }).await else { panic!() };
    let again = service.command(|reply| Command::Pause { reply }).await;
    assert_eq!(again, Ok(PauseAnswer::AlreadyPaused { since }));
    read(&world.state().into(), &Wanted::everything()).expect("another process can have the state").unwrap();
    world.declare_people("b.yaml", 2..4);
    let status = service.rest(Duration::from_hours(1)).await;
    assert_eq!((status.phase, status.paused_since, status.passes), (Phase::Paused, Some(since), 1));
    let approval = service.command(|reply| Command::Approve { digest: Digest(String::new()), reply }).await;
    assert_eq!(approval, Ok(ApproveAnswer::Paused { since }));
    service.end().await;
    let service = world.start().await;
    assert_eq!(service.rest(Duration::from_hours(1)).await.paused_since, Some(since));
    assert_eq!(world.contacts().len(), 2);
    assert_eq!(service.command(|reply| Command::Resume { reply }).await, Ok(ResumeAnswer::Resumed));
    service.pass().await;
    assert_eq!(world.contacts().len(), 4);
    assert_eq!(service.command(|reply| Command::Resume { reply }).await, Ok(ResumeAnswer::NotPaused));
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_resumed_waits_for_whoever_has_the_state() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    service.pass().await;
    service.command(|reply| Command::Pause { reply }).await.unwrap();
    let drawn = world.settings().session.drawn;
    let options = store::Options {
        location: world.state().into(),
        origin: "sandbox".to_owned(),
        own_dir: None,
        holder: holder(),
        progress: store::Progress::default(),
    };
    let other = store::Store::open(&options, drawn).unwrap();
    world.declare_people("b.yaml", 1..2);
    service.command(|reply| Command::Resume { reply }).await.unwrap();
    let status = service.pass().await;
    assert_eq!(status.last_pass.as_ref().map(|pass| pass.outcome), Some(Outcome::Troubled));
    service.rest(Duration::from_secs(30)).await;
    assert_eq!((world.contacts().len(), world.told("WaitsForState")), (1, 1));
    other.close().await.unwrap();
    let status = service.until(|status| status.trouble.is_none()).await;
    assert_eq!((world.contacts().len(), status.ready), (2, true));
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn exactly_the_plan_that_was_approved_is_let_through() {
    let mut world = World::with(|options| options.quota = Quota { minute: Some(3), ..Quota::default() }).await;
    world.policy.max_creates = Some(Limit::Count(5));
    world.declare_people("a.yaml", 0..8);
    let service = world.start().await;
    let status = service.pass().await;
    let braked = status.braked.clone().expect("eight are more than five");
    assert_eq!((braked.counts.add, world.contacts().len(), status.ready), (8, 0, false));
    assert_eq!(braked.reasons, [ProblemKind::Braked { brake: five(), gone: 0 }]);
    let approve = |digest: &Digest| {
        let digest = digest.clone();
        service.command(move |reply| Command::Approve { digest, reply })
    };
    let other = Digest("0".repeat(32));
    assert_eq!(approve(&other).await, Ok(ApproveAnswer::MovedOn { now: braked.digest.clone() }));
    world.declare_people("a.yaml", 0..9);
    let Ok(ApproveAnswer::MovedOn { now }) = approve(&braked.digest).await else { panic!("the plan has moved on") };
    assert_eq!(world.contacts().len(), 0);
    let Ok(ApproveAnswer::Approved { counts }) = approve(&now).await else { panic!("that is the plan now") };
    assert_eq!(counts.add, 9);
    // Many passes, as quota allows; still the same approval, and no other.
    let status = service.until(|status| status.pending == 0).await;
    assert_eq!((world.contacts().len(), status.braked.is_none()), (9, true));
    assert_eq!(approve(&now).await, Ok(ApproveAnswer::NothingBraked));
    // A pass answers before it is over.
    service.until(|status| status.phase == Phase::Resting).await;
    world.declare_people("b.yaml", 20..28);
    assert!(service.changed().await.braked.is_some());
    assert_eq!(world.contacts().len(), 9);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_added_to_an_approved_plan_is_not_approved() {
    let mut world = World::with(|options| options.quota = Quota { minute: Some(3), ..Quota::default() }).await;
    world.policy.max_creates = Some(Limit::Count(5));
    world.declare_people("a.yaml", 0..8);
    let service = world.start().await;
    let digest = service.pass().await.braked.clone().unwrap().digest;
    service.command(|reply| Command::Approve { digest, reply }).await.unwrap();
    service.pass().await;
    assert_eq!(world.contacts().len(), 3);
    world.declare_people("b.yaml", 20..28);
    let status = service.changed().await;
    let braked = status.braked.clone().expect("the eight that came are more than five");
    assert_eq!(braked.reasons, [ProblemKind::Braked { brake: five(), gone: 0 }]);
    let later = service.rest(Duration::from_mins(30)).await;
    assert!(later.passes > status.passes && later.braked == status.braked, "it waits for a person");
    assert_eq!(world.contacts().len(), 3);
    service.end().await;
}
