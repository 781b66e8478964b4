//! Warnings and errors as people see them: what, where, the line itself, why and what to do.

use std::fmt::{self, Write};
use std::path::Path;

use super::escape::escape;
use super::snippet::snippet;
use super::stream::Stream;
use super::style::Paint;
use super::wrap::wrap;
use crate::source::{Diagnostic, Location, Severity};

/// Names the place of a message as far as it is known.
pub(super) fn place(message: &Diagnostic) -> Option<String> {
    message.location.as_ref().map(place_of).or_else(|| message.path.as_deref().map(shown_path))
}

/// Draws a message for `stream`, without a last newline: boxed when there is color.
pub fn message_text(message: &Diagnostic, stream: Stream) -> String {
    let paint = Paint { color: stream.color };
    let tint = |text: &str| match message.severity {
        Severity::Error => paint.red(text).to_string(),
        Severity::Warning => paint.yellow(text).to_string(),
    };
    // Without a box nothing stands before a line; the width is the same, so that texts wrap alike.
    let mut body = String::new();
    let width = stream.width.saturating_sub(2);
    write_body(message, &mut body, paint, width, tint).expect("writing to a string does not fail");
    let body = Stream { width, ..stream }.folded(body).to_string();
    if !stream.color {
        return format!("\n{}", body.trim_end());
    }
    let mut boxed = format!("{}\n", tint("╷"));
    for line in body.trim_end().lines() {
        let space = if line.is_empty() { "" } else { " " };
        boxed.extend([tint("│").as_str(), space, line, "\n"]);
    }
    boxed.push_str(&tint("╵"));
    boxed
}

fn write_body(
    message: &Diagnostic,
    out: &mut String,
    paint: Paint,
    width: usize,
    tint: impl Fn(&str) -> String,
) -> fmt::Result {
    let label = match message.severity {
        Severity::Error => paint.bold_red("Error:"),
        Severity::Warning => paint.bold_yellow("Warning:"),
    };
    let code = message.code.map(|code| format!(" [{code}]")).unwrap_or_default();
    writeln!(out, "{label} {}", paint.bold(format!("{}{code}", escape(&message.summary))))?;
    let place = place(message);
    if message.key.is_some() || place.is_some() {
        writeln!(out)?;
    }
    if let Some(key) = &message.key {
        let comma = if place.is_some() { "," } else { "" };
        writeln!(out, "  with {}{comma}", key.address())?;
    }
    if let Some(place) = place {
        writeln!(out, "  {place}")?;
    }
    if let Some(location) = &message.location {
        out.push_str(&snippet(location, width, &tint));
    }
    for (label, location) in &message.related {
        writeln!(out, "\n  {}:\n  {}", escape(label), place_of(location))?;
        out.push_str(&snippet(location, width, &tint));
    }
    if !message.detail.trim().is_empty() {
        writeln!(out)?;
        wrap(&message.detail, width).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
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
