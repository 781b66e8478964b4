//! What the headers of an answer say: status, quota, the server's clock, the request's id.
//!
//! Reads every header leniently: one that is missing or garbled is absent.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::model::Timestamp;

/// A value the API answered with, and what came beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    pub value: T,
    pub meta: Meta,
}

impl<T> Answer<T> {
    /// Returns the answer with its value in another form.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: form(self.value), meta: self.meta }
    }
}

/// What the status line and the headers of an answer say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    pub status: u16,
    pub quota: QuotaHeaders,
    /// The server's clock when it answered, from `Date`; whole seconds.
    pub date: Option<Timestamp>,
    /// What the vendor's support asks for, from `x-request-id`.
    pub request_id: Option<String>,
    /// How long the server asks to wait, uncapped.
    ///
    /// A `Retry-After` that is a date counts from the answer's own `Date`; without one it is absent.
    pub retry_after: Option<Duration>,
    /// Until when the server asks to wait, where it says so by a date and does not tell what time it has.
    pub retry_at: Option<Timestamp>,
}

/// The quota of the called endpoint action, in its three windows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuotaHeaders {
    pub minute: WindowHeaders,
    pub hour: WindowHeaders,
    pub day: WindowHeaders,
}

/// What the headers say of one quota window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowHeaders {
    pub limit: Option<u64>,
    /// The limit header is there and empty: this window has no limit.
    pub unlimited: bool,
    /// Requests counted in the window, the answered one included.
    pub usage: Option<u64>,
    pub requests_left: Option<u64>,
}

/// The middles of the header names of the three windows: of the limit, and of usage and requests left.
///
/// Earlier versions of the API call the day `daily`.
/// Source: vendor "Rate limits" page (`docs/api-notes.md#rate-limits`).
const MINUTE: [&str; 1] = ["minute"];
const HOUR: [&str; 1] = ["hourly"];
const DAY: [&str; 2] = ["24-hour", "daily"];

impl Meta {
    pub(super) fn read(status: StatusCode, headers: &HeaderMap) -> Self {
        let date = header(headers, DATE.as_str()).and_then(http_date);
        let retry = header(headers, RETRY_AFTER.as_str());
        Self {
            status: status.as_u16(),
            quota: QuotaHeaders {
                minute: WindowHeaders::read(headers, &MINUTE),
                hour: WindowHeaders::read(headers, &HOUR),
                day: WindowHeaders::read(headers, &DAY),
            },
            date,
            request_id: header(headers, "x-request-id").map(super::excerpt::excerpt),
            retry_after: retry.and_then(|text| retry_after(text, date)),
            retry_at: retry.filter(|_| date.is_none()).and_then(http_date),
        }
    }

    /// Returns how long the server asks to wait from `now` on, by whose clock a date without another counts.
    pub fn asked_to_wait(&self, now: Timestamp) -> Option<Duration> {
        self.retry_after.or_else(|| Some(self.retry_at?.since(now)))
    }
}

impl WindowHeaders {
    fn read(headers: &HeaderMap, windows: &[&str]) -> Self {
        let find = |before: &str, after: &str| {
            windows.iter().find_map(|window| header(headers, &format!("x-{before}{window}{after}")))
        };
        let limit = find("rate-limit-", "");
        Self {
            limit: limit.and_then(|text| text.parse().ok()),
            unlimited: limit == Some(""),
            usage: find("", "-usage").and_then(|text| text.parse().ok()),
            requests_left: find("", "-requests-left").and_then(|text| text.parse().ok()),
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn http_date(text: &str) -> Option<Timestamp> {
    let time = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp(u64::try_from(time.as_millisecond()).unwrap_or_default()))
}

fn retry_after(text: &str, date: Option<Timestamp>) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // So many digits that no number holds them are a long time all the same.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    match text.parse() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => Some(http_date(text)?.since(date?)),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn meta(headers: &[(&'static str, &'static str)]) -> Meta {
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Meta::read(StatusCode::OK, &pairs.collect())
    }

