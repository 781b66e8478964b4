//! Whether a service lives, and whether it gets its work done; values in, verdicts out.

use std::time::Duration;

use crate::model::Timestamp;

use super::watch::{Outcome, Phase, StandingBy, Status, Trouble};

/// How long after a pass was due the loop counts as stuck, beside the time it may rest at most.
const GRACE: Duration = Duration::from_mins(1);

/// How long a pass may show no progress: reading a large directory tells nothing on its way.
const LONGEST_SILENCE: Duration = Duration::from_mins(10);

/// Passes that may fail to be good one after the other before the service is not ready, as a time.
const STALE_PASSES: u32 = 3;

/// A service whose resync is short is given at least this long.
const SHORTEST_STALE: Duration = Duration::from_mins(15);

/// Whether the loop of a service comes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Alive,
    /// A pass was due then, and none began.
    Overdue {
        since: Timestamp,
    },
    /// A pass has shown no progress since then.
    Silent {
        since: Timestamp,
    },
}

/// Whether passes succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    Ready {
        last_good_pass: Timestamp,
    },
    /// No pass was good so far; how the last one ended.
    NotYet {
        last: Option<Outcome>,
    },
    /// The last successful pass is too long ago; how the last one ended.
    Stale {
        last_good_pass: Timestamp,
        last: Option<Outcome>,
    },
    Troubled(Trouble),
    /// Another process does the work, and this one takes over when that is gone.
    StandsBy(StandingBy),
    Paused {
        since: Timestamp,
    },
}

impl Health {
    /// Judges by the board and the last thing that was heard of the service.
    ///
    /// Clocks that were set make the loop late by no more than it rests at most.
    pub fn of(status: &Status, last_heard: Timestamp, now: Timestamp) -> Self {
        match status.phase {
            Phase::Resting | Phase::StandingBy => match status.next_pass {
                Some(due) if now.since(due) > status.resync.saturating_add(GRACE) => Self::Overdue { since: due },
                _ => Self::Alive,
            },
            Phase::Passing if now.since(last_heard) > LONGEST_SILENCE => Self::Silent { since: last_heard },
            Phase::Opening | Phase::Passing | Phase::Paused | Phase::Ending => Self::Alive,
        }
    }
}

impl Readiness {
    pub fn of(status: &Status, now: Timestamp) -> Self {
        let last = status.last_pass.as_ref().map(|pass| pass.outcome);
        let stale_after = status.resync.saturating_mul(STALE_PASSES).max(SHORTEST_STALE);
        if let (None, Some(standing_by)) = (status.paused_since, &status.standing_by) {
            return Self::StandsBy(standing_by.clone());
        }
        match (status.paused_since, &status.trouble, status.last_good_pass) {
            (Some(since), ..) => Self::Paused { since },
            (_, Some(trouble), _) => Self::Troubled(trouble.clone()),
            (.., None) => Self::NotYet { last },
            // A pass under way may be long, and shows by its progress whether it lives.
            (.., Some(last_good_pass)) if status.phase != Phase::Passing && now.since(last_good_pass) > stale_after => {
                Self::Stale { last_good_pass, last }
            }
            (.., Some(last_good_pass)) => Self::Ready { last_good_pass },
        }
    }

    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. } | Self::StandsBy(_))
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
