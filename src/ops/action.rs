//! Carries out one action of a plan.
//!
//! Each change is recorded in the same write that drops its intent, before anything is told. What was
//! not confirmed is not recorded as applied, so an action that ends half-way is continued by the next plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::apollo::{self, Contact, Meta, body};
use crate::failpoints::{self, reached};
use crate::journal;
use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Entry, Field, Fields, Fingerprint, IdentityHash,
    IdentityKey, Intent, IntentId, MatchedBy, Origin, Place, Timestamp, Tombstone, Value,
};
use crate::plan::{Action, Change as FieldChange, Dispute, Known, Operation, Setting};
use crate::store::{self, Change};

use super::confirm::{Deviation, DeviationKind};
use super::courier::{Failure, Look, Reply};
use super::{Problem, Session, Step, confirm, problem};

/// What the actions of one plan share beside the session.
#[derive(Debug)]
pub(super) struct Job {
    /// What is declared, by key.
    pub(super) fingerprints: BTreeMap<ContactKey, Fingerprint>,
    pub(super) identity_key: IdentityKey,
    /// The intents that were open when the plan was made.
    pub(super) open: BTreeMap<IntentId, Intent>,
    /// Whether contacts of a state that was lost may still have to be found; see [`Snapshot::established`].
    ///
    /// [`Snapshot::established`]: crate::store::Snapshot::established
    pub(super) looks_up_first: bool,
    /// Held from a look-up to the binding that follows from it, so that the next one sees that binding.
    pub(super) looking_up: Mutex<()>,
    /// Contacts that the state knew when the plan was made; no create of this run makes one of them.
    pub(super) known: BTreeSet<ApolloId>,
}

/// How an action ended.
#[derive(Debug)]
pub(super) enum End {
    /// Done and recorded; what it came to, which for a create may be a match.
    Done(Step, Option<ApolloId>),
    /// Bound and recorded, but not everything is applied; `Problem`s say what.
    BoundOnly(Step),
    Failed,
    /// The run ended before anything was sent.
    NotBegun,
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
}

/// One action under way, with everything its steps need.
pub(super) struct Performer<'a> {
    pub(super) session: &'a Session,
    pub(super) job: &'a Arc<Job>,
    pub(super) place: &'a Place,
}

