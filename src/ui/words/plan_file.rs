//! Plan files that cannot be written or read, are incomplete, or are not applied.

use std::error::Error;
use std::path::Path;

use super::super::amounts::{count, counted};
use super::super::escape::escape;
use super::{exceeded, lifting, planning_options};
use crate::model::ContactKey;
use crate::ops::{MarkError, Refusal, SavedError, SavedPlan, chain};
use crate::settings::Locations;
use crate::shell_word::shell_word;
use crate::source::Diagnostic;

/// Says why a file is not a whole plan, and what to do.
pub(crate) fn plan_file(error: &SavedError) -> Diagnostic {
    let summary = match error {
        SavedError::Read { .. } => "The plan cannot be read",
        SavedError::NotAPlan { .. } => "The file is not a plan",
        SavedError::TooNew { .. } => "The plan was saved by a later version",
        SavedError::Cut { .. } | SavedError::Damaged { .. } => "The plan file is incomplete or damaged",
    };
    let next = match error {
        SavedError::Read { .. } => "",
        SavedError::NotAPlan { .. } => "\nA plan file is made by `contactsd plan --out FILE`.",
        SavedError::TooNew { .. } => "\nUse the version that made it, or make a new plan.",
        SavedError::Cut { .. } | SavedError::Damaged { .. } => {
            "\nNothing in it was used. Copy the file again from where it was made, or make a new plan: contactsd \
             plan --out FILE."
        }
    };
    Diagnostic::error(summary, format!("{}{next}", escape(&chain(error))))
}

/// Says why a saved plan is not applied, and what to do.
pub(crate) fn refusal(
    saved: &SavedPlan,
    refusal: &Refusal,
    command: &dyn Fn(&str) -> String,
    locations: &Locations,
) -> Diagnostic {
    let (file, state) = (saved.path.display(), &locations.state);
    let word = if saved.is_file { shell_word(&file) } else { "-".to_owned() };
    let again = format!(
        "Make a new plan: {}",
        command(&format!("plan --out {word}{}", planning_options(&saved.origins.policy)))
    );
    let (summary, detail) = match refusal {
        Refusal::Errored { undecided } => {
            let need = match undecided {
                1 => "1 entry needs".to_owned(),
                many => format!("{} entries need", count(*many)),
            };
            let detail = format!(
                "{need} a decision in {file}, so this plan cannot be applied. `{}` shows what you can do.\n{again}",
                command(&format!("show {word}"))
            );
            ("Saved plan needs decisions", detail)
        }
        Refusal::Braked(brakes) => {
            let limits: Vec<String> = brakes.iter().map(exceeded).collect();
            let detail = format!(
                "{}.\nIt exceeds limits that were set when it was made. If this is intended, make a new plan with {lift}. If not, check that the contact directory is the right one.\n{again}",
                limits.join(".\n"),
                lift = lifting(brakes)
            );
            ("Saved plan exceeds its limits", detail)
        }
        Refusal::OtherApi { planned, given } => (
            "Saved plan is for another API",
            format!("{file} was made for {planned}, and this command is for {given}. {HELP_API}\n{again}"),
        ),
        Refusal::FilesChanged { planned, found, contacts } => {
            let number = match (planned, found) {
                (one, other) if one == other => String::new(),
                (one, other) => {
                    format!(" They were {} then and are {} now.", count(*one), count(*other))
                }
            };
            let which = match contacts.as_slice() {
                [] => "The contacts of the plan are declared as before; another file or entry differs.".to_owned(),
                some => format!("These contacts of the plan are declared differently now: {}.", some_of(some)),
            };
            let detail = format!(
                "The files in {} are not the ones that {file} was made from.{number} {which}\nNothing was changed. \
                 {again}",
                locations.contacts.display()
            );
            ("Contact files have changed since the plan was saved", detail)
        }
        Refusal::Spent => {
            let all = match saved.planned.plan.actions.len() {
                1 => "Its one action is".to_owned(),
                many => format!("All its {} actions are", count(many)),
            };
            ("Saved plan was already applied", format!("{all} done, and nothing was sent again.\n{again}"))
        }
        Refusal::OtherState { planned, found: None } => (
            "Saved plan does not match the given state",
            format!(
                "It belongs to the state {planned}, and there is no state at {state}. Name the right state with \
                 --state. If the state is lost, a new plan starts a new one.\n{again}"
            ),
        ),
        Refusal::OtherState { planned, found: Some(found) } => (
            "Saved plan does not match the given state",
            format!(
                "It belongs to the state {planned}, and {state} is the state {found}. Name the right one with \
                 --state.\n\
                 {again}"
            ),
        ),
        Refusal::NoLongerFirst { now } => (
            "Saved plan is stale",
            format!("It was made before there was a state, and the state is now at serial {now}.\n{again}"),
        ),
        Refusal::Stale { planned, now } => (
            "Saved plan is stale",
            format!(
                "Something other than this plan has changed the state since then, from serial {planned} to {now}. \
                 Nothing was sent.\n{again}"
            ),
        ),
        Refusal::BegunBefore => (
            "Saved plan is stale",
            format!(
                "{file} is marked as applied to this state, but the state does not remember it. Another apply came \
                 after it, or the state was restored from a backup. Nothing was sent.\n{again}"
            ),
        ),
        Refusal::OtherNow { contacts, in_doubt } => {
            ("Saved plan is stale", format!("{}\n{again}", other_now(contacts, *in_doubt)))
        }
        Refusal::Replaced(keys) => (
            "Saved plan is stale",
            format!("The rest of it ({}) would be done differently now. Nothing was sent.\n{again}", some_of(keys)),
        ),
    };
    Diagnostic::error(summary, detail)
}

