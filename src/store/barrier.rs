//! The point after which a write survives power loss.
//!
//! sled's `flush` ends in `sync_file_range` on Linux, which writes no metadata and does not empty
//! the disk's own cache; so its files are synced once more through descriptors of our own.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::panics;
use super::place::{LOG, SLED};
use crate::private_dir::PrivateDir;
use crate::state::Error;

/// How long a flush may take before another one follows it.
const FIRST_NUDGE: Duration = Duration::from_secs(1);

/// Makes what sled was given durable.
#[derive(Debug)]
pub(super) struct Barrier {
    /// sled's log. Opened when sled was, so that no write error is reported to others alone.
    log: File,
    directory: PrivateDir,
    /// Names of the blobs known to be durable.
    blobs: BTreeSet<OsString>,
}

impl Barrier {
    /// Takes over sled's directory of a state after sled has opened it: all in it becomes private and durable.
    pub(super) fn new(state: &PrivateDir) -> Result<Self, Error> {
        let failed = |error| Error::io("sync", state.path(), error);
        let gone = || failed(io::ErrorKind::NotFound.into());
        let directory = state.sub(SLED)?.ok_or_else(gone)?;
        directory.settle()?;
        state.sync().map_err(failed)?;
        let blobs = blobs(&directory).and_then(|blobs| names(&blobs)).map_err(failed)?;
        let log = directory.open_file(LOG).map_err(failed)?;
        Ok(Self { log, directory, blobs })
    }

    /// Returns when everything applied to `db` is on disk.
    pub(super) fn pass(&mut self, db: &sled::Db) -> io::Result<()> {
        flush(FIRST_NUDGE, || db.flush().map(drop))?;
        // Blobs first, since the log points to them.
        self.sync_blobs()?;
        self.log.sync_data()
    }

    /// Syncs the files that sled made for large pages since the last barrier.
    fn sync_blobs(&mut self) -> io::Result<()> {
        // Opened again each time: sled finds it by its name, too.
        let directory = blobs(&self.directory)?;
        let present = names(&directory)?;
        if present == self.blobs {
            return Ok(());
        }
        for name in present.difference(&self.blobs) {
            match directory.settle_file(name) {
                // sled removes a blob that was replaced meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                settled => settled?,
            }
        }
        directory.sync()?;
        self.blobs = present;
        Ok(())
    }
}

/// Flushes sled, however it fails.
///
/// Where one of sled's threads fails to write, the flush that waits for it is not always told and would wait for ever
/// (sled 0.34.7, `exit_reservation` in `pagecache/logger.rs`). Any later flush finds the failure and wakes those before
/// it, so while one takes long others follow, ever less often.
fn flush(first_nudge: Duration, flush: impl Fn() -> sled::Result<()> + Sync) -> io::Result<()> {
    thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        let flush = &flush;
        scope.spawn(move || {
            let mut pause = first_nudge;
            while is_done.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // What it finds is told to the first one as well.
                scope.spawn(move || panics::catch(flush));
                pause *= 2;
            }
        });
        let flushed = flush();
        drop(done);
        Ok(flushed?)
    })
}

fn blobs(sled: &PrivateDir) -> io::Result<PrivateDir> {
    let blobs = sled.sub("blobs").map_err(io::Error::other)?;
    blobs.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn names(directory: &PrivateDir) -> io::Result<BTreeSet<OsString>> {
    Ok(directory.names()?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// A storm of failing disks found an apply that waited for ever.
    #[test]
    fn a_flush_that_is_not_told_of_a_failure_is_woken_by_the_next_one() {
        let (waiting, woken) = (Mutex::new(0), Condvar::new());
        let flushed = flush(Duration::from_millis(1), || {
            let mut flushes = waiting.lock().unwrap();
            *flushes += 1;
            if *flushes == 1 {
                drop(woken.wait_while(flushes, |flushes| *flushes == 1).unwrap());
            }
            woken.notify_all();
            Err(sled::Error::Io(io::Error::from_raw_os_error(5)))
        });
        assert!(flushed.is_err());
        flush(Duration::from_mins(1), || Ok(())).unwrap();
    }
}
