//! How an answer changes the record of a contact: what counts as applied, what is reported, and what is sent again.

use std::collections::BTreeSet;

use crate::apollo::Contact;
use crate::model::{Binding, Entry, Field, Fields, MatchedBy, Origin, RunId, Timestamp, Value};
use crate::plan::{Change, Known, Setting};

use super::confirm::{self, Deviation, DeviationKind};

/// Makes the binding that an answer proves: the declared fields that it shows, as it shows them.
pub(crate) fn of(contact: &Contact, entry: &Entry, origin: Origin, now: Timestamp, run: &RunId) -> Binding {
    let observed = confirm::observed(&entry.fields, contact);
    let mut applied = observed.clone();
    // What the contact is on by somebody else's hand is not ours to undo.
    let found_lists = match applied.remove(&Field::LabelNames) {
        Some(Value::Lists(lists)) if !is_made_by_us(&origin) => lists,
        _ => BTreeSet::new(),
    };
    Binding {
        apollo_id: contact.id.clone(),
        applied,
        observed,
        origin,
        bound_at: now,
        applied_at: now,
        run: run.clone(),
        request_id: None,
        path: entry.place.path.display().to_string(),
        fingerprint: None,
        gone_at: None,
        dropped: BTreeSet::new(),
        possible_lists: BTreeSet::new(),
        merged_into: None,
        found_lists,
    }
}

/// Reports whether a contact bound in this way was made by us, so that every list it is on is ours.
pub(crate) fn is_made_by_us(origin: &Origin) -> bool {
    matches!(origin, Origin::Created | Origin::Settled)
}

/// What an answer says of fields that were sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Confirmed {
    /// What it leaves unconfirmed, and is sent once more.
    pub(crate) again: BTreeSet<Field>,
    /// What Apollo made of the rest, where that is something else.
    pub(crate) told: Vec<Deviation>,
}

/// Notes which of the fields that were sent the answer confirms.
///
/// `before` is what Apollo was known to hold before, and `tried` was sent before and not confirmed.
pub(crate) fn confirm(
    binding: &mut Binding,
    sent: &Fields,
    before: &Fields,
    contact: &Contact,
    tried: &BTreeSet<Field>,
) -> Confirmed {
    let deviations = confirm::deviations(sent, before, contact);
    let mut again = confirm::unconfirmed(sent, &deviations, contact);
    again.retain(|field| !tried.contains(field));
    for (field, value) in sent.iter() {
        if again.contains(field) {
            binding.applied.remove(field);
        } else {
            binding.applied.set(field.clone(), value.clone());
        }
    }
    for (field, value) in confirm::observed(sent, contact) {
        binding.observed.set(field, value);
    }
    let told: Vec<Deviation> = deviations.into_iter().filter(|found| !again.contains(&found.field)).collect();
    binding.dropped.retain(|field| !sent.contains(field));
    let is_dropped = |kind: &DeviationKind| matches!(kind, DeviationKind::Dropped(_) | DeviationKind::Kept(_));
    binding.dropped.extend(told.iter().filter(|found| is_dropped(&found.kind)).map(|found| found.field.clone()));
    Confirmed { again, told }
}

/// Returns what a contact is known to hold before an update: the numbers that are applied are among those it shows.
pub(crate) fn held_before(binding: &Binding) -> Fields {
    let mut before = binding.observed.clone();
    for (field, value) in binding.applied.iter().filter(|(field, _)| field.is_phone()) {
        before.set(field.clone(), value.clone());
    }
    before
}

/// Returns what a contact may have held before an update in a batch.
///
/// A batch can leave a contact out without a word, so that whatever its row shows of a field that nothing was known of
/// may be what stood there before.
pub(crate) fn perhaps_held_before(binding: &Binding, sent: &Fields, row: &Contact) -> Fields {
    let mut before = held_before(binding);
    for (field, shown) in confirm::observed(sent, row) {
        if !before.contains(&field) {
            before.set(field, shown);
        }
    }
    before
}

/// Takes out what the entry does not declare any more.
pub(crate) fn release_undeclared(binding: &mut Binding, entry: &Entry) {
    let declared = |(field, _): &(Field, Value)| entry.fields.contains(field);
    binding.applied = std::mem::take(&mut binding.applied).into_iter().filter(declared).collect();
    binding.observed = std::mem::take(&mut binding.observed).into_iter().filter(declared).collect();
    binding.dropped.retain(|field| entry.fields.contains(field));
    let lists: BTreeSet<&str> = entry.fields.lists().collect();
    binding.found_lists.retain(|list| lists.contains(list.as_str()));
    if !entry.fields.contains(&Field::LabelNames) {
        binding.possible_lists.clear();
    }
}

/// Notes the entry's fingerprint when all of it stands applied.
pub(crate) fn complete(binding: &mut Binding, entry: &Entry) {
    binding.path = entry.place.path.display().to_string();
    let stands = Known::of(binding, []).changes_to(&entry.fields).is_empty();
    binding.fingerprint = stands.then(|| entry.fingerprint());
}

/// Lists what a create wrote to a contact that it was matched to: what that held before was never seen.
pub(crate) fn overwritten(entry: &Entry, origin: &Origin) -> Vec<Change> {
    match origin {
        Origin::Matched(MatchedBy::LookUp | MatchedBy::BulkCreate | MatchedBy::Rebuilt(_))
        | Origin::Created
        | Origin::Adopted
        | Origin::Settled
        | Origin::Restored => Vec::new(),
        Origin::Matched(MatchedBy::DedupeResult(_) | MatchedBy::WasExisting | MatchedBy::CreationTime) => {
            let sent = entry.fields.iter().filter(|(field, _)| **field != Field::LabelNames);
            let change = |(field, value): (&Field, &Value)| Change {
                field: field.clone(),
                before: None,
                after: Setting::Set(value.clone()),
            };
            sent.map(change).collect()
        }
    }
}

/// Reports whether a field that was to be written stands applied now.
pub(crate) fn is_written(change: &Change, binding: &Binding) -> bool {
    let field = &change.field;
    let stands = match &change.after {
        Setting::Released => false,
        Setting::Set(value @ Value::Text(_)) => binding.applied.get(field) == Some(value),
        Setting::Set(Value::Lists(after)) => {
            let ours: BTreeSet<&str> = binding.applied.lists().collect();
            let was_on = |list: &String| matches!(&change.before, Some(Value::Lists(before)) if before.contains(list));
            after.iter().all(|list| ours.contains(list.as_str()) || was_on(list))
        }
    };
    stands && !binding.dropped.contains(field)
}
