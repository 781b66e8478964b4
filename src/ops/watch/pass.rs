//! One pass: from the files to what is done, or to why not.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;

use super::absent::{HeldBack, is_forget};
use super::board::{Braked, LastLoad, Outcome, Pass, Phase, Trouble};
use super::control::ApproveAnswer;
use super::load::load;
use super::place::Place;
use super::service::{MadeWay, Service, Standing};
use crate::model::Timestamp;
use crate::ops::{
    Cause, Desired, DriftError, Ended, Event, LoadError, Loader, NamesError, Notice, PassEvent, Planned, ProblemKind,
    Report, Session, SessionError, apply, as_found, chain,
};
use crate::plan::{Action, Plan};
use crate::quota::Backoff;
use crate::source;
use crate::state::{self, Snapshot};
use crate::watcher::{Look, Watcher};

/// Pauses after something that keeps the service as a whole from its work.
const PAUSES: Backoff = Backoff { base: Duration::from_secs(5), cap: Duration::from_mins(5) };

/// Shortest rest after a pass, whatever calls for the next at a time that is past.
const SHORTEST_REST: Duration = Duration::from_millis(100);

/// Pause before the state is asked for again that another process writes.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// Shortest time between two questions for names, whatever the files hold.
const NAMES_PAUSE: Duration = Duration::from_mins(5);

/// How often the board is told of a pass under way.
const TICK: Duration = Duration::from_secs(1);

/// How a pass ended.
struct End {
    outcome: Outcome,
    report: Report,
    is_complete: bool,
}

impl End {
    fn new(outcome: Outcome) -> Self {
        Self { outcome, report: Report::default(), is_complete: false }
    }

    fn in_step() -> Self {
        Self { is_complete: true, ..Self::new(Outcome::InStep) }
    }
}

impl Service {
    /// Makes a pass, and notes on the board how it went.
    pub(super) async fn pass(&mut self, look: Look) {
        for notice in self.watcher.notices() {
            self.say(Notice::Watcher(notice));
        }
        let began = self.now();
        self.again_at = None;
        if look == Look::Rescan {
            self.resync_at = began + self.settings.resync;
        }
        self.board.note(|status| status.phase = Phase::Passing);
        let is_patient = matches!(self.made_way.take(), Some(MadeWay::Change | MadeWay::Burst));
        let span = tracing::info_span!("pass", pass = self.summary.passes + 1);
        let End { outcome, report, is_complete } = self.make_pass(look, is_patient).instrument(span).await;
        if let Some((_, reply)) = self.asked.take() {
            // Whoever asked may have left.
            let _ = reply.send(Ok(ApproveAnswer::NoPlan));
        }
        self.stop.pass();
        if outcome != Outcome::Troubled && self.standing != Standing::Refused {
            self.obstacle = None;
        }
        if matches!(outcome, Outcome::InStep | Outcome::Applied) {
            // Any other pass has not tried those whose time has come, and makes its own time for the next.
            let next_try = self.failing.next_try();
            self.wake_at(next_try);
            self.wake_at(self.settings.refresh.map(|_| self.refresh_at));
        }
        self.summary.passes += 1;
        self.summary.last_pass_was_complete = is_complete;
        self.summary.total.add(&report);
        let ended = self.now();
        self.again_at = self.again_at.map(|again_at| again_at.max(ended + SHORTEST_REST));
        let (done, failed, remaining) = (report.done(), report.failed, report.remaining);
        let pass = Pass { began, ended, outcome, done, failed, remaining };
        let failing = Arc::new(self.failing.list());
        let trouble = self.trouble();
        let quota = self.session.as_ref().map(|session| (session.quota(), session.store().serial()));
        let braked = self.braked.clone();
        self.board.note(|status| {
            status.ended(pass.clone());
            // Where changes never end, passes that make way do all the work.
            if outcome.is_good() || (outcome == Outcome::Yielded && done > 0) {
                status.last_good_pass = Some(ended);
            }
            status.ready = status.last_good_pass.is_some() && trouble.is_none();
            status.pending = status.pending.saturating_sub(done);
            (status.failing, status.trouble, status.braked) = (failing, trouble, braked);
            if let Some((quota, serial)) = quota {
                (status.quota, status.serial) = (quota, Some(serial));
            }
        });
        self.tell(Event::Pass(PassEvent::Ended(pass)));
    }

