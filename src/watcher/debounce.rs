//! When a burst of events is over.
//!
//! A pure state machine: `now` is an argument, nothing waits and nothing is looked up here.

use std::time::Duration;

use tokio::time::Instant;

/// Longest time a look is put off because the directory is held by a writer such as git.
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// Pause before asking again whether the directory is still held: a release raises no event.
const HOLD_PAUSE: Duration = Duration::from_millis(100);

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing happened: wait for an event.
    Idle,
    /// Wait for an event or until then.
    Wait(Instant),
    /// The burst is over; told once.
    Due,
}

/// Gathers events into bursts.
#[derive(Debug)]
pub(super) struct Debounce {
    quiet: Duration,
    longest: Duration,
    burst: Option<Burst>,
}

#[derive(Debug, Clone, Copy)]
struct Burst {
    first: Instant,
    last: Instant,
}

impl Debounce {
    pub(super) fn new(quiet: Duration, longest: Duration) -> Self {
        Self { quiet, longest, burst: None }
    }

    /// Notes that something happened.
    pub(super) fn touch(&mut self, now: Instant) {
        let first = self.burst.map_or(now, |burst| burst.first);
        self.burst = Some(Burst { first, last: now });
    }

    /// Says what to do; `is_held` is asked only when a look would be due.
    pub(super) fn step(&mut self, now: Instant, is_held: impl FnOnce() -> bool) -> Step {
        let Some(Burst { first, last }) = self.burst else { return Step::Idle };
        let due = (last + self.quiet).min(first + self.longest);
        if now < due {
            return Step::Wait(due);
        }
        if now < first + LONGEST_HOLD && is_held() {
            return Step::Wait(now + HOLD_PAUSE);
        }
        self.burst = None;
        Step::Due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn debounce() -> (Debounce, Instant) {
        (Debounce::new(seconds(1), seconds(5)), Instant::now())
    }

    #[test]
    fn without_events_there_is_nothing_to_do() {
        let (mut debounce, start) = debounce();
        assert_eq!(debounce.step(start + seconds(60), || false), Step::Idle);
    }

    #[test]
    fn a_burst_is_due_once_when_it_went_quiet() {
        let (mut debounce, start) = debounce();
        debounce.touch(start);
        assert_eq!(debounce.step(start, || false), Step::Wait(start + seconds(1)));
        debounce.touch(start + seconds(1) / 2);
        assert_eq!(debounce.step(start + seconds(1), || false), Step::Wait(start + seconds(3) / 2));
        assert_eq!(debounce.step(start + seconds(3) / 2, || false), Step::Due);
        assert_eq!(debounce.step(start + seconds(3), || false), Step::Idle);
    }

    #[test]
    fn a_burst_that_never_goes_quiet_is_due_after_the_longest_wait() {
        let (mut debounce, start) = debounce();
        for half in 0..10 {
            let now = start + half * seconds(1) / 2;
            debounce.touch(now);
            assert!(matches!(debounce.step(now, || false), Step::Wait(_)), "due after {half} halves");
        }
        assert_eq!(debounce.step(start + seconds(5), || false), Step::Due);
    }

    #[test]
    fn a_new_burst_has_its_own_longest_wait() {
        let (mut debounce, start) = debounce();
        debounce.touch(start);
        assert_eq!(debounce.step(start + seconds(4), || false), Step::Due);
        debounce.touch(start + seconds(4));
        assert_eq!(debounce.step(start + seconds(4), || false), Step::Wait(start + seconds(5)));
    }

    #[test]
    fn a_held_directory_is_waited_for_and_released_at_once() {
        let (mut debounce, start) = debounce();
        debounce.touch(start);
        let now = start + seconds(2);
        assert_eq!(debounce.step(now, || true), Step::Wait(now + HOLD_PAUSE));
        assert_eq!(debounce.step(now + HOLD_PAUSE, || false), Step::Due);
    }

    #[test]
    fn a_directory_held_for_good_delays_a_look_by_half_a_minute_at_most() {
        let (mut debounce, start) = debounce();
        debounce.touch(start);
        assert!(matches!(debounce.step(start + seconds(29), || true), Step::Wait(_)));
        assert_eq!(debounce.step(start + LONGEST_HOLD, || true), Step::Due);
    }

    #[test]
    fn whether_it_is_held_is_not_asked_before_a_look_would_be_due() {
        let (mut debounce, start) = debounce();
        debounce.touch(start);
        assert_eq!(debounce.step(start, || panic!("asked too early")), Step::Wait(start + seconds(1)));
    }
}
