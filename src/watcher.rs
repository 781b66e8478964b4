//! Watches a directory of contact files and says when to look again.
//!
//! An event means "look again" and nothing more: this module opens no contact file, knows nothing of
//! their contents and decides nothing. A look too many is harmless, a look too few is not, so whatever
//! is doubtful counts as a change.
//!
//! 1. A thread of its own ([`worker`]) holds the notify watches, or polls where events cannot be had.
//! 2. What [`tree`] lists is watched: every directory that is read, and every name on the way to one.
//! 3. After a change to that structure, the watches are made again, and only then is the change told.
//! 4. A file that is written and not closed calls for no look until its close, or for a minute ([`written`]).
//! 5. [`Watcher::changed`] waits until a burst has gone quiet, and for git to finish.

mod debounce;
mod filesystem;
mod git;
mod hand;
mod inbox;
mod look;
mod names;
mod notice;
mod outbox;
mod place;
mod snapshot;
#[cfg(test)]
mod tests;
mod tree;
mod watches;
mod worker;
mod written;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{self, Instant};

use self::debounce::{Debounce, Step};
use self::git::Gate;
pub use self::hand::Hand;
use self::inbox::Inbox;
pub use self::look::Look;
pub use self::notice::{Cause, Notice};
use self::outbox::Outbox;
use self::place::Place;
use self::worker::Worker;
use crate::beneath::Bounds;

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
    /// Directories below `dir` that are none of it, a state for example: nothing in them is watched.
    pub ignore: Vec<PathBuf>,
    /// Where `dir` and the links in it may lead; nothing elsewhere is watched.
    pub bounds: Bounds,
}

impl Options {
    /// The defaults for a directory.
    pub fn new(dir: PathBuf) -> Self {
        let (quiet, longest) = (Duration::from_millis(500), Duration::from_secs(5));
        Self { dir, quiet, longest, poll: None, ignore: Vec::new(), bounds: Bounds::default() }
    }
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
    /// What the burst under way calls for.
    burst: Option<Look>,
}

impl Watcher {
    /// Starts to watch: whatever changes after this returns leads to a look.
    ///
    /// Walks the directory once, on the caller's thread. A directory that is missing is awaited. Where
    /// events cannot be had (limits, network file systems), it polls every two seconds and leaves a [`Notice`].
    pub fn new(options: Options) -> Result<Self, Error> {
        let dir = options.dir.clone();
        let located = |path| std::path::absolute(path).map_err(|source| Error::Locate { dir: dir.clone(), source });
        let absolute = located(&options.dir)?;
        let ignored = options.ignore.iter().map(located).collect::<Result<Vec<_>, _>>()?;
        let Bounds { root_within, follow_within } = &options.bounds;
        let bounds = Bounds {
            root_within: root_within.as_ref().map(located).transpose()?,
            follow_within: follow_within.iter().map(located).collect::<Result<Vec<_>, _>>()?,
        };
        let watcher = Self::idle(&options, absolute.clone());
        let place = Place { dir: absolute, named: options.dir, ignored, bounds };
        let worker = Worker::new(place, options.poll, Arc::clone(&watcher.inbox), Arc::clone(&watcher.outbox));
        worker.start().map_err(|source| Error::StartThread { dir, source })?;
        Ok(watcher)
    }

    /// Makes a watcher that watches nothing and is told by hand, for tests and simulations.
    ///
    /// Debounces as any other, by tokio's clock. The directory is asked for git's lock and nothing else.
    pub fn by_hand(options: &Options) -> (Self, Hand) {
        let watcher = Self::idle(options, options.dir.clone());
        let hand = Hand::new(Arc::clone(&watcher.inbox), Arc::clone(&watcher.outbox));
        (watcher, hand)
    }

    fn idle(options: &Options, absolute: PathBuf) -> Self {
        Self {
            inbox: Arc::default(),
            outbox: Arc::default(),
            debounce: Debounce::new(options.quiet, options.longest),
            gate: Gate::new(absolute),
            burst: None,
        }
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

    /// Gives `look` back when it can be made now.
    ///
    /// During a burst, or while git holds the index, it cannot: [`Watcher::changed`] then tells of it when that is over.
    pub fn unless_busy(&mut self, look: Look) -> Option<Look> {
        let now = Instant::now();
        self.take_in(now);
        match &mut self.burst {
            Some(burst) => burst.merge(look),
            None if self.gate.is_held() => {
                self.burst = Some(look);
                self.debounce.touch(now);
            }
            None => return Some(look),
        }
        None
    }

    /// Resolves as soon as a burst has begun, without waiting for its end.
    ///
    /// Takes nothing away: [`Watcher::changed`] tells of the same burst when it is over. Cancel-safe.
    pub async fn stirred(&mut self) {
        loop {
            self.take_in(Instant::now());
            if self.burst.is_some() {
                return;
            }
            self.outbox.told().await;
        }
    }

    /// Lists the files that were seen written and not closed, a minute ago at most.
    ///
    /// Whatever may be opened for writing next is not among them: ask again after reading. Polling sees no close.
    pub fn being_written(&self) -> Vec<PathBuf> {
        self.inbox.being_written()
    }

    /// Takes what the operator should know and was not told yet.
    pub fn notices(&mut self) -> Vec<Notice> {
        self.outbox.take_notices()
    }

    fn take_in(&mut self, now: Instant) {
        if let Some(look) = self.outbox.take_look() {
            match &mut self.burst {
                Some(burst) => burst.merge(look),
                None => self.burst = Some(look),
            }
            self.debounce.touch(now);
        }
    }

    fn finish(&mut self) -> Look {
        self.gate.settle();
        self.burst.take().expect("a burst is over only after a look was called for")
    }
}

impl Drop for Watcher {
    /// Tells the thread to end, without waiting: it may hang in a dead network mount.
    fn drop(&mut self) {
        self.inbox.end();
    }
}