    async fn make_pass(&mut self, look: Look, is_patient: bool) -> End {
        self.renew_credential().await;
        if let Err(end) = self.hold_state().await {
            self.missed = Some(self.with_missed(look));
            return end;
        }
        let look = self.with_missed(look);
        let desired = match self.load(&look).await {
            Some(Ok(desired)) => desired,
            Some(Err(error)) => {
                self.missed = Some(look);
                return self.refused(error);
            }
            None => return End::new(Outcome::Interrupted),
        };
        self.note_load(LastLoad::of(self.now(), &desired.warnings));
        let session = Arc::clone(self.session.as_ref().expect("the state is held"));
        let snapshot = match Box::pin(self.refreshed(&session, &desired)).await {
            Some(snapshot) => Ok(snapshot),
            None => session.snapshot(&desired).await,
        };
        let snapshot = match snapshot {
            Ok(snapshot) => snapshot,
            Err(error) => return self.troubled(ProblemKind::StateUnreadable(chain(&error))),
        };
        let rules = &self.settings.session.rules;
        let planned = crate::ops::plan(&desired, &snapshot, self.policy(), rules, session.now());
        let mut planned = match planned {
            Ok(planned) => planned,
            Err(error) => {
                self.missed = Some(look);
                return self.refused(Arc::new(error));
            }
        };
        let plan = &mut planned.plan;
        self.approval.keep_planned(plan);
        let whole = plan.actions.len();
        let (is_partial, forget_after) = (desired.is_partial(), self.settings.forget_after);
        let no_files = desired.files() == 0 && !is_partial;
        let held_back = self.absent.hold_back(plan, &snapshot, forget_after, no_files, is_partial, session.now());
        self.wake_at(held_back.next());
        self.say_absent(&held_back, no_files);
        let approval = &self.approval;
        let managed = snapshot.unchanged + snapshot.bindings.len();
        let wave = self.absent.wave(managed);
        let let_through = |action: &Action| approval.covers(action);
        let approved = plan.actions.iter().filter(|action| is_forget(&action.operation) && let_through(action)).count();
        plan.brake_again(&self.settings.policy, wave, let_through);
        planned.digest = Some(plan.digest(&snapshot.origin, &desired.digest));
        self.answer_approval(&mut planned);
        self.note_plan(&desired, &planned, &held_back, whole, &session);
        if planned.plan.brakes.is_empty() && !self.dry_run {
            self.failing.hold_back(&mut planned.plan, session.now());
        }
        planned.left_out = whole - planned.plan.actions.len();
        self.tell(Event::Pass(PassEvent::Planned(Box::new(planned.clone()))));
        if !planned.plan.brakes.is_empty() {
            return self.brake(&planned, wave.gone);
        }
        self.braked = None;
        let is_idle = planned.plan.is_empty() && planned.plan.housekeeping.is_empty();
        if self.standing != Standing::Proven && (!is_idle || self.former.is_some()) && !self.dry_run {
            session.courier().try_everything_again();
            if let Err(error) = session.prove_credential(&snapshot).await {
                let (put_off, outage) = (session.courier().ledgers.put_off(), session.courier().outages.given_up());
                drop(session);
                return self.unproven(&error, put_off, outage).await;
            }
            self.standing = Standing::Proven;
            self.former = None;
        }
        if self.dry_run || is_idle {
            if let Some(session) = &self.session {
                session.renew_index_if_behind(&desired, &snapshot).await;
            }
            return match planned.left_out {
                _ if !is_idle => End { is_complete: true, ..End::new(Outcome::OnlyPlanned) },
                0 => End::in_step(),
                _ => End::new(Outcome::InStep),
            };
        }
        // Whoever carries it out may have to close the state.
        drop(session);
        let end = self.carry_out(&planned.plan, &desired, &snapshot, is_patient).await;
        self.absent.note_forgotten(end.report.forgotten.saturating_sub(approved));
        end
    }

