//! Actions that are done in the state: moving, releasing, forgetting.
//!
//! Sends nothing itself; a move with changes is handed on once it is recorded.

use crate::failpoints::{self, reached};
use crate::model::{ApolloId, ContactKey, Entry, Intent, IntentId};
use crate::plan::Change as FieldChange;
use crate::state::Change;

use super::bring_up::Effort;
use super::outcome::binding::{complete, release_undeclared};
use super::performer::{End, Performer, Trouble};
use crate::ops::Step;

impl Performer<'_> {
    pub(super) async fn rename(
        &self,
        from: &ContactKey,
        id: &ApolloId,
        entry: &Entry,
        changes: &[FieldChange],
        ends_doubt: bool,
    ) -> Result<End, Trouble> {
        let mut binding = self.binding(from).await?;
        release_undeclared(&mut binding, entry);
        binding.path = entry.place.path.display().to_string();
        let sends = changes.iter().any(FieldChange::sends);
        // An entry that takes over a contact by its id may have a create in doubt of its own.
        let open: Vec<_> = self.open_intents(from).chain(self.open_intents(entry.key())).collect();
        let stays_in_doubt = !ends_doubt && !open.is_empty();
        if sends || stays_in_doubt || binding.gone_at.is_some() {
            binding.fingerprint = None;
        } else {
            complete(&mut binding, entry);
        }
        let mut writes = vec![
            Change::Rename { from: from.clone(), to: entry.key().clone() },
            Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) },
            Change::DropConflict { key: entry.key().clone() },
            Change::DropTombstone { key: entry.key().clone() },
        ];
        if !sends && ends_doubt {
            writes.extend(open.iter().map(|&id| Change::DropIntent { id }));
        }
        writes.extend(self.spent().filter(|_| !sends));
        self.record(writes).await?;
        reached(failpoints::Step::RenameWritten);
        if ends_doubt {
            self.warn_of_doubts(entry.key(), id, |_| false);
        }
        if !sends {
            return Ok(End::Done(Step::Move, Some(id.clone())));
        }
        match self.bring_up(entry, binding, changes, Effort { open: &open, ..Effort::default() }).await {
            Ok(()) => Ok(End::Done(Step::Update, Some(id.clone()))),
            Err(trouble) => Err(trouble.after_binding(Step::Move, id.clone())),
        }
    }

    pub(super) async fn release(&self, id: &ApolloId, entry: &Entry) -> Result<End, Trouble> {
        let mut binding = self.binding(entry.key()).await?;
        release_undeclared(&mut binding, entry);
        complete(&mut binding, entry);
        let mut writes = vec![Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding) }];
        writes.extend(self.open_intents(entry.key()).map(|id| Change::DropIntent { id }));
        writes.extend(self.spent());
        self.record(writes).await?;
        reached(failpoints::Step::ReleaseWritten);
        Ok(End::Done(Step::Release, Some(id.clone())))
    }

    pub(super) async fn forget(&self, id: &ApolloId) -> Result<End, Trouble> {
        let key = &self.place.key;
        let found = self.session.store().binding(key).await.map_err(|error| self.store_trouble(&error))?;
        let Some(binding) = found else {
            // Only the memory of a contact was left to forget.
            let memory = [Change::DropTombstone { key: key.clone() }];
            self.record(memory.into_iter().chain(self.spent()).collect()).await?;
            return Ok(End::Done(Step::Forget, Some(id.clone())));
        };
        let mut writes = vec![
            Change::Forget { key: key.clone(), tombstone: self.tombstone(id, &binding.last_known()) },
            Change::DropConflict { key: key.clone() },
        ];
        // A contact that is gone is nothing to come back to.
        writes.extend(binding.gone_at.map(|_| Change::DropTombstone { key: key.clone() }));
        // A create in doubt is settled like that of any other key that is gone.
        let is_write = |(_, intent): &(&IntentId, &Intent)| intent.key == *key && !intent.endpoint.creates();
        writes.extend(self.job.open.iter().filter(is_write).map(|(&id, _)| Change::DropIntent { id }));
        writes.extend(self.spent());
        self.record(writes).await?;
        reached(failpoints::Step::ForgetWritten);
        Ok(End::Done(Step::Forget, Some(id.clone())))
    }
}
