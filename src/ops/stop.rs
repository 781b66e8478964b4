//! The wish to end a run early, seen by everything in it.

use tokio::sync::watch;

use super::Ended;

/// Tells a run that it is to start no further request. Clones are handles to the same wish.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Option<Ended>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// Asks for the end; the first reason given stands. Returns whether this was the first.
    pub fn request(&self, reason: Ended) -> bool {
        self.0.send_if_modified(|wish| {
            let first = wish.is_none();
            wish.get_or_insert(reason);
            first
        })
    }

    pub fn reason(&self) -> Option<Ended> {
        self.0.borrow().clone()
    }

    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Returns once the end was asked for.
    pub async fn requested(&self) {
        let mut wish = self.0.subscribe();
        // The sender lives as long as `self`, so this ends by a wish alone.
        let _ = wish.wait_for(Option::is_some).await;
    }
}
