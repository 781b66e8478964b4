//! The breakers in memory: which requests wait while Apollo fails, and when waiting for an outage ends.
//!
//! Decides only by time; the sender decides what counts as a failure.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::{Endpoint, Timestamp};
use crate::quota::{Attempt, Breaker, Failed, Gate};

use crate::ops::{Clock, Ended, Stop};

/// How long an outage is waited for that was there from the beginning: an address that was mistyped must not hold up
/// whoever waits for the run.
const LONGEST_BEFORE_SUCCESS: Duration = Duration::from_secs(30);

/// How long any other outage is waited for, where nobody says otherwise.
const LONGEST: Duration = Duration::from_hours(1);

/// One breaker per kind of request, shared by everything that sends.
#[derive(Debug)]
pub(crate) struct Outages {
    by_endpoint: Mutex<BTreeMap<Endpoint, Kind>>,
    /// Whether the last failure was a connection that could not be made.
    is_unreachable: AtomicBool,
    /// Whether it was told that a kind is given up; those that wait may see it before it is.
    has_told_end: AtomicBool,
    /// Rung whenever a request ended, since that may open a gate.
    ended: Notify,
    /// Whose turn it is to look and send while creates fail.
    turn: tokio::sync::Mutex<()>,
    has_succeeded: AtomicBool,
    first_pause: Duration,
    max_wait: Option<Duration>,
    /// Whether no probe is waited for, since everything is planned again when it is due.
    puts_off: bool,
    clock: Clock,
}

/// One kind of request.
#[derive(Debug)]
struct Kind {
    breaker: Breaker,
    /// When it may be tried again; `None` while such requests are sent.
    given_up: Option<Timestamp>,
}

/// What a request that failed has brought to light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct News {
    /// Since when requests of the kind fail.
    pub(crate) since: Timestamp,
    /// When the next one is sent; `None` when it is no longer waited for.
    pub(crate) next: Option<Timestamp>,
    /// When the outage is no longer waited for; `None` when it is for good.
    pub(crate) ends_at: Option<Timestamp>,
    /// Whether it is the first of the outage, or the first kind that is given up.
    pub(crate) is_first: bool,
}

/// The right to look and to send while others of its kind wait; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a>(#[expect(dead_code, reason = "held, never read")] Option<tokio::sync::MutexGuard<'a, ()>>);

impl Outages {
    pub(crate) fn new(first_pause: Duration, max_wait: Option<Duration>, clock: Clock) -> Self {
        Self {
            by_endpoint: Mutex::default(),
            is_unreachable: AtomicBool::new(false),
            has_told_end: AtomicBool::new(false),
            ended: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            has_succeeded: AtomicBool::new(false),
            first_pause,
            max_wait,
            puts_off: false,
            clock,
        }
    }

    /// Gives a kind up until its next probe is due, instead of holding what waits for it.
    pub(crate) fn put_off(&mut self) {
        self.puts_off = true;
    }

    /// Takes up again what was given up.
    pub(crate) fn try_everything_again(&self) {
        let now = self.clock.now();
        self.has_told_end.store(false, Ordering::Relaxed);
        for kind in self.locked().values_mut() {
            kind.given_up = None;
            kind.breaker.resume(now);
        }
    }

    pub(crate) fn is_given_up(&self, endpoint: Endpoint) -> bool {
        self.locked().get(&endpoint).is_some_and(|kind| kind.given_up.is_some())
    }

    /// Says which kind was given up, that which may be tried again first; `None` when none was.
    pub(crate) fn given_up(&self) -> Option<Ended> {
        let (now, kinds) = (self.clock.now(), self.locked());
        let given_up = kinds.iter().filter_map(|(&endpoint, kind)| Some((kind.given_up?, endpoint, kind)));
        let (until, endpoint, kind) = given_up.min_by_key(|(until, ..)| *until)?;
        let since = kind.breaker.outage_since().unwrap_or(now);
        let unreachable = self.is_unreachable.load(Ordering::Relaxed);
        Some(Ended::Outage { endpoint, unreachable, lasted: now.since(since), wait: until.since(now) })
    }

