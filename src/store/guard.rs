//! sled while it is open, and letting go of it.
//!
//! sled syncs its log as it goes, and panics when that fails; and its threads have its files open for a moment longer
//! than its last handle. Here neither happens, whoever lets go of it and why: it is gone when the guard is.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::{open, panics};

/// sled, open. Whoever has read or written it in order calls [`Guard::close`]; one that is dropped says nothing.
#[derive(Debug)]
pub(super) struct Guard {
    db: Option<sled::Db>,
    state: PathBuf,
}

impl Guard {
    /// Takes over the sled of the state at `state`.
    pub(super) fn new(db: sled::Db, state: &Path) -> Self {
        Self { db: Some(db), state: state.to_owned() }
    }

    /// Lets go of sled; an error says that its last sync failed, or that somebody else has its files open.
    ///
    /// Any clone of it must be gone.
    pub(super) fn close(mut self) -> Result<(), Error> {
        self.release()
    }

    /// Returns when nobody has sled's files open any more. Does nothing the second time.
    fn release(&mut self) -> Result<(), Error> {
        let Some(db) = self.db.take() else { return Ok(()) };
        let dropped = panics::catch(move || drop(db));
        let is_free = open::wait_for_sled(&self.state);
        dropped.map_err(|panic| {
            tracing::debug!("sled stopped as it was closed: {panic}");
            Error::NotClosed { path: self.state.clone() }
        })?;
        if is_free { Ok(()) } else { Err(open::sled_stays_locked(&self.state)) }
    }
}

impl Deref for Guard {
    type Target = sled::Db;

    fn deref(&self) -> &sled::Db {
        self.db.as_ref().expect("it is given back only by what consumes the guard")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Dropped before it was closed: what went wrong before is what is told.
        if let Err(error) = self.release() {
            tracing::debug!("sled was dropped and did not close in order: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::{LOG, SLED, open_sled};

    /// The test that opens a closed state past the store found it locked, by a thread of sled's or by a process that
    /// another test had just started.
    #[test]
    fn sled_is_closed_when_nobody_has_its_files_open() {
        let directory = tempfile::tempdir().unwrap();
        for round in 0..50_u32 {
            let db = open_sled(directory.path()).unwrap();
            // A buffer that is full is written by a thread of sled's, which lets go of it late.
            for row in 0..60_u32 {
                db.insert([round.to_be_bytes(), row.to_be_bytes()].concat(), vec![7; 10 * 1024]).unwrap();
            }
            db.close().unwrap();
            let log = std::fs::File::open(directory.path().join(SLED).join(LOG)).unwrap();
            log.try_lock().unwrap();
        }
    }
}
