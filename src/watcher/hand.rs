//! The end of a watcher that tests and simulations hold.

use std::path::PathBuf;
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, DataChange, ModifyKind};
use notify::{Event, EventKind};

use super::inbox::Inbox;
use super::look::Look;
use super::outbox::Outbox;

/// Tells a watcher of changes that nobody watched for.
#[derive(Debug, Clone)]
pub struct Hand {
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
}

impl Hand {
    pub(super) fn new(inbox: Arc<Inbox>, outbox: Arc<Outbox>) -> Self {
        Self { inbox, outbox }
    }

    /// Calls for a look, as an event does.
    pub fn tell(&self, look: Look) {
        self.outbox.tell(look);
    }

    /// Says that a file was written, as an event does; it is not closed.
    pub fn write(&self, path: PathBuf) {
        self.hear(EventKind::Modify(ModifyKind::Data(DataChange::Any)), path);
    }

    /// Says that a file was closed after writing, as an event does.
    pub fn close(&self, path: PathBuf) {
        self.hear(EventKind::Access(AccessKind::Close(AccessMode::Write)), path);
    }

    fn hear(&self, kind: EventKind, path: PathBuf) {
        self.inbox.receive(Ok(Event::new(kind).add_path(path)));
    }
}
