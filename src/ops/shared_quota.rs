//! What the runners of a team share of the quota, shown as the ledgers of one state are: so that a plan foresees by it.
//!
//! Draws nothing and changes nothing.

use crate::model::Timestamp;
use crate::quota::{Ledger, Pool};
use crate::state::Snapshot;
use crate::store::SharedQuota;

/// Puts what is shared into the place of the snapshot's own ledgers; `now` is the time on this machine.
pub(super) fn show(snapshot: &mut Snapshot, shared: &SharedQuota, now: Timestamp) {
    for (&endpoint, text) in &shared.pools {
        // One that cannot be read starts over, so nothing is known of it.
        let Ok(pool) = Pool::load(text) else { continue };
        let mut ledger = Ledger::default();
        ledger.mirror(&pool, shared.now, now);
        snapshot.quota.insert(endpoint, ledger.save());
    }
}
