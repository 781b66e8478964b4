//! How lines are drawn: colors, where their marks stand, how much of a long value is shown.

use std::fmt;

use super::super::amounts::counted;
use super::super::mask::Mask;
use super::super::style::Paint;
use crate::model::Glossary;

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

/// Where the marks of lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Marks {
    /// Beside what they mark, as in Terraform.
    Indented,
    /// In the first column, the only one that a `diff` fence of Markdown colors, and `!` for `~`.
    FirstColumn,
}

/// How lines are drawn.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) struct Layout<'n> {
    pub(in crate::ui) paint: Paint,
    pub(in crate::ui) mask: Mask,
    pub(in crate::ui) marks: Marks,
    /// Whether what stays is left out without a count.
    pub(in crate::ui) concise: bool,
    /// Whether long values are cut, saying how much is missing.
    pub(in crate::ui) cut: bool,
    /// What ids stand for, where that is known.
    pub(in crate::ui) names: Option<&'n Glossary>,
}

impl Mark {
    fn symbol(self) -> Option<char> {
        match self {
            Self::Same => None,
            Self::Add => Some('+'),
            Self::Change => Some('~'),
            Self::Remove => Some('-'),
        }
    }
}

impl Layout<'_> {
    /// Writes a line in dark grey at `level`, as a comment.
    pub(super) fn write_comment(
        self,
        f: &mut fmt::Formatter<'_>,
        level: usize,
        text: fmt::Arguments<'_>,
    ) -> fmt::Result {
        writeln!(f, "{:indent$}{}", "", self.paint.grey(format_args!("# ({text})")), indent = level * LEVEL)
    }

    /// Counts what stays and is left out, where somebody wants to know.
    pub(super) fn write_hidden(
        self,
        f: &mut fmt::Formatter<'_>,
        level: usize,
        count: usize,
        noun: &str,
    ) -> fmt::Result {
        if count == 0 || self.concise {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let number = super::super::amounts::count(count);
        self.write_comment(f, level, format_args!("{number} unchanged {noun}{plural} hidden"))
    }

    /// Counts what is left out because there is too much of it.
    pub(super) fn write_cut(self, f: &mut fmt::Formatter<'_>, level: usize, count: usize, noun: &str) -> fmt::Result {
        if count == 0 {
            return Ok(());
        }
        self.write_comment(f, level, format_args!("{}", counted(count, noun)))
    }

    /// Writes what closes a bracket at `level`.
    pub(super) fn write_indent(f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
        write!(f, "{:indent$}", "", indent = level * LEVEL)
    }

    /// Writes what stands before a line at `level`: its indentation with the mark in it.
    pub(super) fn write_margin(self, f: &mut fmt::Formatter<'_>, level: usize, mark: Mark) -> fmt::Result {
        self.write_bare_margin(f, level, mark)?;
        match (self.marks, mark.symbol()) {
            (Marks::Indented, Some(_)) => f.write_str(" "),
            (Marks::Indented, None) => f.write_str("  "),
            (Marks::FirstColumn, _) => write!(f, "{:indent$}", "", indent = level * LEVEL - 1),
        }
    }

    /// Writes the margin of an empty line, which gets no spaces at its end.
    pub(super) fn write_empty(self, f: &mut fmt::Formatter<'_>, level: usize, mark: Mark) -> fmt::Result {
        match mark {
            Mark::Same => Ok(()),
            _ => self.write_bare_margin(f, level, mark),
        }
    }

    fn write_bare_margin(self, f: &mut fmt::Formatter<'_>, level: usize, mark: Mark) -> fmt::Result {
        match self.marks {
            Marks::Indented => {
                write!(f, "{:indent$}", "", indent = level * LEVEL - 2)?;
                match mark {
                    Mark::Same => Ok(()),
                    Mark::Add => write!(f, "{}", self.paint.green('+')),
                    Mark::Change => write!(f, "{}", self.paint.yellow('~')),
                    Mark::Remove => write!(f, "{}", self.paint.red('-')),
                }
            }
            Marks::FirstColumn => f.write_str(match mark {
                Mark::Same => " ",
                Mark::Add => "+",
                Mark::Change => "!",
                Mark::Remove => "-",
            }),
        }
    }
}
