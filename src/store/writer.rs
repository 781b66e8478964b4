//! The thread that writes: takes commits, puts them into batches, and lets them share a barrier.
//!
//! A failure stops it for good, since what is on disk is then unknown; requests after that are answered with the
//! reason. What a commit may change is the rules' to say (`state`), and how it is kept the engine's.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::oneshot;

use super::panics;
use crate::model::Serial;
use crate::state::{Change, Drafts, Engine, Error, Rows};

/// Most commits that share a barrier, so that the first of them does not wait for ever.
const MAX_GROUP: usize = 1024;

/// How long nobody has written when it is time to tidy up.
const QUIET: Duration = Duration::from_secs(1);

/// What the thread is asked for.
pub(super) enum Request {
    Commit {
        changes: Vec<Change>,
        reply: Reply,
    },
    /// Passes a last barrier and ends the thread.
    Close {
        reply: Reply,
    },
}

type Reply = oneshot::Sender<Result<Serial, Error>>;

/// What the thread owns.
pub(super) struct Writer<E> {
    pub(super) engine: E,
    /// Held while rows move, so that a snapshot shows one serial, and only what is durable.
    pub(super) gate: Arc<RwLock<()>>,
    pub(super) drafts: Drafts,
    /// Why nothing is written any more.
    pub(super) failed: Arc<OnceLock<String>>,
    /// Requests that came in while others were served.
    pub(super) waiting: Vec<Request>,
    /// Whether there is something to tidy up.
    pub(super) is_untidy: bool,
}

impl<E: Engine> Writer<E> {
    /// Serves requests until one closes the store or no one is left to ask.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            if self.waiting.is_empty() {
                let Some(first) = self.next(requests) else { return };
                self.waiting.push(first);
            }
            self.take_waiting(requests);
            if self.serve(requests) {
                return;
            }
        }
    }

    /// Waits for a request, and tidies up when none comes for a while; `None` once no one is left to ask.
    fn next(&mut self, requests: &Receiver<Request>) -> Option<Request> {
        if std::mem::take(&mut self.is_untidy) {
            match requests.recv_timeout(QUIET) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                // Whoever writes next is told when it fails.
                Err(RecvTimeoutError::Timeout) => drop(self.attempt(|writer| writer.engine.tidy())),
            }
        }
        requests.recv().ok()
    }

    fn take_waiting(&mut self, requests: &Receiver<Request>) {
        self.waiting.extend(requests.try_iter().take(MAX_GROUP - self.waiting.len()));
    }

    /// Serves the requests that wait, with one barrier; reports whether the thread ends.
    fn serve(&mut self, requests: &Receiver<Request>) -> bool {
        let group = std::mem::take(&mut self.waiting);
        let gate = Arc::clone(&self.gate);
        let _no_snapshot = gate.write().unwrap_or_else(PoisonError::into_inner);
        let begun = self.attempt(|writer| writer.engine.begin());
        let mut replies: Vec<(Reply, Result<Serial, Error>)> = Vec::new();
        let mut closes = false;
        for request in group {
            let (reply, drafted) = match request {
                Request::Commit { changes, reply } => {
                    (reply, begun.clone().and_then(|()| self.attempt(|writer| writer.draft(changes))))
                }
                Request::Close { reply } => {
                    closes = true;
                    (reply, begun.clone().map(|()| self.drafts.counters().serial))
                }
            };
            replies.push((reply, drafted));
        }
        let is_changed = replies.iter().any(|(_, drafted)| drafted.is_ok());
        let mut durable = if is_changed { self.attempt(Self::pass_barrier) } else { Ok(()) };
        self.take_waiting(requests);
        let is_idle = self.waiting.is_empty() || closes;
        if durable.is_ok() && begun.is_ok() {
            let rested = self.attempt(|writer| writer.engine.rest(is_idle));
            durable = rested.map(|is_untidy| self.is_untidy = is_untidy);
        }
        if durable.is_ok() && begun.is_ok() && closes {
            durable = self.attempt(|writer| writer.engine.end());
        }
        for (reply, drafted) in replies {
            // Who no longer waits has no need of the answer.
            let _ = reply.send(drafted.and_then(|serial| durable.clone().map(|()| serial)));
        }
        closes
    }

    /// Takes a step; when it fails or panics, the writer takes no more.
    fn attempt<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if let Some(why) = self.failed.get() {
            return Err(self.poisoned_by(why.clone()));
        }
        let taken = panics::catch(|| step(self))
            .unwrap_or_else(|panic| Err(self.poisoned_by(format!("sled stopped: {panic}"))));
        if let Err(failure) = &taken
            && !failure.is_refusal()
        {
            // The first failure is the only one: no step is taken after it.
            let _ = self.failed.set(failure_text(failure));
        }
        taken
    }

    /// Adds a commit to the batch at hand, or to a new one after it; returns the serial it will have.
    fn draft(&mut self, changes: Vec<Change>) -> Result<Serial, Error> {
        let drafted = self.drafts.draft(self.engine.rows(), changes)?;
        if !self.drafts.have_room_for(&drafted) {
            self.write()?;
        }
        Ok(self.drafts.add(drafted))
    }

    /// Writes the batch at hand.
    fn write(&mut self) -> Result<(), Error> {
        self.drafts.take_batch().map_or(Ok(()), |batch| self.engine.write(batch))
    }

    /// Returns when all that was drafted is on disk.
    fn pass_barrier(&mut self) -> Result<(), Error> {
        self.write()?;
        self.engine.commit(self.drafts.counters())
    }

    fn poisoned_by(&self, why: String) -> Error {
        Error::Poisoned { state: self.engine.rows().location().clone(), why }
    }
}

/// Renders the failure that stops the writer, cause included, for the requests that come later.
fn failure_text(error: &Error) -> String {
    match error {
        Error::Poisoned { why, .. } => why.clone(),
        Error::Barrier { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
