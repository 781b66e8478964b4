//! Warnings and errors as people see them: what, where, the line itself, why and what to do.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use super::escape::escape;
use super::shell::Stream;
use super::snippet::snippet;
use super::style::Paint;
use super::wrap::wrap;
use crate::source::Severity;
use crate::source::{self, Diagnostic, Location};

/// Something that is wrong, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub severity: Severity,
    /// One line that names it.
    pub summary: String,
    /// Why, and what to do next; lines that begin with a space are kept as they are.
    pub detail: String,
    /// The code of its page in `docs/errors/`.
    pub code: Option<String>,
    /// The contact concerned, as `contact.KEY`.
    pub address: Option<String>,
    pub location: Option<Location>,
    /// The file concerned, where no line is known.
    pub path: Option<PathBuf>,
    /// Further places, each with what stands there.
    pub related: Vec<(String, Location)>,
    /// The part of `detail` that is a server's words, which may repeat values.
    pub said: Option<String>,
}

impl Message {
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Severity::Error, summary.into(), detail.into())
    }

    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Severity::Warning, summary.into(), detail.into())
    }

    /// Notes which part of the detail a server said.
    pub(super) fn saying(self, said: Option<&str>) -> Self {
        Self { said: said.map(str::to_owned), ..self }
    }

    /// Names the place as far as it is known.
    pub(super) fn place(&self) -> Option<String> {
        self.location.as_ref().map(place_of).or_else(|| self.path.as_deref().map(shown_path))
    }

    /// Draws the message for `stream`, without a last newline: boxed when there is color.
    pub fn text(&self, stream: Stream) -> String {
        let paint = Paint { color: stream.color };
        // Without a box nothing stands before a line; the width is the same, so that texts wrap alike.
        let body = self.body(paint, stream.width.saturating_sub(2));
        if !stream.color {
            return format!("\n{}", body.trim_end());
        }
        let mut boxed = format!("{}\n", self.tint(paint, "╷"));
        for line in body.trim_end().lines() {
            let space = if line.is_empty() { "" } else { " " };
            boxed.extend([self.tint(paint, "│").as_str(), space, line, "\n"]);
        }
        boxed.push_str(&self.tint(paint, "╵"));
        boxed
    }

    fn new(severity: Severity, summary: String, detail: String) -> Self {
        Self {
            severity,
            summary,
            detail,
            code: None,
            address: None,
            location: None,
            path: None,
            related: Vec::new(),
            said: None,
        }
    }

    fn body(&self, paint: Paint, width: usize) -> String {
        let mut body = String::new();
        self.write_body(&mut body, paint, width).expect("writing to a string does not fail");
        body
    }

    fn write_body(&self, out: &mut String, paint: Paint, width: usize) -> fmt::Result {
        let label = match self.severity {
            Severity::Error => paint.bold_red("Error:"),
            Severity::Warning => paint.bold_yellow("Warning:"),
        };
        let code = self.code.as_deref().map(|code| format!(" [{}]", escape(code))).unwrap_or_default();
        writeln!(out, "{label} {}", paint.bold(format!("{}{code}", escape(&self.summary))))?;
        let place = self.place();
        if self.address.is_some() || place.is_some() {
            writeln!(out)?;
        }
        if let Some(address) = &self.address {
            let comma = if place.is_some() { "," } else { "" };
            writeln!(out, "  with {}{comma}", escape(address))?;
        }
        if let Some(place) = place {
            writeln!(out, "  {place}")?;
        }
        if let Some(location) = &self.location {
            out.push_str(&snippet(location, width, |caret| self.tint(paint, caret)));
        }
        for (label, location) in &self.related {
            writeln!(out, "\n  {}:\n  {}", escape(label), place_of(location))?;
            out.push_str(&snippet(location, width, |caret| self.tint(paint, caret)));
        }
        if !self.detail.trim().is_empty() {
            writeln!(out)?;
            wrap(&self.detail, width).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        Ok(())
    }

    fn tint(&self, paint: Paint, text: &str) -> String {
        match self.severity {
            Severity::Error => paint.red(text).to_string(),
            Severity::Warning => paint.yellow(text).to_string(),
        }
    }
}

impl From<&Diagnostic> for Message {
    fn from(diagnostic: &Diagnostic) -> Self {
        let Diagnostic { code, severity, summary, detail, key, location, related } = diagnostic;
        Self {
            severity: match severity {
                source::Severity::Error => Severity::Error,
                source::Severity::Warning => Severity::Warning,
            },
            summary: summary.clone(),
            detail: detail.clone(),
            code: Some(code.as_str().to_owned()),
            address: key.as_ref().map(crate::model::ContactKey::address),
            location: location.clone(),
            path: None,
            related: related.clone(),
            said: None,
        }
    }
}

/// Names a place so that editors and terminals can jump to it; a whole file has no line.
pub(super) fn place_of(location: &Location) -> String {
    let path = shown_path(&location.path);
    if location.is_whole_file() {
        return path;
    }
    format!("{path}:{}:{}", location.line, location.column)
}

pub(super) fn shown_path(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
