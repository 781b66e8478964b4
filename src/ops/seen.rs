//! What was seen of a declared contact in Apollo: its declared fields, and nothing else of it.
//!
//! Kept in the state so that the next look reads no more than what has changed since. Never compared with here.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::apollo::{Contact, Phone};
use crate::model::{ApolloId, Entry, Field, Fields, Timestamp};

/// What is asked for of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AskedFor {
    /// The fields that are kept if the contact has them; contacts of which the same is asked may share them.
    pub(super) fields: Arc<BTreeSet<Field>>,
    /// When something was applied to it last.
    pub(super) applied_at: Timestamp,
}

impl AskedFor {
    /// Asks for what an entry declares of a contact that nothing was applied to yet.
    pub(super) fn of_entry(entry: &Entry) -> Self {
        let fields: BTreeSet<Field> = entry.fields.iter().map(|(field, _)| field.clone()).collect();
        Self { fields: fields.into(), applied_at: Timestamp(0) }
    }
}

/// A declared contact as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// By our clock.
    pub(super) at: Timestamp,
    /// When it was changed last, by the server's clock.
    pub(super) updated_at: Option<Timestamp>,
    pub(super) asked: AskedFor,
    fields: Fields,
    /// What Apollo makes of a company and of a place, as it was seen first after something was applied.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub(super) derived: Fields,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    emails: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    phones: Vec<Phone>,
    /// The lists that it is on, by id; `None` where that was not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label_ids: Option<Vec<String>>,
    /// The names of these lists; `None` where they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label_names: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    in_other_form: BTreeSet<Field>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    leaves_custom_out: bool,
}

impl Seen {
    /// Keeps of a contact what is asked for; `before` is how it was seen before.
    pub(super) fn of(contact: &Contact, asked: &AskedFor, before: Option<&Self>, at: Timestamp) -> Self {
        let holds = |field: &Field| asked.fields.contains(field);
        let kept = contact.readable.iter().filter(|(field, _)| holds(field));
        let fields: Fields = kept.map(|(field, value)| (field.clone(), value.clone())).collect();
        let has_phones = asked.fields.iter().any(Field::is_phone);
        let derived = match before {
            Some(before) if before.asked.applied_at == asked.applied_at => before.derived.clone(),
            _ => {
                let derived = fields.iter().filter(|(field, _)| is_derived(field));
                derived.map(|(field, value)| (field.clone(), value.clone())).collect()
            }
        };
        let has_lists = holds(&Field::LabelNames);
        Self {
            at,
            updated_at: contact.updated_at,
            asked: asked.clone(),
            fields,
            derived,
            emails: if holds(&Field::Email) { contact.emails.clone() } else { Vec::new() },
            phones: if has_phones { contact.phones.clone() } else { Vec::new() },
            label_ids: contact.label_ids.clone().filter(|_| has_lists),
            label_names: contact.label_names.clone().filter(|_| has_lists),
            in_other_form: contact.in_other_form.iter().filter(|field| holds(field)).cloned().collect(),
            leaves_custom_out: contact.leaves_custom_out,
        }
    }

    /// Reports whether another look shows what this one did.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        // Lists whose names were found out are as they were.
        let label_names = if self.label_ids == other.label_ids { &self.label_names } else { &other.label_names };
        *self == Self { at: self.at, label_names: label_names.clone(), ..other.clone() }
    }

    /// Notes what lists are called.
    fn name_lists(&mut self, name: impl Fn(&str) -> Option<String>) {
        if self.label_names.is_none()
            && let Some(ids) = &self.label_ids
        {
            self.label_names = ids.iter().map(|id| name(id)).collect();
        }
    }

    /// Makes the contact again, as far as it was kept.
    pub(super) fn contact(&self, id: &ApolloId) -> Contact {
        Contact {
            id: id.clone(),
            created_at: None,
            updated_at: self.updated_at,
            emails: self.emails.clone(),
            readable: self.fields.clone(),
            phones: self.phones.clone(),
            label_names: self.label_names.clone(),
            custom_field_errors: Vec::new(),
            dedupe: None,
            was_existing: None,
            label_ids: self.label_ids.clone(),
            person_deleted: false,
            complaint: None,
            in_other_form: self.in_other_form.clone(),
            leaves_custom_out: self.leaves_custom_out,
        }
    }
}

/// What was seen, at rest: the text that is saved, in one piece of memory. Cloning is cheap.
///
/// A [`Seen`] holds some twenty texts, each in its own piece of memory, so it is unpacked only to be worked with.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct PackedSeen(Arc<RawValue>);

impl From<&Seen> for PackedSeen {
    fn from(seen: &Seen) -> Self {
        Self(to_raw_value(seen).expect("texts and numbers are JSON").into())
    }
}

impl PackedSeen {
    /// Keeps of a contact that nobody has seen before what is asked for.
    pub(super) fn of(contact: &Contact, asked: &AskedFor, at: Timestamp) -> Self {
        Self::from(&Seen::of(contact, asked, None, at))
    }

    /// Takes over what was saved; `None` when it cannot be read.
    pub(super) fn saved(text: &RawValue) -> Option<Self> {
        serde_json::from_str::<Seen>(text.get()).ok()?;
        Some(Self(text.to_owned().into()))
    }

    pub(super) fn unpack(&self) -> Seen {
        self.read()
    }

    /// As [`Seen::asked`].
    pub(super) fn asked(&self) -> AskedFor {
        #[derive(Deserialize)]
        struct Part {
            asked: AskedFor,
        }
        self.read::<Part>().asked
    }

    /// Reports whether it is on lists whose names are not known.
    pub(super) fn has_unnamed_lists(&self) -> bool {
        #[derive(Deserialize)]
        struct Part {
            label_ids: Option<IgnoredAny>,
            label_names: Option<IgnoredAny>,
        }
        let Part { label_ids, label_names } = self.read();
        label_ids.is_some() && label_names.is_none()
    }

    /// Returns it with the names of lists.
    #[must_use]
    pub(super) fn with_lists_named(&self, name: impl Fn(&str) -> Option<String>) -> Self {
        let mut seen = self.unpack();
        seen.name_lists(name);
        Self::from(&seen)
    }

    fn read<'a, T: Deserialize<'a>>(&'a self) -> T {
        serde_json::from_str(self.0.get()).expect("it was written by us, or could be read before")
    }
}

impl PartialEq for PackedSeen {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// Reports whether Apollo may put another text in the place of the one that it is sent.
pub(super) fn is_derived(field: &Field) -> bool {
    matches!(field, Field::OrganizationName | Field::PresentRawAddress)
}
