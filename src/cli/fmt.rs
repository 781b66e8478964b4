//! `contactsd fmt`.

use std::path::{Path, PathBuf};

use super::Exit;
use super::args::FmtArgs;
use super::context::Context;
use super::reading::unreadable;
use crate::ops::{self, chain};
use crate::source::{self, Formatted, Severity};
use crate::ui::amounts::counted;
use crate::ui::{Message, escape, unified_diff};

/// What became of the files.
#[derive(Default)]
struct Tally {
    files: usize,
    changed: usize,
    failed: usize,
}

pub(super) fn run(args: &FmtArgs, context: &mut Context) -> Exit {
    let named = match args.files.as_slice() {
        [] => vec![context.locations.contacts.clone()],
        named => named.to_vec(),
    };
    let mut tally = Tally::default();
    for named in named {
        for file in files(&named, context, &mut tally) {
            one(&file, args, context, &mut tally);
        }
    }
    conclude(args, &tally, context)
}

/// Lists the files that a name stands for: itself, or what a directory holds.
fn files(named: &Path, context: &mut Context, tally: &mut Tally) -> Vec<PathBuf> {
    if named.is_file() {
        return vec![named.to_owned()];
    }
    match source::contact_files(named) {
        Ok(found) => {
            tally.failed += found.diagnostics.len();
            context.shell.messages(found.diagnostics.iter().map(Message::from));
            found.files
        }
        Err(error) => {
            tally.failed += 1;
            context.shell.error("Cannot read the contact files", unreadable(&error));
            Vec::new()
        }
    }
}

fn one(file: &Path, args: &FmtArgs, context: &mut Context, tally: &mut Tally) {
    tally.files += 1;
    let formatted = match source::format_file(file) {
        Ok(formatted) => formatted,
        Err(found) => {
            tally.failed += 1;
            let mistakes = found.iter().filter(|one| one.severity == Severity::Error);
            context.shell.messages(mistakes.map(Message::from));
            return;
        }
    };
    for note in &formatted.notes {
        let message = Message::warning("Left as it is written", note.text.clone());
        context.shell.message(&Message { location: Some(note.location.clone()), ..message });
    }
    if !formatted.is_changed() {
        return;
    }
    if !args.check && !args.diff && !replaced(file, &formatted, context) {
        tally.failed += 1;
        return;
    }
    tally.changed += 1;
    let name = file.to_string_lossy();
    if args.diff {
        let (before, color) = (String::from_utf8_lossy(&formatted.before), context.shell.stdout().color);
        context.shell.result(unified_diff(&name, &before, &formatted.after, color));
    } else {
        context.shell.result(escape(&name));
    }
}

fn replaced(file: &Path, formatted: &Formatted, context: &mut Context) -> bool {
    let outcome = ops::replace(file, formatted);
    if let Err(error) = &outcome {
        context.shell.error("A file was not formatted", chain(error));
    }
    outcome.is_ok()
}

/// Says what the names alone do not; a list of names is for programs as well.
fn conclude(args: &FmtArgs, tally: &Tally, context: &mut Context) -> Exit {
    let Tally { files, changed, failed } = *tally;
    if changed == 0 && failed == 0 {
        let are = if files == 1 { "is" } else { "are" };
        context.shell.status(format!("{} {are} formatted already.", counted(files, "file")));
    } else if changed > 0 && args.check && !context.environment.in_automation() {
        let named = args.files.iter().fold(String::new(), |named, file| format!("{named} {}", file.display()));
        let command = context.command(&format!("fmt{named}"));
        context.shell.hint(format!("Run \"{}\" to format {}.", escape(&command), counted(changed, "file")));
    }
    if failed > 0 || args.check && changed > 0 { Exit::Failure } else { Exit::Success }
}
