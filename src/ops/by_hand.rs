//! Plans of commands like `import` and `state rm`, by which a person decides what contactsd does not decide.
//!
//! Only makes plans; they are shown, approved and applied like any other.

use std::collections::BTreeSet;
use std::path::Path;

use crate::model::{ApolloId, Batching, Binding, ContactKey, Entry, Place};
use crate::plan::{Action, Batches, Housekeeping, KeyPattern, Operation, Plan, Policy, Reason, Scope};
use crate::state::Snapshot;

use super::targeting::nearest_key;
use super::{Desired, Forecast, Planned, Problem, ProblemKind};

/// Plans to bind the entry of `key` to contact `id`, whatever was in doubt about it.
pub fn plan_import(
    desired: &Desired,
    snapshot: &Snapshot,
    key: &ContactKey,
    id: &ApolloId,
) -> Result<Planned, Box<Problem>> {
    let Some(entry) = desired.entry(key)? else {
        let nearest = nearest_key(key, &desired.keys()?);
        return Err(ProblemKind::NotDeclared { key: key.clone(), nearest }.into());
    };
    if let Some(named) = entry.apollo_id.as_ref().filter(|named| *named != id) {
        return Err(ProblemKind::NamesAnother { key: key.clone(), named: named.clone() }.into());
    }
    // A contact that was said to be gone may be there after all.
    let is_back = |binding: &&Binding| binding.apollo_id == *id && binding.gone_at.is_some();
    if let Some(binding) = snapshot.bindings.get(key).filter(|binding| !is_back(binding)) {
        return Err(ProblemKind::BoundAlready { key: key.clone(), id: binding.apollo_id.clone() }.into());
    }
    if let Some((owner, _)) =
        snapshot.bindings.iter().find(|(owner, binding)| *owner != key && binding.apollo_id == *id)
    {
        let (id, key, owner) = (id.clone(), key.clone(), owner.clone());
        return Err(ProblemKind::BelongsToAnother { id, key, owner }.into());
    }
    let place = entry.place.clone();
    let operation = Operation::Adopt { id: id.clone(), entry: entry.into(), evidence: None };
    Ok(planned(snapshot, vec![Action { place, reason: Reason::AskedFor, operation }]))
}

/// Plans to stop managing contacts, of a pattern all that are managed; they stay in Apollo as they are.
pub fn plan_removal(snapshot: &Snapshot, keys: &[KeyPattern]) -> Result<Planned, Box<Problem>> {
    let keys = keys.iter().map(|pattern| matching(snapshot, pattern)).collect::<Result<Vec<_>, Box<Problem>>>()?;
    let keys: BTreeSet<ContactKey> = keys.into_iter().flatten().collect();
    let action = |key: &ContactKey| -> Result<Action, Box<Problem>> {
        if let (None, Some(tombstone)) = (snapshot.bindings.get(key), snapshot.tombstones.get(key)) {
            // Only the memory of its contact is left, which a contact deleted in Apollo may be.
            let place = Place { path: Path::new("").into(), key: key.clone() };
            let operation = Operation::Forget { id: tombstone.apollo_id.clone() };
            return Ok(Action { place, reason: Reason::AskedFor, operation });
        }
        let binding = bound(snapshot, key)?;
        let place = place(binding, key);
        let operation = Operation::Forget { id: binding.apollo_id.clone() };
        Ok(Action { place, reason: Reason::AskedFor, operation })
    };
    Ok(planned(snapshot, keys.iter().map(action).collect::<Result<_, Box<Problem>>>()?))
}

/// Returns the keys that a pattern means: the one that it is, or all managed ones that it matches.
fn matching(snapshot: &Snapshot, pattern: &KeyPattern) -> Result<Vec<ContactKey>, Box<Problem>> {
    if let Some(key) = pattern.key() {
        return Ok(vec![key]);
    }
    let keys: Vec<ContactKey> = snapshot.bindings.keys().filter(|key| pattern.matches(key)).cloned().collect();
    if keys.is_empty() { Err(ProblemKind::NothingMatches(pattern.to_string()).into()) } else { Ok(keys) }
}

