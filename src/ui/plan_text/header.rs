//! The lines above a block: which contact it is, what will happen to it, why, and what a person can do.

use std::borrow::Cow;
use std::fmt;

use super::super::escape::{escape, quoted};
use super::super::message::shown_path;
use super::block::since_sent;
use super::layout::Layout;
use crate::model::{ApolloId, ContactKey, Intent, PackedEntry};
use crate::plan::{Action, Dispute, Operation, Reason};
use crate::shell_word::repeated;

/// Writes the lines above the action's block.
pub(super) fn write(f: &mut fmt::Formatter<'_>, action: &Action, layout: Layout<'_>) -> fmt::Result {
    f.write_str("  ")?;
    write_headline(f, action, layout, "# ")?;
    writeln!(f)?;
    write_notes(f, action, layout)
}

/// Writes why the action is in the plan, and the ways out where it needs a decision.
pub(super) fn write_notes(f: &mut fmt::Formatter<'_>, action: &Action, layout: Layout<'_>) -> fmt::Result {
    for note in notes(action, layout) {
        match note {
            Note::Why(text) => writeln!(f, "  {}", layout.paint.grey(format_args!("# ({text})")))?,
            Note::WayOut(text) => writeln!(f, "  # - {text}")?,
        }
    }
    Ok(())
}

/// Writes which contact it is, after `lead`, and what becomes of it.
pub(super) fn write_headline(
    f: &mut fmt::Formatter<'_>,
    action: &Action,
    layout: Layout<'_>,
    lead: &str,
) -> fmt::Result {
    let paint = layout.paint;
    let key = match &action.operation {
        Operation::Move { from, .. } => from,
        _ => action.key(),
    };
    write!(f, "{}", paint.bold(format_args!("{lead}contact.{key}")))?;
    match &action.operation {
        Operation::Create { .. } => f.write_str(" will be created"),
        Operation::Adopt { .. } => f.write_str(" will be imported"),
        Operation::Restore { .. } => f.write_str(" will be restored"),
        Operation::Update { .. } => f.write_str(" will be updated in-place"),
        Operation::Move { .. } => {
            write!(f, " has moved to {}", paint.bold(format_args!("contact.{}", action.key())))
        }
        Operation::Release { .. } => f.write_str(": fields are no longer managed"),
        Operation::Forget { .. } => {
            write!(f, " {}", paint.red("will be removed from the state but will not be destroyed"))
        }
        Operation::Settle { .. } => f.write_str(": outcome of an earlier create is unknown"),
        Operation::Conflict { .. } | Operation::Contradiction { .. } => {
            write!(f, " {}", paint.red("needs a decision"))
        }
    }
}

