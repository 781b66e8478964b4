//! The service: load, plan, brakes, apply; again when something changed, and now and then.
//!
//! 1. [`Service::run`] rests until a change, a time or a command calls for a pass, and never makes two at once.
//! 2. A pass reads the files, plans, takes out what waits ([`absent`], [`failing`]), brakes, and applies.
//! 3. It makes way for the next one as soon as something changes, so that what is sent is what the newest valid
//!    files declare.
//! 4. Whatever happens, the [`Board`] says how it stands; [`control`] answers at the service's socket.
//!
//! Knows the time by the session's clock and tokio's timers alone, and changes by a [`Watcher`](crate::watcher::Watcher) that
//! tests may tell by hand.

mod absent;
mod approval;
mod board;
mod control;
mod failing;
mod load;
mod pass;
mod place;
mod run;
mod service;
mod settings;
mod standby;
#[cfg(test)]
mod tests;

pub use board::{Board, Braked, LastLoad, Outcome, Pass, Phase, StandingBy, Status, Telling, Trouble, Waiting};
pub use control::{
    ApproveAnswer, AskError, Command, PauseAnswer, Request, ResumeAnswer, Unable, ask, resume_without_service,
};
pub use failing::Failing;
pub use place::{Place, PlaceOptions};
pub use service::{Service, WatchOptions, WatchSummary};
pub use settings::Settings;
