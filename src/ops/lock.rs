//! Waiting for the lock of a state: a writer waits for other writers, and every process waits for short readers.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::state::{self, Holder};
use crate::store::Progress;

/// How long anyone waits for a process that has the state open without saying who it is.
///
/// It copies what it needs and leaves, or it is opening the state and will say who it is.
pub(super) const NAMELESS_WAIT: Duration = Duration::from_secs(10);

/// The first pause between two tries, and the longest; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How long another process may have the state before anybody is told of it.
const SILENT_WAIT: Duration = Duration::from_millis(400);

/// What holds up the opening of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldUp {
    Nothing,
    /// Another process has the state, for longer than a moment.
    ///
    /// A state that only takes long to open is nobody else's, and not told.
    Taken,
    /// The state was damaged and is built again; so many rows of so many are.
    Rebuilt {
        done: u64,
        all: u64,
    },
}

/// Tells what holds up the opening of a state.
#[derive(Debug, Clone)]
pub struct Waiting(watch::Sender<HeldUp>);

impl Default for Waiting {
    fn default() -> Self {
        Self(watch::Sender::new(HeldUp::Nothing))
    }
}

impl Waiting {
    /// Returns what is told each time that this changes.
    pub fn told(&self) -> watch::Receiver<HeldUp> {
        self.0.subscribe()
    }

    /// Tells how far a state is built again.
    pub fn progress(&self) -> Progress {
        let told = self.0.clone();
        Progress::new(move |done, all| {
            told.send_replace(HeldUp::Rebuilt { done, all });
        })
    }
}

/// Tries again and again, with growing pauses.
#[derive(Debug)]
pub(super) struct Tries {
    started: Instant,
    pause: Duration,
}

impl Tries {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), pause: FIRST_PAUSE }
    }

    /// Returns how much of `bound` is left.
    pub(super) fn left_of(&self, bound: Duration) -> Duration {
        bound.saturating_sub(self.started.elapsed())
    }

    /// Waits for the next try, no longer than until `bound` is over.
    pub(super) async fn pause(&mut self, bound: Duration) {
        tokio::time::sleep(self.pause.min(self.left_of(bound))).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

/// Opens a state for writing as soon as no other process has it, or fails after `timeout`.
///
/// Processes that only read have it for a moment at a time; they are waited for in any case.
pub(super) async fn open<T, F: Future<Output = Result<T, state::Error>>>(
    timeout: Duration,
    waiting: &Waiting,
    mut open: impl FnMut() -> F,
) -> Result<T, state::Error> {
    let mut tries = Tries::start();
    let mut met: Option<Holder> = None;
    let mut is_told = false;
    loop {
        let error = match open().await {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let state::Error::Locked { holder, .. } = &error else { return Err(error) };
        // One that is met once may be dead, and its note not yet removed by whoever has the lock.
        let is_writer = holder.is_some() && holder.as_deref() == met.as_ref();
        met = holder.as_deref().cloned();
        let bound = if is_writer { timeout } else { timeout.max(NAMELESS_WAIT) };
        if tries.left_of(bound).is_zero() {
            return Err(error);
        }
        if !is_told && tries.left_of(SILENT_WAIT).is_zero() {
            waiting.0.send_replace(HeldUp::Taken);
            is_told = true;
        }
        tries.pause(if is_told { bound } else { bound.min(SILENT_WAIT) }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use crate::model::Timestamp;

    fn locked(holder: Option<&str>) -> Result<(), state::Error> {
        let holder = holder.map(|operation| {
            Box::new(Holder {
                pid: 4242,
                user_host: "ada@build.example.com".to_owned(),
                operation: operation.to_owned(),
                since: Timestamp(0),
                version: "0.1.0".to_owned(),
                socket: None,
            })
        });
        Err(state::Error::Locked { state: Path::new("state").into(), holder })
    }

    /// Opens with no time to wait, meeting the given ones in turn and then the last of them for ever.
    ///
    /// Returns how it ended, and at which try.
    async fn meet(met: &[Option<&str>], free_after: Option<usize>) -> (bool, usize) {
        meet_for(Duration::ZERO, met, free_after).await
    }

    async fn meet_for(timeout: Duration, met: &[Option<&str>], free_after: Option<usize>) -> (bool, usize) {
        let (mut tries, waiting) = (0, Waiting::default());
        let opened = open(timeout, &waiting, || {
            tries += 1;
            std::future::ready(if free_after.is_some_and(|free| tries > free) {
                Ok(())
            } else {
                locked(met[(tries - 1).min(met.len() - 1)])
            })
        });
        (opened.await.is_ok(), tries)
    }

    #[tokio::test]
    async fn a_free_state_is_opened_at_once() {
        assert_eq!(meet(&[None], Some(0)).await, (true, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn another_process_is_told_of_and_a_slow_disk_is_not() {
        let waiting = Waiting::default();
        let slow = open(Duration::ZERO, &waiting, || async {
            tokio::time::sleep(SILENT_WAIT * 10).await;
            Ok(())
        });
        slow.await.unwrap();
        assert_eq!(*waiting.told().borrow(), HeldUp::Nothing);
        let taken = open(Duration::from_mins(10), &waiting, || std::future::ready(locked(Some("apply"))));
        let mut told = waiting.told();
        tokio::select! {
            biased;
            told = told.changed() => told.unwrap(),
            opened = taken => panic!("told too late: {opened:?}"),
        }
        assert_eq!(*told.borrow(), HeldUp::Taken);
    }

    #[tokio::test]
    async fn a_writer_is_not_waited_for_unless_asked() {
        assert_eq!(meet(&[Some("apply")], None).await, (false, 2));
    }

    #[tokio::test]
    async fn readers_and_the_notes_of_dead_writers_are_waited_for() {
        assert_eq!(meet(&[None], Some(3)).await, (true, 4));
        assert_eq!(meet(&[Some("apply"), None, None], Some(3)).await, (true, 4));
        assert_eq!(meet(&[None, None, Some("watch")], None).await, (false, 4));
    }

    #[tokio::test]
    async fn with_a_timeout_a_writer_is_waited_for() {
        assert_eq!(meet_for(Duration::from_mins(10), &[Some("apply")], Some(3)).await, (true, 4));
    }
}
