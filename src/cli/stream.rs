//! `-` in place of a file: stdin for reading, stdout for writing. An option that needs a real path refuses it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, PathBufValueParser, TypedValueParser};

use crate::ui::words::command_line::{EMPTY_DIRECTORY, NEEDS_A_DIRECTORY, ONLY_STDIN, STDOUT_IS_TAKEN};

/// What a text from stdin is called where files have their path.
pub(super) const STDIN_NAME: &str = "<stdin>";

/// Reports whether a path that was typed stands for stdin or stdout; `./-` is a file.
pub(super) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == OsStr::new("-")
}

/// Takes a path that is a directory's, in whatever bytes.
pub(super) fn directory() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(parse_directory)
}

/// Takes a path that is written to beside stdout.
pub(super) fn beside_stdout() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| if is_stream(&path) { Err(STDOUT_IS_TAKEN) } else { Ok(path) })
}

/// Takes nothing but stdin.
pub(super) fn stdin() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| if is_stream(&path) { Ok(path) } else { Err(ONLY_STDIN) })
}

fn parse_directory(path: OsString) -> Result<PathBuf, &'static str> {
    if path.is_empty() {
        // A variable of a script that was never set, more often than the working directory.
        return Err(EMPTY_DIRECTORY);
    }
    if is_stream(Path::new(&path)) { Err(NEEDS_A_DIRECTORY) } else { Ok(path.into()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_file_of_that_name_can_be_named() {
        assert!(is_stream(Path::new("-")));
        for file in ["./-", "-x", "a/-"] {
            assert!(!is_stream(Path::new(file)) && parse_directory(file.into()).is_ok(), "{file}");
        }
    }

    #[test]
    fn a_directory_has_a_name_of_whatever_bytes() {
        let bytes = OsString::from_vec(b"con\xfftacts".to_vec());
        assert_eq!(parse_directory(bytes.clone()), Ok(bytes.into()));
        assert!(parse_directory(OsString::new()).is_err(), "an unset variable of a script names no directory");
    }
}
