//! Findings as a Code Quality report, which GitLab shows in a merge request.
//!
//! A finding without a place in the repository has no room there: it is given back, to be told otherwise.
//! Source: "Code Quality", section "Code Quality report format".

use serde::Serialize;

use super::escape::escape;
use super::finding_mark::FindingMarks;
use crate::settings::Checkout;
use crate::source::{Diagnostic, Severity};

/// What goes to GitLab, and what it has no room for.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeQuality<'m> {
    /// The report, one JSON array.
    pub json: String,
    /// The messages that are not in it, in the given order.
    pub rest: Vec<&'m Diagnostic>,
}

/// Makes a report of the messages. Paths are named as seen from the root of `checkout`.
pub fn code_quality<'m>(messages: &'m [Diagnostic], checkout: &Checkout) -> CodeQuality<'m> {
    let mut marks = FindingMarks::default();
    let (mut issues, mut rest) = (Vec::new(), Vec::new());
    for message in messages {
        match issue(message, checkout, &mut marks) {
            Some(issue) => issues.push(issue),
            None => rest.push(message),
        }
    }
    let json = serde_json::to_string_pretty(&issues).expect("a report is plain data");
    CodeQuality { json, rest }
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Place,
}

#[derive(Serialize)]
struct Place {
    /// From the root of the repository, without `./`.
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

fn issue(message: &Diagnostic, checkout: &Checkout, marks: &mut FindingMarks) -> Option<Issue> {
    let code = message.code?;
    let (path, begin) = match &message.location {
        Some(location) => (&location.path, location.line),
        None => (message.path.as_ref()?, 1),
    };
    let path = Some(checkout.name(path)).filter(|path| path.is_relative())?;
    Some(Issue {
        description: description(message),
        check_name: code.as_str(),
        fingerprint: marks.of(message, checkout),
        severity: match message.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
        },
        location: Place { path: path.to_string_lossy().into_owned(), lines: Lines { begin } },
    })
}

/// Words a finding on one line, which is what GitLab shows.
fn description(message: &Diagnostic) -> String {
    let Diagnostic { summary, detail, key, .. } = message;
    let key = key.as_ref().map(|key| format!(" (with {})", key.address())).unwrap_or_default();
    let detail = if detail.is_empty() { String::new() } else { format!(". {detail}") };
    let text = format!("{summary}{key}{detail}");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    escape(&lines.collect::<Vec<_>>().join(" ")).into_owned()
}

#[cfg(test)]
#[path = "gitlab_tests.rs"]
mod tests;
