//! How long a number of requests will take under the windows.

use std::time::Duration;

use crate::model::Timestamp;

use super::{Ledger, Rules, Span};

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
