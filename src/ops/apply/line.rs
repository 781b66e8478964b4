//! The line to Apollo: when a request may go out, how often it is sent, and what an answer means for those after it.
//!
//! Quota comes first. Decides how often and when to send, never what is sent nor what an answer means for a contact.
//! If there is a state, used quota is written to it before each attempt; without one nothing is written.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::apollo::{self, Answer, Retry};
use crate::journal::{self, Status, Step};
use crate::model::Endpoint;
use crate::quota::{Attempt, Backoff, Permit, Rejection};
use crate::state::{self, CHANGES_PER_COMMIT, Change};
use crate::store::Store;

use super::ledgers::Ledgers;
use super::outages::{News, Outages, Turn};
use crate::ops::{Clock, Ended, Event, Problem, ProblemKind, Stop, problem};

/// How often one request is sent before its action fails, 429s and connections that were never made not counted.
const MAX_ATTEMPTS: u32 = 5;

/// How many pages with a 404 in a row say that nobody can search there.
const PAGES_WITHOUT_SEARCH: u32 = 2;

/// What one attempt came to.
pub(crate) type Outcome<T> = Result<Answer<T>, apollo::Error>;

/// Why a request brought no reply.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The run is ending, and nothing was sent.
    Stopped,
    /// What was looked at before is too old by now, and nothing was sent.
    Stale,
    /// The server turned it down; it had no effect.
    Refused(apollo::Error),
    /// It may or may not have had its effect.
    InDoubt(apollo::Error),
    /// This kind of request cannot succeed in this run, which was said before: the key lacks its scope.
    Barred,
    /// Requests of this kind fail for longer than is waited for, which was said before; nothing was sent.
    Out,
    /// The intent could not be recorded, so nothing was sent.
    Store(state::Error),
}

/// What decides for a whole session when requests go out, and the accounts of it.
pub(crate) struct Line {
    pub(crate) ledgers: Ledgers,
    pub(crate) outages: Outages,
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    pub(crate) backoff: Backoff,
    /// The places for requests under way.
    pub(crate) slots: Semaphore,
    /// Kinds of requests that cannot succeed for now.
    pub(crate) barred: Mutex<BTreeSet<Endpoint>>,
    pub(crate) random: Mutex<fastrand::Rng>,
    pub(crate) events: Arc<dyn Fn(Event) + Send + Sync>,
    /// The state in which stands what is spent; `None` where nobody may write one.
    pub(crate) store: Option<Store>,
}

