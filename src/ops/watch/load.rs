//! The one place where a service reads the contact files.

use std::sync::Arc;

use crate::ops::{Desired, LoadError, Loader, Stop};
use crate::watcher::Look;

/// Reads the files; `None` when the service is to end first, which leaves the reading behind.
///
/// Parsing takes every core for a while, and a dead network mount takes for ever; the loop stays able to hear a
/// signal meanwhile.
pub(super) async fn load(files: Loader, look: &Look, stop: &Stop) -> Option<Result<Desired, Arc<LoadError>>> {
    match look {
        Look::Rescan => tracing::debug!("looking at everything"),
        Look::Changed(directories) => tracing::debug!(?directories, "looking at what changed"),
    }
    let reading = tokio::task::spawn_blocking(move || files.load());
    tokio::select! {
        read = reading => {
            Some(read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())).map_err(Arc::new))
        }
        () = stop.requested_for_good() => None,
    }
}
