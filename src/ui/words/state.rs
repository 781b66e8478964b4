//! The state: what cannot be written or read.

use std::time::Duration;

use super::super::amounts::wait;
use super::super::binding_text::time_text;
use crate::ops::chain;
use crate::source::Diagnostic;
use crate::state::{Error, Holder, LEASE_TERM, Location};

pub(super) fn cannot_record(why: &str, address: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Cannot record what happens to {address}"),
        format!(
            "{why}\nNothing is sent that cannot be recorded first, so the run ends here. What was answered and not \
             recorded is settled by the next apply."
        ),
    )
}

/// Words why the state cannot be read while this process writes it.
pub(super) fn cannot_answer(why: &str) -> Diagnostic {
    let detail = format!("{why}\nMeanwhile `plan` and `state` in other processes fail; nothing else does.");
    Diagnostic::warning("The state cannot be read while it is written", detail)
}

/// Says why the state cannot be used; `command` is the program with a verb, as this user would type it.
pub(crate) fn state(error: &Error, command: &dyn Fn(&str) -> String) -> Diagnostic {
    let (summary, next) = match error {
        Error::Locked { state, holder } => {
            let next = if holder.as_ref().is_some_and(|holder| holder.operation == "watch") {
                let (pause, resume) = (command("pause"), command("resume"));
                let there = if matches!(state, Location::Database { .. }) { " on its machine" } else { "" };
                format!("Nothing was changed. The service releases the state on `{pause}`{there}, until `{resume}`.")
            } else {
                "Nothing was changed. Try again when that process is done, or wait for it with --lock-timeout."
                    .to_owned()
            };
            let next = match state {
                Location::Directory(_) => next,
                Location::Database { .. } => format!(
                    "{next} One that ended without giving the state back holds it for {} at most.",
                    wait(LEASE_TERM)
                ),
            };
            return locked(state, holder.as_deref(), &next);
        }
        Error::NotACopy { .. } => {
            ("The state cannot be pushed", "Nothing was changed. Pull it again; a copy must not be edited.".to_owned())
        }
        Error::PushRefused { .. } => {
            let pull = command("state pull");
            let next = format!(
                "Nothing was changed. What the state knows and the copy does not would be lost: contacts that were \
                 bound since are sent again, and those that Apollo cannot match are created a second time; what was \
                 in doubt or forgotten is not remembered. Keep what is there (`{pull}`); if it is meant, --force \
                 does it."
            );
            ("The state is not pushed", next)
        }
        Error::Serviced { .. } => {
            let next = "Nothing was changed. Stop the service, which goes by what the state says, and start it again \
                        after the push. To pause it is not enough.";
            ("The state is not pushed", next.to_owned())
        }
        Error::Input { .. } => ("The state cannot be pushed", "Nothing was changed.".to_owned()),
        other => return Diagnostic::error("The state cannot be used", chain(other)),
    };
    Diagnostic::error(summary, format!("{}\n{next}", chain(error)))
}

/// Says that the process which has the state open did not answer in time.
pub(crate) fn unanswered(state: &Location, holder: Option<&Holder>, waited: Duration) -> Diagnostic {
    let next = format!(
        "That process did not answer within {}. It may be stopped or stuck: end it, or try again. One that is gone \
         leaves nothing to clean up.",
        wait(waited)
    );
    locked(state, holder, &next)
}

/// Says that the process which has the state open cannot be asked.
pub(crate) fn unaskable(state: &Location, holder: Option<&Holder>, why: &dyn std::error::Error) -> Diagnostic {
    let next = format!(
        "That process cannot be asked about the state: {}.\nRun both in the same version, as the same user, or try \
         again when it is done.",
        chain(why)
    );
    locked(state, holder, &next)
}

fn locked(state: &Location, holder: Option<&Holder>, next: &str) -> Diagnostic {
    let info = match holder {
        None => format!("Another process has {state} open."),
        Some(Holder { pid, user_host, operation, since, version, socket: _ }) => format!(
            "Lock Info:\n  Path:      {state}\n  Operation: {operation}\n  Who:       {user_host} (process {pid})\n  \
             Version:   {version}\n  Created:   {}",
            time_text(*since)
        ),
    };
    Diagnostic::error("Error acquiring the state lock", format!("{info}\n\n{next}"))
}
