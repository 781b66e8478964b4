//! The place of a service beside its state: the seat, and the socket at which it answers.
//!
//! Somebody may remove or replace the directory of the state while the service runs. The place is then taken again,
//! so that the service can be asked, no second one begins, and a pause stays one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use super::board::Board;
use super::control::{self, Command};
use crate::model::Timestamp;
use crate::ops::{Event, Notice, PassEvent, ProblemKind, chain};
use crate::serve::{self, Role, Routes, Socket};
use crate::state::{self, Holder, Location};
use crate::store::{self, Seat};

/// How often the place is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Whose place it is, and where.
#[derive(Clone)]
pub struct PlaceOptions {
    pub state: Location,
    /// The directory for a socket whose path would be too long.
    pub runtime: PathBuf,
    pub holder: Holder,
    /// Called before a directory that was removed is made again.
    pub prepare: Arc<dyn Fn() + Send + Sync>,
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
}

/// The place of the one service of a state. Given up when dropped.
pub struct Place {
    shared: Arc<Shared>,
    /// Looks at the place now and then, as long as the service answers.
    keeper: Option<JoinHandle<()>>,
}

struct Shared {
    options: PlaceOptions,
    held: Mutex<Held>,
}

struct Held {
    seat: Seat,
    paused: Option<Timestamp>,
    answering: Option<Answering>,
    /// Why the place could not be held when it was last looked at; said once.
    obstacle: Option<String>,
}

/// Who answers, and to whom it passes on what it is told.
struct Answering {
    routes: Routes,
    commands: UnboundedSender<Command>,
    /// `None` as long as it cannot be listened.
    service: Option<serve::Service>,
}

/// What a look at the place has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    AsItWas,
    /// Somebody removed or replaced the directory, and the place was taken again.
    Retaken,
    /// The socket alone was gone.
    SocketMade,
}

impl Place {
    /// Takes the place; an error names the service that has it.
    pub fn take(options: PlaceOptions) -> Result<Self, state::Error> {
        let seat = Seat::take(&options.state, &options.holder)?;
        let paused = store::paused(&options.state)?;
        let held = Mutex::new(Held { seat, paused, answering: None, obstacle: None });
        Ok(Self { shared: Arc::new(Shared { options, held }), keeper: None })
    }

    /// Begins to answer `pause`, `resume`, `approve` and `status`, and `pages` for everybody of the same user. A service
    /// that cannot says so, and tries on.
    ///
    /// Must be called within a tokio runtime.
    pub fn answer(&mut self, pages: Routes, board: Board, commands: UnboundedSender<Command>) {
        let routes = control::routes(pages, board, &commands);
        let shared = Arc::clone(&self.shared);
        shared.held().answering = Some(Answering { routes, commands, service: None });
        shared.look();
        self.keeper = Some(tokio::spawn(async move {
            let mut looks = tokio::time::interval(LOOK);
            loop {
                looks.tick().await;
                shared.look();
            }
        }));
    }

    /// Tells since when a person has paused the service.
    pub(super) fn paused(&self) -> Option<Timestamp> {
        self.shared.held().paused
    }

    /// Marks the service as paused; durable when it returns.
    pub(super) fn pause(&self, since: Timestamp) -> Result<Timestamp, state::Error> {
        let mut held = self.shared.held();
        self.shared.hold(&mut held)?;
        let since = held.seat.pause(since)?;
        held.paused = Some(since);
        Ok(since)
    }

    /// Takes the mark of a pause away; durable when it returns.
    pub(super) fn resume(&self) -> Result<(), state::Error> {
        let mut held = self.shared.held();
        self.shared.hold(&mut held)?;
        held.seat.resume()?;
        held.paused = None;
        Ok(())
    }

    /// Makes sure that the place is held, so that no other service is at work on the state; reports whether it had
    /// to be taken again, and what was opened there is gone.
    pub(super) fn hold(&self) -> Result<bool, state::Error> {
        Ok(self.shared.hold(&mut self.shared.held())? == Found::Retaken)
    }

    /// Gives the place up.
    pub(super) async fn close(mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.abort();
            // Ends by the abort alone.
            let _ = keeper.await;
        }
        let answering = self.shared.held().answering.take();
        if let Some(service) = answering.and_then(|answering| answering.service) {
            service.close().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to the place, and says what became of it.
    fn look(&self) {
        let mut held = self.held();
        let found = self.hold(&mut held).map_err(|error| chain(&error));
        let listened = found.and_then(|found| Ok((found, self.listen(&mut held)?)));
        match listened {
            Ok((Found::AsItWas, Found::AsItWas)) => {}
            Ok((found, _)) => {
                if found == Found::Retaken {
                    self.say(Notice::PlaceRetaken);
                } else if held.obstacle.is_some() {
                    self.say(Notice::CanBeAsked);
                }
                held.obstacle = None;
            }
            Err(why) if held.obstacle.as_ref() != Some(&why) => {
                held.obstacle = Some(why.clone());
                (self.options.events)(Event::Problem(ProblemKind::CannotBeAsked(why).into()));
            }
            Err(_) => {}
        }
    }

    /// Takes the seat again where it is not the one that was taken.
    fn hold(&self, held: &mut Held) -> Result<Found, state::Error> {
        if held.seat.is_in_place() {
            return Ok(Found::AsItWas);
        }
        (self.options.prepare)();
        let seat = Seat::take(&self.options.state, &self.options.holder)?;
        if let Some(since) = held.paused {
            seat.pause(since)?;
        }
        held.seat = seat;
        if let Some(Answering { commands, service, .. }) = &mut held.answering {
            // Its socket went with the directory.
            *service = None;
            // Heard as long as the service runs.
            let _ = commands.send(Command::Displaced);
        }
        Ok(Found::Retaken)
    }

    /// Makes the socket where there is none; `Err` says why it cannot.
    fn listen(&self, held: &mut Held) -> Result<Found, String> {
        let Held { seat, answering: Some(Answering { routes, service, .. }), .. } = held else {
            return Ok(Found::AsItWas);
        };
        if service.as_ref().is_some_and(serve::Service::is_in_place) {
            return Ok(Found::AsItWas);
        }
        let PlaceOptions { state, runtime, holder, .. } = &self.options;
        // Whoever is being answered is answered to the end, or asks again.
        *service = None;
        let socket = Socket::bind(Role::Service, state.directory(), runtime).map_err(|error| chain(&error))?;
        let holder = Holder { socket: Some(socket.path().to_owned()), ..holder.clone() };
        seat.announce(&holder).map_err(|error| chain(&error))?;
        *service = Some(socket.answer(routes.clone()));
        Ok(Found::SocketMade)
    }

    fn say(&self, notice: Notice) {
        (self.options.events)(Event::Pass(PassEvent::Notice(notice)));
    }
}
