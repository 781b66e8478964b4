//! A lock on a file of a state, by which one process at a time has what the file stands for.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A lock that is held. Nobody has it once it is dropped.
///
/// It belongs to the open file, which a process that was just started has as well until its own program begins. So
/// it is given back and not left to the last one that closes the file.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock of a file; `None` while somebody else has it.
    pub(super) fn take(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Remembers the file, which is open under `path`.
    pub(super) fn anchor(&self, path: PathBuf) -> io::Result<Anchor> {
        let metadata = self.0.metadata()?;
        Ok(Anchor { path, file: (metadata.dev(), metadata.ino()) })
    }
}

/// A file that is open, and the path it was opened by. It moves with the directory that it is in.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl Anchor {
    /// Reports whether its path leads to it still.
    pub(super) fn holds(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.file)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Fails for no file that can be locked; to close it gives the lock back as well.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_free_once_it_is_dropped_whoever_has_a_copy_of_the_descriptor() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let lock = Lock::take(File::create(&path).unwrap()).unwrap().unwrap();
        let other = || Lock::take(File::open(&path).unwrap()).unwrap();
        assert!(other().is_none());
        // What a process has that was just started.
        let copy = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(other().is_some());
        drop(copy);
    }
}
