//! The ledger against a model of Apollo's windows, in simulated time.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::Timestamp;

const START: Timestamp = Timestamp(1_000_000_000);

/// Apollo's side: fixed windows that open on the first request.
struct Server {
    limits: [u64; 3],
    windows: [(Option<Timestamp>, u64); 3],
    refused: u64,
}

impl Server {
    fn new(limits: [u64; 3]) -> Self {
        Self { limits, windows: [(None, 0); 3], refused: 0 }
    }

    /// Handles one request; `Err` carries `retry-after`.
    fn handle(&mut self, now: Timestamp) -> Result<[Reading; 3], Duration> {
        for (span, (opened, count)) in Span::ALL.into_iter().zip(&mut self.windows) {
            if opened.is_some_and(|opened| opened + span.length() <= now) {
                (*opened, *count) = (None, 0);
            }
        }
        for (index, span) in Span::ALL.into_iter().enumerate() {
            if let (Some(opened), count) = self.windows[index]
                && count >= self.limits[index]
            {
                self.refused += 1;
                return Err((opened + span.length()).since(now));
            }
        }
        let mut readings = [Reading::default(); 3];
        for (index, (opened, count)) in self.windows.iter_mut().enumerate() {
            opened.get_or_insert(now);
            *count += 1;
            let limit = self.limits[index];
            readings[index] =
                Reading { limit: WindowLimit::Requests(limit), usage: Some(*count), left: Some(limit - *count) };
        }
        Ok(readings)
    }
}

const ROUND_TRIP: Duration = Duration::from_millis(200);
const PARALLEL: usize = 10;

/// So many under way at a time that the windows alone decide how long a run takes.
const UNBOUNDED: usize = usize::MAX;

/// Sends `requests` as fast as the ledger allows, `parallel` at a time; returns when the last answer came.
///
/// The server handles a request half a round trip after it went out.
fn run(
    server: &mut Server,
    ledger: &mut Ledger,
    requests: u64,
    parallel: usize,
    mut others: impl FnMut(&mut Server, Timestamp),
) -> Timestamp {
    let rules = Rules::default();
    let mut now = START;
    let mut under_way: VecDeque<(Timestamp, Permit, Result<[Reading; 3], Duration>)> = VecDeque::new();
    let mut answered = 0;
    let mut sent = 0;
    let mut blocked_until = START;
    while answered < requests {
        while sent < requests && under_way.len() < parallel {
            match ledger.admit(now, &rules) {
                Admission::Go(permit) => {
                    assert!(now >= blocked_until, "a request starts before the window that refused one resets");
                    others(server, now);
                    let outcome = server.handle(now + ROUND_TRIP / 2);
                    under_way.push_back((now + ROUND_TRIP, permit, outcome));
                    sent += 1;
                }
                Admission::Wait(wait, _) if under_way.is_empty() => now = now + wait,
                Admission::Wait(..) | Admission::WaitForAnswer => break,
            }
        }
        let Some((at, permit, outcome)) = under_way.pop_front() else { continue };
        now = now.max(at);
        match outcome {
            Ok(readings) => {
                ledger.answered(permit, &readings, now);
                answered += 1;
            }
            Err(retry_after) => {
                ledger.rejected(permit, &[Reading::default(); 3], Some(retry_after), now, &rules);
                sent -= 1;
                blocked_until = blocked_until.max(at - ROUND_TRIP / 2 + retry_after);
            }
        }
    }
    now
}

/// When the last request can be handled at the earliest, by the windows alone.
fn optimum(limits: [u64; 3], requests: u64) -> Duration {
    let mut server = Server::new(limits);
    let mut now = START;
    for _ in 0..requests {
        while let Err(wait) = server.handle(now) {
            now = now + wait;
        }
    }
    now.since(START)
}

#[test]
fn a_run_alone_meets_no_429_and_finishes_when_the_windows_allow() {
    for limits in [[50, 200, 600], [200, 400, 2000], [200, 600, 6000]] {
        for requests in [1, 49, 50, 51, 200, 201, 601, 2001, 20_000] {
            let mut server = Server::new(limits);
            let end = run(&mut server, &mut Ledger::default(), requests, UNBOUNDED, |_, _| {}).since(START);
            assert_eq!(server.refused, 0, "{limits:?}, {requests} requests");
            let best = optimum(limits, requests);
            // One round trip to learn the limits, one for the last answer.
            let allowed = best.mul_f64(1.01) + 2 * ROUND_TRIP;
            assert!(end <= allowed, "{limits:?}, {requests} requests: {end:?} instead of {best:?}");
        }
    }
}

