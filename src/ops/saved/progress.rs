//! What the state remembers of saved plans: beginning one, and forgetting the one before.

use tokio::task::JoinSet;

use crate::model::{ContactKey, Digest};
use crate::state::{CHANGES_PER_COMMIT, Change, Error};
use crate::store::Store;

/// Notes that a plan is applied from here on, and drops the marks of the plan before.
///
/// The row changes first: marks of another plan mean nothing, so a crash in between leaves no half of one.
pub(super) async fn begin(store: &Store, digest: &Digest) -> Result<(), Error> {
    let spent = store.plan_progress().await?.spent;
    store.commit(vec![Change::BeginPlan(digest.clone())]).await?;
    drop_marks(store, spent.into_iter().filter(|(_, plan)| plan != digest).map(|(key, _)| key).collect()).await
}

/// Forgets the saved plan that was applied last, since another apply comes after it.
pub(in super::super) async fn forget(store: &Store) -> Result<(), Error> {
    let progress = store.plan_progress().await?;
    if progress.plan.is_some() {
        store.commit(vec![Change::EndPlan]).await?;
    }
    drop_marks(store, progress.spent.into_keys().collect()).await
}

async fn drop_marks(store: &Store, keys: Vec<ContactKey>) -> Result<(), Error> {
    // Commits made at the same time share a barrier.
    let mut commits = JoinSet::new();
    for keys in keys.chunks(CHANGES_PER_COMMIT) {
        let changes = keys.iter().cloned().map(|key| Change::DropSpent { key }).collect();
        let store = store.clone();
        commits.spawn(async move { store.commit(changes).await });
    }
    while let Some(done) = commits.join_next().await {
        done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    }
    Ok(())
}
