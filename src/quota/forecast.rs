//! How long a number of requests will take under the windows.

use std::time::Duration;

use crate::model::Timestamp;

use super::{Ledger, Rules, Span};

/// Returns how long the rest of a run takes; `None` before anything tells.
///
/// `windows` is what the quota makes it take. The pace so far counts where it is slower, over the time in which nothing
/// waited for quota: `active` for the `ended` actions, of `actions`.
pub fn time_left(windows: Duration, active: Duration, ended: usize, actions: usize) -> Option<Duration> {
    let remaining = actions.saturating_sub(ended) as u128;
    let pace = (active.as_millis() * remaining).checked_div(ended as u128);
    let pace = pace.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)));
    pace.or((!windows.is_zero()).then_some(windows)).map(|pace| pace.max(windows))
}

impl Ledger {
    /// Returns how long until the last of `requests` may go out, if nobody else spends.
    ///
    /// The arithmetic optimum of the windows; the requests' own time is not in it.
    pub fn forecast(&self, requests: u64, now: Timestamp, rules: &Rules) -> Duration {
        let mut ledger = self.clone();
        ledger.expire(now);
        let limits = Span::ALL.map(|span| ledger.limit(span, rules));
        let mut spent = [0; 3];
        let mut resets = [Duration::ZERO; 3];
        for (index, (span, window)) in Span::ALL.into_iter().zip(ledger.windows()).enumerate() {
            spent[index] = window.counted + ledger.unanswered();
            resets[index] = window.resets_in(span, now);
        }
        let mut elapsed = ledger.paused_for(now);
        let mut remaining = requests;
        loop {
            for (index, span) in Span::ALL.into_iter().enumerate() {
                if resets[index] <= elapsed {
                    spent[index] = 0;
                    resets[index] = elapsed + span.length();
                }
            }
            let room = |index: usize| limits[index].map_or(u64::MAX, |limit: u64| limit.saturating_sub(spent[index]));
            let now_possible = (0..3).map(room).min().unwrap_or(u64::MAX);
            if remaining <= now_possible {
                return elapsed;
            }
            remaining -= now_possible;
            elapsed =
                (0..3).filter(|&index| room(index) == now_possible).map(|index| resets[index]).max().unwrap_or(elapsed);
            for spent in &mut spent {
                *spent += now_possible;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_what_the_windows_allow_or_the_pace_where_that_is_slower() {
        let seconds = Duration::from_secs;
        // 200 went out in 10 s, then all wait for 50 minutes: the pace says nothing of that.
        assert_eq!(time_left(seconds(3000), seconds(10), 200, 2000), Some(seconds(3000)));
        assert_eq!(time_left(seconds(3000), seconds(1000), 200, 2000), Some(seconds(9000)));
        assert_eq!(time_left(Duration::ZERO, seconds(10), 50, 100), Some(seconds(10)));
        assert_eq!(time_left(seconds(60), Duration::ZERO, 0, 100), Some(seconds(60)));
        assert_eq!(time_left(Duration::ZERO, seconds(5), 0, 100), None);
        assert_eq!(time_left(Duration::ZERO, seconds(5), 100, 100), Some(Duration::ZERO));
    }
}
