//! How a contact that was seen differs from what was applied, leaving out what Apollo itself makes of values.
//!
//! Pure. Doubt is "no difference": a value in another form, one that no answer shows, and lists of other people are no
//! drift. What was last seen after an apply is what later sightings are compared with.

use std::collections::BTreeSet;

use crate::apollo::Contact;
use crate::model::{Binding, Entry, Field, Fields, Value, fold_email, fold_text};
use crate::ops::apply::outcome::confirm::{CUT_FROM, observed};
use crate::ops::drifted::FieldDrift;

impl FieldDrift {
    /// Reports whether Apollo holds what the files declare by now, so that there is nothing to restore.
    pub(crate) fn is_as_declared(&self) -> bool {
        match (&self.declared, &self.now) {
            (Value::Text(declared), Value::Text(now)) => is_same(&self.field, declared, now),
            (declared, now) => declared == now,
        }
    }
}

/// How a declared field stands in Apollo, where nothing is known of what was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is shown as declared, or as Apollo writes that.
    Stands,
    /// It is shown otherwise, or as empty.
    Differs,
    /// No answer says anything of it.
    Unsaid,
}

/// Tells how a declared field stands; lists are not for here.
pub(crate) fn standing(field: &Field, declared: &Value, contact: &Contact) -> Standing {
    let Value::Text(text) = declared else { return Standing::Unsaid };
    let stands = match field {
        Field::WebsiteUrl => return Standing::Unsaid,
        field if field.is_phone() && text.is_empty() => {
            !contact.phones.iter().any(|phone| phone.kind.as_deref() == kind(field))
        }
        field if field.is_phone() => contact.shows_phone(text),
        field if contact.readable.contains(field) => differs(field, declared, None, contact).is_none(),
        field if is_left_out(field, contact) => text.is_empty(),
        _ => return Standing::Unsaid,
    };
    if stands { Standing::Stands } else { Standing::Differs }
}

/// Reports whether an answer shows a value for a field, whichever.
pub(crate) fn is_shown(field: &Field, contact: &Contact) -> bool {
    if field.is_phone() {
        return !contact.phones.is_empty();
    }
    contact.readable.get(field).is_some_and(|value| !value.is_empty())
}

/// Lists the declared fields that Apollo holds otherwise than they were applied.
///
/// What was not applied yet is the plan's to tell. `derived` is what Apollo made of a company or a place.
pub(crate) fn drift(entry: &Entry, binding: &Binding, contact: &Contact, derived: &Fields) -> Vec<FieldDrift> {
    let mut ours = binding.applied.clone();
    if !binding.found_lists.is_empty() {
        // Those that it was on before it was bound are declared, too.
        let lists = ours.lists().map(str::to_owned).chain(binding.found_lists.iter().cloned()).collect();
        ours.set(Field::LabelNames, Value::Lists(lists));
    }
    let of_field = |(field, applied): (&Field, &Value)| {
        let declared = entry.fields.get(field)?;
        let now = differs(field, applied, binding.observed.get(field).or_else(|| derived.get(field)), contact)?;
        let (declared, applied) = (declared.clone(), applied.clone());
        Some(FieldDrift { field: field.clone(), declared, applied, now })
    };
    ours.iter().filter_map(of_field).collect()
}

/// Returns what Apollo holds instead of what was applied; `None` where it holds that, or does not say.
///
/// `before` is what it answered when that was applied.
fn differs(field: &Field, applied: &Value, before: Option<&Value>, contact: &Contact) -> Option<Value> {
    let one: Fields = [(field.clone(), applied.clone())].into_iter().collect();
    let shown = observed(&one, contact);
    match (field, applied) {
        // No answer shows it.
        (Field::WebsiteUrl, _) => None,
        (Field::Email, Value::Text(email)) => {
            let now = contact.readable.text(field)?;
            let is_there = if email.is_empty() { now.is_empty() } else { contact.has_email(email) };
            let stands = is_there || before.is_some_and(|before| is_same_value(field, before, now));
            (!stands).then(|| Value::from(now))
        }
        (Field::LabelNames, Value::Lists(lists)) => {
            let Value::Lists(stand) = shown.get(field)? else { return None };
            // Ours that are not there any more; lists of other people are theirs.
            (stand != lists).then(|| Value::Lists(stand.clone()))
        }
        (field, Value::Text(number)) if field.is_phone() => {
            let of_kind = contact.phones.iter().find(|phone| phone.kind.as_deref() == kind(field));
            let now = of_kind
                .map(|phone| if phone.raw.is_empty() { phone.sanitized.clone() } else { Some(phone.raw.clone()) });
            let now = now.flatten().unwrap_or_default();
            let stands = if number.is_empty() {
                now.is_empty()
            } else {
                // One that was never shown cannot be missed.
                shown.contains(field) || before.is_none_or(Value::is_empty)
            };
            (!stands).then(|| Value::from(&*now))
        }
        (field, Value::Text(text)) => {
            let now = match contact.readable.text(field) {
                Some(now) => now,
                // A custom field that is emptied is left out of an answer that shows the others.
                None if is_left_out(field, contact) && before.is_some_and(|before| !before.is_empty()) => "",
                None => return None,
            };
            let stands = match before {
                Some(before) => is_same_value(field, before, now),
                None => is_cut_off(text, now),
            };
            (!stands && !is_same(field, text, now)).then(|| Value::from(now))
        }
        (_, Value::Lists(_)) => None,
    }
}

