//! `contactsd fmt`.

use crate::source::Diagnostic;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::context::Context;
use super::stream::{STDIN_NAME, is_stream};
use crate::beneath::{Bounds, Refused, Root};
use crate::ops;
use crate::shell_word::{command, shell_word};
use crate::source::{self, Formatted, Severity};
use crate::ui::words::contact_files::{
    formatted_already, how_to_format, left_alone, left_as_written, not_formatted, not_there,
};
use crate::ui::words::system::{Asked, cannot, stdin_and_files};
use crate::ui::{escape, unified_diff, words};

#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    /// Change nothing; list the files that are not formatted, and exit with 1 if there are any
    #[arg(long)]
    pub(super) check: bool,
    /// Change nothing; show what would change
    #[arg(long)]
    pub(super) diff: bool,
    /// Files and directories [default: --dir]; - formats stdin to stdout
    #[arg(value_name = "FILES")]
    pub(super) files: Vec<PathBuf>,
}

/// What became of the files.
#[derive(Default)]
struct Tally {
    files: usize,
    changed: usize,
    failed: usize,
    /// What was found, to be told when all files were looked at.
    messages: Vec<Diagnostic>,
}

pub(super) fn run(args: &FmtArgs, context: &mut Context) -> Exit {
    let mut tally = Tally::default();
    if args.files.is_empty() {
        let (directory, bounds) = (context.locations.contacts.clone(), context.bounds.clone());
        all_below(&directory, &bounds, args, context, &mut tally);
    }
    if args.files.iter().any(|file| is_stream(file)) {
        return stdin(args, context);
    }
    for named in &args.files {
        let bounds = Bounds { root_within: None, ..context.bounds.clone() };
        if named.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            tally.failed += 1;
            context.shell.message(&not_there(named));
        } else if named.is_file() {
            // A file of the directory may be a link to another one there, any other to what stands beside it.
            let directory = Some(context.locations.contacts.clone()).filter(|contacts| named.starts_with(contacts));
            let directory = directory.unwrap_or_else(|| named.parent().unwrap_or(Path::new("")).to_owned());
            if let Some(root) = open(&directory, &bounds, context, &mut tally) {
                let below = named.strip_prefix(&directory).expect("it was found below");
                one(&root, below, args, context, &mut tally);
            }
        } else {
            all_below(named, &bounds, args, context, &mut tally);
        }
    }
    context.shell.messages(std::mem::take(&mut tally.messages));
    conclude(args, &tally, context)
}

/// Formats stdin to stdout, as editors want it.
fn stdin(args: &FmtArgs, context: &mut Context) -> Exit {
    if args.files.len() > 1 {
        return context.fail(&stdin_and_files());
    }
    let mut before = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut before) {
        return context.fail(&cannot(Asked::Stdin, &error));
    }
    let formatted = match source::format_bytes(Path::new(STDIN_NAME), before) {
        Ok(formatted) => formatted,
        Err(found) => {
            let mistakes = found.iter().filter(|one| one.severity == Severity::Error);
            context.shell.messages(mistakes.cloned());
            return Exit::Failure;
        }
    };
    context.shell.messages(formatted.notes.iter().map(left_as_written));
    let (is_changed, color) = (formatted.is_changed(), context.shell.stdout().color);
    match (args.diff, args.check) {
        (true, _) if is_changed => {
            let before = String::from_utf8_lossy(&formatted.before);
            context.shell.result(unified_diff(STDIN_NAME, &before, &formatted.after, color));
        }
        (false, true) if is_changed => context.shell.result(STDIN_NAME),
        (false, false) if context.shell.speaks_json() => context.shell.result(&formatted.after),
        // What could not be written is told at the end.
        (false, false) => drop(context.shell.bytes().write_all(formatted.after.as_bytes())),
        _ => {}
    }
    if args.check && is_changed { Exit::Failure } else { Exit::Success }
}

fn open(directory: &Path, bounds: &Bounds, context: &mut Context, tally: &mut Tally) -> Option<Root> {
    source::open_root(directory, bounds).map_err(|error| cannot_read(&error, context, tally)).ok()
}

fn cannot_read(error: &source::Error, context: &mut Context, tally: &mut Tally) {
    tally.failed += 1;
    context.shell.message(&words::unreadable(error));
}

/// Formats the contact files below a directory.
fn all_below(directory: &Path, bounds: &Bounds, args: &FmtArgs, context: &mut Context, tally: &mut Tally) {
    let Some(root) = open(directory, bounds, context, tally) else { return };
    match source::contact_files(&root) {
        Ok(found) => {
            tally.failed += found.diagnostics.len();
            tally.messages.extend(found.diagnostics.iter().cloned());
            found.files.iter().for_each(|below| one(&root, below, args, context, tally));
        }
        Err(error) => cannot_read(&error, context, tally),
    }
}

fn one(root: &Root, below: &Path, args: &FmtArgs, context: &mut Context, tally: &mut Tally) {
    let file = root.named().join(below);
    let formatted = match source::format_file(root, below) {
        Ok(formatted) => formatted,
        Err(found) => {
            tally.files += 1;
            tally.failed += 1;
            let mistakes = found.iter().filter(|one| one.severity == Severity::Error);
            tally.messages.extend(mistakes.cloned());
            return;
        }
    };
    if matches!(root.holder(below), Err(Refused::Outside(_))) {
        // It may be read, by --follow-within, and belongs to somebody else.
        context.shell.message(&left_alone(&file, root.named()));
        return;
    }
    tally.files += 1;
    tally.messages.extend(formatted.notes.iter().map(left_as_written));
    if !formatted.is_changed() {
        return;
    }
    if !args.check && !args.diff && !replaced(root, below, &formatted, context) {
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

fn replaced(root: &Root, below: &Path, formatted: &Formatted, context: &mut Context) -> bool {
    let outcome = ops::replace(root, below, formatted);
    if let Err(error) = &outcome {
        context.shell.message(&not_formatted(error));
    }
    outcome.is_ok()
}

/// Says what the names alone do not; a list of names is for programs as well.
fn conclude(args: &FmtArgs, tally: &Tally, context: &mut Context) -> Exit {
    let Tally { files, changed, failed, messages: _ } = *tally;
    if changed == 0 && failed == 0 {
        context.shell.status(formatted_already(files));
    } else if changed > 0 && args.check && !context.environment.in_automation() {
        let named =
            args.files.iter().fold(String::new(), |named, file| format!("{named} {}", shell_word(file.display())));
        let command = command(&format!("fmt{named}"));
        context.shell.hint(how_to_format(&command, changed));
    }
    if failed > 0 || args.check && changed > 0 { Exit::Failure } else { Exit::Success }
}
