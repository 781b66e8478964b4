//! `contactsd show`.

use std::iter;
use std::path::Path;

use super::args::ShowArgs;
use super::context::{Context, SANDBOX_ORIGIN};
use super::{Exit, plan, reading, saved};
use crate::ops::{Reading, Want};
use crate::ui::json::{ContactState, saved_plan_document};
use crate::ui::{Mask, binding_text};

pub(super) fn run(args: &ShowArgs, context: &mut Context) -> Exit {
    let shown = match &args.file {
        Some(file) => show_plan(file, context),
        None => show_state(context),
    };
    shown.map_or_else(|exit| exit, |()| Exit::Success)
}

/// Prints a saved plan as `plan` did.
fn show_plan(file: &Path, context: &mut Context) -> Result<(), Exit> {
    let saved = saved::read(context, file)?;
    context.shell.documents(iter::once_with(|| saved_plan_document(&saved.planned, Mask::Off)));
    if !context.shell.speaks_json() {
        plan::show_for(context, &saved.planned, None, saved.origins.api == SANDBOX_ORIGIN);
    }
    Ok(())
}

/// Prints the managed contacts with the fields last applied.
fn show_state(context: &mut Context) -> Result<(), Exit> {
    let Reading { snapshot, .. } = reading::state(context, Want::Everything)?;
    let bindings = &snapshot.bindings;
    context.shell.documents(bindings.iter().map(|(key, binding)| ContactState::new(key, binding, Mask::Off)));
    context.shell.to_people(|shell| {
        if bindings.is_empty() {
            shell.result("The state is empty. No contacts are managed.");
        }
        for (number, (key, binding)) in bindings.iter().enumerate() {
            let gap = if number == 0 { "" } else { "\n" };
            shell.result(format_args!("{gap}{}", binding_text(key, binding)));
        }
    });
    Ok(())
}
