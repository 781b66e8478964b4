//! What is read of the account, and what has changed there.

use std::time::Duration;

use super::super::amounts::{counted, wait};
use super::account::unseen;
use crate::model::{ApolloId, Endpoint};
use crate::ops::{Drift, DriftChange, Drifted, Refreshing, Unseen};
use crate::source::Diagnostic;

/// Says what is about to be read, and what that costs.
pub(crate) fn refreshing(reading: Refreshing) -> String {
    match reading {
        Refreshing::Views(1) => "Reading 1 contact from Apollo: 1 view.".to_owned(),
        Refreshing::Views(contacts) => {
            let (contacts, views) = (counted(contacts, "contact"), counted(contacts, "view"));
            format!("Reading {contacts} from Apollo, one by one: {views}.")
        }
        Refreshing::Pages(usize::MAX) => "Reading all contacts of the account from Apollo.".to_owned(),
        Refreshing::Pages(pages) => {
            format!("Reading all contacts of the account from Apollo, up to 100 by a request: {}.", searches(pages))
        }
        Refreshing::Changes => {
            "Reading what has changed in Apollo since it was read last: 1 search, more where much has changed."
                .to_owned()
        }
    }
}

fn searches(pages: usize) -> String {
    if pages == 1 { "1 search".to_owned() } else { format!("{} searches", super::super::amounts::count(pages)) }
}

pub(super) fn nobody_there(contacts: usize) -> Diagnostic {
    Diagnostic::error(
        "None of the contacts is in Apollo",
        format!(
            "Apollo shows none of the {} that this state holds. The credential probably sees another account than the one \
             they are in, so none of them is called gone. Check APOLLO_API_KEY.",
            counted(contacts, "contact")
        ),
    )
}

pub(super) fn quota_used_up(endpoint: Endpoint, time: Duration) -> Diagnostic {
    Diagnostic::error(
        format!("The {endpoint} quota is used up"),
        format!(
            "It opens again in {}, longer than --max-wait allows. Not all of Apollo was read, and nothing was changed. Run \
             the command again then.",
            wait(time)
        ),
    )
}

pub(super) fn quota_unshared(why: &str) -> Diagnostic {
    Diagnostic::warning(
        "The quota that runners share is not drawn from",
        format!(
            "{why}. Apollo is read all the same, and other runners do not know of these requests. To share it, let this \
             role write the table contactsd_pools."
        ),
    )
}

pub(super) fn not_seen(id: &ApolloId, why: &Unseen) -> Diagnostic {
    Diagnostic::warning(
        "It is not known how this contact stands in Apollo",
        format!(
            "{id}: {}. Nothing is concluded from it. Run it again, and look at the contact in Apollo if this stays.",
            unseen(why)
        ),
    )
}

/// Words what has changed as findings, each at its entry; no values, which would be kept with the log.
pub(crate) fn drifted(drift: &Drift) -> Vec<Diagnostic> {
    drift.contacts.iter().map(finding).collect()
}

fn finding(drifted: &Drifted) -> Diagnostic {
    let Drifted { place, change, .. } = drifted;
    let (summary, field) = match change {
        DriftChange::Fields(fields) => {
            let names: Vec<String> = fields.iter().map(|drifted| drifted.field.to_string()).collect();
            let first = fields.first().map(|drifted| &drifted.field);
            (format!("{} changed in Apollo since it was applied", names.join(", ")), first)
        }
        DriftChange::Gone => ("The contact is not in Apollo any more".to_owned(), None),
        DriftChange::Merged(survivor) => (format!("The contact is part of {survivor} in Apollo now"), None),
    };
    let detail = "apply --refresh restores what the files say. To keep what stands in Apollo, change the file.";
    let location = crate::source::locate(place, field);
    let path = Some(place.path.to_path_buf());
    Diagnostic { key: Some(place.key.clone()), path, location, ..Diagnostic::warning(summary, detail) }
}
