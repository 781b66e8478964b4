//! A store whose Nth commit fails, for tests.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

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
pub(crate) struct Broken {
    armed: Mutex<Option<(u64, Moment)>>,
    barriers: AtomicU64,
}

impl Broken {
    /// Fails the barrier with this number, from 1.
    pub(crate) fn at(&self, number: u64, moment: Moment) {
        *self.armed.lock().unwrap() = Some((number, moment));
    }

    pub(crate) fn has_struck(&self) -> bool {
        self.armed.lock().unwrap().is_none_or(|(left, _)| left == 0)
    }

    /// Returns how many barriers were passed.
    pub(super) fn barriers(&self) -> u64 {
        self.barriers.load(Ordering::Relaxed)
    }

    /// Passes a moment of a commit; the Nth time, this fails it.
    pub(super) fn pass(&self, moment: Moment) -> io::Result<()> {
        self.barriers.fetch_add(u64::from(moment == Moment::AfterBarrier), Ordering::Relaxed);
        let mut armed = self.armed.lock().unwrap();
        match &mut *armed {
            Some((left, at)) if *at == moment && *left > 0 => {
                *left -= 1;
                if *left == 0 { Err(io::Error::other("broken by a test")) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }
}
