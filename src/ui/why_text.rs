//! Everything that is known about one contact, for people: its entry, its history, open requests, and the next action.

use std::fmt::Write as _;

use super::binding_text::{origin, time_text};
use super::escape::escape;
use super::message::shown_path;
use super::words;
use crate::model::{Binding, ConflictCause, Intent};
use crate::ops::{Problem, ProblemKind, Why};
use crate::plan::Dispute;
use crate::source::Location;

/// Writes what is known, but for what the next apply would do; `location` is where the entry stands.
pub fn why_text(why: &Why, location: Option<&Location>) -> String {
    let mut text = format!("{}\n", why.key.address());
    match (&why.place, location) {
        (Some(_), Some(at)) => drop(writeln!(text, "Declared in {}:{}.", shown_path(&at.path), at.line)),
        (Some(place), None) => drop(writeln!(text, "Declared in {}.", shown_path(&place.path))),
        (None, _) => text += "Not declared in any contact file.\n",
    }
    match (&why.binding, &why.tombstone) {
        (Some(binding), _) => text += &managed(binding),
        (None, Some(forgotten)) => {
            let _ = writeln!(
                text,
                "Managed earlier as contact {}, and removed from the state {}.",
                escape(forgotten.apollo_id.as_str()),
                time_text(forgotten.at)
            );
        }
        (None, None) => text += "Not managed: the state has no Apollo contact for it.\n",
    }
    for intent in &why.intents {
        text += &open(intent);
    }
    if let Some(conflict) = &why.conflict {
        let kind = ProblemKind::Undecided(Dispute::of(&conflict.apollo_id, &conflict.cause));
        let told = words::problem(&Problem { key: Some(why.key.clone()), ..Problem::from(kind) });
        let sent = match conflict.cause {
            ConflictCause::Namesakes { .. } | ConflictCause::Several { .. } => "found",
            ConflictCause::Collision { .. } | ConflictCause::Stranger | ConflictCause::UnseenMatch => "answered",
        };
        let _ = writeln!(
            text,
            "Has waited for a decision since {}, when it was {sent}: {}.",
            time_text(conflict.at),
            escape(&told.summary)
        );
        let _ = writeln!(text, "  {}", escape(&told.detail).replace('\n', "\n  "));
    }
    if let Some(failing) = &why.failing {
        let why_it_fails = words::in_short(&failing.error, Some(&why.key));
        let _ = writeln!(
            text,
            "Fails in the running watch since {} ({} in a row): {}.",
            time_text(failing.since),
            super::amounts::counted(failing.attempts as usize, "time"),
            escape(&why_it_fails)
        );
        text += &request_id("  The id of the request in Apollo", failing.error.request_id());
    }
    if why.under_way {
        text += "Another process is working on it right now.\n";
    }
    text
}

fn managed(binding: &Binding) -> String {
    let Binding { apollo_id, bound_at, applied_at, run, request_id: request, path, merged_into, .. } = binding;
    let mut text = format!(
        "Managed as contact {} since {}: {}.\n",
        escape(apollo_id.as_str()),
        time_text(*bound_at),
        origin(&binding.origin)
    );
    let _ = writeln!(text, "Last applied {} from {}, in run {}.", time_text(*applied_at), escape(path), escape(&run.0));
    text += &request_id("Last request that changed the contact", request.as_deref());
    if binding.fingerprint.is_none() {
        text += "Not every declared field is confirmed.\n";
    }
    for field in &binding.dropped {
        let _ = writeln!(text, "Apollo did not keep {field}.");
    }
    if let Some(gone_at) = binding.gone_at {
        let _ = writeln!(text, "Apollo said {} that the contact is gone.", time_text(gone_at));
    }
    if let Some(merged) = merged_into {
        let _ = writeln!(text, "Apollo merged the contact into {}.", escape(merged.survivor.as_str()));
    }
    text
}

/// Words a request whose outcome is not recorded.
fn open(intent: &Intent) -> String {
    let times = if intent.attempts == 1 { "once".to_owned() } else { format!("{} times", intent.attempts) };
    let outcome = if intent.refused { "Apollo refused it" } else { "its outcome is not recorded" };
    let told = format!(
        "Open: a request to {} was sent {times}, first {} and last {}, in run {}; {outcome}.\n",
        words::doing(intent.endpoint),
        time_text(intent.first_sent_at),
        time_text(intent.last_sent_at),
        escape(&intent.run.0)
    );
    told + &request_id("  The id of the request in Apollo", intent.request_id.as_deref())
}

/// Tells what Apollo called a request, which its support asks for; nothing where it did not say.
fn request_id(what: &str, id: Option<&str>) -> String {
    id.map(|id| format!("{what}, for its support: {}\n", escape(id))).unwrap_or_default()
}
