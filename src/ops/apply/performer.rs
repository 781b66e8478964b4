//! One running action, and what all kinds of actions need.
//!
//! Each change is recorded in the same write that drops its intent, before anything is reported. What was
//! not confirmed is not recorded as applied, so an action that ends half-way is continued by the next plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit};
use tokio::time::Instant;

use crate::apollo::{Answer, body};
use crate::model::{
    ApolloId, Binding, ContactKey, Digest, Endpoint, Field, Fields, Fingerprint, IdentityHash, IdentityKey, Intent,
    IntentId, Place, Texts, Timestamp, Tombstone,
};
use crate::plan;
use crate::state::{self, Change};

use super::courier::{Failure, Outcome, Parcel, Way};
use super::crew::Crew;
use crate::ops::seen::PackedSeen;
use crate::ops::{Desired, Ended, Event, Imported, Problem, Session, Step, problem};

/// What the actions of one plan share beside the session.
#[derive(Debug)]
pub(super) struct Job {
    /// Who is declared. Few are asked for, and the index vouches for the rest unread.
    pub(super) desired: Desired,
    pub(super) identity_key: IdentityKey,
    /// The intents that were open when the plan was made.
    pub(super) open: BTreeMap<IntentId, Intent>,
    /// Names that more than one entry of the plan has.
    pub(super) shared_names: BTreeSet<String>,
    /// Held by an entry with a shared name from its look to the binding that follows, so that the next one sees that
    /// binding.
    pub(super) one_of_a_name: Mutex<()>,
    /// Contacts that creates of other keys may have written to in this run, with the fields they sent.
    pub(super) overwritten: std::sync::Mutex<Vec<(ContactKey, Vec<Field>)>>,
    /// Contacts that were there before and that this run has bound.
    pub(super) imported: std::sync::Mutex<Vec<Imported>>,
    /// The saved plan that this is, whose actions are marked as they are done.
    pub(super) saved: Option<Digest>,
    /// Contacts that the state knew when the plan was made; no create of this run makes one of them.
    pub(super) known: BTreeSet<ApolloId>,
    /// The searches that would look for everybody who is created with others.
    pub(super) looks: usize,
    /// Contacts that entries name, as they were seen when the run began.
    pub(super) seen: BTreeMap<ApolloId, PackedSeen>,
}

impl Job {
    /// Returns what a key declares; `None` as well where that cannot be told any more, since its file has changed.
    ///
    /// Whatever rests on it is looked at again when the key declares something else.
    pub(super) fn fingerprint(&self, key: &ContactKey) -> Option<Fingerprint> {
        self.desired.fingerprint(key).ok().flatten()
    }

    /// Reports whether another entry that may be created has the same name.
    pub(super) fn shares_name(&self, fields: &impl Texts) -> bool {
        plan::looked_for(fields).is_some_and(|name| self.shared_names.contains(&name))
    }
}

/// How an action ended.
#[derive(Debug)]
pub(super) enum End {
    /// Done and recorded; what it came to, which for a create may be a match.
    Done(Step, Option<ApolloId>),
    /// Bound and recorded, but not everything is applied; `told`, whether a problem says why, or the run ended.
    BoundOnly {
        step: Step,
        id: ApolloId,
        told: bool,
    },
    Failed,
    /// The run ended before anything was sent.
    NotBegun,
    /// Nothing was sent, since what was looked at before is too old by now.
    Stale,
}

/// Ends an action early: how, and what to tell.
pub(super) struct Trouble {
    pub(super) end: End,
    pub(super) problem: Option<Box<Problem>>,
}

impl Trouble {
    pub(super) fn failed(problem: Problem) -> Self {
        Self { end: End::Failed, problem: Some(Box::new(problem)) }
    }

    /// Says that the key was bound before this went wrong.
    pub(super) fn after_binding(self, step: Step, id: ApolloId) -> Self {
        let told = !matches!(self.end, End::NotBegun);
        Self { end: End::BoundOnly { step, id, told }, ..self }
    }
}

/// One action under way, with everything its steps need.
pub(super) struct Performer<'a> {
    pub(super) session: &'a Session,
    pub(super) job: &'a Arc<Job>,
    pub(super) place: &'a Place,
    /// `None` when nothing waits for it, and once it is over.
    pub(super) turn: std::sync::Mutex<Option<Turn>>,
    /// Those it works side by side with; what keeps others away from them is held by all of them together.
    pub(super) crew: Option<&'a Crew>,
    /// Whether it sends alone what it could send with its crew.
    pub(super) is_apart: bool,
}

/// Keeps the next action of a queue waiting until it is dropped; `over` is rung then.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) permit: Option<OwnedSemaphorePermit>,
    pub(super) over: Arc<Notify>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.over.notify_one();
    }
}

