//! A lock on a file of a state, by which one process at a time has what the file stands for.

use std::fs::{File, TryLockError};
use std::io;

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

    pub(super) fn file(&self) -> &File {
        &self.0
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
        let copy = lock.file().try_clone().unwrap();
        drop(lock);
        assert!(other().is_some());
        drop(copy);
    }
}