    /// Looks what has changed in Apollo, when it is time to; returns the state as if that had been applied.
    ///
    /// `None` when it is not time, or nothing could be seen: the pass goes on without it.
    async fn refreshed(&mut self, session: &Session, desired: &Desired) -> Option<Snapshot> {
        let refresh = self.settings.refresh?;
        if self.standing == Standing::Refused || session.now() < self.refresh_at {
            return None;
        }
        let mut snapshot = session.snapshot_to_refresh(desired).await.ok()?;
        session.courier().try_everything_again();
        if self.standing != Standing::Proven {
            // Whoever applies says why it is not proven.
            session.prove_credential(&snapshot).await.ok()?;
            self.standing = Standing::Proven;
            self.former = None;
        }
        self.refresh_at = session.now() + refresh;
        self.wake_at(Some(self.refresh_at));
        let drift = match session.drift(desired, &mut snapshot).await {
            Ok(drift) => drift,
            Err(DriftError::Problem(problem)) => {
                self.tell(Event::Problem(*problem));
                return None;
            }
            // It was told, or the next load tells it.
            Err(DriftError::Ended | DriftError::Load(_)) => return None,
        };
        for problem in drift.warnings() {
            self.tell(Event::Problem(problem));
        }
        let found = as_found(desired, snapshot, &drift, session.now()).ok()?;
        if !self.dry_run {
            session.note_found(&drift).await.ok()?;
        }
        if !drift.is_none() {
            self.tell(Event::Pass(PassEvent::Drifted(Box::new(drift))));
        }
        Some(found)
    }

    /// Reads the files; asks Apollo for the names in them where those that are known are old, or not good enough.
    async fn load(&mut self, look: &Look) -> Option<Result<Desired, Arc<LoadError>>> {
        let session = Arc::clone(self.session.as_ref().expect("the state is held"));
        let files = Loader::within(&session, &self.dir).bounded(&self.bounds);
        // A state that cannot be read is told of when the plan is made.
        let files = files.knowing(Arc::new(session.names().await.unwrap_or_default()));
        let loaded = load(files.clone(), &self.watcher, look, &self.stop).await?;
        let now = self.now();
        let kinds = match &loaded {
            Ok(desired) if desired.has_old_names(now) => desired.names_used(),
            Ok(_) => return Some(loaded),
            Err(error) => match &**error {
                LoadError::Invalid { names, .. } => *names,
                LoadError::Unreadable(_) => return Some(loaded),
            },
        };
        let is_too_early = self.names_asked_at.is_some_and(|asked_at| now.since(asked_at) < NAMES_PAUSE);
        if !kinds.any() || is_too_early {
            return Some(loaded);
        }
        self.names_asked_at = Some(now);
        match session.learn_names(&kinds.iter().collect::<Vec<_>>()).await {
            Ok(names) => load(files.knowing(Arc::new(names)), &self.watcher, look, &self.stop).await,
            Err(error) => {
                match error {
                    NamesError::Unread(problem) => self.tell(Event::Problem(*problem)),
                    NamesError::Session(error) => {
                        self.tell(Event::Problem(ProblemKind::CredentialUnusable(Cause::from(&error)).into()));
                    }
                    NamesError::Ended => {}
                }
                Some(loaded)
            }
        }
    }

