//! The state: what cannot be written or read.

use std::time::Duration;

use super::super::amounts::{count, wait};
use super::super::binding_text::time_text;
use crate::ops::chain;
use crate::source::Diagnostic;
use crate::state::{Error, Holder, LEASE_TERM, Location, STATE_FORMAT};
use crate::store::Remark;

pub(super) fn cannot_record(why: &str, address: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Cannot record what happens to {address}"),
        format!(
            "{why}\nNothing is sent that cannot be recorded first, so the run ends here. What was answered and not \
             recorded is settled by the next apply."
        ),
    )
}

pub(crate) fn not_closed(why: &str) -> Diagnostic {
    Diagnostic::error("The state was not closed properly", why)
}

/// Words why the state cannot be read while this process writes it.
pub(super) fn cannot_answer(why: &str) -> Diagnostic {
    let detail = format!("{why}\nMeanwhile `plan` and `state` in other processes fail; nothing else does.");
    Diagnostic::warning("The state cannot be read while it is written", detail)
}

/// Says what was done about a state before it was opened.
pub(super) fn mended(remark: &Remark) -> Diagnostic {
    match remark {
        Remark::Rebuilt { why, aside } => {
            let kept = aside.as_ref().map_or_else(String::new, |aside| {
                format!(" The damaged one is kept at {}; `state clean` removes it.", aside.display())
            });
            Diagnostic::warning(
                "The database of the state was damaged and was built again from its copy",
                format!("What was wrong: {why}. Nothing is lost.{kept} If this happens again, look at the disk."),
            )
        }
        Remark::CopyWritten { line, why } => Diagnostic::warning(
            "The copy of the state was damaged and was written again from its database",
            format!(
                "What was wrong: line {line} of copy.jsonl: {why}. Nothing is lost. If this happens again, look at the disk."
            ),
        ),
        Remark::TakenOver { former } => Diagnostic::warning(
            "The state has a new format",
            format!(
                "It was of format {former}, which has no copy beside the database, and is of format {STATE_FORMAT} now: \
                 contactsd 0.1.0 refuses it. To go back, `state pull > kept.jsonl`, move the directory of the state \
                 away, and `state push kept.jsonl` with 0.1.0."
            ),
        ),
    }
}

/// Says how far a damaged state is built again.
pub(crate) fn rebuilding(done: u64, all: u64) -> String {
    let count = |rows| count(usize::try_from(rows).unwrap_or(usize::MAX));
    format!("Building the database of the state again from its copy: {} of {} rows...", count(done), count(all))
}

/// Says that the copy of a state was read, since its database cannot be.
pub(crate) fn read_from_copy(why: &str, command: &dyn Fn(&str) -> String) -> Diagnostic {
    let next = format!(
        "What was wrong: {why}.\nThe copy holds all that was recorded. If the database is damaged, the next command \
         that writes builds it again; `{}` says more.",
        command("state check")
    );
    Diagnostic::warning("The database of the state cannot be read, so its copy was", next)
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
