//! The contact files: a directory of YAML read into entries, with everything wrong in it said at once.
//!
//! The one home of YAML. Never writes, never contacts anything, and knows nothing of state or plans.
//! Each file is read once, by one reader that knows the place of everything: events become values (`compose`, `tape`),
//! and each contact an entry or words about what is wrong with it (`check`, `words`).

mod across;
mod check;
mod code;
mod collapse;
mod compose;
pub mod convert;
mod diagnostic;
mod flatten;
mod format;
mod load;
mod loaded;
mod locate;
mod meaning;
mod merge;
mod moves;
mod outline;
mod providers;
mod read;
mod root;
mod rules;
mod schema;
mod slips;
mod stored;
mod tally;
mod tape;
mod walk;
mod words;
mod write;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use code::{Code, Severity};
pub use collapse::{Clash, clashes};
pub use diagnostic::{Diagnostic, Location};
pub use format::{Formatted, Found, Note, contact_files, format_bytes, format_file};
pub use load::{LOADER, Options, load, load_from};
pub use loaded::{Loaded, SourceFile};
pub use locate::{lines, locate};
pub use meaning::Meaning;
pub use providers::is_public_mail;
pub use root::{Error, open_root};
pub use rules::MAX_FILE_BYTES;
pub use schema::schema;
pub use walk::is_yaml;
pub use write::{ByName, Rest, Unfit, Written, contact_file, to_yaml, write_fields, write_key};

use check::Take;
use diagnostic::Source;
use meaning::NamesSeen;

use crate::beneath::Root;
use crate::model::Entry;

/// Reads the text of one file, hands over its entries in order, and says what is wrong; a pure function of its arguments.
fn read_text(path: &Path, text: String, meaning: &Meaning, take: Take<'_>) -> (Vec<Diagnostic>, NamesSeen) {
    check::read(&Source::new(path.into(), text), meaning, take)
}

/// Reads the file at a path below `root` again, hands over its entries in order, and says what is wrong with it; names
/// stand for themselves.
pub fn visit(root: &Root, below: &Path, take: &mut dyn FnMut(Entry)) -> Vec<Diagnostic> {
    let path = root.named().join(below);
    match read::below(root, below).and_then(|bytes| read::text(&path, bytes)) {
        Ok(text) => read_text(&path, text, &Meaning::AsWritten, &mut |whole| take(whole.into_entry())).0,
        Err(diagnostic) => vec![*diagnostic],
    }
}

/// Reads the text of one file into all its entries, names as they are written.
pub fn entries_of(path: &Path, text: String) -> (Vec<Entry>, Vec<Diagnostic>) {
    let mut entries = Vec::new();
    let (diagnostics, _) = read_text(path, text, &Meaning::AsWritten, &mut |whole| entries.push(whole.into_entry()));
    (entries, diagnostics)
}
