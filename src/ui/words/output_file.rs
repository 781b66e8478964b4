//! Files that are named for output and are not written over.

use std::path::Path;

use crate::source::Diagnostic;

/// What a file of output would take the place of.
#[derive(Debug)]
pub(crate) enum Spares<'a> {
    /// A file that another argument names: the flag, or the name of the argument.
    Named(&'a str),
    /// A file of this directory, which is read for contacts.
    ContactFiles(&'a Path),
    /// What may be a contact file: the command line was not understood.
    Unknown,
    /// A file of a state or of the sandbox.
    State,
    /// `contactsd.toml`, or a file with a credential.
    Settings,
}

/// What an argument without a name of its own is called, or a word of a line that was not understood.
pub(crate) const ANOTHER_ARGUMENT: &str = "another argument";

/// Says why `file` is not written over, which `flag` names.
pub(crate) fn spared(flag: &str, file: &Path, spares: &Spares<'_>) -> Diagnostic {
    let file = file.display();
    let summary = match spares {
        Spares::Named(other) => format!("{flag} and {other} name the same file, {file}"),
        Spares::ContactFiles(_) => format!("{file} is among the contact files"),
        Spares::Unknown => format!("{file} may be a contact file"),
        Spares::State => format!("{file} is in a directory of contactsd's own"),
        Spares::Settings => format!("contactsd reads {file}"),
    };
    let why = match spares {
        Spares::ContactFiles(directory) => {
            format!("It is read as a contact file of {}. ", directory.display())
        }
        _ => String::new(),
    };
    Diagnostic::error(summary, format!("{why}{flag} writes over the file that it names. Name another file for it."))
}
