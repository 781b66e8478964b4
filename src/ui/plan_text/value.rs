//! One value, or what becomes of it, as the body of an attribute.

use std::collections::BTreeSet;

use similar::{ChangeTag, DiffOp, TextDiff};

use super::super::escape::{escape, quoted};
use super::super::style::Paint;
use super::attribute::{Body, Layout, Line, Mark};
use crate::model::Value;

/// Stands for a value that must not be shown.
const MASKED: &str = "(masked)";

/// Lines shown around a change in a text of several lines.
const CONTEXT_LINES: usize = 3;

impl Layout {
    /// Renders a value as it is, each item of a list with `mark`.
    pub(super) fn value(self, value: &Value, mark: Mark) -> Body {
        match value {
            _ if self.mask => Body::Inline(MASKED.to_owned()),
            Value::Text(text) if has_lines(text) => {
                Body::Lines(lines(text).map(|line| Line::Text(Mark::Same, escape(line).into_owned())).collect())
            }
            Value::Text(text) => Body::Inline(quoted(text)),
            Value::Lists(lists) => {
                let items = lists.iter().map(|list| (mark, quoted(list))).collect();
                Body::List { items, hidden: 0, end: String::new() }
            }
        }
    }

    /// Renders what a value was and what it becomes.
    pub(super) fn difference(self, before: &Value, after: &Value) -> Body {
        match (before, after) {
            _ if self.mask => Body::Inline(format!("{MASKED} {} {MASKED}", self.arrow())),
            (Value::Lists(before), Value::Lists(after)) => self.list_difference(before, after),
            (Value::Text(before), Value::Text(after)) => self.text_difference(before, after),
            // A field is a list or a text for good; a state that says otherwise is shown as it says.
            (Value::Lists(_), Value::Text(_)) | (Value::Text(_), Value::Lists(_)) => self.value(after, Mark::Add),
        }
    }

    fn arrow(self) -> String {
        self.paint.yellow("->").to_string()
    }

    fn list_difference(self, before: &BTreeSet<String>, after: &BTreeSet<String>) -> Body {
        let items = before.union(after).filter_map(|list| match (before.contains(list), after.contains(list)) {
            (true, false) => Some((Mark::Remove, quoted(list))),
            (false, true) => Some((Mark::Add, quoted(list))),
            _ => None,
        });
        let end = if after.is_empty() { format!(" {} []", self.arrow()) } else { String::new() };
        Body::List { items: items.collect(), hidden: before.intersection(after).count(), end }
    }

    fn text_difference(self, before: &str, after: &str) -> Body {
        let lines_differ = !lines(before).eq(lines(after));
        if lines_differ && !after.is_empty() && (has_lines(before) || has_lines(after)) {
            return Body::Lines(line_difference(before, after));
        }
        let (before, after) = mark_changed_words(&quoted(before), &quoted(after), self.paint);
        Body::Inline(format!("{before} {} {after}", self.arrow()))
    }
}

fn has_lines(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

/// Splits at line feeds alone: a carriage return is part of the text, and shown.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_suffix('\n').unwrap_or(text).split('\n')
}

/// Sets off the words that differ, where two texts share enough for that to help the eye.
///
/// Takes texts that are escaped already, so that no escape is torn apart.
fn mark_changed_words(before: &str, after: &str, paint: Paint) -> (String, String) {
    let shared_words = |diff: &TextDiff<'_, '_, str>| {
        let equal = diff.iter_all_changes().filter(|change| change.tag() == ChangeTag::Equal);
        equal.filter(|change| !change.value().trim().is_empty()).count()
    };
    // The quotes stand apart from the words, or the first and last word would always seem to differ.
    let (inner_before, inner_after) = (&before[1..before.len() - 1], &after[1..after.len() - 1]);
    let diff = TextDiff::from_words(inner_before, inner_after);
    if !paint.color || shared_words(&diff) == 0 {
        return (before.to_owned(), after.to_owned());
    }
    let side = |left_out: ChangeTag| {
        let words = diff.iter_all_changes().filter(|change| change.tag() != left_out);
        let marked = words.map(|change| match change.tag() {
            ChangeTag::Equal => change.value().to_owned(),
            ChangeTag::Delete | ChangeTag::Insert => paint.changed(change.value()).to_string(),
        });
        format!("\"{}\"", marked.collect::<String>())
    };
    (side(ChangeTag::Insert), side(ChangeTag::Delete))
}

/// Compares two texts line by line, leaving out what is far from any change.
fn line_difference(before: &str, after: &str) -> Vec<Line> {
    let before: Vec<&str> = lines(before).collect();
    let after: Vec<&str> = lines(after).collect();
    let diff = TextDiff::from_slices(&before, &after);
    let text = |mark, line: &str| Line::Text(mark, escape(line).into_owned());
    let mut compared = Vec::new();
    let mut shown = 0;
    for op in diff.grouped_ops(CONTEXT_LINES).iter().flatten() {
        let start = op.old_range().start;
        if start > shown {
            compared.push(Line::Hidden(start - shown));
        }
        shown = op.old_range().end;
        if matches!(op, DiffOp::Equal { .. }) {
            compared.extend(before[op.old_range()].iter().map(|line| text(Mark::Same, line)));
        } else {
            compared.extend(before[op.old_range()].iter().map(|line| text(Mark::Remove, line)));
            compared.extend(after[op.new_range()].iter().map(|line| text(Mark::Add, line)));
        }
    }
    if before.len() > shown {
        compared.push(Line::Hidden(before.len() - shown));
    }
    compared
}