impl Performer<'_> {
    /// Sends the request of an intent; the next action begins while its answer is recorded.
    pub(super) async fn send<T, A: Future<Output = Outcome<T>>>(
        &self,
        id: IntentId,
        intent: &mut Intent,
        with: Vec<Change>,
        fresh_until: Option<Instant>,
        ask: impl Fn(Arc<Way>) -> A,
    ) -> Result<Answer<T>, Failure> {
        let parcel = Parcel::new(vec![(id, intent)], with, fresh_until);
        let answer = self.session.access.send(parcel, ask).await;
        drop(self.turn.lock().unwrap_or_else(PoisonError::into_inner).take());
        answer
    }

    /// Returns those with whom a request can be sent.
    pub(super) fn crew(&self) -> Option<&Crew> {
        self.crew.filter(|_| !self.is_apart)
    }

    /// Goes on alone with what its crew cannot do.
    pub(super) fn apart(&self) -> Performer<'_> {
        Performer { turn: std::sync::Mutex::default(), is_apart: true, ..*self }
    }

    pub(super) fn tombstone(&self, id: &ApolloId, fields: &Fields) -> Tombstone {
        let identity = IdentityHash::of(fields, &self.job.identity_key);
        Tombstone { apollo_id: id.clone(), identity, at: self.session.now() }
    }

    pub(super) fn intent(
        &self,
        endpoint: Endpoint,
        id: Option<&ApolloId>,
        fields: &Fields,
        run_dedupe: bool,
    ) -> Intent {
        let lists = || fields.lists().map(str::to_owned).collect();
        let body = match (endpoint, id) {
            (Endpoint::CreateContact, _) => body::create(fields, run_dedupe),
            (Endpoint::CreateContacts, _) => body::create_item(fields),
            (Endpoint::UpdateContacts, Some(id)) => body::update_item(id, fields),
            (Endpoint::UpdateStages, Some(id)) => {
                body::stages([id], fields.text(&Field::ContactStageId).unwrap_or_default())
            }
            (Endpoint::AddToLists | Endpoint::RemoveFromLists, Some(id)) => body::lists([id], &lists()),
            _ => body::update(fields),
        };
        Intent {
            key: self.place.key.clone(),
            endpoint,
            apollo_id: id.cloned(),
            body,
            fields: fields.clone(),
            run_dedupe,
            batch: None,
            run: self.session.run.clone(),
            first_sent_at: Timestamp(0),
            last_sent_at: Timestamp(0),
            attempts: 0,
            path: self.place.path.display().to_string(),
            there_before: Vec::new(),
            unpaired: Vec::new(),
            refused: false,
            request_id: None,
        }
    }

    /// Lists the intents of `key` that were open when the plan was made.
    pub(super) fn open_intents(&self, key: &ContactKey) -> impl Iterator<Item = IntentId> {
        self.job.open.iter().filter(move |(_, intent)| intent.key == *key).map(|(&id, _)| id)
    }

    /// Warns of creates of `key` in doubt that are over now, and did not make contact `id` as far as `made_it` tells.
    pub(super) fn warn_of_doubts(&self, key: &ContactKey, id: &ApolloId, made_it: impl Fn(&Intent) -> bool) {
        let of_key = self.job.open.values().filter(|intent| intent.key == *key && intent.is_create_in_doubt());
        let others = of_key.filter(|intent| !made_it(intent));
        self.warn(others.map(|intent| problem::may_be_twice(intent, id, self.place)).collect());
    }

    /// Marks the action as done, in the write that records its result; nothing for a plan that was not saved.
    pub(super) fn spent(&self) -> Option<Change> {
        let plan = self.job.saved.clone()?;
        Some(Change::SpendAction { plan, key: self.place.key.clone() })
    }

    pub(super) async fn binding(&self, key: &ContactKey) -> Result<Binding, Trouble> {
        let found = self.session.store().binding(key).await.map_err(|error| self.store_trouble(&error))?;
        Ok(found.expect("a plan changes bound contacts only, and this process is the one writer"))
    }

    pub(super) async fn owner(&self, id: &ApolloId) -> Result<Option<ContactKey>, Trouble> {
        self.session.store().owner_of(id).await.map_err(|error| self.store_trouble(&error))
    }

    /// Forgets that `fields` of a contact stand as they were applied, so that they are sent again.
    pub(super) async fn doubt(&self, key: &ContactKey, fields: &[Field]) -> Result<(), Trouble> {
        let found = self.session.store().binding(key).await.map_err(|error| self.store_trouble(&error))?;
        let Some(mut binding) = found else { return Ok(()) };
        for field in fields {
            binding.applied.remove(field);
        }
        binding.fingerprint = None;
        self.record(vec![Change::PutBinding { key: key.clone(), binding: Box::new(binding) }]).await
    }

    pub(super) async fn record(&self, changes: Vec<Change>) -> Result<(), Trouble> {
        self.session.store().commit(changes).await.map(drop).map_err(|error| self.store_trouble(&error))
    }

    pub(super) fn store_trouble(&self, error: &state::Error) -> Trouble {
        self.session.stop().request(Ended::Fatal);
        // All that were under way fail the same way; it is told once.
        let problem = self.session.is_first_store_failure().then(|| Box::new(problem::store_failed(error, self.place)));
        Trouble { end: End::Failed, problem }
    }

    pub(super) fn trouble(&self, endpoint: Endpoint, failure: Failure) -> Trouble {
        match failure {
            Failure::Stopped | Failure::Barred | Failure::Out => Trouble { end: End::NotBegun, problem: None },
            Failure::Stale => Trouble { end: End::Stale, problem: None },
            Failure::Refused(error) => Trouble::failed(problem::refused(endpoint, &error, self.place)),
            Failure::InDoubt(error) => Trouble::failed(problem::in_doubt(endpoint, &error, self.place)),
            Failure::Store(error) => self.store_trouble(&error),
        }
    }

    pub(super) fn warn(&self, problems: Vec<Problem>) {
        for problem in problems {
            self.session.tell(Event::Problem(problem));
        }
    }
}
