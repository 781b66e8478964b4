//! Compares what Apollo's side holds with the state and the files, once everything is at rest.

use std::collections::BTreeSet;

use contactsd::model::{Field, Intent};
use contactsd::state::Snapshot;
use serde_json::Value;

use super::forms::same;
use super::people::{Person, Text};
use super::strangers::Strangers;

/// Lists what must never be, at rest or not: two contacts of one person, and strangers that were written or bound.
pub(super) fn always(
    people: &[Person],
    strangers: &Strangers,
    contacts: &[Value],
    state: &Snapshot,
) -> Vec<(Option<usize>, String)> {
    let mut found: Vec<_> = strangers.violations(contacts).into_iter().map(|what| (None, what)).collect();
    let taken = state.bindings.iter().filter(|(_, binding)| strangers.has_id(binding.apollo_id.as_str()));
    found.extend(taken.map(|(key, _)| (None, format!("{key} is bound to a stranger"))));
    for (at, person) in people.iter().enumerate() {
        let theirs = of(person, contacts.iter().filter(|contact| !strangers.has(contact)));
        if theirs.len() > 1 {
            let ids: Vec<&Value> = theirs.iter().map(|contact| &contact["id"]).collect();
            found.push((Some(at), format!("more than one contact: {ids:?}")));
        }
    }
    found
}

/// Lists the promises that are broken once everything is at rest, each with the person it is about, if it is about one.
pub(super) fn at_rest(
    people: &[Person],
    strangers: &Strangers,
    contacts: &[Value],
    state: &Snapshot,
) -> Vec<(Option<usize>, String)> {
    let mut found = always(people, strangers, contacts, state);
    let contacts: Vec<&Value> = contacts.iter().filter(|contact| !strangers.has(contact)).collect();
    for (at, person) in people.iter().enumerate() {
        let theirs = of(person, contacts.iter().copied());
        found.extend(of_person(person, &theirs, state).into_iter().map(|what| (Some(at), what)));
    }
    let known = |contact: &&&Value| people.iter().any(|person| contact["first_name"] == person.first_name.as_str());
    found.extend(
        contacts.iter().filter(|contact| !known(contact)).map(|contact| (None, format!("whose is {contact}?"))),
    );
    let may_wait = |person: &Person| person.declared && person.is_silent();
    let is_left = |intent: &&Intent| {
        intent.apollo_id.is_some() || !people.iter().any(|person| may_wait(person) && is_create_of(person, intent))
    };
    found.extend(state.intents.values().filter(is_left).map(|intent| (None, format!("an intent is left: {intent:?}"))));
    let waits = |key: &str| people.iter().any(|person| may_wait(person) && person.key == key);
    let left = state.conflicts.values().filter(|conflict| !waits(conflict.key.as_str()));
    found.extend(left.map(|conflict| (None, format!("a conflict is left: {conflict:?}"))));
    found
}

/// Reports whether contactsd asks about a person once everything is at rest: in conflict, or with a create in doubt.
pub(super) fn is_asked_about(person: &Person, state: &Snapshot) -> bool {
    is_in_conflict(person, state) || state.intents.values().any(|intent| is_create_of(person, intent))
}

pub(super) fn is_in_conflict(person: &Person, state: &Snapshot) -> bool {
    state.conflicts.keys().any(|key| key.as_str() == person.key)
}

/// Reports whether a request was to create a person, maybe under a key that they had before.
fn is_create_of(person: &Person, intent: &Intent) -> bool {
    intent.apollo_id.is_none() && intent.fields.text(&Field::FirstName) == Some(&person.first_name)
}

/// Lists the contacts that are a person's.
pub(super) fn of<'c>(person: &Person, contacts: impl Iterator<Item = &'c Value>) -> Vec<&'c Value> {
    contacts.filter(|contact| contact["first_name"] == person.first_name.as_str()).collect()
}

fn of_person(person: &Person, theirs: &[&Value], state: &Snapshot) -> Vec<String> {
    let binding = state.bindings.iter().find(|(key, _)| key.as_str() == person.key).map(|(_, binding)| binding);
    let ids: Vec<&str> = theirs.iter().filter_map(|contact| contact["id"].as_str()).collect();
    if !person.declared {
        return binding.map(|_| "deleted, and still in the state".to_owned()).into_iter().collect();
    }
    let Some(&contact) = theirs.first() else {
        let waits = person.is_silent() && is_asked_about(person, state);
        return if waits { Vec::new() } else { vec!["declared, and no contact".to_owned()] };
    };
    let mut found = Vec::new();
    match binding {
        None => found.push("declared, and not in the state".to_owned()),
        Some(binding) if binding.apollo_id.as_str() != ids[0] => {
            found.push(format!("bound to {}, and the contact is {}", binding.apollo_id, ids[0]));
        }
        Some(binding) if binding.gone_at.is_some() => found.push("taken for deleted in Apollo".to_owned()),
        Some(_) => {}
    }
    found.extend(person.texts.iter().filter_map(|(&field, declared)| {
        let held = held(contact, field);
        (!same(&held, declared)).then(|| format!("{} is {held:?} and declared {declared:?}", field.name()))
    }));
    let identity = [("email", &person.email), ("organization_name", &person.company)];
    found.extend(identity.into_iter().filter_map(|(name, declared)| {
        let declared = declared.as_deref()?;
        let held = contact[name].as_str().unwrap_or_default();
        (!same(held, declared)).then(|| format!("{name} is {} and declared {declared:?}", contact[name]))
    }));
    found.extend(person.lists.as_ref().and_then(|declared| lists(person, declared, contact)));
    found
}

/// Returns what a contact holds in a field, `""` for nothing.
fn held(contact: &Value, field: Text) -> String {
    let phone = |kind: &str| {
        let mut numbers = contact["phone_numbers"].as_array().into_iter().flatten();
        numbers.find(|number| number["type"] == kind).map(|number| &number["raw_number"])
    };
    let value = match field {
        Text::Corporate => phone("work_hq"),
        Text::Mobile => phone("mobile"),
        Text::Custom(_) => contact["typed_custom_fields"].get(field.custom_id().unwrap_or_default()),
        plain => contact.get(plain.name()),
    };
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn lists(person: &Person, declared: &BTreeSet<String>, contact: &Value) -> Option<String> {
    let names = contact["label_names"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let held: BTreeSet<String> = names.map(str::to_owned).collect();
    let allowed: BTreeSet<String> = declared.union(&person.left_lists).cloned().collect();
    let stands = declared.is_subset(&held) && held.is_subset(&allowed);
    (!stands).then(|| format!("lists are {held:?} and declared {declared:?}; {:?} may be left", person.left_lists))
}
