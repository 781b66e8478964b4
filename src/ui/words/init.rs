//! Why nothing, or not everything, is laid out by `init`.

use crate::ops::{InitError, chain};
use crate::source::Diagnostic;

/// Says that no forge is known, and what to do; `in_repository` unless there is no repository at all.
pub(crate) fn forge_unknown(in_repository: bool) -> Diagnostic {
    let why = if in_repository {
        "No remote of this git repository has a host that is known as a forge."
    } else {
        "There is no git repository around this directory, so that nothing says where it is pushed to."
    };
    let detail = format!("{why} Name the forge: --pipeline github or --pipeline gitlab. Nothing was made.");
    Diagnostic::error("It is not known which pipeline to write", detail)
}

/// Says what stands in the way; `is_begun` where something was made before.
pub(crate) fn not_laid_out(error: &InitError, is_begun: bool) -> Diagnostic {
    let why = chain(error);
    let detail = match error {
        InitError::NotInRepository { .. } => {
            format!(
                "{why}\nA pipeline looks at the files of its own repository. Run init there, or leave out --pipeline."
            )
        }
        InitError::NameIsNotPlain { .. } => format!(
            "{why}, which a pipeline may take for a pattern.\nRename it, or leave out --pipeline and write the pipeline by hand."
        ),
        _ if is_begun => {
            format!("{why}\nWhat is named above stays. Run init again once this is fixed: it makes what is missing.")
        }
        _ => why,
    };
    Diagnostic::error("The contact files cannot be set up", detail)
}
