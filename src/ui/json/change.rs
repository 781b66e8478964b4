//! One action of a plan as JSON: what becomes of which contact, from what to what, and why.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::values::Values;
use crate::model::{ApolloId, ContactKey, Field, Glossary};
use crate::plan::{Action, Change as FieldChange, Dispute, Operation, Reason, Setting};
use crate::ui::Mask;

/// The type of every resource that there is.
const CONTACT: &str = "contact";

/// What is done to a contact, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionName {
    /// Sent to Apollo, which may match it to a contact it has.
    Create,
    /// Bound to the contact that the entry names.
    Import,
    /// Bound to the contact that the key had before it was forgotten.
    Restore,
    Update,
    /// The contact of another key is given to this one.
    Move,
    /// Fields are no longer managed; nothing is sent.
    Release,
    /// No longer managed; it stays in Apollo as it is.
    Forget,
    /// It is found out what became of a create that was not answered.
    Settle,
    /// A person has to decide; nothing is done.
    Decide,
}

/// What an action does, in the words of Terraform's plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum TerraformAction {
    #[serde(rename = "no-op")]
    NoOp,
    #[serde(rename = "create")]
    Create,
    #[serde(rename = "read")]
    Read,
    #[serde(rename = "update")]
    Update,
    #[serde(rename = "forget")]
    Forget,
}

/// One action of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct ResourceChange<'a> {
    /// `contact.KEY`.
    pub address: String,
    /// The address it had before, for a move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_address: Option<String>,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The key.
    pub name: &'a str,
    pub action: ActionName,
    pub action_reason: Reason,
    pub change: Change<'a>,
    pub source: Source,
    /// What a person has to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision<'a>>,
}

/// One action of a plan, as the records tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedChange<'a> {
    pub resource: Resource,
    /// The key it had before, for a move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_resource: Option<Resource>,
    pub action: ActionName,
    pub reason: Reason,
    #[serde(flatten)]
    pub change: Change<'a>,
    pub source: Source,
    /// What a person has to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision<'a>>,
}

/// Which contact it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resource {
    /// `contact.KEY`.
    pub addr: String,
    #[serde(rename = "resource_type")]
    pub kind: &'static str,
    /// The key.
    #[serde(rename = "resource_name")]
    pub name: String,
}

impl Resource {
    pub(super) fn of(key: &ContactKey) -> Self {
        Self { addr: key.address(), kind: CONTACT, name: key.as_str().to_owned() }
    }
}

/// From what to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change<'a> {
    pub actions: [TerraformAction; 1],
    /// What was last applied of the fields concerned; null for a contact that was not managed.
    pub before: Option<Values<'a>>,
    /// What is declared; null for a contact that is no longer managed.
    pub after: Option<Values<'a>>,
    /// What is known only after the apply.
    pub after_unknown: AfterUnknown,
    /// The names of the fields that differ.
    pub changed: Vec<String>,
    /// What ids in `before` and `after` stand for, as far as it is known: the name of a stage, the labels of custom fields
    /// and of their options.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    pub names: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importing: Option<Importing<'a>>,
}

/// What is known only after the apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AfterUnknown {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub id: bool,
}

/// The contact in Apollo that an entry is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Importing<'a> {
    pub id: &'a str,
}

