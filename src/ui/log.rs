//! What is told, as lines of the log: for services, whose output goes to a journal or a collector.
//!
//! A line has a level, one line of text and fields; which contact it is about, its id and Apollo's id of the
//! request are in the span it is written in. No value of a contact and no word of Apollo's stands above
//! `debug`: keys, ids, places and our own words do.

use std::borrow::Cow;

use super::amounts::{duration, wait};
use super::escape::escape;
use super::mask::Mask;
use super::message::{place_of, shown_path};
use super::words::{self, RENEWED, finished, started, still_running};
use crate::model::ContactKey;
use crate::ops::Event;
use crate::quota::Span;
use crate::source::{Code, Diagnostic, Severity};

/// The origin of these lines, so that one setting of the log's level is for all of ours.
const TARGET: &str = "contactsd";

/// Logs what happens to contacts, as it happens. What a pass comes to is the shell's to say.
///
/// A line is written in the span this is called in. May be called from several threads.
pub fn log_event(event: &Event) {
    match event {
        Event::Started { key, step, .. } => {
            if let Some(text) = started(*step, None) {
                tracing::debug!(target: TARGET, "{}", of(key, &text));
            }
        }
        Event::StillRunning { key, step, elapsed, .. } => {
            tracing::info!(target: TARGET, "{}", of(key, &still_running(*step, None, *elapsed)));
        }
        Event::Finished { key, step, elapsed, .. } => {
            tracing::info!(target: TARGET, "{}", of(key, &finished(*step, None, *elapsed)));
        }
        Event::Problem(problem) => message(&words::problem(problem)),
        Event::WaitingForQuota { endpoint, window, wait: time, until: _ } => {
            let time = wait(*time);
            if let Some(window) = window.map(Span::name) {
                tracing::info!(target: TARGET, %endpoint, window, "Waiting {time} for quota");
            } else {
                tracing::info!(target: TARGET, %endpoint, "Waiting {time}: Apollo asked for a pause");
            }
        }
        Event::Outage { endpoint, status, is_first: true, .. } => {
            let text = "Apollo does not answer correctly: one request at a time is tried, less and less often";
            tracing::warn!(target: TARGET, %endpoint, status, "{text}");
        }
        Event::Outage { endpoint, status, wait: time, .. } => {
            tracing::debug!(target: TARGET, %endpoint, status, "The outage goes on: next try in {}", wait(*time));
        }
        Event::OutageOver { endpoint, lasted } => {
            tracing::info!(target: TARGET, %endpoint, "Apollo answers again after {}", duration(*lasted));
        }
        Event::Refreshing(reading) => text(&words::refreshing(*reading)),
        Event::CredentialRenewed => text(RENEWED),
        Event::Stopping => text("Stopping: running requests are finished and recorded."),
        // A problem was told for it; the rest is for people who sit before it.
        Event::Failed { .. }
        | Event::Begun { .. }
        | Event::Answered { .. }
        | Event::QuotaLeft { .. }
        | Event::Tick { .. }
        | Event::Pass(_) => {}
    }
}

fn of(key: &ContactKey, text: &str) -> String {
    format!("{}: {text}", key.address())
}

/// Logs a warning or an error; what personal values it quotes only where details are asked for.
pub(super) fn message(message: &Diagnostic) {
    let masked = Mask::On.message(message);
    let summary = escape(&masked.summary);
    let place = match (&masked.location, &masked.path) {
        (Some(location), _) => Some(place_of(location)),
        (None, path) => path.as_deref().map(shown_path),
    };
    let (place, code) = (place.as_deref(), masked.code.map(Code::as_str));
    let detail = Some(line(&masked.detail)).filter(|detail| !detail.is_empty());
    let detail = detail.as_deref();
    match masked.severity {
        Severity::Error => tracing::error!(target: TARGET, place, code, detail, "{summary}"),
        Severity::Warning => tracing::warn!(target: TARGET, place, code, detail, "{summary}"),
    }
    if matches!(masked, Cow::Owned(_)) && (masked.summary != message.summary || masked.detail != message.detail) {
        let (summary, detail) = (escape(&message.summary), line(&message.detail));
        tracing::debug!(target: TARGET, detail, "{summary}");
    }
}

/// Logs lines that were written for people, each as its own.
pub(super) fn text(text: &str) {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        tracing::info!(target: TARGET, "{}", escape(line));
    }
}

/// Writes a text of several lines on one.
fn line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    escape(&lines.collect::<Vec<_>>().join(" ")).into_owned()
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
