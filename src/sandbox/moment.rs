//! Points in time as the API writes them. Never reads a clock.

use jiff::fmt::rfc2822::DateTimePrinter;

use crate::model::Timestamp;

/// Writes `time` as in answers: UTC with milliseconds, `2024-09-12T20:13:53.207Z`.
pub(super) fn iso(time: Timestamp) -> String {
    instant(time).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Reads what [`iso`] writes, and any other form of RFC 3339.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(instant.as_millisecond()).ok().map(Timestamp)
}

/// Writes `time` as the `date` header has it, to the second.
pub(super) fn http_date(time: Timestamp) -> String {
    let printed = DateTimePrinter::new().timestamp_to_rfc9110_string(&instant(time));
    printed.expect("years 1970 to 9999 are in the range of the format")
}

fn instant(time: Timestamp) -> jiff::Timestamp {
    let since_1970 = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    since_1970.unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_both_forms_the_api_uses() {
        let time = Timestamp(1_726_172_033_007);
        assert_eq!(iso(time), "2024-09-12T20:13:53.007Z");
        assert_eq!(http_date(time), "Thu, 12 Sep 2024 20:13:53 GMT");
        assert_eq!(parse(&iso(time)), Some(time));
    }

    #[test]
    fn the_end_of_time_is_still_written() {
        assert_eq!(http_date(Timestamp(u64::MAX)), "Thu, 30 Dec 9999 22:00:00 GMT");
    }
}
