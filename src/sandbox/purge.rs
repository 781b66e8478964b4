//! Taking people out of a sandbox's data for good: the log is written again without them.
//!
//! Only while nobody else has the data.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::Error;
use super::book::Book;
use super::log;
use super::owner::Claim;
use crate::private_dir::PrivateDir;

/// Removes the contacts of these ids, whether they were deleted or merged or not; returns how many there were.
///
/// # Errors
///
/// [`Error::Owned`] where a sandbox runs on the data.
pub async fn purge(data: &Path, ids: BTreeSet<String>) -> Result<usize, Error> {
    let Some(data) = PrivateDir::open(data)? else { return Ok(0) };
    let claim = Claim::take(&data).await?;
    let purging = tokio::task::spawn_blocking(move || {
        log::rewrite(&data, &mut Book::new(0, Duration::ZERO), |book| ids.iter().filter(|id| book.erase(id)).count())
    });
    let purged = purging.await.map_err(|source| Error::Task { source })?;
    drop(claim);
    purged
}
