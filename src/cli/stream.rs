//! `-` where a file is named: stdin to read from, stdout to write to. What is no file says so.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What a text from stdin is called where files have their path.
pub(super) const STDIN_NAME: &str = "<stdin>";

/// Reports whether a path that was typed stands for stdin or stdout; `./-` is a file.
pub(super) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == OsStr::new("-")
}

/// Takes a path that is a directory's.
pub(super) fn parse_directory(text: &str) -> Result<PathBuf, String> {
    let why = "a directory is needed here, and - is stdin or stdout; write ./- if a directory has that name";
    if text == "-" { Err(why.to_owned()) } else { Ok(text.into()) }
}

/// Takes a path that is written to beside stdout.
pub(super) fn parse_beside_stdout(text: &str) -> Result<PathBuf, String> {
    let why = "stdout holds the text for people; to have the records there instead, use --json";
    if text == "-" { Err(why.to_owned()) } else { Ok(text.into()) }
}

/// Takes nothing but stdin.
pub(super) fn parse_stdin(text: &str) -> Result<PathBuf, String> {
    let why = "one file is checked by itself from stdin only: write -; a directory of files is named by --dir";
    if text == "-" { Ok(text.into()) } else { Err(why.to_owned()) }
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
