//! Requests that failed, and the credential.

use crate::source::Diagnostic;
use std::time::Duration;

use crate::model::Endpoint;
use crate::ops::{Cause, Fault, SessionError, chain};
use crate::settings::CredentialError;

pub(crate) fn doing(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::CreateContact => "create contacts",
        Endpoint::CreateContacts => "create many contacts at once",
        Endpoint::UpdateContact => "update contacts",
        Endpoint::UpdateContacts => "update many contacts at once",
        Endpoint::UpdateStages => "move contacts to a stage",
        Endpoint::ViewContact => "view contacts",
        Endpoint::SearchContacts => "search contacts",
        Endpoint::AddToLists => "add contacts to lists",
        Endpoint::RemoveFromLists => "remove contacts from lists",
        Endpoint::ShowStages => "read the stages",
        Endpoint::ShowCustomFields | Endpoint::ShowFields => "read the custom fields",
        Endpoint::ShowLists => "read the lists",
        Endpoint::Profile => "read the profile of the credential",
    }
}

pub(super) fn may_not(endpoint: Endpoint, fault: &Fault) -> Diagnostic {
    Diagnostic::error(
        format!("The credential is not allowed to {}", doing(endpoint)),
        format!(
            "{}\nThe key needs the scope {} (or must be a master key). No further request of this kind was sent; \
             everything else continued.",
            fault.why,
            endpoint.scope()
        ),
    )
    .saying(fault.said.as_deref())
}

pub(super) fn names_unread(endpoint: Endpoint, fault: &Fault) -> Diagnostic {
    let next = if fault.status == Some(403) {
        format!("The key needs the scope {} (or must be a master key).", endpoint.scope())
    } else {
        "Try again later.".to_owned()
    };
    let detail = format!(
        "{}\nThe contact files use names, and contactsd reads their ids from Apollo. Nothing was changed. {next} \
         Entries with ids in place of names do not need this request.",
        fault.why
    );
    Diagnostic::error(format!("Cannot {}", doing(endpoint)), detail).saying(fault.said.as_deref())
}

pub(super) fn rejected(fault: &Fault, address: &str) -> Diagnostic {
    let said = fault.message.as_ref().unwrap_or(&fault.why);
    let next = if fault.status == Some(403) {
        "Apollo does not allow this request. Check the plan of your Apollo team, the scopes of the key, and the entry."
    } else {
        "Correct the entry and apply again."
    };
    Diagnostic::error(
        format!("Apollo rejected {address}"),
        format!("Apollo says: {said}\nThe request had no effect. {next}"),
    )
    .saying(fault.said.as_deref())
}

pub(super) fn failed(endpoint: Endpoint, fault: &Fault, address: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Cannot {} for {address}", doing(endpoint)),
        format!("{}\nThe request had no effect. The next apply tries again.", fault.why),
    )
    .saying(fault.said.as_deref())
}

pub(super) fn in_doubt(endpoint: Endpoint, fault: &Fault, address: &str) -> Diagnostic {
    let (summary, next) = if endpoint.creates() {
        (
            format!("It is unknown whether {address} was created"),
            "The next apply first checks whether the contact is there, before anything is sent again.",
        )
    } else {
        (
            format!("It is unknown whether the change to {address} took effect"),
            "It is recorded as not confirmed: the next plan shows it, and the next apply sends it again.",
        )
    };
    Diagnostic::error(summary, format!("{}\n{next}", fault.why)).saying(fault.said.as_deref())
}

pub(super) fn fails_again(attempts: u32, status: u16, fault: &Fault, address: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Apollo fails every time for {address}"),
        format!(
            "{}\nThe same contact was sent {attempts} times, and the last answer was {status} again. Apollo shows no \
             contact that it made. Apollo may not be able to take something in the entry: try it without custom \
             fields and with plain values. The next apply first checks whether the contact is there.",
            fault.why
        ),
    )
    .saying(fault.said.as_deref())
}

pub(super) fn no_answers(unreachable: bool) -> &'static str {
    if unreachable { "Apollo cannot be reached" } else { "Apollo does not answer correctly" }
}

pub(super) fn outage(
    endpoint: Endpoint,
    fault: &Fault,
    unreachable: bool,
    lasted: Duration,
    had_success: bool,
) -> Diagnostic {
    let (why, seconds) = (&fault.why, lasted.as_secs());
    let tried = if unreachable { "No connection was made" } else { "Requests of this kind failed" };
    let next = if had_success {
        "--max-wait sets how long to wait for an outage to end."
    } else {
        "Check the network, a proxy in the environment, and --api-url."
    };
    let summary = if unreachable {
        no_answers(true).to_owned()
    } else {
        format!("Apollo fails every request to {}", doing(endpoint))
    };
    let detail = format!(
        "{why}\n{tried} for {seconds} s, with longer and longer pauses between attempts. Nothing that needs an answer to them was done; the next run does it. {next}"
    );
    Diagnostic::error(summary, detail).saying(fault.said.as_deref())
}

