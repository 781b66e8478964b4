//! `-` where a file is named: stdin to read from, stdout to write to. What is no file says so.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, PathBufValueParser, TypedValueParser};

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
    PathBufValueParser::new().try_map(parse_beside_stdout)
}

/// Takes nothing but stdin.
pub(super) fn stdin() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(parse_stdin)
}

fn parse_directory(path: OsString) -> Result<PathBuf, &'static str> {
    if path.is_empty() {
        // A variable of a script that was never set, more often than the working directory.
        return Err("a directory is needed here, and this is empty; write . for the working directory");
    }
    if path == "-" {
        return Err("a directory is needed here, and - is stdin or stdout; write ./- if a directory has that name");
    }
    Ok(path.into())
}

fn parse_beside_stdout(path: PathBuf) -> Result<PathBuf, &'static str> {
    let why = "stdout holds the text for people; to have the records there instead, use --json";
    if is_stream(&path) { Err(why) } else { Ok(path) }
}

fn parse_stdin(path: PathBuf) -> Result<PathBuf, &'static str> {
    let why = "one file is checked by itself from stdin only: write -; a directory of files is named by --dir";
    if is_stream(&path) { Ok(path) } else { Err(why) }
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
