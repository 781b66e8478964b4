//! Releases the lease on a state in a database when a signal ends the process outside of a run. Otherwise the lease would
//! keep other processes away until it ends by itself.
//!
//! Never touches a state on this machine, which the system releases with the process.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::watch;

use crate::store::Lease;

/// How long a signal waits for a state that is being opened, and for its lease to be released.
const PATIENCE: Duration = Duration::from_secs(2);

static HELD: LazyLock<watch::Sender<Held>> = LazyLock::new(|| watch::Sender::new(Held::Nothing));

enum Held {
    Nothing,
    /// The lease may be taken already.
    Opening,
    Open(Lease),
}

/// Notes that a state is being opened.
pub(super) fn is_being_taken() {
    HELD.send_replace(Held::Opening);
}

/// Notes the result; `None` also after the lease was released.
pub(super) fn is_held(lease: Option<Lease>) {
    HELD.send_replace(lease.map_or(Held::Nothing, Held::Open));
}

/// Gives the lease back that this process has, if it has one. Takes a few seconds at most.
pub(super) async fn give_back() {
    let mut held = HELD.subscribe();
    let opened = async {
        let opened = held.wait_for(|held| !matches!(held, Held::Opening)).await.ok()?;
        match &*opened {
            Held::Open(lease) => Some(lease.clone()),
            Held::Nothing | Held::Opening => None,
        }
    };
    let Ok(Some(lease)) = tokio::time::timeout(PATIENCE, opened).await else { return };
    match tokio::time::timeout(PATIENCE, lease.give_back()).await {
        Ok(Ok(())) => {}
        // It ends by itself; there is nobody left to tell.
        failed => tracing::debug!(?failed, "the lease could not be given back"),
    }
}
