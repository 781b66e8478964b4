//! Outages by a clock that the tests move: who sends when, and when an outage is no longer waited for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::apply::outages::Outages;
use super::super::{Clock, Ended, Event, Stop};
use super::line::Line;
use super::world::World;
use crate::model::{Endpoint, Timestamp};

const SEARCH: Endpoint = Endpoint::SearchContacts;

fn outages(max_wait: Option<u64>) -> Outages {
    let clock = Clock::starting_at(Timestamp(1_700_000_000_000));
    Outages::new(Duration::from_secs(1), max_wait.map(Duration::from_secs), clock)
}

/// Sends requests that all fail until no more may go out; tells when each went, in seconds.
async fn fail_all(outages: &Outages) -> Vec<u64> {
    let (stop, began) = (Stop::default(), tokio::time::Instant::now());
    let mut sent = Vec::new();
    while outages.ready(SEARCH, &stop).await {
        sent.push(began.elapsed().as_secs());
        let attempt = outages.enter(SEARCH).unwrap();
        outages.failed(SEARCH, attempt, true);
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn an_address_that_never_answered_is_given_up_after_half_a_minute() {
    let outages = outages(None);
    assert_eq!(fail_all(&outages).await, [0, 0, 0, 1, 3, 7, 15, 30]);
    let Some(Ended::Outage { endpoint, unreachable: true, lasted, .. }) = outages.given_up() else { panic!() };
    assert_eq!((endpoint, lasted.as_secs()), (SEARCH, 30));
}

#[tokio::test(start_paused = true)]
async fn an_outage_after_a_success_is_waited_for_an_hour_or_for_as_long_as_was_said() {
    for (max_wait, lasts) in [(None, 3600), (Some(7200), 7200), (Some(5), 5), (Some(0), 0)] {
        let outages = outages(max_wait);
        let attempt = outages.enter(SEARCH).unwrap();
        assert_eq!(outages.succeeded(SEARCH, attempt), None);
        let sent = fail_all(&outages).await;
        assert_eq!(sent.last(), Some(&lasts), "{max_wait:?}");
        assert!(sent.len() <= 40, "{max_wait:?}: {sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_of_any_kind_shows_that_the_address_is_right() {
    let outages = outages(None);
    let attempt = outages.enter(Endpoint::Profile).unwrap();
    outages.succeeded(Endpoint::Profile, attempt);
    assert_eq!(fail_all(&outages).await.last(), Some(&3600));
    assert!(outages.ready(Endpoint::CreateContact, &Stop::default()).await, "the other kinds go on");
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_probe_one_at_a_time_and_go_on_together() {
    let outages = Arc::new(outages(None));
    for _ in 0..3 {
        let attempt = outages.enter(SEARCH).unwrap();
        outages.failed(SEARCH, attempt, false);
    }
    let began = tokio::time::Instant::now();
    let back_at = Duration::from_secs(10);
    let sent = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (outages, sent) = (Arc::clone(&outages), Arc::clone(&sent));
        tasks.spawn(async move {
            loop {
                assert!(outages.ready(SEARCH, &Stop::default()).await);
                let Some(attempt) = outages.enter(SEARCH) else { continue };
                sent.lock().unwrap().push(began.elapsed().as_secs());
                // The answer takes its time, and the others wait for it.
                tokio::time::sleep(Duration::from_millis(100)).await;
                if began.elapsed() < back_at {
                    outages.failed(SEARCH, attempt, false);
                } else {
                    outages.succeeded(SEARCH, attempt);
                    return;
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(*sent.lock().unwrap(), [1, 3, 7, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15]);
}

#[tokio::test(start_paused = true)]
async fn what_begins_with_other_requests_has_its_turn_one_by_one() {
    let outages = outages(None);
    let stop = Stop::default();
    let [first, second] = [outages.turn(SEARCH, &stop).await, outages.turn(SEARCH, &stop).await];
    assert!(first.is_some() && second.is_some(), "nothing fails, so nobody waits");
    for _ in 0..3 {
        let attempt = outages.enter(SEARCH).unwrap();
        outages.failed(SEARCH, attempt, false);
    }
    let first = outages.turn(SEARCH, &stop).await.unwrap();
    let second = outages.turn(SEARCH, &stop);
    tokio::pin!(second);
    tokio::select! {
        biased;
        _ = &mut second => panic!("two turns at a time"),
        () = tokio::time::sleep(Duration::from_mins(1)) => {}
    }
    let attempt = outages.enter(SEARCH).unwrap();
    outages.succeeded(SEARCH, attempt);
    assert!(second.await.is_some(), "the first success lets all of them go");
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn a_service_waits_for_no_probe_and_tries_again_in_its_next_pass() {
    let mut outages = outages(None);
    outages.put_off();
    assert_eq!(fail_all(&outages).await, [0, 0, 0]);
    let Some(Ended::Outage { wait, .. }) = outages.given_up() else { panic!() };
    assert_eq!(wait.as_secs(), 1);
    tokio::time::advance(wait).await;
    outages.try_everything_again();
    assert_eq!(fail_all(&outages).await.len(), 1, "one probe a pass");
    tokio::time::advance(Duration::from_hours(30)).await;
    outages.try_everything_again();
    assert_eq!(fail_all(&outages).await.len(), 1, "no outage is too long for a service");
}

#[tokio::test]
async fn a_stop_ends_the_wait() {
    let outages = outages(None);
    let stop = Stop::default();
    for _ in 0..3 {
        let attempt = outages.enter(SEARCH).unwrap();
        outages.failed(SEARCH, attempt, true);
    }
    stop.request(Ended::Interrupted);
    assert!(!outages.ready(SEARCH, &stop).await);
    assert!(outages.turn(SEARCH, &stop).await.is_none());
}

#[tokio::test]
async fn a_run_outlives_connections_that_are_refused() {
    let mut world = World::new(None).await;
    world.declare("  ada: {email: ada@example.com}\n  bob: {email: bob@example.com}\n");
    // Nobody listens there until the outage is told.
    let address = world.line.address;
    world.line.close().await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    world.hear(move |event| {
        if let Event::Outage { is_first: true, .. } | Event::OutageOver { .. } = event {
            let _ = tell.send(event.clone());
        }
    });
    let target = world.server.address();
    let back = tokio::spawn(async move {
        let first = told.recv().await.unwrap();
        assert!(matches!(first, Event::Outage { status: None, is_first: true, .. }), "{first:?}");
        let line = Line::at(address, target).await;
        let then = told.recv().await.unwrap();
        assert!(matches!(then, Event::OutageOver { .. }), "{then:?}");
        line
    });
    let report = world.apply().await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    world.assert_told(&[]);
    drop(back.await.unwrap());
}
