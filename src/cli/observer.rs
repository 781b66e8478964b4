//! Who else hears what a service does: its log.
//!
//! Called where things happen, by the thread and in the span that they happen in; never waits.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::context::Context;
use crate::ops::Event;
use crate::ui::EventLog;

/// Makes what a session tells its events to: the log, when this process speaks in it, and then whoever shows them.
pub(super) fn observe(context: &Context, shown: UnboundedSender<Event>) -> Arc<dyn Fn(Event) + Send + Sync> {
    let log = context.shell.speaks_log().then(EventLog::default);
    Arc::new(move |event| {
        if let Some(log) = &log {
            log.event(&event);
        }
        // Whoever showed them is gone only when the process ends.
        drop(shown.send(event));
    })
}
