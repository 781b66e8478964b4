//! Binds keys to contacts, and records what cannot be bound.
//!
//! Whatever cannot be bound is recorded as a conflict or left in doubt; never guesses.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use crate::apollo::Contact;
use crate::failpoints::{self, reached};
use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Entry, Field, Fields, Intent, IntentId,
    MatchedBy, Origin, Place,
};
use crate::plan::{Action, Change as FieldChange, Dispute, Known, Operation, Reason};
use crate::state::{self, Change};

use super::bring_up::Effort;
use super::courier::Failure;
use super::outcome::binding::{self, Confirmed, complete};
use super::outcome::create::{self, Adopted};
use super::outcome::{lists, person, settled};
use super::performer::{End, Performer, Trouble};
use crate::ops::{Imported, NotThere, Problem, ProblemKind, Step, problem};

impl Performer<'_> {
    /// Binds to a contact that is known by its id.
    pub(super) async fn adopt(&self, id: &ApolloId, entry: &Entry, origin: Origin) -> Result<End, Trouble> {
        if let Some(seen) = self.job.seen.get(id) {
            return self.adopt_seen(id, entry, origin, &seen.unpack().contact(id)).await;
        }
        match self.view_living(id).await? {
            Ok(contact) => self.adopt_seen(id, entry, origin, &contact).await,
            Err(why) => Err(Trouble::failed(problem::does_not_exist(id, entry, why))),
        }
    }

    /// Views a contact to bind to; an inner `Err` says why it is taken to be gone.
    pub(super) async fn view_living(&self, id: &ApolloId) -> Result<Result<Contact, NotThere>, Trouble> {
        match self.session.access.view(id).await {
            Ok(contact) if contact.person_deleted => Ok(Err(NotThere::Deleted)),
            Ok(contact) => Ok(Ok(contact)),
            Err(Failure::Refused(error)) if self.is_gone(id, &error).await? => {
                Ok(Err(NotThere::Refused(problem::chain(&error))))
            }
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
        match create::of_view(id, entry, &origin, contact) {
            Adopted::Bind(step) => {
                let binding = self.binding_of(contact, entry, origin);
                self.bound(None, entry, binding, contact, step).await
            }
            Adopted::Merged => {
                let owner = self.owner(&contact.id).await?.filter(|owner| owner != entry.key());
                Err(Trouble::failed(problem::merged(id, &contact.id, owner.as_ref(), entry)))
            }
            Adopted::Stranger => Err(self.conflict(None, entry, &contact.id, ConflictCause::Stranger).await?),
        }
    }

    /// Binds the contact that the create made, and brings it to what is declared now.
    pub(super) async fn bind_made(
        &self,
        id: IntentId,
        intent: &Intent,
        entry: &Entry,
        made: &ApolloId,
    ) -> Result<End, Trouble> {
        let shown = self.among_newest(intent, made).await?;
        let contact = match shown.filter(|contact| person::has_sent_email(&intent.fields, contact)) {
            Some(contact) => contact,
            // A row may leave the e-mail out.
            None => self.view(made).await?,
        };
        if !settled::is_what_was_made(made, intent, &contact) {
            return Err(Trouble::failed(problem::undecided(&Dispute::Several { ids: vec![made.clone()] }, entry)));
        }
        let mut binding = self.binding_of(&contact, entry, Origin::Settled);
        lists::note_sent(&mut binding, intent);
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
        let sent = binding.applied.clone();
        // What the answer does not confirm is sent once more before anybody is told.
        let Confirmed { again: tried, told } =
            binding::confirm(&mut binding, &sent, &Fields::default(), contact, &BTreeSet::new());
        complete(&mut binding, entry);
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
        if intent.is_none() {
            self.warn_of_doubts(entry.key(), &id, |intent| settled::may_have_made(intent, contact));
        }
        self.warn(problem::deviations(&told, entry));
        let sent_unseen = binding::overwritten(entry, &binding.origin);
        if binding.fingerprint.is_some() {
            self.imported(entry, step, &binding, sent_unseen);
            return Ok(End::Done(step, Some(id)));
        }
        let is_ours = binding::is_made_by_us(&binding.origin);
        let lists_before = contact.label_ids.clone().filter(|_| !is_ours).unwrap_or_default().into_iter().collect();
        let pending = Known::of(&binding, []).changes_to(&entry.fields);
        let effort = Effort { tried, lists_before, open: &[] };
        let brought_up = Box::pin(self.bring_up(entry, binding, &pending, effort)).await;
        // A state that cannot be read fails the action anyway, which says so.
        if let Ok(Some(binding)) = self.session.store().binding(entry.key()).await {
            let mut written = sent_unseen;
            for change in pending.into_iter().filter(|change| binding::is_written(change, &binding)) {
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
        let operation = Operation::Update { id: binding.apollo_id.clone(), entry: entry.into(), changes };
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
        self.overwrote(owner, sent).await?;
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

    /// Makes the binding that an answer proves.
    pub(super) fn binding_of(&self, contact: &Contact, entry: &Entry, origin: Origin) -> Binding {
        binding::of(contact, entry, origin, self.session.now(), &self.session.run)
    }

    pub(super) async fn view(&self, id: &ApolloId) -> Result<Contact, Trouble> {
        self.session.access.view(id).await.map_err(|failure| self.trouble(Endpoint::ViewContact, failure))
    }
}

/// Reports whether a new binding rests on a look-up instead of the answer to a create.
fn is_looked_up(binding: &Binding) -> bool {
    matches!(binding.origin, Origin::Matched(MatchedBy::LookUp))
}

fn taken_meanwhile(id: &ApolloId, owner: &ContactKey, place: &Place) -> Problem {
    ProblemKind::TakenMeanwhile { id: id.clone(), owner: owner.clone() }.at(place, None)
}

/// Drops the memory of the contact an entry had, under its key or the one it says it had.
pub(super) fn forget_memory(entry: &Entry) -> impl Iterator<Item = Change> {
    let keys = [Some(entry.key()), entry.moved_from.as_ref()];
    keys.into_iter().flatten().map(|key| Change::DropTombstone { key: key.clone() })
}
