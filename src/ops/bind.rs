//! Binds keys to contacts: by creating them, by their id, or by what a look-up found.
//!
//! Whatever cannot be bound is recorded as a conflict or left in doubt; never guesses.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use crate::apollo::Contact;
use crate::failpoints::{self, reached};
use crate::journal;
use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Entry, Field, Fields, Intent, IntentId,
    MatchedBy, Origin, Place, Timestamp, Value,
};
use crate::plan::{Action, Change as FieldChange, Dispute, Known, Operation, Reason, Setting};
use crate::store::{self, Change};

use super::action::{End, Performer, Trouble};
use super::bring_up::{Effort, complete, note_dropped};
use super::courier::{Failure, Look, Reply};
use super::look::Sight;
use super::{Imported, Problem, Step, confirm, problem};

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

/// What a person said about a create on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    /// The contact is to be made although Apollo holds somebody like it.
    Anyway,
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
        let owner = self.owner(&contact.id)?;
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

    /// Binds to a contact that is known by its id.
    pub(super) async fn adopt(&self, id: &ApolloId, entry: &Entry, origin: Origin) -> Result<End, Trouble> {
        let contact = match self.session.look(&Look::View(id.clone())).await {
            Ok((Reply::Contact(contact), _)) => contact,
            Ok(_) => unreachable!("a view is answered with a contact"),
            Err(Failure::Refused(error)) if self.is_gone(id, &error).await? => {
                return self.adopt_gone(id, entry, &origin, problem::chain(&error)).await;
            }
            Err(Failure::Refused(error)) => {
                return Err(Trouble::failed(problem::refused(Endpoint::ViewContact, &error, self.place)));
            }
            Err(failure) => return Err(self.trouble(Endpoint::ViewContact, failure)),
        };
        if contact.person_deleted {
            return self.adopt_gone(id, entry, &origin, "Apollo says that it was deleted".to_owned()).await;
        }
        if contact.id != *id {
            // Whoever it was merged into is not who the entry, or the memory of it, names.
            let owner = self.owner(&contact.id)?.filter(|owner| owner != entry.key());
            return Err(Trouble::failed(problem::merged(id, &contact.id, owner.as_ref(), entry)));
        }
        if !matches!(origin, Origin::Adopted) && confirm::is_stranger(&entry.fields, &contact) {
            return Err(self.conflict(None, entry, &contact.id, ConflictCause::Stranger).await?);
        }
        let step = if origin == Origin::Restored { Step::Restore } else { Step::Import };
        let binding = self.bind(&contact, entry, origin);
        self.bound(None, entry, binding, &contact, step).await
    }

    /// Goes on where the contact to bind to is gone: a restore becomes a create, anything else needs a person.
    async fn adopt_gone(&self, id: &ApolloId, entry: &Entry, origin: &Origin, why: String) -> Result<End, Trouble> {
        match origin {
            Origin::Restored => {
                self.record(forget_memory(entry).collect()).await?;
                self.warn(vec![problem::restored_as_new(id, self.place)]);
                Box::pin(self.create(entry, Asked::Nothing)).await
            }
            _ => Err(Trouble::failed(problem::does_not_exist(id, entry, &why))),
        }
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
        let deviations = confirm::deviations(&binding.applied, &Fields::default(), contact);
        // What the answer does not confirm is sent once more before anybody is told.
        let tried = confirm::unconfirmed(&binding.applied, &deviations, contact);
        let deviations: Vec<_> = deviations.into_iter().filter(|found| !tried.contains(&found.field)).collect();
        for field in &tried {
            binding.applied.remove(field);
        }
        complete(&mut binding, entry);
        note_dropped(&mut binding, &deviations);
        let mut changes = vec![
            Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) },
            Change::DropConflict { key: entry.key().clone() },
        ];
        changes.extend(forget_memory(entry));
        changes.extend(intent.map(|id| Change::DropIntent { id }));
        changes.extend(self.open_intents(entry.key()).map(|id| Change::DropIntent { id }));
        changes.extend(self.spent().filter(|_| binding.fingerprint.is_some()));
        match self.session.store().commit(changes).await {
            Ok(_) => {}
            // Found by our own search rather than answered by Apollo, while another entry found it too.
            Err(store::Error::IdTaken { id, owner, .. }) if step == Step::Settle || is_looked_up(&binding) => {
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
        let sent_unseen = overwritten(entry, &binding.origin);
        if binding.fingerprint.is_some() {
            self.imported(entry, step, &binding, sent_unseen);
            return Ok(End::Done(step, Some(id)));
        }
        // Where it was made by us, every list it is on is ours.
        let is_ours = matches!(binding.origin, Origin::Created | Origin::Settled);
        let lists_before = contact.label_ids.clone().filter(|_| !is_ours).unwrap_or_default().into_iter().collect();
        let pending = Known::of(&binding, []).changes_to(&entry.fields);
        let brought_up = self.bring_up(entry, binding, &pending, Effort { tried, lists_before, open: &[] }).await;
        // A state that cannot be read fails the action anyway, which says so.
        if let Ok(Some(binding)) = self.session.store().binding(entry.key()) {
            let mut written = sent_unseen;
            for change in pending.into_iter().filter(|change| is_written(change, &binding)) {
                written.retain(|sent| sent.field != change.field);
                written.push(change);
            }
            self.imported(entry, step, &binding, written);
        }
        match brought_up {
            Ok(()) => Ok(End::Done(step, Some(id))),
            Err(trouble) => Err(trouble.after_binding(step, id)),
        }
    }

    /// Notes a contact that was there before, with what was written to it.
    fn imported(&self, entry: &Entry, step: Step, binding: &Binding, mut changes: Vec<FieldChange>) {
        if !matches!(step, Step::Import | Step::Restore) {
            return;
        }
        changes.sort_by(|one, other| one.field.cmp(&other.field));
        // Of those that nothing was written to, many are kept when a state was lost.
        let entry =
            if changes.is_empty() { Entry { fields: Fields::default(), ..entry.clone() } } else { entry.clone() };
        let operation = Operation::Update { id: binding.apollo_id.clone(), entry, changes };
        let action = Action { place: self.place.clone(), reason: Reason::FieldsDiffer, operation };
        let imported = Imported { action, origin: binding.origin.clone() };
        self.job.imported.lock().unwrap_or_else(PoisonError::into_inner).push(imported);
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
        let Some(mut binding) = self.session.store().binding(key).map_err(|error| self.store_trouble(&error))? else {
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

    /// Records what stands between an entry and its contact, until a person has decided.
    pub(super) async fn conflict(
        &self,
        intent: Option<IntentId>,
        entry: &Entry,
        id: &ApolloId,
        cause: ConflictCause,
    ) -> Result<Trouble, Trouble> {
        let dispute = Dispute::of(id, &cause);
        let conflict = Conflict {
            key: entry.key().clone(),
            fingerprint: entry.fingerprint(),
            apollo_id: id.clone(),
            cause,
            at: self.session.now(),
        };
        let drop_intent = intent.map(|id| Change::DropIntent { id });
        self.record([Change::PutConflict(conflict)].into_iter().chain(drop_intent).collect()).await?;
        Ok(Trouble::failed(problem::undecided(&dispute, entry)))
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

    /// Makes the binding that an answer proves: the declared fields that it shows, as it shows them.
    pub(super) fn bind(&self, contact: &Contact, entry: &Entry, origin: Origin) -> Binding {
        let observed = confirm::observed(&entry.fields, contact);
        let now = self.session.now();
        let mut applied = observed.clone();
        // What the contact is on by somebody else's hand is not ours to undo.
        let found_lists = match applied.remove(&Field::LabelNames) {
            Some(Value::Lists(lists)) if !matches!(origin, Origin::Created | Origin::Settled) => lists,
            _ => BTreeSet::new(),
        };
        Binding {
            apollo_id: contact.id.clone(),
            applied,
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
            merged_into: None,
            found_lists,
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

/// Lists what a create wrote to a contact that it was matched to: what that held before was never seen.
fn overwritten(entry: &Entry, origin: &Origin) -> Vec<FieldChange> {
    match origin {
        Origin::Matched(MatchedBy::LookUp) | Origin::Created | Origin::Adopted | Origin::Settled | Origin::Restored => {
            Vec::new()
        }
        Origin::Matched(MatchedBy::DedupeResult(_) | MatchedBy::WasExisting | MatchedBy::CreationTime) => {
            let sent = entry.fields.iter().filter(|(field, _)| **field != Field::LabelNames);
            let change = |(field, value): (&Field, &Value)| FieldChange {
                field: field.clone(),
                before: None,
                after: Setting::Set(value.clone()),
            };
            sent.map(change).collect()
        }
    }
}

/// Reports whether a field that was to be written stands applied now.
fn is_written(change: &FieldChange, binding: &Binding) -> bool {
    let field = &change.field;
    let stands = match &change.after {
        Setting::Released => false,
        Setting::Set(value @ Value::Text(_)) => binding.applied.get(field) == Some(value),
        Setting::Set(Value::Lists(after)) => {
            let ours: BTreeSet<&str> = binding.applied.lists().collect();
            let was_on = |list: &String| matches!(&change.before, Some(Value::Lists(before)) if before.contains(list));
            after.iter().all(|list| ours.contains(list.as_str()) || was_on(list))
        }
    };
    stands && !binding.dropped.contains(field)
}

/// Reports whether a new binding rests on a look-up instead of the answer to a create.
fn is_looked_up(binding: &Binding) -> bool {
    matches!(binding.origin, Origin::Matched(MatchedBy::LookUp))
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
