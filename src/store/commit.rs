//! The thread that writes: takes commits, puts them into batches, and lets them share a barrier.
//!
//! The only code that changes sled after opening. A failure stops it for good, since what is on
//! disk is then unknown; requests after that are answered with the reason.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::oneshot;

use super::barrier::Barrier;
use super::change::{Change, Draft, Drafted, View, Writes};
use super::error::Error;
use super::files::Anchor;
use super::head::HeadFile;
use super::rows::Counters;
use super::since_index::SinceIndex;
use super::{codec, keys, panics};
use crate::failpoints::{Step, reached};
use crate::model::{Digest, Serial};
use crate::private_dir::PrivateDir;

/// Most rows of one sled batch, the counters row included.
///
/// A batch of 1,000 took sled 15 GiB at a million rows; up to 200 stayed below 100 MiB.
const MAX_BATCH_ROWS: usize = 100;

/// Most rows of one commit, so that it fits a batch and is atomic.
pub(super) const MAX_COMMIT_ROWS: usize = MAX_BATCH_ROWS - 1;

/// Most commits that share a barrier, so that the first of them does not wait for ever.
const MAX_GROUP: usize = 1024;

/// How many barriers `head` may fall behind while requests keep coming.
const MAX_HEAD_LAG: u64 = 16;

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
pub(super) struct Writer {
    pub(super) state: PrivateDir,
    pub(super) db: sled::Db,
    /// Held while rows move, so that a snapshot shows one serial, and only what is durable.
    pub(super) gate: Arc<RwLock<()>>,
    pub(super) barrier: Barrier,
    pub(super) head: HeadFile,
    /// As they stand in the tree, with `pending` applied.
    pub(super) counters: Counters,
    pub(super) pending: Writes,
    /// The saved plan being applied, whose row follows every write that moves the serial.
    pub(super) plan: Option<Digest>,
    /// Why nothing is written any more.
    pub(super) poisoned: Option<String>,
    /// Requests that came in while others were served.
    pub(super) waiting: Vec<Request>,
    /// How many barriers `head` is behind.
    pub(super) head_lag: u64,
    /// The lock, which moves with the state.
    pub(super) anchor: Anchor,
    pub(super) since_index: Arc<Mutex<SinceIndex>>,
    #[cfg(test)]
    pub(super) broken: Arc<std::sync::OnceLock<Arc<super::Broken>>>,
}

