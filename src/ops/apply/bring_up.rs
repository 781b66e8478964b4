//! Brings a bound contact to what is declared, one request at a time.
//!
//! Each answer is recorded before the next request leaves, so an action that ends half-way loses nothing.

use std::collections::{BTreeSet, VecDeque};
use std::sync::PoisonError;

use crate::apollo::{self, Contact, ListChange};
use crate::failpoints::{self, reached};
use crate::model::{ApolloId, Binding, Endpoint, Entry, Field, Fields, IntentId, Merged, Value, fold_text};
use crate::plan::{Change as FieldChange, Dispute, Known, Setting};
use crate::state::Change;

use super::courier::{Failure, Look, Reply};
use super::outcome::confirm::{self, Deviation, DeviationKind};
use super::performer::{End, Performer, Trouble};
use crate::ops::{Step, problem};

/// What is known of a contact before it is brought up.
#[derive(Debug, Default)]
pub(super) struct Effort<'a> {
    /// Earlier unanswered requests for it, which the new ones make up for.
    pub(super) open: &'a [IntentId],
    /// Fields that were sent before and not confirmed.
    pub(super) tried: BTreeSet<Field>,
    /// The ids of the lists it was on before, where their names are not known.
    pub(super) lists_before: BTreeSet<String>,
}

