//! A store whose Nth commit fails, for tests.

use std::io;
use std::sync::Mutex;

/// Where a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing of it was written.
    BeforeBatch,
    /// Its rows are in sled's memory without the counters, and not on disk.
    AmidBatch,
    /// Its rows are on disk, `head` is behind.
    AfterBarrier,
    /// All of it is on disk.
    AfterHead,
}

/// Counts the barriers of all stores it is given to, and fails one.
#[derive(Debug, Default)]
pub(crate) struct Broken(Mutex<Option<(u64, Moment)>>);

impl Broken {
    /// Fails the barrier with this number, from 1.
    pub(crate) fn at(&self, number: u64, moment: Moment) {
        *self.0.lock().unwrap() = Some((number, moment));
    }

    pub(crate) fn has_struck(&self) -> bool {
        self.0.lock().unwrap().is_none_or(|(left, _)| left == 0)
    }

    /// Passes a moment of a commit; the Nth time, this fails it.
    pub(super) fn pass(&self, moment: Moment) -> io::Result<()> {
        let mut armed = self.0.lock().unwrap();
        match &mut *armed {
            Some((left, at)) if *at == moment && *left > 0 => {
                *left -= 1;
                if *left == 0 { Err(io::Error::other("broken by a test")) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }
}
