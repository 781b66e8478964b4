//! The loop of a service: rests, obeys, and makes passes one after the other.

use std::collections::BTreeSet;
use std::time::Duration;

use super::board::Phase;
use super::control::{ApproveAnswer, Command, PauseAnswer, ResumeAnswer, Unable};
use super::service::{MadeWay, Service, Standing, WatchSummary, close};
use crate::model::Timestamp;
use crate::ops::{Notice, Session, chain};
use crate::state;
use crate::watcher::Look;

/// How often a credential that Apollo refused is looked at, whether it was replaced.
const CREDENTIAL_LOOK: Duration = Duration::from_secs(10);

impl Service {
    /// Runs until it is asked to stop, or for one pass. The state is released then, well or not.
    pub async fn run(mut self) -> (WatchSummary, Result<(), state::Error>) {
        while let Some(look) = self.rest().await {
            if self.stands_by(&look).await {
                self.missed = Some(self.with_missed(look));
                continue;
            }
            self.pass(look).await;
            if self.once {
                break;
            }
        }
        self.board.note(|status| status.phase = Phase::Ending);
        self.summary.ended = self.stop.reason().unwrap_or_default();
        let closed = match self.session.take() {
            Some(session) => close(session).await,
            None => Ok(()),
        };
        if let Some(place) = self.place.take() {
            place.close().await;
        }
        (self.summary, closed)
    }

    /// Waits until a pass is to be made; `None` when the service is to end.
    async fn rest(&mut self) -> Option<Look> {
        loop {
            if self.stop.is_requested() {
                return None;
            }
            while let Some(command) = self.queue.pop_front().or_else(|| self.commands.try_recv().ok()) {
                let Some(look) = self.obey(command).await else { continue };
                // What was approved is that plan alone, whatever the directory is about to become.
                if self.asked.is_some() {
                    return Some(look);
                }
                if let Some(look) = self.watcher.unless_busy(look) {
                    return Some(look);
                }
            }
            let is_paused = self.paused.is_some();
            if !is_paused && self.made_way.is_some_and(MadeWay::calls_for_a_pass) {
                if let Some(look) = self.watcher.unless_busy(nothing_new()) {
                    return Some(look);
                }
                self.made_way = Some(MadeWay::Change);
            }
            let now = self.now();
            let due = self.again_at.map_or(self.resync_at, |again_at| again_at.min(self.resync_at));
            if !is_paused && due <= now {
                let look = self.due(now);
                if let Some(look) = self.watcher.unless_busy(look) {
                    return Some(look);
                }
                self.resync_at = self.resync_at.max(now + self.settings.resync);
                continue;
            }
            let paused = self.paused;
            let is_standing_by = self.standing_by.is_some();
            let resync = self.settings.resync;
            self.board.note(|status| {
                status.resync = resync;
                status.phase = match (is_paused, is_standing_by) {
                    (true, _) => Phase::Paused,
                    (false, true) => Phase::StandingBy,
                    (false, false) => Phase::Resting,
                };
                status.paused_since = paused;
                status.next_pass = (!is_paused).then_some(due);
            });
            tokio::select! {
                () = self.stop.requested_for_good() => return None,
                Some(command) = self.commands.recv() => self.queue.push_back(command),
                look = self.watcher.changed(), if !is_paused => return Some(look),
                // The clock counts whole milliseconds: one more, so that the time has come for certain.
                () = tokio::time::sleep(due.since(now) + Duration::from_millis(1)), if !is_paused => {}
                // The look that follows finds the state taken over, and has the service stand by.
                () = until_taken_over(self.session.as_deref()), if !is_paused => return Some(nothing_new()),
                () = tokio::time::sleep(CREDENTIAL_LOOK), if !is_paused && self.standing == Standing::Refused => {
                    if self.renew_credential().await {
                        return Some(nothing_new());
                    }
                }
            }
        }
    }

    fn due(&mut self, now: Timestamp) -> Look {
        self.again_at = self.again_at.filter(|&again_at| again_at > now);
        if self.resync_at > now {
            return nothing_new();
        }
        // What was wrong with a new credential may have passed.
        self.turned_down = None;
        Look::Rescan
    }

    /// Does what it is told; a pass may have to follow.
    async fn obey(&mut self, command: Command) -> Option<Look> {
        match command {
            Command::Pause { reply } => {
                let answer = self.pause().await;
                // Whoever asked may have left; what was asked is done all the same.
                let _ = reply.send(answer);
                None
            }
            Command::Resume { reply } => {
                let answer = self.resume();
                let resumed = matches!(answer, Ok(ResumeAnswer::Resumed));
                let _ = reply.send(answer);
                resumed.then_some(Look::Rescan)
            }
            Command::Approve { reply, .. } if self.paused.is_some() => {
                let since = self.paused.unwrap_or_default();
                let _ = reply.send(Ok(ApproveAnswer::Paused { since }));
                None
            }
            Command::Approve { digest, reply } => {
                self.asked = Some((digest, reply));
                Some(nothing_new())
            }
            Command::Displaced => {
                self.release().await;
                self.paused.is_none().then_some(Look::Rescan)
            }
            Command::Reload(settings) => {
                self.reload(*settings).await;
                self.paused.is_none().then_some(Look::Rescan)
            }
        }
    }

    async fn pause(&mut self) -> Result<PauseAnswer, Unable> {
        if let Some(since) = self.paused {
            return Ok(PauseAnswer::AlreadyPaused { since });
        }
        let place = self.place.as_ref().ok_or(Unable::OnePass)?;
        // First the mark: a service that ends here begins paused.
        let since = place.pause(self.now()).map_err(|error| Unable::Marking(chain(&error)))?;
        self.paused = Some(since);
        self.standing_by = None;
        self.release().await;
        self.board.note(|status| {
            status.phase = Phase::Paused;
            status.standing_by = None;
            status.paused_since = Some(since);
            status.next_pass = None;
        });
        self.say(Notice::Paused);
        Ok(PauseAnswer::Paused { since })
    }

    fn resume(&mut self) -> Result<ResumeAnswer, Unable> {
        if self.paused.is_none() {
            return Ok(ResumeAnswer::NotPaused);
        }
        if let Some(place) = &self.place {
            place.resume().map_err(|error| Unable::Marking(chain(&error)))?;
        }
        self.paused = None;
        self.board.note(|status| status.paused_since = None);
        self.say(Notice::Resumed);
        Ok(ResumeAnswer::Resumed)
    }
}

/// Returns once another process may have the state that this service holds.
async fn until_taken_over(session: Option<&Session>) {
    match session {
        Some(session) => session.store().until_taken_over().await,
        None => std::future::pending().await,
    }
}

/// Calls for a pass although no file changed.
fn nothing_new() -> Look {
    Look::Changed(BTreeSet::new())
}