    /// Waits until a request of this kind may go out; tells whether it may, rather than the run ending first.
    pub(crate) async fn ready(&self, endpoint: Endpoint, stop: &Stop) -> bool {
        loop {
            if stop.is_requested() || self.is_given_up(endpoint) {
                return false;
            }
            // Registered before looking, so that what ends in between is not missed.
            let ended = self.ended.notified();
            let now = self.clock.now();
            let gate = self.locked().get(&endpoint).map_or(Gate::Open, |kind| kind.breaker.gate(now));
            let wait = match gate {
                Gate::Open => return true,
                Gate::Wait(wait) if self.puts_off => {
                    self.change(endpoint, |kind| kind.given_up = Some(now + wait));
                    return false;
                }
                Gate::GivenUp => {
                    self.change(endpoint, |kind| kind.given_up = Some(now));
                    return false;
                }
                // The clock counts whole milliseconds: one more, so that the time has come for certain.
                Gate::Wait(wait) => wait + Duration::from_millis(1),
                Gate::WaitForProbe => Duration::MAX,
            };
            tokio::select! {
                () = ended => {}
                () = tokio::time::sleep(wait.min(LONGEST)) => {}
                () = stop.requested() => {}
            }
        }
    }

    /// Waits for the one turn there is while requests of this kind fail; at once when they do not.
    ///
    /// For work that begins with other requests, which would be wasted on all but one. `None` when the run ends first.
    pub(crate) async fn turn(&self, endpoint: Endpoint, stop: &Stop) -> Option<Turn<'_>> {
        loop {
            let ended = self.ended.notified();
            if !self.is_out(endpoint) {
                return Some(Turn(None));
            }
            if stop.is_requested() || self.is_given_up(endpoint) {
                return None;
            }
            tokio::select! {
                turn = self.turn.lock() => {
                    return self.ready(endpoint, stop).await.then_some(Turn(Some(turn)));
                }
                () = ended => {}
                () = stop.requested() => {}
            }
        }
    }

    /// Returns leave to send one request; `None` when others were faster, and it is to wait again.
    pub(crate) fn enter(&self, endpoint: Endpoint) -> Option<Attempt> {
        let now = self.clock.now();
        self.kind(&mut self.locked(), endpoint).breaker.enter(now)
    }

    /// Notes an answer of any use. Returns how long the outage lasted that it ended.
    pub(crate) fn succeeded(&self, endpoint: Endpoint, attempt: Attempt) -> Option<Duration> {
        self.has_succeeded.store(true, Ordering::Relaxed);
        let since = self.change(endpoint, |kind| kind.breaker.succeeded(attempt))?;
        Some(self.clock.now().since(since))
    }

    /// Notes a request that was not sent, or that says nothing of the server.
    pub(crate) fn undecided(&self, endpoint: Endpoint, attempt: Attempt) {
        self.change(endpoint, |kind| kind.breaker.undecided(attempt));
    }

    /// Notes a request that failed, which `unreachable` ones did without a connection; returns what is to be told of it.
    pub(crate) fn failed(&self, endpoint: Endpoint, attempt: Attempt, unreachable: bool) -> Option<News> {
        let (now, longest) = (self.clock.now(), self.longest());
        self.is_unreachable.store(unreachable, Ordering::Relaxed);
        let (failed, since) = self.change(endpoint, |kind| {
            let failed = kind.breaker.failed(attempt, now, longest);
            if failed == Failed::GivenUp {
                kind.given_up = Some(now);
            }
            (failed, kind.breaker.outage_since().unwrap_or(now))
        });
        let (next, is_first) = match failed {
            Failed::Noted => return None,
            Failed::Outage(next) => (Some(next), true),
            Failed::GoesOn(next) => (Some(next), false),
            Failed::GivenUp => (None, !self.has_told_end.swap(true, Ordering::Relaxed)),
        };
        Some(News { since, next, ends_at: longest.map(|longest| since + longest), is_first })
    }

    /// Reports whether requests of this kind fail at the moment.
    pub(crate) fn is_out(&self, endpoint: Endpoint) -> bool {
        self.locked().get(&endpoint).is_some_and(|kind| kind.breaker.outage_since().is_some())
    }

    /// Reports whether any request got an answer of use.
    pub(crate) fn has_succeeded(&self) -> bool {
        self.has_succeeded.load(Ordering::Relaxed)
    }

    /// Returns how long an outage is waited for; `None` for as long as it takes.
    fn longest(&self) -> Option<Duration> {
        (!self.puts_off).then(|| {
            let longest = self.max_wait.unwrap_or(LONGEST);
            if self.has_succeeded() { longest } else { longest.min(LONGEST_BEFORE_SUCCESS) }
        })
    }

    fn change<T>(&self, endpoint: Endpoint, change: impl FnOnce(&mut Kind) -> T) -> T {
        let result = change(self.kind(&mut self.locked(), endpoint));
        self.ended.notify_waiters();
        result
    }

    fn kind<'k>(&self, kinds: &'k mut BTreeMap<Endpoint, Kind>, endpoint: Endpoint) -> &'k mut Kind {
        kinds.entry(endpoint).or_insert_with(|| Kind { breaker: Breaker::new(self.first_pause), given_up: None })
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Endpoint, Kind>> {
        self.by_endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
