//! What comes before what: which actions of a plan need the outcome of others.

use std::collections::BTreeSet;

use super::action::{Action, Change, Operation};
use crate::model::{Endpoint, Field, Identity, PersonAtCompany, Texts};

/// Lists the names that more than one entry has which is created or whose create is settled.
pub(crate) fn shared_names(actions: &[Action]) -> BTreeSet<String> {
    let (mut once, mut shared) = (BTreeSet::new(), BTreeSet::new());
    for action in actions {
        let name = match &action.operation {
            Operation::Create { entry } | Operation::Restore { entry, .. } => looked_for(entry),
            Operation::Settle { intent, .. } => looked_for(&intent.fields),
            _ => continue,
        };
        if let Some(name) = name.and_then(|name| once.replace(name)) {
            shared.insert(name);
        }
    }
    shared
}

/// Reports whether a new entry is by identity who another entry was before its update.
pub(crate) fn hands_over(actions: &[Action]) -> bool {
    let given_up = |action: &Action| match &action.operation {
        Operation::Update { entry, changes, .. } | Operation::Move { entry, changes, .. } => {
            let mut before = entry.unpack().fields;
            for change in changes {
                match &change.before {
                    Some(value) => before.set(change.field.clone(), value.clone()),
                    None => drop(before.remove(&change.field)),
                }
            }
            Some(Identity::of(&before))
        }
        _ => None,
    };
    let given_up: Vec<Identity> = actions.iter().filter_map(given_up).collect();
    if given_up.is_empty() {
        return false;
    }
    let mailboxes: BTreeSet<String> = given_up.iter().filter_map(Identity::mailbox).collect();
    let people: BTreeSet<PersonAtCompany> = given_up.iter().filter_map(Identity::person_at_company).collect();
    actions.iter().any(|action| match &action.operation {
        Operation::Create { entry } => {
            let identity = Identity::of(entry);
            identity.mailbox().is_some_and(|mailbox| mailboxes.contains(&mailbox))
                || identity.person_at_company().is_some_and(|person| people.contains(&person))
        }
        _ => false,
    })
}

/// Returns the endpoint of an action's first request; `None` when it needs none.
pub(crate) fn first_request(operation: &Operation) -> Option<Endpoint> {
    match operation {
        Operation::Create { .. } => Some(Endpoint::CreateContact),
        Operation::Adopt { .. } | Operation::Restore { .. } => Some(Endpoint::ViewContact),
        Operation::Update { .. } => Some(Endpoint::UpdateContact),
        Operation::Move { changes, .. } => changes.iter().any(Change::sends).then_some(Endpoint::UpdateContact),
        Operation::Settle { .. } => Some(Endpoint::SearchContacts),
        Operation::Release { .. }
        | Operation::Forget { .. }
        | Operation::Conflict { .. }
        | Operation::Contradiction { .. } => None,
    }
}

/// Returns by what a look could take one entry's contact for another's: the names, folded, or the mailbox where there is
/// no name.
pub(crate) fn looked_for(fields: &impl Texts) -> Option<String> {
    let (first, last) = (fields.folded(&Field::FirstName), fields.folded(&Field::LastName));
    if first.is_empty() && last.is_empty() { Identity::of(fields).mailbox() } else { Some(format!("{first}\0{last}")) }
}
