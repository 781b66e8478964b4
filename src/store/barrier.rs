//! The point after which a write survives power loss.
//!
//! sled's `flush` ends in `sync_file_range` on Linux, which writes no metadata and does not empty
//! the disk's own cache; so its files are synced once more through descriptors of our own.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Error;
use crate::private_dir::PrivateDir;

/// Makes what sled was given durable.
#[derive(Debug)]
pub(super) struct Barrier {
    /// sled's log. Opened when sled was, so that no write error is reported to others alone.
    log: File,
    directory: PrivateDir,
    /// Names of the blobs known to be durable.
    blobs: BTreeSet<OsString>,
    passed: Arc<AtomicU64>,
}

impl Barrier {
    /// Takes over the directory `sled` of a state after sled has opened it: all in it becomes private and durable.
    pub(super) fn new(state: &PrivateDir, sled: &str) -> Result<Self, Error> {
        let failed = |error| Error::io("sync", state.path(), error);
        let gone = || failed(io::ErrorKind::NotFound.into());
        let directory = state.sub(sled)?.ok_or_else(gone)?;
        directory.settle()?;
        state.sync().map_err(failed)?;
        let blobs = blobs(&directory).and_then(|blobs| names(&blobs)).map_err(failed)?;
        let log = directory.open_file("db").map_err(failed)?;
        Ok(Self { log, directory, blobs, passed: Arc::default() })
    }

    /// Counts the barriers that were passed.
    pub(super) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.passed)
    }

    /// Returns when everything applied to `db` is on disk.
    pub(super) fn pass(&mut self, db: &sled::Db) -> io::Result<()> {
        db.flush()?;
        // Blobs first, since the log points to them.
        self.sync_blobs()?;
        self.log.sync_data()?;
        self.passed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Syncs the files that sled made for large pages since the last barrier.
    fn sync_blobs(&mut self) -> io::Result<()> {
        // Opened anew each time: sled finds it by its name, too.
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

fn blobs(sled: &PrivateDir) -> io::Result<PrivateDir> {
    let blobs = sled.sub("blobs").map_err(io::Error::other)?;
    blobs.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn names(directory: &PrivateDir) -> io::Result<BTreeSet<OsString>> {
    Ok(directory.names()?.into_iter().collect())
}
