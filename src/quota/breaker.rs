//! Which requests of one kind go out while the server fails at all of them.
//!
//! Arithmetic only: `now` is an argument, sending and waiting are the caller's. What counts as a failure is the
//! caller's to say: an answer that leaves a doubt, or a connection that could not be made.

use std::time::Duration;

use crate::model::Timestamp;

use super::Backoff;

/// After so many failures in a row, one request at a time goes out.
const FAILURES: u32 = 3;

/// The shortest first pause, whatever is asked for: a refused connection costs nothing and would be tried without end.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause between two probes.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// The requests of one kind, as far as they fail.
#[derive(Debug, Clone)]
pub struct Breaker {
    pauses: Backoff,
    /// In a row.
    failures: u32,
    /// When the first of the row failed.
    since: Option<Timestamp>,
    outage: Option<Outage>,
}

#[derive(Debug, Clone)]
struct Outage {
    /// Probes that failed.
    probes: u32,
    next_probe: Timestamp,
    is_probing: bool,
    is_given_up: bool,
}

/// Whether a request may go out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// The next probe is due in this time.
    Wait(Duration),
    /// A probe is under way, and how it ends decides.
    WaitForProbe,
    /// The outage has lasted longer than it is waited for.
    GivenUp,
}

/// Leave to send one request; handed back with how it ended.
#[derive(Debug)]
#[must_use = "a probe that is not handed back keeps all others waiting for good"]
pub struct Attempt {
    is_probe: bool,
}

/// What a failure changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// Nothing: there are too few of them, or it was sent before the outage was known.
    Noted,
    /// From now on one request at a time goes out, the next at this time.
    Outage(Timestamp),
    /// A probe failed; the next goes out at this time.
    GoesOn(Timestamp),
    /// It has lasted for longer than it is waited for.
    GivenUp,
}

impl Breaker {
    /// Begins with no failures; probes pause for `first_pause`, then ever longer.
    pub fn new(first_pause: Duration) -> Self {
        let pauses = Backoff { base: first_pause.max(SHORTEST_PAUSE), cap: LONGEST_PAUSE };
        Self { pauses, failures: 0, since: None, outage: None }
    }

    /// Tells whether a request may go out at `now`; asking changes nothing.
    pub fn gate(&self, now: Timestamp) -> Gate {
        match &self.outage {
            Some(outage) if outage.is_given_up => Gate::GivenUp,
            Some(outage) if outage.is_probing => Gate::WaitForProbe,
            Some(outage) if outage.next_probe > now => Gate::Wait(outage.next_probe.since(now)),
            Some(_) | None => Gate::Open,
        }
    }

    /// Returns leave to send, where the gate is open.
    pub fn enter(&mut self, now: Timestamp) -> Option<Attempt> {
        if self.gate(now) != Gate::Open {
            return None;
        }
        let is_probe = match &mut self.outage {
            Some(outage) => {
                outage.is_probing = true;
                true
            }
            None => false,
        };
        Some(Attempt { is_probe })
    }

    /// Notes a request that got an answer of any use. Returns since when the outage was that it ended.
    #[expect(clippy::needless_pass_by_value, reason = "an attempt is handed back once")]
    pub fn succeeded(&mut self, attempt: Attempt) -> Option<Timestamp> {
        let Attempt { is_probe: _ } = attempt;
        self.failures = 0;
        let since = self.since.take();
        self.outage.take().and(since)
    }

    /// Notes a request that says nothing of the server: it was not sent, or turned away for want of quota.
    #[expect(clippy::needless_pass_by_value, reason = "an attempt is handed back once")]
    pub fn undecided(&mut self, attempt: Attempt) {
        if let (true, Some(outage)) = (attempt.is_probe, &mut self.outage) {
            outage.is_probing = false;
        }
    }

    /// Notes a request that failed; an outage of `longest` is given up after a last probe.
    #[expect(clippy::needless_pass_by_value, reason = "an attempt is handed back once")]
    pub fn failed(&mut self, attempt: Attempt, now: Timestamp, longest: Option<Duration>) -> Failed {
        self.failures = self.failures.saturating_add(1);
        let since = *self.since.get_or_insert(now);
        let ends_at = longest.map(|longest| since + longest);
        let is_over = ends_at.is_some_and(|ends_at| ends_at <= now);
        let next = |probes| {
            let next = now + self.pauses.pause(probes + 1, 1.0);
            ends_at.filter(|_| !is_over).map_or(next, |ends_at| next.min(ends_at))
        };
        match &mut self.outage {
            None if self.failures < FAILURES => Failed::Noted,
            None => {
                let next_probe = next(0);
                self.outage = Some(Outage { probes: 0, next_probe, is_probing: false, is_given_up: is_over });
                if is_over { Failed::GivenUp } else { Failed::Outage(next_probe) }
            }
            Some(_) if !attempt.is_probe => Failed::Noted,
            Some(outage) => {
                outage.is_probing = false;
                outage.probes = outage.probes.saturating_add(1);
                outage.is_given_up = is_over;
                outage.next_probe = next(outage.probes);
                if is_over { Failed::GivenUp } else { Failed::GoesOn(outage.next_probe) }
            }
        }
    }

    /// Takes up again what was given up: a run begins again, and the row with its next failure.
    pub fn resume(&mut self, now: Timestamp) {
        if let Some(outage) = self.outage.as_mut().filter(|outage| outage.is_given_up) {
            outage.is_given_up = false;
            outage.next_probe = now;
            self.since = Some(now);
        }
    }

