//! Names below the directory that contact loading passes over, so that events for them say nothing.
//!
//! Must stay within what `source` skips: a name skipped here alone would be a change missed.

use std::ffi::OsStr;
use std::path::Path;

/// Reports whether nothing of that name is ever read in place: hidden, a backup, or an editor's own.
///
/// Covers `.git` and our own `.contactsd`, whose changes must not call for looks without end.
pub(super) fn is_passed_over(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let is_swap = name.starts_with(b"#") && name.ends_with(b"#") || name == b"4913";
    name.starts_with(b".") || name.ends_with(b"~") || is_swap
}

/// Reports whether an event for that name says nothing.
///
/// `..data` and its kind are not read in place, yet whole directories are swapped through them.
pub(super) fn is_silent(name: &OsStr) -> bool {
    is_passed_over(name) && !name.as_encoded_bytes().starts_with(b"..")
}

/// Reports whether a file of that name is read as a contact file.
///
/// Any other file that is neither a directory nor a link says nothing, however often it is written: a log, for one.
pub(super) fn is_contact_file(name: &OsStr) -> bool {
    let extension = Path::new(name).extension();
    !is_passed_over(name) && extension.is_some_and(|extension| extension == "yaml" || extension == "yml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_and_our_own_names_are_silent_and_contact_files_are_not() {
        for name in [".contactsd", ".git", ".a.yaml.swp", "a.yaml~", "#a.yaml#", "4913", ".#a.yaml"] {
            assert!(is_silent(OsStr::new(name)), "{name}");
        }
        for name in ["a.yaml", "team", "a.yaml.tmp", "49130"] {
            assert!(!is_silent(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn contact_files_are_those_that_loading_reads() {
        for name in ["a.yaml", "a.yml", "a.b.yaml"] {
            assert!(is_contact_file(OsStr::new(name)), "{name}");
        }
        for name in ["a.log", "a.yaml.tmp", "a.yaml~", ".a.yaml", "yaml", "A.YAML"] {
            assert!(!is_contact_file(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn swapped_data_directories_are_heard_though_not_read_in_place() {
        for name in ["..data", "..data_tmp", "..2026_01_01"] {
            assert!(is_passed_over(OsStr::new(name)), "{name}");
            assert!(!is_silent(OsStr::new(name)), "{name}");
        }
    }
}
