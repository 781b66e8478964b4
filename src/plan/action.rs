//! One step of a plan: what, to whom, and why.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    ApolloId, ConflictCause, ContactKey, Endpoint, Field, Intent, IntentId, PackedEntry, Place, Texts, Value,
};

/// What is to be done for one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Where the entry is, or was before it disappeared from the files.
    pub place: Place,
    pub reason: Reason,
    pub operation: Operation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Send the entry to Apollo, which may match it to a contact it has.
    Create { entry: PackedEntry },
    /// Bind the key to the contact that the entry names, or that a look found by its e-mail.
    Adopt {
        id: ApolloId,
        entry: PackedEntry,
        /// What a look found; `None` where the entry names the contact.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Box<Evidence>>,
    },
    /// Bind the key to the contact it had before it was forgotten.
    Restore { id: ApolloId, entry: PackedEntry },
    /// Send the fields that differ; some of the changes may be releases.
    Update { id: ApolloId, entry: PackedEntry, changes: Vec<Change> },
    /// Give the contact of another key to this one, and send what differs.
    Move { from: ContactKey, id: ApolloId, entry: PackedEntry, changes: Vec<Change> },
    /// Stop managing fields; nothing is sent.
    Release { id: ApolloId, entry: PackedEntry, changes: Vec<Change> },
    /// Stop managing the contact; it stays in Apollo as it is.
    Forget { id: ApolloId },
    /// Find out what became of a create that was sent and not answered.
    Settle {
        intent_id: IntentId,
        intent: Box<Intent>,
        /// The entry as declared now, under this action's key; `None` when it is gone.
        entry: Option<PackedEntry>,
    },
    /// Nothing is sent until a person has decided.
    Conflict { dispute: Dispute, entry: PackedEntry },
    /// The entry names another contact than the one it is bound to.
    Contradiction { bound: ApolloId, declared: ApolloId, owner: Option<ContactKey>, entry: PackedEntry },
}

/// What tells that a contact is the one that an entry means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is called in Apollo, and where it works; empty where that is not shown.
    pub name: String,
    pub company: String,
    /// The fields that differ there.
    pub changes: Vec<Change>,
}

/// What stands between an entry and its contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dispute {
    /// Apollo takes this entry and another key for the same person.
    Collision { id: ApolloId, other: ContactKey },
    /// Apollo matched the entry to another person.
    Stranger { id: ApolloId },
    /// Apollo matched the entry to a contact that no search showed, and may have overwritten it.
    UnseenMatch { id: ApolloId },
    /// Apollo holds contacts of the same name that it could match to the entry.
    Namesakes { ids: Vec<ApolloId> },
    /// More than one contact could be the entry.
    Several { ids: Vec<ApolloId> },
    /// The bound contact was deleted in Apollo.
    Gone { id: ApolloId },
    /// The bound contact was merged into another one in Apollo, which may belong to another key.
    Merged { id: ApolloId, survivor: ApolloId, owner: Option<ContactKey> },
}

/// Why an action is in the plan; a hint, and further ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    NotInState,
    DeclaresApolloId,
    /// A look found exactly one contact with its e-mail.
    SameEmailInApollo,
    /// Its contact was deleted in Apollo, and the user asks for a new one.
    Recreate,
    /// The user asks for it by a command of its own.
    AskedFor,
    /// The key was forgotten, and the same person is declared again.
    CameBack,
    FieldsDiffer,
    /// Bound, but these fields were never confirmed.
    StillPending,
    /// An earlier update was sent and not answered.
    UpdateInDoubt,
    /// The entry says so by `moved_from`.
    MovedFrom,
    /// The old key is gone and the new one has its e-mail.
    SameEmail,
    /// The old key is gone and the new one has its name and company.
    SamePerson,
    NoLongerDeclared,
    GoneFromFiles,
    CreateUnanswered,
    Undecided,
}

