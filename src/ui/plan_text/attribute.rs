//! The lines inside a block: attributes, lists, maps and texts of several lines, as Terraform lays them out.
//!
//! Knows nothing of contacts; `block` says what stands in the lines.

use std::borrow::Cow;
use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::super::amounts::count;
use super::super::escape::{Quoted, Spelling, quoted_in};
use super::layout::{Layout, Mark};

/// Characters of a value that are shown where long ones are cut.
pub(super) const LONGEST_TEXT: usize = 1000;

/// Items of a list and lines of a text that are shown where long ones are cut.
const MOST_LINES: usize = 50;

/// One attribute of a block or one entry of a map.
#[derive(Debug)]
pub(super) struct Attribute<'a> {
    pub(super) mark: Mark,
    /// Safe to show.
    pub(super) name: Cow<'a, str>,
    pub(super) body: Body<'a>,
    /// A remark behind the value, in dark grey, safe to show.
    pub(super) remark: Option<Cow<'a, str>>,
}

/// What stands behind the `=`.
#[derive(Debug)]
pub(super) enum Body<'a> {
    /// One line, safe to show.
    Inline(Cow<'a, str>),
    /// One line, to be quoted.
    Quoted(&'a str),
    /// What was and what is, safe to show, and which words differ where color does not tell.
    Change { line: String, words: Option<String> },
    /// Items of a list, to be quoted, those that stay counted only; `end` follows the closing bracket.
    List { items: Vec<(Mark, &'a str)>, spelling: Spelling, hidden: usize, end: String },
    /// Entries of a map, those that stay counted only.
    Map { entries: Vec<Attribute<'a>>, hidden: usize },
    /// The lines of a text, or what became of them.
    Lines(Vec<Line<'a>>),
}

#[derive(Debug)]
pub(super) enum Line<'a> {
    /// Safe to show.
    Text(Mark, Cow<'a, str>),
    /// The line above is the last of its text, which does not end in a newline while the other one does.
    NoNewline,
    /// So many lines that stay are left out.
    Hidden(usize),
}

impl Layout<'_> {
    /// Writes attributes at `level`, their `=` below each other.
    pub(super) fn write_all(
        self,
        f: &mut fmt::Formatter<'_>,
        level: usize,
        attributes: &[Attribute<'_>],
    ) -> fmt::Result {
        let widest = attributes.iter().map(|attribute| attribute.name.width()).max().unwrap_or(0);
        attributes.iter().try_for_each(|attribute| self.write_one(f, level, widest, attribute))
    }

    fn write_one(
        self,
        f: &mut fmt::Formatter<'_>,
        level: usize,
        widest: usize,
        attribute: &Attribute<'_>,
    ) -> fmt::Result {
        let Attribute { mark, name, body, remark } = attribute;
        self.write_margin(f, level, *mark)?;
        write!(f, "{name}{:padding$} = ", "", padding = widest - name.width())?;
        match body {
            Body::Inline(text) => f.write_str(text)?,
            Body::Quoted(text) => self.write_quoted(f, text, Spelling::Usual)?,
            Body::Change { line, .. } => f.write_str(line)?,
            Body::List { items, spelling, hidden, end } => self.write_list(f, level, items, *spelling, *hidden, end)?,
            Body::Map { entries, hidden } => self.write_map(f, level, entries, *hidden)?,
            Body::Lines(lines) => self.write_lines(f, level, lines)?,
        }
        match remark {
            Some(remark) => writeln!(f, " {}", self.paint.grey(format_args!("# ({remark})")))?,
            None => writeln!(f)?,
        }
        match body {
            Body::Change { words: Some(words), .. } => self.write_comment(f, level, format_args!("{words}")),
            _ => Ok(()),
        }
    }

    /// Writes a value of one line in quotes.
    fn write_quoted(self, f: &mut fmt::Formatter<'_>, text: &str, spelling: Spelling) -> fmt::Result {
        let write = |f: &mut fmt::Formatter<'_>, text: &str| match spelling {
            Spelling::Usual => write!(f, "{}", Quoted(text)),
            Spelling::Exact => f.write_str(&quoted_in(text, spelling)),
        };
        let end = text.char_indices().nth(LONGEST_TEXT).filter(|_| self.cut).map(|(at, _)| at);
        let Some(end) = end else { return write(f, text) };
        let missing = count(text[end..].chars().count());
        write(f, &format!("{}...", &text[..end]))?;
        write!(f, " {}", self.paint.grey(format_args!("# ({missing} more characters)")))
    }

    fn write_list(
        self,
        f: &mut fmt::Formatter<'_>,
        level: usize,
        items: &[(Mark, &str)],
        spelling: Spelling,
        hidden: usize,
        end: &str,
    ) -> fmt::Result {
        if items.is_empty() && hidden == 0 {
            return write!(f, "[]{end}");
        }
        writeln!(f, "[")?;
        let (shown, cut) = items.split_at(if self.cut { items.len().min(MOST_LINES) } else { items.len() });
        for (mark, item) in shown {
            self.write_margin(f, level + 1, *mark)?;
            self.write_quoted(f, item, spelling)?;
            writeln!(f, ",")?;
        }
        self.write_cut(f, level + 1, cut.len(), "more element")?;
        self.write_hidden(f, level + 1, hidden, "element")?;
        Self::write_indent(f, level)?;
        write!(f, "]{end}")
    }

    fn write_map(
        self,
        f: &mut fmt::Formatter<'_>,
        level: usize,
        entries: &[Attribute<'_>],
        hidden: usize,
    ) -> fmt::Result {
        writeln!(f, "{{")?;
        self.write_all(f, level + 1, entries)?;
        self.write_hidden(f, level + 1, hidden, "element")?;
        Self::write_indent(f, level)?;
        write!(f, "}}")
    }

    /// Writes the lines between two marks, the second of which no line of the text equals.
    fn write_lines(self, f: &mut fmt::Formatter<'_>, level: usize, lines: &[Line<'_>]) -> fmt::Result {
        let mut end = "EOT".to_owned();
        while lines.iter().any(|line| matches!(line, Line::Text(_, text) if text.trim() == end)) {
            end.push('_');
        }
        writeln!(f, "<<-{end}")?;
        let (shown, cut) = lines.split_at(if self.cut { lines.len().min(MOST_LINES) } else { lines.len() });
        for line in shown {
            match line {
                // Spaces of the text itself are its own.
                Line::Text(mark, text) if text.is_empty() => {
                    self.write_empty(f, level + 1, *mark)?;
                    writeln!(f)?;
                }
                Line::Text(mark, text) => {
                    self.write_margin(f, level + 1, *mark)?;
                    self.write_line(f, text)?;
                }
                // No line of a text begins so: a backslash of its own is doubled.
                Line::NoNewline => {
                    self.write_margin(f, level + 1, Mark::Same)?;
                    writeln!(f, "{}", self.paint.grey("\\ No newline at end"))?;
                }
                Line::Hidden(count) => {
                    let shown = Self { concise: false, ..self };
                    shown.write_hidden(f, level + 1, *count, "line")?;
                }
            }
        }
        self.write_cut(f, level + 1, cut.len(), "more line")?;
        Self::write_indent(f, level)?;
        f.write_str(&end)
    }

    fn write_line(self, f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
        match text.char_indices().nth(LONGEST_TEXT).filter(|_| self.cut) {
            Some((end, _)) => {
                let missing = count(text[end..].chars().count());
                let more = format!("# ({missing} more characters)");
                writeln!(f, "{}... {}", &text[..end], self.paint.grey(more))
            }
            None => writeln!(f, "{text}"),
        }
    }
}
