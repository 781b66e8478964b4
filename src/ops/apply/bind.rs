//! Binds keys to contacts, and records what cannot be bound.
//!
//! Whatever cannot be bound is recorded as a conflict or left in doubt; never guesses.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use crate::apollo::Contact;
use crate::failpoints::{self, reached};
use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Entry, Field, Fields, Intent, IntentId,
    MatchedBy, Origin, Place, Value,
};
use crate::plan::{Action, Change as FieldChange, Dispute, Known, Operation, Reason, Setting};
use crate::state::{self, Change};

use super::bring_up::{Effort, complete, note_dropped};
use super::courier::{Failure, Look, Reply};
use super::outcome::confirm;
use super::performer::{End, Performer, Trouble};
use crate::ops::{Imported, Problem, Step, problem};

impl Performer<'_> {
    /// Binds to a contact that is known by its id.
    pub(super) async fn adopt(&self, id: &ApolloId, entry: &Entry, origin: Origin) -> Result<End, Trouble> {
        match self.view_living(id).await? {
            Ok(contact) => self.adopt_seen(id, entry, origin, &contact).await,
            Err(why) => Err(Trouble::failed(problem::does_not_exist(id, entry, &why))),
        }
    }

    /// Views a contact to bind to; an inner `Err` says why it is taken to be gone.
    pub(super) async fn view_living(&self, id: &ApolloId) -> Result<Result<Box<Contact>, String>, Trouble> {
        match self.session.look(&Look::View(id.clone())).await {
            Ok((Reply::Contact(contact), _)) if contact.person_deleted => {
                Ok(Err("Apollo says that it was deleted".to_owned()))
            }
            Ok((Reply::Contact(contact), _)) => Ok(Ok(contact)),
            Ok(_) => unreachable!("a view is answered with a contact"),
            Err(Failure::Refused(error)) if self.is_gone(id, &error).await? => Ok(Err(problem::chain(&error))),
            Err(failure) => Err(self.trouble(Endpoint::ViewContact, failure)),
        }
    }

    /// Binds to the contact that was answered to a view of `id`.
    pub(super) async fn adopt_seen(
        &self,
        id: &ApolloId,
        entry: &Entry,
        origin: Origin,
        contact: &Contact,
    ) -> Result<End, Trouble> {
        if contact.id != *id {
            // Whoever it was merged into is not who the entry, or the memory of it, names.
            let owner = self.owner(&contact.id).await?.filter(|owner| owner != entry.key());
            return Err(Trouble::failed(problem::merged(id, &contact.id, owner.as_ref(), entry)));
        }
        if !matches!(origin, Origin::Adopted) && confirm::is_stranger(&entry.fields, contact) {
            return Err(self.conflict(None, entry, &contact.id, ConflictCause::Stranger).await?);
        }
        let step = if origin == Origin::Restored { Step::Restore } else { Step::Import };
        let binding = self.bind(contact, entry, origin);
        self.bound(None, entry, binding, contact, step).await
    }

    /// Binds the contact that the create made, and brings it to what is declared now.
    pub(super) async fn bind_made(
        &self,
        id: IntentId,
        intent: &Intent,
        entry: &Entry,
        made: &ApolloId,
    ) -> Result<End, Trouble> {
        let contact = self.view(made).await?;
        if contact.id != *made || contact.person_deleted || !confirm::agrees(&intent.fields, &contact) {
            return Err(Trouble::failed(problem::undecided(&Dispute::Several { ids: vec![made.clone()] }, entry)));
        }
        let mut binding = self.bind(&contact, entry, Origin::Settled);
        note_sent_lists(&mut binding, intent);
        reached(failpoints::Step::SettleBeforeBind);
        self.bound(Some(id), entry, binding, &contact, Step::Settle).await
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
            Err(state::Error::IdTaken { id, owner, .. }) if step == Step::Settle || is_looked_up(&binding) => {
                return Err(Trouble::failed(taken_meanwhile(&id, &owner, self.place)));
            }
            Err(state::Error::IdTaken { id, owner, .. }) => {
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
        if let Ok(Some(binding)) = self.session.store().binding(entry.key()).await {
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
    pub(super) async fn collision(
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

    pub(super) async fn view(&self, id: &ApolloId) -> Result<Contact, Trouble> {
        match self.session.look(&Look::View(id.clone())).await {
            Ok((Reply::Contact(contact), _)) => Ok(*contact),
            Ok(_) => unreachable!("a view is answered with a contact"),
            Err(failure) => Err(self.trouble(Endpoint::ViewContact, failure)),
        }
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
pub(super) fn forget_memory(entry: &Entry) -> impl Iterator<Item = Change> {
    let keys = [Some(entry.key()), entry.moved_from.as_ref()];
    keys.into_iter().flatten().map(|key| Change::DropTombstone { key: key.clone() })
}
