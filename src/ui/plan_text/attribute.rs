//! The lines inside a block: attributes, lists, maps and texts of several lines, as Terraform lays them out.
//!
//! Knows nothing of contacts; `block` says what stands in the lines.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::super::amounts::counted;
use super::super::style::Paint;

/// Columns a level is indented by; the mark takes the last two of them.
const LEVEL: usize = 4;

/// What happens to one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Same,
    Add,
    Change,
    Remove,
}

/// One attribute of a block or one entry of a map.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) mark: Mark,
    /// Safe to show.
    pub(super) name: String,
    pub(super) body: Body,
    /// A remark behind the value, in dark grey.
    pub(super) remark: Option<&'static str>,
}

/// What stands behind the `=`, safe to show.
#[derive(Debug)]
pub(super) enum Body {
    /// One line.
    Inline(String),
    /// Items of a list, those that stay counted only; `end` follows the closing bracket.
    List { items: Vec<(Mark, String)>, hidden: usize, end: String },
    /// Entries of a map, those that stay counted only.
    Map { entries: Vec<Attribute>, hidden: usize },
    /// The lines of a text, or what became of them.
    Lines(Vec<Line>),
}

#[derive(Debug)]
pub(super) enum Line {
    Text(Mark, String),
    /// So many lines that stay are left out.
    Hidden(usize),
}

/// How lines are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) paint: Paint,
    pub(super) mask: bool,
}

impl Layout {
    /// Writes attributes at `level`, their `=` below each other.
    pub(super) fn write_all(self, f: &mut fmt::Formatter<'_>, level: usize, attributes: &[Attribute]) -> fmt::Result {
        let widest = attributes.iter().map(|attribute| attribute.name.width()).max().unwrap_or(0);
        attributes.iter().try_for_each(|attribute| self.write_one(f, level, widest, attribute))
    }

    /// Writes a line in dark grey at `level`, as a comment.
    pub(super) fn write_comment(self, f: &mut fmt::Formatter<'_>, level: usize, text: &str) -> fmt::Result {
        writeln!(f, "{:indent$}{}", "", self.paint.grey(format_args!("# ({text})")), indent = level * LEVEL)
    }

    fn write_one(self, f: &mut fmt::Formatter<'_>, level: usize, widest: usize, attribute: &Attribute) -> fmt::Result {
        let Attribute { mark, name, body, remark } = attribute;
        let padding = widest - name.width();
        write!(f, "{}{name}{:padding$} = ", self.margin(level, *mark), "")?;
        match body {
            Body::Inline(text) => write!(f, "{text}")?,
            Body::List { items, hidden, end } => self.write_list(f, level, items, *hidden, end)?,
            Body::Map { entries, hidden } => self.write_map(f, level, entries, *hidden)?,
            Body::Lines(lines) => self.write_lines(f, level, lines)?,
        }
        match remark {
            Some(remark) => writeln!(f, " {}", self.paint.grey(format_args!("# ({remark})"))),
            None => writeln!(f),
        }
    }

    fn write_list(
        self,
        f: &mut fmt::Formatter<'_>,
        level: usize,
        items: &[(Mark, String)],
        hidden: usize,
        end: &str,
    ) -> fmt::Result {
        if items.is_empty() && hidden == 0 {
            return write!(f, "[]{end}");
        }
        writeln!(f, "[")?;
        for (mark, item) in items {
            writeln!(f, "{}{item},", self.margin(level + 1, *mark))?;
        }
        self.write_hidden(f, level + 1, hidden, "element")?;
        write!(f, "{:indent$}]{end}", "", indent = level * LEVEL)
    }

    fn write_map(self, f: &mut fmt::Formatter<'_>, level: usize, entries: &[Attribute], hidden: usize) -> fmt::Result {
        writeln!(f, "{{")?;
        self.write_all(f, level + 1, entries)?;
        self.write_hidden(f, level + 1, hidden, "element")?;
        write!(f, "{:indent$}}}", "", indent = level * LEVEL)
    }

    /// Writes the lines between two marks, the second of which no line of the text equals.
    fn write_lines(self, f: &mut fmt::Formatter<'_>, level: usize, lines: &[Line]) -> fmt::Result {
        let mut end = "EOT".to_owned();
        while lines.iter().any(|line| matches!(line, Line::Text(_, text) if text.trim() == end)) {
            end.push('_');
        }
        writeln!(f, "<<-{end}")?;
        for line in lines {
            match line {
                Line::Text(mark, text) => {
                    let margin = self.margin(level + 1, *mark);
                    // An empty line gets no trailing spaces; spaces of the text itself are its own.
                    writeln!(f, "{}{text}", if text.is_empty() { margin.trim_end() } else { &margin })?;
                }
                Line::Hidden(count) => self.write_hidden(f, level + 1, *count, "line")?,
            }
        }
        write!(f, "{:indent$}{end}", "", indent = level * LEVEL)
    }

    pub(super) fn write_hidden(
        self,
        f: &mut fmt::Formatter<'_>,
        level: usize,
        count: usize,
        noun: &str,
    ) -> fmt::Result {
        if count == 0 {
            return Ok(());
        }
        self.write_comment(f, level, &format!("{} hidden", counted(count, &format!("unchanged {noun}"))))
    }

    /// Renders what stands before a line at `level`: its indentation with the mark in it.
    fn margin(self, level: usize, mark: Mark) -> String {
        let indent = " ".repeat(level * LEVEL - 2);
        match mark {
            Mark::Same => format!("{indent}  "),
            Mark::Add => format!("{indent}{} ", self.paint.green('+')),
            Mark::Change => format!("{indent}{} ", self.paint.yellow('~')),
            Mark::Remove => format!("{indent}{} ", self.paint.red('-')),
        }
    }
}