    /// Applies a plan, and makes way when something changes or somebody asks.
    ///
    /// A patient one waits until a burst of changes is over: one that made way at once came before it, and a
    /// directory that never rests would let no pass send anything otherwise.
    async fn carry_out(&mut self, plan: &Plan, desired: &Desired, snapshot: &Snapshot, is_patient: bool) -> End {
        let session = Arc::clone(self.session.as_ref().expect("the state is held"));
        let mut ticks = tokio::time::interval(TICK);
        let mut applying = Box::pin(apply(&session, plan, desired, snapshot));
        let report = loop {
            tokio::select! {
                report = &mut applying => break report,
                look = disturbed(&mut self.watcher, is_patient), if self.made_way.is_none() && !self.once => {
                    self.made_way = Some(if look.is_some() { MadeWay::Burst } else { MadeWay::Change });
                    self.missed = look;
                    self.stop.request(Ended::Yielded);
                    self.say(Notice::MadeWay);
                }
                Some(command) = self.commands.recv(), if !self.once => {
                    self.made_way = Some(MadeWay::Command);
                    self.queue.push_back(command);
                    self.stop.request(Ended::Yielded);
                }
                _ = ticks.tick() => {
                    let (quota, serial) = (session.quota(), session.store().serial());
                    self.board.note(|status| (status.quota, status.serial) = (quota, Some(serial)));
                }
            }
        };
        drop(applying);
        self.failing.note(plan, &report, session.now());
        if !plan.is_empty() {
            self.tell(Event::Pass(PassEvent::Applied(Box::new(report.clone()))));
        }
        let store_has_failed = session.store_has_failed();
        drop(session);
        let is_complete = report.failed == 0 && report.remaining == 0;
        let end = match &report.ended {
            Ended::Fatal if store_has_failed => {
                self.release().await;
                self.troubled_quietly(ProblemKind::StateClosed)
            }
            Ended::Fatal => {
                self.standing = Standing::Refused;
                self.troubled_quietly(ProblemKind::NoCredential)
            }
            Ended::Interrupted | Ended::Terminated => End::new(Outcome::Interrupted),
            Ended::Yielded => End::new(Outcome::Yielded),
            Ended::QuotaExhausted { wait, .. } => {
                self.wake_at(Some(self.now() + *wait));
                End::new(Outcome::WaitsForQuota)
            }
            Ended::Outage { wait, unreachable, .. } => {
                self.wake_at(Some(self.now() + *wait));
                self.troubled_quietly(
                    report.obstacle.clone().unwrap_or(ProblemKind::NoAnswers { unreachable: *unreachable }),
                )
            }
            Ended::Complete => match &report.obstacle {
                Some(obstacle) => self.troubled_quietly(obstacle.clone()),
                None => End::new(Outcome::Applied),
            },
        };
        End { report, is_complete, ..end }
    }

    /// Opens the state if it is not open. Another service that has taken the place meanwhile keeps it.
    async fn hold_state(&mut self) -> Result<(), End> {
        let held = self.place.as_ref().map_or(Ok(false), Place::hold);
        let was_open = self.session.is_some();
        if !matches!(held, Ok(false)) {
            self.release().await;
        }
        match held {
            Ok(true) if was_open => {
                let gone = state::Error::Replaced { path: self.settings.session.state.directory().to_owned() };
                return Err(self.troubled(ProblemKind::StateLost(chain(&gone))));
            }
            Ok(_) => {}
            Err(error) => {
                return Err(self.troubled(ProblemKind::PlaceLost(chain(&error))));
            }
        }
        if self.session.is_some() {
            return Ok(());
        }
        self.board.note(|status| status.phase = Phase::Opening);
        let opened = tokio::select! {
            opened = self.open() => opened,
            () = self.stop.requested_for_good() => return Err(End::new(Outcome::Interrupted)),
        };
        self.board.note(|status| status.phase = Phase::Passing);
        match opened {
            Ok(session) => {
                self.session = Some(Arc::new(session));
                Ok(())
            }
            Err(SessionError::Store(error @ state::Error::Locked { .. })) => {
                let end = self.troubled(ProblemKind::WaitsForState(chain(&error)));
                self.again_at = Some(self.now() + LOCK_PAUSE);
                Err(end)
            }
            Err(error) => {
                if matches!(error, SessionError::Client(_))
                    && let Some(former) = self.former.take()
                {
                    // Not even a client can be made of it.
                    self.turn_down(former, Cause::from(&error)).await;
                    self.again_at = Some(self.now());
                    return Err(End::new(Outcome::Yielded));
                }
                Err(self.troubled(ProblemKind::StateNotOpened(Cause::from(&error))))
            }
        }
    }

