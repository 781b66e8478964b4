//! From a path to the text in it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::code::Code;
use super::diagnostic::{Diagnostic, Location, Span};
use super::{rules, walk, words};
use crate::beneath::{Refused, Root};

/// Reads the file at a path below `root` as it is, up to the largest size allowed.
pub(super) fn below(root: &Root, below: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    let path = root.named().join(below);
    root.file(below).map_err(|refused| Box::new(not_opened(root, &path, &refused))).and_then(|file| bytes(file, &path))
}

/// Reads an open file as it is, up to the largest size allowed.
pub(super) fn bytes(file: File, path: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    // Room for one byte more, by which the end is found.
    let size = file.metadata().map_or(0, |found| found.len().min(rules::MAX_FILE_BYTES));
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    let read = file.take(rules::MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Box::new(walk::unreadable(path, &error)))?;
    if bytes.len() as u64 > rules::MAX_FILE_BYTES {
        let limit = rules::MAX_FILE_BYTES / (1024 * 1024);
        let detail =
            format!("Files of up to {limit} MiB are read. Split it; contacts may stand in any number of files.");
        let summary = format!("{} is too large", path.display());
        let diagnostic = Diagnostic::new(Code::FileTooLarge, summary, detail).at(Location::of_file(path));
        return Err(Box::new(diagnostic));
    }
    Ok(bytes)
}

/// Words why a file was not opened.
fn not_opened(root: &Root, path: &Path, refused: &Refused) -> Diagnostic {
    match refused {
        Refused::Outside(_) => words::leads_out(path, root.named(), None),
        Refused::Hidden(_) => words::leads_to_hidden(path, None),
        Refused::Io(error) => walk::unreadable(path, &error),
        Refused::NotRegular => walk::unreadable(path, refused),
    }
}

/// Takes bytes as UTF-8, without the marks that some editors begin files with, and that files put together hold further on.
pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    const MARK: char = '\u{feff}';
    if let [first, second, ..] = bytes[..]
        && (first == 0) != (second == 0)
    {
        return Err(Box::new(utf16(path)));
    }
    let text = String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(path, &error)))?;
    if text.starts_with(MARK) || text.contains("\n\u{feff}") {
        return Ok(text.split_inclusive('\n').map(|line| line.trim_start_matches(MARK)).collect());
    }
    Ok(text)
}

/// Words that a file in letters of two bytes, which has no mark that says so, is none of ours.
fn utf16(path: &Path) -> Diagnostic {
    let detail = "It seems to be UTF-16, in which most letters have a zero byte. Save the file as UTF-8.";
    Diagnostic::new(Code::NotUtf8, "The file is not UTF-8 text", detail).at(Location::of_file(path))
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let before = String::from_utf8_lossy(&bytes[..at]);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length);
    let (line, column) = (before.matches('\n').count() + 1, before[start..].chars().count() + 1);
    let text = String::from_utf8_lossy(&bytes[start..end]);
    let location = Location::in_line(path, &text, Span { line, column, width: 1 });
    let detail = format!(
        "The byte 0x{:02x} here belongs to another encoding. Save the file as UTF-8, so that names arrive as they \
         are written.",
        bytes[at]
    );
    Diagnostic::new(Code::NotUtf8, "The file is not UTF-8 text", detail).at(location)
}