/// Plans to manage the contact of one key under another, or those of all keys that a pattern with one `*` matches.
pub fn plan_rename(snapshot: &Snapshot, from: &KeyPattern, to: &KeyPattern) -> Result<Planned, Box<Problem>> {
    let unclear = || ProblemKind::UnclearMove { from: from.to_string(), to: to.to_string() };
    let moves: Vec<(ContactKey, ContactKey)> = match (from.key(), to.key()) {
        (Some(from), Some(to)) => vec![(from, to)],
        _ if !from.has_one_star() || !to.has_one_star() => return Err(unclear().into()),
        _ => {
            let keys = matching(snapshot, from)?.into_iter();
            let moved = keys.map(|key| from.translate(&key, to).map(|new| (key, new)));
            moved.collect::<Option<Vec<_>>>().ok_or_else(unclear)?
        }
    };
    let mut actions = moves.iter().map(|(from, to)| rename(snapshot, from, to)).collect::<Result<Vec<_>, _>>()?;
    actions.sort_by(|one, other| one.key().cmp(other.key()));
    Ok(planned(snapshot, actions))
}

fn rename(snapshot: &Snapshot, from: &ContactKey, to: &ContactKey) -> Result<Action, Box<Problem>> {
    let binding = bound(snapshot, from)?;
    if let Some(there) = snapshot.bindings.get(to) {
        return Err(ProblemKind::KeyTaken { key: to.clone(), id: there.apollo_id.clone() }.into());
    }
    let entry = Entry {
        place: place(binding, to),
        fields: binding.applied.clone(),
        run_dedupe: true,
        apollo_id: None,
        moved_from: None,
        ignored: [].into(),
    };
    let place = entry.place.clone();
    let (from, id, changes) = (from.clone(), binding.apollo_id.clone(), Vec::new());
    let operation = Operation::Move { from, id, entry: entry.into(), changes };
    Ok(Action { place, reason: Reason::AskedFor, operation })
}

/// Checks that what a person decided about single keys is what the plan waits for: nothing else is ever created twice.
pub fn check_decisions(plan: &Plan, policy: &Policy) -> Result<(), Box<Problem>> {
    let is_planned = |key: &ContactKey, reasons: [Reason; 2]| {
        let of_key = plan.actions.iter().find(|action| action.key() == key);
        of_key.is_some_and(|action| reasons.contains(&action.reason))
    };
    if let Some(key) = policy.recreate.iter().find(|key| !is_planned(key, [Reason::Recreate, Reason::CreateUnanswered]))
    {
        return Err(ProblemKind::NotGone(key.clone()).into());
    }
    if let Some(key) = policy.create.iter().find(|key| !is_planned(key, [Reason::AskedFor; 2])) {
        return Err(ProblemKind::NotToCreate(key.clone()).into());
    }
    Ok(())
}

fn bound<'a>(snapshot: &'a Snapshot, key: &ContactKey) -> Result<&'a Binding, Box<Problem>> {
    let unknown = || {
        let nearest = nearest_key(key, snapshot.bindings.keys());
        ProblemKind::NotInState { key: key.clone(), nearest }.into()
    };
    snapshot.bindings.get(key).ok_or_else(unknown)
}

fn place(binding: &Binding, key: &ContactKey) -> Place {
    Place { path: Path::new(&binding.path).into(), key: key.clone() }
}

fn planned(snapshot: &Snapshot, actions: Vec<Action>) -> Planned {
    let plan = Plan {
        lineage: snapshot.lineage.clone(),
        serial: snapshot.serial,
        actions,
        scope: Scope::default(),
        unchanged: 0,
        refreshed: false,
        brakes: Vec::new(),
        dropped: Vec::new(),
        housekeeping: Housekeeping::default(),
    };
    let batches = Batches::of(&plan.actions, Batching::ALONE);
    let forecast = Forecast { requests: batches.requests(), up_to: batches.up_to(), ..Forecast::default() };
    Planned { plan, digest: None, forecast, left_out: 0, names: crate::model::Glossary::default() }
}
