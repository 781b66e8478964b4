//! Warnings and errors as JSON, in the shape of Terraform's.

use super::versions::FORMAT_VERSION;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::ContactKey;
use crate::source::{self, Location, Severity};

/// Something that is wrong: what, where, why and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    pub severity: Weight,
    /// One line that names it.
    pub summary: String,
    /// Why, and what to do next; may have several lines.
    pub detail: String,
    /// The code of its page in `docs/errors/`, for mistakes in contact files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The contact concerned, as `contact.KEY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
    /// Further places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    Error,
    Warning,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Range {
    pub filename: String,
    pub start: Position,
    /// Just after the last character.
    pub end: Position,
}

/// A position in a file; both numbers count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// The line itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Snippet {
    /// The line as it stands in the file; of a long one the 400 characters around the mistake.
    pub code: String,
    pub start_line: usize,
    /// Where in `code` the mistake begins, in bytes.
    pub highlight_start_offset: usize,
    /// Where in `code` the mistake ends, in bytes.
    pub highlight_end_offset: usize,
}

/// Another place, with what stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    pub label: String,
    pub range: Range,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
}

impl From<&source::Diagnostic> for Diagnostic {
    fn from(message: &source::Diagnostic) -> Self {
        let source::Diagnostic { severity, summary, detail, code, key, location, path, related, said: _, findings: _ } =
            message;
        let whole_file = path.as_ref().map(|path| {
            let start = Position { line: 1, column: 1 };
            Range { filename: path.to_string_lossy().into_owned(), start, end: start }
        });
        Self {
            severity: match severity {
                Severity::Error => Weight::Error,
                Severity::Warning => Weight::Warning,
            },
            summary: summary.clone(),
            detail: detail.clone(),
            code: code.map(|code| code.as_str().to_owned()),
            address: key.as_ref().map(ContactKey::address),
            range: location.as_ref().map(Range::of).or(whole_file),
            snippet: location.as_ref().and_then(Snippet::of),
            related: related
                .iter()
                .map(|(label, place)| Related {
                    label: label.clone(),
                    range: Range::of(place),
                    snippet: Snippet::of(place),
                })
                .collect(),
        }
    }
}

impl Range {
    fn of(location: &Location) -> Self {
        let Location { path, line, column, width, text: _, skipped: _ } = location;
        Self {
            filename: path.to_string_lossy().into_owned(),
            start: Position { line: *line, column: *column },
            end: Position { line: *line, column: column + width },
        }
    }
}

impl Snippet {
    fn of(location: &Location) -> Option<Self> {
        let highlight = location.in_text();
        (!location.text.is_empty()).then(|| Self {
            code: location.text.clone(),
            start_line: location.line,
            highlight_start_offset: highlight.start,
            highlight_end_offset: highlight.end,
        })
    }
}

/// What is wrong with the contact files, as `validate --json` prints it: Terraform's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Validation {
    /// `MAJOR.MINOR`; a new minor adds keys, a reader must refuse a major that it does not know.
    pub format_version: &'static str,
    /// Whether a plan can be made.
    pub valid: bool,
    /// Those that are not listed included.
    pub error_count: usize,
    /// Those that are not listed included.
    pub warning_count: usize,
    /// Of each file, the first hundred errors and warnings; the last one says how many more there are.
    pub diagnostics: Vec<Diagnostic>,
    /// How many contacts are declared; absent when the files cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<usize>,
    /// How many files were read; absent when the directory cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
}

impl Validation {
    /// Sums up what was said about the files.
    pub fn new<'a>(
        messages: impl IntoIterator<Item = &'a source::Diagnostic>,
        contacts: Option<usize>,
        files: Option<usize>,
    ) -> Self {
        let (mut diagnostics, mut error_count, mut warning_count) = (Vec::new(), 0, 0);
        for message in messages {
            let count = match message.severity {
                Severity::Error => &mut error_count,
                Severity::Warning => &mut warning_count,
            };
            *count += message.findings;
            diagnostics.push(Diagnostic::from(message));
        }
        let format_version = FORMAT_VERSION;
        Self { format_version, valid: error_count == 0, error_count, warning_count, diagnostics, contacts, files }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn location(text: &str, column: usize, width: usize) -> Location {
        Location {
            path: PathBuf::from("contacts.d/team.yaml"),
            line: 3,
            column,
            width,
            text: text.to_owned(),
            skipped: 0,
        }
    }

    #[test]
    fn a_place_is_told_in_characters_and_its_line_in_bytes() {
        let mut message = source::Diagnostic::error("A mistake", "What to do.");
        message.location = Some(location("  é: nö", 6, 2));
        message.related.push(("first declared here".to_owned(), location("", 500, 1)));
        insta::assert_snapshot!(serde_json::to_string(&Diagnostic::from(&message)).unwrap(), @r#"{"severity":"error","summary":"A mistake","detail":"What to do.","range":{"filename":"contacts.d/team.yaml","start":{"line":3,"column":6},"end":{"line":3,"column":8}},"snippet":{"code":"  é: nö","start_line":3,"highlight_start_offset":6,"highlight_end_offset":9},"related":[{"label":"first declared here","range":{"filename":"contacts.d/team.yaml","start":{"line":3,"column":500},"end":{"line":3,"column":501}}}]}"#);
    }

    #[test]
    fn warnings_leave_files_valid() {
        let [warning, error] = [source::Diagnostic::warning("w", ""), source::Diagnostic::error("e", "")];
        let counts = |messages: &[&source::Diagnostic]| {
            let sum = Validation::new(messages.iter().copied(), None, None);
            (sum.valid, sum.error_count, sum.warning_count)
        };
        assert_eq!(counts(&[]), (true, 0, 0));
        assert_eq!(counts(&[&warning]), (true, 0, 1));
        assert_eq!(counts(&[&warning, &error]), (false, 1, 1));
    }
}
