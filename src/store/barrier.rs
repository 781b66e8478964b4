//! The point after which a write survives power loss.
//!
//! sled's `flush` ends in `sync_file_range` on Linux, which writes no metadata and does not empty
//! the disk's own cache; so its files are synced once more through descriptors of our own.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::files;

/// Makes what sled was given durable.
#[derive(Debug)]
pub(super) struct Barrier {
    /// sled's log. Opened when sled was, so that no write error is reported to others alone.
    log: File,
    blobs_directory: PathBuf,
    /// Names of the blobs known to be durable.
    blobs: BTreeSet<OsString>,
    passed: Arc<AtomicU64>,
}

impl Barrier {
    /// Takes over sled's directory after sled has opened it: all in it becomes private and durable.
    pub(super) fn new(sled_directory: &Path) -> io::Result<Self> {
        files::settle_tree(sled_directory)?;
        files::sync_directory(files::parent(sled_directory))?;
        let blobs_directory = sled_directory.join("blobs");
        let blobs = names(&blobs_directory)?;
        let log = File::open(sled_directory.join("db"))?;
        Ok(Self { log, blobs_directory, blobs, passed: Arc::default() })
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
        let present = names(&self.blobs_directory)?;
        if present == self.blobs {
            return Ok(());
        }
        for name in present.difference(&self.blobs) {
            match files::settle_file(&self.blobs_directory.join(name)) {
                // sled removes a blob that was replaced meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                settled => settled?,
            }
        }
        files::sync_directory(&self.blobs_directory)?;
        self.blobs = present;
        Ok(())
    }
}

fn names(directory: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
}