impl Performer<'_> {
    pub(super) async fn perform(&self, action: &Action) -> Result<End, Trouble> {
        match &action.operation {
            Operation::Create { entry } => self.create(entry).await,
            Operation::Adopt { id, entry } => self.adopt(id, entry, Origin::Adopted).await,
            Operation::Restore { id, entry } => self.adopt(id, entry, Origin::Restored).await,
            Operation::Update { id, entry, changes } => self.update(id, entry, changes).await,
            Operation::Move { from, id, entry, changes } => self.rename(from, id, entry, changes).await,
            Operation::Release { id, entry, .. } => self.release(id, entry).await,
            Operation::Forget { id } => self.forget(id).await,
            Operation::Settle { intent_id, intent, entry } => self.settle(*intent_id, intent, entry.as_ref()).await,
            Operation::Conflict { dispute, entry } => Err(Trouble::failed(problem::undecided(dispute, entry))),
            Operation::Contradiction { bound, declared, owner, entry } => {
                Err(Trouble::failed(problem::contradiction(bound, declared, owner.as_ref(), entry)))
            }
        }
    }

    async fn create(&self, entry: &Entry) -> Result<End, Trouble> {
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
        let (contact, meta) = match self.session.send(id, intent, Vec::new()).await {
            Ok((Reply::Contact(contact), meta)) => (contact, meta),
            Ok((Reply::Page(_) | Reply::Done, _)) => unreachable!("a create is answered with a contact"),
            Err(Failure::Refused(error)) => {
                reached(failpoints::Step::BeforeRefusalWritten);
                self.record(vec![Change::DropIntent { id }]).await?;
                return Err(Trouble::failed(problem::refused(intent.endpoint, &error, self.place)));
            }
            Err(failure) => return Err(self.trouble(intent.endpoint, failure)),
        };
        let matched = self.matched(intent, &contact, &meta);
        let differs = confirm::may_be_matched(entry, &contact);
        if (matched.is_some() || differs) && confirm::is_stranger(&intent.fields, &contact) {
            return Err(self.conflict(Some(id), entry, &contact.id, ConflictCause::Stranger).await?);
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
        note_sent_lists(&mut binding, intent, entry);
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
            Change::DropTombstone { key: entry.key().clone() },
        ];
        changes.extend(intent.map(|id| Change::DropIntent { id }));
        changes.extend(self.open_intents(entry.key(), |_| true).map(|id| Change::DropIntent { id }));
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
        let pending = Known::new(&binding.applied, []).changes_to(&entry.fields);
        match self.bring_up(entry, binding, &pending, &[]).await {
            Ok(()) => Ok(End::Done(step, Some(id))),
            Err(trouble) => Err(Trouble { end: End::BoundOnly(step), ..trouble }),
        }
    }

    async fn update(&self, id: &ApolloId, entry: &Entry, changes: &[FieldChange]) -> Result<End, Trouble> {
        let binding = self.binding(entry.key())?;
        let open: Vec<_> = self.open_intents(entry.key(), |_| true).collect();
        self.bring_up(entry, binding, changes, &open).await?;
        Ok(End::Done(Step::Update, Some(id.clone())))
    }

    async fn rename(
        &self,
        from: &ContactKey,
        id: &ApolloId,
        entry: &Entry,
        changes: &[FieldChange],
    ) -> Result<End, Trouble> {
        let mut binding = self.binding(from)?;
        release_undeclared(&mut binding, entry);
        binding.path = entry.place.path.display().to_string();
        let sends = changes.iter().any(FieldChange::sends);
        if sends || binding.gone_at.is_some() {
            binding.fingerprint = None;
        } else {
            complete(&mut binding, entry);
        }
        let open: Vec<_> = self.open_intents(from, |_| true).collect();
        let mut writes = vec![
            Change::Rename { from: from.clone(), to: entry.key().clone() },
            Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) },
            Change::DropConflict { key: entry.key().clone() },
            Change::DropTombstone { key: entry.key().clone() },
        ];
        if !sends {
            writes.extend(open.iter().map(|&id| Change::DropIntent { id }));
        }
        self.record(writes).await?;
        reached(failpoints::Step::RenameWritten);
        if !sends {
            return Ok(End::Done(Step::Move, Some(id.clone())));
        }
        match self.bring_up(entry, binding, changes, &open).await {
            Ok(()) => Ok(End::Done(Step::Update, Some(id.clone()))),
            Err(trouble) => Err(Trouble { end: End::BoundOnly(Step::Move), ..trouble }),
        }
    }

    async fn release(&self, id: &ApolloId, entry: &Entry) -> Result<End, Trouble> {
        let mut binding = self.binding(entry.key())?;
        release_undeclared(&mut binding, entry);
        complete(&mut binding, entry);
        let mut writes = vec![Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding) }];
        writes.extend(self.open_intents(entry.key(), |_| true).map(|id| Change::DropIntent { id }));
        self.record(writes).await?;
        reached(failpoints::Step::ReleaseWritten);
        Ok(End::Done(Step::Release, Some(id.clone())))
    }

    async fn forget(&self, id: &ApolloId) -> Result<End, Trouble> {
        let key = &self.place.key;
        let binding = self.binding(key)?;
        let mut writes = vec![
            Change::Forget { key: key.clone(), tombstone: self.tombstone(id, &binding.applied) },
            Change::DropConflict { key: key.clone() },
        ];
        // A contact that is gone is nothing to come back to.
        writes.extend(binding.gone_at.map(|_| Change::DropTombstone { key: key.clone() }));
        writes.extend(self.open_intents(key, |_| true).map(|id| Change::DropIntent { id }));
        self.record(writes).await?;
        reached(failpoints::Step::ForgetWritten);
        Ok(End::Done(Step::Forget, Some(id.clone())))
    }

    /// Sends what differs, one request at a time, and records each answer.
    ///
    /// `open` are earlier unanswered requests for the contact, which these make up for.
    async fn bring_up(
        &self,
        entry: &Entry,
        mut binding: Binding,
        changes: &[FieldChange],
        open: &[IntentId],
    ) -> Result<(), Trouble> {
        release_undeclared(&mut binding, entry);
        let writes = writes_for(changes);
        let last = writes.len().saturating_sub(1);
        for (number, (endpoint, fields)) in writes.into_iter().enumerate() {
            let mut intent = self.intent(endpoint, Some(&binding.apollo_id), &fields, entry.run_dedupe);
            let id = self.session.store.next_intent_id();
            // A contact with a request under way never counts as standing applied.
            let with = (binding.fingerprint.take().is_some())
                .then(|| Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) });
            let reply = match self.session.send(id, &mut intent, with.into_iter().collect()).await {
                Ok((reply, _)) => reply,
                Err(Failure::Refused(error)) => {
                    return Err(self.update_refused(id, endpoint, entry, binding, &error).await?);
                }
                Err(failure) => return Err(self.trouble(endpoint, failure)),
            };
            if let Reply::Contact(contact) = &reply
                && contact.id != binding.apollo_id
            {
                return Err(Trouble::failed(answered_for_another(&binding.apollo_id, &contact.id, self.place)));
            }
            self.confirm(&mut binding, entry, &fields, endpoint, &reply);
            binding.applied_at = self.session.clock.now();
            binding.run = self.session.run.clone();
            let mut changes = vec![Change::DropIntent { id }];
            if number == last {
                complete(&mut binding, entry);
                changes.extend(open.iter().map(|&id| Change::DropIntent { id }));
            }
            changes.push(Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) });
            self.record(changes).await?;
            reached(failpoints::Step::AnswerWritten);
        }
        Ok(())
    }

    /// Notes what one answered request changed, and warns of what Apollo made of it.
    fn confirm(&self, binding: &mut Binding, entry: &Entry, sent: &Fields, endpoint: Endpoint, reply: &Reply) {
        for (field, value) in sent.iter() {
            let Value::Lists(names) = value else {
                binding.applied.set(field.clone(), value.clone());
                continue;
            };
            let mut lists: BTreeSet<String> = binding.applied.lists().map(str::to_owned).collect();
            match endpoint {
                Endpoint::RemoveFromLists => lists.retain(|list| !names.contains(list)),
                _ => lists.extend(names.iter().cloned()),
            }
            binding.applied.set(field.clone(), Value::Lists(lists));
        }
        if let Reply::Contact(contact) = reply {
            for (field, value) in confirm::observed(sent, contact) {
                binding.observed.set(field, value);
            }
            let deviations = confirm::deviations(sent, contact);
            binding.dropped.retain(|field| !sent.contains(field));
            note_dropped(binding, &deviations);
            self.warn(problem::deviations(&deviations, entry));
        }
    }

    async fn update_refused(
        &self,
        intent: IntentId,
        endpoint: Endpoint,
        entry: &Entry,
        mut binding: Binding,
        error: &apollo::Error,
    ) -> Result<Trouble, Trouble> {
        reached(failpoints::Step::BeforeRefusalWritten);
        let mut changes = vec![Change::DropIntent { id: intent }];
        let gone = endpoint == Endpoint::UpdateContact && error.contact_is_gone(&binding.apollo_id);
        if gone {
            binding.gone_at = Some(self.session.clock.now());
            changes.push(Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) });
        }
        self.record(changes).await?;
        Ok(Trouble::failed(if gone {
            problem::undecided(&Dispute::Gone { id: binding.apollo_id }, entry)
        } else {
            problem::refused(endpoint, error, self.place)
        }))
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
            self.record(vec![Change::DropTombstone { key: entry.key().clone() }]).await?;
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
        if let Some(mut other) = self.session.store.binding(owner).map_err(|error| self.store_trouble(&error))? {
            // What our create sent may stand there now; sending the owner's values again makes sure.
            let overwritten: Vec<Field> = entry.fields.iter().map(|(field, _)| field.clone()).collect();
            for field in overwritten.iter().filter(|field| **field != Field::LabelNames) {
                other.applied.remove(field);
            }
            other.fingerprint = None;
            self.record(vec![Change::PutBinding { key: owner.clone(), binding: Box::new(other) }]).await?;
        }
        let other_fingerprint = self.job.fingerprints.get(owner).copied();
        let cause = ConflictCause::Collision { other: owner.clone(), other_fingerprint };
        self.conflict(intent, entry, id, cause).await
    }

    pub(super) async fn conflict(
        &self,
        intent: Option<IntentId>,
        entry: &Entry,
        id: &ApolloId,
        cause: ConflictCause,
    ) -> Result<Trouble, Trouble> {
        let dispute = match &cause {
            ConflictCause::Collision { other, .. } => Dispute::Collision { id: id.clone(), other: other.clone() },
            ConflictCause::Stranger => Dispute::Stranger { id: id.clone() },
            ConflictCause::Several { ids } => Dispute::Several { ids: ids.clone() },
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
        let now = self.session.clock.now();
        let server_now = meta.date.unwrap_or(now);
        confirm::matched(contact, journal::earliest_creation(intent, server_now, now))
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
        }
    }

    pub(super) fn tombstone(&self, id: &ApolloId, fields: &Fields) -> Tombstone {
        let identity = IdentityHash::of(fields, &self.job.identity_key);
        Tombstone { apollo_id: id.clone(), identity, at: self.session.clock.now() }
    }

    fn intent(&self, endpoint: Endpoint, id: Option<&ApolloId>, fields: &Fields, run_dedupe: bool) -> Intent {
        let lists = || fields.lists().map(str::to_owned).collect();
        let body = match (endpoint, id) {
            (Endpoint::CreateContact, _) => body::create(fields, run_dedupe),
            (Endpoint::AddToLists | Endpoint::RemoveFromLists, Some(id)) => body::lists(id, &lists()),
            _ => body::update(fields),
        };
        Intent {
            key: self.place.key.clone(),
            endpoint,
            apollo_id: id.cloned(),
            body,
            fields: fields.clone(),
            run_dedupe,
            run: self.session.run.clone(),
            first_sent_at: Timestamp(0),
            last_sent_at: Timestamp(0),
            attempts: 0,
            path: self.place.path.display().to_string(),
        }
    }

    /// Lists the intents of `key` that were open when the plan was made.
    fn open_intents(&self, key: &ContactKey, which: impl Fn(&Intent) -> bool) -> impl Iterator<Item = IntentId> {
        self.job.open.iter().filter(move |(_, intent)| intent.key == *key && which(intent)).map(|(&id, _)| id)
    }

    fn binding(&self, key: &ContactKey) -> Result<Binding, Trouble> {
        let found = self.session.store.binding(key).map_err(|error| self.store_trouble(&error))?;
        Ok(found.expect("a plan changes bound contacts only, and this process is the one writer"))
    }

    pub(super) async fn record(&self, changes: Vec<Change>) -> Result<(), Trouble> {
        self.session.store.commit(changes).await.map(drop).map_err(|error| self.store_trouble(&error))
    }

    fn store_trouble(&self, error: &store::Error) -> Trouble {
        self.session.stop.request(super::Ended::Fatal);
        Trouble::failed(problem::store_failed(error, self.place))
    }

    pub(super) fn trouble(&self, endpoint: Endpoint, failure: Failure) -> Trouble {
        match failure {
            Failure::Stopped | Failure::Barred => Trouble { end: End::NotBegun, problem: None },
            Failure::Refused(error) => Trouble::failed(problem::refused(endpoint, &error, self.place)),
            Failure::InDoubt(error) => Trouble::failed(problem::in_doubt(endpoint, &error, self.place)),
            Failure::Store(error) => self.store_trouble(&error),
        }
    }

    pub(super) fn warn(&self, problems: Vec<Problem>) {
        for problem in problems {
            self.session.tell(super::Event::Problem(problem));
        }
    }
}

