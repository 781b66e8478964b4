//! One of the three windows in which Apollo counts requests.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// The length of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    Minute,
    Hour,
    Day,
}

impl Span {
    /// From the shortest to the longest; the order of arrays of windows.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    pub fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// How many requests a window allows, as far as an answer says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowLimit {
    /// No answer has said.
    #[default]
    Unknown,
    /// An answer carried an empty limit, which the vendor's page explains as unlimited.
    Unlimited,
    Requests(u64),
}

/// What one answer's headers say about one window.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub limit: WindowLimit,
    /// Requests counted in the window, the answered one included.
    pub usage: Option<u64>,
    pub left: Option<u64>,
}

/// Requests per window that the user allows, at most; `None` leaves it to Apollo.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Limits(pub [Option<u64>; 3]);

impl FromStr for Limits {
    type Err = String;

    /// Reads `200/m,400/h,2000/d`; each part may be left out.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = Self::default();
        for part in text.split(',') {
            let malformed = || format!("{part:?} is not of the form 200/m, 400/h or 2000/d");
            let (count, unit) = part.trim().split_once('/').ok_or_else(malformed)?;
            let index = match unit {
                "m" | "minute" => 0,
                "h" | "hour" => 1,
                "d" | "day" => 2,
                _ => return Err(malformed()),
            };
            let count: u64 = count.parse().map_err(|_| malformed())?;
            if count == 0 {
                return Err(format!("{part:?} allows no request at all"));
            }
            limits.0[index] = Some(count);
        }
        Ok(limits)
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts =
            self.0.iter().zip(["m", "h", "d"]).filter_map(|(limit, unit)| Some(format!("{}/{unit}", (*limit)?)));
        f.write_str(&parts.collect::<Vec<_>>().join(","))
    }
}

/// What is known of one window of one endpoint action.
///
/// Each window we know of is a new generation, so that answers to requests of an earlier one are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) limit: WindowLimit,
    /// Requests the server is known to have counted; all answered ones are among them.
    pub(super) counted: u64,
    #[serde(skip)]
    pub(super) generation: u64,
    /// When the first answer of the window arrived. The server opened it before that.
    opened_at: Option<Timestamp>,
}

/// A window as it was when a request went out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glimpse {
    generation: u64,
    counted: u64,
}

impl Window {
    pub(super) fn glimpse(&self) -> Glimpse {
        Glimpse { generation: self.generation, counted: self.counted }
    }

    /// Closes the window when its time is over.
    ///
    /// A clock that was set back since it opened makes it as if opened now, which errs to the safe side.
    pub(super) fn expire(&mut self, span: Span, now: Timestamp) {
        self.opened_at = self.opened_at.map(|opened| opened.min(now));
        if self.opened_at.is_some_and(|opened| opened + span.length() <= now) {
            self.counted = 0;
            self.generation += 1;
            self.opened_at = None;
        }
    }

    /// Takes in what an answer says; `when_sent` is the window as it was when its request went out.
    ///
    /// Within one window an answer's usage is higher than what was counted before its request went
    /// out. One that is not proves that the server opened a new window in between.
    pub(super) fn learn(&mut self, when_sent: Glimpse, reading: &Reading, now: Timestamp) {
        if reading.limit != WindowLimit::Unknown {
            self.limit = reading.limit;
        }
        let same_generation = when_sent.generation == self.generation;
        match reading.usage {
            Some(usage) if usage <= when_sent.counted && same_generation => {
                self.counted = usage;
                self.generation += 1;
                self.opened_at = Some(now);
            }
            Some(usage) if usage <= when_sent.counted || same_generation => {
                self.counted = self.counted.max(usage);
                self.opened_at.get_or_insert(now);
            }
            // Counted in the window that closed while the request was under way.
            Some(_) => {}
            None => {
                self.counted += 1;
                self.opened_at.get_or_insert(now);
            }
        }
    }

    /// Notes that the server refused a request because this window is used up, for `wait` more.
    pub(super) fn exhaust(&mut self, span: Span, limit: Option<u64>, wait: Duration, now: Timestamp) {
        self.counted = self.counted.max(limit.unwrap_or(0));
        if wait <= span.length() {
            self.opened_at = Some(now + wait - span.length());
        }
    }

    /// Shows what is known elsewhere: how much is counted, and how long ago it was opened.
    pub(super) fn show(&mut self, limit: WindowLimit, counted: u64, open_for: Option<Duration>, now: Timestamp) {
        let opened =
            |ago: Duration| Timestamp(now.0.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)));
        *self = Self { limit, counted, generation: self.generation + 1, opened_at: open_for.map(opened) };
    }

    /// Reports whether the server is known to have opened the window.
    pub(super) fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    /// Returns how long until the window resets; its whole length when it is not known to be open.
    ///
    /// Never longer than the window, whatever the clock did since it opened.
    pub(super) fn resets_in(&self, span: Span, now: Timestamp) -> Duration {
        self.opened_at.map_or(span.length(), |opened| (opened + span.length()).since(now)).min(span.length())
    }
}
