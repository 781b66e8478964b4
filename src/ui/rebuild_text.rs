//! What `state rebuild` found: which entries will be bound to which contacts and why, and which will not.

use std::fmt::Write as _;

use super::amounts::{count, counted};
use super::escape::escape;
use super::json::{OpenEntry, OpenReason, RebuiltEntry, Record, StateRebuild, StepOutcome};
use super::words::account::unseen;
use crate::model::{ApolloId, ContactKey, Place, RebuiltBy};
use crate::ops::{Pair, Rebuild, WhyOpen};

/// How many of one kind are named before the rest is counted, where nobody has to look at each.
const NAMED: usize = 10;

/// How many ids are named where several contacts could be an entry.
const IDS_NAMED: usize = 5;

/// Shows what will be bound and what not; all of it if `full`, else of those who are certain the first ones.
pub fn rebuild_text(rebuild: &Rebuild, full: bool, command: &dyn Fn(&str) -> String) -> String {
    let mut text = String::new();
    if !rebuild.pairs.is_empty() {
        text += "These entries will be bound to contacts that Apollo has:\n";
    }
    for (by, title, is_certain) in [
        (RebuiltBy::Id, "by their apollo_id", true),
        (RebuiltBy::Email, "by their e-mail, which exactly one contact has", true),
        (RebuiltBy::Names, "by their name, which exactly one contact at the company or with the e-mail has", false),
        (RebuiltBy::Fields, "by their name and all other declared fields, which exactly one contact has", false),
    ] {
        let pairs: Vec<&Pair> = rebuild.pairs.iter().filter(|pair| pair.by == by).collect();
        if pairs.is_empty() {
            continue;
        }
        let look = if is_certain { "" } else { ". Compare them with Apollo before you approve" };
        let _ = writeln!(text, "\n  {} {title}{look}:", count(pairs.len()));
        let named = if is_certain && !full { NAMED } else { pairs.len() };
        for pair in pairs.iter().take(named) {
            let _ = writeln!(text, "    {} = {}{}", pair.place.key.address(), pair.id, differ(pair));
        }
        text += &rest(pairs.len(), named, "    ");
    }
    if !rebuild.open.is_empty() {
        text += if text.is_empty() { "" } else { "\n" };
        text += "These entries are not bound:\n\n";
    }
    let (nobody, open): (Vec<_>, Vec<_>) = rebuild.open.iter().partition(|(_, why)| matches!(why, WhyOpen::Nobody));
    for (place, why) in open {
        let _ = writeln!(text, "  {}: {}", place.key.address(), why_text(&place.key, why, command));
    }
    let named = if full { nobody.len() } else { NAMED };
    for (place, why) in nobody.iter().take(named) {
        let _ = writeln!(text, "  {}: {}", place.key.address(), why_text(&place.key, why, command));
    }
    text += &rest(nobody.len(), named, "  ");
    let _ = write!(text, "{}{}", if text.is_empty() { "" } else { "\n" }, summary(rebuild));
    text
}

/// Counts: `Rebuild: 4 to bind (3 by id, 1 by e-mail, 0 by name or more), 1 not bound, 0 bound before.`
fn summary(rebuild: &Rebuild) -> String {
    let by = |wanted: &[RebuiltBy]| count(rebuild.pairs.iter().filter(|pair| wanted.contains(&pair.by)).count());
    format!(
        "Rebuild: {} to bind ({} by id, {} by e-mail, {} by name and more), {} not bound, {} bound before.",
        count(rebuild.pairs.len()),
        by(&[RebuiltBy::Id]),
        by(&[RebuiltBy::Email]),
        by(&[RebuiltBy::Names, RebuiltBy::Fields]),
        count(rebuild.open.len()),
        count(rebuild.bound)
    )
}

/// Says that the state is written, and what the next plan shows.
pub fn rebuilt_text(rebuilt: usize, differing: usize, command: &dyn Fn(&str) -> String) -> String {
    let are = if rebuilt == 1 { "entry is" } else { "entries are" };
    let differ = match differing {
        0 => "Apollo shows all of them as they are declared.".to_owned(),
        1 => format!("1 of them has fields that Apollo does not show as declared: `{}` shows them.", command("plan")),
        many => {
            format!(
                "{} of them have fields that Apollo does not show as declared: `{}` shows them.",
                count(many),
                command("plan")
            )
        }
    };
    format!("{} {are} bound. Nothing was sent to Apollo. {differ}", count(rebuilt))
}