#[test]
fn the_forecast_is_the_optimum_of_the_windows() {
    let limits = [200, 400, 2000];
    for requests in [1, 200, 201, 401, 2001, 5000] {
        let mut ledger = Ledger::default();
        let mut server = Server::new(limits);
        let Admission::Go(permit) = ledger.admit(START, &Rules::default()) else { panic!("the first request may go") };
        ledger.answered(permit, &server.handle(START).unwrap(), START);
        assert_eq!(ledger.forecast(requests - 1, START, &Rules::default()), optimum(limits, requests), "{requests}");
    }
}

#[test]
fn the_first_request_goes_alone() {
    let mut ledger = Ledger::default();
    let rules = Rules::default();
    let Admission::Go(first) = ledger.admit(START, &rules) else { panic!("the first request may go") };
    assert!(matches!(ledger.admit(START, &rules), Admission::WaitForAnswer));
    ledger.answered(first, &[Reading::default(); 3], START);
    assert!(matches!(ledger.admit(START, &rules), Admission::Go(_)));
}

#[test]
fn without_any_word_on_limits_600_an_hour_are_assumed() {
    let mut ledger = Ledger::default();
    let rules = Rules::default();
    for _ in 0..600 {
        let Admission::Go(permit) = ledger.admit(START, &rules) else { panic!("600 requests may go") };
        ledger.answered(permit, &[Reading::default(); 3], START);
    }
    let Admission::Wait(wait, Some(Span::Hour)) = ledger.admit(START, &rules) else { panic!("the hour is used up") };
    assert_eq!(wait, Duration::from_hours(1));
}

#[test]
fn an_empty_limit_means_no_limit() {
    let mut ledger = Ledger::default();
    let rules = Rules::default();
    let unlimited = Reading { limit: WindowLimit::Unlimited, usage: Some(1), left: None };
    for _ in 0..5000 {
        let Admission::Go(permit) = ledger.admit(START, &rules) else { panic!("nothing limits") };
        ledger.answered(permit, &[unlimited; 3], START);
    }
    assert_eq!(ledger.left(&rules), None);
}

fn ledger_with(count: u64, limit: u64) -> Ledger {
    let mut ledger = Ledger::default();
    let Admission::Go(permit) = ledger.admit(START, &Rules::default()) else { panic!("the first request may go") };
    let reading = Reading { limit: WindowLimit::Requests(limit), usage: Some(count), left: Some(limit - count) };
    ledger.answered(permit, &[reading; 3], START);
    ledger
}

#[test]
fn a_saved_ledger_counts_what_was_under_way() {
    let mut ledger = ledger_with(5, 10);
    let under_way: Vec<_> = (0..3).map(|_| ledger.admit(START, &Rules::default())).collect();
    let loaded = Ledger::load(&ledger.save()).unwrap();
    assert_eq!(loaded.left(&Rules::default()), Some(2));
    drop(under_way);
}

#[test]
fn what_the_user_allows_and_reserves_lowers_the_limit() {
    let ledger = ledger_with(0, 100);
    let rules =
        |limits: &str, reserve_percent| Rules { limits: limits.parse().unwrap(), reserve_percent, ..Rules::default() };
    assert_eq!(ledger.left(&rules("50/m", 0)), Some(50));
    assert_eq!(ledger.left(&rules("500/m", 10)), Some(90));
    assert_eq!(ledger.left(&rules("500/m", 100)), Some(1));
}

#[test]
fn a_429_stops_the_action_until_the_window_that_is_used_up_resets() {
    let none = [Reading::default(); 3];
    let hour_used_up = [Reading { left: Some(5), ..none[0] }, Reading { left: Some(0), ..none[1] }, none[2]];
    let all_open = [Reading { left: Some(5), ..none[0] }; 3];
    let minute = Duration::from_mins(1);
    let hour = Duration::from_hours(1);
    let cases = [
        (none, Some(Duration::from_secs(15_733)), Rejection::WindowUsedUp(Span::Day, Duration::from_secs(15_733))),
        (none, None, Rejection::WindowUsedUp(Span::Minute, minute)),
        (none, Some(Duration::ZERO), Rejection::WindowUsedUp(Span::Minute, minute)),
        (hour_used_up, None, Rejection::WindowUsedUp(Span::Hour, hour)),
        (all_open, None, Rejection::Stray),
    ];
    for (readings, retry_after, expected) in cases {
        let mut ledger = ledger_with(1, 10);
        let Admission::Go(permit) = ledger.admit(START, &Rules::default()) else { panic!("there is room") };
        let rejection = ledger.rejected(permit, &readings, retry_after, START, &Rules::default());
        assert_eq!(rejection, expected);
        match (expected, ledger.admit(START, &Rules::default())) {
            (Rejection::WindowUsedUp(span, wait), Admission::Wait(shown, of)) => {
                assert_eq!((shown, of), (wait, Some(span)));
            }
            (Rejection::Stray, Admission::Go(_)) => {}
            (expected, admission) => panic!("{expected:?} is followed by {admission:?}"),
        }
    }
}

