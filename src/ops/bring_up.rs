//! Brings a bound contact to what is declared, one request at a time.
//!
//! Each answer is recorded before the next request leaves, so an action that ends half-way loses nothing.

use std::collections::BTreeSet;

use crate::apollo;
use crate::failpoints::{self, reached};
use crate::model::{ApolloId, Binding, Endpoint, Entry, Field, Fields, IntentId, Place, Value};
use crate::plan::{Change as FieldChange, Dispute, Known, Setting};
use crate::store::Change;

use super::action::{End, Performer, Trouble};
use super::confirm::{Deviation, DeviationKind};
use super::courier::{Failure, Reply};
use super::{Problem, Step, confirm, problem};

impl Performer<'_> {
    pub(super) async fn update(&self, id: &ApolloId, entry: &Entry, changes: &[FieldChange]) -> Result<End, Trouble> {
        let binding = self.binding(entry.key())?;
        let open: Vec<_> = self.open_intents(entry.key()).collect();
        self.bring_up(entry, binding, changes, &open).await?;
        Ok(End::Done(Step::Update, Some(id.clone())))
    }

    /// Sends what differs, one request at a time, and records each answer.
    ///
    /// `open` are earlier unanswered requests for the contact, which these make up for.
    pub(super) async fn bring_up(
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
            let reply = match self.send(id, &mut intent, with.into_iter().collect()).await {
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
                changes.extend(self.spent().filter(|_| binding.fingerprint.is_some()));
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
            binding.possible_lists.retain(|list| !names.contains(list));
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
    let dropped = deviations.iter().filter(|deviation| matches!(deviation.kind, DeviationKind::Dropped(_)));
    binding.dropped.extend(dropped.map(|deviation| deviation.field.clone()));
}

pub(super) fn release_undeclared(binding: &mut Binding, entry: &Entry) {
    let declared = |(field, _): &(Field, Value)| entry.fields.contains(field);
    binding.applied = std::mem::take(&mut binding.applied).into_iter().filter(declared).collect();
    binding.observed = std::mem::take(&mut binding.observed).into_iter().filter(declared).collect();
    binding.dropped.retain(|field| entry.fields.contains(field));
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
