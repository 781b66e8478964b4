//! Standing by: another service has a state that machines share, and this one takes over when that is gone.
//!
//! Changes nothing, and asks Apollo for nothing, as long as it stands by.

use std::sync::Arc;
use std::time::Duration;

use super::board::StandingBy;
use super::control::Unable;
use super::service::Service;
use crate::model::Timestamp;
use crate::ops::{Notice, SessionError};
use crate::state::{self, Holder, Location};
use crate::watcher::Look;

/// How often the state is asked for.
const PAUSE: Duration = Duration::from_secs(2);

impl Service {
    /// Takes over if it can; reports whether another process still has the state, so that no pass is to be made.
    ///
    /// Whatever else keeps the state from being opened is for the pass to meet and to tell.
    pub(super) async fn stands_by(&mut self, look: &Look) -> bool {
        if self.session.as_ref().is_some_and(|session| session.store_has_failed()) {
            // Another one may have taken it over.
            self.release().await;
        }
        if self.session.is_some() || !self.may_stand_by() {
            return false;
        }
        let opened = tokio::select! {
            opened = self.open_within(Duration::ZERO) => opened,
            () = self.stop.requested_for_good() => return true,
        };
        let holder = opened.as_ref().err().and_then(|error| self.stands_by_after(error).cloned());
        let Some(holder) = holder else {
            self.session = opened.ok().map(Arc::new);
            if self.standing_by.take().is_some() {
                self.board.note(|status| status.standing_by = None);
                self.say(Notice::TakesOver);
            }
            return false;
        };
        let now = self.now();
        self.note_holder(&holder, now);
        if let Some((_, reply)) = self.asked.take() {
            // Whoever asked may have left.
            let _ = reply.send(Err(Unable::StandsBy { holder: holder.who() }));
        }
        self.again_at = Some(now + PAUSE);
        if *look == Look::Rescan {
            self.resync_at = now + self.settings.resync;
        }
        true
    }

    /// Returns who has the state, where that is waited for.
    pub(super) fn stands_by_after<'e>(&self, error: &'e SessionError) -> Option<&'e Holder> {
        match error {
            SessionError::Store(state::Error::Locked { holder: Some(holder), .. }) if self.may_stand_by() => {
                Some(holder)
            }
            _ => None,
        }
    }

    /// On one machine a second service is a mistake.
    fn may_stand_by(&self) -> bool {
        !self.once && matches!(self.settings.session.state, Location::Database { .. })
    }

    fn note_holder(&mut self, holder: &Holder, now: Timestamp) {
        let holder = holder.who();
        if self.standing_by.as_ref().is_some_and(|standing_by| standing_by.holder == holder) {
            return;
        }
        self.standing_by = Some(StandingBy { holder: holder.clone(), since: now });
        let standing_by = self.standing_by.clone();
        self.board.note(|status| status.standing_by = standing_by);
        self.say(Notice::StandsBy { holder });
    }
}
