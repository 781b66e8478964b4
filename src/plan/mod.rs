//! What must happen so that Apollo holds what the files say, as a value.
//!
//! A pure function of what was read before: never reads files, state, clock or network, so the same
//! input gives the same plan. Executing it is `ops::apply`'s work, wording it is `ui`'s.

mod action;
mod batches;
mod brakes;
mod build;
mod counts;
mod difference;
mod order;
mod renames;
mod resume;
mod scope;
#[cfg(test)]
mod tests;

pub use action::{Action, Change, Dispute, Evidence, Operation, Reason, Setting};
pub(crate) use batches::{Batches, FEW_IMPORTS, Order, PAGES_OF_AN_ACCOUNT, goes_by_batch, one_each};
pub use batches::{Creates, OneEach};
pub use brakes::{Brake, BrakeKind, Limit, Managed, Policy};
pub use build::{Input, plan, plan_beside};
pub use counts::Counts;
pub use difference::Known;
pub(crate) use order::{first_request, hands_over, looked_for, shared_names};
pub use resume::{Remainder, remainder};
pub use scope::{KeyPattern, Scope};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::model::{Batching, ContactKey, Digest, Endpoint, Field, IntentId, Lineage, Place, Serial};

/// What would be done, sorted by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub lineage: Lineage,
    pub serial: Serial,
    pub actions: Vec<Action>,
    /// Which keys the plan is for.
    pub scope: Scope,
    /// Declared contacts that need nothing.
    pub unchanged: usize,
    /// Whether it was made from what Apollo holds, and not from what was applied alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refreshed: bool,
    /// Limits that this plan passes; enforced when it is applied.
    pub brakes: Vec<Brake>,
    /// Declared fields that were sent and that Apollo did not keep; nothing is sent for them again.
    pub dropped: Vec<(Place, Field)>,
    /// Records of the state that lost their meaning; set right with the next write, never shown.
    pub housekeeping: Housekeeping,
}

/// Records whose entry changed or went, so that nothing depends on them as they are any more.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Housekeeping {
    pub conflicts: Vec<ContactKey>,
    pub intents: Vec<IntentId>,
    /// Bound keys whose entries changed in nothing that is managed, `moved_from` for example: they stand as declared,
    /// and it is noted again that they do.
    pub standing: Vec<ContactKey>,
}

impl Housekeeping {
    pub fn is_empty(&self) -> bool {
        self.conflicts.is_empty() && self.intents.is_empty() && self.standing.is_empty()
    }
}

/// Actions as a digest covers them, without the paths: which file an entry stands in is covered by the files.
struct Reviewed<'a>(&'a [Action]);

impl Serialize for Reviewed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Action::without_paths))
    }
}

impl Plan {
    /// Reports whether nothing has to be done and nobody has to decide anything.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    pub fn counts(&self) -> Counts {
        Counts::of(&self.actions)
    }

    /// Finds again the limits that the plan exceeds, after actions were taken out of it or let through.
    ///
    /// `managed` are the contacts in the state, of which some limits are a share; actions that `is_let_through`
    /// count for none.
    pub fn brake_again(&mut self, policy: &Policy, managed: Managed, is_let_through: impl Fn(&Action) -> bool) {
        let counted = self.actions.iter().filter(|action| !is_let_through(action));
        self.brakes = policy.brakes(&Counts::of(counted), managed);
    }

    /// Counts the requests that applying the plan takes when everything goes well.
    ///
    /// An upper bound where the answer of an earlier request decides whether a later one is needed.
    pub fn requests(&self, batching: Batching) -> BTreeMap<Endpoint, usize> {
        Batches::of(&self.actions, batching).requests()
    }

    /// Names everything that a reviewer of this plan approves, the input files included.
    ///
    /// `api` is the origin of the API that it would be sent to; `files` is the digest of the contact files that were read,
    /// names below their directory included. How that directory is spelled decides nothing.
    pub fn digest(&self, api: &str, files: &[u8; 32]) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(files);
        // A state gets its lineage with its first write, which must not make the plan before it another one.
        let lineage = (self.serial != Serial(0)).then_some(&self.lineage);
        let reviewed = (api, lineage, self.serial, Reviewed(&self.actions));
        serde_json::to_writer(&mut hasher, &reviewed).expect("a plan is plain data, and hashing does not fail");
        if !self.scope.is_whole() {
            serde_json::to_writer(&mut hasher, &self.scope).expect("patterns are text, and hashing does not fail");
        }
        Digest(hasher.finalize().to_hex()[..32].to_owned())
    }
}
