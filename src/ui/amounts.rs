//! Times and counts as people read them. Values in, text out.

use std::time::Duration;

use crate::model::Timestamp;

/// Writes a time in its two largest units: `2s`, `1m10s`, `2h5m`, `3d4h`. Parts of a second are dropped.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => two(minutes, "m", seconds % 60, "s"),
        (0, ..) => two(hours, "h", minutes % 60, "m"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

/// Writes a time still to wait: as [`duration`], but rounded up, so that it is never too short.
pub fn wait(time: Duration) -> String {
    let parts = u64::from(time.subsec_nanos() > 0);
    duration(Duration::from_secs(time.as_secs().saturating_add(parts)))
}

/// Writes a time of the day that is to come: `15:04:05 UTC`, rounded up to the second.
///
/// For waits of a day at most, so that it needs no date.
pub fn clock(time: Timestamp) -> String {
    let seconds = time.0.div_ceil(1000) % 86_400;
    format!("{:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Writes a count with separators: `12,345`.
///
/// Prose only; the numbers of summary lines stay plain, for programs read them.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a count and what it counts, in the singular or with an `s`.
pub fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large}{large_unit}"),
        _ => format!("{large}{large_unit}{small}{small_unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_their_two_largest_units() {
        let shown = [0, 2, 59, 60, 70, 3599, 3600, 7500, 86_400, 273_600].map(|s| duration(Duration::from_secs(s)));
        assert_eq!(shown, ["0s", "2s", "59s", "1m", "1m10s", "59m59s", "1h", "2h5m", "1d", "3d4h"]);
        assert_eq!(wait(Duration::from_millis(1)), "1s");
        assert_eq!(wait(Duration::from_mins(1)), "1m");
        assert_eq!(wait(Duration::MAX), duration(Duration::MAX));
    }

    #[test]
    fn a_time_of_the_day_is_rounded_up() {
        let shown = [0, 1, 59_999, 86_399_001, 1_700_000_000_000].map(|ms| clock(Timestamp(ms)));
        assert_eq!(shown, ["00:00:00 UTC", "00:00:01 UTC", "00:01:00 UTC", "00:00:00 UTC", "22:13:20 UTC"]);
    }

    #[test]
    fn counts_show_thousands() {
        assert_eq!([0, 999, 1000, 123_456, 1_234_567].map(count), ["0", "999", "1,000", "123,456", "1,234,567"]);
        assert_eq!([0, 1, 2000].map(|n| counted(n, "contact")), ["0 contacts", "1 contact", "2,000 contacts"]);
    }
}