impl Performer<'_> {
    pub(super) async fn update(&self, id: &ApolloId, entry: &Entry, changes: &[FieldChange]) -> Result<End, Trouble> {
        let binding = self.binding(entry.key()).await?;
        let open: Vec<_> = self.open_intents(entry.key()).collect();
        self.bring_up(entry, binding, changes, Effort { open: &open, ..Effort::default() }).await?;
        Ok(End::Done(Step::Update, Some(id.clone())))
    }

    /// Sends what differs, one request at a time, and records each answer; what is not confirmed is sent once more.
    pub(super) async fn bring_up(
        &self,
        entry: &Entry,
        mut binding: Binding,
        changes: &[FieldChange],
        effort: Effort<'_>,
    ) -> Result<(), Trouble> {
        let Effort { open, mut tried, lists_before } = effort;
        release_undeclared(&mut binding, entry);
        let mut writes: VecDeque<_> = writes_for(changes).into();
        while let Some((endpoint, fields)) = writes.pop_front() {
            let mut intent = self.intent(endpoint, Some(&binding.apollo_id), &fields, entry.run_dedupe);
            let id = self.session.store().next_intent_id();
            // A contact with a request under way never counts as standing applied.
            let with = (binding.fingerprint.take().is_some())
                .then(|| Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) });
            let outcome = match self.send(id, &mut intent, with.into_iter().collect(), None).await {
                Ok((Reply::Contact(contact), _)) => {
                    self.check_contact(id, entry, &mut binding, &contact).await?;
                    self.confirm_fields(&mut binding, entry, &fields, &contact, &tried)
                }
                Ok((Reply::Lists(answer), _)) => {
                    note_found(&mut binding, &fields, endpoint, &answer, &lists_before);
                    self.confirm_lists(&mut binding, entry, &fields, endpoint, &answer, &tried).await?
                }
                Ok(_) => unreachable!("a write is answered with a contact or with lists"),
                Err(Failure::Refused(error)) => {
                    self.refused(id, endpoint, entry, &mut binding, &fields, &error).await?;
                    BTreeSet::new()
                }
                Err(failure) => return Err(self.trouble(endpoint, failure)),
            };
            if !outcome.is_empty() {
                let again = |(field, _): &(&Field, &Value)| outcome.contains(*field);
                let pair = |(field, value): (&Field, &Value)| (field.clone(), value.clone());
                writes.push_back((endpoint, fields.iter().filter(again).map(pair).collect()));
                tried.extend(outcome);
            }
            binding.applied_at = self.session.now();
            binding.run = self.session.run.clone();
            let mut changes = vec![Change::DropIntent { id }];
            if writes.is_empty() {
                complete(&mut binding, entry);
                changes.extend(self.spent().filter(|_| binding.fingerprint.is_some()));
                changes.extend(open.iter().map(|&id| Change::DropIntent { id }));
            }
            changes.push(Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) });
            self.record(changes).await?;
            reached(failpoints::Step::AnswerWritten);
        }
        Ok(())
    }

    /// Ends the action where an answer is about a contact that is gone, or that another one has taken the place of.
    pub(super) async fn check_contact(
        &self,
        intent: IntentId,
        entry: &Entry,
        binding: &mut Binding,
        contact: &Contact,
    ) -> Result<(), Trouble> {
        let asked = binding.apollo_id.clone();
        if contact.id == asked && !contact.person_deleted {
            return Ok(());
        }
        binding.fingerprint = None;
        let mut changes = vec![Change::DropIntent { id: intent }];
        let dispute = if contact.id == asked {
            binding.gone_at = Some(self.session.now());
            Dispute::Gone { id: asked }
        } else {
            let owner = self.owner(&contact.id).await?;
            if let Some(owner) = &owner {
                // Our values may stand on the other key's contact now.
                let fields: Vec<Field> = entry.fields.iter().map(|(field, _)| field.clone()).collect();
                self.doubt(owner, &fields).await?;
                let mut overwritten = self.job.overwritten.lock().unwrap_or_else(PoisonError::into_inner);
                overwritten.push((owner.clone(), fields));
            }
            binding.merged_into = Some(Merged { survivor: contact.id.clone(), owner: owner.clone() });
            Dispute::Merged { id: asked, survivor: contact.id.clone(), owner }
        };
        changes.push(Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) });
        self.record(changes).await?;
        Err(Trouble::failed(problem::undecided(&dispute, entry)))
    }

    /// Notes which fields an update changed, and warns of what Apollo made of them; returns what to send once more.
    fn confirm_fields(
        &self,
        binding: &mut Binding,
        entry: &Entry,
        sent: &Fields,
        contact: &Contact,
        tried: &BTreeSet<Field>,
    ) -> BTreeSet<Field> {
        let mut before = binding.observed.clone();
        for (field, value) in binding.applied.iter().filter(|(field, _)| field.is_phone()) {
            before.set(field.clone(), value.clone());
        }
        let deviations = confirm::deviations(sent, &before, contact);
        let mut again = confirm::unconfirmed(sent, &deviations, contact);
        again.retain(|field| !tried.contains(field));
        let stands = sent.iter().filter(|(field, _)| !again.contains(field));
        for (field, value) in stands {
            binding.applied.set(field.clone(), value.clone());
        }
        for field in &again {
            binding.applied.remove(field);
        }
        for (field, value) in confirm::observed(sent, contact) {
            binding.observed.set(field, value);
        }
        let told: Vec<Deviation> =
            deviations.into_iter().filter(|deviation| !again.contains(&deviation.field)).collect();
        binding.dropped.retain(|field| !sent.contains(field));
        note_dropped(binding, &told);
        self.warn(problem::deviations(&told, entry));
        if let Some(complaint) = contact.complaint.as_ref().filter(|_| again.is_empty()) {
            self.warn(vec![problem::complained(complaint, entry)]);
        }
        again
    }

    /// Notes which lists a call changed, as far as that is proven; returns the field when it is to be sent once more.
    async fn confirm_lists(
        &self,
        binding: &mut Binding,
        entry: &Entry,
        sent: &Fields,
        endpoint: Endpoint,
        answer: &ListChange,
        tried: &BTreeSet<Field>,
    ) -> Result<BTreeSet<Field>, Trouble> {
        let names: BTreeSet<String> = sent.lists().map(str::to_owned).collect();
        let adds = endpoint == Endpoint::AddToLists;
        if let Some(shown) = self.unproven_lists(binding, &names, adds, answer).await? {
            if !tried.contains(&Field::LabelNames) {
                binding.possible_lists.extend(names);
                return Ok([Field::LabelNames].into());
            }
            binding.dropped.insert(Field::LabelNames);
            self.warn(vec![problem::lists_unchanged(&names, adds, &shown, entry)]);
        } else if !tried.contains(&Field::LabelNames) {
            binding.dropped.remove(&Field::LabelNames);
        }
        note_lists(binding, &names, adds);
        Ok(BTreeSet::new())
    }

    /// Reports what speaks against a change of lists that was answered with a success; `None` when nothing does.
    async fn unproven_lists(
        &self,
        binding: &Binding,
        names: &BTreeSet<String>,
        adds: bool,
        answer: &ListChange,
    ) -> Result<Option<String>, Trouble> {
        let holds = |shown: &[String], name: &String| shown.iter().any(|list| fold_text(list) == fold_text(name));
        let is_doubtful = answer.complaint.is_some()
            || answer.is_job
            || (adds && answer.names.as_ref().is_some_and(|shown| !names.iter().all(|name| holds(shown, name))));
        if !is_doubtful {
            return Ok(None);
        }
        let doubt = answer.complaint.clone().unwrap_or_default();
        match self.session.look(&Look::View(binding.apollo_id.clone())).await {
            Ok((Reply::Contact(contact), _)) => Ok(match &contact.label_names {
                Some(shown) if names.iter().all(|name| holds(shown, name) == adds) => None,
                Some(_) | None => Some(doubt),
            }),
            Ok(_) => unreachable!("a view is answered with a contact"),
            Err(Failure::Refused(_) | Failure::Barred) => Ok(Some(doubt)),
            Err(failure) => Err(self.trouble(Endpoint::ViewContact, failure)),
        }
    }

    /// Draws the consequences of a refused write: for a contact that is gone, for a list that is, or for the entry.
    async fn refused(
        &self,
        intent: IntentId,
        endpoint: Endpoint,
        entry: &Entry,
        binding: &mut Binding,
        sent: &Fields,
        error: &apollo::Error,
    ) -> Result<(), Trouble> {
        reached(failpoints::Step::BeforeRefusalWritten);
        let id = binding.apollo_id.clone();
        let refused = || Trouble::failed(problem::refused(endpoint, error, self.place));
        let mut seen = None;
        // Before anybody is told to correct the entry: is there a contact at all?
        if matches!(error.status(), Some(400 | 404 | 410 | 422)) && !error.is_page() {
            let says_gone = endpoint == Endpoint::UpdateContact && error.contact_is_gone(&id);
            let is_gone = match self.session.look(&Look::View(id.clone())).await {
                Ok((Reply::Contact(contact), _)) => {
                    self.check_contact(intent, entry, binding, &contact).await?;
                    let off = |name: &str| {
                        let names = contact.label_names.as_ref();
                        names.map_or(error.status() == Some(404), |names| {
                            names.iter().all(|list| fold_text(list) != fold_text(name))
                        })
                    };
                    if endpoint == Endpoint::RemoveFromLists && sent.lists().all(off) {
                        // A list that is gone holds nobody.
                        note_lists(binding, &sent.lists().map(str::to_owned).collect(), false);
                        return Ok(());
                    }
                    seen = Some(contact);
                    false
                }
                Ok(_) => unreachable!("a view is answered with a contact"),
                Err(Failure::Refused(unseen)) => says_gone || self.is_gone(&id, &unseen).await?,
                Err(Failure::Barred | Failure::InDoubt(_)) => says_gone,
                Err(failure) => return Err(self.trouble(Endpoint::ViewContact, failure)),
            };
            if is_gone {
                binding.gone_at = Some(self.session.now());
                let changed = Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) };
                self.record(vec![Change::DropIntent { id: intent }, changed]).await?;
                return Err(Trouble::failed(problem::undecided(&Dispute::Gone { id }, entry)));
            }
        }
        let mut changes = vec![Change::DropIntent { id: intent }];
        if error.status() != Some(401) && !error.is_barred(endpoint) {
            doubt_refused(binding, endpoint, sent, seen.as_deref());
            changes.push(Change::PutBinding { key: entry.key().clone(), binding: Box::new(binding.clone()) });
        }
        self.record(changes).await?;
        Err(refused())
    }

    /// Reports whether an answer says that a contact is gone, in any of the ways in which Apollo says so.
    ///
    /// Where only its words say so, another known contact must be seen: a credential that sees none is told the same.
    pub(super) async fn is_gone(&self, id: &ApolloId, error: &apollo::Error) -> Result<bool, Trouble> {
        if error.contact_is_gone(id) {
            return Ok(true);
        }
        if !error.contact_may_be_gone(id) {
            return Ok(false);
        }
        let others =
            self.session.store().some_bindings(OTHERS_VIEWED + 1).await.map_err(|error| self.store_trouble(&error))?;
        let others = others.into_iter().filter(|other| other.apollo_id != *id && other.gone_at.is_none());
        let mut is_only_one = true;
        for other in others.take(OTHERS_VIEWED) {
            is_only_one = false;
            match self.session.look(&Look::View(other.apollo_id)).await {
                Ok(_) => return Ok(true),
                Err(Failure::Refused(_) | Failure::Barred) => {}
                Err(failure) => return Err(self.trouble(Endpoint::ViewContact, failure)),
            }
        }
        // The credential was proven when the run began, so the only contact there is may be believed to be gone.
        Ok(is_only_one)
    }
}

