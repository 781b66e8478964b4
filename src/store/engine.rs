//! sled as the engine of a state: batches, the copy before them, the barrier after them, and `head` behind it.
//!
//! The only code that changes sled after opening.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::barrier::Barrier;
#[cfg(test)]
use super::broken::{Broken, Moment};
use super::copy::CopyFile;
use super::head::HeadFile;
use super::heal;
use super::lock::Anchor;
use super::rows::SledRows;
use super::since_index::SinceIndex;
use crate::failpoints::{Step, leaves_copy, reached};
use crate::private_dir::PrivateDir;
use crate::state::{Counters, Engine, Error, Facts, Writes};

/// How many barriers `head` may fall behind while requests keep coming.
const MAX_HEAD_LAG: u64 = 16;

/// How many times what is alive the copy may hold at rest, and while somebody writes: writing it whole holds up commits,
/// and a run that goes on makes it long again.
const MOST_TIMES_ALIVE: u64 = 2;
const MOST_TIMES_ALIVE_WHILE_BUSY: u64 = 6;

/// An open sled with what stands beside it.
pub(super) struct SledEngine {
    pub(super) state: PrivateDir,
    pub(super) rows: SledRows,
    pub(super) barrier: Barrier,
    pub(super) head: HeadFile,
    pub(super) facts: Facts,
    pub(super) copy: CopyFile,
    /// As they were at the last barrier.
    pub(super) counters: Counters,
    /// How many barriers `head` is behind.
    pub(super) head_lag: u64,
    /// The lock, which moves with the state.
    pub(super) anchor: Anchor,
    pub(super) since_index: Arc<Mutex<SinceIndex>>,
    #[cfg(test)]
    pub(super) broken: Arc<std::sync::OnceLock<Arc<Broken>>>,
}

impl Engine for SledEngine {
    type Rows = SledRows;

    fn rows(&self) -> &SledRows {
        &self.rows
    }

    fn begin(&mut self) -> Result<(), Error> {
        #[cfg(test)]
        self.pass(Moment::BeforeBatch)?;
        if self.anchor.holds() {
            return Ok(());
        }
        // sled would write on through its descriptors, for nobody to find.
        Err(Error::Replaced { path: self.state.path().to_owned() })
    }

    fn write(&mut self, batch: Writes) -> Result<(), Error> {
        reached(Step::BeforeBatch);
        let mut since_index = self.since_index.lock().unwrap_or_else(PoisonError::into_inner);
        since_index.mark(&self.state).map_err(|error| self.barrier_failed(error))?;
        since_index.note(&batch);
        drop(since_index);
        reached(Step::IndexMarked);
        // First of both: whatever is in sled is in the copy.
        if !leaves_copy() {
            self.copy.append(&batch).map_err(|error| self.barrier_failed(error))?;
        }
        reached(Step::CopyAppended);
        #[cfg(test)]
        self.pass(Moment::AmidBatch).inspect_err(|_| self.apply_in_part(&batch))?;
        self.rows.apply(batch).map_err(|error| self.barrier_failed(error.into()))
    }

    fn commit(&mut self, counters: &Counters) -> Result<(), Error> {
        reached(Step::BeforeBarrier);
        self.barrier.pass(&self.rows.db).map_err(|error| self.barrier_failed(error))?;
        reached(Step::AfterBarrier);
        #[cfg(test)]
        self.pass(Moment::AfterBarrier)?;
        self.counters = counters.clone();
        self.head_lag += 1;
        Ok(())
    }

    fn rest(&mut self, is_idle: bool) -> Result<bool, Error> {
        self.advance_head(is_idle)?;
        self.renew_copy_beyond(MOST_TIMES_ALIVE_WHILE_BUSY)?;
        Ok(self.copy.is_beyond(MOST_TIMES_ALIVE, &self.counters))
    }

    fn tidy(&mut self) -> Result<(), Error> {
        self.renew_copy_beyond(MOST_TIMES_ALIVE)
    }

    fn end(&mut self) -> Result<(), Error> {
        self.tidy()?;
        self.copy.sync().map_err(|error| self.barrier_failed(error))
    }
}

impl SledEngine {
    /// Writes the copy whole when it holds more than so many times what is alive.
    fn renew_copy_beyond(&mut self, times: u64) -> Result<(), Error> {
        if !self.copy.is_beyond(times, &self.counters) {
            return Ok(());
        }
        self.copy.renew(&self.facts, &self.counters, |copy| heal::copy_rows(&self.rows, copy)).map(drop)
    }

    /// Advances `head`. It is there to show a loss, and what it does not show yet is on disk all the same; so while
    /// more commits wait, it advances for several barriers at once. At rest it shows everything.
    fn advance_head(&mut self, is_idle: bool) -> Result<(), Error> {
        if self.head_lag == 0 || !(is_idle || self.head_lag >= MAX_HEAD_LAG) {
            return Ok(());
        }
        self.head_lag = 0;
        let Counters { commit, serial, totals, .. } = self.counters;
        if self.head.now().commit == commit {
            return Ok(());
        }
        self.head.advance(commit, serial, totals.bindings).map_err(|error| self.barrier_failed(error))?;
        reached(Step::HeadWritten);
        #[cfg(test)]
        self.pass(Moment::AfterHead)?;
        Ok(())
    }

    fn barrier_failed(&self, source: io::Error) -> Error {
        // sled hands on an error with its debug form for a message; its kind says the same in words.
        let is_plain = source.raw_os_error().is_some() || source.kind() == io::ErrorKind::Other;
        let source = if is_plain { source } else { source.kind().into() };
        Error::Barrier { state: self.rows.state.clone(), source: Arc::new(source) }
    }

    #[cfg(test)]
    fn pass(&self, moment: Moment) -> Result<(), Error> {
        let passed = self.broken.get().map_or(Ok(()), |broken| broken.pass(moment));
        passed.map_err(|error| self.barrier_failed(error))
    }

    /// Leaves sled's memory as a batch does that fails before its last row, which happens to be the counters.
    #[cfg(test)]
    fn apply_in_part(&self, batch: &Writes) {
        for (row, value) in batch.iter().filter(|(row, _)| **row != crate::state::Row::Counters) {
            match value {
                Some(value) => drop(self.rows.db.insert(row.to_bytes(), value.clone())),
                None => drop(self.rows.db.remove(row.to_bytes())),
            }
        }
    }
}
