//! Status messages of a service to systemd, or to any supervisor that sets `NOTIFY_SOCKET`.
//!
//! Without a supervisor, does nothing and never fails.

use std::cell::Cell;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// The supervisor of this process, if it has one.
pub(super) struct Supervisor {
    /// When to say that the process is alive; `None` where nobody wants to know.
    watchdog: Option<Interval>,
    /// Whether it was said that it cannot be told anything.
    has_failed: Cell<bool>,
}

impl Supervisor {
    /// Finds out what is to be told. Must be called within a tokio runtime.
    pub(super) fn find() -> Self {
        Self { watchdog: sd_notify::watchdog_enabled().map(beats), has_failed: Cell::new(false) }
    }

    /// The service is up: it holds the state, or is paused, and answers.
    pub(super) fn ready(&self) {
        self.notify(&[NotifyState::Ready]);
    }

    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.notify(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!(%error, "cannot tell the supervisor of a reload"),
        }
    }

    pub(super) fn stopping(&self) {
        self.notify(&[NotifyState::Stopping]);
    }

    /// Shows a line beside the service's name.
    pub(super) fn status(&self, text: &str) {
        self.notify(&[NotifyState::Status(text)]);
    }

    /// Says in time that the process is alive, for as long as it is polled.
    pub(super) async fn keep_alive(&mut self) {
        loop {
            let Some(watchdog) = &mut self.watchdog else { return std::future::pending().await };
            watchdog.tick().await;
            self.notify(&[NotifyState::Watchdog]);
        }
    }

    fn notify(&self, states: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(states)
            && !self.has_failed.replace(true)
        {
            tracing::warn!(%error, "the supervisor cannot be told how this service is doing");
        }
    }
}

/// Twice in the time that the supervisor waits.
fn beats(timeout: Duration) -> Interval {
    let pause = (timeout / 2).max(Duration::from_millis(1));
    let mut beats = interval_at(Instant::now() + pause, pause);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}
