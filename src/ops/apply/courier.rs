//! Sends requests: writes the intents to disk first, and sends again when that is safe.
//!
//! Does not know what an outcome means for a contact, or which team the credential belongs to. The line decides when and
//! how often to send; the caller writes and reads the contents of a request.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::apollo::{self, Answer, Client};
use crate::failpoints::{self, reached};
use crate::journal::Status;
use crate::model::{Endpoint, Intent, IntentId, Timestamp};
use crate::state::{CHANGES_PER_COMMIT, Change};
use crate::store::Store;

pub(crate) use super::line::{Failure, Outcome};
use super::line::{Line, Tries, Verdict};

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
    /// What it is about to do, to one contact or to many; all by one kind of request.
    intents: Vec<(IntentId, &'a mut Intent)>,
    /// Goes into the write of the intents.
    with: Vec<Change>,
    /// Nothing is sent after it.
    fresh_until: Option<Instant>,
    tries: Tries,
    /// The way by which it was sent last.
    way: Option<Arc<Way>>,
}

impl<'a> Parcel<'a> {
    pub(crate) fn new(
        mut intents: Vec<(IntentId, &'a mut Intent)>,
        with: Vec<Change>,
        fresh_until: Option<Instant>,
    ) -> Self {
        let batch = (intents.len() > 1).then(|| intents[0].0);
        for (_, intent) in &mut intents {
            intent.batch = batch;
        }
        // An intent that was sent before comes here in doubt, from settling.
        let is_new = intents.iter().all(|(_, intent)| intent.attempts == 0);
        let tries = Tries::new(if is_new { Status::Intended } else { Status::InDoubt });
        Self { intents, with, fresh_until, tries, way: None }
    }

    /// Returns the way by which it was sent last, which an answer came by.
    pub(crate) fn way(&self) -> &Arc<Way> {
        self.way.as_ref().expect("what was answered was sent")
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.intents[0].1.endpoint
    }

    /// Notes another attempt; returns what is to be written before it.
    fn attempt(&mut self, now: Timestamp) -> Vec<Change> {
        let put = |(id, intent): &mut (IntentId, &mut Intent)| {
            intent.attempts += 1;
            intent.last_sent_at = now;
            if intent.attempts == 1 {
                intent.first_sent_at = now;
            }
            Change::PutIntent { id: *id, intent: Box::new(intent.clone()) }
        };
        let mut changes = std::mem::take(&mut self.with);
        changes.extend(self.intents.iter_mut().map(put));
        changes
    }

    /// Notes what the server called the last attempt, where it did; reports whether it did.
    fn note_request(&mut self, error: &apollo::Error) -> bool {
        let Some(id) = error.request_id() else { return false };
        for (_, intent) in &mut self.intents {
            intent.request_id = Some(id.to_owned());
        }
        true
    }
}

/// What sends for a whole session that may write the state.
pub(crate) struct Courier {
    pub(crate) line: Line,
    pub(crate) store: Store,
    /// Who asks Apollo; `None` where nothing is going to be sent.
    pub(crate) way: Mutex<Option<Arc<Way>>>,
}

impl Deref for Courier {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.line
    }
}

impl Courier {
    /// Sends the request of intents, which are on disk before each attempt, by what `ask` asks of a way.
    ///
    /// The intents stay on disk when the outcome is in doubt, and for the caller to drop with the answer. A 401 comes
    /// back at once, for the caller to send the parcel again or to have it turned down.
    pub(crate) async fn send<T, A: Future<Output = Outcome<T>>>(
        &self,
        parcel: &mut Parcel<'_>,
        ask: impl Fn(Arc<Way>) -> A,
    ) -> Result<Answer<T>, Failure> {
        let endpoint = parcel.endpoint();
        loop {
            let admitted = self.admit(endpoint).await.and_then(|leave| {
                if parcel.fresh_until.is_none_or(|until| Instant::now() <= until) {
                    return Ok(leave);
                }
                self.take_back(endpoint, leave);
                Err(Failure::Stale)
            });
            let leave = match (admitted, parcel.tries.last.take()) {
                (Ok(leave), _) => leave,
                // It was sent before, and nobody knows what came of that.
                (Err(Failure::Out), Some(error)) if parcel.tries.status == Status::InDoubt => {
                    return Err(Failure::InDoubt(error));
                }
                (Err(failure), _) => {
                    self.drop_unsent(parcel).await?;
                    return Err(failure);
                }
            };
            let changes = parcel.attempt(self.clock.now());
            let way = Arc::clone(parcel.way.insert(self.way()));
            let (longest, ask) = (way.options.request_timeout, &ask);
            let ask = async || {
                reached(failpoints::Step::IntentWritten);
                let outcome = ask(way).await;
                reached(if outcome.is_ok() { failpoints::Step::AnswerReceived } else { failpoints::Step::AnswerLost });
                outcome
            };
            match self.attempt(endpoint, leave, changes, longest, ask, &mut parcel.tries).await? {
                Verdict::Reply(answer) => return Ok(answer),
                Verdict::Fail(failure) => {
                    match &failure {
                        Failure::Barred => self.drop_unsent(parcel).await?,
                        // One that was refused is the caller's to keep or to drop.
                        Failure::Refused(error) => {
                            parcel.note_request(error);
                        }
                        Failure::InDoubt(error) if parcel.note_request(error) => self.keep(parcel).await?,
                        _ => {}
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
            _ => self.drop_unsent(&parcel).await.err().unwrap_or(Failure::Barred),
        }
    }

    /// Sends a request that changes nothing, by a way that may not be the one in use.
    pub(crate) async fn look<T, A: Future<Output = Outcome<T>>>(
        &self,
        endpoint: Endpoint,
        way: &Arc<Way>,
        ask: impl Fn(Arc<Way>) -> A,
    ) -> Result<Answer<T>, Failure> {
        self.line.ask(endpoint, way.options.request_timeout, || ask(Arc::clone(way))).await
    }

    /// Writes intents again that are on disk, with what is known of them by now.
    async fn keep(&self, parcel: &Parcel<'_>) -> Result<(), Failure> {
        let put = |(id, intent): &(IntentId, &mut Intent)| Change::PutIntent {
            id: *id,
            intent: Box::new(Intent::clone(intent)),
        };
        let puts: Vec<Change> = parcel.intents.iter().map(put).collect();
        for some in puts.chunks(CHANGES_PER_COMMIT) {
            self.store.commit(some.to_vec()).await.map_err(Failure::Store)?;
        }
        Ok(())
    }

    /// Drops intents that are on disk and of which no attempt can have had an effect.
    async fn drop_unsent(&self, parcel: &Parcel<'_>) -> Result<(), Failure> {
        if parcel.tries.status != Status::Intended || parcel.way.is_none() {
            return Ok(());
        }
        let drops: Vec<Change> = parcel.intents.iter().map(|&(id, _)| Change::DropIntent { id }).collect();
        for some in drops.chunks(CHANGES_PER_COMMIT) {
            self.store.commit(some.to_vec()).await.map_err(Failure::Store)?;
        }
        Ok(())
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
}