/// The same for programs: what is about to be done, was, or is not to be done.
pub fn rebuild_record(message: &str, outcome: StepOutcome, rebuild: &Rebuild) -> Record<'static> {
    let bound = |pair: &Pair| RebuiltEntry {
        key: pair.place.key.as_str().to_owned(),
        address: pair.place.key.address(),
        apollo_id: pair.id.to_string(),
        found_by: pair.by.into(),
        differ: pair.differ.iter().map(ToString::to_string).collect(),
    };
    let open = |(place, why): &(Place, WhyOpen)| {
        let (reason, ids) = facts(why);
        OpenEntry {
            key: place.key.as_str().to_owned(),
            address: place.key.address(),
            reason,
            apollo_ids: ids.into_iter().map(ToString::to_string).collect(),
        }
    };
    Record::state_rebuild(
        message,
        StateRebuild {
            outcome,
            bound_before: rebuild.bound,
            bound: rebuild.pairs.iter().map(bound).collect(),
            open: rebuild.open.iter().map(open).collect(),
        },
    )
}

fn differ(pair: &Pair) -> String {
    if pair.differ.is_empty() {
        return String::new();
    }
    let names: Vec<String> = pair.differ.iter().map(ToString::to_string).collect();
    format!(" (to be sent: {})", names.join(", "))
}

fn rest(all: usize, named: usize, indent: &str) -> String {
    let more = all.saturating_sub(named);
    if more == 0 { String::new() } else { format!("{indent}and {} more; --full shows all\n", count(more)) }
}

fn why_text(key: &ContactKey, why: &WhyOpen, command: &dyn Fn(&str) -> String) -> String {
    let import = |id: &dyn std::fmt::Display| format!("`{}`", command(&format!("import {key} {id}")));
    match why {
        WhyOpen::Nobody => "no contact in Apollo is similar. The next apply creates it.".to_owned(),
        WhyOpen::Similar(found) => format!(
            "no contact in Apollo is certainly the same person; {} similar: {}. If it is one of them: {}",
            if found.len() == 1 { "1 contact is".to_owned() } else { format!("{} contacts are", count(found.len())) },
            ids(found),
            import(&"ID")
        ),
        WhyOpen::Several(found) => {
            format!(
                "{} may be the same person: {}. To decide: {}",
                counted(found.len(), "contact"),
                ids(found),
                import(&"ID")
            )
        }
        WhyOpen::Shared { id, others } => {
            let others: Vec<String> = others.iter().take(IDS_NAMED).map(ContactKey::address).collect();
            format!("{id} may belong to this entry or to {}. To decide: {}", others.join(", "), import(id))
        }
        WhyOpen::Owned { id, owner } => format!(
            "{id} may be the same person and belongs to {}. To give it to this entry: `{}`, then {}",
            owner.address(),
            command(&format!("state rm {owner}")),
            import(id)
        ),
        WhyOpen::NameAlone(id) => {
            format!("{id} has its name, but nothing else shows that it is the same person. If it is: {}", import(id))
        }
        WhyOpen::NotEverybody => {
            "not all contacts in Apollo could be read, so there may be another similar one.".to_owned()
        }
        WhyOpen::Gone(id) => {
            format!("Apollo says that its apollo_id {id} does not exist. Correct or remove it.")
        }
        WhyOpen::Merged { id, survivor } => {
            format!("its apollo_id {id} was merged into {survivor} in Apollo. Correct it.")
        }
        WhyOpen::Unseen { id, why } => format!("its apollo_id {id} could not be read: {}", escape(&unseen(why))),
        WhyOpen::Waits => {
            format!(
                "it waits for a decision, or a request for it was not answered: `{}`",
                command(&format!("why {key}"))
            )
        }
        WhyOpen::Returns => "the next apply binds it to the contact that it had.".to_owned(),
    }
}

fn ids(found: &[ApolloId]) -> String {
    let named: Vec<&str> = found.iter().take(IDS_NAMED).map(ApolloId::as_str).collect();
    let more = found.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {} more", count(more)) };
    format!("{}{more}", named.join(", "))
}

fn facts(why: &WhyOpen) -> (OpenReason, Vec<&ApolloId>) {
    match why {
        WhyOpen::Nobody => (OpenReason::Nobody, Vec::new()),
        WhyOpen::Similar(ids) => (OpenReason::Similar, ids.iter().collect()),
        WhyOpen::Several(ids) => (OpenReason::Several, ids.iter().collect()),
        WhyOpen::Shared { id, others: _ } => (OpenReason::Shared, vec![id]),
        WhyOpen::Owned { id, owner: _ } => (OpenReason::Owned, vec![id]),
        WhyOpen::NameAlone(id) => (OpenReason::NameAlone, vec![id]),
        WhyOpen::NotEverybody => (OpenReason::NotEverybody, Vec::new()),
        WhyOpen::Gone(id) => (OpenReason::Gone, vec![id]),
        WhyOpen::Merged { id, survivor } => (OpenReason::Merged, vec![id, survivor]),
        WhyOpen::Unseen { id, why: _ } => (OpenReason::Unseen, vec![id]),
        WhyOpen::Waits => (OpenReason::Waits, Vec::new()),
        WhyOpen::Returns => (OpenReason::Returns, Vec::new()),
    }
}
