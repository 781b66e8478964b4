//! Findings as workflow commands, which GitHub shows at their lines in a pull request.
//!
//! A value cannot forge a command: what a command ends or divides at is encoded, so that a finding is
//! one line, and the line is one command.
//! Source: "Workflow commands for GitHub Actions", and `command.ts` of the toolkit for the encoding.

use std::fmt::Write;

use super::escape::escape;
use crate::settings::Checkout;
use crate::source::{Diagnostic, Severity};

/// Annotations of one kind that GitHub shows of a step; it drops further ones without a word.
const MAX_OF_A_KIND: usize = 10;

/// What goes to GitHub, and what it has no room for.
#[derive(Debug, PartialEq, Eq)]
pub struct Annotations<'m> {
    /// A command a line; the last counts the rest, if there is one.
    pub commands: Vec<String>,
    /// The messages without a command, in the given order.
    pub rest: Vec<&'m Diagnostic>,
}

/// Makes commands of the first messages of each kind. Paths are named as seen from the root of `checkout`.
pub fn annotations<'m>(messages: &'m [Diagnostic], checkout: &Checkout) -> Annotations<'m> {
    let mut shown = [0, 0];
    let (mut commands, mut rest) = (Vec::new(), Vec::new());
    for message in messages {
        let shown = match message.severity {
            Severity::Warning => &mut shown[0],
            Severity::Error => &mut shown[1],
        };
        if *shown < MAX_OF_A_KIND {
            *shown += 1;
            commands.push(command(message, checkout));
        } else {
            rest.push(message);
        }
    }
    if !rest.is_empty() {
        // A notice: of these GitHub shows another ten.
        let all: usize = messages.iter().map(|message| message.findings).sum();
        commands.push(format!(
            "::notice title=contactsd::{}",
            data(&format!(
                "{} of {all} findings are shown here: GitHub takes {MAX_OF_A_KIND} errors and {MAX_OF_A_KIND} warnings \
                 of a step. The log of this step goes on with them.",
                messages.len() - rest.len()
            ))
        ));
    }
    Annotations { commands, rest }
}

fn command(message: &Diagnostic, checkout: &Checkout) -> String {
    let Diagnostic { severity, summary, detail, code, key, location, path, related, said: _, findings: _ } = message;
    let kind = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut properties = Vec::new();
    if let Some(path) = location.as_ref().map(|location| &location.path).or(path.as_ref()) {
        properties.push(("file", checkout.name(path).to_string_lossy().into_owned()));
    }
    if let Some(location) = location.as_ref().filter(|location| !location.is_whole_file()) {
        properties.push(("line", location.line.to_string()));
        properties.push(("col", location.column.to_string()));
        properties.push(("endColumn", (location.column + location.width - 1).to_string()));
    }
    let title = code.map(|code| format!("{code}: {}", code.title()));
    properties.push(("title", title.unwrap_or_else(|| "contactsd".to_owned())));
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    let mut text = summary.clone();
    if let Some(key) = key {
        write!(text, " (with {})", key.address()).expect("writing to a string does not fail");
    }
    for (label, location) in related {
        let path = checkout.name(&location.path);
        write!(text, "\n{label}: {}:{}:{}", path.display(), location.line, location.column)
            .expect("writing to a string does not fail");
    }
    if !detail.is_empty() {
        write!(text, "\n{detail}").expect("writing to a string does not fail");
    }
    format!("::{kind} {}::{}", properties.join(","), data(&text))
}

/// Encodes what stands behind the second `::`.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| escape(line).into_owned()).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Encodes the value of a property.
fn property(text: &str) -> String {
    escape(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
#[path = "github_tests.rs"]
mod tests;