pub(super) fn credential_refused(fault: &Fault) -> Diagnostic {
    Diagnostic::error("Apollo refused the credential", refusal(fault)).saying(fault.said.as_deref())
}

fn refusal(fault: &Fault) -> String {
    format!(
        "{}\nNothing further was sent. Check APOLLO_API_KEY (or APOLLO_ACCESS_TOKEN for an OAuth token): you make an \
         API key in Apollo under Settings > Integrations > API. Apollo refuses an API key in APOLLO_ACCESS_TOKEN.",
        fault.why
    )
}

/// Words why a session cannot begin.
pub(super) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::OtherTeam { recorded, given } => format!(
            "the credential belongs to Apollo team {given}, and this state holds the contacts of team {recorded}. \
             Use a credential of that team, or give this one a state of its own with --state"
        ),
        Cause::TeamUnknown { viewed, why } => {
            let seen = viewed.as_ref().map_or_else(
                || "the state has no contact that it could view".to_owned(),
                |viewed| format!("contact {viewed} cannot be viewed: {why}"),
            );
            format!(
                "the credential is new to this state, and Apollo does not show that it belongs to the same team: {seen}. \
                 Nothing was sent and the state is unchanged. If it belongs to the same team, give it the scope {}. Or \
                 give that scope to the credential that was used before, and apply once with it: the state then knows \
                 its team. If it belongs to another team, give it a state of its own with --state",
                Endpoint::Profile.scope()
            )
        }
        Cause::Refused(fault) => format!("Apollo refused the credential: {}", refusal(fault)),
        Cause::Other { why } => why.clone(),
    }
}

pub(super) fn new_credential_unusable(why: &Cause) -> Diagnostic {
    Diagnostic::error(
        "The new credential cannot be used",
        format!("{}\nApollo refuses the previous credential, so nothing further is sent.", cause(why)),
    )
}

pub(super) fn new_credential_turned_down(why: &Cause) -> Diagnostic {
    Diagnostic::error(
        "The new credential was not accepted",
        format!(
            "{}\nThe previous credential stays in use. To try again, send SIGHUP or change the credential.",
            cause(why)
        ),
    )
}

pub(super) fn credential_unreadable(why: &str, is_refused: bool) -> Diagnostic {
    let next = if is_refused { "Apollo refuses the credential in use." } else { "The credential in use is kept." };
    Diagnostic::warning("The credential cannot be read again", format!("{why}\n{next}"))
}

/// Words why a session could not begin.
pub(crate) fn session(error: &SessionError) -> Diagnostic {
    match Cause::from(error) {
        Cause::Refused(fault) => credential_refused(&fault),
        why => {
            let is_address = matches!(error, SessionError::Client(_));
            Diagnostic::error(
                if is_address { "The address of the API cannot be used" } else { "Cannot start" },
                cause(&why),
            )
        }
    }
}

/// Says why there is no credential to be used, and what to do.
pub(crate) fn credential(error: &CredentialError) -> Diagnostic {
    let next = match error {
        CredentialError::Missing => {
            "\nSet APOLLO_API_KEY, or APOLLO_API_KEY_FILE to the path of a file that holds the key \
             (APOLLO_ACCESS_TOKEN and APOLLO_ACCESS_TOKEN_FILE for an OAuth token). You make an API key in Apollo \
             under Settings > Integrations > API. To try contactsd without one, add --sandbox."
        }
        CredentialError::Ambiguous { .. } => "\nUnset all but one, so that it is clear which account is meant.",
        CredentialError::Lines { .. } => "\nThe file must hold the key and nothing else.",
        CredentialError::Stdin { .. } => "\nName a file that holds the key.",
        CredentialError::Character { .. } => "\nSave the key as plain text, without anything around it.",
        CredentialError::Blank { .. } => "\nSet it to the key, or unset it. A pipeline may have lost its secret.",
        CredentialError::NotText { .. } => "\nSet it again, as plain text.",
        CredentialError::Unreadable { .. } | CredentialError::Empty { .. } => "",
    };
    Diagnostic::error("No usable credential", format!("{}{next}", chain(error)))
}
