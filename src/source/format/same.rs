//! Whether a text that was written anew says the same as before, for everyone who reads it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::super::positioned::{self, Node, Value};
use super::super::{Severity, Source, read_text};

/// Reports whether both texts load alike, hold the same values, and lose no sign and no comment.
pub(super) fn says_the_same(path: &Path, before: &str, after: &str) -> bool {
    ink(before) == ink(after) && same_values(path, before, after) && same_contacts(path, before, after)
}

/// Returns the signs of each line, without order: lines and braces may be sorted, and blanks do not count.
fn ink(text: &str) -> Vec<Vec<char>> {
    let line = |line: &str| {
        let mut signs: Vec<char> = line.chars().filter(|sign| !sign.is_whitespace()).collect();
        signs.sort_unstable();
        signs
    };
    let mut lines: Vec<_> = text.lines().map(line).filter(|signs| !signs.is_empty()).collect();
    lines.sort_unstable();
    lines
}

fn same_contacts(path: &Path, before: &str, after: &str) -> bool {
    let (entries, found) = read_text(path, before.to_owned());
    let (entries_after, found_after) = read_text(path, after.to_owned());
    let codes = |found: &[super::super::Diagnostic]| {
        let mut codes: Vec<_> = found.iter().map(|one| (one.code, one.key.clone(), one.summary.clone())).collect();
        codes.sort();
        codes
    };
    entries == entries_after
        && found_after.iter().all(|one| one.severity == Severity::Warning)
        && codes(&found) == codes(&found_after)
}

fn same_values(path: &Path, before: &str, after: &str) -> bool {
    let path: Arc<Path> = path.into();
    let read = |text: &str| positioned::parse(&Source::new(Arc::clone(&path), text.to_owned()));
    let (before, after) = (read(before), read(after));
    before.fault.is_none()
        && after.fault.is_none()
        && before.documents.len() == after.documents.len()
        && before.documents.iter().zip(&after.documents).all(|(one, other)| same(one, other))
}

/// Compares two values; of maps, the order does not count. Depth is bounded by the reader.
fn same(one: &Rc<Node>, other: &Rc<Node>) -> bool {
    match (&one.value, &other.value) {
        (Value::Scalar(a), Value::Scalar(b)) => a.text == b.text && a.plain == b.plain && a.is_null() == b.is_null(),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            let (a, b) = (by_name(a), by_name(b));
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
        }
        _ => false,
    }
}

fn by_name(pairs: &[positioned::Pair]) -> Vec<&positioned::Pair> {
    let name = |pair: &&positioned::Pair| match &pair.0.value {
        Value::Scalar(scalar) => scalar.text.clone(),
        Value::List(_) | Value::Map(_) => String::new(),
    };
    let mut pairs: Vec<_> = pairs.iter().collect();
    pairs.sort_by_cached_key(name);
    pairs
}
