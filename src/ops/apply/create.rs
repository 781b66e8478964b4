//! Creates contacts: looks who is there, sends, and binds what is answered.

use std::time::Duration;

use crate::apollo::Contact;
use crate::failpoints::{self, reached};
use crate::journal;
use crate::model::{
    ApolloId, ConflictCause, Endpoint, Entry, Field, Fields, Intent, IntentId, MatchedBy, Origin, Timestamp,
};
use crate::ops::{Step, problem};
use crate::state::Change;

use super::bind::{forget_memory, note_sent_lists};
use super::courier::{Failure, Reply};
use super::look::Sight;
use super::outcome::confirm;
use super::performer::{Asked, End, Performer, Trouble};

/// How long a look before a create stands; a create that waits longer for quota is looked for again.
const LOOK_STANDS: Duration = Duration::from_mins(1);

/// How a create is sent.
struct Sent {
    /// Goes into the write of the intent.
    with: Vec<Change>,
    /// Whether a look showed nobody, so that a match is one that it did not show.
    looked: bool,
    fresh_until: Option<tokio::time::Instant>,
}

impl Performer<'_> {
    pub(super) async fn create(&self, entry: &Entry, asked: Asked) -> Result<End, Trouble> {
        let _alone = self.alone(&entry.fields).await;
        let mut with = Vec::new();
        let is_its = |intent: &Intent| {
            // The entry may have been refused under the key that it had before.
            let is_free = intent.key == *entry.key() || self.job.fingerprint(&intent.key).is_none();
            intent.refused && is_free && intent.may_be_of(entry)
        };
        for (&id, intent) in self.job.open.iter().filter(|(_, intent)| is_its(intent)) {
            // A refusal may hide that the contact was made, and what was made shows late.
            if let Some(made) = self.made_although_refused(intent).await? {
                return self.bind_made(id, intent, entry, &made).await;
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
                self.send_create(id, intent, entry, Sent { with, looked: false, fresh_until: None }).await
            }
        }
    }

    /// Sends the create of an intent in doubt again exactly as it was, where nobody may look.
    pub(super) async fn send_again(&self, id: IntentId, intent: &Intent, entry: &Entry) -> Result<End, Trouble> {
        self.send_create(id, intent.clone(), entry, Sent { with: Vec::new(), looked: false, fresh_until: None }).await
    }

    /// Looks who is there already, and sends the create when nobody is: a new one, or `again` the body of one in doubt.
    pub(super) async fn look_and_send(
        &self,
        again: Option<(IntentId, &Intent)>,
        entry: &Entry,
        mut with: Vec<Change>,
    ) -> Result<End, Trouble> {
        loop {
            // Before the look, which would be too old once creates go out again.
            let turn = self.session.courier().turn(Endpoint::CreateContact).await;
            let _turn = turn.map_err(|failure| self.trouble(Endpoint::CreateContact, failure))?;
            let intent = match again {
                Some((_, intent)) => intent.clone(),
                None => self.create_intent(entry, entry.run_dedupe),
            };
            let sight = self.look_before(&intent.fields, intent.run_dedupe).await?;
            let looked = match sight {
                Sight::Nobody => true,
                Sight::MayNotSearch if entry.dedupe_can_match() => {
                    if self.session.is_first_blind_create() {
                        self.warn(vec![problem::creates_blindly(self.place)]);
                    }
                    false
                }
                Sight::MayNotSearch => return Err(Trouble::failed(problem::needs_a_person(self.place))),
                Sight::SamePerson(found) => {
                    // The adoption takes the place of what was to be sent.
                    return self.adopt(&found, entry, Origin::Matched(MatchedBy::LookUp)).await;
                }
                Sight::Owned(found, owner) => {
                    let other_fingerprint = self.job.fingerprint(&owner);
                    let cause = ConflictCause::Collision { other: owner, other_fingerprint };
                    return Err(self.conflict(again.map(|(id, _)| id), entry, &found, cause).await?);
                }
                Sight::Several(ids) => {
                    let first = ids[0].clone();
                    return Err(self.conflict(None, entry, &first, ConflictCause::Several { ids }).await?);
                }
                Sight::Namesakes(ids) => {
                    let first = ids[0].clone();
                    return Err(self.conflict(None, entry, &first, ConflictCause::Namesakes { ids }).await?);
                }
            };
            let id = again.map_or_else(|| self.session.store().next_intent_id(), |(id, _)| id);
            let fresh_until = looked.then(|| tokio::time::Instant::now() + LOOK_STANDS);
            let sent = Sent { with: with.clone(), looked, fresh_until };
            match self.send_create(id, intent, entry, sent).await {
                Err(Trouble { end: End::Stale, .. }) => with.clear(),
                end => return end,
            }
        }
    }

    /// Sends a create and binds what it is answered with; used for a first send and by settling.
    async fn send_create(&self, id: IntentId, mut intent: Intent, entry: &Entry, how: Sent) -> Result<End, Trouble> {
        let settling = intent.attempts > 0;
        let looked = how.looked;
        let (contact, meta) = match self.send(id, &mut intent, how.with, how.fresh_until).await {
            Ok((Reply::Contact(contact), meta)) => (contact, meta),
            Ok(_) => unreachable!("a create is answered with a contact"),
            Err(Failure::Refused(error)) => {
                reached(failpoints::Step::BeforeRefusalWritten);
                let is_content = error.status() != Some(401) && !error.is_barred(intent.endpoint);
                let change = if is_content && !entry.is_matched_by_email() {
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
        let owner = self.owner(&contact.id).await?;
        if let Some(owner) = owner.filter(|owner| owner != entry.key()) {
            return Err(self.collision(Some(id), entry, &contact.id, &owner).await?);
        }
        let earliest = self.earliest(&intent, meta.date);
        let is_ours = |contact: &Contact| {
            // The answer to an earlier attempt was lost: what that made is matched by this one.
            settling
                && !self.was_there(contact, earliest)
                && !intent.there_before.contains(&contact.id)
                && confirm::agrees(&intent.fields, contact)
        };
        let matched = self.matched(&contact, earliest).filter(|_| !is_ours(&contact));
        let differs = confirm::may_be_matched(entry, &contact);
        // By the server's clock it may be a little older than the request that made it; then its values decide.
        let is_recent = contact.created_at.is_some_and(|created| created >= earliest + journal::CLOCK_SLACK);
        if (matched.is_some() || (differs && !is_recent)) && confirm::is_stranger(&intent.fields, &contact) {
            return Err(self.conflict(Some(id), entry, &contact.id, ConflictCause::Stranger).await?);
        }
        // The entry may have changed since the body was written: whom only the body means is not the entry's.
        let was_there = matched.is_some() || (differs && !is_recent);
        if was_there && confirm::is_somebody_else_now(&intent.fields, &entry.fields, &contact) {
            return Err(self.somebody_else(id, entry, &contact.id).await?);
        }
        if matched.is_some() && looked {
            // What stood there before can no longer be seen.
            return Err(self.conflict(Some(id), entry, &contact.id, ConflictCause::UnseenMatch).await?);
        }
        let sent_all = matched.is_none() && !differs && !settling;
        let (step, origin) = match matched {
            None => (Step::Create, if settling { Origin::Settled } else { Origin::Created }),
            Some(by) => (Step::Import, Origin::Matched(by)),
        };
        let mut binding = self.bind(&contact, entry, origin);
        if sent_all {
            binding.applied = intent.fields.clone();
        }
        note_sent_lists(&mut binding, &intent);
        self.bound(Some(id), entry, binding, &contact, step).await
    }

    /// Makes the intent of a create. Lists follow by a call of their own, since the create may be matched.
    fn create_intent(&self, entry: &Entry, run_dedupe: bool) -> Intent {
        let mut fields = entry.fields.clone();
        fields.remove(&Field::LabelNames);
        self.intent(Endpoint::CreateContact, None, &fields, run_dedupe)
    }

    /// Waits until no other entry with the name of this one is being created, where there is one.
    pub(super) async fn alone(&self, fields: &Fields) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if self.job.shares_name(fields) { Some(self.job.one_of_a_name.lock().await) } else { None }
    }

    fn matched(&self, contact: &Contact, earliest: Timestamp) -> Option<MatchedBy> {
        // Made moments ago, so that its time alone would pass it off as new.
        if self.job.known.contains(&contact.id) {
            return Some(MatchedBy::CreationTime);
        }
        confirm::matched(contact, earliest)
    }

    /// Reports whether a contact was there before what made one no earlier than `earliest`.
    pub(super) fn was_there(&self, contact: &Contact, earliest: Timestamp) -> bool {
        self.job.known.contains(&contact.id) || confirm::is_older(contact, earliest)
    }

    /// Returns the earliest time of creation of a contact that `intent` made, by the clock of a server that says
    /// it is `server_now`.
    pub(super) fn earliest(&self, intent: &Intent, server_now: Option<Timestamp>) -> Timestamp {
        let now = self.session.now();
        journal::earliest_creation(intent, server_now.unwrap_or(now), now)
    }
}
