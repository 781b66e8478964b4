//! Waits for quota by a clock that the tests move.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::apply::ledgers::Ledgers;
use super::super::{Clock, Stop};
use crate::apollo::Meta;
use crate::model::{Endpoint, Timestamp};
use crate::quota::Rules;

const CREATE: Endpoint = Endpoint::CreateContact;

fn ledgers(limits: &str) -> Ledgers {
    let clock = Clock::starting_at(Timestamp(1_700_000_000_000));
    let rules = Rules { limits: limits.parse().unwrap(), ..Rules::default() };
    Ledgers::new(&BTreeMap::new(), rules, None, clock)
}

#[tokio::test(start_paused = true)]
async fn all_that_wait_together_are_told_once_and_for_each_window_again() {
    let ledgers = Arc::new(ledgers("5/m,12/h"));
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (ledgers, told) = (Arc::clone(&ledgers), Arc::clone(&told));
        tasks.spawn(async move {
            let waiting = |wait: Duration, until: Timestamp, _| {
                told.lock().unwrap().push((wait.as_secs(), (until.0 - 1_700_000_000_000) / 1000));
            };
            let permit = ledgers.admit(CREATE, &Stop::default(), waiting).await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            ledgers.answered(CREATE, permit, &Meta::default());
        });
    }
    tasks.join_all().await;
    // Five a minute, until twelve went out in the hour; then the rest, five a minute again.
    let told: Vec<_> = told.lock().unwrap().iter().map(|(_, until)| *until).collect();
    assert_eq!(told, [60, 120, 3600, 3660], "one line each");
}

#[tokio::test(start_paused = true)]
async fn the_forecast_of_a_run_counts_kinds_that_nothing_is_known_of() {
    let ledgers = ledgers("5/m");
    let ahead = [(CREATE, 12), (Endpoint::SearchContacts, 4)].into();
    assert_eq!(ledgers.forecast(&ahead), Duration::from_mins(2));
}
