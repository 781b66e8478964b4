//! Files that contactsd writes: the result for each, and why a file was not replaced.

use std::error::Error;
use std::path::Path;

use super::super::amounts::counted;
use super::super::escape::escape;
use crate::model::ContactKey;
use crate::ops::{Placed, Placing, chain};
use crate::source::Diagnostic;

/// How many contacts are named.
const MOST_NAMED: usize = 20;

pub(crate) fn incomparable(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("The files cannot be compared", chain(why))
}

/// Says why a file was not replaced, and what to do.
pub(crate) fn kept(path: &Path, placing: &Placing) -> Diagnostic {
    let detail = match placing {
        Placing::Loses(keys) => {
            let named: Vec<String> = keys.iter().take(MOST_NAMED).map(ContactKey::address).collect();
            format!(
                "It declares {} that the new file would not have: {}. To write the file without them, add --force. \
                 The next apply then forgets them, and does not delete them.",
                counted(keys.len(), "contact"),
                named.join(", ")
            )
        }
        _ => "It was edited, or contactsd did not write it. To see the difference, add --diff. To replace it, add \
            --force."
            .to_owned(),
    };
    Diagnostic::error(format!("{} was not replaced", path.display()), detail)
}

pub(crate) fn placed(path: &Path, file: &Placed) -> String {
    let what = match file.placing {
        Placing::Same => "unchanged",
        Placing::New => "written",
        Placing::Replaced | Placing::Edited { .. } | Placing::Loses(_) => "replaced",
    };
    format!("{}: {}, {what}", escape(&path.display().to_string()), counted(file.contacts, "contact"))
}
