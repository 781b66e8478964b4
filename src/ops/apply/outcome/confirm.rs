//! What an answer proves about the fields of a contact.
//!
//! Only what was confirmed may be recorded as applied, so everything here errs towards "pending".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::apollo::Contact;
use crate::model::{Field, Fields, Value, fold_email, fold_text};

/// A field that Apollo holds otherwise than it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    pub field: Field,
    pub kind: DeviationKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviationKind {
    /// Apollo holds nothing where something was sent; its complaint, if it made one.
    Dropped(Option<String>),
    /// Apollo holds what stood there before, or something where it was to be cleared.
    Kept(Value),
    /// Apollo holds another form of it.
    Normalized(Value),
    /// Apollo holds the e-mail beside this one, which comes first there.
    SecondAddress(Value),
}

impl DeviationKind {
    /// Reports whether sending the value once more may yet make it stand.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        matches!(self, Self::Dropped(None) | Self::Kept(_))
    }
}

/// Returns the declared fields as the answer shows them; what it does not show is left out.
pub(crate) fn observed(declared: &Fields, contact: &Contact) -> Fields {
    let shown = |field: &Field, value: &Value| match (field, value) {
        // A second address stands as well as the first.
        (Field::Email, Value::Text(email)) if !email.is_empty() && contact.has_email(email) => {
            let first = contact.readable.text(field).is_some_and(|shown| fold_email(shown) == fold_email(email));
            if first { contact.readable.get(field).cloned() } else { Some(value.clone()) }
        }
        (Field::LabelNames, Value::Lists(lists)) => {
            let names = contact.label_names.as_ref()?;
            let holds = |list: &&String| names.iter().any(|name| fold_text(name) == fold_text(list));
            Some(Value::Lists(lists.iter().filter(holds).cloned().collect()))
        }
        (field, Value::Text(number)) if field.is_phone() => {
            contact.shows_phone(number).then(|| Value::Text(number.clone()))
        }
        (field, _) => contact.readable.get(field).cloned(),
    };
    declared.iter().filter_map(|(field, value)| Some((field.clone(), shown(field, value)?))).collect()
}

/// Lists the fields of `sent` that the answer shows otherwise.
///
/// `before` is what Apollo was known to hold before; empty where that is not known.
pub(crate) fn deviations(sent: &Fields, before: &Fields, contact: &Contact) -> Vec<Deviation> {
    let shown = observed(sent, contact);
    let stands_still = |field: &Field, value: &Value| match before.get(field) {
        // A cleared or replaced number is still among those that the answer shows.
        Some(Value::Text(number)) if field.is_phone() => {
            let replaced = Value::Text(number.clone()) != *value && !shown.contains(field);
            (replaced && contact.shows_phone(number)).then(|| Value::Text(number.clone()))
        }
        Some(before) => {
            let held = shown.get(field).filter(|shown| *shown == before && *shown != value);
            // A text that was cut off, or kept in another form, is so again.
            held.filter(|held| !is_cut_off(value, held) && !is_other_form(field, value, held)).cloned()
        }
        None => None,
    };
    let complaint = |field: &Field| match field {
        Field::Custom(id) => {
            let of_field = contact.custom_field_errors.iter().find(|(at, _)| at == id.as_str());
            of_field.map(|(_, complaint)| complaint.clone())
        }
        _ => None,
    };
    let texts = sent.iter().filter(|(field, _)| **field != Field::LabelNames);
    texts
        .filter_map(|(field, value)| {
            let complaint = complaint(field);
            let kind = match shown.get(field) {
                _ if complaint.is_some() => DeviationKind::Dropped(complaint),
                Some(shown) if shown.is_empty() && !value.is_empty() => DeviationKind::Dropped(None),
                Some(shown) if value.is_empty() && !shown.is_empty() => DeviationKind::Kept(shown.clone()),
                Some(_) if *field == Field::Email && !value.is_empty() && is_second_address(value, contact) => {
                    DeviationKind::SecondAddress(contact.readable.get(field)?.clone())
                }
                _ if stands_still(field, value).is_some() => DeviationKind::Kept(stands_still(field, value)?),
                Some(shown) if shown != value => DeviationKind::Normalized(shown.clone()),
                // A custom field that the answer does not hold was ignored, as wrong ids are.
                None if is_missing(field, contact) && !value.is_empty() => DeviationKind::Dropped(None),
                _ => return None,
            };
            Some(Deviation { field: field.clone(), kind })
        })
        .collect()
}

/// Lists the fields of `sent` that an answer leaves unconfirmed, so that sending them once more may yet make them stand.
///
/// An answer that complains of something confirms only what it shows.
pub(crate) fn unconfirmed(sent: &Fields, deviations: &[Deviation], contact: &Contact) -> BTreeSet<Field> {
    let found = deviations.iter().filter(|deviation| deviation.kind.is_unconfirmed());
    let mut fields: BTreeSet<Field> = found.map(|deviation| deviation.field.clone()).collect();
    if contact.complaint.is_some() {
        let shown = observed(sent, contact);
        let unshown = sent.iter().filter(|(field, _)| **field != Field::LabelNames && !shown.contains(field));
        fields.extend(unshown.map(|(field, _)| field.clone()));
    }
    fields
}

/// Reports whether a custom field is not in the answer at all; one in a form that no one text stands for is.
fn is_missing(field: &Field, contact: &Contact) -> bool {
    matches!(field, Field::Custom(_)) && !contact.in_other_form.contains(field) && !contact.leaves_custom_out
}

/// Reports whether the contact has the e-mail, and another one before it.
pub(crate) fn is_second_address(email: &Value, contact: &Contact) -> bool {
    let (Value::Text(email), Some(first)) = (email, contact.readable.text(&Field::Email)) else { return false };
    !first.trim().is_empty() && fold_email(first) != fold_email(email) && contact.has_email(email)
}

/// Reports whether Apollo keeps the beginning of a text.
fn is_cut_off(sent: &Value, held: &Value) -> bool {
    let (Value::Text(sent), Value::Text(held)) = (sent, held) else { return false };
    held.chars().count() >= CUT_FROM && sent.starts_with(held.as_str())
}

/// Reports whether two texts are one in two forms, that differ in more than the case of letters.
fn is_other_form(field: &Field, sent: &Value, held: &Value) -> bool {
    let (Value::Text(sent), Value::Text(held)) = (sent, held) else { return false };
    let fold = if *field == Field::Email { fold_email } else { fold_text };
    fold(sent) == fold(held) && sent.to_lowercase() != held.to_lowercase()
}

/// Length from which a text may have been cut off by Apollo, in characters.
///
/// Source: text fields are said to keep 120 characters (`docs/api-notes.md#custom-fields`).
pub(crate) const CUT_FROM: usize = 100;
