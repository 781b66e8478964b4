//! One value, or what becomes of it, as the body of an attribute.

use std::collections::BTreeSet;

use similar::{DiffOp, TextDiff};

use super::super::escape::{self, Spelling, quoted_in};
use super::super::mask::MASKED;
use super::attribute::{Body, Line};
use super::layout::{Layout, Mark};
use super::words::Words;
use crate::model::Value;

/// Lines shown around a change in a text of several lines.
const CONTEXT_LINES: usize = 3;

/// Most lines of two texts that are compared: comparing takes the product in the worst case.
const MAX_COMPARED_LINES: usize = 5000;

impl Layout<'_> {
    /// Renders a value as it is, each item of a list with `mark`.
    pub(super) fn value(self, value: &Value, mark: Mark) -> Body<'_> {
        match value {
            _ if self.mask.is_on() && !value.is_empty() => Body::Inline(MASKED.into()),
            Value::Text(text) if has_lines(text) => Body::Lines(
                lines(text).map(|line| Line::Text(Mark::Same, escape::line(line, Spelling::Usual))).collect(),
            ),
            Value::Text(text) => Body::Quoted(text),
            Value::Lists(lists) => {
                let items = lists.iter().map(|list| (mark, list.as_str())).collect();
                Body::List { items, spelling: Spelling::Usual, hidden: 0, end: String::new() }
            }
        }
    }

    /// Renders what a value was and what it becomes.
    pub(super) fn difference<'a>(self, before: &'a Value, after: &'a Value) -> Body<'a> {
        match (before, after) {
            _ if self.mask.is_on() => {
                let empty = |value: &Value| match value {
                    Value::Text(_) => "\"\"",
                    Value::Lists(_) => "[]",
                };
                let shown = |value| if Value::is_empty(value) { empty(value) } else { MASKED };
                Body::Inline(format!("{} {} {}", shown(before), self.arrow(), shown(after)).into())
            }
            (Value::Lists(before), Value::Lists(after)) => self.list_difference(before, after),
            (Value::Text(before), Value::Text(after)) => self.text_difference(before, after),
            // A field is a list or a text for good; a state that says otherwise is shown as it says.
            (Value::Lists(_), Value::Text(_)) | (Value::Text(_), Value::Lists(_)) => self.value(after, Mark::Add),
        }
    }

    fn arrow(self) -> String {
        self.paint.yellow("->").to_string()
    }

    fn list_difference<'a>(self, before: &'a BTreeSet<String>, after: &'a BTreeSet<String>) -> Body<'a> {
        let items = before.union(after).filter_map(|list| match (before.contains(list), after.contains(list)) {
            (true, false) => Some((Mark::Remove, list.as_str())),
            (false, true) => Some((Mark::Add, list.as_str())),
            _ => None,
        });
        let end = if after.is_empty() { format!(" {} []", self.arrow()) } else { String::new() };
        let joined =
            |one: &'a BTreeSet<String>, other| one.difference(other).map(String::as_str).collect::<Vec<_>>().join("\n");
        let spelling = Spelling::to_compare(&joined(before, after), &joined(after, before));
        Body::List { items: items.collect(), spelling, hidden: before.intersection(after).count(), end }
    }

    fn text_difference<'a>(self, before: &'a str, after: &'a str) -> Body<'a> {
        let lines_differ = !lines(before).eq(lines(after));
        if lines_differ && !after.is_empty() && (has_lines(before) || has_lines(after)) {
            return Body::Lines(line_difference(before, after));
        }
        let spelling = Spelling::to_compare(before, after);
        let (before, after) = (quoted_in(before, spelling), quoted_in(after, spelling));
        let words = Words::new(&before, &after);
        let (shown_before, shown_after) = words.shown(self.paint, self.cut);
        let line = format!("{shown_before} {} {shown_after}", self.arrow());
        Body::Change { line, words: if self.paint.color { None } else { words.remark() } }
    }
}

fn has_lines(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

/// Splits at line feeds alone: a carriage return is part of the text, and shown.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_suffix('\n').unwrap_or(text).split('\n')
}

/// Compares two texts line by line, leaving out what is far from any change.
///
/// Where one of them ends in a newline and the other does not, that is told as a diff tells it.
fn line_difference<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let spelling = Spelling::to_compare(before, after);
    let ends_differ = before.ends_with('\n') != after.ends_with('\n');
    let split = |text: &'a str| -> Vec<&'a str> {
        if ends_differ { text.split_inclusive('\n').collect() } else { lines(text).collect() }
    };
    let text = |mark, line: &'a str| {
        let is_cut_off = ends_differ && !line.ends_with('\n');
        let shown = Line::Text(mark, escape::line(line.strip_suffix('\n').unwrap_or(line), spelling));
        std::iter::once(shown).chain(is_cut_off.then_some(Line::NoNewline))
    };
    let (before, after) = (split(before), split(after));
    if before.len() + after.len() > MAX_COMPARED_LINES {
        let removed = before.iter().flat_map(|&line| text(Mark::Remove, line));
        return removed.chain(after.iter().flat_map(|&line| text(Mark::Add, line))).collect();
    }
    let diff = TextDiff::from_slices(&before, &after);
    let mut compared = Vec::new();
    let mut shown = 0;
    for op in diff.grouped_ops(CONTEXT_LINES).iter().flatten() {
        let start = op.old_range().start;
        if start > shown {
            compared.push(Line::Hidden(start - shown));
        }
        shown = op.old_range().end;
        if matches!(op, DiffOp::Equal { .. }) {
            compared.extend(before[op.old_range()].iter().flat_map(|&line| text(Mark::Same, line)));
        } else {
            compared.extend(before[op.old_range()].iter().flat_map(|&line| text(Mark::Remove, line)));
            compared.extend(after[op.new_range()].iter().flat_map(|&line| text(Mark::Add, line)));
        }
    }
    if before.len() > shown {
        compared.push(Line::Hidden(before.len() - shown));
    }
    compared
}
