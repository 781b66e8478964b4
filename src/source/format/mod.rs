//! One way to write a contact file: order of fields, indentation, blank lines.
//!
//! Moves and indents whole lines, with their comments; never rewrites a value, and never writes to
//! disk. What it cannot move safely stays as it is, with a note. A text that would load as anything
//! else than before is refused.

mod layout;
mod order;
#[cfg(test)]
mod properties;
mod rewrite;
mod same;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use layout::Reason;

use super::diagnostic::Span;
use super::{Diagnostic, Error, Location, Meaning, Severity, Source, read, read_text, walk};
use crate::beneath::Root;
use crate::index::Tree;

/// A file as it is and as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// The bytes that were read.
    pub before: Vec<u8>,
    pub after: String,
    /// What was left as it is.
    pub notes: Vec<Note>,
}

/// Something that is not in the one way and was not brought there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub location: Location,
    pub text: String,
}

impl Formatted {
    pub fn is_changed(&self) -> bool {
        self.before != self.after.as_bytes()
    }
}

/// The contact files below a directory, each by its path there, and what of it could not be looked at.
#[derive(Debug)]
pub struct Found {
    pub files: Vec<PathBuf>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Lists the contact files below `root`, as they are read by [`super::load`].
pub fn contact_files(root: &Root) -> Result<Found, Error> {
    let nothing = Tree::default();
    let walk = walk::walk(root, &nothing, &|| {})?;
    let file = |(at, file): (usize, usize)| {
        let directory = &walk.directories[at];
        directory.below.join(directory.files[file].name(&nothing))
    };
    let files = walk.in_order(&nothing).into_iter().map(file).collect();
    Ok(Found { files, diagnostics: walk.diagnostics })
}

/// Reads the file at a path below `root` and writes it again in memory; a file with mistakes gives these instead.
pub fn format_file(root: &Root, below: &Path) -> Result<Formatted, Vec<Diagnostic>> {
    let before = read::below(root, below).map_err(|diagnostic| vec![*diagnostic])?;
    format_bytes(&root.named().join(below), before)
}

/// Writes the bytes of a file again, which messages call `path`; the mistakes in them come back instead.
pub fn format_bytes(path: &Path, before: Vec<u8>) -> Result<Formatted, Vec<Diagnostic>> {
    let text = read::text(path, before.clone()).map_err(|diagnostic| vec![*diagnostic])?;
    let (after, notes) = format_text(path, text)?;
    Ok(Formatted { before, after, notes })
}

/// Writes a text again; mistakes in it come back instead.
fn format_text(path: &Path, text: String) -> Result<(String, Vec<Note>), Vec<Diagnostic>> {
    let (found, _) = read_text(path, text.clone(), &Meaning::AsWritten, &mut |_| ());
    if found.iter().any(|one| one.severity == Severity::Error) {
        return Err(found);
    }
    let (after, left) = rewritten(path, &text);
    let source = Source::new(Arc::from(path), text);
    let note = |reason: &Reason| {
        let line = source.line(reason.line + 1);
        let column = line.len() - line.trim_start().len();
        let span = Span { line: reason.line + 1, column: column + 1, width: line.trim().chars().count() };
        Note { location: source.location(span), text: reason.text.to_owned() }
    };
    let notes = left.iter().map(note).collect();
    Ok((after.unwrap_or(source.text), notes))
}

const UNSURE: &str = "Rewritten, the file might not say the same. It is left as it is.";
const LONE_RETURN: &str = "Somewhere in it a carriage return stands without a line feed. The whole file is left.";

/// Returns the text written again, and what was left; no text when all of it stays.
fn rewritten(path: &Path, text: &str) -> (Option<String>, Vec<Reason>) {
    let refused = |text| (None, vec![Reason { line: 0, text }]);
    let unix = text.replace("\r\n", "\n");
    if unix.contains('\r') {
        return refused(LONE_RETURN);
    }
    // The line ends that most lines have, as an editor on Windows writes them.
    let is_windows = (text.len() - unix.len()) * 2 > unix.matches('\n').count();
    let mut lines: Vec<&str> = unix.split('\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let Some(layout) = layout::read(&unix, &lines) else { return refused(UNSURE) };
    if let Some(reason) = layout.refusal {
        return (None, vec![reason]);
    }
    let mut rewritten = rewrite::rewrite(&lines, &layout);
    if is_windows {
        rewritten.text = rewritten.text.replace('\n', "\r\n");
    }
    if rewritten.text == text {
        return (None, rewritten.left);
    }
    if !same::says_the_same(path, text, &rewritten.text) {
        return refused(UNSURE);
    }
    rewritten.left.sort_by_key(|reason| reason.line);
    (Some(rewritten.text), rewritten.left)
}
