//! Watches a directory of contact files and says when to look again.
//!
//! An event means "look again" and nothing more: this module opens no contact file, knows nothing of
//! their contents and decides nothing. A look too many is harmless, a look too few is not, so whatever
//! is doubtful counts as a change.
//!
//! 1. A thread of its own ([`worker`]) holds the notify watches, or polls where events cannot be had.
//! 2. What [`tree`] lists is watched: every directory that is read, and every name on the way to one.
//! 3. After a change to that structure, the watches are made anew, and only then is the change told.
//! 4. [`Watcher::changed`] waits until a burst has gone quiet, and for git to finish.

mod debounce;
mod filesystem;
mod git;
mod inbox;
mod names;
mod notice;
mod outbox;
mod snapshot;
#[cfg(test)]
mod tests;
mod tree;
mod watches;
mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{self, Instant};

use self::debounce::{Debounce, Step};
use self::git::Gate;
use self::inbox::Inbox;
pub use self::notice::{Cause, Notice};
use self::outbox::Outbox;
use self::worker::Worker;

/// What to watch, and how patiently.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory as the user named it; it need not exist yet.
    pub dir: PathBuf,
    /// A burst is over when nothing happened for this long; 500 ms by default.
    pub quiet: Duration,
    /// At most this long after the first event of a burst a look is due; 5 s by default.
    pub longest: Duration,
    /// Polls at this interval instead of asking for events.
    pub poll: Option<Duration>,
}

impl Options {
    /// The defaults for a directory.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, quiet: Duration::from_millis(500), longest: Duration::from_secs(5), poll: None }
    }
}

/// What a burst of events calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Something changed below the directory, or the directory itself went, came or was swapped.
    Changed,
    /// Events were lost: anything may have changed.
    Rescan,
}

/// A watcher that could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot tell where {} is", dir.display())]
    Locate { dir: PathBuf, source: io::Error },
    #[error("cannot start the thread that watches {}", dir.display())]
    StartThread { dir: PathBuf, source: io::Error },
}

/// Watches one directory until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    debounce: Debounce,
    gate: Gate,
    /// Whether events were lost in the burst under way.
    is_lossy: bool,
}

impl Watcher {
    /// Starts to watch: whatever changes after this returns leads to a look.
    ///
    /// Walks the directory once, on the caller's thread. A directory that is missing is awaited. Where events cannot be had (limits, network file
    /// systems), it polls every two seconds and leaves a [`Notice`].
    pub fn new(options: Options) -> Result<Self, Error> {
        let Options { dir, quiet, longest, poll } = options;
        let absolute = std::path::absolute(&dir).map_err(|source| Error::Locate { dir: dir.clone(), source })?;
        let inbox = Arc::new(Inbox::default());
        let outbox = Arc::new(Outbox::default());
        let worker = Worker::new(absolute.clone(), poll, Arc::clone(&inbox), Arc::clone(&outbox));
        worker.start().map_err(|source| Error::StartThread { dir, source })?;
        Ok(Self { inbox, outbox, debounce: Debounce::new(quiet, longest), gate: Gate::new(absolute), is_lossy: false })
    }

    /// Resolves once a burst of events has gone quiet.
    ///
    /// While git holds the index of the working tree around the directory, waits for it, at most 30 s
    /// and only once for one lock, so that a lock left by a crash does not delay every look.
    ///
    /// Cancel-safe: dropping the future loses no event.
    pub async fn changed(&mut self) -> Look {
        loop {
            let now = Instant::now();
            self.take_in(now);
            match self.debounce.step(now, || self.gate.is_held()) {
                Step::Idle => self.outbox.told().await,
                Step::Wait(until) => tokio::select! {
                    () = self.outbox.told() => {}
                    () = time::sleep_until(until) => {}
                },
                Step::Due => return self.finish(),
            }
        }
    }

    /// Takes what the operator should know and was not told yet.
    pub fn notices(&mut self) -> Vec<Notice> {
        self.outbox.take_notices()
    }

    fn take_in(&mut self, now: Instant) {
        if let Some(look) = self.outbox.take_look() {
            self.is_lossy |= look == Look::Rescan;
            self.debounce.touch(now);
        }
    }

    fn finish(&mut self) -> Look {
        self.gate.settle();
        if std::mem::take(&mut self.is_lossy) { Look::Rescan } else { Look::Changed }
    }
}

impl Drop for Watcher {
    /// Tells the thread to end, without waiting: it may hang in a dead network mount.
    fn drop(&mut self) {
        self.inbox.end();
    }
}
