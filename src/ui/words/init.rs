//! Why `init` did not create all files.

use crate::ops::{InitError, chain};
use crate::source::Diagnostic;

/// Says that no forge is known, and what to do; `in_repository` unless there is no repository at all.
pub(crate) fn forge_unknown(in_repository: bool) -> Diagnostic {
    let why = if in_repository {
        "No remote of this git repository is on a known forge."
    } else {
        "This directory is not in a git repository, so no remote names the forge."
    };
    let detail = format!("{why} Nothing was created. Name the forge: --pipeline github or --pipeline gitlab.");
    Diagnostic::error("Cannot tell which pipeline to write", detail)
}

/// Says what stands in the way; `is_begun` where something was made before.
pub(crate) fn not_laid_out(error: &InitError, is_begun: bool) -> Diagnostic {
    let why = chain(error);
    let detail = match error {
        InitError::NotInRepository { .. } => {
            format!("{why}\nA pipeline reads the files of its own repository. Run init there, or leave out --pipeline.")
        }
        InitError::NameIsNotPlain { .. } => format!(
            "{why}, which a pipeline may take for a pattern.\nRename it, or leave out --pipeline and write the \
             pipeline by hand."
        ),
        _ if is_begun => {
            format!("{why}\nThe files named above stay. Fix this and run init again: it creates what is missing.")
        }
        _ => why,
    };
    Diagnostic::error("The contact files cannot be set up", detail)
}
