//! `-` in place of a file: stdin for reading, stdout for writing. An option that needs a real path refuses it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::ui::words::command_line::{NEEDS_A_DIRECTORY, ONLY_STDIN, STDOUT_IS_TAKEN};

/// What a text from stdin is called where files have their path.
pub(super) const STDIN_NAME: &str = "<stdin>";

/// Reports whether a path that was typed stands for stdin or stdout; `./-` is a file.
pub(super) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == OsStr::new("-")
}

/// Takes a path that is a directory's.
pub(super) fn parse_directory(text: &str) -> Result<PathBuf, String> {
    if text == "-" { Err(NEEDS_A_DIRECTORY.to_owned()) } else { Ok(text.into()) }
}

/// Takes a path that is written to beside stdout.
pub(super) fn parse_beside_stdout(text: &str) -> Result<PathBuf, String> {
    if text == "-" { Err(STDOUT_IS_TAKEN.to_owned()) } else { Ok(text.into()) }
}

/// Takes nothing but stdin.
pub(super) fn parse_stdin(text: &str) -> Result<PathBuf, String> {
    if text == "-" { Ok(text.into()) } else { Err(ONLY_STDIN.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_that_name_can_be_named() {
        assert!(is_stream(Path::new("-")));
        for file in ["./-", "-x", "a/-", ""] {
            assert!(!is_stream(Path::new(file)) && parse_directory(file).is_ok(), "{file}");
        }
    }
}
