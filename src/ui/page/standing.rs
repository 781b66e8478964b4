//! What matters most about a service at the moment: one thing out of all that its board holds.
//!
//! Values in, a value out; what it is called is the concern of `words`.

use crate::model::Timestamp;
use crate::ops::watch::{Braked, LastLoad, Outcome, Phase, StandingBy, Status, Trouble};
use crate::ops::{Health, Readiness};
use crate::quota::Outlook;

/// How a service stands, in the order in which one hides those below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing<'a> {
    /// The loop does not come round: since when a pass is due, or shows no progress.
    Overdue(Timestamp),
    Silent(Timestamp),
    Ending,
    Paused(Timestamp),
    /// Another process does the work.
    StandsBy(&'a StandingBy),
    Troubled(&'a Trouble),
    /// The files cannot be used.
    Refused(&'a LastLoad),
    Held(&'a Braked),
    /// The last successful pass is long ago; how the last one ended.
    Stale(Timestamp, Outcome),
    /// No pass was good so far; how the last one ended.
    Begins(Option<Outcome>),
    /// Single entries fail: so many, and so many of them until a person does something.
    Failing {
        all: usize,
        for_person: usize,
    },
    /// So many actions wait for quota until then.
    WaitsForQuota {
        to_do: usize,
        until: Option<Timestamp>,
    },
    /// The service only plans.
    OnlyPlans {
        to_do: usize,
    },
    Works {
        to_do: usize,
    },
    InStep,
}

/// How much a standing is worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// Nothing is wrong, and not all is done.
    Busy,
    /// A person is waited for.
    Attention,
    Bad,
}

impl<'a> Standing<'a> {
    pub(crate) fn of(status: &'a Status, health: Health, now: Timestamp) -> Self {
        match health {
            Health::Overdue { since } => return Self::Overdue(since),
            Health::Silent { since } => return Self::Silent(since),
            Health::Alive if status.phase == Phase::Ending => return Self::Ending,
            Health::Alive => {}
        }
        let last = status.last_pass.as_ref().map(|pass| pass.outcome);
        match (Readiness::of(status, now), &status.trouble, &status.standing_by) {
            (Readiness::Paused { since }, ..) => return Self::Paused(since),
            (Readiness::StandsBy(_), _, Some(standing_by)) => return Self::StandsBy(standing_by),
            (Readiness::Troubled(_), Some(trouble), _) => return Self::Troubled(trouble),
            _ => {}
        }
        if let (Some(Outcome::Refused), Some(load)) = (last, &status.last_load) {
            return Self::Refused(load);
        }
        if let Some(braked) = &status.braked {
            return Self::Held(braked);
        }
        match Readiness::of(status, now) {
            Readiness::Stale { last_good_pass, last: Some(last) } => return Self::Stale(last_good_pass, last),
            Readiness::NotYet { last } => return Self::Begins(last),
            _ => {}
        }
        let all = status.failing.len();
        if all > 0 {
            let for_person = status.failing.iter().filter(|failing| failing.next_try.is_none()).count();
            return Self::Failing { all, for_person };
        }
        let to_do = to_do(status);
        match last {
            _ if to_do == 0 => Self::InStep,
            Some(Outcome::WaitsForQuota) if status.phase == Phase::Resting => {
                Self::WaitsForQuota { to_do, until: quota_opens(status) }
            }
            Some(Outcome::OnlyPlanned) => Self::OnlyPlans { to_do },
            _ => Self::Works { to_do },
        }
    }

    pub(crate) fn mood(&self) -> Mood {
        match self {
            Self::Overdue(_) | Self::Silent(_) | Self::Troubled(_) | Self::Refused(_) | Self::Stale(..) => Mood::Bad,
            Self::Paused(_) | Self::Held(_) | Self::Failing { .. } => Mood::Attention,
            Self::Ending
            | Self::StandsBy(_)
            | Self::Begins(_)
            | Self::WaitsForQuota { .. }
            | Self::OnlyPlans { .. }
            | Self::Works { .. } => Mood::Busy,
            Self::InStep => Mood::Good,
        }
    }
}

/// Tells when the first kind of request whose quota is used up is allowed again.
fn quota_opens(status: &Status) -> Option<Timestamp> {
    let opens = |windows: &[Outlook; 3]| {
        windows.iter().filter(|outlook| outlook.left == Some(0)).filter_map(|outlook| outlook.resets_at).max()
    };
    status.quota.values().filter_map(opens).min()
}

/// Counts the actions that are to be done and wait neither for a next try nor for the time to forget.
pub(super) fn to_do(status: &Status) -> usize {
    status.pending.saturating_sub(status.failing.len() + status.waiting.len())
}