fn is_left_out(field: &Field, contact: &Contact) -> bool {
    matches!(field, Field::Custom(_)) && !contact.leaves_custom_out && !contact.in_other_form.contains(field)
}

/// Returns Apollo's word for the kind of a phone field.
fn kind(field: &Field) -> Option<&'static str> {
    Some(match field {
        Field::DirectPhone => "work_direct",
        Field::CorporatePhone => "work_hq",
        Field::MobilePhone => "mobile",
        Field::HomePhone => "home",
        Field::OtherPhone => "other",
        _ => return None,
    })
}

fn is_cut_off(sent: &str, held: &str) -> bool {
    held.chars().count() >= CUT_FROM && sent.starts_with(held)
}

fn is_same_value(field: &Field, before: &Value, now: &str) -> bool {
    matches!(before, Value::Text(before) if is_same(field, before, now))
}

/// Reports whether two texts say the same in a field, as Apollo writes such texts.
fn is_same(field: &Field, one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    match field {
        Field::Email => fold_email(one) == fold_email(other),
        Field::OrganizationName => company(one) == company(other),
        Field::PresentRawAddress => is_part_of(&fold_text(one), &fold_text(other)),
        // Another case of the letters is an edit; other signs for the same letters are not.
        _ => fold_text(one) == fold_text(other) && one.to_lowercase() != other.to_lowercase(),
    }
}

/// What stands behind the name of a company in some of its spellings.
const LEGAL_FORMS: [&str; 17] = [
    "inc",
    "incorporated",
    "llc",
    "ltd",
    "limited",
    "corp",
    "corporation",
    "co",
    "company",
    "gmbh",
    "ag",
    "sa",
    "bv",
    "plc",
    "ab",
    "oy",
    "srl",
];

/// Returns the name of a company without its legal form and signs.
fn company(name: &str) -> String {
    let folded = fold_text(name);
    let words: Vec<String> = folded
        .split([' ', ',', '/', '-'])
        .map(|word| word.chars().filter(|sign| sign.is_alphanumeric()).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect();
    let forms = words.iter().rev().take_while(|word| LEGAL_FORMS.contains(&word.as_str())).count();
    // A name that is nothing else stays.
    let kept = if forms < words.len() { words.len() - forms } else { words.len() };
    words[..kept].join(" ")
}

/// Reports whether one place is named within the other: `Berlin` and `Berlin, Germany`.
fn is_part_of(one: &str, other: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let (one, other) = (parts(one), parts(other));
    if one.is_empty() || other.is_empty() {
        return one.is_empty() && other.is_empty();
    }
    let within = |few: &[String], many: &[String]| few.iter().all(|part| many.contains(part));
    within(&one, &other) || within(&other, &one)
}

/// Returns the binding as it would be if what Apollo holds now had been applied, so that a plan restores the files.
pub(crate) fn as_found(binding: &Binding, drifted: &[FieldDrift]) -> Binding {
    let mut found = binding.clone();
    for drifted in drifted {
        let FieldDrift { field, declared, now, .. } = drifted;
        if let Value::Lists(stand) = now {
            found.found_lists.retain(|list| stand.contains(list));
            found.possible_lists.clear();
            let ours: BTreeSet<String> =
                binding.applied.lists().filter(|list| stand.contains(*list)).map(str::to_owned).collect();
            found.applied.set(field.clone(), Value::Lists(ours));
        } else {
            let holds = if drifted.is_as_declared() { declared } else { now };
            found.applied.set(field.clone(), holds.clone());
            found.observed.set(field.clone(), now.clone());
        }
        found.dropped.remove(field);
    }
    found
}

#[cfg(test)]
mod tests;
