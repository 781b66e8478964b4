//! What waits for a person to decide, with the ways out.

use crate::model::{ApolloId, ContactKey};
use crate::plan::Dispute;
use crate::source::Diagnostic;

/// Words why an entry waits for a person, with the ways out.
pub(super) fn undecided(dispute: &Dispute, key: &str, address: &str) -> Diagnostic {
    let (summary, detail) = match dispute {
        Dispute::Collision { id, other } => (
            format!("Apollo takes {address} and {} for the same person", other.address()),
            format!(
                "Both lead to contact {id}, which belongs to {}. Nothing is sent for {address} until either entry \
                 changes. If they are one person, remove one of the two entries; if they are two, tell them apart by \
                 e-mail, or say run_dedupe: false in both. If the contact is {key}'s: contactsd state rm {other}, then \
                 contactsd import {key} {id}.",
                other.address(),
            ),
        ),
        Dispute::Stranger { id } => (
            format!("Apollo matched {address} to somebody else"),
            format!(
                "Contact {id} shows other e-mails or another name than the entry. It was not bound to {address} and \
                 not updated, but Apollo may have written the entry's fields to it: look at it. If it is the right \
                 person: contactsd import {key} {id}. If not, say run_dedupe: false, or correct the entry.",
            ),
        ),
        Dispute::UnseenMatch { id } => (
            format!("Apollo matched {address} to a contact that no search had shown"),
            format!(
                "Contact {id} was there before, and Apollo may have written the entry's values to it: look at it. It \
                 was not bound to {address}. If it is the right person: contactsd import {key} {id}. If not, correct \
                 what Apollo overwrote, and say run_dedupe: false in the entry.",
            ),
        ),
        Dispute::Namesakes { ids } => (
            format!("Apollo holds somebody like {address}"),
            format!(
                "{} the same name or mailbox. Nothing was sent, since only you can tell whether it is the same person. If it is: \
                 contactsd import {key} {one}. If it is not: contactsd apply --create {key}.",
                if let [id] = ids.as_slice() { format!("Contact {id} has") } else { format!("{} have", listed(ids)) },
                one = one_of(ids)
            ),
        ),
        Dispute::Several { ids } => (
            if ids.len() == 1 {
                format!("A contact could be {address}")
            } else {
                format!("More than one contact could be {address}")
            },
            format!(
                "Apollo holds {}. If that is the entry's: contactsd import {key} {one}. If it is not: contactsd apply \
                 --create {key}.",
                listed(ids),
                one = one_of(ids)
            ),
        ),
        Dispute::Merged { id, survivor, owner } => (
            format!("The contact of {address} was merged into another one"),
            match owner {
                Some(owner) => format!(
                    "Contact {id} is now part of {survivor}, which belongs to {}. Values of {address} may stand on it; \
                     the next apply writes those of {} again. If they are one person, remove the entry {address}. If \
                     they are two: contactsd state rm {key}, then contactsd apply --create {key}.",
                    owner.address(),
                    owner.address(),
                ),
                None => format!(
                    "Contact {id} is now part of {survivor}. Nothing more is sent to it. If {survivor} is the right \
                     person: contactsd state rm {key}, then contactsd import {key} {survivor}. If it is not: contactsd \
                     state rm {key}, then contactsd apply --create {key}.",
                ),
            },
        ),
        Dispute::Gone { id } => (
            format!("The contact of {address} is gone"),
            format!(
                "Contact {id} was deleted in Apollo. Nothing is sent for it and its state is kept. To create it again: \
                 contactsd apply --recreate {key}. To stop managing it, remove the entry.",
            ),
        ),
    };
    Diagnostic::error(summary, detail)
}

/// Returns the id where there is one, and what stands for any of several.
fn one_of(ids: &[ApolloId]) -> &str {
    if let [id] = ids { id.as_str() } else { "ID" }
}

/// How many of many contacts are named.
const NAMED: usize = 5;

/// Names contacts, of many the first five.
fn listed(ids: &[ApolloId]) -> String {
    let named = ids.iter().take(NAMED).map(ApolloId::as_str).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Words that a create in doubt leads to a contact that it did not make, of a person whom its entry no longer means.
pub(super) fn meant_somebody_else(id: &ApolloId, key: &str, address: &str) -> Diagnostic {
    Diagnostic::error(
        format!("The unanswered create of {address} was for somebody else"),
        format!(
            "The entry was changed since that was sent. What was sent then leads to contact {id}. As far as \
             Apollo shows, that one was there before, and it is not who the entry describes now. It was not bound to \
             {address} and not updated, but Apollo may have written to it what was sent: look at it. If it is the right person: contactsd import {key} {id}. \
             If not, say run_dedupe: false, or change the entry once more, and apply: it is created then."
        ),
    )
}

pub(super) fn contradiction(
    bound: &ApolloId,
    declared: &ApolloId,
    owner: Option<&ContactKey>,
    address: &str,
) -> Diagnostic {
    let belongs = owner.map(|owner| format!(" That contact belongs to {}.", owner.address())).unwrap_or_default();
    Diagnostic::error(
        format!("{address} is bound to another contact than it names"),
        format!(
            "The state binds it to {bound}, the entry says apollo_id: {declared}.{belongs} Remove apollo_id to keep \
             the bound contact; to change it, rename the key, which makes it a new entry."
        ),
    )
}
