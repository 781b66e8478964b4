//! Pauses between attempts of one request.

use std::time::Duration;

/// Exponential backoff with full jitter: a random pause up to a ceiling that doubles, to a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Ceiling of the first pause.
    pub base: Duration,
    /// Highest ceiling.
    pub cap: Duration,
}

impl Backoff {
    /// Between attempts of one request.
    pub const REQUEST: Self = Self { base: Duration::from_millis(500), cap: Duration::from_secs(30) };

    /// Returns the pause after failed attempt number `attempt`, from 1; `random` is drawn from 0.0 to 1.0.
    pub fn pause(&self, attempt: u32, random: f64) -> Duration {
        self.ceiling(attempt).mul_f64(random.clamp(0.0, 1.0))
    }

    fn ceiling(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_the_cap_and_jitter_covers_all_below() {
        let backoff = Backoff::REQUEST;
        let ceilings: Vec<_> = (1..=8).map(|attempt| backoff.pause(attempt, 1.0).as_millis()).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff.pause(3, 0.0), Duration::ZERO);
        assert_eq!(backoff.pause(u32::MAX, 0.5), Duration::from_secs(15));
    }
}
