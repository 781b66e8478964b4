//! The results of converting tables: rows, columns and files.
//!
//! Never shows a value of a row.

use std::path::Path;

use super::super::amounts::{count, counted};
use super::super::escape::escape;
use crate::model::ContactKey;
use crate::shell_word::shell_word;
use crate::source::Diagnostic;
use crate::ui::json::{ConvertSummary, FileFate};

use super::convert::MOST_COLUMNS;

/// How many rows or entries are shown.
pub(crate) const MOST_SHOWN: usize = 20;

/// The file for rows that became no contact is a table itself.
pub(crate) fn unknown_columns(name: &Path, unknown: &[String]) -> Diagnostic {
    let are = if unknown.len() == 1 { "is" } else { "are" };
    let summary = format!("{} of {} {are} not known", counted(unknown.len(), "column"), name.display());
    let (first, more) = unknown.split_at(unknown.len().min(MOST_COLUMNS));
    let more = if more.is_empty() { String::new() } else { format!(", and {} more", count(more.len())) };
    let map = shell_word(format_args!("{0}=custom_fields.{0}", unknown[0]));
    let detail =
        format!("Left out: {}{more}. To convert one to a custom field or another field: --map {map}", first.join(", "));
    Diagnostic::warning(summary, detail)
}

pub(crate) fn without_field(name: &Path, columns: &[String]) -> String {
    let text = format!("{}: left out, because contacts have no field for it: {}", name.display(), columns.join(", "));
    escape(&text).into_owned()
}

/// Lists rows that became no contact, and counts them by what is wrong.
pub(crate) fn not_converted_rows<'k>(
    first: &[String],
    kinds: impl Iterator<Item = (&'k String, &'k usize)> + Clone,
) -> Diagnostic {
    let rows: usize = kinds.clone().map(|(_, rows)| rows).sum();
    let mut lines = first.to_vec();
    if rows > first.len() {
        lines.extend([String::new(), format!("These are the first {}. All of them:", first.len()), String::new()]);
        lines.extend(kinds.map(|(kind, rows)| format!("  {:>8}  {kind}", count(*rows))));
    }
    let were = if rows == 1 { "was" } else { "were" };
    Diagnostic::warning(format!("{} {were} not converted", counted(rows, "row")), lines.join("\n"))
}

/// Nothing can be added to an edited file of another layout.
pub(crate) fn not_added(path: &Path, contacts: usize) -> Diagnostic {
    let detail = format!(
        "Its entries do not have the usual layout. Add {} by hand, or replace the file with --force. To see them, \
         add --diff.",
        counted(contacts, "contact")
    );
    Diagnostic::error(format!("{} was edited, so nothing could be added", path.display()), detail)
}

/// Says which entries of an edited file stay as they are; `entries` names them with what differs.
pub(crate) fn differing(path: &Path, entries: &[String]) -> Diagnostic {
    let mut lines: Vec<String> = entries.iter().take(MOST_SHOWN).map(|entry| format!("  {entry}")).collect();
    if entries.len() > MOST_SHOWN {
        lines.push(format!("  and {} more", count(entries.len() - MOST_SHOWN)));
    }
    let (differ, were) = if entries.len() == 1 { ("differs", "was") } else { ("differ", "were") };
    Diagnostic::warning(
        format!(
            "{} was edited: {} {differ} from the tables and {were} not changed",
            path.display(),
            counted(entries.len(), "contact")
        ),
        format!("{}\n\nTo see the values, add --diff. To use those of the tables, add --force.", lines.join("\n")),
    )
}

/// Says of one row why its entry stays as it is.
pub(crate) fn edited(key: &ContactKey, fields: &[impl AsRef<str>]) -> String {
    format!("{} was edited, and differs in {}", key.address(), names(fields))
}

/// One line of [`differing`]; `place` is the row.
pub(crate) fn differing_entry(key: &ContactKey, fields: &[impl AsRef<str>], place: &str) -> String {
    format!("{}: {} (row: {place})", key.address(), names(fields))
}

fn names(fields: &[impl AsRef<str>]) -> String {
    fields.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

/// Says what became of a file, or would.
pub(crate) fn fate(path: &Path, contacts: usize, fate: FileFate, added: usize, is_dry: bool) -> String {
    let would = if is_dry { "would be " } else { "" };
    let what = match fate {
        FileFate::Unchanged => "unchanged".to_owned(),
        FileFate::Kept => "left as it is".to_owned(),
        FileFate::Added => format!("{would}kept as it was edited, {} added", count(added)),
        FileFate::Written | FileFate::Planned => format!("{would}written"),
        FileFate::Replaced => format!("{would}replaced"),
    };
    format!("{}: {}, {what}", escape(&path.display().to_string()), counted(contacts, "contact"))
}

pub(crate) fn summary(summary: &ConvertSummary, is_dry: bool, has_changes: bool) -> String {
    let ConvertSummary { rows, converted, kept, skipped, refused } = *summary;
    let parts = [(kept, "kept as they are"), (skipped, "skipped"), (refused, "refused")];
    let parts: Vec<String> =
        parts.iter().filter(|(rows, _)| *rows > 0).map(|(rows, what)| format!("{} {what}", count(*rows))).collect();
    let rest = if parts.is_empty() { ".".to_owned() } else { format!(": {}.", parts.join(", ")) };
    let verb = if is_dry { "Would convert" } else { "Converted" };
    let no_changes = if has_changes { "" } else { "No changes. " };
    format!("{no_changes}{verb} {} of {}{rest}", count(converted), counted(rows, "row"))
}

pub(crate) fn rejects_at(path: &Path, rows: usize) -> String {
    format!("{} with the reasons: {}", counted(rows, "row"), escape(&path.display().to_string()))
}