/// One field that differs between what is declared and what was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub field: Field,
    /// What Apollo is known to hold; `None` when that is not known.
    pub before: Option<Value>,
    pub after: Setting,
}

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// It is sent; an empty value clears.
    Set(Value),
    /// It is no longer ours; nothing is sent.
    Released,
}

impl Dispute {
    /// Tells what a recorded cause about contact `id` means for its entry.
    pub fn of(id: &ApolloId, cause: &ConflictCause) -> Self {
        let id = id.clone();
        match cause {
            ConflictCause::Collision { other, .. } => Self::Collision { id, other: other.clone() },
            ConflictCause::Stranger => Self::Stranger { id },
            ConflictCause::UnseenMatch => Self::UnseenMatch { id },
            ConflictCause::Namesakes { ids } => Self::Namesakes { ids: ids.clone() },
            ConflictCause::Several { ids } => Self::Several { ids: ids.clone() },
        }
    }
}

impl Operation {
    /// Returns what the files declare; `None` for what is gone from them.
    pub fn entry(&self) -> Option<&PackedEntry> {
        match self {
            Self::Create { entry }
            | Self::Adopt { entry, .. }
            | Self::Restore { entry, .. }
            | Self::Update { entry, .. }
            | Self::Move { entry, .. }
            | Self::Release { entry, .. }
            | Self::Conflict { entry, .. }
            | Self::Contradiction { entry, .. } => Some(entry),
            Self::Settle { entry, .. } => entry.as_ref(),
            Self::Forget { .. } => None,
        }
    }

    /// Lists the fields that change, of an operation that says which they are.
    pub fn changes(&self) -> &[Change] {
        match self {
            Self::Update { changes, .. } | Self::Move { changes, .. } | Self::Release { changes, .. } => changes,
            Self::Create { .. }
            | Self::Adopt { .. }
            | Self::Restore { .. }
            | Self::Settle { .. }
            | Self::Forget { .. }
            | Self::Conflict { .. }
            | Self::Contradiction { .. } => &[],
        }
    }

    fn entry_mut(&mut self) -> Option<&mut PackedEntry> {
        match self {
            Self::Create { entry }
            | Self::Adopt { entry, .. }
            | Self::Restore { entry, .. }
            | Self::Update { entry, .. }
            | Self::Move { entry, .. }
            | Self::Release { entry, .. }
            | Self::Conflict { entry, .. }
            | Self::Contradiction { entry, .. } => Some(entry),
            Self::Settle { entry, .. } => entry.as_mut(),
            Self::Forget { .. } => None,
        }
    }
}

impl Change {
    /// Reports whether the change takes a request.
    pub fn sends(&self) -> bool {
        matches!(self.after, Setting::Set(_))
    }
}

impl Operation {
    /// Returns the contact it is about, where that is known before it begins.
    pub(crate) fn known_id(&self) -> Option<ApolloId> {
        match self {
            Self::Adopt { id, .. }
            | Self::Restore { id, .. }
            | Self::Update { id, .. }
            | Self::Move { id, .. }
            | Self::Release { id, .. }
            | Self::Forget { id } => Some(id.clone()),
            Self::Create { .. } | Self::Settle { .. } | Self::Conflict { .. } | Self::Contradiction { .. } => None,
        }
    }
}

impl Action {
    pub fn key(&self) -> &ContactKey {
        &self.place.key
    }

    /// Returns what the files declare for the key; `None` when it is gone from them.
    pub fn entry(&self) -> Option<&PackedEntry> {
        self.operation.entry()
    }

    /// Copies the action without the paths of the files that it comes from, which are spelled as somebody named their
    /// directory.
    #[must_use]
    pub fn without_paths(&self) -> Self {
        let mut action = self.clone();
        let nowhere: Arc<Path> = Path::new("").into();
        if let Some(entry) = action.operation.entry_mut() {
            *entry = entry.without_path();
        }
        if let Operation::Settle { intent, .. } = &mut action.operation {
            intent.path.clear();
        }
        action.place.path = nowhere;
        action
    }

