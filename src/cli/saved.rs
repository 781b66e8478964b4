//! Plan files: saving a plan, reading one that was saved, and saying why one is not applied.

use std::path::Path;

use super::Exit;
use super::args::planning_options;
use super::context::Context;
use super::stream::{STDIN_NAME, is_stream};
use crate::model::ContactKey;
use crate::ops::{self, Origins, Planned, Refusal, SavedError, SavedPlan};
use crate::ui::amounts::count;
use crate::ui::{SavedAs, escape, saved_text};

/// Saves a plan and says what it is good for.
pub(super) fn save(context: &mut Context, file: &Path, planned: &Planned, origins: &Origins) -> Result<(), Exit> {
    if planned.left_out > 0 {
        let detail = "What another process is at work on is not in the plan, and by the time that is done the plan \
                      would be stale. Plan again then.";
        context.shell.error("The plan was not saved", detail);
        return Err(Exit::Failure);
    }
    if is_stream(file) {
        // What could not be written is told at the end.
        return ops::write_plan(context.shell.bytes(), planned, origins).map_err(|_| Exit::Failure);
    }
    ops::save_plan(file, planned, origins).map_err(|error| {
        context.shell.error("The plan was not saved", ops::chain(&error));
        Exit::Failure
    })?;
    if !context.environment.in_automation() {
        let plan = &planned.plan;
        let saved_as = match () {
            () if plan.counts().undecided > 0 => SavedAs::Undecided,
            () if !plan.brakes.is_empty() => SavedAs::Braked,
            () if plan.is_empty() => SavedAs::Empty,
            () => SavedAs::Applicable { command: context.command(&format!("apply {}", file.display())) },
        };
        let stdout = context.shell.stdout();
        context.shell.status(saved_text(file, &saved_as, stdout));
    }
    Ok(())
}

/// Leaves stdout to the saved plan, where it is to go there; says why it cannot.
pub(super) fn make_room(file: &Path, context: &mut Context) -> Result<(), Exit> {
    if !is_stream(file) {
        return Ok(());
    }
    let other = match () {
        () if context.shell.speaks_json() => "--json",
        () if context.view.is_page() => "--format markdown",
        () => {
            context.shell.leave_stdout();
            return Ok(());
        }
    };
    let detail = "stdout holds one or the other. Name a file for the plan.";
    context.shell.error(format!("--out - and {other} exclude each other"), detail);
    Err(Exit::Failure)
}

/// Reports whether a file to be written would stand among the contact files, however either is spelled.
pub(super) fn is_among_contact_files(file: &Path, context: &Context) -> bool {
    if is_stream(file) {
        return false;
    }
    let here = &context.environment.directory;
    let above = here.join(file).parent().and_then(|above| above.canonicalize().ok());
    let contacts = here.join(&context.locations.contacts).canonicalize().ok();
    above.zip(contacts).is_some_and(|(above, contacts)| above.starts_with(contacts))
}

/// Reads a plan file; says why when it is not one, or not whole.
pub(super) fn read(context: &mut Context, file: &Path) -> Result<SavedPlan, Exit> {
    let read =
        if is_stream(file) { ops::read_plan_from(STDIN_NAME, std::io::stdin().lock()) } else { ops::read_plan(file) };
    read.map_err(|error| {
        let summary = match &error {
            SavedError::Read { .. } => "The plan cannot be read",
            SavedError::NotAPlan { .. } => "The file is not a plan",
            SavedError::TooNew { .. } => "The plan was saved by a later version",
            SavedError::Cut { .. } | SavedError::Damaged { .. } => "The plan file is not whole",
        };
        let next = match &error {
            SavedError::Read { .. } => "",
            SavedError::NotAPlan { .. } => "\nA plan file is made by `contactsd plan --out FILE`.",
            SavedError::TooNew { .. } => "\nUse the version that made it, or make the plan again.",
            SavedError::Cut { .. } | SavedError::Damaged { .. } => {
                "\nNothing of it is used. Copy it again from where it was made, or make the plan again: contactsd plan \
                 --out FILE."
            }
        };
        context.shell.error(summary, format!("{}{next}", escape(&ops::chain(&error))));
        Exit::Failure
    })
}

/// Says why a saved plan is not applied, and what to do.
pub(super) fn refuse(context: &mut Context, saved: &SavedPlan, refusal: &Refusal) -> Exit {
    let file = saved.path.display();
    let word = if saved.is_file { file.to_string() } else { "-".to_owned() };
    let again = format!(
        "Make a new plan: {}",
        context.command(&format!("plan --out {word}{}", planning_options(&saved.origins.policy)))
    );
    let state = &context.locations.state;
    let (summary, detail) = match refusal {
        Refusal::Errored { undecided } => {
            let need = match undecided {
                1 => "1 entry needs".to_owned(),
                many => format!("{} entries need", count(*many)),
            };
            let detail = format!(
                "{need} a decision in {file}, so it can never be applied. `{}` names the ways out.\n{again}",
                context.command(&format!("show {word}"))
            );
            ("Saved plan is errored", detail)
        }
        Refusal::Braked(brakes) => {
            let limits: Vec<String> = brakes.iter().map(|brake| ops::brake_problem(brake).summary).collect();
            let detail = format!(
                "{}.\nIt exceeds limits that were set when it was made. If it is meant, plan with --force or a higher \
                 limit; if not, check the directory.\n{again}",
                limits.join(".\n")
            );
            ("Saved plan passes its limits", detail)
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
                context.locations.contacts.display()
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
    context.shell.error(summary, detail);
    Exit::Failure
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
pub(super) fn some_of(keys: &[ContactKey]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = keys.iter().take(SHOWN).map(ContactKey::address).collect();
    match keys.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {} more", names.join(", "), count(more)),
    }
}
