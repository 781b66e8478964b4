//! sled while it is open: opening it, and letting go of it.
//!
//! sled syncs its log as it goes, and panics when that fails; and its threads have its files open for a moment longer
//! than its last handle. Here neither happens, whoever lets go of it and why: it is gone when the guard is.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use super::lock::Lock;
use super::panics;
use super::place::{LOG, SLED};
use super::rows::{SledRows, failed};
use super::survey::{Extent, survey};
use crate::private_dir::PrivateDir;
use crate::state::{Error, Location};

/// Most memory sled may spend on pages, in bytes as they are on disk. Its own default is a gibibyte.
///
/// Four times as much made nothing faster: the system caches the file.
const CACHE_BYTES: u64 = 2 * 1024 * 1024;

/// How often, and how long apart, sled is asked again for a lock that its own threads still hold.
const LOCK_ATTEMPTS: u32 = 20_000;
const LOCK_PAUSE: Duration = Duration::from_millis(1);

/// sled, open. Whoever has read or written it in order calls [`Guard::close`]; one that is dropped says nothing.
#[derive(Debug)]
pub(super) struct Guard {
    rows: Option<SledRows>,
    state: Location,
}

impl Guard {
    /// Lets go of sled; an error says that its last sync failed, or that somebody else has its files open.
    ///
    /// Any clone of its rows must be gone.
    pub(super) fn close(mut self) -> Result<(), Error> {
        self.release()
    }

    /// Returns when nobody has sled's files open any more. Does nothing the second time.
    fn release(&mut self) -> Result<(), Error> {
        let Some(rows) = self.rows.take() else { return Ok(()) };
        let path = self.state.directory();
        let dropped = panics::catch(move || drop(rows));
        let is_free = wait_for_sled(path);
        dropped.map_err(|panic| {
            tracing::debug!("sled stopped as it was closed: {panic}");
            Error::NotClosed { path: path.to_owned() }
        })?;
        is_free
    }
}

impl Deref for Guard {
    type Target = SledRows;

    fn deref(&self) -> &SledRows {
        self.rows.as_ref().expect("it is given back only by what consumes the guard")
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

/// Opens sled's log for reading, past sled.
pub(super) fn log(state: &PrivateDir) -> io::Result<File> {
    let sled = state.sub(SLED).map_err(io::Error::other)?;
    sled.ok_or(io::ErrorKind::NotFound)?.open_file(LOG)
}

/// Opens sled where there is one, once its files were read.
pub(super) fn reopen_sled(state: &PrivateDir, extent: Extent) -> Result<Guard, Error> {
    match log(state) {
        Ok(_) => {}
        // sled would make a new one, and lose the last hint of what was.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::unreadable(&state.path().into(), "its sled/db is gone"));
        }
        Err(error) => return Err(Error::io("open", &state.path().join(SLED).join(LOG), error)),
    }
    survey(state, extent)?;
    open_sled(state.path())
}

/// Opens sled. The caller holds our lock, so if sled's is taken, nobody writes: threads of an earlier sled have it, or
/// a process that was just started and has copies of our descriptors for a moment more. Either is waited for.
pub(super) fn open_sled(directory: &Path) -> Result<Guard, Error> {
    let (path, state) = (directory.join(SLED), Location::from(directory));
    let config = sled::Config::new()
        .path(&path)
        .cache_capacity(CACHE_BYTES)
        // Barriers are ours; a thread that flushes on its own would only fail unseen.
        .flush_every_ms(None)
        .mode(sled::Mode::LowSpace);
    for _ in 0..LOCK_ATTEMPTS {
        match panics::catch(|| config.open()) {
            Ok(Ok(db)) => return Ok(Guard { rows: Some(SledRows { state: state.clone(), db }), state }),
            Ok(Err(error)) if says_locked(&error) || sled_is_locked(&path) => pause(),
            Ok(Err(error)) => return Err(failed("open", &state, error)),
            Err(panic) => return Err(Error::unreadable(&state, format!("sled stopped at it: {panic}"))),
        }
    }
    Err(Error::Locked { state, holder: None })
}

/// Waits until nobody has sled's files open any more: threads of a sled that was dropped work on for a moment.
pub(super) fn wait_for_sled(directory: &Path) -> Result<(), Error> {
    let path = directory.join(SLED);
    for _ in 0..LOCK_ATTEMPTS {
        if !sled_is_locked(&path) {
            return Ok(());
        }
        pause();
    }
    Err(Error::Locked { state: directory.into(), holder: None })
}

/// Reports whether sled found its lock taken, which it tells by these words alone.
///
/// To ask the lock afterwards is not enough: whoever had it may have let go meanwhile. Words that a later sled no
/// longer says cost no more than that.
fn says_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(source) if source.to_string().starts_with("could not acquire lock"))
}

fn sled_is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path.join(LOG)) else { return false };
    matches!(Lock::take(file), Ok(None))
}

#[expect(clippy::disallowed_methods, reason = "sled's threads say nothing when they let go of the lock")]
pub(super) fn pause() {
    std::thread::sleep(LOCK_PAUSE);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test that opens a closed state past the store found it locked, by a thread of sled's or by a process that
    /// another test had just started.
    #[test]
    fn sled_is_closed_when_nobody_has_its_files_open() {
        let directory = tempfile::tempdir().unwrap();
        for round in 0..50_u32 {
            let db = open_sled(directory.path()).unwrap();
            // A buffer that is full is written by a thread of sled's, which lets go of it late.
            for row in 0..60_u32 {
                db.db.insert([round.to_be_bytes(), row.to_be_bytes()].concat(), vec![7; 10 * 1024]).unwrap();
            }
            db.close().unwrap();
            let log = File::open(directory.path().join(SLED).join(LOG)).unwrap();
            log.try_lock().unwrap();
        }
    }

    /// `a_state_takes_the_place_of_one_that_is_behind` failed once: a process that another thread had just started held
    /// a copy of the descriptor until it was exec'd, and had let go of it before the lock was asked.
    #[test]
    fn a_lock_that_was_let_go_of_before_it_is_asked_is_waited_for_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        drop(open_sled(directory.path()).unwrap());
        let path = directory.path().join(SLED);
        let held = File::open(path.join(LOG)).unwrap();
        held.try_lock().unwrap();
        let error = sled::Config::new().path(&path).open().unwrap_err();
        drop(held);
        assert!(!sled_is_locked(&path));
        assert!(says_locked(&error), "{error}");
        open_sled(directory.path()).unwrap();
    }

    #[test]
    fn damage_is_not_taken_for_a_lock() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("sled/db")).unwrap();
        let error = sled::Config::new().path(directory.path().join(SLED)).open().unwrap_err();
        assert!(!says_locked(&error), "{error}");
    }
}
