//! An action in a line, with what changes below it: `--concise`.

use std::fmt;

use super::super::escape::escape;
use super::block::{Changed, identifying, since_sent, write_released};
use super::header;
use super::layout::Layout;
use super::symbol::Symbol;
use crate::model::{Field, Fields, Value};
use crate::plan::{Action, Operation};

/// Longest name, company or e-mail that is shown, in characters.
const LONGEST_PART: usize = 60;

/// Writes `action` without what stays and without explanations; ways out of what needs a decision are kept.
pub(super) fn write(f: &mut fmt::Formatter<'_>, action: &Action, layout: Layout<'_>) -> fmt::Result {
    Symbol::of(action).write(f, layout)?;
    f.write_str(" ")?;
    header::write_headline(f, action, layout, "")?;
    match &action.operation {
        Operation::Create { entry } | Operation::Adopt { entry, .. } | Operation::Restore { entry, .. } => {
            write_person(f, &entry.unpack().fields, layout)?;
        }
        Operation::Settle { intent, .. } => write_person(f, &intent.fields, layout)?,
        _ => {}
    }
    writeln!(f)?;
    write_changes(f, action, layout)
}

/// Writes what changes, a line each.
pub(super) fn write_changes(f: &mut fmt::Formatter<'_>, action: &Action, layout: Layout<'_>) -> fmt::Result {
    match &action.operation {
        Operation::Update { entry, changes, .. }
        | Operation::Move { entry, changes, .. }
        | Operation::Release { entry, changes, .. } => {
            let entry = entry.unpack();
            let Changed { attributes, .. } = layout.changes(action.reason, &entry, changes);
            layout.write_all(f, 2, &attributes)?;
            write_released(f, changes, layout)
        }
        Operation::Settle { intent, entry: Some(entry), .. } => {
            let entry = entry.unpack();
            let changes = since_sent(&intent.fields, &entry);
            layout.write_all(f, 2, &layout.changes(action.reason, &entry, &changes).attributes)
        }
        Operation::Conflict { .. } | Operation::Contradiction { .. } => header::write_notes(f, action, layout),
        _ => Ok(()),
    }
}

/// Writes who it is, as far as the fields tell.
fn write_person(f: &mut fmt::Formatter<'_>, fields: &Fields, layout: Layout<'_>) -> fmt::Result {
    let mut last = None;
    for (field, value) in identifying(fields).filter(|(_, value)| !value.is_empty()) {
        let Value::Text(text) = value else { continue };
        f.write_str(match (last, field) {
            (None, _) => " (",
            (Some(&Field::FirstName), Field::LastName) => " ",
            _ => ", ",
        })?;
        last = Some(field);
        let text = escape(layout.mask.text(text));
        match text.char_indices().nth(LONGEST_PART) {
            Some((end, _)) => write!(f, "{}...", &text[..end])?,
            None => f.write_str(&text)?,
        }
    }
    f.write_str(if last.is_some() { ")" } else { "" })
}
