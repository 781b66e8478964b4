//! Creates contacts: looks for existing ones, sends, and binds the contact in the answer.

use std::sync::Arc;
use std::time::Duration;

use crate::apollo::{Answer, Contact};
use crate::failpoints::{self, reached};
use crate::journal;
use crate::model::{ApolloId, Endpoint, Entry, Field, Fields, Intent, IntentId, MatchedBy, Origin, Timestamp, Value};
use crate::ops::{ProblemKind, problem};
use crate::state::Change;

use super::bind::forget_memory;
use super::courier::{Failure, Way};
use super::crew::{Part, Reply, Returned};
use super::outages;
use super::outcome::create::{self, Asked, Created, Facts};
use super::outcome::lists;
use super::outcome::sight::{Next, Sight};
use super::performer::{End, Performer, Trouble};

/// How long a look before a create stands; a create that waits longer for quota is looked for again.
const LOOK_STANDS: Duration = Duration::from_mins(1);

impl Performer<'_> {
    pub(super) async fn create(&self, entry: &Entry, asked: Asked) -> Result<End, Trouble> {
        let _alone = self.alone(&entry.fields).await;
        let mut with = Vec::new();
        let is_its = |intent: &Intent| {
            // The entry may have been refused under the key that it had before.
            let is_free = intent.key == *entry.key() || self.job.fingerprint(&intent.key).is_none();
            intent.refused && is_free && intent.may_be_of(entry.key(), entry.moved_from.as_ref(), &entry.fields)
        };
        for (&id, intent) in self.job.open.iter().filter(|(_, intent)| is_its(intent)) {
            // A refusal may hide that the contact was made, and what was made shows late.
            if let Some(made) = Box::pin(self.made_although_refused(intent)).await? {
                return Box::pin(self.bind_made(id, intent, entry, &made)).await;
            }
            with.push(Change::DropIntent { id });
        }
        self.create_alone(entry, asked, with).await
    }

    /// Binds to the contact that the entry had once; where that is gone, a new one is created.
    pub(super) async fn restore(&self, id: &ApolloId, entry: &Entry) -> Result<End, Trouble> {
        if let Ok(contact) = self.view_living(id).await? {
            return self.adopt_seen(id, entry, Origin::Restored, &contact).await;
        }
        self.record(forget_memory(entry).collect()).await?;
        self.warn(vec![problem::restored_as_new(id, self.place)]);
        self.create(entry, Asked::Nothing).await
    }

    /// Creates while no other entry of the name is being created; `with` goes into the write of the intent.
    pub(super) async fn create_alone(&self, entry: &Entry, asked: Asked, with: Vec<Change>) -> Result<End, Trouble> {
        match asked {
            Asked::Nothing => self.look_and_send(None, entry, with).await,
            Asked::Anyway => {
                let there_before = self.everybody_like(&entry.fields).await?;
                let intent = Intent { there_before, ..self.create_intent(entry, false) };
                let id = self.session.store().next_intent_id();
                // Whoever it would be matched to is not meant, and nothing is matched without dedupe.
                self.send_create(id, intent, entry, with, false).await
            }
        }
    }

    /// Looks who is there already, and sends the create when nobody is: a new one, or `again` the body of one in doubt.
    pub(super) async fn look_and_send(
        &self,
        again: Option<(IntentId, &Intent)>,
        entry: &Entry,
        mut with: Vec<Change>,
    ) -> Result<End, Trouble> {
        loop {
            let intent = match again {
                Some((_, intent)) => self.again(intent),
                None => self.create_intent(entry, entry.run_dedupe),
            };
            // Before the look, which would be too old once creates go out again.
            let _turn = self.turn(intent.endpoint).await?;
            let sight = if self.trusts_the_call() {
                Sight::MayNotSearch
            } else {
                Box::pin(self.look_before(&intent.fields, intent.run_dedupe)).await?
            };
            let looked = match sight.next(entry, |key| self.job.fingerprint(key)) {
                Next::Send { looked } => looked,
                Next::Adopt(found) => {
                    return Box::pin(self.adopt(&found, entry, Origin::Matched(MatchedBy::LookUp))).await;
                }
                Next::Conflict { id, cause, ends_doubt } => {
                    let doubted = again.map(|(id, _)| id).filter(|_| ends_doubt);
                    return Err(self.conflict(doubted, entry, &id, cause).await?);
                }
                Next::NeedsAPerson => return Err(Trouble::failed(ProblemKind::MayNotLook.at(self.place, None))),
            };
            if !looked && !self.trusts_the_call() && self.session.is_first_blind_create() {
                self.warn(vec![problem::creates_blindly(self.place)]);
            }
            let id = again.map_or_else(|| self.session.store().next_intent_id(), |(id, _)| id);
            match self.send_create(id, intent, entry, with.clone(), looked).await {
                Err(Trouble { end: End::Stale, .. }) => with.clear(),
                end => return end,
            }
        }
    }

    /// Sends a create and binds what it is answered with; used for a first send and by settling.
    ///
    /// `with` goes into the write of the intent; `looked`, whether a look just showed nobody, so that a match is one
    /// that it did not show.
    pub(super) async fn send_create(
        &self,
        id: IntentId,
        mut intent: Intent,
        entry: &Entry,
        with: Vec<Change>,
        looked: bool,
    ) -> Result<End, Trouble> {
        let mut settling = intent.attempts > 0;
        let fresh_until = looked.then(|| tokio::time::Instant::now() + LOOK_STANDS);
        let crew = self.crew().filter(|_| intent.endpoint == Endpoint::CreateContacts);
        let answer = if let Some(crew) = crew {
            let Returned { intent: sent, outcome } = crew.send(Part { id, intent, with, fresh_until }).await;
            intent = sent;
            // It was part of a batch that was refused, which may have made it all the same.
            settling |= intent.attempts > 1;
            outcome.map(|answer| answer.map(Reply::into_contact))
        } else {
            let body = &intent.body.clone();
            let ask = |way: Arc<Way>| async move { way.client.create_contact(body).await };
            self.send(id, &mut intent, with, fresh_until, ask).await
        };
        let Answer { value: mut contact, meta } = match answer {
            Ok(answer) => answer,
            Err(failure) if self.crew().is_some() && is_not_for_many(&failure) => {
                // Nobody may create many in one request any more.
                self.record(vec![Change::DropIntent { id }]).await?;
                return Box::pin(self.apart().create(entry, Asked::Nothing)).await;
            }
            Err(Failure::Refused(error)) => {
                reached(failpoints::Step::BeforeRefusalWritten);
                let change = if create::may_hide_a_contact(&intent, entry, &error) {
                    intent.refused = true;
                    Change::PutIntent { id, intent: Box::new(intent.clone()) }
                } else {
                    Change::DropIntent { id }
                };
                self.record(vec![change]).await?;
                return Err(Trouble::failed(problem::refused(intent.endpoint, &error, self.place)));
            }
            Err(Failure::InDoubt(error)) => {
                return Err(Trouble::failed(problem::create_in_doubt(&error, intent.attempts, self.place)));
            }
            Err(failure) => return Err(self.trouble(intent.endpoint, failure)),
        };
        if intent.endpoint == Endpoint::CreateContacts && contact.was_existing == Some(true) {
            // The row of a batch shows little of it.
            contact = Contact { was_existing: Some(true), ..self.view(&contact.id).await? };
        }
        let owner = self.owner(&contact.id).await?;
        if let Some(owner) = owner.filter(|owner| owner != entry.key()) {
            return Err(self.collision(Some(id), entry, &contact.id, &owner).await?);
        }
        let is_known = self.job.known.contains(&contact.id);
        let earliest = self.earliest(&intent, meta.date);
        match create::of_answer(&intent, entry, &contact, Facts { is_known, earliest, settling, looked }) {
            Created::Conflict(cause) => Err(self.conflict(Some(id), entry, &contact.id, cause).await?),
            Created::SomebodyElse => Err(self.somebody_else(id, entry, &contact.id).await?),
            Created::Bind { step, origin, all_sent } => {
                if origin == Origin::Created {
                    self.session.made(&self.job.identity_key, &contact.id, &intent.fields);
                }
                let mut binding = self.binding_of(&contact, entry, origin);
                binding.request_id = meta.request_id;
                if all_sent {
                    binding.applied = intent.fields.clone();
                }
                lists::note_sent(&mut binding, &intent);
                Box::pin(self.bound(Some(id), entry, binding, &contact, step)).await
            }
        }
    }

    /// Reports whether nobody looks before a create: its call leaves whom it matches as they are, and that is trusted.
    fn trusts_the_call(&self) -> bool {
        self.crew().is_some() && !self.session.looks
    }

    /// Makes the intent of a create. What it cannot carry follows by calls of their own, and so do lists, since the
    /// create may be matched.
    fn create_intent(&self, entry: &Entry, run_dedupe: bool) -> Intent {
        let together = self.crew().is_some() && run_dedupe && entry.is_matched_by_email();
        let endpoint = if together { Endpoint::CreateContacts } else { Endpoint::CreateContact };
        let carried = |(field, _): &(Field, Value)| *field != Field::LabelNames && endpoint.carries(field);
        let fields = entry.fields.clone().into_iter().filter(carried).collect();
        self.intent(endpoint, None, &fields, run_dedupe)
    }

    /// Returns the intent by which a create is sent again: as it was, where that can be.
    pub(super) fn again(&self, intent: &Intent) -> Intent {
        if intent.endpoint == Endpoint::CreateContact || self.crew().is_some() {
            return intent.clone();
        }
        let alone = self.intent(Endpoint::CreateContact, None, &intent.fields, intent.run_dedupe);
        Intent { endpoint: alone.endpoint, body: alone.body, ..intent.clone() }
    }

    /// Waits until no other entry with the name of this one is being created, where there is one.
    pub(super) async fn alone(&self, fields: &Fields) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let waits = self.crew.is_none() && self.job.shares_name(fields);
        if waits { Some(self.job.one_of_a_name.lock().await) } else { None }
    }

    /// Waits for the one turn there is while creates fail; a crew has it for all of its members.
    async fn turn(&self, endpoint: Endpoint) -> Result<Option<outages::Turn<'_>>, Trouble> {
        if self.crew().is_some() {
            return Ok(None);
        }
        let turn = self.session.courier().turn(endpoint).await;
        turn.map(Some).map_err(|failure| self.trouble(endpoint, failure))
    }

    /// Returns the earliest time of creation of a contact that `intent` made, by the clock of a server that says
    /// it is `server_now`.
    fn earliest(&self, intent: &Intent, server_now: Option<Timestamp>) -> Timestamp {
        let now = self.session.now();
        journal::earliest_creation(intent, server_now.unwrap_or(now), now)
    }
}

/// Reports whether a failure says that many contacts cannot be created in one request, whatever it holds.
fn is_not_for_many(failure: &Failure) -> bool {
    match failure {
        Failure::Barred => true,
        Failure::Refused(error) => !error.is_page() && matches!(error.status(), Some(403..=405)),
        _ => false,
    }
}
