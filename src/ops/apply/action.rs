//! Carries out one action of a plan, each kind by its own.

use crate::model::{Entry, MatchedBy, Origin, PackedEntry};
use crate::ops::problem;
use crate::plan::{Action, Operation, Reason};

use super::outcome::create::Asked;
use super::performer::{End, Performer, Trouble};

impl Performer<'_> {
    /// Of a batch a hundred work side by side: whatever few of them come to takes no room in the others.
    pub(super) async fn perform(&self, action: &Action) -> Result<End, Trouble> {
        match &action.operation {
            Operation::Create { entry } => self.create(&self.entry(entry), asked(action.reason)).await,
            Operation::Adopt { id, entry, evidence } => {
                // Whom a look found must still be the one that the entry means.
                let found = || Origin::Matched(MatchedBy::LookUp);
                let origin = evidence.as_ref().map_or(Origin::Adopted, |_| found());
                Box::pin(self.adopt(id, &self.entry(entry), origin)).await
            }
            Operation::Restore { id, entry } => Box::pin(self.restore(id, &self.entry(entry))).await,
            Operation::Update { id, entry, changes } => Box::pin(self.update(id, &self.entry(entry), changes)).await,
            Operation::Move { from, id, entry, changes } => {
                // A move by hand looks at no doubt, so it ends none.
                let ends_doubt = action.reason != Reason::AskedFor;
                Box::pin(self.rename(from, id, &self.entry(entry), changes, ends_doubt)).await
            }
            Operation::Release { id, entry, .. } => self.release(id, &self.entry(entry)).await,
            Operation::Forget { id } => self.forget(id).await,
            Operation::Settle { intent_id, intent, entry } => {
                let entry = entry.as_ref().map(|entry| self.entry(entry));
                Box::pin(self.settle(*intent_id, intent, entry.as_ref(), asked(action.reason))).await
            }
            Operation::Conflict { dispute, entry } => {
                Err(Trouble::failed(problem::undecided(dispute, &self.entry(entry))))
            }
            Operation::Contradiction { bound, declared, owner, entry } => {
                Err(Trouble::failed(problem::contradiction(bound, declared, owner.as_ref(), &self.entry(entry))))
            }
        }
    }

    fn entry(&self, entry: &PackedEntry) -> Entry {
        entry.unpack_at(self.place.clone())
    }
}

/// Tells what a person said about a create, by the reason it is in the plan for.
fn asked(reason: Reason) -> Asked {
    if reason == Reason::AskedFor { Asked::Anyway } else { Asked::Nothing }
}
