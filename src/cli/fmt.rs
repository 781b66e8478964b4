//! `contactsd fmt`.

use std::path::Path;

use super::Exit;
use super::args::FmtArgs;
use super::context::Context;
use super::reading::unreadable;
use crate::beneath::{Bounds, Refused, Root};
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
    /// What was found, to be told when all files were looked at.
    messages: Vec<Message>,
}

pub(super) fn run(args: &FmtArgs, context: &mut Context) -> Exit {
    let mut tally = Tally::default();
    if args.files.is_empty() {
        let (directory, bounds) = (context.locations.contacts.clone(), context.bounds.clone());
        all_below(&directory, &bounds, args, context, &mut tally);
    }
    for named in &args.files {
        let bounds = Bounds { root_within: None, ..context.bounds.clone() };
        if named.is_file() {
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

fn open(directory: &Path, bounds: &Bounds, context: &mut Context, tally: &mut Tally) -> Option<Root> {
    source::open_root(directory, bounds).map_err(|error| cannot_read(&error, context, tally)).ok()
}

fn cannot_read(error: &source::Error, context: &mut Context, tally: &mut Tally) {
    tally.failed += 1;
    context.shell.error("Cannot read the contact files", unreadable(error));
}

/// Formats the contact files below a directory.
fn all_below(directory: &Path, bounds: &Bounds, args: &FmtArgs, context: &mut Context, tally: &mut Tally) {
    let Some(root) = open(directory, bounds, context, tally) else { return };
    match source::contact_files(&root) {
        Ok(found) => {
            tally.failed += found.diagnostics.len();
            tally.messages.extend(found.diagnostics.iter().map(Message::from));
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
            tally.messages.extend(mistakes.map(Message::from));
            return;
        }
    };
    if matches!(root.holder(below), Err(Refused::Outside(_))) {
        // It may be read, by --follow-within, and belongs to somebody else.
        let detail =
            format!("A link leads to it, and it is outside of {}. Format it where it is.", root.named().display());
        context.shell.warning(format!("{} was left alone", file.display()), detail);
        return;
    }
    tally.files += 1;
    for note in &formatted.notes {
        let message = Message::warning("Left as it is written", note.text.clone());
        tally.messages.push(Message { location: Some(note.location.clone()), ..message });
    }
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
        context.shell.error("A file was not formatted", chain(error));
    }
    outcome.is_ok()
}

/// Says what the names alone do not; a list of names is for programs as well.
fn conclude(args: &FmtArgs, tally: &Tally, context: &mut Context) -> Exit {
    let Tally { files, changed, failed, messages: _ } = *tally;
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
