//! Counts, costs and limits of a plan or an apply as JSON.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Endpoint;
use crate::ops::{Ended, Planned, Report};
use crate::plan::{Counts, Creates, OneEach};

/// What the numbers of a summary are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationName {
    /// What would be done.
    Plan,
    /// What was done.
    Apply,
}

/// How many contacts there are of each kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changes {
    pub add: usize,
    pub change: usize,
    pub import: usize,
    /// Always zero: Apollo has no call that deletes a contact.
    pub remove: usize,
    pub forget: usize,
    /// Moves that change no field.
    #[serde(rename = "move")]
    pub moved: usize,
    /// Actions that only stop managing fields.
    pub release: usize,
    pub settle: usize,
    pub operation: OperationName,
}

impl From<&Counts> for Changes {
    fn from(counts: &Counts) -> Self {
        let Counts { import, add, change, forget, moved, release, settle, undecided: _ } = *counts;
        Self { add, change, import, remove: 0, forget, moved, release, settle, operation: OperationName::Plan }
    }
}

impl From<&Report> for Changes {
    fn from(report: &Report) -> Self {
        let Report { imported, added, forgotten, moved, released, settled, .. } = *report;
        Self {
            add: added,
            change: report.updated(),
            import: imported,
            remove: 0,
            forget: forgotten,
            moved,
            release: released,
            settle: settled,
            operation: OperationName::Apply,
        }
    }
}

/// What a plan is, beside its actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanFacts {
    /// Names exactly this plan of exactly these files; absent for one that was asked for by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The id of the state's life; null before its first write.
    pub lineage: Option<String>,
    /// Counts the writes of the state that change what is managed.
    pub serial: u64,
    /// Declared contacts that need nothing.
    pub unchanged: usize,
    /// Entries that need a person.
    pub undecided: usize,
    /// Actions left out, because another process is at work on their contacts right now.
    pub left_out: usize,
}

impl From<&Planned> for PlanFacts {
    fn from(planned: &Planned) -> Self {
        let plan = &planned.plan;
        Self {
            digest: planned.digest.as_ref().map(ToString::to_string),
            lineage: (!plan.lineage.0.is_empty() && plan.serial.0 > 0).then(|| plan.lineage.0.clone()),
            serial: plan.serial.0,
            unchanged: plan.unchanged,
            undecided: plan.counts().undecided,
            left_out: planned.left_out,
        }
    }
}

/// How an apply went, beside its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outcome {
    /// Whether everything that was planned is done.
    pub complete: bool,
    pub failed: usize,
    /// Actions not begun, because the run ended before their turn.
    pub remaining: usize,
    pub ended: End,
}

/// Why an apply came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum End {
    /// Everything had its turn.
    Finished,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// Nothing further could be done, for example because the credential was refused.
    Fatal,
    /// The next quota window is further away than `--max-wait` allows.
    QuotaExhausted { endpoint: Endpoint, resume_in_seconds: u64 },
    /// Requests of a kind failed for longer than is waited for.
    Outage { endpoint: Endpoint, seconds: u64 },
    /// A pass of `watch` made way for the next one.
    Yielded,
}

impl From<&Report> for Outcome {
    fn from(report: &Report) -> Self {
        let ended = match &report.ended {
            Ended::Complete => End::Finished,
            Ended::Interrupted => End::Interrupted,
            Ended::Terminated => End::Terminated,
            Ended::Fatal => End::Fatal,
            Ended::Yielded => End::Yielded,
            Ended::QuotaExhausted { endpoint, wait } => {
                End::QuotaExhausted { endpoint: *endpoint, resume_in_seconds: seconds(*wait) }
            }
            Ended::Outage { endpoint, lasted, .. } => End::Outage { endpoint: *endpoint, seconds: lasted.as_secs() },
        };
        Self { complete: report.is_complete(), failed: report.failed, remaining: report.remaining, ended }
    }
}

/// Rounds a wait up to whole seconds, so that it is never too short.
pub(super) fn seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// What applying a plan takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Forecast {
    /// Requests by endpoint, at most.
    pub requests: BTreeMap<Endpoint, usize>,
    /// The kinds of which fewer may be sent, by what Apollo turns out to hold: nothing is written to a contact that is
    /// imported and stands as it is declared.
    pub up_to: BTreeSet<Endpoint>,
    /// How long the quota makes it take, if all of these requests are sent; zero when it does not.
    pub seconds: u64,
    /// Whether the limits are assumed, since Apollo has not told any yet.
    pub assumed: bool,
    /// The kinds of requests whose limits are assumed.
    pub assumed_for: BTreeSet<Endpoint>,
    /// How new contacts go out.
    pub creates: Creates,
    /// The contacts that take a request of their own where others share theirs, by the first reason that each has.
    pub one_each: BTreeMap<OneEach, usize>,
}

impl From<&crate::ops::Forecast> for Forecast {
    fn from(forecast: &crate::ops::Forecast) -> Self {
        let crate::ops::Forecast { requests, up_to, duration, at_most: _, assumed, assumed_for, creates, one_each } =
            forecast;
        Self {
            requests: requests.clone(),
            up_to: up_to.clone(),
            seconds: seconds(*duration),
            assumed: *assumed,
            assumed_for: assumed_for.clone(),
            creates: *creates,
            one_each: one_each.clone(),
        }
    }
}
