//! Durations as people write them.

use std::time::Duration;

/// Stands for all longer times, which no clock could add up.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// Reads `90s`, `5m`, `1h 30m`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds).min(LONGEST));
    }
    let duration: Result<jiff::SignedDuration, _> = text.parse();
    let positive = duration.ok().and_then(|duration| Duration::try_from(duration).ok());
    positive
        .map(|duration| duration.min(LONGEST))
        .ok_or_else(|| format!("{text:?} is no duration such as 90s, 5m or 1h30m"))
}

/// The shortest time between two looks at a directory.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Reads the time from one look at something to the next, which leaves room for other work.
pub fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text)?;
    if interval < SHORTEST_INTERVAL {
        return Err(format!("{text:?} is too short: 100ms or more"));
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let cases = [("90s", 90), ("5m", 300), ("5min", 300), ("1h30m", 5400), ("1h 30m", 5400), ("0s", 0), ("7", 7)];
        for (text, seconds) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_interval("100ms"), Ok(Duration::from_millis(100)));
        assert!(parse_interval("0").unwrap_err().contains("100ms or more"));
        for endless in ["18446744073709551615", "9000000000000000000s"] {
            assert_eq!(parse_duration(endless), Ok(LONGEST), "{endless}");
        }
        for wrong in ["", "soon", "-5s", "5 parsecs"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