/// Splits changes into requests: the texts by one update, lists by one call each way.
fn writes_for(changes: &[FieldChange]) -> Vec<(Endpoint, Fields)> {
    let mut texts = Fields::default();
    let mut writes = Vec::new();
    for change in changes {
        match (&change.before, &change.after) {
            (_, Setting::Set(value @ Value::Text(_))) => texts.set(change.field.clone(), value.clone()),
            (before, Setting::Set(Value::Lists(after))) => {
                let none = BTreeSet::new();
                let before = match before {
                    Some(Value::Lists(before)) => before,
                    _ => &none,
                };
                let lists = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
                    let names: BTreeSet<String> = one.difference(other).cloned().collect();
                    (!names.is_empty()).then(|| [(Field::LabelNames, Value::Lists(names))].into_iter().collect())
                };
                writes.extend(lists(after, before).map(|fields| (Endpoint::AddToLists, fields)));
                writes.extend(lists(before, after).map(|fields| (Endpoint::RemoveFromLists, fields)));
            }
            (_, Setting::Released) => {}
        }
    }
    if !texts.is_empty() {
        writes.insert(0, (Endpoint::UpdateContact, texts));
    }
    writes
}

/// Counts lists that a create has or may have put the contact on as applied, so that those no longer
/// declared are taken off again.
pub(super) fn note_sent_lists(binding: &mut Binding, intent: &Intent, entry: &Entry) {
    let declared: BTreeSet<&str> = entry.fields.lists().collect();
    let extra: BTreeSet<String> =
        intent.fields.lists().filter(|list| !declared.contains(list)).map(str::to_owned).collect();
    if !extra.is_empty() && entry.fields.contains(&Field::LabelNames) {
        let lists = binding.applied.lists().map(str::to_owned).chain(extra).collect();
        binding.applied.set(Field::LabelNames, Value::Lists(lists));
    }
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

fn note_dropped(binding: &mut Binding, deviations: &[Deviation]) {
    let dropped = deviations.iter().filter(|deviation| matches!(deviation.kind, DeviationKind::Dropped(_)));
    binding.dropped.extend(dropped.map(|deviation| deviation.field.clone()));
}

fn release_undeclared(binding: &mut Binding, entry: &Entry) {
    let declared = |(field, _): &(Field, Value)| entry.fields.contains(field);
    binding.applied = std::mem::take(&mut binding.applied).into_iter().filter(declared).collect();
    binding.observed = std::mem::take(&mut binding.observed).into_iter().filter(declared).collect();
    binding.dropped.retain(|field| entry.fields.contains(field));
}

/// Notes the entry's fingerprint when all of it stands applied.
fn complete(binding: &mut Binding, entry: &Entry) {
    binding.path = entry.place.path.display().to_string();
    let stands = Known::new(&binding.applied, []).changes_to(&entry.fields).is_empty();
    binding.fingerprint = stands.then(|| entry.fingerprint());
}

fn answered_for_another(asked: &ApolloId, answered: &ApolloId, place: &Place) -> Problem {
    Problem::error(
        format!("Apollo answered for another contact than {}", place.key.address()),
        format!(
            "The change was sent to {asked} and answered for {answered}; they may have been merged in Apollo. Nothing \
             was recorded. Look at both contacts in Apollo, then name the right one by apollo_id in the entry."
        ),
    )
    .at(place, None)
}
