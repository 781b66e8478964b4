//! Whether a text that was written again says the same as before, for everyone who reads it.

use std::path::Path;

use super::super::compose::{Next, compose};
use super::super::slips::Fault;
use super::super::tape::{Kept, Node, Value};
use super::super::{Severity, Source, entries_of};

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
    let (entries, found) = entries_of(path, before.to_owned());
    let (entries_after, found_after) = entries_of(path, after.to_owned());
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
    let source = |text: &str| Source::new(path.into(), text.to_owned());
    let (before, after) = (source(before), source(after));
    match (documents(&before), documents(&after)) {
        (Ok(before), Ok(after)) => {
            before.len() == after.len()
                && before.iter().zip(&after).all(|(one, other)| same(Node::at(one), Node::at(other)))
        }
        _ => false,
    }
}

/// Reads the roots of all documents.
pub(super) fn documents(source: &Source) -> Result<Vec<Kept<'_>>, Fault> {
    compose(source, |composer| {
        let mut documents = Vec::new();
        while composer.next_document()? {
            if let Next::Value(root) = composer.next()? {
                documents.push(composer.node(root).keep());
            }
        }
        Ok(documents)
    })
}

/// Compares two values; of maps, the order does not count. Depth is bounded by the reader.
fn same(one: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    match (one.value(), other.value()) {
        (Value::Scalar(a), Value::Scalar(b)) => {
            a.text == b.text && a.is_plain() == b.is_plain() && a.is_null() == b.is_null()
        }
        (Value::List(a), Value::List(b)) => a.clone().count() == b.clone().count() && a.zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            let (a, b) = (by_name(a.collect()), by_name(b.collect()));
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same(a.0, b.0) && same(a.1, b.1))
        }
        _ => false,
    }
}

fn by_name<'a, 't>(mut pairs: Vec<(Node<'a, 't>, Node<'a, 't>)>) -> Vec<(Node<'a, 't>, Node<'a, 't>)> {
    pairs.sort_by_cached_key(|(name, _)| name.scalar().map(|scalar| scalar.text.clone().into_owned()));
    pairs
}