    #[test]
    fn all_nine_quota_headers_are_read() {
        let meta = meta(&[
            ("x-rate-limit-minute", "200"),
            ("x-minute-usage", "1"),
            ("x-minute-requests-left", "199"),
            ("x-rate-limit-hourly", "400"),
            ("x-hourly-usage", "2"),
            ("x-hourly-requests-left", "398"),
            ("x-rate-limit-24-hour", "2000"),
            ("x-24-hour-usage", "3"),
            ("x-24-hour-requests-left", "1997"),
        ]);
        let window = |limit, usage, left| WindowHeaders {
            limit: Some(limit),
            unlimited: false,
            usage: Some(usage),
            requests_left: Some(left),
        };
        assert_eq!(meta.quota.minute, window(200, 1, 199));
        assert_eq!(meta.quota.hour, window(400, 2, 398));
        assert_eq!(meta.quota.day, window(2000, 3, 1997));
    }

    #[test]
    fn the_old_names_of_the_day_are_read_where_the_new_ones_are_missing() {
        let day = meta(&[("x-rate-limit-daily", "600"), ("x-daily-usage", "7"), ("x-24-hour-requests-left", "593")])
            .quota
            .day;
        assert_eq!((day.limit, day.usage, day.requests_left), (Some(600), Some(7), Some(593)));
    }

    #[test]
    fn an_empty_limit_is_unlimited_and_a_missing_or_garbled_one_is_unknown() {
        let quota =
            meta(&[("x-rate-limit-minute", " "), ("x-rate-limit-hourly", "lots"), ("x-hourly-usage", "-1")]).quota;
        assert_eq!(quota.minute, WindowHeaders { unlimited: true, ..WindowHeaders::default() });
        assert_eq!(quota.hour, WindowHeaders::default());
        assert_eq!(quota.day, WindowHeaders::default());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
        let date = ("date", "Thu, 06 Aug 2026 10:00:00 GMT");
        assert_eq!(meta(&[("retry-after", "15733")]).retry_after, Some(Duration::from_secs(15733)));
        let by_date = ("retry-after", "Thu, 06 Aug 2026 10:01:30 GMT");
        assert_eq!(meta(&[date, by_date]).retry_after, Some(Duration::from_secs(90)));
        let without_clock = meta(&[by_date]);
        assert_eq!((without_clock.retry_after, without_clock.asked_to_wait(Timestamp(0)).is_some()), (None, true));
        let now = without_clock.retry_at.unwrap() - Duration::from_secs(7);
        assert_eq!(without_clock.asked_to_wait(now), Some(Duration::from_secs(7)));
        assert_eq!(meta(&[date, by_date]).asked_to_wait(now), Some(Duration::from_secs(90)));
        assert_eq!(meta(&[("retry-after", "1.5")]).retry_after, Some(Duration::from_millis(1500)));
        for odd in ["-1", "nan", "inf", "", "soon"] {
            assert_eq!(meta(&[("retry-after", odd)]).asked_to_wait(now), None, "{odd}");
        }
        let endless = meta(&[("retry-after", "99999999999999999999999")]).retry_after;
        assert_eq!(endless, Some(Duration::from_secs(u64::MAX)));
        assert_eq!(meta(&[("retry-after", "soon"), date]).retry_after, None);
        let past = ("retry-after", "Thu, 06 Aug 2026 09:00:00 GMT");
        assert_eq!(meta(&[date, past]).retry_after, Some(Duration::ZERO));
    }

    #[test]
    fn the_servers_clock_and_the_requests_id_are_kept() {
        let meta = meta(&[("date", "Thu, 01 Jan 1970 00:00:01 GMT"), ("x-request-id", "6f1c")]);
        assert_eq!(meta.date, Some(Timestamp(1000)));
        assert_eq!(meta.request_id.as_deref(), Some("6f1c"));
    }
}
