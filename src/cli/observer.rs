//! Passes the events of a service to its log and its metrics.
//!
//! Called by the thread and in the span where an event happens; never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::context::Context;
use crate::model::Timestamp;
use crate::ops::{Clock, Event};
use crate::ui::{Metrics, log_event};

/// Hears every event of a service, at once.
pub(super) struct Observer {
    /// Not where people are told by the shell.
    logs: bool,
    metrics: Metrics,
    clock: Clock,
    /// When something was heard last, in milliseconds since 1970.
    last_heard: AtomicU64,
}

impl Observer {
    pub(super) fn new(context: &Context) -> Arc<Self> {
        let clock = Clock::system();
        let logs = context.shell.speaks_log();
        let last_heard = AtomicU64::new(clock.now().0);
        Arc::new(Self { logs, metrics: Metrics::default(), clock, last_heard })
    }

    /// Makes what a session tells its events to, and where they are then shown from.
    pub(super) fn channel(self: &Arc<Self>) -> (Arc<dyn Fn(Event) + Send + Sync>, UnboundedReceiver<Event>) {
        let (shown, events) = unbounded_channel();
        let observer = Arc::clone(self);
        let tell = move |event| {
            observer.hear(&event);
            // Whoever showed them is gone only when the process ends.
            drop(shown.send(event));
        };
        (Arc::new(tell), events)
    }

    fn hear(&self, event: &Event) {
        self.last_heard.store(self.clock.now().0, Ordering::Relaxed);
        self.metrics.event(event);
        if self.logs {
            log_event(event);
        }
    }

    pub(super) fn last_heard(&self) -> Timestamp {
        Timestamp(self.last_heard.load(Ordering::Relaxed))
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
