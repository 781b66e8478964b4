//! Entries that wait for a person's decision, with what the person can do.

use crate::model::{ApolloId, ContactKey};
use crate::plan::Dispute;
use crate::shell_word::repeated;
use crate::source::Diagnostic;

/// Words why an entry waits for a person, with the ways out.
pub(super) fn undecided(dispute: &Dispute, key: &str, address: &str) -> Diagnostic {
    let again = repeated();
    let (summary, detail) = match dispute {
        Dispute::Collision { id, other } => (
            format!("Apollo takes {address} and {} for the same person", other.address()),
            format!(
                "Both match contact {id}, which belongs to {}. Nothing is sent for {address} until one of the \
                 entries changes. If they are one person, remove one of the two entries. If they are two, give them \
                 different e-mails, or set run_dedupe: false in both. If the contact belongs to {key}: contactsd \
                 state rm {other}{again}, then contactsd import {key} {id}{again}.",
                other.address(),
            ),
        ),
        Dispute::Stranger { id } => (
            format!("Apollo matched {address} to somebody else"),
            format!(
                "Contact {id} has other e-mails or another name than the entry. It was not bound to {address} and \
                 not updated. If a create was sent for the entry, Apollo may have written fields of it to that contact. \
                 Check it in Apollo. If it is the right person: contactsd import {key} {id}{again}. If not, correct \
                 what Apollo overwrote, and set run_dedupe: false or correct the entry.",
            ),
        ),
        Dispute::UnseenMatch { id } => (
            format!("Apollo matched {address} to a contact that no search showed"),
            format!(
                "Contact {id} existed before, and Apollo may have written values of the entry to it. It was not \
                 bound to {address}. Check it in Apollo. If it is the right person: contactsd import {key} {id}{again}. If \
                 not, correct what Apollo overwrote, and set run_dedupe: false in the entry.",
            ),
        ),
        Dispute::Namesakes { ids } => (
            format!("Apollo has a contact like {address}"),
            format!(
                "{} the same name or mailbox. Nothing was sent: only you can tell whether it is the same person. If \
                 it is: contactsd import {key} {one}{again}. If it is not: contactsd apply --create {key}{again}.",
                if let [id] = ids.as_slice() { format!("Contact {id} has") } else { format!("{} have", listed(ids)) },
                one = one_of(ids)
            ),
        ),
        Dispute::Several { ids } => (
            if ids.len() == 1 {
                format!("A contact may be the same person as {address}")
            } else {
                format!("More than one contact may be the same person as {address}")
            },
            format!(
                "Apollo has {}. If {that} the right contact: contactsd import {key} {one}{again}. If not: contactsd apply \
                 --create {key}{again}.",
                listed(ids),
                that = if ids.len() == 1 { "that is" } else { "one of them is" },
                one = one_of(ids)
            ),
        ),
        Dispute::Merged { id, survivor, owner } => (
            format!("The contact of {address} was merged into another one"),
            match owner {
                Some(owner) => format!(
                    "Contact {id} was merged into {survivor}, which belongs to {}. It may hold values of {address}; \
                     the next apply writes those of {} again. If they are one person, remove the entry {address}. If \
                     they are two: contactsd state rm {key}{again}, then contactsd apply --create {key}{again}.",
                    owner.address(),
                    owner.address(),
                ),
                None => format!(
                    "Contact {id} was merged into {survivor}. Nothing more is sent to it. If {survivor} is the right \
                     person: contactsd state rm {key}{again}, then contactsd import {key} {survivor}{again}. If it is not: \
                     contactsd state rm {key}{again}, then contactsd apply --create {key}{again}.",
                ),
            },
        ),
        Dispute::Gone { id } => (
            format!("The contact of {address} is gone"),
            format!(
                "Contact {id} was deleted in Apollo. Nothing is sent for it and its state is kept. To create it \
                 again: contactsd apply --recreate {key}{again}. To stop managing it, remove the entry.",
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

/// Words that a create in doubt leads to a contact that existed before, of a person that its entry no longer describes.
pub(super) fn meant_somebody_else(id: &ApolloId, key: &str, address: &str) -> Diagnostic {
    let again = repeated();
    Diagnostic::error(
        format!("The unanswered create of {address} was for another person"),
        format!(
            "The entry was changed after the create was sent. The old values match contact {id}. As far as Apollo \
             shows, that contact existed before and is not the person that the entry describes now. It was not bound \
             to {address} and not updated, but Apollo may have written the old values to it. Check it in Apollo. If \
             it is the right person: contactsd import {key} {id}{again}. If not, set run_dedupe: false or change the entry \
             once more, and apply. The contact is then created."
        ),
    )
}

pub(super) fn contradiction(
    bound: &ApolloId,
    declared: &ApolloId,
    owner: Option<&ContactKey>,
    key: &str,
    address: &str,
) -> Diagnostic {
    let again = repeated();
    let first = owner.map(|owner| format!("contactsd state rm {owner}{again}, then ")).unwrap_or_default();
    let belongs = owner.map(|owner| format!(" That contact belongs to {}.", owner.address())).unwrap_or_default();
    Diagnostic::error(
        format!("{address} is bound to another contact than its apollo_id"),
        format!(
            "The state binds it to {bound}, but the entry says apollo_id: {declared}.{belongs} To keep the bound \
             contact, remove apollo_id. To use the other one: {first}contactsd state rm {key}{again}, then apply."
        ),
    )
}
