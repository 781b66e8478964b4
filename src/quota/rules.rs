//! How many requests a window allows us, by what Apollo has told and what the user decided.

use std::time::Duration;

use super::window::{Limits, Span, WindowLimit};

/// Requests per hour that are assumed while neither Apollo nor the user has named a limit.
pub(super) const ASSUMED_PER_HOUR: u64 = 600;

/// Longest pause that an answer other than 429 can ask for.
///
/// A server that is down for longer may be up sooner than it thought; one request an hour is no burden.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// What the user decided about quota.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub limits: Limits,
    /// Share of each window, in percent, that is left to others.
    pub reserve_percent: u8,
}

impl Rules {
    /// Reports whether the limits are our own assumption, since nobody has told any.
    pub(super) fn are_assumed(&self, told: [WindowLimit; 3]) -> bool {
        told == [WindowLimit::Unknown; 3] && self.limits == Limits::default()
    }

    /// Returns how many requests a window allows us, what is left to others taken off; `told` is what Apollo allows.
    pub(super) fn allow(&self, span: Span, told: [WindowLimit; 3]) -> Option<u64> {
        let allowed = match told[span as usize] {
            WindowLimit::Requests(limit) => Some(limit),
            WindowLimit::Unknown if span == Span::Hour && self.are_assumed(told) => Some(ASSUMED_PER_HOUR),
            WindowLimit::Unknown | WindowLimit::Unlimited => None,
        };
        let limit = allowed.into_iter().chain(self.limits.0[span as usize]).min()?;
        let reserved = (limit * u64::from(self.reserve_percent)).div_ceil(100);
        // A reserve that leaves nothing would wait for ever.
        Some((limit - reserved.min(limit)).max(1))
    }
}
