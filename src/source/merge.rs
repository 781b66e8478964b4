//! From maps of fields as written to entries: how defaults, merge keys and nulls combine.
//!
//! Both readers build the same [`Draft`]s, so what a file means is decided here alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ApolloId, ContactKey, CustomFieldId, Entry, Field, Place, TEXT_FIELDS, Value};

/// The name of a merge key, whose maps fill in what the map around it leaves out.
pub(super) const MERGE_KEY: &str = "<<";

/// What a document can hold, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Contacts,
    Defaults,
}

impl Section {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "contacts" => Some(Self::Contacts),
            "defaults" => Some(Self::Defaults),
            _ => None,
        }
    }
}

/// What a map of fields can hold, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    Text(Field),
    Lists,
    Custom,
    RunDedupe,
    ApolloId,
    MovedFrom,
}

/// The names beside those of [`TEXT_FIELDS`].
const OTHER_NAMES: [(&str, Slot); 5] = [
    ("label_names", Slot::Lists),
    ("typed_custom_fields", Slot::Custom),
    ("run_dedupe", Slot::RunDedupe),
    ("apollo_id", Slot::ApolloId),
    ("moved_from", Slot::MovedFrom),
];

impl Slot {
    pub(super) fn named(name: &str) -> Option<Self> {
        let other = || OTHER_NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, slot)| slot);
        Field::text_field(name).map(Self::Text).or_else(other)
    }

    /// Returns every name that a contact's map can hold.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        TEXT_FIELDS.into_iter().map(|field| field.api_name()).chain(OTHER_NAMES.into_iter().map(|(name, _)| name))
    }

    /// Reports whether the slot makes sense for one contact only.
    pub(super) fn belongs_to_one_contact(&self) -> bool {
        matches!(self, Self::ApolloId | Self::MovedFrom)
    }
}

/// A value that may be left out, or cancelled by null.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) enum Declared<T> {
    #[default]
    Absent,
    Null,
    Is(T),
}

impl<T> Declared<T> {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Is(value) => Some(value),
        }
    }

    fn fill(&mut self, base: Self) {
        if self.is_absent() {
            *self = base;
        }
    }
}

impl<T: Clone> Declared<T> {
    fn or(self, base: &Self) -> Option<T> {
        if self.is_absent() { base.clone().value() } else { self.value() }
    }
}

pub(super) type CustomValues = BTreeMap<CustomFieldId, Declared<String>>;

/// One map of fields: what stands under a key, or in `defaults`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    /// Each field at most once, in the order written.
    pub(super) texts: Vec<(Field, Declared<String>)>,
    pub(super) lists: Declared<BTreeSet<String>>,
    pub(super) custom: Declared<CustomValues>,
    pub(super) run_dedupe: Declared<bool>,
    pub(super) apollo_id: Declared<ApolloId>,
    pub(super) moved_from: Declared<ContactKey>,
}

impl Draft {
    /// Reports whether `slot` was written, null included.
    pub(super) fn holds(&self, slot: &Slot) -> bool {
        match slot {
            Slot::Text(field) => self.holds_text(field),
            Slot::Lists => !self.lists.is_absent(),
            Slot::Custom => !self.custom.is_absent(),
            Slot::RunDedupe => !self.run_dedupe.is_absent(),
            Slot::ApolloId => !self.apollo_id.is_absent(),
            Slot::MovedFrom => !self.moved_from.is_absent(),
        }
    }

    fn holds_text(&self, field: &Field) -> bool {
        self.texts.iter().any(|(held, _)| held == field)
    }

    /// Takes from `base` the slots that are not written here, as a merge key asks.
    pub(super) fn fill(&mut self, base: Self) {
        let Self { texts, lists, custom, run_dedupe, apollo_id, moved_from } = base;
        for (field, value) in texts {
            if !self.holds_text(&field) {
                self.texts.push((field, value));
            }
        }
        self.lists.fill(lists);
        self.custom.fill(custom);
        self.run_dedupe.fill(run_dedupe);
        self.apollo_id.fill(apollo_id);
        self.moved_from.fill(moved_from);
    }

    /// Completes the draft with its document's defaults.
    pub(super) fn into_entry(self, place: Place, defaults: &Self) -> Entry {
        let Self { mut texts, lists, custom, run_dedupe, apollo_id, moved_from } = self;
        let written = texts.len();
        for (field, value) in &defaults.texts {
            if !texts[..written].iter().any(|(held, _)| held == field) {
                texts.push((field.clone(), value.clone()));
            }
        }
        let texts = texts.into_iter().filter_map(|(field, value)| Some((field, Value::Text(value.value()?))));
        let lists = lists.or(&defaults.lists).map(|lists| (Field::LabelNames, Value::Lists(lists)));
        let custom = complete_custom(custom, &defaults.custom)
            .into_iter()
            .filter_map(|(id, value)| Some((Field::Custom(id), Value::Text(value.value()?))));
        Entry {
            place,
            fields: texts.chain(lists).chain(custom).collect(),
            run_dedupe: run_dedupe.or(&defaults.run_dedupe).unwrap_or(true),
            apollo_id: apollo_id.value(),
            moved_from: moved_from.value(),
        }
    }
}

/// Completes custom fields id by id; a null map cancels all defaults.
fn complete_custom(custom: Declared<CustomValues>, defaults: &Declared<CustomValues>) -> CustomValues {
    let mut complete = match (&custom, defaults) {
        (Declared::Null, _) | (_, Declared::Absent | Declared::Null) => CustomValues::new(),
        (_, Declared::Is(defaults)) => defaults.clone(),
    };
    complete.extend(custom.value().unwrap_or_default());
    complete
}
