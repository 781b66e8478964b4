//! What was found when the account was read, as facts.
//!
//! Only data: `drift` finds it, `ui` shows it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ApolloId, ContactKey, Entry, Field, Found, Place, Timestamp, Value};

use super::{Problem, ProblemKind, Unseen};

/// What has changed in Apollo since it was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Those that differ, sorted by key.
    pub contacts: Vec<Drifted>,
    /// How many contacts were compared, those that differ among them.
    pub compared: usize,
    /// How many fields differ that the entries say to leave alone.
    pub ignored: usize,
    /// Fields that were changed to what the files declare by now: nothing is to be shown or restored.
    pub(super) settled: Vec<(ContactKey, Vec<FieldDrift>)>,
    /// Those that were said to be gone, and are shown.
    pub(super) back: BTreeSet<ContactKey>,
    /// Whom the account holds for keys that are not bound.
    pub(super) found: BTreeMap<ContactKey, Found>,
    /// Contacts of which it is not known how they stand, with why.
    pub unknown: Vec<(Place, ApolloId, Unseen)>,
}

/// A contact that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    pub place: Place,
    pub id: ApolloId,
    /// When it was changed last, by Apollo's clock; where that is told.
    pub since: Option<Timestamp>,
    pub change: DriftChange,
    /// What tells people who it is.
    pub entry: Entry,
}

/// What became of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftChange {
    /// Some fields hold something else.
    Fields(Vec<FieldDrift>),
    /// It was deleted.
    Gone,
    /// It was merged into another one.
    Merged(ApolloId),
}

impl DriftChange {
    /// Returns the fields that hold something else; `None` of a contact that is not there.
    pub(super) fn fields(&self) -> Option<&Vec<FieldDrift>> {
        match self {
            Self::Fields(fields) => Some(fields),
            Self::Gone | Self::Merged(_) => None,
        }
    }
}

/// A field that Apollo holds otherwise than it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDrift {
    pub field: Field,
    /// What the files declare now.
    pub declared: Value,
    /// What was applied last.
    pub applied: Value,
    /// What Apollo holds now; of lists, those that are ours.
    pub now: Value,
}

/// What a refresh reads, told before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshing {
    /// Views of so many contacts.
    Views(usize),
    /// So many pages of everybody.
    Pages(usize),
    /// What has changed since everybody was read; one page where that is little.
    Changes,
}

impl Drift {
    /// Reports whether nothing has changed.
    pub fn is_none(&self) -> bool {
        self.contacts.is_empty()
    }

    /// Counts the contacts that have changed, and those that are not there any more.
    pub fn counts(&self) -> (usize, usize) {
        let changed = self.contacts.iter().filter(|drifted| matches!(drifted.change, DriftChange::Fields(_))).count();
        (changed, self.contacts.len() - changed)
    }

    /// Lists what should be known beside it.
    pub fn warnings(&self) -> Vec<Problem> {
        let told = |(place, id, why): &(Place, ApolloId, Unseen)| {
            ProblemKind::NotSeen { id: id.clone(), why: why.clone() }.at(place, None)
        };
        self.unknown.iter().map(told).collect()
    }
}