    /// Ends a pass whose files cannot be used.
    fn refused(&mut self, error: Arc<LoadError>) -> End {
        let is_passing = match &*error {
            LoadError::Unreadable(source::Error::ReadDirectory { source, .. }) => {
                source.kind() != std::io::ErrorKind::NotFound
            }
            LoadError::Unreadable(_) => true,
            LoadError::Invalid { .. } => false,
        };
        self.note_load(match &*error {
            LoadError::Unreadable(why) => LastLoad::unreadable(self.now(), chain(why)),
            LoadError::Invalid { diagnostics, .. } => LastLoad::of(self.now(), diagnostics),
        });
        self.tell(Event::Pass(PassEvent::Refused(error)));
        if is_passing {
            // Nothing may tell when a disk or a mount can be read again.
            self.wake_at(Some(self.now() + PAUSES.pause(3, 1.0)));
        }
        End::new(Outcome::Refused)
    }

    /// Ends a pass whose plan exceeds limits; says so once for each plan.
    ///
    /// `gone` are those that were forgotten before and count among them.
    fn brake(&mut self, planned: &Planned, gone: usize) -> End {
        let digest = planned.digest.clone().expect("a plan of files has a digest");
        if self.braked.as_ref().is_none_or(|braked| braked.digest != digest) {
            let gone = |of_forgetting: bool| if of_forgetting { gone } else { 0 };
            let brakes = planned.plan.brakes.iter();
            let reasons: Vec<ProblemKind> = brakes
                .map(|brake| ProblemKind::Braked { brake: brake.clone(), gone: gone(brake.kind.is_of_forgetting()) })
                .collect();
            let problems = reasons.iter().cloned().map(Into::into).collect();
            let (counts, since) = (planned.plan.counts(), self.now());
            self.braked = Some(Braked { digest: digest.clone(), reasons, counts, since });
            self.tell(Event::Pass(PassEvent::Braked { problems, digest }));
        }
        End { is_complete: self.dry_run, ..End::new(Outcome::Braked) }
    }

    /// Ends a pass whose credential did not prove to be the state's.
    async fn unproven(&mut self, error: &SessionError, put_off: Option<Ended>, outage: Option<Ended>) -> End {
        self.stop.pass();
        if let Some(Ended::QuotaExhausted { wait, .. }) = put_off {
            self.wake_at(Some(self.now() + wait));
            return End::new(Outcome::WaitsForQuota);
        }
        if let Some(Ended::Outage { unreachable, wait, .. }) = outage {
            // It says nothing of the credential.
            self.wake_at(Some(self.now() + wait));
            return self.troubled_quietly(ProblemKind::NoAnswers { unreachable });
        }
        if matches!(error, SessionError::Stopped) {
            return End::new(Outcome::Interrupted);
        }
        if matches!(error, SessionError::Store(_)) {
            // It says nothing of the credential.
            self.release().await;
            return self.troubled(ProblemKind::StateLost(chain(error)));
        }
        if let Some(former) = self.former.take() {
            self.turn_down(former, Cause::from(error)).await;
            self.again_at = Some(self.now());
            return End::new(Outcome::Yielded);
        }
        self.standing = Standing::Refused;
        self.troubled(ProblemKind::CredentialUnusable(Cause::from(error)))
    }