    /// Lists the keys whose records the action changes: its own, and the one it takes over from.
    pub fn keys(&self) -> impl Iterator<Item = &ContactKey> {
        let other = match &self.operation {
            Operation::Move { from, .. } => Some(from),
            Operation::Settle { intent, .. } => Some(&intent.key),
            _ => None,
        };
        [Some(self.key()), other.filter(|other| *other != self.key())].into_iter().flatten()
    }

    pub(super) fn touches(&self, keys: &BTreeSet<ContactKey>) -> bool {
        self.keys().any(|key| keys.contains(key))
    }

    pub(crate) fn requests(&self) -> Vec<Endpoint> {
        match &self.operation {
            Operation::Create { entry } => {
                let lists = entry.lists().next().map(|_| Endpoint::AddToLists);
                looks(entry).into_iter().chain([Endpoint::CreateContact]).chain(lists).collect()
            }
            Operation::Adopt { evidence: Some(evidence), .. } => {
                let writes = writes(evidence.changes.iter().filter_map(|change| match &change.after {
                    Setting::Set(value) => Some((&change.field, change.before.as_ref(), value)),
                    Setting::Released => None,
                }));
                [Endpoint::ViewContact].into_iter().chain(writes).collect()
            }
            Operation::Adopt { entry, .. } | Operation::Restore { entry, .. } => {
                let entry = entry.unpack();
                let writes = writes(entry.fields.iter().map(|(field, value)| (field, None, value)));
                [Endpoint::ViewContact].into_iter().chain(writes).collect()
            }
            Operation::Update { changes, .. } | Operation::Move { changes, .. } => {
                writes(changes.iter().filter_map(|change| match &change.after {
                    Setting::Set(value) => Some((&change.field, change.before.as_ref(), value)),
                    Setting::Released => None,
                }))
            }
            Operation::Settle { entry, .. } => {
                // What is new is read first, and then searched for.
                let send_again = entry.is_some().then_some(Endpoint::CreateContact);
                [Endpoint::SearchContacts; 2].into_iter().chain(send_again).collect()
            }
            Operation::Release { .. }
            | Operation::Forget { .. }
            | Operation::Conflict { .. }
            | Operation::Contradiction { .. } => Vec::new(),
        }
    }

    /// Lists those of the requests that what Apollo holds may make needless.
    pub(super) fn spared(&self) -> Vec<Endpoint> {
        let mut requests = self.requests();
        match &self.operation {
            // Where the contact stands as it is declared, nothing is written.
            Operation::Adopt { evidence: None, .. } | Operation::Restore { .. } => {
                requests.retain(|endpoint| *endpoint != Endpoint::ViewContact);
                requests
            }
            // Where the first look shows what became of it, the rest is not needed.
            Operation::Settle { .. } => requests,
            _ => Vec::new(),
        }
    }
}

/// Lists the searches for an entry before it is created: by its e-mail, and by its name.
fn looks(entry: &PackedEntry) -> Vec<Endpoint> {
    let by_email = entry.says(&Field::Email);
    let by_name = (entry.run_dedupe() || !by_email) && (entry.says(&Field::FirstName) || entry.says(&Field::LastName));
    vec![Endpoint::SearchContacts; usize::from(by_email) + usize::from(by_name)]
}

/// Lists the writes that bring the given fields from their known values to the declared ones.
fn writes<'a>(changes: impl Iterator<Item = (&'a Field, Option<&'a Value>, &'a Value)>) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for (_, before, after) in changes {
        match (before, after) {
            (_, Value::Text(_)) => endpoints.push(Endpoint::UpdateContact),
            (Some(Value::Lists(before)), Value::Lists(after)) => {
                endpoints.extend((!after.is_subset(before)).then_some(Endpoint::AddToLists));
                endpoints.extend((!before.is_subset(after)).then_some(Endpoint::RemoveFromLists));
            }
            (_, Value::Lists(after)) => endpoints.extend((!after.is_empty()).then_some(Endpoint::AddToLists)),
        }
    }
    endpoints.sort_unstable();
    endpoints.dedup();
    endpoints
}
