//! Sends requests: quota first, the intent on disk before the wire, again when that is safe.
//!
//! Decides how often and when to send, never what the outcome means for a contact, nor whose the credential is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::apollo::{self, Client, Contact, ListChange, Meta, Profile, Retry, SearchPage};
use crate::failpoints::{self, reached};
use crate::journal::{self, Status, Step};
use crate::model::{ApolloId, Endpoint, Intent, IntentId};
use crate::quota::{Attempt, Backoff, Permit, Rejection};
use crate::state::{self, Change};
use crate::store::Store;

use super::ledgers::Ledgers;
use super::outages::{News, Outages, Turn};
use crate::ops::{Clock, Event, Stop, problem};

/// How often one request is sent before its action fails, 429s and connections that were never made not counted.
const MAX_ATTEMPTS: u32 = 5;

/// A request that changes nothing, so that it needs no intent.
#[derive(Debug, Clone)]
pub(crate) enum Look {
    View(ApolloId),
    Search {
        keywords: String,
        page: u32,
    },
    /// A page of all contacts, those made last first.
    Newest {
        page: u32,
    },
    /// Who the credential acts as.
    Profile,
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Reply {
    Contact(Box<Contact>),
    Page(SearchPage),
    Lists(ListChange),
    Profile(Profile),
}

/// Why a request brought no reply.
#[derive(Debug)]
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

/// A client, and what it was made from.
pub(crate) struct Way {
    pub(crate) client: Client,
    pub(crate) options: apollo::Options,
}

impl Way {
    pub(crate) fn new(options: apollo::Options) -> Result<Self, apollo::Error> {
        Ok(Self { client: Client::new(options.clone())?, options })
    }
}

/// A request to send, and what became of it so far.
pub(crate) struct Parcel<'a> {
    id: IntentId,
    intent: &'a mut Intent,
    /// Goes into the write of the intent.
    with: Vec<Change>,
    /// Nothing is sent after it.
    fresh_until: Option<Instant>,
    tries: Tries,
    /// The way by which it was sent last.
    way: Option<Arc<Way>>,
}

impl<'a> Parcel<'a> {
    pub(crate) fn new(id: IntentId, intent: &'a mut Intent, with: Vec<Change>, fresh_until: Option<Instant>) -> Self {
        // An intent that was sent before comes here in doubt, from settling.
        let tries = Tries::new(if intent.attempts == 0 { Status::Intended } else { Status::InDoubt });
        Self { id, intent, with, fresh_until, tries, way: None }
    }

    /// Returns the way by which it was sent last, which an answer came by.
    pub(crate) fn way(&self) -> &Arc<Way> {
        self.way.as_ref().expect("what was answered was sent")
    }
}

