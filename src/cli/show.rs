//! `contactsd show`.

use std::iter;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{PageArgs, ViewArgs};
use super::context::{Context, SANDBOX_ORIGIN};
use super::showing::{self, Shown};
use super::view::View;
use super::{Exit, reading, saved};
use crate::model::Binding;
use crate::ops::{Reading, Want};
use crate::shell_word::{command, shell_word};
use crate::ui::json::{ContactState, plan_document};
use crate::ui::{binding_text, words};

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// File that `plan --out` has saved, or - for stdin; without one, the managed contacts are shown
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) page: PageArgs,
    #[command(flatten)]
    pub(super) view: ViewArgs,
}

pub(super) fn run(args: &ShowArgs, context: &mut Context) -> Exit {
    if let Err(exit) = showing::begin(context, View::new(&args.view, Some(&args.page))) {
        return exit;
    }
    let shown = match &args.file {
        Some(file) => show_plan(file, context),
        None if context.view.is_page() => Err(context.fail(&words::plan_file::no_plan_to_show())),
        None => show_state(context),
    };
    shown.map_or_else(|exit| exit, |()| Exit::Success)
}

/// Prints a saved plan as `plan` did.
fn show_plan(file: &Path, context: &mut Context) -> Result<(), Exit> {
    let saved = saved::read(context, file)?;
    let mask = context.view.mask;
    context.shell.documents(iter::once_with(|| plan_document(&saved.planned, mask)));
    if context.shell.speaks_json() {
        return Ok(());
    }
    let name = shell_word(file.display());
    let shown = Shown {
        apply: Some(command(&format!("apply {name}"))),
        everything: command(&format!("show {name}")),
        sandbox: saved.origins.api == SANDBOX_ORIGIN,
        ..Shown::of(&saved.planned, context)
    };
    showing::show(context, &shown);
    Ok(())
}

/// Prints the managed contacts with the fields last applied.
fn show_state(context: &mut Context) -> Result<(), Exit> {
    let Reading { snapshot, .. } = reading::state(context, Want::Everything)?;
    let bindings = &snapshot.bindings;
    let mask = context.view.mask;
    context.shell.documents(bindings.iter().map(|(key, binding)| ContactState::new(key, binding, mask)));
    context.shell.to_people(|shell| {
        if bindings.is_empty() {
            shell.result(words::managed::NOBODY);
        }
        for (number, (key, binding)) in bindings.iter().enumerate() {
            let gap = if number == 0 { "" } else { "---\n" };
            let applied = mask.fields(&binding.applied).into_owned();
            let binding = Binding { applied, ..binding.clone() };
            shell.result(format_args!("{gap}{}", binding_text(key, &binding)));
        }
    });
    Ok(())
}
