//! The service: load, plan, brakes, apply; again when something changed, and now and then.
//!
//! 1. [`Service::run`] rests until a change, a time or a command calls for a pass, and never makes two at once.
//! 2. A pass reads the files, plans, takes out what waits ([`absent`], [`failing`]), brakes, and applies.
//! 3. It makes way for the next one as soon as something changes, so that what is sent is what the newest valid
//!    files declare.
//! 4. Whatever happens, the [`Board`] says how it stands; [`control`] answers at the service's socket.
//!
//! Knows the time by the session's clock and tokio's timers alone, and changes by a [`Watcher`] that tests may tell
//! by hand.

mod absent;
mod approval;
mod board;
mod control;
mod failing;
mod load;
mod pass;
mod place;
mod service;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::apollo;
use crate::beneath::Bounds;
use crate::plan::Policy;
use crate::watcher::Watcher;

use super::{Ended, Report, SessionOptions, Stop};

pub use board::{Board, Braked, Outcome, Pass, Phase, Status, Telling, Trouble, Waiting};
pub use control::{ApproveAnswer, AskError, Command, PauseAnswer, ResumeAnswer, ask, resume_without_service};
pub use failing::Failing;
pub use place::{Place, PlaceOptions};
pub use service::Service;

/// What a service keeps in step, and how.
pub struct WatchOptions {
    pub dir: PathBuf,
    /// Where the directory and the links in it may lead.
    pub bounds: Bounds,
    pub settings: Settings,
    pub dry_run: bool,
    /// Ends after one pass, which makes way for nothing.
    pub once: bool,
    pub watcher: Watcher,
    /// Reads the credential anew; an error says why it cannot.
    pub credential: Arc<dyn Fn() -> Result<apollo::Credential, String> + Send + Sync>,
    /// The place of the service of this state; without one it cannot be paused.
    pub place: Option<Place>,
    pub commands: UnboundedReceiver<Command>,
    pub board: Board,
    pub stop: Stop,
}

/// What may change while a service runs.
#[derive(Clone)]
pub struct Settings {
    pub policy: Policy,
    /// A pass over everything is made after this time even when nothing was noticed.
    pub resync: Duration,
    /// A key is forgotten when two passes at least this far apart did not find it.
    pub forget_after: Duration,
    /// How the state is opened, now and after each pause. Where and what it is never changes.
    pub session: SessionOptions,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// What a service did while it ran.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WatchSummary {
    pub passes: usize,
    /// The sum over all passes.
    pub total: Report,
    /// Whether the last pass left nothing undone.
    pub last_pass_was_complete: bool,
    /// Why it ended.
    pub ended: Ended,
}