/// What sends for a whole session, and the accounts that say when.
pub(crate) struct Courier {
    pub(crate) store: Store,
    pub(crate) ledgers: Ledgers,
    pub(crate) outages: Outages,
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    pub(crate) backoff: Backoff,
    /// Who asks Apollo; `None` where nothing is going to be sent.
    pub(crate) way: Mutex<Option<Arc<Way>>>,
    /// The places for requests under way.
    pub(crate) slots: Semaphore,
    /// Kinds of requests that cannot succeed for now.
    pub(crate) barred: Mutex<BTreeSet<Endpoint>>,
    pub(crate) random: Mutex<fastrand::Rng>,
    pub(crate) events: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Courier {
    /// Sends the request of an intent, which is on disk before each attempt.
    ///
    /// The intent stays on disk when the outcome is in doubt, and for the caller to drop with the answer. A 401 comes
    /// back at once, for the caller to send the parcel again or to have it turned down.
    pub(crate) async fn send(&self, parcel: &mut Parcel<'_>) -> Result<(Reply, Meta), Failure> {
        let endpoint = parcel.intent.endpoint;
        loop {
            let admitted = self.admit(endpoint).await.and_then(|leave| {
                if parcel.fresh_until.is_none_or(|until| Instant::now() <= until) {
                    return Ok(leave);
                }
                self.take_back(endpoint, leave);
                Err(Failure::Stale)
            });
            let Parcel { id, intent, with, tries, way: sent_by, .. } = &mut *parcel;
            let Leave { permit, attempt, slot } = match (admitted, tries.last.take()) {
                (Ok(leave), _) => leave,
                // It was sent before, and nobody knows what came of that.
                (Err(Failure::Out), Some(error)) if tries.status == Status::InDoubt => {
                    return Err(Failure::InDoubt(error));
                }
                (Err(failure), _) => {
                    if intent.attempts > 0 && tries.status == Status::Intended {
                        self.drop_intent(*id).await?;
                    }
                    return Err(failure);
                }
            };
            intent.attempts += 1;
            intent.last_sent_at = self.clock.now();
            if intent.attempts == 1 {
                intent.first_sent_at = intent.last_sent_at;
            }
            let mut changes = std::mem::take(with);
            changes.push(Change::PutIntent { id: *id, intent: Box::new(intent.clone()) });
            changes.push(Change::PutQuota { endpoint, ledger: self.ledgers.save(endpoint) });
            if let Err(error) = self.store.commit(changes).await {
                self.take_back(endpoint, Leave { permit, attempt, slot });
                return Err(Failure::Store(error));
            }
            reached(failpoints::Step::IntentWritten);
            let way = self.way();
            // Somebody else could have taken the state over before the answer came.
            if !self.store.outlasts(way.options.request_timeout) {
                self.take_back(endpoint, Leave { permit, attempt, slot });
                return Err(Failure::Store(self.store.taken_over()));
            }
            tries.take(Step::Send);
            let sent = Instant::now();
            let outcome = perform(&sent_by.insert(way).client, intent).await;
            drop(slot);
            self.heard(endpoint, &outcome, sent.elapsed());
            reached(if outcome.is_ok() { failpoints::Step::AnswerReceived } else { failpoints::Step::AnswerLost });
            let verdict = self.judge(endpoint, permit, attempt, outcome, tries);
            self.save_pause(endpoint).await?;
            match verdict {
                Verdict::Reply(reply) => return Ok(*reply),
                Verdict::Fail(failure) => {
                    if matches!(failure, Failure::Barred) && tries.status == Status::Intended {
                        self.drop_intent(*id).await?;
                    }
                    return Err(failure);
                }
                Verdict::Again(pause) => self.pause(pause).await,
            }
        }
    }

    /// Ends a request that was answered with a 401, when no other credential is at hand.
    pub(crate) async fn turn_down(&self, parcel: Parcel<'_>, error: apollo::Error) -> Failure {
        match parcel.tries.status {
            Status::InDoubt => Failure::InDoubt(error),
            _ if self.bar(&Endpoint::ALL) => Failure::Refused(error),
            _ => self.drop_intent(parcel.id).await.err().unwrap_or(Failure::Barred),
        }
    }

    /// Sends a request that changes nothing, by a way that may not be the one in use.
    pub(crate) async fn look(&self, way: &Way, look: &Look) -> Result<(Reply, Meta), Failure> {
        let client = &way.client;
        let endpoint = match look {
            Look::View(_) => Endpoint::ViewContact,
            Look::Search { .. } | Look::Newest { .. } => Endpoint::SearchContacts,
            Look::Profile => Endpoint::Profile,
        };
        let mut tries = Tries::new(Status::Intended);
        loop {
            let Leave { permit, attempt, slot } = self.admit(endpoint).await?;
            let spend = Change::PutQuota { endpoint, ledger: self.ledgers.save(endpoint) };
            if let Err(error) = self.store.commit(vec![spend]).await {
                self.take_back(endpoint, Leave { permit, attempt, slot });
                return Err(Failure::Store(error));
            }
            tries.take(Step::Send);
            let sent = Instant::now();
            let outcome = match look {
                Look::View(id) => client.view_contact(id).await.map(|a| (Reply::Contact(Box::new(a.value)), a.meta)),
                Look::Search { keywords, page } => {
                    client.search_contacts(keywords, *page).await.map(|a| (Reply::Page(a.value), a.meta))
                }
                Look::Newest { page } => client.newest_contacts(*page).await.map(|a| (Reply::Page(a.value), a.meta)),
                Look::Profile => client.profile().await.map(|a| (Reply::Profile(a.value), a.meta)),
            };
            drop(slot);
            self.heard(endpoint, &outcome, sent.elapsed());
            let verdict = self.judge(endpoint, permit, attempt, outcome, &mut tries);
            self.save_pause(endpoint).await?;
            match verdict {
                Verdict::Reply(reply) => return Ok(*reply),
                // Looking has no effect that could be in doubt.
                Verdict::Fail(Failure::InDoubt(error)) => return Err(Failure::Refused(error)),
                Verdict::Fail(failure) => return Err(failure),
                Verdict::Again(pause) => self.pause(pause).await,
            }
        }
    }

    async fn drop_intent(&self, id: IntentId) -> Result<(), Failure> {
        self.store.commit(vec![Change::DropIntent { id }]).await.map(drop).map_err(Failure::Store)
    }

    /// Saves the quota of an action that an answer has paused, so that the next run knows it too.
    async fn save_pause(&self, endpoint: Endpoint) -> Result<(), Failure> {
        match self.ledgers.pause_to_save(endpoint) {
            Some(change) => self.store.commit(vec![change]).await.map(drop).map_err(Failure::Store),
            None => Ok(()),
        }
    }

    /// Tells that an attempt came to its end; the log of the contact it was for gets the id of the answer.
    fn heard(&self, endpoint: Endpoint, outcome: &Result<(Reply, Meta), apollo::Error>, elapsed: Duration) {
        let meta = match outcome {
            Ok((_, meta)) => Some(meta),
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
    fn judge(
        &self,
        endpoint: Endpoint,
        permit: Permit,
        attempt: Attempt,
        outcome: Result<(Reply, Meta), apollo::Error>,
        tries: &mut Tries,
    ) -> Verdict {
        let error = match outcome {
            Ok((reply, meta)) => {
                tries.take(Step::Answer);
                self.is_back(endpoint, attempt);
                self.ledgers.answered(endpoint, permit, &meta);
                return Verdict::Reply(Box::new((reply, meta)));
            }
            Err(error) => error,
        };
        let retry = error.retry(endpoint);
        let unsent = matches!(error, apollo::Error::Connect { .. });
        if let (Retry::Later { .. }, Some(meta)) = (retry, error.meta()) {
            tries.take(Step::Bounce);
            self.outages.undecided(endpoint, attempt);
            return Verdict::Again(match self.ledgers.rejected(endpoint, permit, meta) {
                Rejection::WindowUsedUp(..) => Duration::ZERO,
                Rejection::Stray => self.backoff(tries.count_stray()),
            });
        }
        // Before the account, which lets those go that waited for this answer.
        *(if unsent { &mut tries.unsent } else { &mut tries.failures }) += 1;
        let news = self.is_news(endpoint, &error);
        let step = match retry {
            _ if unsent => Step::Bounce,
            Retry::Never if error.status() == Some(401) || error.is_barred(endpoint) => Step::Bounce,
            // A success that cannot be read, or a redirect that answers work done: no refusal.
            Retry::Never if error.status().is_some_and(|status| status < 400) => Step::Lose,
            // Only a refusal of the content says that the same content was refused before.
            Retry::Never if tries.is_in_doubt() && !matches!(error.status(), Some(400 | 422)) => Step::Bounce,
            Retry::Never => Step::Refuse,
            Retry::Now | Retry::Later { .. } | Retry::Settle => Step::Lose,
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
        if retry == Retry::Now && (unsent || tries.failures < MAX_ATTEMPTS) {
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

    /// Notes an answer of any use, and tells of the outage that it ended.
    fn is_back(&self, endpoint: Endpoint, attempt: Attempt) {
        if let Some(lasted) = self.outages.succeeded(endpoint, attempt) {
            self.tell(Event::OutageOver { endpoint, lasted });
        }
    }

    /// Notes a request that failed, and tells of the outage that it belongs to.
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
    async fn admit(&self, endpoint: Endpoint) -> Result<Leave<'_>, Failure> {
        let waiting = |wait, until, window| self.tell(Event::WaitingForQuota { endpoint, window, wait, until });
        loop {
            if self.is_barred(endpoint) {
                return Err(Failure::Barred);
            }
            if !self.outages.ready(endpoint, &self.stop).await {
                return Err(self.not_ready());
            }
            let permit = self.ledgers.admit(endpoint, &self.stop, waiting).await.ok_or(Failure::Stopped)?;
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
    fn take_back(&self, endpoint: Endpoint, leave: Leave<'_>) {
        let Leave { permit, attempt, slot: _ } = leave;
        self.outages.undecided(endpoint, attempt);
        self.ledgers.unsent(endpoint, permit);
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

    /// Returns the way to Apollo that is in use.
    pub(crate) fn way(&self) -> Arc<Way> {
        self.way_if_any().expect("a session without a client is given plans that send nothing")
    }

    pub(crate) fn way_if_any(&self) -> Option<Arc<Way>> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends by another way from now on.
    pub(crate) fn go_by(&self, way: Arc<Way>) {
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = Some(way);
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

async fn perform(client: &Client, intent: &Intent) -> Result<(Reply, Meta), apollo::Error> {
    let target = || intent.apollo_id.as_ref().expect("an intent to change a contact names it");
    match intent.endpoint {
        Endpoint::CreateContact => {
            let answer = client.create_contact(&intent.body).await?;
            Ok((Reply::Contact(Box::new(answer.value)), answer.meta))
        }
        Endpoint::UpdateContact => {
            let answer = client.update_contact(target(), &intent.body).await?;
            Ok((Reply::Contact(Box::new(answer.value)), answer.meta))
        }
        Endpoint::AddToLists | Endpoint::RemoveFromLists => {
            let answer = client.change_lists(intent.endpoint, &intent.body).await?;
            Ok((Reply::Lists(answer.value), answer.meta))
        }
        Endpoint::ViewContact | Endpoint::SearchContacts | Endpoint::Profile => {
            unreachable!("looking needs no intent")
        }
    }
}

/// Leave to send one request.
struct Leave<'a> {
    permit: Permit,
    attempt: Attempt,
    slot: SemaphorePermit<'a>,
}

/// The attempts of one request so far.
#[derive(Debug)]
struct Tries {
    status: Status,
    failures: u32,
    /// Connections that were never made.
    unsent: u32,
    /// How the last one failed, while it is to be sent again.
    last: Option<apollo::Error>,
    /// 429s although every window had room.
    strays: u32,
}

impl Tries {
    fn new(status: Status) -> Self {
        Self { status, failures: 0, unsent: 0, last: None, strays: 0 }
    }

    fn take(&mut self, step: Step) {
        self.status = journal::next(self.status, step).expect("requests are sent and answered in turn");
    }

    /// Reports whether an earlier attempt may have had its effect.
    fn is_in_doubt(&self) -> bool {
        matches!(self.status, Status::Sent { in_doubt_before: true })
    }

    fn count_stray(&mut self) -> u32 {
        self.strays += 1;
        self.strays
    }
}

enum Verdict {
    Reply(Box<(Reply, Meta)>),
    Fail(Failure),
    Again(Duration),
}