    /// Lets the plan through if it is the one that was asked for, and answers who asked.
    fn answer_approval(&mut self, planned: &mut Planned) {
        let Some((asked, reply)) = self.asked.take() else { return };
        let digest = planned.digest.clone().expect("a plan of files has a digest");
        let answer = if planned.plan.brakes.is_empty() {
            ApproveAnswer::NothingBraked
        } else if self.dry_run {
            ApproveAnswer::DryRun
        } else if asked == digest {
            self.approval.grant(&planned.plan);
            planned.plan.brakes.clear();
            self.say(Notice::Approved { digest: digest.clone() });
            ApproveAnswer::Approved { counts: planned.plan.counts() }
        } else {
            ApproveAnswer::MovedOn { now: digest }
        };
        // Whoever asked may have left; what was asked is done all the same.
        let _ = reply.send(Ok(answer));
    }

    fn say_absent(&self, held_back: &HeldBack, no_files: bool) {
        if held_back.news > 0 && !no_files {
            let (contacts, forget_after) = (held_back.news, self.settings.forget_after);
            self.tell(Event::Pass(PassEvent::Absent { contacts, forget_after }));
        }
        if held_back.news > 0 && no_files {
            self.say(Notice::NoFiles { dir: self.dir.clone() });
        }
    }

    fn note_plan(&self, desired: &Desired, planned: &Planned, held_back: &HeldBack, whole: usize, session: &Session) {
        let waiting = Arc::new(held_back.waiting.clone());
        let (declared, serial, quota) = (desired.contacts(), planned.plan.serial, session.quota());
        self.board.note(|status| {
            if !desired.is_partial() {
                status.declared = declared;
            }
            (status.pending, status.waiting) = (whole, waiting);
            (status.serial, status.quota) = (Some(serial), quota);
        });
    }

    fn note_load(&self, load: LastLoad) {
        self.board.note(|status| status.last_load = Some(load));
    }

    /// Tells what keeps the service from its work, once as long as it is the same.
    fn troubled(&mut self, error: ProblemKind) -> End {
        if self.obstacle.as_ref().is_none_or(|obstacle| obstacle.error != error) {
            self.tell(Event::Problem(error.clone().into()));
        }
        self.troubled_quietly(error)
    }

    /// Notes what keeps the service from its work, and when it is tried again.
    fn troubled_quietly(&mut self, error: ProblemKind) -> End {
        let now = self.now();
        let known = self.obstacle.take().filter(|obstacle| obstacle.error == error);
        let (since, attempts) = known.map_or((now, 0), |known| (known.since, known.attempts));
        let attempts = attempts.saturating_add(1);
        self.obstacle = Some(Trouble { error, since, attempts, next_try: now });
        self.wake_at(Some(now + PAUSES.pause(attempts, 1.0)));
        End::new(Outcome::Troubled)
    }

    fn trouble(&self) -> Option<Trouble> {
        let next_try = self.again_at.unwrap_or(self.resync_at);
        Some(Trouble { next_try, ..self.obstacle.clone()? })
    }

    /// Makes sure that a pass is made at this time.
    fn wake_at(&mut self, at: Option<Timestamp>) {
        self.again_at = self.again_at.into_iter().chain(at).min();
    }

    pub(super) fn with_missed(&mut self, look: Look) -> Look {
        match self.missed.take() {
            Some(mut missed) => {
                missed.merge(look);
                missed
            }
            None => look,
        }
    }
}

/// Resolves when a pass is to make way for a change: at once, or, with patience, when the burst is over, which it
/// then takes.
async fn disturbed(watcher: &mut Watcher, is_patient: bool) -> Option<Look> {
    if is_patient {
        return Some(watcher.changed().await);
    }
    watcher.stirred().await;
    None
}
