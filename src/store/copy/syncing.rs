//! The thread that syncs the copy a second after it was written to.
//!
//! The copy needs no barrier of its own: sled has one, and what the copy lacks of sled is written again. So it is
//! synced beside the work, and sleeps while nothing is written.

use std::fs::File;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long what was written may wait for its sync.
pub(super) const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Syncs one file after the other.
#[derive(Debug)]
pub(super) struct Syncing {
    shared: Arc<Shared>,
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// The file to sync; `None` when nothing was written since.
    unsynced: Mutex<Option<Arc<File>>>,
    failed: Mutex<Option<io::Error>>,
}

impl Syncing {
    pub(super) fn start(every: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared { unsynced: Mutex::default(), failed: Mutex::default() });
        let (wake, woken) = mpsc::channel();
        let thread = thread::Builder::new().name("store-copy".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.serve(&woken, every)
        })?;
        Ok(Self { shared, wake: Some(wake), thread: Some(thread) })
    }

    /// Notes that a file was written to; fails when an earlier sync has.
    pub(super) fn note(&self, file: &Arc<File>) -> io::Result<()> {
        self.shared.failure()?;
        let before = lock(&self.shared.unsynced).replace(Arc::clone(file));
        if before.is_none()
            && let Some(wake) = &self.wake
        {
            // The thread ends with this alone.
            let _ = wake.send(());
        }
        Ok(())
    }

    /// Forgets a file that another has taken the place of.
    pub(super) fn forget(&self) {
        lock(&self.shared.unsynced).take();
    }

    /// Syncs what was written and waits for it.
    pub(super) fn now(&self) -> io::Result<()> {
        self.shared.sync();
        self.shared.failure()
    }
}

impl Shared {
    fn serve(&self, woken: &Receiver<()>, every: Duration) {
        while woken.recv().is_ok() {
            if woken.recv_timeout(every) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            self.sync();
        }
    }

    fn sync(&self) {
        let unsynced = lock(&self.unsynced).take();
        if let Some(Err(error)) = unsynced.map(|file| file.sync_data()) {
            lock(&self.failed).get_or_insert(error);
        }
    }

    fn failure(&self) -> io::Result<()> {
        let failed = lock(&self.failed);
        failed.as_ref().map_or(Ok(()), |error| match error.raw_os_error() {
            Some(code) => Err(io::Error::from_raw_os_error(code)),
            None => Err(error.kind().into()),
        })
    }
}

impl Drop for Syncing {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            // It does nothing that could panic.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_synced_by_itself_and_after_that_nothing_is() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let syncing = Syncing::start(Duration::ZERO).unwrap();
        for _ in 0..3 {
            syncing.note(&file).unwrap();
            // The thread alone takes it here.
            while lock(&syncing.shared.unsynced).is_some() {
                thread::yield_now();
            }
        }
        syncing.now().unwrap();
    }

    #[test]
    fn a_sync_that_failed_is_told_to_whoever_writes_next() {
        // What no file is behind cannot be synced.
        let pipe = Arc::new(File::from(std::os::fd::OwnedFd::from(std::io::pipe().unwrap().1)));
        let syncing = Syncing::start(Duration::from_mins(10)).unwrap();
        syncing.note(&pipe).unwrap();
        assert!(syncing.now().is_err());
        assert!(syncing.note(&pipe).is_err());
    }
}
