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
            "{why}\ncontactsd sends nothing that it cannot record first, so the run ends here. The next apply finds \
             out the results that were not recorded."
        ),
    )
}

pub(crate) fn not_closed(why: &str) -> Diagnostic {
    Diagnostic::error("The state was not closed properly", why)
}

/// Words why the state cannot be read while this process writes it.
pub(super) fn cannot_answer(why: &str) -> Diagnostic {
    let detail =
        format!("{why}\nUntil this process ends, `plan` and `state` fail in other processes. Everything else works.");
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
                format!("What was wrong: {why}. Nothing is lost.{kept} If this happens again, check the disk."),
            )
        }
        Remark::CopyWritten { line, why } => Diagnostic::warning(
            "The copy of the state was damaged and was written again from its database",
            format!(
                "What was wrong: line {line} of copy.jsonl: {why}. Nothing is lost. If this happens again, check the \
                 disk."
            ),
        ),
        Remark::TakenOver { former } => Diagnostic::warning(
            "The state has a new format",
            format!(
                "It had format {former}, which has no copy beside the database, and now has format {STATE_FORMAT}. \
                 contactsd 0.1.0 refuses it. To go back, run `state pull > kept.jsonl`, move the directory of the \
                 state away, and run `state push kept.jsonl` with 0.1.0."
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
         that writes builds it again. `{}` shows more.",
        command("state check")
    );
    Diagnostic::warning("The database of the state cannot be read, so its copy was read", next)
}

/// Says why the state cannot be used; `command` is the program with a verb, as this user would type it.
pub(crate) fn state(error: &Error, command: &dyn Fn(&str) -> String) -> Diagnostic {
    let (summary, next) = match error {
        Error::Locked { state, holder } => {
            let next = if holder.as_ref().is_some_and(|holder| holder.operation == "watch") {
                let (pause, resume) = (command("pause"), command("resume"));
                let there = if matches!(state, Location::Database { .. }) { " on its machine" } else { "" };
                format!(
                    "Nothing was changed. To make the service release the state, run `{pause}`{there}. Afterwards, \
                    run `{resume}`."
                )
            } else {
                "Nothing was changed. Try again when that process is done, or wait for it with --lock-timeout."
                    .to_owned()
            };
            let next = match state {
                Location::Directory(_) => next,
                Location::Database { .. } => format!(
                    "{next} A process that ended without releasing the state holds it for {} at most.",
                    wait(LEASE_TERM)
                ),
            };
            return locked(state, holder.as_deref(), &next);
        }
        Error::NotACopy { .. } => (
            "The state cannot be pushed",
            "Nothing was changed. Pull the state again. A copy must not be edited.".to_owned(),
        ),
        Error::PushRefused { .. } => {
            let pull = command("state pull");
            let next = format!(
                "Nothing was changed. What was recorded after the copy was made would be lost. Contacts that were bound after it would be sent again, and those that Apollo cannot match would be created a second time. Requests in \
                 doubt and forgotten contacts would not be remembered. First save the state that is there \
                 (`{pull}`). If the push is intended, use --force."
            );
            ("The state was not pushed", next)
        }
        Error::Serviced { .. } => {
            let next = "Nothing was changed. Stop the service, push, and start the service again. Pausing it is not \
                enough.";
            ("The state was not pushed", next.to_owned())
        }
        Error::Input { .. } => ("The state cannot be pushed", "Nothing was changed.".to_owned()),
        other => return Diagnostic::error("The state cannot be used", chain(other)),
    };
    Diagnostic::error(summary, format!("{}\n{next}", chain(error)))
}

/// Says that the process which has the state open did not answer in time.
pub(crate) fn unanswered(state: &Location, holder: Option<&Holder>, waited: Duration) -> Diagnostic {
    let next = format!(
        "That process did not answer within {}. It may be stopped or stuck: try again, or end it. After it has \
         ended, there is nothing to clean up.",
        wait(waited)
    );
    locked(state, holder, &next)
}

/// Says that the process which has the state open cannot be asked.
pub(crate) fn unaskable(state: &Location, holder: Option<&Holder>, why: &dyn std::error::Error) -> Diagnostic {
    let next = format!(
        "That process cannot be asked about the state: {}.\nRun both with the same version and as the same user, or \
         try again when it is done.",
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
    Diagnostic::error("Another process is using the state", format!("{info}\n\n{next}"))
}
