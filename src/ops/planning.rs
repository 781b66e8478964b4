//! From files and state to a plan, its digest and its forecast.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ConflictCause, ContactKey, Digest, Endpoint, Glossary, Names, Timestamp};
use crate::plan::{self, Batches, Creates, Input, OneEach, Plan, Policy};
use crate::quota::{Ledger, Rules};
use crate::state::Snapshot;

use super::{Desired, LoadError, Problem, ProblemKind};

/// A plan with what is shown beside it.
#[derive(Debug, Clone)]
pub struct Planned {
    pub plan: Plan,
    /// Names exactly this plan of exactly these files; `None` for one that was asked for by hand.
    pub digest: Option<Digest>,
    pub forecast: Forecast,
    /// Actions left out, because another process is at work on their contacts right now.
    pub left_out: usize,
    /// What the ids of stages and custom fields in the plan stand for, as far as it is known.
    pub names: Glossary,
}

impl Planned {
    /// Lists what should be known beside the plan.
    pub fn warnings(&self) -> Vec<Problem> {
        let targeted = (!self.plan.scope.is_whole()).then(|| ProblemKind::Targeted.into());
        let dropped = self.plan.dropped.iter().map(|(place, field)| {
            let field = field.clone();
            ProblemKind::StillDropped(field.clone()).at(place, Some(&field))
        });
        targeted.into_iter().chain(dropped).collect()
    }
}

/// What applying a plan will take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Requests by endpoint, at most.
    pub requests: BTreeMap<Endpoint, usize>,
    /// The kinds of which fewer may be sent, by what Apollo turns out to hold.
    #[serde(default)]
    pub up_to: BTreeSet<Endpoint>,
    /// How long the quota windows make it take; zero when they do not.
    pub duration: Duration,
    /// Whether it takes that long only where fewer would do.
    #[serde(default)]
    pub at_most: bool,
    /// Whether limits are assumed, since nobody has told any.
    pub assumed: bool,
    /// The kinds of requests whose limits are assumed; empty as well in plans that were saved before it was kept.
    #[serde(default)]
    pub assumed_for: BTreeSet<Endpoint>,
    /// How new contacts go out.
    #[serde(default)]
    pub creates: Creates,
    /// The contacts that take a request of their own where others share theirs, by why.
    #[serde(default)]
    pub one_each: BTreeMap<OneEach, usize>,
}

/// Plans what brings Apollo in step with `desired`; a function of its arguments alone.
///
/// Fails only when entries that differ have to be read again and their files are no longer as they were.
pub fn plan(
    desired: &Desired,
    snapshot: &Snapshot,
    policy: &Policy,
    rules: &Rules,
    now: Timestamp,
) -> Result<Planned, LoadError> {
    plan_beside(desired, snapshot, &BTreeSet::new(), policy, rules, now)
}

/// Plans while another process applies, which is at work on the keys `under_way`.
pub fn plan_beside(
    desired: &Desired,
    snapshot: &Snapshot,
    under_way: &BTreeSet<ContactKey>,
    policy: &Policy,
    rules: &Rules,
    now: Timestamp,
) -> Result<Planned, LoadError> {
    let (plan, left_out) = plan::plan_beside(&input(desired, snapshot)?, under_way, policy);
    let digest = Some(plan.digest(&snapshot.origin, &desired.digest));
    let forecast = forecast(&plan, snapshot, rules, now);
    let names = names(&plan, desired, snapshot);
    Ok(Planned { plan, digest, forecast, left_out, names })
}

/// Tells what the ids in a plan stand for.
fn names(plan: &Plan, desired: &Desired, snapshot: &Snapshot) -> Glossary {
    let read = desired.names().map(|names| Names::clone(names)).unwrap_or_default();
    let known = read.updated_by(snapshot.names.clone());
    let mut glossary = Glossary::default();
    if known.stages.is_none() && known.fields.is_none() {
        return glossary;
    }
    for action in &plan.actions {
        if let Some(entry) = action.entry() {
            known.explain(entry.unpack().fields.iter(), &mut glossary);
        }
        let changes = action.operation.changes().iter();
        known.explain(changes.filter_map(|change| Some((&change.field, change.before.as_ref()?))), &mut glossary);
    }
    glossary
}

fn input(desired: &Desired, snapshot: &Snapshot) -> Result<Input, LoadError> {
    let others = snapshot.conflicts.values().filter_map(|conflict| match &conflict.cause {
        ConflictCause::Collision { other, .. } => Some(other),
        ConflictCause::Stranger
        | ConflictCause::UnseenMatch
        | ConflictCause::Namesakes { .. }
        | ConflictCause::Several { .. } => None,
    });
    let mut declared_now = BTreeMap::new();
    for other in others {
        declared_now.extend(desired.fingerprint(other)?.map(|fingerprint| (other.clone(), fingerprint)));
    }
    Ok(Input {
        entries: desired.entries_at_rest(snapshot.bindings.keys().chain(&snapshot.unbound))?,
        bindings: snapshot.bindings.clone(),
        unchanged: snapshot.unchanged,
        refreshed: snapshot.refreshed,
        intents: snapshot.intents.clone(),
        conflicts: snapshot.conflicts.clone(),
        tombstones: snapshot.tombstones.clone(),
        owners: snapshot.owners.clone(),
        found: snapshot.found.clone(),
        declared_now,
        lineage: snapshot.lineage.clone(),
        serial: snapshot.serial,
        identity_key: snapshot.identity_key,
    })
}

fn forecast(plan: &Plan, snapshot: &Snapshot, rules: &Rules, now: Timestamp) -> Forecast {
    let batching = rules.batching.knowing(snapshot.bulk_create);
    let batches = Batches::of(&plan.actions, batching);
    let (requests, up_to, creates) = (batches.requests(), batches.up_to(), batches.creation());
    let one_each = plan::one_each(&plan.actions, batching);
    let ledgers = |endpoint: &Endpoint| {
        // A ledger that cannot be read counts as none: the first answer tells again.
        snapshot.quota.get(endpoint).and_then(|text| Ledger::load(text).ok()).unwrap_or_default()
    };
    let each: Vec<_> =
        requests.iter().map(|(&endpoint, &count)| (endpoint, ledgers(&endpoint), count as u64)).collect();
    let times = each.iter().map(|(endpoint, ledger, count)| {
        // Of two that take as long, the one that is sure counts.
        (ledger.forecast(*count, now, rules), !up_to.contains(endpoint))
    });
    let (duration, is_sure) = times.max().unwrap_or((Duration::ZERO, true));
    let assumed_for: BTreeSet<_> =
        each.iter().filter(|(_, ledger, _)| ledger.is_assumed(rules)).map(|(endpoint, ..)| *endpoint).collect();
    Forecast {
        duration,
        at_most: !is_sure,
        assumed: !assumed_for.is_empty(),
        assumed_for,
        up_to,
        requests,
        creates,
        one_each,
    }
}
