//! Plan files: saving a plan, and reading one that was saved.

use std::path::Path;

use super::Exit;
use super::context::Context;
use crate::ops::{self, Origins, Planned, SavedError, SavedPlan};
use crate::ui::{SavedAs, escape, saved_text};

/// Saves a plan and says what it is good for.
pub(super) fn save(context: &mut Context, file: &Path, planned: &Planned, origins: &Origins) -> Result<(), Exit> {
    if planned.left_out > 0 {
        let detail = "What another process is at work on is not in the plan, and by the time that is done the plan \
                      would be stale. Plan again then.";
        context.shell.error("The plan was not saved", detail);
        return Err(Exit::Failure);
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

/// Reads a plan file; says why when it is not one, or not whole.
pub(super) fn read(context: &mut Context, file: &Path) -> Result<SavedPlan, Exit> {
    ops::read_plan(file).map_err(|error| {
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