impl Line {
    /// Makes a line of one's own, that waits for nothing and tells nobody.
    #[cfg(test)]
    pub(crate) fn alone() -> Self {
        let clock = Clock::system();
        Self {
            ledgers: Ledgers::new(&std::collections::BTreeMap::new(), crate::quota::Rules::default(), None, clock),
            outages: Outages::new(Duration::ZERO, None, clock),
            clock,
            stop: Stop::default(),
            backoff: Backoff::REQUEST,
            slots: Semaphore::new(1),
            barred: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(1)),
            events: Arc::new(|_| {}),
            store: None,
        }
    }

    /// Sends a request that changes nothing, as often as that takes.
    pub(crate) async fn ask<T, A: Future<Output = Outcome<T>>>(
        &self,
        endpoint: Endpoint,
        longest: Duration,
        ask: impl Fn() -> A,
    ) -> Result<Answer<T>, Failure> {
        let mut tries = Tries::new(Status::Intended);
        loop {
            let leave = self.admit(endpoint).await?;
            match self.attempt(endpoint, leave, Vec::new(), longest, &ask, &mut tries).await? {
                Verdict::Reply(answer) => return Ok(answer),
                // Looking has no effect that could be in doubt.
                Verdict::Fail(Failure::InDoubt(error)) => return Err(Failure::Refused(error)),
                Verdict::Fail(failure) => return Err(failure),
                Verdict::Again(pause) => self.pause(pause).await,
            }
        }
    }

    /// Makes one attempt: writes what is to be on disk before it, with its quota, and settles its account.
    pub(super) async fn attempt<T, A: Future<Output = Outcome<T>>>(
        &self,
        endpoint: Endpoint,
        leave: Leave<'_>,
        changes: Vec<Change>,
        longest: Duration,
        ask: impl FnOnce() -> A,
        tries: &mut Tries,
    ) -> Result<Verdict<T>, Failure> {
        if let Err(failure) = self.note(endpoint, changes, longest).await {
            self.take_back(endpoint, leave);
            return Err(failure);
        }
        tries.take(Step::Send);
        let Leave { permit, attempt, slot } = leave;
        let sent = Instant::now();
        let outcome = ask().await;
        drop(slot);
        self.heard(endpoint, &outcome, sent.elapsed());
        let verdict = self.judge(endpoint, permit, attempt, outcome, tries);
        // An answer may have asked for a pause, which the next run is to know of too.
        if let (Some(store), Some(change)) = (&self.store, self.ledgers.pause_to_save(endpoint)) {
            store.commit(vec![change]).await.map_err(Failure::Store)?;
        }
        self.ledgers.tell_urgent_news(endpoint).await.map_err(Failure::Store)?;
        Ok(verdict)
    }

    /// Writes what is to be on disk before an attempt that may take as long as `longest`, with its quota.
    async fn note(&self, endpoint: Endpoint, mut changes: Vec<Change>, longest: Duration) -> Result<(), Failure> {
        let Some(store) = &self.store else { return Ok(()) };
        changes.extend(self.ledgers.spend_to_save(endpoint));
        for some in changes.chunks(CHANGES_PER_COMMIT) {
            store.commit(some.to_vec()).await.map_err(Failure::Store)?;
        }
        // Somebody else could have taken the state over before the answer came.
        if store.outlasts(longest) { Ok(()) } else { Err(Failure::Store(store.taken_over())) }
    }

    /// Tells that an attempt came to its end; the log of the contact it was for gets the id of the answer.
    fn heard<T>(&self, endpoint: Endpoint, outcome: &Outcome<T>, elapsed: Duration) {
        let meta = match outcome {
            Ok(answer) => Some(&answer.meta),
            Err(error) => {
                tracing::debug!(%endpoint, %error, "failed");
                error.meta()
            }
        };
        if let Some(id) = meta.and_then(|meta| meta.request_id.as_deref()) {
            tracing::Span::current().record("request_id", id);
        }
        self.tell(Event::Answered { endpoint, status: meta.map(|meta| meta.status), elapsed });
    }

    /// Settles the account of one attempt and says what comes next.
    fn judge<T>(
        &self,
        endpoint: Endpoint,
        permit: Permit,
        attempt: Attempt,
        outcome: Outcome<T>,
        tries: &mut Tries,
    ) -> Verdict<T> {
        let error = match outcome {
            Ok(answer) => {
                tries.take(Step::Answer);
                self.is_back(endpoint, attempt);
                self.ledgers.answered(endpoint, permit, &answer.meta);
                return Verdict::Reply(answer);
            }
            Err(error) => error,
        };
        let retry = error.retry(endpoint);
        let unsent = matches!(error, apollo::Error::Connect { .. });
        if let (Retry::Later, Some(meta)) = (retry, error.meta()) {
            tries.take(Step::Bounce);
            self.outages.undecided(endpoint, attempt);
            return Verdict::Again(match self.ledgers.rejected(endpoint, permit, meta) {
                Rejection::WindowUsedUp(..) => Duration::ZERO,
                Rejection::Stray => {
                    tries.strays += 1;
                    self.backoff(tries.strays)
                }
            });
        }
        let is_in_doubt = matches!(tries.status, Status::Sent { in_doubt_before: true });
        // Before the account, which lets those go that waited for this answer.
        *(if unsent { &mut tries.unsent } else { &mut tries.failures }) += 1;
        let news = self.is_news(endpoint, &error);
        // A page is a gateway's; time and again, there is nothing behind it.
        let has_no_search = endpoint == Endpoint::SearchContacts
            && error.is_page()
            && error.status() == Some(404)
            && tries.failures >= PAGES_WITHOUT_SEARCH;
        let step = match retry {
            _ if has_no_search => Step::Bounce,
            _ if unsent => Step::Bounce,
            Retry::Never if error.status() == Some(401) || error.is_barred(endpoint) => Step::Bounce,
            // A success that cannot be read, or a redirect that answers work done: no refusal.
            Retry::Never if error.status().is_some_and(|status| status < 400) => Step::Lose,
            // Only a refusal of the content says that the same content was refused before.
            Retry::Never if is_in_doubt && !matches!(error.status(), Some(400 | 422)) => Step::Bounce,
            Retry::Never => Step::Refuse,
            Retry::Now | Retry::Later | Retry::Settle => Step::Lose,
        };
        if unsent || step == Step::Lose {
            self.note_failure(endpoint, attempt, &error);
        } else if error.meta().is_some() {
            self.is_back(endpoint, attempt);
        } else {
            self.outages.undecided(endpoint, attempt);
        }
        match error.meta() {
            Some(meta) => self.ledgers.answered(endpoint, permit, meta),
            None if unsent => self.ledgers.unsent(endpoint, permit),
            None => self.ledgers.lost(endpoint, permit),
        }
        tries.take(step);
        // What never left is nobody's fault: it is tried for as long as the outage is waited for.
        if has_no_search {
            self.bar(&[endpoint]);
        } else if retry == Retry::Now && (unsent || tries.failures < MAX_ATTEMPTS) {
            tries.last = Some(error);
            let paced_by_outage = self.outages.is_out(endpoint);
            return Verdict::Again(if paced_by_outage {
                Duration::ZERO
            } else {
                self.backoff(tries.failures + tries.unsent)
            });
        }
        Verdict::Fail(match tries.status {
            Status::InDoubt => Failure::InDoubt(error),
            _ if news => Failure::Refused(error),
            _ => Failure::Barred,
        })
    }

    /// Draws the consequences of a refusal that concern more than its own action.
    ///
    /// Returns whether it is news: `false` when another action has met and told the same.
    fn is_news(&self, endpoint: Endpoint, error: &apollo::Error) -> bool {
        match error.status() {
            // Any other 403 belongs to its entry.
            Some(403) if error.is_barred(endpoint) => self.bar(&[endpoint]),
            // Where nobody may search, or there is no search, asking again helps nobody.
            Some(403 | 404) if endpoint == Endpoint::SearchContacts && !error.is_page() => self.bar(&[endpoint]),
            _ => true,
        }
    }

    /// Notes a usable answer, and reports the outage that it ended.
    fn is_back(&self, endpoint: Endpoint, attempt: Attempt) {
        if let Some(lasted) = self.outages.succeeded(endpoint, attempt) {
            self.tell(Event::OutageOver { endpoint, lasted });
        }
    }

    /// Notes a request that failed, and reports the outage that it belongs to.
    fn note_failure(&self, endpoint: Endpoint, attempt: Attempt, error: &apollo::Error) {
        let unreachable = matches!(error, apollo::Error::Connect { .. });
        let Some(news) = self.outages.failed(endpoint, attempt, unreachable) else { return };
        let News { since, next, ends_at, is_first } = news;
        let now = self.clock.now();
        if let Some(until) = next {
            let (status, wait) = (error.status(), until.since(now));
            self.tell(Event::Outage { endpoint, status, wait, until, ends_at, is_first });
        } else if is_first {
            let lasted = now.since(since);
            self.tell(Event::Problem(problem::outage(endpoint, error, lasted, self.outages.has_succeeded())));
        }
    }

    /// Waits for the end of an outage, for quota, and for a place among the requests under way.
    pub(super) async fn admit(&self, endpoint: Endpoint) -> Result<Leave<'_>, Failure> {
        let waiting = |wait, until, window| self.tell(Event::WaitingForQuota { endpoint, window, wait, until });
        loop {
            if self.is_barred(endpoint) {
                return Err(Failure::Barred);
            }
            if !self.outages.ready(endpoint, &self.stop).await {
                return Err(self.not_ready());
            }
            let permit = self.ledgers.admit(endpoint, &self.stop, waiting).await.map_err(Failure::Store)?;
            let permit = permit.ok_or(Failure::Stopped)?;
            let slot = self.slots.acquire().await.expect("the semaphore is never closed");
            // Each wait may have been for the very answer that barred this kind, or for the end of the run.
            let failure = if self.is_barred(endpoint) {
                Some(Failure::Barred)
            } else {
                self.stop.is_requested().then_some(Failure::Stopped)
            };
            if failure.is_none()
                && let Some(attempt) = self.outages.enter(endpoint)
            {
                return Ok(Leave { permit, attempt, slot });
            }
            self.ledgers.unsent(endpoint, permit);
            if let Some(failure) = failure {
                return Err(failure);
            }
            // Such requests have begun to fail meanwhile, or another one is the probe.
        }
    }

    /// Waits for the one turn there is while requests of this kind fail, for work that begins with others.
    pub(crate) async fn turn(&self, endpoint: Endpoint) -> Result<Turn<'_>, Failure> {
        self.outages.turn(endpoint, &self.stop).await.ok_or_else(|| self.not_ready())
    }

    /// Says why the end of an outage is not waited for.
    fn not_ready(&self) -> Failure {
        if self.stop.is_requested() { Failure::Stopped } else { Failure::Out }
    }

    /// Takes leave back of which no use was made.
    pub(super) fn take_back(&self, endpoint: Endpoint, leave: Leave<'_>) {
        let Leave { permit, attempt, slot: _ } = leave;
        self.outages.undecided(endpoint, attempt);
        self.ledgers.unsent(endpoint, permit);
    }

    /// Gives back what was drawn of a shared quota and not spent. What cannot be given back ends with its window.
    pub(crate) async fn give_back(&self) {
        if let Err(error) = self.ledgers.give_back().await {
            tracing::warn!(%error, "quota that was drawn and not spent could not be given back");
        }
    }

    /// Tells which requests were put off, as a problem; `None` when none were.
    pub(crate) fn put_off(&self) -> Option<Problem> {
        match self.ledgers.put_off()? {
            Ended::QuotaExhausted { endpoint, wait } => Some(ProblemKind::QuotaUsedUp { endpoint, wait }.into()),
            _ => None,
        }
    }

    /// Tells the requests left of each kind whose limits are known.
    pub(crate) fn tell_quota_left(&self) {
        for endpoint in Endpoint::ALL {
            if let Some(left) = self.ledgers.left(endpoint) {
                self.tell(Event::QuotaLeft { endpoint, left });
            }
        }
    }

    /// Waits before another attempt; a stop ends the wait, and `admit` then sees it.
    pub(crate) async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.requested() => {}
        }
    }

    fn backoff(&self, failures: u32) -> Duration {
        let random = self.random.lock().unwrap_or_else(PoisonError::into_inner).f64();
        self.backoff.pause(failures, random)
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.events)(event);
    }

    /// Notes that requests of these kinds cannot succeed for now; reports whether that is new for any.
    pub(crate) fn bar(&self, endpoints: &[Endpoint]) -> bool {
        let mut barred = self.barred();
        let before = barred.len();
        barred.extend(endpoints);
        barred.len() > before
    }

    pub(crate) fn is_barred(&self, endpoint: Endpoint) -> bool {
        self.barred().contains(&endpoint)
    }

    /// Lets all kinds of requests be tried again, whatever kept them from going out.
    pub(crate) fn try_everything_again(&self) {
        self.barred().clear();
        self.ledgers.put_nothing_off();
        self.outages.try_everything_again();
    }

    fn barred(&self) -> MutexGuard<'_, BTreeSet<Endpoint>> {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to send one request.
pub(super) struct Leave<'a> {
    permit: Permit,
    attempt: Attempt,
    slot: SemaphorePermit<'a>,
}

/// The attempts of one request so far.
#[derive(Debug)]
pub(super) struct Tries {
    pub(super) status: Status,
    failures: u32,
    /// Connections that were never made.
    unsent: u32,
    /// How the last one failed, while it is to be sent again.
    pub(super) last: Option<apollo::Error>,
    /// 429s although every window had room.
    strays: u32,
}

impl Tries {
    pub(super) fn new(status: Status) -> Self {
        Self { status, failures: 0, unsent: 0, last: None, strays: 0 }
    }

    fn take(&mut self, step: Step) {
        self.status = journal::next(self.status, step).expect("requests are sent and answered in turn");
    }
}

pub(super) enum Verdict<T> {
    Reply(Answer<T>),
    Fail(Failure),
    Again(Duration),
}