    /// Tells since when requests fail; `None` while there is no outage.
    pub fn outage_since(&self) -> Option<Timestamp> {
        self.outage.as_ref().and(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_700_000_000_000);

    fn at(seconds: u64) -> Timestamp {
        START + Duration::from_secs(seconds)
    }

    /// Sends a request as soon as the gate lets it, and has it fail; tells when it went out, in seconds.
    fn fail(breaker: &mut Breaker, now: &mut u64, longest: Option<Duration>) -> Result<u64, Gate> {
        loop {
            match breaker.gate(at(*now)) {
                Gate::Open => {}
                Gate::Wait(time) => {
                    *now += time.as_secs();
                    continue;
                }
                other => return Err(other),
            }
            let attempt = breaker.enter(at(*now)).unwrap();
            breaker.failed(attempt, at(*now), longest);
            return Ok(*now);
        }
    }

    #[test]
    fn an_outage_is_probed_ever_less_often_until_it_is_given_up() {
        let table: [(Option<u64>, &[u64]); 5] = [
            // Until when an outage is waited for, and when requests went out.
            (Some(0), &[0, 0, 0]),
            (Some(2), &[0, 0, 0, 1, 2]),
            (Some(30), &[0, 0, 0, 1, 3, 7, 15, 30]),
            (Some(600), &[0, 0, 0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 600]),
            (None, &[0, 0, 0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111, 1411, 1711]),
        ];
        for (longest, expected) in table {
            let longest_wait = longest.map(Duration::from_secs);
            let mut breaker = Breaker::new(Duration::from_secs(1));
            let mut now = 0;
            let mut sent = Vec::new();
            let end = loop {
                match fail(&mut breaker, &mut now, longest_wait) {
                    Ok(time) => sent.push(time),
                    Err(gate) => break Some(gate),
                }
                if longest.is_none() && sent.len() == expected.len() {
                    break None;
                }
            };
            assert_eq!((sent.as_slice(), end), (expected, longest.map(|_| Gate::GivenUp)), "{longest:?}");
        }
    }

    #[test]
    fn two_failures_and_a_success_are_no_outage() {
        let mut breaker = Breaker::new(Duration::from_secs(1));
        for round in 0..10 {
            for _ in 0..2 {
                let attempt = breaker.enter(at(round)).unwrap();
                assert_eq!(breaker.failed(attempt, at(round), None), Failed::Noted);
            }
            let attempt = breaker.enter(at(round)).unwrap();
            assert_eq!(breaker.succeeded(attempt), None);
        }
        assert_eq!(breaker.gate(at(99)), Gate::Open);
    }

    #[test]
    fn one_probe_goes_out_at_a_time_and_the_first_success_opens_for_all() {
        let mut breaker = Breaker::new(Duration::from_secs(1));
        let mut under_way: Vec<Attempt> = (0..10).map(|_| breaker.enter(at(0)).unwrap()).collect();
        let outcomes: Vec<Failed> = under_way.drain(..8).map(|attempt| breaker.failed(attempt, at(0), None)).collect();
        let mut expected = vec![Failed::Noted; 8];
        // Those that were sent before it was known make it no longer.
        expected[2] = Failed::Outage(at(1));
        assert_eq!(outcomes, expected);
        assert!(breaker.enter(at(0)).is_none());
        assert_eq!(breaker.gate(at(0)), Gate::Wait(Duration::from_secs(1)));
        let probe = breaker.enter(at(1)).unwrap();
        assert!(breaker.enter(at(1)).is_none());
        assert_eq!(breaker.gate(at(50)), Gate::WaitForProbe);
        assert_eq!(breaker.failed(probe, at(2), None), Failed::GoesOn(at(4)));
        assert_eq!(breaker.outage_since(), Some(at(0)));
        // One that was sent long ago and is answered well says as much as a probe.
        assert_eq!(breaker.succeeded(under_way.remove(0)), Some(at(0)));
        assert_eq!((breaker.gate(at(2)), breaker.outage_since()), (Gate::Open, None));
        let attempt = under_way.remove(0);
        assert_eq!(breaker.failed(attempt, at(2), None), Failed::Noted);
    }

    #[test]
    fn a_probe_that_was_not_sent_leaves_its_place_to_the_next() {
        let mut breaker = Breaker::new(Duration::from_secs(1));
        let mut now = 0;
        for _ in 0..3 {
            fail(&mut breaker, &mut now, None).unwrap();
        }
        let probe = breaker.enter(at(1)).unwrap();
        breaker.undecided(probe);
        assert_eq!(breaker.gate(at(1)), Gate::Open);
    }

    #[test]
    fn what_was_given_up_is_probed_at_once_by_the_next_run() {
        let longest = Some(Duration::from_secs(30));
        let mut breaker = Breaker::new(Duration::from_secs(1));
        let mut now = 0;
        while fail(&mut breaker, &mut now, longest).is_ok() {}
        breaker.resume(at(100));
        assert_eq!(breaker.gate(at(100)), Gate::Open);
        let probe = breaker.enter(at(100)).unwrap();
        assert!(matches!(breaker.failed(probe, at(100), longest), Failed::GoesOn(_)));
    }

    #[test]
    fn no_first_pause_is_none_at_all() {
        let mut breaker = Breaker::new(Duration::ZERO);
        let mut now = 0;
        for _ in 0..3 {
            fail(&mut breaker, &mut now, None).unwrap();
        }
        assert_eq!(breaker.gate(at(0)), Gate::Wait(SHORTEST_PAUSE));
    }
}
