//! Contact files that cannot be read.
//!
//! What is wrong inside of one is worded where it is found, in `source/words.rs`.

use std::io::ErrorKind;

use crate::ops::{self, LoadError};
use crate::shell_word::shell_word;
use crate::source::{self, Diagnostic};

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
    let why = ops::chain(error);
    let detail = match error {
        source::Error::ReadDirectory { source, .. } if source.kind() == ErrorKind::NotFound => {
            format!("{why}\nName the directory with --dir, or make it with a first entry: contactsd init")
        }
        source::Error::LeadsOut { dir, .. } => format!(
            "{why}\nIt is a link, and who wrote the repository must not decide which directory of this machine is read. \
             If it is the one you mean, name it: --dir {}",
            shell_word(dir.display())
        ),
        _ => why,
    };
    Diagnostic::error("Cannot read the contact files", detail)
}