impl Writer {
    /// Serves requests until one closes the store or no one is left to ask.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            if self.waiting.is_empty() {
                let Ok(first) = requests.recv() else { return };
                self.waiting.push(first);
            }
            self.take_waiting(requests);
            if self.serve(requests) {
                return;
            }
        }
    }

    fn take_waiting(&mut self, requests: &Receiver<Request>) {
        self.waiting.extend(requests.try_iter().take(MAX_GROUP - self.waiting.len()));
    }

    /// Serves the requests that wait, with one barrier; reports whether the thread ends.
    fn serve(&mut self, requests: &Receiver<Request>) -> bool {
        let group = std::mem::take(&mut self.waiting);
        let gate = Arc::clone(&self.gate);
        let _no_snapshot = gate.write().unwrap_or_else(PoisonError::into_inner);
        let mut replies: Vec<(Reply, Result<Serial, Error>)> = Vec::new();
        let mut closes = false;
        for request in group {
            match request {
                Request::Commit { changes, reply } => {
                    let drafted = self.attempt(|writer| writer.draft(changes));
                    replies.push((reply, drafted));
                }
                Request::Close { reply } => {
                    closes = true;
                    replies.push((reply, Ok(self.counters.serial)));
                }
            }
        }
        let is_changed = replies.iter().any(|(_, drafted)| drafted.is_ok());
        let mut durable = if is_changed { self.attempt(Self::pass_barrier) } else { Ok(()) };
        self.take_waiting(requests);
        // While more requests wait, `head` advances for several barriers at once: it is there to show a loss, and
        // what it does not show yet is on disk all the same. At rest it shows everything.
        let is_due = self.waiting.is_empty() || closes || self.head_lag >= MAX_HEAD_LAG;
        if durable.is_ok() && self.head_lag > 0 && is_due {
            durable = self.attempt(Self::advance_head);
        }
        for (reply, drafted) in replies {
            // Who no longer waits has no need of the answer.
            let _ = reply.send(drafted.and_then(|serial| durable.clone().map(|()| serial)));
        }
        closes
    }

    /// Takes a step; when it fails or panics, the writer takes no more.
    fn attempt<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if let Some(why) = &self.poisoned {
            return Err(self.poisoned_by(why.clone()));
        }
        let taken = panics::catch(|| step(self))
            .unwrap_or_else(|panic| Err(self.poisoned_by(format!("sled stopped: {panic}"))));
        if let Err(failure) = &taken
            && !failure.is_refusal()
        {
            let why = failure_text(failure);
            self.since_index.lock().unwrap_or_else(PoisonError::into_inner).fail(&why);
            self.poisoned = Some(why);
        }
        taken
    }

    /// Adds a commit to the batch at hand; returns the serial it will have.
    fn draft(&mut self, changes: Vec<Change>) -> Result<Serial, Error> {
        let view = View { state: self.state.path(), db: &self.db, pending: &self.pending };
        let draft = Draft::of(view, &self.counters, self.plan.clone(), changes)?;
        let Drafted { writes, counters, plan } = draft.finish(self.counters.clone())?;
        if writes.len() > MAX_COMMIT_ROWS {
            return Err(Error::TooManyRows { rows: writes.len(), limit: MAX_COMMIT_ROWS });
        }
        let added = writes.keys().filter(|key| !self.pending.contains_key(*key)).count();
        if self.pending.len() + added > MAX_COMMIT_ROWS {
            self.apply()?;
        }
        self.pending.extend(writes);
        self.plan = plan;
        // The commit counter counts batches: it moves when this one is applied.
        self.counters = Counters { commit: self.counters.commit, ..counters };
        Ok(self.counters.serial)
    }

    /// Gives the batch at hand to sled, with the counters as they are after it.
    fn apply(&mut self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        reached(Step::BeforeBatch);
        let mut since_index = self.since_index.lock().unwrap_or_else(PoisonError::into_inner);
        since_index.mark(&self.state).map_err(|error| self.barrier_failed(error))?;
        since_index.note(&self.pending);
        drop(since_index);
        reached(Step::IndexMarked);
        self.counters.commit += 1;
        let pending = std::mem::take(&mut self.pending);
        #[cfg(test)]
        self.pass(super::Moment::AmidBatch).inspect_err(|_| self.apply_in_part(&pending))?;
        let mut batch = sled::Batch::default();
        for (key, value) in pending {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        batch.insert(keys::COUNTERS, codec::encode(&self.counters));
        self.db.apply_batch(batch).map_err(|error| self.barrier_failed(error.into()))
    }

    /// Returns when all that was drafted is on disk.
    fn pass_barrier(&mut self) -> Result<(), Error> {
        #[cfg(test)]
        self.pass(super::Moment::BeforeBatch)?;
        if !self.anchor.holds() {
            // sled would write on through its descriptors, for nobody to find.
            return Err(Error::Replaced { path: self.state.path().to_owned() });
        }
        self.apply()?;
        reached(Step::BeforeBarrier);
        self.barrier.pass(&self.db).map_err(|error| self.barrier_failed(error))?;
        reached(Step::AfterBarrier);
        #[cfg(test)]
        self.pass(super::Moment::AfterBarrier)?;
        self.head_lag += 1;
        Ok(())
    }

    /// Returns when `head` says that all is on disk which is.
    fn advance_head(&mut self) -> Result<(), Error> {
        self.head_lag = 0;
        let Counters { commit, serial, totals, .. } = self.counters;
        if self.head.now().commit == commit {
            return Ok(());
        }
        self.head.advance(commit, serial, totals.bindings).map_err(|error| self.barrier_failed(error))?;
        reached(Step::HeadWritten);
        #[cfg(test)]
        self.pass(super::Moment::AfterHead)?;
        Ok(())
    }

    #[cfg(test)]
    fn pass(&self, moment: super::Moment) -> Result<(), Error> {
        let passed = self.broken.get().map_or(Ok(()), |broken| broken.pass(moment));
        passed.map_err(|error| self.barrier_failed(error))
    }

    /// Leaves sled's memory as a batch does that fails before its last row, which happens to be the counters.
    #[cfg(test)]
    fn apply_in_part(&self, rows: &Writes) {
        for (key, value) in rows {
            match value {
                Some(value) => drop(self.db.insert(key, value.clone())),
                None => drop(self.db.remove(key)),
            }
        }
    }

    fn barrier_failed(&self, source: std::io::Error) -> Error {
        // sled hands on an error with its debug form for a message; its kind says the same in words.
        let is_plain = source.raw_os_error().is_some() || source.kind() == std::io::ErrorKind::Other;
        let source = if is_plain { source } else { source.kind().into() };
        Error::Barrier { path: self.state.path().to_owned(), source: Arc::new(source) }
    }

    fn poisoned_by(&self, why: String) -> Error {
        Error::Poisoned { path: self.state.path().to_owned(), why }
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