/// Says what a plan made now differs in, and why that is.
fn other_now(contacts: &[ContactKey], in_doubt: bool) -> String {
    let why = if in_doubt {
        "another apply has sent a request since then that was never answered."
    } else {
        "the state has changed, although its serial is the same. Was it restored from a backup?"
    };
    format!("{} would be treated differently now: {why} Nothing was sent.", some_of(contacts))
}

const HELP_API: &str = "Name the API with --api-url, or the stand-in with --sandbox, as when the plan was made.";

/// Names a few contacts, and how many there are beside.
fn some_of(keys: &[ContactKey]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = keys.iter().take(SHOWN).map(ContactKey::address).collect();
    match keys.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {} more", names.join(", "), count(more)),
    }
}

pub(crate) fn not_saved(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("The plan was not saved", chain(why))
}

/// Another process changes contacts, so that a plan would be stale before it is applied.
pub(crate) fn not_saved_meanwhile() -> Diagnostic {
    Diagnostic::error(
        "The plan was not saved",
        "Another process is changing contacts, which are left out of the plan. When that process is done, the plan \
         would be stale. Plan again then.",
    )
}

pub(crate) fn among_contact_files(file: &Path, contacts: &Path) -> Diagnostic {
    Diagnostic::error(
        format!("{} is in the directory of the contact files", file.display()),
        format!("Files in {} are read as contact files. Save the plan in another directory.", contacts.display()),
    )
}

/// Only plans have a page.
pub(crate) fn no_plan_to_show() -> Diagnostic {
    Diagnostic::error(
        "There is no plan to show",
        "Only plans are shown as Markdown. Name the file that `contactsd plan --out FILE` has saved.",
    )
}

pub(crate) fn done_in_part(file: &Path, done: usize, all: usize) -> String {
    format!("{} of the {} in {} were done before.", count(done), counted(all, "action"), file.display())
}

/// Says what is not done although it is needed, since the saved plan does not say it.
pub(crate) fn not_all_of_it(replaced: &[ContactKey], further: &[ContactKey]) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    if !replaced.is_empty() {
        let detail = format!(
            "{} would be treated differently now than the saved plan says. Nothing was done for this part: make a \
             new plan for it.",
            some_of(replaced)
        );
        told.push(Diagnostic::warning("A part of the plan was left out", detail));
    }
    if !further.is_empty() {
        let detail = format!(
            "A plan made now would also change {}, and the saved plan does not say so. Nothing was done for this \
             part: make a new plan for it.",
            some_of(further)
        );
        told.push(Diagnostic::warning("There is more to do than the saved plan says", detail));
    }
    told
}

/// Says that a plan file does not tell that it was used, and what that can lead to.
pub(crate) fn unmarked(file: &Path, why: &MarkError) -> Diagnostic {
    let detail = format!(
        "{}.\nThe state remembers what is done, so the plan is not applied to it twice. But if the state is lost or \
         restored from a backup, the file looks as if it was never used. Remove the file after it is applied.",
        chain(why)
    );
    Diagnostic::warning(format!("{} is not marked as applied", file.display()), detail)
}
