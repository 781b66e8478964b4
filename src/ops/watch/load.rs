//! The one place where a service reads the contact files.

use std::sync::Arc;

use crate::aside::aside;
use crate::ops::{Desired, LoadError, Loader, Stop};
use crate::watcher::{Look, Watcher};

/// How often files are read in one pass when others are opened for writing meanwhile.
const READINGS: usize = 8;

/// Reads the files; `None` when the service is to end first, which leaves the reading behind.
///
/// A file that is being written is left out, also when that began while it was read.
///
/// Parsing takes every core for a while, and a dead network mount takes for ever; the loop stays able to hear a
/// signal meanwhile.
pub(super) async fn load(
    files: Loader,
    watcher: &Watcher,
    look: &Look,
    stop: &Stop,
) -> Option<Result<Desired, Arc<LoadError>>> {
    match look {
        Look::Rescan => tracing::debug!("looking at everything"),
        Look::Changed(directories) => tracing::debug!(?directories, "looking at what changed"),
    }
    for left in (0..READINGS).rev() {
        let being_written = watcher.being_written();
        let files = files.clone().leaving_out(&being_written);
        let read = tokio::select! {
            read = aside(move || files.load()) => read,
            () = stop.requested_for_good() => return None,
        };
        let begun = watcher.being_written().iter().any(|path| !being_written.contains(path));
        if !begun || left == 0 {
            return Some(read.map_err(Arc::new));
        }
        tracing::debug!("a file was opened for writing while it was read; reading again");
    }
    None
}
