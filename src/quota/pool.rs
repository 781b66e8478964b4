//! The account of one kind of request that several runners share.
//!
//! Runners draw slices of the windows and send by them without asking again. What was granted counts as spent from
//! the moment it is drawn, so that all of them together never send more than a window allows; what they did not
//! spend they give back, or it ends with the window. `now` is the clock of whatever keeps the pool: the clocks of the
//! runners only measure how long something took.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rules::{LONGEST_PAUSE, Rules};
use super::window::{Reading, Span, WindowLimit};
use crate::model::Timestamp;

/// How long a runner may send by what it has drawn.
const SLICE_LASTS: Duration = Duration::from_secs(30);

/// The part of what a window has left that is drawn at a time: an eighth, so that nobody who rests has much of it.
const SHARE: u64 = 8;

/// Most requests drawn at a time.
const MOST: u64 = 500;

/// How soon a runner asks again while another one learns the limits.
const LEARNING_PAUSE: Duration = Duration::from_millis(250);

/// Returns what the pool of a team is called.
pub fn pool_of(team: &str) -> String {
    format!("team {team}")
}

/// What all runners were granted and have heard, for one kind of request of one team.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    windows: [Window; 3],
    /// Whether an answer has told the limits, or has shown that answers do not tell them.
    learned: bool,
    /// Until when the one that was sent out to learn the limits is waited for.
    learning_until: Option<Timestamp>,
    paused_until: Option<Timestamp>,
    paused_by: Option<Span>,
}

/// One window, as far as it is known.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    /// Counts the windows that there were.
    number: u64,
    limit: WindowLimit,
    /// Requests that runners may have sent, or may still send.
    granted: u64,
    /// Requests of others: people, and programs that do not draw.
    foreign: u64,
    /// The highest count that an answer has shown.
    usage: u64,
    /// The server opened it no earlier, and no later.
    opened_after: Option<Timestamp>,
    opened_before: Option<Timestamp>,
    last_granted: Option<Timestamp>,
}

/// Leave to send some requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The windows it is of.
    windows: [u64; 3],
    pub left: u64,
    /// How long it lasts from when it was asked for.
    pub lasts: Duration,
    /// Whether the limits are not known yet: its answer is waited for.
    pub learns: bool,
}

/// What a runner has to tell of its slice.
#[derive(Debug, Default, Clone)]
pub struct News {
    /// The slice, with what is left of it; that is given back.
    pub slice: Option<Slice>,
    /// How long ago the first answer to a request of the slice came.
    pub first_answer: Option<Duration>,
    /// The latest limits, and the highest usage that answers to requests of the slice have shown.
    pub readings: [Reading; 3],
    /// A pause that an answer has asked for, and the window that is used up.
    pub pause: Option<(Duration, Option<Span>)>,
}

/// What came of asking for a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drawn {
    Slice(Slice),
    /// Nothing may be sent for this long: the window is used up, or an answer asked for a pause.
    Wait(Duration, Option<Span>),
}

/// What a window is like now, without the clock of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) limit: WindowLimit,
    pub(super) counted: u64,
    pub(super) open_for: Option<Duration>,
}

