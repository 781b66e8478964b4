//! The account of one endpoint action over its three windows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

use super::pool::Standing;
use super::rules::LONGEST_PAUSE;
use super::window::{Glimpse, Window};
use super::{Pool, Reading, Rules, Span};

/// Requests sent, answered and still allowed, for one endpoint action.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    windows: [Window; 3],
    /// Whether an answer has told the limits, or has shown that answers do not tell them.
    learned: bool,
    /// No request goes out before this; set by a 429, or by another answer that asks to wait.
    paused_until: Option<Timestamp>,
    /// The window that the 429 was about; `None` where no window is used up.
    #[serde(default)]
    paused_by: Option<Span>,
    #[serde(skip)]
    unanswered: u64,
}

/// What one window allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    pub window: Span,
    /// Requests it allows us, what is left to others taken off; `None` when nobody has named a limit.
    pub limit: Option<u64>,
    /// Requests that may still go out in it; `None` without a limit.
    pub left: Option<u64>,
    /// When it closes and all is allowed again; `None` when it is not known to be open.
    pub resets_at: Option<Timestamp>,
}

/// Leave to send one request; handed back with its answer.
#[derive(Debug)]
#[must_use = "a permit that is not handed back counts as a request under way for good"]
pub struct Permit {
    windows: [Glimpse; 3],
    /// The slice of a pool that it is of; 0 where none is drawn.
    pub slice: u64,
}

/// Whether a request may go out now.
#[derive(Debug)]
pub enum Admission {
    Go(Permit),
    /// Not before this much time has passed: this window is used up, or Apollo asked for a pause.
    Wait(Duration, Option<Span>),
    /// Not before one of the requests under way is answered.
    WaitForAnswer,
}

/// What became of a request that Apollo refused with 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// This window is used up; nothing of the action goes out before it resets.
    WindowUsedUp(Span, Duration),
    /// Every window has room by the answer's own headers: back off shortly and try again.
    Stray,
}

