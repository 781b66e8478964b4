//! The wish to end work early, seen by everything in it.

use tokio::sync::watch;

use super::Ended;

/// Tells work that it is to start no further request. Clones are handles to the same wish.
///
/// A wish is for good where a person or a signal asks, and passing where the work itself met an end: `watch`
/// goes on after that.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Option<Ended>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// Asks for the end; the first reason given stands, except that a passing one gives way to one for good.
    ///
    /// Returns whether the reason stands now and did not before.
    pub fn request(&self, reason: Ended) -> bool {
        self.0.send_if_modified(|wish| {
            let stands = wish.as_ref().is_none_or(|before| before.is_passing() && !reason.is_passing());
            if stands {
                *wish = Some(reason);
            }
            stands
        })
    }

    /// Takes a passing wish back, so that work may begin again; one for good stays.
    pub fn pass(&self) {
        self.0.send_if_modified(|wish| wish.take_if(|wish| wish.is_passing()).is_some());
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

    /// Returns once the end was asked for, for good.
    pub async fn requested_for_good(&self) {
        let mut wish = self.0.subscribe();
        let for_good = |wish: &Option<Ended>| wish.as_ref().is_some_and(|wish| !wish.is_passing());
        let _ = wish.wait_for(for_good).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stands() {
        let stop = Stop::default();
        assert!(stop.request(Ended::Interrupted));
        assert!(!stop.request(Ended::Terminated));
        assert!(!stop.request(Ended::Fatal));
        assert_eq!(stop.reason(), Some(Ended::Interrupted));
    }

    #[test]
    fn a_passing_wish_gives_way_and_can_be_taken_back_and_one_for_good_cannot() {
        let stop = Stop::default();
        assert!(stop.request(Ended::Yielded));
        stop.pass();
        assert!(!stop.is_requested());
        assert!(stop.request(Ended::Fatal));
        assert!(stop.request(Ended::Terminated));
        stop.pass();
        assert_eq!(stop.reason(), Some(Ended::Terminated));
    }
}
