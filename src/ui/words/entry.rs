//! Entries that are not created, bound or settled as planned.

use crate::model::{ApolloId, ContactKey, Endpoint, RunId};
use crate::ops::NotThere;
use crate::shell_word::repeated;
use crate::source::Diagnostic;

pub(super) fn too_many_hits(key: &str, address: &str) -> Diagnostic {
    let again = repeated();
    Diagnostic::error(
        format!("Apollo does not show all contacts that a search for {address} finds"),
        format!(
            "Not all of them could be checked, and sending the entry could make a second contact. Give the entry an \
             e-mail, which Apollo can search for. Or find the contact in Apollo and run: contactsd import {key} ID{again}."
        ),
    )
}

pub(super) fn too_many_new(key: &str, address: &str) -> Diagnostic {
    let again = repeated();
    Diagnostic::error(
        format!("Cannot tell whether {address} was created"),
        format!(
            "Apollo does not show all contacts that were made since the create was sent, so contactsd cannot find \
             the one that it may have made. Nothing was sent. Look for the contact in Apollo. If it is there: \
             contactsd import {key} ID{again}. If it is not: contactsd apply --create {key}{again}."
        ),
    )
}

pub(super) fn may_not_look(key: &str, address: &str) -> Diagnostic {
    let again = repeated();
    Diagnostic::error(
        format!("Cannot check whether Apollo already has {address}"),
        format!(
            "The credential is not allowed to search contacts, and Apollo would not recognize this entry: sending it could \
             make a second contact. Nothing was sent. Give the key the scope {scope}, or look in Apollo yourself. If \
             the contact is there: contactsd import {key} ID{again}. If it is not: contactsd apply --create {key}{again}.",
            scope = Endpoint::SearchContacts.scope(),
        ),
    )
}

pub(super) fn creates_blindly(first: &ContactKey) -> Diagnostic {
    Diagnostic::warning(
        "Creating contacts without looking for them first",
        format!(
            "The credential is not allowed to search contacts. A contact that is created in a request of its own overwrites one in Apollo with the same e-mail, or the same name and company; contacts that are created together do not. To have contactsd look first, give the key \
             the scope {}. The first such entry is {}.",
            Endpoint::SearchContacts.scope(),
            first.address()
        ),
    )
}

pub(super) fn creates_one_by_one() -> Diagnostic {
    Diagnostic::warning(
        "Creating contacts one by one",
        format!(
            "The credential is not allowed to create many contacts in one request, so each contact takes a request of its own. \
             To use less quota, give the key the scope {}.",
            Endpoint::CreateContacts.scope(),
        ),
    )
}

pub(super) fn batches_unknown(why: &str) -> Diagnostic {
    Diagnostic::warning(
        "Creating contacts one by one",
        format!(
            "Apollo did not answer whether this credential may create many contacts in one request: {why}\nEach \
             contact takes a request of its own in this run. The next run asks again."
        ),
    )
}

pub(super) fn merged(
    id: &ApolloId,
    survivor: &ApolloId,
    owner: Option<&ContactKey>,
    is_named: bool,
    key: &str,
    address: &str,
) -> Diagnostic {
    let again = repeated();
    let next = match owner {
        Some(owner) => {
            format!("{survivor} belongs to {}. If they are one person, remove the entry {address}.", owner.address())
        }
        None if is_named => format!("If that is the contact you mean, write apollo_id: {survivor}."),
        None => format!("If that is the contact you mean: contactsd import {key} {survivor}{again}."),
    };
    let detail = format!("Apollo answered with contact {survivor} in its place. Nothing was changed. {next}");
    Diagnostic::error(format!("Contact {id} of {address} was merged into another one"), detail)
}

pub(super) fn restored_as_new(id: &ApolloId, address: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("The contact that {address} had is gone"),
        format!("Contact {id} was deleted in Apollo, so it cannot be managed again. A new contact is created."),
    )
}

pub(super) fn does_not_exist(id: &ApolloId, is_named: bool, why: &NotThere, address: &str) -> Diagnostic {
    let next = if is_named {
        "Correct apollo_id in the entry, or remove it to have the contact created."
    } else {
        "If you named the id, check it: it is the last part of the contact's web address in Apollo. Otherwise apply again, and contactsd looks for the contact again."
    };
    let why = match why {
        NotThere::Deleted => "Apollo says that it was deleted.",
        NotThere::Refused(why) => why,
    };
    Diagnostic::error(format!("Contact {id} of {address} does not exist"), format!("{why}\n{next}"))
}

pub(super) fn taken_meanwhile(id: &ApolloId, owner: &ContactKey, address: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Contact {id} was found for two entries"),
        format!(
            "It is now bound to {}. Nothing was recorded for {address}. The next apply searches again and leaves \
             that contact out.",
            owner.address()
        ),
    )
}

pub(super) fn intent_dropped(key: &ContactKey, run: &RunId, path: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("The create of {} was given up", key.address()),
        format!(
            "It was sent in run {run} and never answered. Apollo shows no such contact, and the entry is gone from \
             {path}."
        ),
    )
}

pub(super) fn intent_withdrawn(run: &RunId, address: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("The unanswered create of {address} was given up"),
        format!(
            "It was sent in run {run} for another name or e-mail than the entry has now, and Apollo shows no such \
             contact. It is not sent again. {address} is created with the values that its entry has now."
        ),
    )
}

pub(super) fn may_be_twice(id: &ApolloId, run: &RunId, address: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Apollo may have a second contact for {address}"),
        format!(
            "A create for it was sent in run {run} and never answered, and the entry is now bound to contact {id}. If that create made a contact, nothing manages it. Look for it in Apollo, and delete it there."
        ),
    )
}

pub(super) fn left_behind(key: &ContactKey, id: &ApolloId) -> Diagnostic {
    Diagnostic::warning(
        format!("Contact {id} of {} stays in Apollo unmanaged", key.address()),
        "An earlier create without an answer made it, and its entry is now gone. If the entry comes back, it is \
         bound to this contact.",
    )
}