/// Where the entry is, or was before it disappeared from the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Source {
    pub filename: String,
    /// Counts from 1; absent when the entry is gone, or the file has changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// What stands between an entry and its contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Decision<'a> {
    /// Apollo takes this entry and another key for the same person.
    Collision { id: &'a str, other_address: String },
    /// Apollo matched the entry to another person.
    Stranger { id: &'a str },
    /// Apollo matched the entry to a contact that no search showed, and may have overwritten it.
    UnseenMatch { id: &'a str },
    /// Apollo holds contacts of the same name; nothing was sent.
    Namesakes { ids: Vec<&'a str> },
    /// More than one contact could be the entry.
    Several { ids: Vec<&'a str> },
    /// The bound contact was deleted in Apollo.
    Gone { id: &'a str },
    /// The bound contact was merged into another one in Apollo.
    Merged {
        id: &'a str,
        survivor_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        owner_address: Option<String>,
    },
    /// The entry names another contact than the one it is bound to.
    Contradiction {
        bound_id: &'a str,
        declared_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        owner_address: Option<String>,
    },
}

impl<'a> ResourceChange<'a> {
    /// Tells an action; `line` is where its entry stands now.
    pub(super) fn new(action: &'a Action, line: Option<usize>, names: &Glossary, mask: Mask) -> Self {
        let Action { place, reason, operation } = action;
        Self {
            address: place.key.address(),
            previous_address: previous(action).map(ContactKey::address),
            kind: CONTACT,
            name: place.key.as_str(),
            action: ActionName::of(operation),
            action_reason: *reason,
            change: Change::new(operation, names, mask),
            source: Source { filename: shown(&place.path), line },
            decision: Decision::of(operation),
        }
    }
}

impl<'a> PlannedChange<'a> {
    /// Tells an action; `line` is where its entry stands now.
    pub fn new(action: &'a Action, line: Option<usize>, names: &Glossary, mask: Mask) -> Self {
        let Action { place, reason, operation } = action;
        Self {
            resource: Resource::of(&place.key),
            previous_resource: previous(action).map(Resource::of),
            action: ActionName::of(operation),
            reason: *reason,
            change: Change::new(operation, names, mask),
            source: Source { filename: shown(&place.path), line },
            decision: Decision::of(operation),
        }
    }
}

impl<'a> PlannedChange<'a> {
    /// Tells what was written to a contact as it was imported, which is an update of it.
    pub(super) fn imported(update: &'a Action, mask: Mask) -> Self {
        let mut told = Self::new(update, None, &Glossary::default(), mask);
        told.action = ActionName::Import;
        if let Operation::Update { id, .. } = &update.operation {
            told.change.importing = Some(Importing { id: id.as_str() });
        }
        told
    }
}

/// Returns the key that a contact had before.
fn previous(action: &Action) -> Option<&ContactKey> {
    match &action.operation {
        Operation::Move { from, .. } => Some(from),
        Operation::Settle { intent, .. } if intent.key != action.place.key => Some(&intent.key),
        _ => None,
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl ActionName {
    fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Create { .. } => Self::Create,
            Operation::Adopt { .. } => Self::Import,
            Operation::Restore { .. } => Self::Restore,
            Operation::Update { .. } => Self::Update,
            Operation::Move { .. } => Self::Move,
            Operation::Release { .. } => Self::Release,
            Operation::Forget { .. } => Self::Forget,
            Operation::Settle { .. } => Self::Settle,
            Operation::Conflict { .. } | Operation::Contradiction { .. } => Self::Decide,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Import => "import",
            Self::Restore => "restore",
            Self::Update => "update",
            Self::Move => "move",
            Self::Release => "release",
            Self::Forget => "forget",
            Self::Settle => "settle",
            Self::Decide => "decide",
        }
    }
}

impl<'a> Change<'a> {
    fn new(operation: &'a Operation, names: &Glossary, mask: Mask) -> Self {
        let mut change = Self::unnamed(operation, mask);
        let values = change.before.iter().chain(&change.after);
        change.names = values.flat_map(|values| values.named(names)).collect();
        change
    }

    fn unnamed(operation: &'a Operation, mask: Mask) -> Self {
        let fields = operation.entry().map(|entry| entry.unpack().fields).unwrap_or_default();
        let declared = |id: Option<&'a ApolloId>| Values::new(id, fields.clone(), mask);
        let names = || changed(fields.iter().map(|(field, _)| field));
        let known = |id: &'a ApolloId| Values::new(Some(id), [], mask);
        let base = |action, before, after, changed| Self {
            actions: [action],
            before,
            after,
            after_unknown: AfterUnknown { id: false },
            changed,
            names: BTreeMap::new(),
            importing: None,
        };
        match operation {
            Operation::Create { .. } => Self {
                after_unknown: AfterUnknown { id: true },
                ..base(TerraformAction::Create, None, Some(declared(None)), names())
            },
            Operation::Adopt { id, evidence: Some(evidence), .. } => {
                let sends = evidence.changes.iter().any(FieldChange::sends);
                let action = if sends { TerraformAction::Update } else { TerraformAction::NoOp };
                let mut before = declared(Some(id));
                for change in &evidence.changes {
                    before.set(&change.field, change.before.as_ref());
                }
                let changed = evidence.changes.iter().map(|change| change.field.to_string()).collect();
                let importing = Some(Importing { id: id.as_str() });
                Self { importing, ..base(action, Some(before), Some(declared(Some(id))), changed) }
            }
            Operation::Adopt { id, .. } | Operation::Restore { id, .. } => {
                let action = if fields.is_empty() { TerraformAction::NoOp } else { TerraformAction::Update };
                let importing = Some(Importing { id: id.as_str() });
                Self { importing, ..base(action, None, Some(declared(Some(id))), names()) }
            }
            Operation::Update { id, changes, .. }
            | Operation::Move { id, changes, .. }
            | Operation::Release { id, changes, .. } => {
                let sends = changes.iter().any(FieldChange::sends);
                let action = if sends { TerraformAction::Update } else { TerraformAction::NoOp };
                let mut before = declared(Some(id));
                let mut after = before.clone();
                for change in changes {
                    before.set(&change.field, change.before.as_ref());
                    if let Setting::Set(value) = &change.after {
                        after.set(&change.field, Some(value));
                    }
                }
                base(action, Some(before), Some(after), changed(changes.iter().map(|change| &change.field)))
            }
            Operation::Forget { id } => base(TerraformAction::Forget, Some(known(id)), None, Vec::new()),
            Operation::Settle { entry, .. } => Self {
                after_unknown: AfterUnknown { id: true },
                ..base(TerraformAction::Read, None, entry.as_ref().map(|_| declared(None)), names())
            },
            Operation::Conflict { .. } => base(TerraformAction::NoOp, None, Some(declared(None)), Vec::new()),
            Operation::Contradiction { bound, .. } => {
                base(TerraformAction::NoOp, Some(known(bound)), Some(declared(Some(bound))), Vec::new())
            }
        }
    }
}

fn changed<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<String> {
    fields.map(Field::to_string).collect()
}

impl<'a> Decision<'a> {
    fn of(operation: &'a Operation) -> Option<Self> {
        Some(match operation {
            Operation::Conflict { dispute, .. } => match dispute {
                Dispute::Collision { id, other } => Self::Collision { id: id.as_str(), other_address: other.address() },
                Dispute::Stranger { id } => Self::Stranger { id: id.as_str() },
                Dispute::UnseenMatch { id } => Self::UnseenMatch { id: id.as_str() },
                Dispute::Namesakes { ids } => Self::Namesakes { ids: ids.iter().map(ApolloId::as_str).collect() },
                Dispute::Several { ids } => Self::Several { ids: ids.iter().map(ApolloId::as_str).collect() },
                Dispute::Merged { id, survivor, owner } => Self::Merged {
                    id: id.as_str(),
                    survivor_id: survivor.as_str(),
                    owner_address: owner.as_ref().map(ContactKey::address),
                },
                Dispute::Gone { id } => Self::Gone { id: id.as_str() },
            },
            Operation::Contradiction { bound, declared, owner, .. } => Self::Contradiction {
                bound_id: bound.as_str(),
                declared_id: declared.as_str(),
                owner_address: owner.as_ref().map(ContactKey::address),
            },
            _ => return None,
        })
    }
}
