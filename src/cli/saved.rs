//! Plan files: saving a plan, reading one that was saved, and saying why one is not applied.

use std::path::Path;

use super::Exit;
use super::context::Context;
use super::spared::stands_below;
use super::stream::{STDIN_NAME, is_stream};
use crate::ops::{self, Origins, Planned, Refusal, SavedPlan};
use crate::shell_word::{command, shell_word};
use crate::ui::words::system::{OneStdout, exclude_each_other};
use crate::ui::{SavedAs, saved_text, words};

/// Saves a plan and says what it is good for.
pub(super) fn save(context: &mut Context, file: &Path, planned: &Planned, origins: &Origins) -> Result<(), Exit> {
    if planned.left_out > 0 {
        return Err(context.fail(&words::plan_file::not_saved_meanwhile()));
    }
    if is_stream(file) {
        // What could not be written is told at the end.
        return ops::write_plan(context.shell.bytes(), planned, origins).map_err(|_| Exit::Failure);
    }
    ops::save_plan(file, planned, origins).map_err(|error| context.fail(&words::plan_file::not_saved(&error)))?;
    if !context.environment.in_automation() {
        let plan = &planned.plan;
        let saved_as = match () {
            () if plan.counts().undecided > 0 => SavedAs::Undecided,
            () if !plan.brakes.is_empty() => SavedAs::Braked,
            () if plan.is_empty() => SavedAs::Empty,
            () => SavedAs::Applicable { command: command(&format!("apply {}", shell_word(file.display()))) },
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
    let two = match () {
        () if context.shell.speaks_json() => OneStdout::PlanAndRecords,
        () if context.view.is_page() => OneStdout::PlanAndPage,
        () => {
            context.shell.leave_stdout();
            return Ok(());
        }
    };
    Err(context.fail(&exclude_each_other(two)))
}

/// Reports whether a file to be written would stand among the contact files, however either is spelled.
pub(super) fn is_among_contact_files(file: &Path, context: &Context) -> bool {
    if is_stream(file) {
        return false;
    }
    let here = &context.environment.directory;
    stands_below(&here.join(file), &here.join(&context.locations.contacts)).unwrap_or(false)
}

/// Reads a plan file; says why when it is not one, or not whole.
pub(super) fn read(context: &mut Context, file: &Path) -> Result<SavedPlan, Exit> {
    let read =
        if is_stream(file) { ops::read_plan_from(STDIN_NAME, std::io::stdin().lock()) } else { ops::read_plan(file) };
    read.map_err(|error| context.fail(&words::plan_file(&error)))
}

/// Says why a saved plan is not applied, and what to do.
pub(super) fn refuse(context: &mut Context, saved: &SavedPlan, refusal: &Refusal) -> Exit {
    let message = words::refusal(saved, refusal, &command, &context.locations);
    context.fail(&message)
}
