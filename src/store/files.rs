//! Which file is which. Never opens a file to write to it.

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