impl Ledger {
    /// Reads a ledger that was saved; what was under way then counts as spent.
    pub fn load(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Writes the ledger for the state; requests under way are counted as spent, since they may be.
    pub fn save(&self) -> String {
        let mut saved = self.clone();
        for window in &mut saved.windows {
            window.counted += self.unanswered;
        }
        serde_json::to_string(&saved).expect("a ledger is plain numbers")
    }

    /// Decides whether a request may go out at `now`.
    pub fn admit(&mut self, now: Timestamp, rules: &Rules) -> Admission {
        self.expire(now);
        if !self.learned && self.unanswered > 0 {
            return Admission::WaitForAnswer;
        }
        if let Some(until) = self.paused_until {
            return Admission::Wait(until.since(now), self.paused_by);
        }
        let mut wait = None;
        for (span, window) in Span::ALL.into_iter().zip(&self.windows) {
            let Some(limit) = self.limit(span, rules) else { continue };
            if window.counted >= limit {
                wait = wait.max(Some((window.resets_in(span, now), span)));
            } else if window.counted + self.unanswered >= limit {
                return Admission::WaitForAnswer;
            }
        }
        if let Some((wait, span)) = wait {
            return Admission::Wait(wait, Some(span));
        }
        Admission::Go(self.go(0))
    }

    /// Gives leave that was granted elsewhere.
    pub fn go(&mut self, slice: u64) -> Permit {
        self.unanswered += 1;
        Permit { windows: self.windows.each_ref().map(Window::glimpse), slice }
    }

    /// Shows what a pool holds, whose clock says `theirs` while ours says `now`; what is under way counts there.
    pub fn mirror(&mut self, pool: &Pool, theirs: Timestamp, now: Timestamp) {
        let (windows, paused_for, paused_by) = pool.standing(theirs);
        for (window, Standing { limit, counted, open_for }) in self.windows.iter_mut().zip(windows) {
            window.show(limit, counted.saturating_sub(self.unanswered), open_for, now);
        }
        self.learned = true;
        self.paused_until = (!paused_for.is_zero()).then(|| now + paused_for);
        self.paused_by = paused_by;
    }

    /// Takes in an answer other than 429.
    pub fn answered(&mut self, permit: Permit, readings: &[Reading; 3], now: Timestamp) {
        self.learned = true;
        self.learn(permit, readings, now);
    }

    /// Notes that no answer came; the request may have been counted.
    pub fn lost(&mut self, permit: Permit, now: Timestamp) {
        self.learn(permit, &[Reading::default(); 3], now);
    }

    /// Notes that the request never left, so it was not counted.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is handed back once")]
    pub fn unsent(&mut self, permit: Permit) {
        let Permit { .. } = permit;
        self.unanswered -= 1;
    }

    /// Takes in a 429 and says what it means.
    ///
    /// The window that is used up is the one `retry_after` or an answer's "requests left: 0" points
    /// at, else the shortest that the headers do not prove to have room.
    pub fn rejected(
        &mut self,
        permit: Permit,
        readings: &[Reading; 3],
        retry_after: Option<Duration>,
        now: Timestamp,
        rules: &Rules,
    ) -> Rejection {
        self.answered(permit, readings, now);
        // "After no time" says nothing, and would be an endless loop of refusals.
        let retry_after = retry_after.filter(|wait| !wait.is_zero());
        let used_up =
            || Span::ALL.into_iter().zip(readings).filter(|(_, r)| r.left == Some(0)).map(|(span, _)| span).next_back();
        let not_proven_open =
            || Span::ALL.into_iter().zip(readings).find(|(_, r)| r.left.is_none()).map(|(span, _)| span);
        let shortest_covering =
            |wait: Duration| Span::ALL.into_iter().find(|span| wait <= span.length()).unwrap_or(Span::Day);
        let span = match retry_after {
            Some(wait) => used_up().unwrap_or_else(|| shortest_covering(wait)),
            None => match used_up().or_else(not_proven_open) {
                Some(span) => span,
                None => return Rejection::Stray,
            },
        };
        let limit = self.limit(span, rules);
        let window = &mut self.windows[span as usize];
        let wait = retry_after.map_or_else(|| window.resets_in(span, now), |wait| wait.min(Span::Day.length()));
        window.exhaust(span, limit, wait, now);
        self.pause_until(now + wait, Some(span));
        Rejection::WindowUsedUp(span, wait)
    }

    /// Notes that the server asked for a pause of `wait`, whatever the windows allow.
    pub fn pause(&mut self, wait: Duration, now: Timestamp) {
        self.pause_until(now + wait.min(LONGEST_PAUSE), None);
    }

    fn pause_until(&mut self, until: Timestamp, by: Option<Span>) {
        if self.paused_until < Some(until) {
            self.paused_until = Some(until);
            self.paused_by = by;
        }
    }

    /// Returns the requests left in the tightest window; `None` when no limit is known.
    pub fn left(&self, rules: &Rules) -> Option<u64> {
        let windows = Span::ALL.into_iter().zip(&self.windows);
        windows.filter_map(|(span, window)| Some(self.limit(span, rules)?.saturating_sub(window.counted))).min()
    }

    /// Tells what each window allows now, from the shortest to the longest.
    pub fn outlook(&self, now: Timestamp, rules: &Rules) -> [Outlook; 3] {
        let mut ledger = self.clone();
        ledger.expire(now);
        Span::ALL.map(|span| {
            let window = &ledger.windows[span as usize];
            let limit = ledger.limit(span, rules);
            Outlook {
                window: span,
                limit,
                left: limit.map(|limit| limit.saturating_sub(window.counted + ledger.unanswered)),
                resets_at: window.is_open().then(|| now + window.resets_in(span, now)),
            }
        })
    }

    /// Reports whether the limits are our own assumption, since nobody has told any.
    pub fn is_assumed(&self, rules: &Rules) -> bool {
        rules.are_assumed(self.windows.each_ref().map(|window| window.limit))
    }

    /// Returns how many requests `span` allows us, what is left to others taken off.
    pub(super) fn limit(&self, span: Span, rules: &Rules) -> Option<u64> {
        rules.allow(span, self.windows.each_ref().map(|window| window.limit))
    }

    pub(super) fn windows(&self) -> &[Window; 3] {
        &self.windows
    }

    pub fn unanswered(&self) -> u64 {
        self.unanswered
    }

    pub(super) fn paused_for(&self, now: Timestamp) -> Duration {
        self.paused_until.map_or(Duration::ZERO, |until| until.since(now))
    }

    pub(super) fn expire(&mut self, now: Timestamp) {
        for (span, window) in Span::ALL.into_iter().zip(&mut self.windows) {
            window.expire(span, now);
        }
        // A pause longer than any window comes from a clock that was set back.
        let longest = now + Span::Day.length();
        self.paused_until = self.paused_until.filter(|&until| until > now).map(|until| until.min(longest));
    }

    #[expect(clippy::needless_pass_by_value, reason = "a permit is handed back once")]
    fn learn(&mut self, permit: Permit, readings: &[Reading; 3], now: Timestamp) {
        self.unanswered -= 1;
        for ((window, glimpse), reading) in self.windows.iter_mut().zip(permit.windows).zip(readings) {
            window.learn(glimpse, reading, now);
        }
    }
}
