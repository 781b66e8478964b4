//! Request limits per action in three windows, and the nine headers that tell of them.
//!
//! Windows are fixed and open on the first request, as the vendor's page on rate limits says.
//! Never reads a clock: now is an argument.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::Action;
use crate::model::Timestamp;

/// Requests allowed per action and window; `None` is unlimited.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub minute: Option<u64>,
    pub hour: Option<u64>,
    pub day: Option<u64>,
}

/// The text of a quota that limits nothing.
const NONE: &str = "none";

/// A part of a quota text that is not like `200/m`, `400/h` or `2000/d`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part:?} is no limit: write the number of requests and m, h or d, like 200/m,400/h,2000/d, or none")]
pub struct InvalidQuota {
    part: String,
}

impl FromStr for Quota {
    type Err = InvalidQuota;

    /// Reads `200/m,400/h,2000/d`; a window that is left out is unlimited, and so are all of `none`.
    fn from_str(text: &str) -> Result<Self, InvalidQuota> {
        let mut quota = Self::default();
        if text.trim() == NONE {
            return Ok(quota);
        }
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let invalid = || InvalidQuota { part: part.to_owned() };
            let (count, unit) = part.split_once('/').ok_or_else(invalid)?;
            let window = match unit {
                "m" => &mut quota.minute,
                "h" => &mut quota.hour,
                "d" => &mut quota.day,
                _ => return Err(invalid()),
            };
            if window.replace(count.parse().map_err(|_| invalid())?).is_some() {
                return Err(invalid());
            }
        }
        Ok(quota)
    }
}

/// What one kind of window is called and how long it lasts.
struct Kind {
    /// In the names of the headers.
    name: &'static str,
    /// In the message of 429.
    word: &'static str,
    length: Duration,
}

const KINDS: [Kind; 3] = [
    Kind { name: "minute", word: "minute", length: Duration::from_mins(1) },
    Kind { name: "hourly", word: "hour", length: Duration::from_hours(1) },
    Kind { name: "24-hour", word: "day", length: Duration::from_hours(24) },
];

#[derive(Debug, Clone, Copy)]
struct Window {
    opened: Timestamp,
    used: u64,
}

/// The open windows of every action.
pub(super) struct Windows {
    limits: [Option<u64>; 3],
    open: BTreeMap<Action, [Window; 3]>,
}

/// How an action stands in its three windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    limits: [Option<u64>; 3],
    used: [u64; 3],
}

/// A request was refused: this window has no requests left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exhausted {
    pub(super) limit: u64,
    /// `minute`, `hour` or `day`.
    pub(super) word: &'static str,
    /// Whole seconds until the window resets, at least 1.
    pub(super) retry_after: u64,
}

impl Windows {
    pub(super) fn new(quota: Quota) -> Self {
        Self { limits: [quota.minute, quota.hour, quota.day], open: BTreeMap::new() }
    }

    /// Counts one request of `action`, unless a window has none left: a refused request spends nothing.
    ///
    /// When several windows are exhausted the one that resets last is named: before it, waiting is in vain.
    pub(super) fn spend(&mut self, action: Action, now: Timestamp) -> (Standing, Result<(), Exhausted>) {
        let windows = self.open.entry(action).or_insert([Window { opened: now, used: 0 }; 3]);
        for (window, kind) in windows.iter_mut().zip(&KINDS) {
            if window.used == 0 || now >= window.opened + kind.length {
                *window = Window { opened: now, used: 0 };
            }
        }
        let exhausted = exhausted(windows, self.limits, now);
        if exhausted.is_none() {
            for window in windows.iter_mut() {
                window.used += 1;
            }
        }
        let standing = Standing { limits: self.limits, used: windows.map(|window| window.used) };
        (standing, exhausted.map_or(Ok(()), Err))
    }
}

fn exhausted(windows: &[Window; 3], limits: [Option<u64>; 3], now: Timestamp) -> Option<Exhausted> {
    let spent = windows.iter().zip(&KINDS).zip(limits).filter_map(|((window, kind), limit)| {
        let limit = limit.filter(|limit| window.used >= *limit)?;
        Some((window.opened + kind.length, kind.word, limit))
    });
    let (resets, word, limit) = spent.max_by_key(|(resets, ..)| *resets)?;
    let retry_after = resets.0.saturating_sub(now.0).div_ceil(1000).max(1);
    Some(Exhausted { limit, word, retry_after })
}

impl Standing {
    /// Returns the nine headers; an unlimited window has empty limit and remainder.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::with_capacity(9);
        for ((kind, limit), used) in KINDS.iter().zip(self.limits).zip(self.used) {
            let text = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
            let left = limit.map(|limit| limit.saturating_sub(used));
            headers.push((format!("x-rate-limit-{}", kind.name), text(limit)));
            headers.push((format!("x-{}-usage", kind.name), used.to_string()));
            headers.push((format!("x-{}-requests-left", kind.name), text(left)));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_700_000_000_000);

    fn seconds(count: u64) -> Timestamp {
        START + Duration::from_secs(count)
    }

    #[test]
    fn a_quota_is_read_as_people_write_it() {
        let full = Quota { minute: Some(200), hour: Some(400), day: Some(2000) };
        assert_eq!("200/m, 400/h,2000/d".parse(), Ok(full));
        assert_eq!("5/h".parse(), Ok(Quota { hour: Some(5), ..Quota::default() }));
        assert_eq!("none".parse(), Ok(Quota::default()));
        for wrong in ["200", "none,1/m", "200/s", "m/200", "-1/m", "1/m,2/m"] {
            assert!(wrong.parse::<Quota>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_window_opens_with_its_first_request_and_not_on_the_clock() {
        let mut windows = Windows::new("2/m".parse().unwrap());
        assert_eq!(windows.spend(Action::Create, seconds(59)).1, Ok(()));
        assert_eq!(windows.spend(Action::Create, seconds(61)).1, Ok(()));
        let refused = windows.spend(Action::Create, seconds(100)).1.unwrap_err();
        assert_eq!(refused, Exhausted { limit: 2, word: "minute", retry_after: 19 });
        assert_eq!(windows.spend(Action::Create, seconds(119)).1, Ok(()));
    }

    #[test]
    fn a_refused_request_spends_nothing() {
        let mut windows = Windows::new("1/m,3/h".parse().unwrap());
        for start in [0, 60, 120] {
            assert_eq!(windows.spend(Action::View, seconds(start)).1, Ok(()));
            assert!(windows.spend(Action::View, seconds(start + 1)).1.is_err());
        }
    }

    #[test]
    fn of_two_exhausted_windows_the_one_that_resets_last_is_named() {
        let mut windows = Windows::new("1/m,1/h".parse().unwrap());
        windows.spend(Action::View, seconds(0)).1.unwrap();
        let refused = windows.spend(Action::View, seconds(10)).1.unwrap_err();
        assert_eq!((refused.word, refused.retry_after), ("hour", 3590));
    }

    #[test]
    fn actions_do_not_share_windows() {
        let mut windows = Windows::new("1/d".parse().unwrap());
        windows.spend(Action::View, seconds(0)).1.unwrap();
        assert_eq!(windows.spend(Action::Search, seconds(0)).1, Ok(()));
    }
}
