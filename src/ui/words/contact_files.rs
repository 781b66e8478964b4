//! Contact files: what cannot be read, and the results of checking and formatting them.
//!
//! Mistakes inside a file are worded in `source/words.rs`.

use std::error::Error;
use std::io::ErrorKind;
use std::path::Path;

use super::super::amounts::counted;
use super::super::escape::escape;
use crate::ops::{LoadError, chain};
use crate::shell_word::shell_word;
use crate::source::{self, Diagnostic, Note};

/// Says why the contact files cannot be used, worst last.
pub(crate) fn load(error: &LoadError) -> Vec<Diagnostic> {
    match error {
        LoadError::Unreadable(error) => vec![unreadable(error)],
        LoadError::Invalid { diagnostics, .. } => {
            let mut diagnostics = diagnostics.clone();
            diagnostics.sort_by_key(|diagnostic| diagnostic.severity);
            diagnostics
        }
    }
}

/// Says why a directory cannot be read, and what to do.
pub(crate) fn unreadable(error: &source::Error) -> Diagnostic {
    let why = chain(error);
    let detail = match error {
        source::Error::ReadDirectory { source, .. } if source.kind() == ErrorKind::NotFound => {
            format!("{why}\nName the directory with --dir, or make it with a first entry: contactsd init")
        }
        source::Error::LeadsOut { dir, .. } => format!(
            "{why}\nIt is a link, and a repository must not decide which directory of this machine is read. If it is \
             the right directory, name it: --dir {}",
            shell_word(dir.display())
        ),
        _ => why,
    };
    Diagnostic::error("Cannot read the contact files", detail)
}

/// What was named to be formatted is not there.
pub(crate) fn not_there(path: &Path) -> Diagnostic {
    Diagnostic::error(
        format!("There is no file or directory {}", path.display()),
        "Name a contact file or a directory of contact files. Without a name, those of --dir are formatted.",
    )
}

/// A directory without contact files is valid, and seldom meant.
pub(crate) fn none_in(directory: &Path) -> Diagnostic {
    let summary = format!("{} holds no contact files", directory.display());
    Diagnostic::warning(summary, "Contact files end in .yaml or .yml.")
}

pub(crate) fn valid(contacts: usize, files: usize) -> String {
    let are = if contacts == 1 { "is" } else { "are" };
    format!("Success! {} in {} {are} valid.", counted(contacts, "contact"), counted(files, "file"))
}

// Formatting.

pub(crate) fn left_as_written(note: &Note) -> Diagnostic {
    let location = Some(note.location.clone());
    Diagnostic { location, ..Diagnostic::warning("Left as it was written", note.text.clone()) }
}

/// A link leads to a file outside, which may belong to other people.
pub(crate) fn left_alone(file: &Path, directory: &Path) -> Diagnostic {
    let detail = format!(
        "It is outside of {}, and only a link leads to it. Format it in its own directory.",
        directory.display()
    );
    Diagnostic::warning(format!("{} was not formatted", file.display()), detail)
}

pub(crate) fn not_formatted(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("A file was not formatted", chain(why))
}

pub(crate) fn formatted_already(files: usize) -> String {
    format!("{} {} already formatted.", counted(files, "file"), if files == 1 { "is" } else { "are" })
}

pub(crate) fn how_to_format(command: &str, files: usize) -> String {
    format!("Run \"{}\" to format {}.", escape(command), counted(files, "file"))
}
