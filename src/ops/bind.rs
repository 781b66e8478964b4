//! Binds keys to contacts: by creating them, by their id, or by what a look-up found.
//!
//! Whatever cannot be bound is recorded as a conflict or left in doubt; never guesses.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use crate::apollo::{self, Contact, Meta};
use crate::failpoints::{self, reached};
use crate::journal;
use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Entry, Field, Intent, IntentId, MatchedBy,
    Origin, Place, Timestamp,
};
use crate::plan::{Dispute, Known};
use crate::store::{self, Change};

use super::action::{End, Performer, Trouble};
use super::bring_up::{complete, note_dropped};
use super::courier::{Failure, Look, Reply};
use super::settle::may_be_matched;
use super::{Problem, Step, confirm, problem};

impl Performer<'_> {
    pub(super) async fn create(&self, entry: &Entry) -> Result<End, Trouble> {
        let mut turn = None;
        // A state that was lost leaves contacts behind that Apollo would not match.
        if self.job.looks_up_first && !entry.dedupe_can_match() {
            // Another entry may be for the same person: its contact is not this one's.
            turn = Some(self.job.looking_up.lock().await);
            if let Some(id) = self.look_up_once(&entry.fields).await? {
                return self.adopt(&id, entry, Origin::Matched(MatchedBy::CreationTime)).await;
            }
        }
        let mut intent = self.intent(Endpoint::CreateContact, None, &entry.fields, entry.run_dedupe);
        let id = self.session.store.next_intent_id();
        let end = self.send_create(id, &mut intent, entry).await;
        drop(turn);
        end
    }

    /// Sends a create and binds what it is answered with; used for a first send and by settling.
    pub(super) async fn send_create(&self, id: IntentId, intent: &mut Intent, entry: &Entry) -> Result<End, Trouble> {
        let settling = intent.attempts > 0;
        let (contact, meta) = match self.send(id, intent, Vec::new()).await {
            Ok((Reply::Contact(contact), meta)) => (contact, meta),
            Ok((Reply::Page(_) | Reply::Done, _)) => unreachable!("a create is answered with a contact"),
            Err(Failure::Refused(error)) => {
                reached(failpoints::Step::BeforeRefusalWritten);
                self.record(vec![Change::DropIntent { id }]).await?;
                return Err(Trouble::failed(problem::refused(intent.endpoint, &error, self.place)));
            }
            Err(failure) => return Err(self.trouble(intent.endpoint, failure)),
        };
        let owner = self.session.store.owner_of(&contact.id).map_err(|error| self.store_trouble(&error))?;
        if let Some(owner) = owner.filter(|owner| owner != entry.key()) {
            return Err(self.collision(Some(id), entry, &contact.id, &owner).await?);
        }
        let matched = self.matched(intent, &contact, &meta);
        let differs = confirm::may_be_matched(entry, &contact);
        if (matched.is_some() || differs) && confirm::is_stranger(&intent.fields, &contact) {
            return Err(self.conflict(Some(id), entry, &contact.id, ConflictCause::Stranger).await?);
        }
        // The entry may have changed since the body was written: whom only the body means is not the entry's.
        let was_there = self.was_there(&contact, self.earliest(intent, meta.date)) || may_be_matched(intent, &contact);
        if was_there && confirm::is_somebody_else_now(&intent.fields, &entry.fields, &contact) {
            return Err(self.somebody_else(id, entry, &contact.id).await?);
        }
        let sent_all = matched.is_none() && !differs && !settling && intent.fields == entry.fields;
        let (step, origin) = match matched {
            None => (Step::Create, if settling { Origin::Settled } else { Origin::Created }),
            Some(by) => (Step::Import, Origin::Matched(by)),
        };
        let mut binding = self.bind(&contact, entry, origin);
        if sent_all {
            binding.applied = entry.fields.clone();
        }
        note_sent_lists(&mut binding, intent);
        self.bound(Some(id), entry, binding, &contact, step).await
    }

    /// Binds to a contact that is known by its id.
    pub(super) async fn adopt(&self, id: &ApolloId, entry: &Entry, origin: Origin) -> Result<End, Trouble> {
        let contact = match self.session.look(&Look::View(id.clone())).await {
            Ok((Reply::Contact(contact), _)) => contact,
            Ok((Reply::Page(_) | Reply::Done, _)) => unreachable!("a view is answered with a contact"),
            Err(Failure::Refused(error)) => return Err(self.cannot_view(id, entry, &origin, &error).await?),
            Err(failure) => return Err(self.trouble(Endpoint::ViewContact, failure)),
        };
        if origin == Origin::Restored && confirm::is_stranger(&entry.fields, &contact) {
            return Err(self.conflict(None, entry, &contact.id, ConflictCause::Stranger).await?);
        }
        let step = if origin == Origin::Restored { Step::Restore } else { Step::Import };
        let binding = self.bind(&contact, entry, origin);
        self.bound(None, entry, binding, &contact, step).await
    }

    /// Records a binding, then brings the contact to what is declared where the answer does not show it so.
    pub(super) async fn bound(
        &self,
        intent: Option<IntentId>,
        entry: &Entry,
        mut binding: Binding,
        contact: &Contact,
        step: Step,
    ) -> Result<End, Trouble> {
        complete(&mut binding, entry);
        let deviations = confirm::deviations(&binding.applied, contact);
        note_dropped(&mut binding, &deviations);
        let mut changes = vec![
            Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) },
            Change::DropConflict { key: entry.key().clone() },
        ];
        changes.extend(forget_memory(entry));
        changes.extend(intent.map(|id| Change::DropIntent { id }));
        changes.extend(self.open_intents(entry.key()).map(|id| Change::DropIntent { id }));
        changes.extend(self.spent().filter(|_| binding.fingerprint.is_some()));
        match self.session.store.commit(changes).await {
            Ok(_) => {}
            // Found by our own search rather than answered by Apollo, while another entry found it too.
            Err(store::Error::IdTaken { id, owner, .. }) if step == Step::Settle || is_looked_up(&binding, intent) => {
                return Err(Trouble::failed(taken_meanwhile(&id, &owner, self.place)));
            }
            Err(store::Error::IdTaken { id, owner, .. }) => {
                return Err(self.collision(intent, entry, &id, &owner).await?);
            }
            Err(error) => return Err(self.store_trouble(&error)),
        }
        reached(failpoints::Step::BoundBeforePatch);
        let id = binding.apollo_id.clone();
        self.warn(problem::deviations(&deviations, entry));
        if binding.fingerprint.is_some() {
            return Ok(End::Done(step, Some(id)));
        }
        let pending = Known::of(&binding, []).changes_to(&entry.fields);
        match self.bring_up(entry, binding, &pending, &[]).await {
            Ok(()) => Ok(End::Done(step, Some(id))),
            Err(trouble) => Err(trouble.after_binding(step, id)),
        }
    }

    async fn cannot_view(
        &self,
        id: &ApolloId,
        entry: &Entry,
        origin: &Origin,
        error: &apollo::Error,
    ) -> Result<Trouble, Trouble> {
        if !error.contact_is_gone(id) {
            return Ok(Trouble::failed(problem::refused(Endpoint::ViewContact, error, self.place)));
        }
        if *origin == Origin::Restored {
            // The memory led nowhere; without it the next plan creates the entry.
            self.record(forget_memory(entry).collect()).await?;
        }
        let next = match origin {
            Origin::Restored => "Its memory was dropped: the next apply creates the entry as a new contact.",
            _ => "Correct apollo_id in the entry, or remove it to have the contact created.",
        };
        let summary = format!("Contact {id} of {} does not exist", entry.key().address());
        let why = problem::chain(error);
        Ok(Trouble::failed(Problem::error(summary, format!("{why}\n{next}")).at(&entry.place, None)))
    }

    /// Records that the answered contact belongs to another key, and that the other may have been overwritten.
    async fn collision(
        &self,
        intent: Option<IntentId>,
        entry: &Entry,
        id: &ApolloId,
        owner: &ContactKey,
    ) -> Result<Trouble, Trouble> {
        let sent: Vec<Field> =
            entry.fields.iter().map(|(field, _)| field.clone()).filter(|field| *field != Field::LabelNames).collect();
        self.doubt(owner, &sent).await?;
        // The owner may be under way, and record what it knew before: it is doubted again at the end.
        self.job.overwritten.lock().unwrap_or_else(PoisonError::into_inner).push((owner.clone(), sent));
        let other_fingerprint = self.job.fingerprint(owner);
        let cause = ConflictCause::Collision { other: owner.clone(), other_fingerprint };
        self.conflict(intent, entry, id, cause).await
    }

    /// Forgets that `fields` of a contact stand as they were applied, so that they are sent again.
    pub(super) async fn doubt(&self, key: &ContactKey, fields: &[Field]) -> Result<(), Trouble> {
        let Some(mut binding) = self.session.store.binding(key).map_err(|error| self.store_trouble(&error))? else {
            return Ok(());
        };
        for field in fields {
            binding.applied.remove(field);
        }
        binding.fingerprint = None;
        self.record(vec![Change::PutBinding { key: key.clone(), binding: Box::new(binding) }]).await
    }

    /// Records that a create in doubt leads to somebody whom the entry, as it is now, does not mean.
    pub(super) async fn somebody_else(
        &self,
        intent: IntentId,
        entry: &Entry,
        id: &ApolloId,
    ) -> Result<Trouble, Trouble> {
        self.conflict(Some(intent), entry, id, ConflictCause::Stranger).await?;
        Ok(Trouble::failed(problem::meant_somebody_else(id, entry)))
    }

    async fn conflict(
        &self,
        intent: Option<IntentId>,
        entry: &Entry,
        id: &ApolloId,
        cause: ConflictCause,
    ) -> Result<Trouble, Trouble> {
        let dispute = match &cause {
            ConflictCause::Collision { other, .. } => Dispute::Collision { id: id.clone(), other: other.clone() },
            ConflictCause::Stranger => Dispute::Stranger { id: id.clone() },
        };
        let conflict = Conflict {
            key: entry.key().clone(),
            fingerprint: entry.fingerprint(),
            apollo_id: id.clone(),
            cause,
            at: self.session.clock.now(),
        };
        let drop_intent = intent.map(|id| Change::DropIntent { id });
        self.record([Change::PutConflict(conflict)].into_iter().chain(drop_intent).collect()).await?;
        Ok(Trouble::failed(problem::undecided(&dispute, entry)))
    }

    fn matched(&self, intent: &Intent, contact: &Contact, meta: &Meta) -> Option<MatchedBy> {
        // Made moments ago, so that its time alone would pass it off as new.
        if self.job.known.contains(&contact.id) {
            return Some(MatchedBy::CreationTime);
        }
        confirm::matched(contact, self.earliest(intent, meta.date))
    }

    /// Reports whether a contact was there before what made one no earlier than `earliest`.
    pub(super) fn was_there(&self, contact: &Contact, earliest: Timestamp) -> bool {
        self.job.known.contains(&contact.id) || confirm::is_older(contact, earliest)
    }

    /// Returns the earliest time of creation of a contact that `intent` made, by the clock of a server that says
    /// it is `server_now`.
    pub(super) fn earliest(&self, intent: &Intent, server_now: Option<Timestamp>) -> Timestamp {
        let now = self.session.clock.now();
        journal::earliest_creation(intent, server_now.unwrap_or(now), now)
    }

    /// Makes the binding that an answer proves: the declared fields that it shows, as it shows them.
    pub(super) fn bind(&self, contact: &Contact, entry: &Entry, origin: Origin) -> Binding {
        let observed = confirm::observed(&entry.fields, contact);
        let now = self.session.clock.now();
        Binding {
            apollo_id: contact.id.clone(),
            applied: observed.clone(),
            observed,
            origin,
            bound_at: now,
            applied_at: now,
            run: self.session.run.clone(),
            path: entry.place.path.display().to_string(),
            fingerprint: None,
            gone_at: None,
            dropped: BTreeSet::new(),
            possible_lists: BTreeSet::new(),
        }
    }
}

