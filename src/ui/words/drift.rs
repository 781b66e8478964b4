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
            format!("Reading all contacts of the account from Apollo, up to 100 per request: {}.", searches(pages))
        }
        Refreshing::Changes => {
            "Reading what has changed in Apollo since the last reading: 1 search, or more if much has changed."
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
            "Apollo shows none of the {} in this state. The credential probably belongs to another account, so none \
             of them is reported as gone. Check APOLLO_API_KEY.",
            counted(contacts, "contact")
        ),
    )
}

pub(super) fn quota_used_up(endpoint: Endpoint, time: Duration) -> Diagnostic {
    Diagnostic::error(
        format!("The {endpoint} quota is used up"),
        format!(
            "It opens again in {}, which is longer than --max-wait allows. Apollo was read only in part, and nothing \
             was changed. Run the command again after that time.",
            wait(time)
        ),
    )
}

pub(super) fn quota_unshared(why: &str) -> Diagnostic {
    Diagnostic::warning(
        "The shared quota is not used",
        format!(
            "{why}. Apollo is read anyway, but other runners do not know about these requests. To share the quota, \
             allow this role to write the table contactsd_pools."
        ),
    )
}

pub(super) fn not_seen(id: &ApolloId, why: &Unseen) -> Diagnostic {
    Diagnostic::warning(
        "Cannot tell whether this contact has changed in Apollo",
        format!(
            "{id}: {}. It counts neither as changed nor as gone. Run the command again. If this warning comes again, \
             check the contact in Apollo.",
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
        DriftChange::Gone => ("The contact is no longer in Apollo".to_owned(), None),
        DriftChange::Merged(survivor) => (format!("The contact was merged into {survivor} in Apollo"), None),
    };
    let detail = "To restore what the files say, run apply --refresh. To keep what Apollo has, change the file.";
    let location = crate::source::locate(place, field);
    let path = Some(place.path.to_path_buf());
    Diagnostic { key: Some(place.key.clone()), path, location, ..Diagnostic::warning(summary, detail) }
}
