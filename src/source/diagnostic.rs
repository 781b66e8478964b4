//! What is said about a mistake: which, where, why and what to do.
//!
//! Plain data; how it is drawn, and that control characters in it are escaped, is the concern of `ui`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::code::{Code, Severity};
use crate::model::ContactKey;

/// Something that is wrong, in words: a finding in the contact files, or anything else a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The code of its page in `docs/errors/`, for what is wrong with contact files.
    pub code: Option<Code>,
    pub severity: Severity,
    /// One line that names it.
    pub summary: String,
    /// What happened, why it matters and what to do; lines that begin with a space are kept as they are.
    pub detail: String,
    /// The contact concerned.
    pub key: Option<ContactKey>,
    pub location: Option<Location>,
    /// The file concerned, where no line is known.
    pub path: Option<PathBuf>,
    /// Other places that belong to it, each with a label such as "first declared here".
    pub related: Vec<(String, Location)>,
    /// The part of `detail` that is a server's words, which may repeat values.
    pub said: Option<String>,
    /// How many findings it tells of: more than one where it stands for those that are not shown.
    pub findings: usize,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file as the user would name it.
    pub path: PathBuf,
    /// Counts from 1.
    pub line: usize,
    /// Counts from 1, in characters.
    pub column: usize,
    /// How many characters it covers, at least 1.
    pub width: usize,
    /// The line as it stands in the file, without its end, of a long one the 400 characters around the place;
    /// empty when the file could not be read.
    pub text: String,
    /// How many characters of the line stand before `text`.
    pub skipped: usize,
}

impl Location {
    /// Points at a file as a whole.
    pub(super) fn of_file(path: &Path) -> Self {
        Self { path: path.to_owned(), line: 1, column: 1, width: 1, text: String::new(), skipped: 0 }
    }

    /// Points into a line, of which only the part around the place is taken.
    pub(super) fn in_line(path: &Path, line: &str, span: Span) -> Self {
        let column = span.column.max(1);
        let skipped = if column > MAX_LINE_CHARS - LEAD_CHARS { column - LEAD_CHARS } else { 0 };
        let start = line.char_indices().nth(skipped).map_or(line.len(), |(start, _)| start);
        let text = &line[start..];
        let text = text.char_indices().nth(MAX_LINE_CHARS).map_or(text, |(cut, _)| &text[..cut]);
        let rest = text.chars().count().saturating_sub(column - 1 - skipped);
        Self {
            path: path.to_owned(),
            line: span.line.max(1),
            column,
            width: span.width.min(rest).max(1),
            text: text.to_owned(),
            skipped,
        }
    }

    /// Returns where in `text` the place begins and ends, in bytes.
    pub fn in_text(&self) -> std::ops::Range<usize> {
        let start = (self.column - 1).saturating_sub(self.skipped);
        let offset =
            |characters| self.text.char_indices().nth(characters).map_or(self.text.len(), |(offset, _)| offset);
        offset(start)..offset(start + self.width)
    }

    /// Reports whether it points at a file as a whole.
    pub fn is_whole_file(&self) -> bool {
        self.text.is_empty() && (self.line, self.column) == (1, 1)
    }
}

impl Diagnostic {
    /// Says that something cannot be done.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: None,
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            key: None,
            location: None,
            path: None,
            related: Vec::new(),
            said: None,
            findings: 1,
        }
    }

    /// Says what a person should know although everything is done.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    pub(super) fn new(code: Code, summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: Some(code), severity: code.severity(), ..Self::error(summary, detail) }
    }

    /// Notes which part of the detail a server said.
    #[must_use]
    pub fn saying(self, said: Option<&str>) -> Self {
        Self { said: said.map(str::to_owned), ..self }
    }

    pub(super) fn at(mut self, location: impl Into<Option<Location>>) -> Self {
        self.location = location.into();
        self
    }

    pub(super) fn about(mut self, key: Option<&ContactKey>) -> Self {
        self.key = key.cloned();
        self
    }

    pub(super) fn relating(mut self, label: impl Into<String>, location: Location) -> Self {
        self.related.push((label.into(), location));
        self
    }
}

/// Sorts by place and drops what was found twice, as in a map that several aliases name.
pub(super) fn arrange(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|one, other| {
        (&one.location, one.code, &one.key, &one.summary).cmp(&(
            &other.location,
            other.code,
            &other.key,
            &other.summary,
        ))
    });
    diagnostics.dedup_by(|later, kept| {
        later.location.is_some()
            && (&later.location, later.code, &later.summary) == (&kept.location, kept.code, &kept.summary)
    });
}

/// A place in a text: line and column count from 1, in characters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) line: usize,
    pub(super) column: usize,
    /// Characters covered; 0 is drawn as 1, and what goes beyond the line's end is cut.
    pub(super) width: usize,
}

/// Longest piece of a line that a location carries, in characters.
///
/// A file on a single line, with a mistake in each contact, would else be copied for each.
const MAX_LINE_CHARS: usize = 400;

/// How much of a long line is taken before the place itself, in characters.
const LEAD_CHARS: usize = 100;

/// The text of one file, with what is needed to point into it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: Arc<Path>,
    pub(super) text: String,
    /// Where each line begins, in bytes; found when first asked for, as good files never do.
    starts: OnceLock<Vec<usize>>,
}

impl Source {
    pub(super) fn new(path: Arc<Path>, text: String) -> Self {
        Self { path, text, starts: OnceLock::new() }
    }

    fn starts(&self) -> &[usize] {
        let find = || std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.starts.get_or_init(find)
    }

    /// Returns the place of a piece of the text, which is given in bytes and stands on one line.
    pub(super) fn span(&self, bytes: std::ops::Range<usize>) -> Span {
        let line = self.starts().partition_point(|start| *start <= bytes.start);
        let start = self.starts()[line - 1];
        let column = self.text[start..bytes.start].chars().count() + 1;
        Span { line, column, width: self.text[bytes].chars().count() }
    }

    /// Counts the lines; the one behind the last newline is one.
    pub(super) fn lines(&self) -> usize {
        self.starts().len()
    }

    /// Returns the line that counts as `number`, from 1, without its end.
    pub(super) fn line(&self, number: usize) -> &str {
        let Some(&start) = number.checked_sub(1).and_then(|index| self.starts().get(index)) else { return "" };
        let end = self.starts().get(number).map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }

    pub(super) fn location(&self, span: Span) -> Location {
        Location::in_line(&self.path, self.line(span.line), span)
    }
}

/// Longest piece of a value that a message repeats, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// Quotes a value for a message, control characters escaped and cut when long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((cut, _)) => format!("{:?}...", &text[..cut]),
        None => format!("{text:?}"),
    }
}

/// Longest text of somebody else's that a message repeats, in characters.
const MAX_FOREIGN_CHARS: usize = 200;

/// Cuts a parser's words, or a value in them, that may repeat a part of the file.
pub(super) fn cut(text: &str) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(MAX_FOREIGN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}
