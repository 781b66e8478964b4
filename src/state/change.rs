//! What callers can change of a state.

use crate::model::{Binding, BulkCreate, Conflict, ContactKey, Digest, Endpoint, Intent, IntentId, Names, Tombstone};

/// How many changes always fit one commit: each writes up to three rows, of 99 that a commit may have.
///
/// A rename also rewrites the key's intents, of which there are rarely any.
pub const CHANGES_PER_COMMIT: usize = 30;

/// One change. Those of one commit apply in order, and all of them or none.
///
/// Dropping, removing or renaming what is not there changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Binds a key, or replaces its binding. The contact must not belong to another key.
    PutBinding {
        key: ContactKey,
        binding: Box<Binding>,
    },
    /// Removes the binding and remembers that it was.
    Forget {
        key: ContactKey,
        tombstone: Tombstone,
    },
    /// Removes the binding without a memory.
    RemoveBinding {
        key: ContactKey,
    },
    /// Moves binding, conflict and intents to another key, which must not be bound.
    Rename {
        from: ContactKey,
        to: ContactKey,
    },
    /// Writes an intent, or replaces it.
    PutIntent {
        id: IntentId,
        intent: Box<Intent>,
    },
    DropIntent {
        id: IntentId,
    },
    PutConflict(Conflict),
    DropConflict {
        key: ContactKey,
    },
    DropTombstone {
        key: ContactKey,
    },
    /// Replaces the quota ledger of an endpoint; the text is the caller's.
    PutQuota {
        endpoint: Endpoint,
        ledger: String,
    },
    /// Replaces a part of what is known of everybody in the account, or removes it; the text is the caller's.
    PutAccount {
        part: u32,
        text: Option<String>,
    },
    /// Replaces the keyed hash of the credential; the text is the caller's.
    PutCredential(String),
    /// Notes the team whose contacts these are, by Apollo's id of it.
    PutTeam(String),
    /// Notes how far creating many contacts in one request is known to work.
    PutBulkCreate(BulkCreate),
    /// Keeps names that Apollo has told, of the kinds that are there.
    PutNames(Names),
    /// Notes that a saved plan is applied from here on, until this store closes or another begins.
    BeginPlan(Digest),
    /// Forgets the saved plan that was applied last: another apply comes after it.
    EndPlan,
    /// Notes that the action of a key is done and must not be done again under this plan.
    SpendAction {
        plan: Digest,
        key: ContactKey,
    },
    DropSpent {
        key: ContactKey,
    },
}

impl Change {
    pub(crate) fn intent_written(&self) -> Option<IntentId> {
        match self {
            Self::PutIntent { id, .. } => Some(*id),
            _ => None,
        }
    }
}
