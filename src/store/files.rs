//! Which file is which, and a hint to the system. Never opens a file to write to it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::index::Identity;

/// A file that is open, and the path it was opened by.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl Anchor {
    pub(super) fn new(path: PathBuf, file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { path, file: (metadata.dev(), metadata.ino()) })
    }

    /// Reports whether its path leads to it still.
    pub(super) fn holds(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.file)
    }
}

/// Asks the system for a file that is going to be read all over, but for what it holds in memory already.
///
/// Reading it in the order of the disk takes a fraction of the time that sled's order takes. Only a hint: whatever
/// fails shows when the file is read.
pub(super) fn read_ahead(file: &File) {
    /// The most that Linux reads ahead for one hint where nobody set another limit.
    const PIECE: std::num::NonZeroU64 = std::num::NonZeroU64::new(128 * 1024).expect("it is not zero");
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut at = 0;
    while at < length && rustix::fs::fadvise(file, at, Some(PIECE), rustix::fs::Advice::WillNeed).is_ok() {
        at += PIECE.get();
    }
}

/// Returns what tells a file from another one, and from what it was.
pub(super) fn identity(metadata: &fs::Metadata) -> Identity {
    const NS: i64 = 1_000_000_000;
    let time = |seconds: i64, ns: i64| seconds.saturating_mul(NS).saturating_add(ns);
    Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: time(metadata.mtime(), metadata.mtime_nsec()),
        changed: time(metadata.ctime(), metadata.ctime_nsec()),
    }
}
