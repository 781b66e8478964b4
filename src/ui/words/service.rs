//! Messages of the verbs about a service: `watch`, `status`, `pause`, `resume` and `approve`.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::super::amounts::{counted, duration};
use super::super::binding_text::time_text;
use crate::model::{Digest, Timestamp};
use crate::ops::chain;
use crate::ops::watch::{ApproveAnswer, AskError, PauseAnswer, ResumeAnswer};
use crate::serve;
use crate::source::Diagnostic;
use crate::state::Location;

/// Says that there is no service to be asked; `next` is what that means for who asked.
pub(crate) fn no_service(state: &Location, next: &str, watch: &str) -> Diagnostic {
    let summary = format!("No service is running for the state {state}");
    Diagnostic::error(summary, format!("{next} To start a service, run `{watch}`."))
}

/// Says why a service that is there did not answer.
pub(crate) fn unasked(error: &AskError) -> Diagnostic {
    use serve::Error::{Cut, Failed, Silent};
    let why = chain(error);
    let detail = match error {
        AskError::Serve(Cut { .. } | Failed { .. } | Silent { .. }) => why,
        AskError::Serve(_) => format!("{why}\nRun both with the same version and as the same user."),
        _ => why,
    };
    Diagnostic::error("Cannot reach the service", detail)
}

/// The same beside an answer that goes without the service.
pub(crate) fn unasked_hint(error: &AskError) -> String {
    format!("the running service could not be asked: {}", chain(error))
}

pub(crate) fn paused(answer: &PauseAnswer, resume: &str) -> String {
    match answer {
        PauseAnswer::Paused { .. } => format!(
            "Paused. What was under way is recorded, and other commands can write the state now.\nThe service stays \
             paused, even after a restart, until you run `{resume}`."
        ),
        PauseAnswer::AlreadyPaused { since } => format!("Already paused, since {}.", time_text(*since)),
    }
}

pub(crate) fn resumed(answer: ResumeAnswer) -> &'static str {
    match answer {
        ResumeAnswer::Resumed => "Resumed. The service takes the state as soon as it is free, and checks everything.",
        ResumeAnswer::NotPaused => "Not paused: the service is running.",
    }
}

pub(crate) const RESUMED_WITHOUT_SERVICE: &str =
    "No service is running. The pause is over: the next service starts its work at once.";
pub(crate) const NOTHING_TO_PAUSE: &str = "There is nothing to pause: other commands can already write the state.";
pub(crate) const NOTHING_TO_RESUME: &str = "There is nothing to resume.";
pub(crate) const ONLY_PLANS: &str = "The service runs with --dry-run and applies no plan, approved or not.";
pub(crate) const NOTHING_TO_APPROVE: &str = "There is nothing to approve.";

/// Says what came of an approval; `Err` where it had no effect.
pub(crate) fn approved(
    answer: &ApproveAnswer,
    asked: &Digest,
    command: &dyn Fn(&str) -> String,
) -> Result<String, Box<Diagnostic>> {
    let (summary, detail) = match answer {
        ApproveAnswer::Approved { counts } => {
            return Ok(format!(
                "Approved: {} to add, {} to change, {} to forget. The service applies exactly this plan.",
                counts.add, counts.change, counts.forget
            ));
        }
        ApproveAnswer::MovedOn { now } => (
            "Another plan waits for approval",
            format!(
                "Asked for: {asked}\nPlan now:  {now}\n\nNothing was approved. If the digest was copied correctly, the files or the state have changed since that plan was shown. Look at the plan as it is now (`{}`), then approve its digest.",
                command("plan")
            ),
        ),
        ApproveAnswer::NothingBraked => (
            "There is nothing to approve",
            "No plan waits for approval now: the files or the state have changed, or it was already approved."
                .to_owned(),
        ),
        ApproveAnswer::DryRun => ("The service only plans", ONLY_PLANS.to_owned()),
        ApproveAnswer::NoPlan => (
            "There is nothing to approve",
            "The service could not make a plan; its output says why. Nothing was approved.".to_owned(),
        ),
        ApproveAnswer::Paused { since } => (
            "The service is paused",
            format!(
                "It has made no plans since {}. To resume it, run `{}` first.",
                time_text(*since),
                command("resume")
            ),
        ),
    };
    Err(Box::new(Diagnostic::error(summary, detail)))
}

/// Says why a single pass is not made.
pub(crate) fn is_paused(since: Timestamp, resume: &str) -> Diagnostic {
    let summary = format!("The service of this state has been paused since {}", time_text(since));
    Diagnostic::error(summary, format!("Nothing was changed. To end the pause, run `{resume}`."))
}

pub(crate) fn cannot_watch(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("Cannot watch the contact files", chain(why))
}

/// How a service begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Begins {
    Paused(Timestamp),
    OnePass,
    Watching,
}

pub(crate) fn begins(how: Begins, dir: &Path, resume: &str) -> String {
    let dir = dir.display();
    match how {
        Begins::Paused(since) => {
            format!("Paused since {}: nothing is read or changed until you run `{resume}`.", time_text(since))
        }
        Begins::OnePass => format!("One pass over {dir}."),
        Begins::Watching => format!("Watching {dir}. Press Ctrl-C to end."),
    }
}

pub(crate) const RELOADING: &str = "Reloading: settings, credential and all files are read again.";

pub(crate) fn settings_unreadable(why: &str) -> Diagnostic {
    let detail = format!("{}\nThe settings in use are kept.", why.trim_end());
    Diagnostic::error("The settings cannot be read again", detail)
}

/// Said below the mistakes of files, where people look.
pub(crate) const WAITS_FOR_FILES: &str = "Nothing was changed. Waiting for the files to be fixed.";
/// The same for a supervisor, which shows one line.
pub(crate) const FILES_REFUSED: &str = "The files have mistakes; nothing is changed until they are fixed.";
pub(crate) const NOTHING_TO_DO: &str = "Nothing to do.";
pub(crate) const EXCEEDS_LIMITS: &str = "The plan exceeds limits.";

pub(crate) fn absent(contacts: usize, forget_after: Duration) -> String {
    let (contacts, time) = (counted(contacts, "contact"), duration(forget_after));
    format!("No longer in the files: {contacts}. Forgotten if still missing in {time}.")
}

pub(crate) fn how_to_approve(approve: &str) -> String {
    format!("To apply exactly this plan, run `{approve}`.")
}

pub(crate) fn waits_for_approval(digest: &Digest) -> String {
    format!("A plan exceeds limits and waits for approval: {digest}")
}

/// The status page is not for this machine alone.
pub(crate) fn others_can_look(address: SocketAddr) -> Diagnostic {
    Diagnostic::warning(
        format!("Other machines can reach the status address {address}"),
        "Anyone who can reach it can read how the service is doing, including the keys of failing entries. Nothing \
         can be changed there. If only this machine needs it, listen at 127.0.0.1.",
    )
}

pub(crate) fn status_address_unusable(why: &dyn Error) -> Diagnostic {
    let detail = format!("{}. Choose another address with --listen; port 0 lets the system choose.", chain(why));
    Diagnostic::error("The status address cannot be used", detail)
}

pub(crate) fn status_at(address: SocketAddr) -> String {
    format!("Status at http://{address}/")
}