/// Notes the lists that a create has or may have put the contact on and that are not known to be applied, so that
/// those no longer declared, now or later, are taken off again.
pub(super) fn note_sent_lists(binding: &mut Binding, intent: &Intent) {
    let applied: BTreeSet<&str> = binding.applied.lists().collect();
    let possible = intent.fields.lists().filter(|list| !applied.contains(list));
    binding.possible_lists = possible.map(str::to_owned).collect();
}

/// Reports whether a new binding rests on a look-up instead of the answer to a create.
fn is_looked_up(binding: &Binding, intent: Option<IntentId>) -> bool {
    intent.is_none() && matches!(binding.origin, Origin::Matched(_))
}

fn taken_meanwhile(id: &ApolloId, owner: &ContactKey, place: &Place) -> Problem {
    Problem::error(
        format!("Contact {id} was found for two entries"),
        format!(
            "It is bound to {} since. Nothing was recorded for {}: the next apply looks again and leaves that contact \
             out.",
            owner.address(),
            place.key.address()
        ),
    )
    .at(place, None)
}

/// Drops the memory of the contact an entry had, under its key or the one it says it had.
fn forget_memory(entry: &Entry) -> impl Iterator<Item = Change> {
    let keys = [Some(entry.key()), entry.moved_from.as_ref()];
    keys.into_iter().flatten().map(|key| Change::DropTombstone { key: key.clone() })
}
