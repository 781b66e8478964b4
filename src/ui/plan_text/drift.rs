//! What has changed in Apollo, as people review it: in the blocks of a plan, from what was applied to what is there now.

use std::fmt;

use super::super::amounts::{count, counted};
use super::super::binding_text::time_text;
use super::super::escape::quoted;
use super::super::mask::{MASKED, Mask};
use super::super::style::Paint;
use super::block::{Changed, id_attribute, identifying};
use super::layout::{Layout, Mark, Marks};
use crate::model::Value;
use crate::ops::{Drift, DriftChange, Drifted, FieldDrift};
use crate::plan::{Change, Reason, Setting};

/// A drift with how to show it; written by its `Display`.
#[derive(Debug, Clone, Copy)]
pub struct DriftText<'a> {
    pub drift: &'a Drift,
    pub color: bool,
    pub mask: Mask,
    /// Whether long values are cut.
    pub cut: bool,
    /// The width of the rule below it, where a plan follows; `None` where its counts end it.
    pub rule: Option<usize>,
}

/// What stands above what has changed.
pub(in crate::ui) const TITLE: &str = "Contacts have changed outside of contactsd";

impl fmt::Display for DriftText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { drift, color, mask, cut, rule } = *self;
        let paint = Paint { color };
        if drift.is_none() {
            let none = paint.bold_green("No drift.");
            return write!(f, "{none} {}", paint.bold(as_applied(drift)));
        }
        let note = paint.cyan("Note:");
        writeln!(f, "{note} {}", paint.bold(TITLE))?;
        let layout = Layout { paint, mask, marks: Marks::Indented, concise: false, cut, names: None };
        drift.contacts.iter().try_for_each(|drifted| write_contact(f, drifted, layout))?;
        if let Some(width) = rule {
            return writeln!(f, "\n{}", "─".repeat(width));
        }
        write!(f, "\n{} {}", paint.bold("Drift:"), drift_summary(drift))
    }
}

/// Counts what has changed: `9 changed, 1 gone, 2 fields ignored.`
pub(in crate::ui) fn drift_summary(drift: &Drift) -> String {
    let (changed, gone) = drift.counts();
    let ignored = (drift.ignored > 0).then(|| format!(", {} ignored", counted(drift.ignored, "field")));
    let unknown = (!drift.unknown.is_empty()).then(|| format!(", {} not seen", count(drift.unknown.len())));
    let (ignored, unknown) = (ignored.unwrap_or_default(), unknown.unwrap_or_default());
    format!("{} changed, {} gone{ignored}{unknown}.", count(changed), count(gone))
}

/// Says in one line that contacts have changed, and how many.
pub fn drift_note(drift: &Drift) -> String {
    format!("{TITLE}: {}", drift_summary(drift))
}

/// Says that nothing has changed, and what was left alone.
pub(in crate::ui) fn as_applied(drift: &Drift) -> String {
    let (holds, they) = if drift.compared == 1 { ("contact", "it was") } else { ("contacts", "they were") };
    let ignored = match drift.ignored {
        0 => String::new(),
        ignored => format!(" {} ignored.", counted(ignored, "field")),
    };
    format!("Apollo holds {} {holds} as {they} applied.{ignored}", count(drift.compared))
}

/// Writes what became of one contact, after an empty line.
pub(in crate::ui) fn write_contact(f: &mut fmt::Formatter<'_>, drifted: &Drifted, layout: Layout) -> fmt::Result {
    let Drifted { place, id, since, change, entry } = drifted;
    let paint = layout.paint;
    let address = format!("# {}", place.key.address());
    let address = paint.bold(address);
    let (mark, what) = match change {
        DriftChange::Fields(_) => (paint.yellow("~").to_string(), "has changed in Apollo".to_owned()),
        DriftChange::Gone => (paint.red("-").to_string(), "is no longer in Apollo".to_owned()),
        DriftChange::Merged(survivor) => {
            (paint.red("-").to_string(), format!("is part of {} in Apollo now", quoted(survivor.as_str())))
        }
    };
    writeln!(f, "\n  {address} {what}")?;
    if let Some(since) = since {
        writeln!(f, "  {}", paint.grey(format_args!("# (last changed there {})", time_text(*since))))?;
    }
    match (layout.marks, change) {
        (Marks::Indented, _) => write!(f, "  {mark}")?,
        (Marks::FirstColumn, DriftChange::Fields(_)) => f.write_str("!  ")?,
        (Marks::FirstColumn, DriftChange::Gone | DriftChange::Merged(_)) => f.write_str("-  ")?,
    }
    writeln!(f, " contact \"{}\" {{", place.key)?;
    match change {
        DriftChange::Fields(fields) => {
            let changes: Vec<Change> = fields.iter().map(from_applied).collect();
            let Changed { mut attributes, hidden } = layout.changes(Reason::FieldsDiffer, entry, &changes);
            attributes.insert(0, id_attribute(id));
            layout.write_all(f, 2, &attributes)?;
            for FieldDrift { field, declared, .. } in fields.iter().filter(|field| field.declared != field.applied) {
                layout.write_comment(f, 2, format_args!("{field} is {} in the files", shown(declared, layout.mask)))?;
            }
            layout.write_hidden(f, 2, hidden, "attribute")?;
        }
        DriftChange::Gone | DriftChange::Merged(_) => {
            let mut attributes = layout.declared(identifying(&entry.fields), Mark::Same);
            attributes.insert(0, id_attribute(id));
            layout.write_all(f, 2, &attributes)?;
        }
    }
    writeln!(f, "    }}")
}

fn from_applied(drifted: &FieldDrift) -> Change {
    let FieldDrift { field, declared: _, applied, now } = drifted;
    Change { field: field.clone(), before: Some(applied.clone()), after: Setting::Set(now.clone()) }
}

fn shown(value: &Value, mask: Mask) -> String {
    match value {
        _ if mask.is_on() && !value.is_empty() => MASKED.to_owned(),
        Value::Text(text) => quoted(text),
        Value::Lists(lists) => format!("[{}]", lists.iter().map(|list| quoted(list)).collect::<Vec<_>>().join(", ")),
    }
}