/// One line between the headline and the block.
enum Note {
    /// Explains; in parentheses as Terraform's reasons are, and quiet.
    Why(Cow<'static, str>),
    /// Something a person can do; as loud as the headline.
    WayOut(Cow<'static, str>),
}

fn notes(action: &Action, layout: Layout) -> Vec<Note> {
    let path = || shown_path(&action.place.path);
    match &action.operation {
        Operation::Create { .. } if action.reason == Reason::Recreate => {
            vec![why("its contact was deleted in Apollo")]
        }
        Operation::Create { .. } if action.reason == Reason::AskedFor => {
            vec![why("as a new contact, even if Apollo has a similar one")]
        }
        Operation::Create { entry } if entry.is_matched_by_email() => {
            vec![why("or imported, if Apollo has a contact with this e-mail")]
        }
        Operation::Create { .. } | Operation::Update { .. } => Vec::new(),
        Operation::Adopt { id, evidence: Some(evidence), .. } => {
            let mut found = vec![why(format!("imported from {}, the only contact with its e-mail", shown(id)))];
            let is_shown = !evidence.name.is_empty() || !evidence.company.is_empty();
            if is_shown && !layout.mask.is_on() {
                let (name, company) = (quoted(&evidence.name), quoted(&evidence.company));
                found.push(why(format!("called {name} at {company} in Apollo")));
            }
            found
        }
        Operation::Adopt { id, .. } => vec![why(format!("imported from {}", shown(id)))],
        Operation::Restore { id, .. } => vec![why(format!("bound to {} before it was forgotten", shown(id)))],
        Operation::Move { .. } => recognized_by(action.reason).map(why).into_iter().collect(),
        Operation::Release { .. } => vec![why("Apollo keeps their values")],
        Operation::Forget { .. } if action.reason == Reason::AskedFor => {
            vec![why(format!("it was last applied from {}", path()))]
        }
        Operation::Forget { .. } => vec![
            why(format!("because {} is no longer in the contact files", action.key().address())),
            why(format!("it was in {}", path())),
        ],
        Operation::Settle { entry, intent, .. } => vec![why(settling(entry.as_ref(), intent))],
        Operation::Conflict { dispute, .. } => conflict(action.key(), dispute, &path()),
        Operation::Contradiction { bound, declared, owner, .. } => {
            contradiction(action.key(), bound, declared, owner.as_ref(), &path())
        }
    }
}

/// Quotes an id; one that was read from a plan file may be any text.
fn shown(id: &ApolloId) -> String {
    quoted(id.as_str())
}

fn why(text: impl Into<Cow<'static, str>>) -> Note {
    Note::Why(text.into())
}

fn way_out(text: impl Into<Cow<'static, str>>) -> Note {
    Note::WayOut(text.into())
}

/// Says how a renamed key was recognized; nothing when the files say so.
fn recognized_by(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::SameEmail => Some("recognized by its e-mail"),
        Reason::SamePerson => Some("recognized by its name and company"),
        _ => None,
    }
}

fn settling(entry: Option<&PackedEntry>, intent: &Intent) -> String {
    let sent = match intent.attempts {
        0 | 1 => "sent, but never answered".to_owned(),
        times => format!("sent {times} times, but never answered"),
    };
    let then = match entry {
        Some(entry) if !since_sent(&intent.fields, &entry.unpack()).is_empty() => "creates it only if it is not there",
        Some(_) => "sends it again only if it is not there",
        None => "creates nothing, because it is no longer in the contact files",
    };
    format!("{sent}: contactsd looks for it in Apollo, and {then}")
}

/// Says what stands against what, and every way out.
fn conflict(key: &ContactKey, dispute: &Dispute, path: &str) -> Vec<Note> {
    let again = repeated();
    match dispute {
        Dispute::Collision { id, other } => vec![
            why(format!("Apollo takes it and {} for one person: both match {}", other.address(), shown(id))),
            way_out(format!("one person: remove one of the two entries; this one is in {path}")),
            way_out("two people: correct either entry, or set run_dedupe: false in both"),
            way_out(format!(
                "the contact belongs to {key}: contactsd state rm {other}{again}, then contactsd import {key} {}{again}",
                escape(id.as_str())
            )),
        ],
        Dispute::Stranger { id } => vec![
            why(format!("Apollo matched it to {}, which has another name or e-mail", shown(id))),
            way_out(format!("the same person: contactsd import {key} {}{again}", escape(id.as_str()))),
            way_out(format!("another person: correct the entry in {path}, or set run_dedupe: false in it")),
        ],
        Dispute::UnseenMatch { id } => vec![
            why(format!("Apollo matched it to {}, which no search showed, and may have overwritten it", shown(id))),
            way_out(format!("the same person: contactsd import {key} {}{again}", escape(id.as_str()))),
            way_out(format!("another person: correct that contact in Apollo, and set run_dedupe: false in {path}")),
        ],
        Dispute::Namesakes { ids } => vec![
            why(format!("Apollo has a contact with this name or mailbox, and nothing was sent: {}", listed(ids))),
            way_out(format!("the same person: contactsd import {key} {}{again}", one_of(ids))),
            way_out(format!("another person: contactsd apply --create {key}{again}")),
        ],
        Dispute::Several { ids } => {
            let of = if ids.len() == 1 { "a contact" } else { "more than one contact" };
            vec![
                why(format!("{of} in Apollo may be the same person: {}", listed(ids))),
                way_out(format!("one of them: contactsd import {key} {}{again}", one_of(ids))),
                way_out(format!("none of them: contactsd apply --create {key}{again}")),
            ]
        }
        Dispute::Merged { id, survivor, owner: Some(owner) } => vec![
            why(format!("{} was merged into {}, which belongs to {}", shown(id), shown(survivor), owner.address())),
            way_out(format!("one person: remove the entry from {path}")),
            way_out(format!("two people: contactsd state rm {key}{again}, then contactsd apply --create {key}{again}")),
        ],
        Dispute::Merged { id, survivor, owner: None } => vec![
            why(format!("its contact {} was merged into {}", shown(id), shown(survivor))),
            way_out(format!(
                "the right person: contactsd state rm {key}{again}, then contactsd import {key} {}{again}",
                escape(survivor.as_str())
            )),
            way_out(format!(
                "another person: contactsd state rm {key}{again}, then contactsd apply --create {key}{again}"
            )),
        ],
        Dispute::Gone { id } => vec![
            why(format!("bound to {}, which was deleted in Apollo", shown(id))),
            way_out(format!("to create it again: contactsd apply --recreate {key}{again}")),
            way_out(format!("to stop managing it: remove the entry from {path}")),
        ],
    }
}

/// Returns the id where there is one, and what stands for any of several.
fn one_of(ids: &[ApolloId]) -> Cow<'static, str> {
    if let [id] = ids { escape(id.as_str()).into_owned().into() } else { "ID".into() }
}

/// How many of many contacts are named.
const NAMED: usize = 5;

/// Names contacts, of many the first five.
fn listed(ids: &[ApolloId]) -> String {
    let named = ids.iter().take(NAMED).map(shown).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn contradiction(
    key: &ContactKey,
    bound: &ApolloId,
    declared: &ApolloId,
    owner: Option<&ContactKey>,
    path: &str,
) -> Vec<Note> {
    let again = repeated();
    let belongs = owner.map(|owner| format!(", which belongs to {}", owner.address())).unwrap_or_default();
    let first = owner.map(|owner| format!("contactsd state rm {owner}{again}, then ")).unwrap_or_default();
    let (bound, declared) = (shown(bound), shown(declared));
    vec![
        why(format!("bound to {bound}, but its entry declares apollo_id {declared}{belongs}")),
        way_out(format!("to keep {bound}: remove apollo_id from the entry in {path}")),
        way_out(format!("to take {declared}: {first}contactsd state rm {key}{again}, and apply again")),
    ]
}
