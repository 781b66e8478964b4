//! The directory of the state is removed or replaced while the service runs.

use std::fs;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::world::{World, holder};
use crate::model::Timestamp;
use crate::ops::ProblemKind;
use crate::ops::watch::{AskError, Board, Command, Place, Request, Status, ask};
use crate::serve::Routes;
use crate::state;
use crate::store::{self, Seat, Seating};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const PATIENCE: Duration = Duration::from_secs(10);

fn answering(world: &World) -> (Place, UnboundedReceiver<Command>) {
    let mut place = Place::take(world.place()).unwrap();
    let (commands, receiver) = unbounded_channel();
    place.answer(Routes::default(), Board::new(world.dir(), NOW), commands);
    (place, receiver)
}

async fn status(world: &World) -> Result<Status, AskError> {
    ask(&world.state().into(), &Request::Status, PATIENCE).await
}

#[tokio::test]
async fn a_place_that_was_removed_is_taken_again_and_answers() {
    let world = World::new().await;
    let (place, mut commands) = answering(&world);
    status(&world).await.unwrap();
    for _ in 0..3 {
        fs::remove_dir_all(world.state()).unwrap();
        // Sent once the seat is taken again.
        assert!(matches!(commands.recv().await, Some(Command::Displaced)));
        let told = status(&world).await.unwrap();
        assert_eq!(told.passes, 0);
        assert!(matches!(Seat::take(&world.state().into(), &holder()), Err(state::Error::Locked { .. })));
    }
    assert_eq!(world.told("PlaceRetaken"), 3);
    place.close().await;
    assert_eq!(store::seating(&world.state().into()).unwrap(), Seating::Free);
    assert!(matches!(status(&world).await, Err(AskError::NoService)));
}

#[tokio::test]
async fn a_socket_that_was_removed_is_made_again() {
    let world = World::new().await;
    let (_place, _commands) = answering(&world);
    for _ in 0..3 {
        fs::remove_file(world.state().join("watch.sock")).unwrap();
        // Waited for, since the seat tells that the service is there.
        status(&world).await.unwrap();
    }
}

#[tokio::test]
async fn a_pause_stays_one_when_the_place_is_taken_again() {
    let world = World::new().await;
    let place = Place::take(world.place()).unwrap();
    let since = place.pause(NOW).unwrap();
    fs::remove_dir_all(world.state()).unwrap();
    assert!(place.hold().unwrap());
    assert_eq!(store::paused(&world.state().into()).unwrap(), Some(since));
    fs::remove_dir_all(world.state()).unwrap();
    place.resume().unwrap();
    assert_eq!((store::paused(&world.state().into()).unwrap(), place.paused()), (None, None));
    assert!(!place.hold().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_place_another_one_has_taken_says_so_and_makes_no_pass() {
    let world = World::new().await;
    world.declare_people("a.yaml", 0..1);
    let service = world.start().await;
    service.pass().await;
    fs::remove_dir_all(world.state()).unwrap();
    let other = Seat::take(&world.state().into(), &holder()).unwrap();
    world.declare_people("b.yaml", 1..2);
    service.commands.send(Command::Displaced).unwrap();
    let status = service.pass().await;
    let trouble = status.trouble.as_ref().map(|trouble| &trouble.error);
    assert!(matches!(trouble, Some(ProblemKind::PlaceLost(_))), "{trouble:?}");
    assert_eq!(world.contacts().len(), 1);
    drop(other);
    service.until(|status| status.trouble.is_none()).await;
    assert_eq!(world.contacts().len(), 2);
    service.end().await;
}

#[tokio::test]
async fn a_service_that_cannot_listen_says_so_and_goes_on_trying() {
    let world = World::new().await;
    let mut place = Place::take(world.place()).unwrap();
    let socket = world.state().join("watch.sock");
    fs::write(&socket, "in the way").unwrap();
    let (commands, _receiver) = unbounded_channel();
    place.answer(Routes::default(), Board::new(world.dir(), NOW), commands);
    assert_eq!(world.told("CannotBeAsked"), 1);
    match status(&world).await {
        Err(AskError::Unheard { holder: Some(named) }) => assert_eq!(*named, holder()),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.told("CannotBeAsked"), 1, "said once");
    fs::remove_file(socket).unwrap();
    status(&world).await.unwrap();
    assert_eq!(world.told("CanBeAsked"), 1);
}
