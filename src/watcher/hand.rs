//! The end of a watcher that tests and simulations hold.

use std::sync::Arc;

use super::Look;
use super::outbox::Outbox;

/// Tells a watcher of changes that nobody watched for.
#[derive(Debug, Clone)]
pub struct Hand(Arc<Outbox>);

impl Hand {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self(outbox)
    }

    /// Calls for a look, as an event does.
    pub fn tell(&self, look: Look) {
        self.0.tell(look);
    }
}
