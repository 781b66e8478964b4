//! A file that was edited since it was made: which entries stay as edited, and which are added.
//!
//! What was edited is never changed. Entries are added at the end, and only where the file says the same with them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::spool::{InFile, Spooled};
use crate::beneath::Root;
use crate::model::{ContactKey, Entry, Field};
use crate::ops::format::{self, FormatError};
use crate::source::{self, Severity, entries_of};

/// What is to become of an edited file.
#[derive(Debug)]
pub struct Merge {
    /// Entries that say something else than the table; they stay.
    pub differing: Vec<Differing>,
    /// How many entries come to it.
    pub added: usize,
    /// Whether they can be added.
    pub is_possible: bool,
    before: blake3::Hash,
    after: String,
}

/// An entry that says something else than its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    pub key: ContactKey,
    /// The names of the fields that differ.
    pub fields: Vec<String>,
    pub table: usize,
    pub line: usize,
}

/// Compares an edited file with what it would hold.
pub(super) fn merge(root: &Root, name: &Path, entries: &[InFile], spooled: &Spooled) -> io::Result<Merge> {
    let path = root.named().join(name);
    let before = format::read(root, name).map_err(io::Error::other)?.ok_or(io::ErrorKind::NotFound)?;
    let digest = blake3::hash(&before);
    let text = String::from_utf8(before).map_err(io::Error::other)?;
    let there = by_key(entries_of(&path, text.clone()).0);
    let wanted = by_key(entries_of(&path, all(entries, spooled)?).0);
    let (mut differing, mut new) = (Vec::new(), Vec::new());
    for entry in entries {
        let InFile { key, table, line, .. } = entry;
        match (there.get(key), wanted.get(key)) {
            (Some(there), Some(wanted)) => {
                let fields = differences(there, wanted);
                if !fields.is_empty() {
                    differing.push(Differing { key: key.clone(), fields, table: *table, line: *line });
                }
            }
            _ => new.push(entry),
        }
    }
    let mut after = text.clone();
    if !new.is_empty() {
        after.truncate(after.trim_end().len());
        after += "\n\n";
        let mut more = Vec::new();
        spooled.write(new.iter().map(|entry| (&entry.key, entry.piece)), &mut more)?;
        after += &String::from_utf8(more).map_err(io::Error::other)?;
    }
    let is_possible = new.is_empty() || says_both(&path, &text, &after, &there, &wanted, &new);
    Ok(Merge { differing, added: new.len(), is_possible, before: digest, after })
}

impl Merge {
    /// Adds what comes to the file; one that changed since it was compared stays.
    pub fn write(&self, root: &Root, name: &Path) -> Result<(), FormatError> {
        if self.added == 0 || !self.is_possible {
            return Ok(());
        }
        format::replace_by(root, name, self.before, &|out| out.write_all(self.after.as_bytes()))
    }
}

fn all(entries: &[InFile], spooled: &Spooled) -> io::Result<String> {
    let mut text = b"contacts:\n".to_vec();
    spooled.write(entries.iter().map(|entry| (&entry.key, entry.piece)), &mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}

fn by_key(entries: Vec<Entry>) -> BTreeMap<ContactKey, Entry> {
    entries.into_iter().map(|entry| (entry.key().clone(), entry)).collect()
}

/// Reports whether a file says what it said and the new entries beside it, and is in the usual form where it was.
fn says_both(
    path: &Path,
    before: &str,
    after: &str,
    there: &BTreeMap<ContactKey, Entry>,
    wanted: &BTreeMap<ContactKey, Entry>,
    new: &[&InFile],
) -> bool {
    let (read, diagnostics) = entries_of(path, after.to_owned());
    let read = by_key(read);
    let is_formatted = |text: &str| {
        source::format_bytes(path, text.as_bytes().to_vec()).is_ok_and(|formatted| !formatted.is_changed())
    };
    let is_the_same = |key: &ContactKey, entry: &Entry| read.get(key).is_some_and(|read| read == entry);
    !diagnostics.iter().any(|one| one.severity == Severity::Error)
        && read.len() == there.len() + new.len()
        && there.iter().all(|(key, entry)| is_the_same(key, entry))
        && new.iter().all(|entry| wanted.get(&entry.key).is_some_and(|wanted| is_the_same(&entry.key, wanted)))
        && (is_formatted(after) || !is_formatted(before))
}

/// Names the fields in which two entries differ, as files name them.
fn differences(there: &Entry, wanted: &Entry) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let fields = there.fields.iter().chain(wanted.fields.iter()).map(|(field, _)| field);
    for field in fields.filter(|field| there.fields.get(field) != wanted.fields.get(field)) {
        let name = match field {
            Field::Custom(_) => "custom_fields",
            Field::ContactStageId => "contact_stage",
            field => field.api_name(),
        };
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    if there.apollo_id != wanted.apollo_id {
        names.push("apollo_id".to_owned());
    }
    names
}
