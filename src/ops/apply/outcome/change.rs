//! What a change of a contact takes, and what an answer to it means where it is not about that contact or refuses.

use std::collections::BTreeSet;

use crate::apollo::{self, Contact};
use crate::model::{ApolloId, Binding, Endpoint, Field, Fields, Value, fold_text};
use crate::plan::{Change, Setting};

use super::confirm;
use super::lists::ListCall;

/// Splits changes into requests: the texts by one update, lists by one call each way.
pub(crate) fn writes_for(changes: &[Change]) -> Vec<(Endpoint, Fields)> {
    let mut texts = Fields::default();
    let mut writes = Vec::new();
    for change in changes {
        match (&change.before, &change.after) {
            (_, Setting::Set(value @ Value::Text(_))) => texts.set(change.field.clone(), value.clone()),
            (before, Setting::Set(Value::Lists(after))) => {
                let none = BTreeSet::new();
                let before = match before {
                    Some(Value::Lists(before)) => before,
                    _ => &none,
                };
                let lists = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
                    let names: BTreeSet<String> = one.difference(other).cloned().collect();
                    (!names.is_empty()).then(|| [(Field::LabelNames, Value::Lists(names))].into_iter().collect())
                };
                writes.extend(lists(after, before).map(|fields| (Endpoint::AddToLists, fields)));
                writes.extend(lists(before, after).map(|fields| (Endpoint::RemoveFromLists, fields)));
            }
            (_, Setting::Released) => {}
        }
    }
    if !texts.is_empty() {
        writes.insert(0, (Endpoint::UpdateContact, texts));
    }
    writes
}

/// Whom an answer is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The contact that was asked for.
    It,
    /// It, and it was deleted.
    ItsGrave,
    /// Another one, which has taken its place.
    Survivor,
}

/// Tells whom the answer to a request about a contact is about.
pub(crate) fn about(asked: &ApolloId, contact: &Contact) -> About {
    match contact.id == *asked {
        true if contact.person_deleted => About::ItsGrave,
        true => About::It,
        false => About::Survivor,
    }
}

/// Reports whether a refusal may come from the contact being gone, so that it is viewed before its entry is blamed.
pub(crate) fn may_be_of_a_gone_contact(error: &apollo::Error) -> bool {
    matches!(error.status(), Some(400 | 404 | 410 | 422)) && !error.is_page()
}

/// Reports whether a refused call was to take the contact off lists that it is not on: one that is gone holds nobody.
pub(crate) fn was_off_already(endpoint: Endpoint, sent: &Fields, error: &apollo::Error, contact: &Contact) -> bool {
    let is_off = |name: &str| {
        let shown = contact.label_names.as_ref();
        shown.map_or(error.status() == Some(404), |shown| shown.iter().all(|list| fold_text(list) != fold_text(name)))
    };
    endpoint == Endpoint::RemoveFromLists && sent.lists().all(is_off)
}

/// Reports whether a request was refused for what it holds, rather than for whose it is.
pub(crate) fn is_for_its_content(endpoint: Endpoint, error: &apollo::Error) -> bool {
    error.status() != Some(401) && !error.is_barred(endpoint)
}

/// Notes what a request that was refused for its content may have changed all the same, but for what `seen` shows as it
/// was.
pub(crate) fn note_refused(binding: &mut Binding, endpoint: Endpoint, sent: &Fields, seen: Option<&Contact>) {
    if endpoint != Endpoint::UpdateContact {
        return ListCall::of(endpoint, sent).note_refused(binding, seen);
    }
    let shown = seen.map(|contact| confirm::observed(&binding.applied, contact)).unwrap_or_default();
    let is_as_before = |field: &Field| shown.contains(field) && shown.get(field) == binding.applied.get(field);
    let doubted: Vec<Field> = sent.iter().map(|(field, _)| field).filter(|f| !is_as_before(f)).cloned().collect();
    for field in doubted {
        binding.applied.remove(&field);
    }
}