impl Pool {
    /// Reads a pool that was saved.
    pub fn load(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub fn save(&self) -> String {
        serde_json::to_string(self).expect("a pool is plain numbers")
    }

    /// Takes in what a runner tells, and takes back what it has not spent.
    pub fn hear(&mut self, news: &News, now: Timestamp) {
        self.expire(now);
        let (left, answered) = (news.slice.as_ref().map_or(0, |slice| slice.left), news.first_answer);
        if answered.is_some() {
            self.learned = true;
        }
        if news.slice.as_ref().is_some_and(|slice| slice.learns) {
            self.learning_until = None;
        }
        for (index, (window, reading)) in self.windows.iter_mut().zip(&news.readings).enumerate() {
            if reading.limit != WindowLimit::Unknown {
                window.limit = reading.limit;
            }
            if news.slice.as_ref().is_none_or(|slice| slice.windows[index] != window.number) {
                continue;
            }
            if let Some(ago) = answered {
                let before = earlier(now, ago);
                window.opened_before = Some(window.opened_before.map_or(before, |known| known.min(before)));
            }
            if let Some(usage) = reading.usage {
                window.usage = window.usage.max(usage);
                window.foreign = window.foreign.max(usage.saturating_sub(window.granted - left));
            }
            window.granted -= left;
        }
        if let Some((wait, used_up)) = news.pause {
            self.pause(wait, used_up, now);
        }
    }

    fn pause(&mut self, wait: Duration, used_up: Option<Span>, now: Timestamp) {
        let longest = used_up.map_or(LONGEST_PAUSE, |_| Span::Day.length());
        let wait = wait.min(longest);
        if let Some(span) = used_up
            && wait <= span.length()
        {
            let opened = earlier(now + wait, span.length());
            let window = &mut self.windows[span as usize];
            (window.opened_after, window.opened_before) = (Some(opened), Some(opened));
            if let WindowLimit::Requests(limit) = window.limit {
                window.usage = window.usage.max(limit);
            }
        }
        if self.paused_until < Some(now + wait) {
            (self.paused_until, self.paused_by) = (Some(now + wait), used_up);
        }
    }

    /// Grants a slice.
    pub fn draw(&mut self, rules: &Rules, now: Timestamp) -> Drawn {
        self.expire(now);
        if let Some(until) = self.paused_until {
            return Drawn::Wait(until.since(now), self.paused_by);
        }
        if let Some(until) = self.learning_until.filter(|_| !self.learned) {
            return Drawn::Wait(until.since(now).min(LEARNING_PAUSE), None);
        }
        let limits = self.windows.each_ref().map(|window| window.limit);
        let (mut most, mut lasts, mut wait) = (MOST, SLICE_LASTS, None);
        for span in Span::ALL {
            let Some(limit) = rules.allow(span, limits) else { continue };
            let window = &self.windows[span as usize];
            let ends = window.opened_after.map_or(span.length(), |opened| (opened + span.length()).since(now));
            let left = limit.saturating_sub(window.counted());
            if left == 0 || ends.is_zero() {
                wait = wait.max(Some((window.resets_in(span, now), span)));
            }
            most = most.min(left.div_ceil(SHARE));
            lasts = lasts.min(ends);
        }
        if let Some((wait, span)) = wait {
            return Drawn::Wait(wait, Some(span));
        }
        let learns = !self.learned;
        if learns {
            most = 1;
            self.learning_until = Some(now + lasts);
        }
        for window in &mut self.windows {
            window.granted += most;
            window.opened_after.get_or_insert(now);
            window.last_granted = Some(now);
        }
        Drawn::Slice(Slice { windows: self.windows.each_ref().map(|window| window.number), left: most, lasts, learns })
    }

    /// Returns what each window is like, and how long nothing may be sent and why.
    pub(super) fn standing(&self, now: Timestamp) -> ([Standing; 3], Duration, Option<Span>) {
        let mut pool = self.clone();
        pool.expire(now);
        let standing = |window: &Window| Standing {
            limit: window.limit,
            counted: window.counted(),
            open_for: window.opened_before.map(|opened| now.since(opened)),
        };
        let paused_for = pool.paused_until.map_or(Duration::ZERO, |until| until.since(now));
        (pool.windows.each_ref().map(standing), paused_for, pool.paused_by)
    }

    fn expire(&mut self, now: Timestamp) {
        for (span, window) in Span::ALL.into_iter().zip(&mut self.windows) {
            if window.last_granted.is_some() && window.resets_in(span, now).is_zero() {
                *window = Window { number: window.number + 1, limit: window.limit, ..Window::default() };
            }
        }
        self.paused_until = self.paused_until.filter(|&until| until > now);
        self.learning_until = self.learning_until.filter(|&until| until > now);
    }
}

impl Window {
    fn counted(&self) -> u64 {
        self.usage.max(self.granted + self.foreign)
    }

    /// Returns how long until it is over for certain.
    fn resets_in(&self, span: Span, now: Timestamp) -> Duration {
        // One that nobody has told of was opened by the last request of the last slice, at the latest.
        let latest = self.opened_before.or_else(|| self.last_granted.map(|granted| granted + SLICE_LASTS));
        latest.map_or(Duration::ZERO, |opened| (opened + span.length()).since(now))
    }
}

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp(time.0.saturating_sub(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