/// How many other contacts are viewed to learn whether the credential sees any.
const OTHERS_VIEWED: usize = 3;

/// Notes which of the lists that a call was to add the contact to had it before: these are not ours to take it off.
fn note_found(
    binding: &mut Binding,
    sent: &Fields,
    endpoint: Endpoint,
    answer: &ListChange,
    lists_before: &BTreeSet<String>,
) {
    let was_on = |name: &&str| answer.ids.get(*name).is_some_and(|id| lists_before.contains(id));
    if endpoint == Endpoint::AddToLists {
        binding.found_lists.extend(sent.lists().filter(was_on).map(str::to_owned));
    }
}

/// Notes that a call put the contact on lists, or took it off them.
fn note_lists(binding: &mut Binding, names: &BTreeSet<String>, adds: bool) {
    binding.possible_lists.retain(|list| !names.contains(list));
    let mut lists: BTreeSet<String> = binding.applied.lists().map(str::to_owned).collect();
    if adds {
        lists.extend(names.difference(&binding.found_lists).cloned());
    } else {
        lists.retain(|list| !names.contains(list));
    }
    binding.applied.set(Field::LabelNames, Value::Lists(lists));
}

/// Notes what a refused request may have changed all the same, but for what `seen` shows as it was.
fn doubt_refused(binding: &mut Binding, endpoint: Endpoint, sent: &Fields, seen: Option<&Contact>) {
    let shown = seen.and_then(|contact| contact.label_names.as_ref());
    let may_be_on = |name: &&str| shown.is_none_or(|shown| shown.iter().any(|on| fold_text(on) == fold_text(name)));
    match endpoint {
        Endpoint::AddToLists => {
            let applied: BTreeSet<&str> = binding.applied.lists().collect();
            let possible = sent.lists().filter(may_be_on).filter(|name| !applied.contains(name));
            binding.possible_lists.extend(possible.map(str::to_owned).collect::<Vec<_>>());
        }
        Endpoint::RemoveFromLists => {
            let names: BTreeSet<String> = sent.lists().map(str::to_owned).collect();
            note_lists(binding, &names, false);
            binding.possible_lists.extend(names.into_iter().filter(|name| may_be_on(&name.as_str())));
        }
        _ => {
            let shown = seen.map(|contact| confirm::observed(&binding.applied, contact)).unwrap_or_default();
            let is_as_before = |field: &Field| shown.contains(field) && shown.get(field) == binding.applied.get(field);
            let doubted: Vec<Field> =
                sent.iter().map(|(field, _)| field).filter(|f| !is_as_before(f)).cloned().collect();
            for field in doubted {
                binding.applied.remove(&field);
            }
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

pub(super) fn note_dropped(binding: &mut Binding, deviations: &[Deviation]) {
    let is_dropped = |kind: &DeviationKind| matches!(kind, DeviationKind::Dropped(_) | DeviationKind::Kept(_));
    let dropped = deviations.iter().filter(|deviation| is_dropped(&deviation.kind));
    binding.dropped.extend(dropped.map(|deviation| deviation.field.clone()));
}

pub(super) fn release_undeclared(binding: &mut Binding, entry: &Entry) {
    let declared = |(field, _): &(Field, Value)| entry.fields.contains(field);
    binding.applied = std::mem::take(&mut binding.applied).into_iter().filter(declared).collect();
    binding.observed = std::mem::take(&mut binding.observed).into_iter().filter(declared).collect();
    binding.dropped.retain(|field| entry.fields.contains(field));
    let lists: BTreeSet<&str> = entry.fields.lists().collect();
    binding.found_lists.retain(|list| lists.contains(list.as_str()));
    if !entry.fields.contains(&Field::LabelNames) {
        binding.possible_lists.clear();
    }
}

/// Notes the entry's fingerprint when all of it stands applied.
pub(super) fn complete(binding: &mut Binding, entry: &Entry) {
    binding.path = entry.place.path.display().to_string();
    let stands = Known::of(binding, []).changes_to(&entry.fields).is_empty();
    binding.fingerprint = stands.then(|| entry.fingerprint());
}
