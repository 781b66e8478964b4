//! sled while it is open, and letting go of it.
//!
//! sled syncs its log as it goes, and panics when that fails. Here it never does, whoever lets go of it and why.

use std::ops::Deref;
use std::path::Path;

use super::error::Error;
use super::panics;

/// sled, open. Whoever has read or written it in order calls [`Guard::close`]; one that is dropped says nothing.
#[derive(Debug)]
pub(super) struct Guard(Option<sled::Db>);

impl Guard {
    pub(super) fn new(db: sled::Db) -> Self {
        Self(Some(db))
    }

    /// Lets go of sled; an error says that its last sync failed. Any clone of it must be gone.
    pub(super) fn close(mut self, state: &Path) -> Result<(), Error> {
        self.release().map_err(|panic| {
            tracing::debug!("sled stopped as it was closed: {panic}");
            Error::NotClosed { path: state.to_owned() }
        })
    }

    fn release(&mut self) -> Result<(), String> {
        let db = self.0.take();
        panics::catch(move || drop(db))
    }
}

impl Deref for Guard {
    type Target = sled::Db;

    fn deref(&self) -> &sled::Db {
        self.0.as_ref().expect("it is given back only by what consumes the guard")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Dropped before it was closed: what went wrong before is what is told.
        if let Err(panic) = self.release() {
            tracing::debug!("sled stopped as it was dropped: {panic}");
        }
    }
}