#[test]
fn a_pause_that_was_asked_for_holds_and_is_saved() {
    for (asked, held) in [(5, 5), (3600, 3600), (1_000_000, 3600), (u64::MAX, 3600)] {
        let mut ledger = ledger_with(1, 10);
        ledger.pause(Duration::from_secs(asked), START);
        // A shorter one does not cut it off.
        ledger.pause(Duration::from_secs(1), START);
        let mut loaded = Ledger::load(&ledger.save()).unwrap();
        let held = Duration::from_secs(held);
        for ledger in [&mut ledger, &mut loaded] {
            assert_eq!(ledger.paused_for(START), held);
            assert!(matches!(ledger.admit(START, &Rules::default()), Admission::Wait(wait, None) if wait == held));
            assert_eq!(ledger.left(&Rules::default()), Some(9), "a pause spends nothing");
            assert!(matches!(ledger.admit(START + held, &Rules::default()), Admission::Go(_)));
        }
    }
}

#[test]
fn a_429_is_remembered_by_a_saved_ledger_and_an_older_one_reads_as_before() {
    let mut ledger = ledger_with(1, 10);
    let Admission::Go(permit) = ledger.admit(START, &Rules::default()) else { panic!("there is room") };
    let wait = Duration::from_secs(2000);
    ledger.rejected(permit, &[Reading::default(); 3], Some(wait), START, &Rules::default());
    let mut loaded = Ledger::load(&ledger.save()).unwrap();
    let Admission::Wait(held, Some(Span::Hour)) = loaded.admit(START, &Rules::default()) else { panic!("forgotten") };
    assert_eq!(held, wait);
    let window = r#"{"limit":{"requests":10},"counted":1,"opened_at":1000000000}"#;
    let older = format!(r#"{{"windows":[{window},{window},{window}],"learned":true,"paused_until":null}}"#);
    assert_eq!(Ledger::load(&older).unwrap(), Ledger::load(&ledger_with(1, 10).save()).unwrap());
}

#[test]
fn no_wait_is_longer_than_its_window_when_the_clock_is_set_back() {
    let mut ledger = ledger_with(10, 10);
    let year_ago = START - Duration::from_hours(365 * 24);
    let Admission::Wait(wait, Some(span)) = ledger.admit(year_ago, &Rules::default()) else {
        panic!("the windows are used up")
    };
    assert_eq!(wait, span.length());
    assert!(matches!(ledger.admit(year_ago + wait, &Rules::default()), Admission::Go(_)));
}

#[test]
fn a_usage_that_fell_means_a_new_window() {
    let mut ledger = ledger_with(9, 10);
    let Admission::Go(permit) = ledger.admit(START, &Rules::default()) else { panic!("there is room") };
    let reading = Reading { limit: WindowLimit::Requests(10), usage: Some(1), left: Some(9) };
    ledger.answered(permit, &[reading; 3], START + Duration::from_secs(1));
    assert_eq!(ledger.left(&Rules::default()), Some(9));
}

#[test]
fn answers_that_overtake_each_other_open_no_window() {
    let mut ledger = ledger_with(3, 10);
    let Admission::Go(first) = ledger.admit(START, &Rules::default()) else { panic!("there is room") };
    let Admission::Go(second) = ledger.admit(START, &Rules::default()) else { panic!("there is room") };
    let reading = |usage| [Reading { limit: WindowLimit::Requests(10), usage: Some(usage), left: Some(10 - usage) }; 3];
    ledger.answered(first, &reading(5), START);
    ledger.answered(second, &reading(4), START);
    assert_eq!(ledger.left(&Rules::default()), Some(5));
}

#[test]
fn limits_are_read_as_they_are_written() {
    let limits: Limits = "200/m,400/h,2000/d".parse().unwrap();
    assert_eq!(limits, Limits([Some(200), Some(400), Some(2000)]));
    assert_eq!("400/h".parse::<Limits>().unwrap().to_string(), "400/h");
    for wrong in ["", "200", "200/s", "x/m", "0/m"] {
        assert!(wrong.parse::<Limits>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn with_other_clients_every_request_gets_through_and_a_429_stops_the_action(
        seed in any::<u64>(), greed in 1_u32..40, requests in 1_u64..900,
    ) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut server = Server::new([50, 200, 600]);
        let mut ledger = Ledger::default();
        run(&mut server, &mut ledger, requests, PARALLEL, |server, now| {
            if random.u32(..100) < greed {
                let refused = server.refused;
                let _ = server.handle(now);
                server.refused = refused;
            }
        });
        // Each 429 ends a window for us; requests under way then may meet it too, no later one does.
        let windows = requests / 40 + 2;
        prop_assert!(server.refused <= windows * PARALLEL as u64);
    }
}
