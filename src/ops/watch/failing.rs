//! Entries that failed, each with a pause of its own that grows until it succeeds or is edited.
//!
//! Decides who is tried when; never what failed, and never anything for an entry that has not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ContactKey, Fingerprint, PackedEntry, Timestamp};
use crate::ops::{Ended, ProblemKind, Report};
use crate::plan::{Action, Operation, Plan};
use crate::quota::Backoff;

/// Pauses between two tries of one entry.
const PAUSES: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_mins(5) };

/// An entry that failed and was neither edited nor applied since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    pub key: ContactKey,
    /// What it failed of last.
    pub error: ProblemKind,
    /// How often it has failed in a row.
    pub attempts: u32,
    pub since: Timestamp,
    /// `None` when it waits for a person instead of a time.
    pub next_try: Option<Timestamp>,
}

/// All entries that failed.
#[derive(Debug)]
pub(super) struct FailingEntries {
    by_key: BTreeMap<ContactKey, State>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct State {
    failing: Failing,
    /// What was declared when it failed; `None` when the entry was no longer in the files.
    declared: Option<Fingerprint>,
}

impl FailingEntries {
    pub(super) fn new(seed: u64) -> Self {
        Self { by_key: BTreeMap::new(), random: fastrand::Rng::with_seed(seed) }
    }

    /// Forgets entries that were edited or that the plan leaves as they are; takes those out of the plan whose
    /// time has not come, and puts the others that failed behind those that did not.
    pub(super) fn hold_back(&mut self, plan: &mut Plan, now: Timestamp) {
        let planned: BTreeMap<&ContactKey, &Action> =
            plan.actions.iter().map(|action| (action.key(), action)).collect();
        self.by_key.retain(|key, state| {
            planned.get(key).is_some_and(|action| {
                // What needed a person needs nothing any more once the plan knows something to do.
                declared(action) == state.declared && (state.failing.next_try.is_some() || is_undecided(action))
            })
        });
        for action in plan.actions.iter().filter(|action| is_undecided(action)) {
            if let Some(state) = self.by_key.get_mut(action.key()) {
                // What there is to decide was said when it failed.
                state.failing.next_try = None;
            }
        }
        plan.actions.retain(|action| {
            let state = self.by_key.get(action.key());
            state.is_none_or(|state| state.failing.next_try.is_some_and(|next_try| next_try <= now))
        });
        plan.actions.sort_by_key(|action| self.by_key.contains_key(action.key()));
    }

    /// Takes in how applying `plan` went.
    pub(super) fn note(&mut self, plan: &Plan, report: &Report, now: Timestamp) {
        let failures: BTreeMap<&ContactKey, &ProblemKind> =
            report.failures.iter().map(|(key, error)| (key, error)).collect();
        for action in &plan.actions {
            let Some(error) = failures.get(action.key()) else { continue };
            let known = self.by_key.get(action.key()).map(|state| (state.failing.attempts, state.failing.since));
            let (attempts, since) = known.unwrap_or((0, now));
            let attempts = attempts.saturating_add(1);
            // Between half of the ceiling and all of it: never at once, and never many at the same moment.
            let pause = PAUSES.pause(attempts, f64::midpoint(1.0, self.random.f64()));
            let next_try = (!is_undecided(action)).then(|| now + pause);
            let (key, error) = (action.key().clone(), (*error).clone());
            let failing = Failing { key: key.clone(), error, attempts, since, next_try };
            self.by_key.insert(key, State { failing, declared: declared(action) });
        }
        if report.ended == Ended::Complete && report.remaining == 0 {
            let tried: BTreeSet<&ContactKey> = plan.actions.iter().map(Action::key).collect();
            self.by_key.retain(|key, _| failures.contains_key(key) || !tried.contains(key));
        }
    }

    /// Returns when the first of them is to be tried again.
    pub(super) fn next_try(&self) -> Option<Timestamp> {
        self.by_key.values().filter_map(|state| state.failing.next_try).min()
    }

    pub(super) fn list(&self) -> Vec<Failing> {
        self.by_key.values().map(|state| state.failing.clone()).collect()
    }
}

fn declared(action: &Action) -> Option<Fingerprint> {
    action.entry().map(PackedEntry::fingerprint)
}

/// Reports whether nothing is tried until a person decides.
fn is_undecided(action: &Action) -> bool {
    matches!(action.operation, Operation::Conflict { .. } | Operation::Contradiction { .. })
}
