//! Credentials that change while a service runs, and one that Apollo refuses.

use std::time::Duration;

use super::world::World;
use crate::ops::watch::{Command, Outcome};

async fn with_key(key: &str) -> World {
    let key = key.to_owned();
    World::with(|options| options.api_keys = vec![key]).await
}

fn set_key(world: &World, key: &str) {
    *world.key.lock().unwrap() = Ok(key.to_owned());
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_keeps_the_service_waiting_and_a_new_one_is_taken_soon() {
    let world = with_key("right").await;
    world.declare_people("a.yaml", 0..2);
    let service = world.start().await;
    let status = service.pass().await;
    assert_eq!(status.last_pass.as_ref().map(|pass| pass.outcome), Some(Outcome::Troubled));
    assert!(!status.ready && status.failing.is_empty());
    service.rest(Duration::from_hours(1)).await;
    let requests = world.server.requests().requests(crate::sandbox::Action::Create);
    assert!(requests < 25, "it asks less and less often: {requests}");
    set_key(&world, "right");
    let before = service.board.read().passes;
    let status = service.rest(Duration::from_secs(15)).await;
    assert!(status.ready && status.trouble.is_none() && status.passes > before, "{status:#?}");
    assert_eq!(world.contacts().len(), 2);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_credential_that_apollo_refuses_is_turned_down_and_the_old_one_kept() {
    let world = with_key("key").await;
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    service.pass().await;
    set_key(&world, "wrong");
    service.commands.send(Command::Reload(Box::new(world.settings()))).unwrap();
    service.until(|_| world.told("NewCredentialTurnedDown") == 1).await;
    world.declare_people("b.yaml", 1..2);
    let status = service.changed().await;
    assert_eq!(world.contacts().len(), 2, "the old one works on");
    assert!(status.ready && status.trouble.is_none());
    assert_eq!(world.told("NewCredentialTurnedDown"), 1, "it is not tried at every pass");
    *world.key.lock().unwrap() = Err("the file is gone".to_owned());
    world.declare_people("c.yaml", 2..3);
    service.changed().await;
    assert_eq!((world.contacts().len(), world.told("CredentialUnreadable")), (3, 1));
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_did_not_prove_good_at_the_start_is_proven_again_later() {
    let world = with_key("key").await;
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    service.pass().await;
    service.end().await;
    set_key(&world, "wrong");
    world.declare_people("b.yaml", 1..2);
    let service = world.start().await;
    let status = service.rest(Duration::from_hours(1)).await;
    let asked = world.server.requests().requests(crate::sandbox::Action::Profile);
    assert!(!status.ready && (5..25).contains(&asked), "{asked}");
    set_key(&world, "key");
    let status = service.rest(Duration::from_secs(15)).await;
    assert_eq!((status.ready, world.contacts().len()), (true, 2));
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_credential_that_no_request_can_carry_is_turned_down_as_well() {
    let world = with_key("key").await;
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    service.pass().await;
    set_key(&world, "two\nlines");
    service.commands.send(Command::Reload(Box::new(world.settings()))).unwrap();
    service.until(|_| world.told("NewCredentialTurnedDown") == 1).await;
    world.declare_people("b.yaml", 1..2);
    let status = service.changed().await;
    assert!(status.ready && status.trouble.is_none());
    assert_eq!(world.contacts().len(), 2, "the old one works on");
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_stays_a_trouble_when_nothing_is_to_be_sent() {
    let world = with_key("right").await;
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    assert!(!service.pass().await.ready);
    world.declare("a.yaml", "  {}\n");
    let status = service.changed().await;
    assert_eq!(status.last_pass.as_ref().unwrap().outcome, Outcome::InStep);
    assert!(!status.ready && status.trouble.is_some(), "{status:#?}");
    service.end().await;
}
