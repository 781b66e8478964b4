//! Plan files that cannot be read, or are not applied.

use super::super::amounts::count;
use super::super::escape::escape;
use super::{exceeded, planning_options};
use crate::model::ContactKey;
use crate::ops::{Refusal, SavedError, SavedPlan, chain};
use crate::settings::Locations;
use crate::shell_word::shell_word;
use crate::source::Diagnostic;

/// Says why a file is not a whole plan, and what to do.
pub(crate) fn plan_file(error: &SavedError) -> Diagnostic {
    let summary = match error {
        SavedError::Read { .. } => "The plan cannot be read",
        SavedError::NotAPlan { .. } => "The file is not a plan",
        SavedError::TooNew { .. } => "The plan was saved by a later version",
        SavedError::Cut { .. } | SavedError::Damaged { .. } => "The plan file is not whole",
    };
    let next = match error {
        SavedError::Read { .. } => "",
        SavedError::NotAPlan { .. } => "\nA plan file is made by `contactsd plan --out FILE`.",
        SavedError::TooNew { .. } => "\nUse the version that made it, or make the plan again.",
        SavedError::Cut { .. } | SavedError::Damaged { .. } => {
            "\nNothing of it is used. Copy it again from where it was made, or make the plan again: contactsd plan \
             --out FILE."
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
                "{need} a decision in {file}, so it can never be applied. `{}` names the ways out.\n{again}",
                command(&format!("show {word}"))
            );
            ("Saved plan is errored", detail)
        }
        Refusal::Braked(brakes) => {
            let limits: Vec<String> = brakes.iter().map(exceeded).collect();
            let detail = format!(
                "{}.\nIt exceeds limits that were set when it was made. If it is meant, plan with --force or a higher \
                 limit; if not, check the directory.\n{again}",
                limits.join(".\n")
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
                [] => "The contacts of the plan are declared as they were; another file or entry differs.".to_owned(),
                some => format!("Of the plan's contacts, declared otherwise now: {}.", some_of(some)),
            };
            let detail = format!(
                "The files in {} are not those that {file} was made from.{number} {which}\nNothing was changed. {again}",
                locations.contacts.display()
            );
            ("Contact files have changed since the plan was saved", detail)
        }
        Refusal::Spent => {
            let all = match saved.planned.plan.actions.len() {
                1 => "Its one action is".to_owned(),
                many => format!("All its {} actions are", count(many)),
            };
            ("Saved plan was applied already", format!("{all} done, and nothing was sent again.\n{again}"))
        }
        Refusal::OtherState { planned, found: None } => (
            "Saved plan does not match the given state",
            format!(
                "It belongs to the state {planned}, and there is no state at {state}. Name the right one with --state; \
                 if it is lost, a new plan starts a new one.\n{again}"
            ),
        ),
        Refusal::OtherState { planned, found: Some(found) } => (
            "Saved plan does not match the given state",
            format!(
                "It belongs to the state {planned}, and {state} is the state {found}. Name the right one with --state.\n\
                 {again}"
            ),
        ),
        Refusal::NoLongerFirst { now } => (
            "Saved plan is stale",
            format!("It was made when there was no state, and the state is at serial {now} now.\n{again}"),
        ),
        Refusal::Stale { planned, now } => (
            "Saved plan is stale",
            format!(
                "Something else than this plan has changed the state since, from serial {planned} to {now}. Nothing was \
                 sent.\n{again}"
            ),
        ),
        Refusal::BegunBefore => (
            "Saved plan is stale",
            format!(
                "{file} says that it was applied to this state, and the state does not remember it: another apply came \
                 after, or the state was restored from a backup. Nothing was sent.\n{again}"
            ),
        ),
        Refusal::OtherNow { contacts, in_doubt } => {
            ("Saved plan is stale", format!("{}\n{again}", other_now(contacts, *in_doubt)))
        }
        Refusal::Replaced(keys) => (
            "Saved plan is stale",
            format!("What is left of it, {}, would be done otherwise now. Nothing was sent.\n{again}", some_of(keys)),
        ),
    };
    Diagnostic::error(summary, detail)
}

/// Says what a plan made now differs in, and why that is.
fn other_now(contacts: &[ContactKey], in_doubt: bool) -> String {
    let why = if in_doubt {
        "another apply has sent something since that was never answered."
    } else {
        "the state holds other than it did then, though its serial is the same. Was it restored from a backup?"
    };
    format!("{} would be treated otherwise now: {why} Nothing was sent.", some_of(contacts))
}

const HELP_API: &str = "Name the API with --api-url, or the stand-in with --sandbox, as when the plan was made.";

/// Names a few contacts, and how many there are beside.
pub(crate) fn some_of(keys: &[ContactKey]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = keys.iter().take(SHOWN).map(ContactKey::address).collect();
    match keys.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {} more", names.join(", "), count(more)),
    }
}
