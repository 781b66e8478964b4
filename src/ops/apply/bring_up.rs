//! Brings a bound contact to what is declared, one request at a time.
//!
//! Each answer is recorded before the next request leaves, so an action that ends half-way loses nothing.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError};

use crate::apollo::{self, Answer, Contact, ListChange};
use crate::failpoints::{self, reached};
use crate::model::{ApolloId, Binding, ContactKey, Endpoint, Entry, Field, Fields, IntentId, Merged};
use crate::plan::{Change as FieldChange, Dispute};
use crate::state::Change;

use super::courier::{Failure, Way};
use super::crew::{Part, Reply};
use super::outcome::binding::{self, Confirmed, complete, release_undeclared};
use super::outcome::change::{self, About};
use super::outcome::lists::ListCall;
use super::performer::{End, Performer, Trouble};
use crate::ops::{Step, problem};

/// How many other contacts are viewed to learn whether the credential sees any.
const OTHERS_VIEWED: usize = 3;

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

/// What a write is answered with.
enum Written {
    Contact(Box<Contact>),
    /// The row of a batch, or how the contact stands after it.
    Row(Box<Contact>),
    Lists(ListChange),
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
        release_undeclared(&mut binding, entry);
        let Effort { open, tried, lists_before } = effort;
        let mut writes = change::writes_for(changes);
        if self.crew().is_some() {
            writes = change::shared(writes);
        }
        let writes = writes.into();
        BringUp { performer: self, entry, binding, tried, lists_before, writes }.work_off(open).await
    }

    /// Doubts fields of another key's contact that a request may have written to: now, and at the end once more, since
    /// the key may be under way and record what it knew before.
    pub(super) async fn overwrote(&self, owner: &ContactKey, fields: Vec<Field>) -> Result<(), Trouble> {
        self.doubt(owner, &fields).await?;
        let mut overwritten = self.job.overwritten.lock().unwrap_or_else(PoisonError::into_inner);
        overwritten.push((owner.clone(), fields));
        Ok(())
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
            match self.session.access.view(&other.apollo_id).await {
                Ok(_) => return Ok(true),
                Err(Failure::Refused(_) | Failure::Barred) => {}
                Err(failure) => return Err(self.trouble(Endpoint::ViewContact, failure)),
            }
        }
        // The credential was proven when the run began, so the only contact there is may be believed to be gone.
        Ok(is_only_one)
    }
}

/// A contact that is being brought up.
struct BringUp<'a> {
    performer: &'a Performer<'a>,
    entry: &'a Entry,
    /// What is recorded of it with the next answer.
    binding: Binding,
    /// Fields that were sent and not confirmed, and are not sent again after the next time.
    tried: BTreeSet<Field>,
    /// The ids of the lists it was on before.
    lists_before: BTreeSet<String>,
    /// What is still to be sent.
    writes: VecDeque<(Endpoint, Fields)>,
}

impl BringUp<'_> {
    /// Sends what is to be sent; the last answer ends the doubts of the intents `open`.
    async fn work_off(mut self, open: &[IntentId]) -> Result<(), Trouble> {
        let performer = self.performer;
        while let Some((endpoint, fields)) = self.writes.pop_front() {
            let id = performer.session.store().next_intent_id();
            let written = self.write(id, endpoint, &fields).await;
            let request_id = match &written {
                Ok(answer) => answer.meta.request_id.clone(),
                Err(Failure::Refused(error)) => error.request_id().map(str::to_owned),
                Err(_) => None,
            };
            let unconfirmed = match written.map(|answer| answer.value) {
                Ok(Written::Contact(contact)) => {
                    self.check_contact(id, &contact).await?;
                    self.confirm_fields(&fields, &binding::held_before(&self.binding), &contact)
                }
                Ok(Written::Row(row)) => {
                    self.check_contact(id, &row).await?;
                    self.confirm_fields(&fields, &binding::perhaps_held_before(&self.binding, &fields, &row), &row)
                }
                Ok(Written::Lists(answer)) => self.confirm_lists(&ListCall::of(endpoint, &fields), answer).await?,
                Err(Failure::Refused(error)) => {
                    self.refused(id, endpoint, &fields, &error).await?;
                    BTreeSet::new()
                }
                Err(failure) => return Err(performer.trouble(endpoint, failure)),
            };
            if !unconfirmed.is_empty() {
                let again = fields.iter().filter(|(field, _)| unconfirmed.contains(*field));
                let again = again.map(|(field, value)| (field.clone(), value.clone())).collect();
                self.writes.push_back((endpoint, again));
                self.tried.extend(unconfirmed);
            }
            self.binding.applied_at = performer.session.now();
            self.binding.run = performer.session.run.clone();
            self.binding.request_id = request_id;
            let mut changes = vec![Change::DropIntent { id }];
            if self.writes.is_empty() {
                complete(&mut self.binding, self.entry);
                changes.extend(performer.spent().filter(|_| self.binding.fingerprint.is_some()));
                changes.extend(open.iter().map(|&id| Change::DropIntent { id }));
            }
            changes.push(self.put());
            performer.record(changes).await?;
            reached(failpoints::Step::AnswerWritten);
        }
        Ok(())
    }

    /// Sends one update or one call for lists.
    async fn write(&mut self, id: IntentId, endpoint: Endpoint, fields: &Fields) -> Result<Answer<Written>, Failure> {
        // A contact with a request under way never counts as standing applied.
        let with: Vec<Change> = self.binding.fingerprint.take().is_some().then(|| self.put()).into_iter().collect();
        if let Some(written) = self.write_together(id, endpoint, fields, &with).await {
            return written;
        }
        let target = &self.binding.apollo_id;
        let mut intent = self.performer.intent(endpoint, Some(target), fields, self.entry.run_dedupe);
        let body = &intent.body.clone();
        let ask = |way: Arc<Way>| async move {
            if endpoint == Endpoint::UpdateContact {
                let answer = way.client.update_contact(target, body).await?;
                return Ok(answer.map(|contact| Written::Contact(Box::new(contact))));
            }
            Ok(way.client.change_lists(endpoint, body).await?.map(Written::Lists))
        };
        self.performer.send(id, &mut intent, with, None, ask).await
    }

    /// Sends it with those of others; `None` where that cannot be, or did not show what became of this one: it is sent
    /// alone then.
    async fn write_together(
        &self,
        id: IntentId,
        endpoint: Endpoint,
        fields: &Fields,
        with: &[Change],
    ) -> Option<Result<Answer<Written>, Failure>> {
        let crew = self.performer.crew()?;
        // What was not confirmed by the row of a batch is answered in full to a request of its own.
        let was_tried = fields.iter().any(|(field, _)| self.tried.contains(field));
        let endpoint = change::for_many(endpoint, fields).filter(|_| !was_tried)?;
        let intent = self.performer.intent(endpoint, Some(&self.binding.apollo_id), fields, self.entry.run_dedupe);
        let part = Part { id, intent, with: with.to_vec(), fresh_until: None };
        match crew.send(part).await.outcome {
            Ok(Answer { value: Reply::Contact(row), meta }) => Some(Ok(Answer { value: Written::Row(row), meta })),
            Ok(Answer { value: Reply::Lists(lists), meta }) => Some(Ok(Answer { value: Written::Lists(lists), meta })),
            // Sending it again does no harm, and the answer is about this contact alone.
            Ok(Answer { value: Reply::Unshown, .. }) | Err(Failure::Refused(_) | Failure::Barred) => None,
            Err(failure) => Some(Err(failure)),
        }
    }

    /// Ends the action where an answer is about a contact that is gone, or that another one has taken the place of.
    async fn check_contact(&mut self, intent: IntentId, contact: &Contact) -> Result<(), Trouble> {
        let id = self.binding.apollo_id.clone();
        let survivor = match change::about(&id, contact) {
            About::It => return Ok(()),
            About::ItsGrave => return self.end_as_gone(intent).await,
            About::Survivor => contact.id.clone(),
        };
        let owner = self.performer.owner(&survivor).await?;
        if let Some(owner) = &owner {
            // Our values may stand on the other key's contact now.
            let fields = self.entry.fields.iter().map(|(field, _)| field.clone()).collect();
            self.performer.overwrote(owner, fields).await?;
        }
        self.binding.merged_into = Some(Merged { survivor: survivor.clone(), owner: owner.clone() });
        self.end(intent, &Dispute::Merged { id, survivor, owner }).await
    }

    async fn end_as_gone(&mut self, intent: IntentId) -> Result<(), Trouble> {
        self.binding.gone_at = Some(self.performer.session.now());
        self.end(intent, &Dispute::Gone { id: self.binding.apollo_id.clone() }).await
    }

    /// Records what became of the contact, and ends the action.
    async fn end(&self, intent: IntentId, dispute: &Dispute) -> Result<(), Trouble> {
        self.performer.record(vec![Change::DropIntent { id: intent }, self.put()]).await?;
        Err(Trouble::failed(problem::undecided(dispute, self.entry)))
    }

    /// Notes which fields an update changed, and warns of what Apollo made of them; returns what to send once more.
    fn confirm_fields(&mut self, sent: &Fields, before: &Fields, contact: &Contact) -> BTreeSet<Field> {
        let Confirmed { again, told } = binding::confirm(&mut self.binding, sent, before, contact, &self.tried);
        self.performer.warn(problem::deviations(&told, self.entry));
        if let Some(complaint) = contact.complaint.as_ref().filter(|_| again.is_empty()) {
            self.performer.warn(vec![problem::complained(complaint, self.entry)]);
        }
        again
    }

    /// Notes which lists a call changed, as far as that is proven; returns the field when it is to be sent once more.
    async fn confirm_lists(&mut self, call: &ListCall, answer: ListChange) -> Result<BTreeSet<Field>, Trouble> {
        call.note_found(&mut self.binding, &answer, &self.lists_before);
        let was_tried = self.tried.contains(&Field::LabelNames);
        if call.is_doubtful(&answer) && !self.shows(call).await? {
            if !was_tried {
                self.binding.possible_lists.extend(call.names.iter().cloned());
                return Ok([Field::LabelNames].into());
            }
            self.binding.dropped.insert(Field::LabelNames);
            let said = answer.complaint.unwrap_or_default();
            self.performer.warn(vec![problem::lists_unchanged(&call.names, call.adds, &said, self.entry)]);
        } else if !was_tried {
            self.binding.dropped.remove(&Field::LabelNames);
        }
        call.note_done(&mut self.binding);
        Ok(BTreeSet::new())
    }

    /// Reports whether a view of the contact shows that a call for lists was carried out.
    async fn shows(&self, call: &ListCall) -> Result<bool, Trouble> {
        match self.performer.session.access.view(&self.binding.apollo_id).await {
            Ok(contact) => Ok(call.stands(&contact)),
            Err(Failure::Refused(_) | Failure::Barred) => Ok(false),
            Err(failure) => Err(self.performer.trouble(Endpoint::ViewContact, failure)),
        }
    }

    /// Draws the consequences of a refused write: for a contact that is gone, for a list that is, or for the entry.
    async fn refused(
        &mut self,
        intent: IntentId,
        endpoint: Endpoint,
        sent: &Fields,
        error: &apollo::Error,
    ) -> Result<(), Trouble> {
        reached(failpoints::Step::BeforeRefusalWritten);
        let (performer, id) = (self.performer, self.binding.apollo_id.clone());
        let mut seen = None;
        // Before anybody is told to correct the entry: is there a contact at all?
        if change::may_be_of_a_gone_contact(error) {
            let says_gone = endpoint == Endpoint::UpdateContact && error.contact_is_gone(&id);
            let is_gone = match performer.session.access.view(&id).await {
                Ok(contact) => {
                    self.check_contact(intent, &contact).await?;
                    if change::was_off_already(endpoint, sent, error, &contact) {
                        ListCall::of(endpoint, sent).note_done(&mut self.binding);
                        return Ok(());
                    }
                    seen = Some(contact);
                    false
                }
                Err(Failure::Refused(unseen)) => says_gone || performer.is_gone(&id, &unseen).await?,
                Err(Failure::Barred | Failure::InDoubt(_)) => says_gone,
                Err(failure) => return Err(performer.trouble(Endpoint::ViewContact, failure)),
            };
            if is_gone {
                return self.end_as_gone(intent).await;
            }
        }
        let mut changes = vec![Change::DropIntent { id: intent }];
        if change::is_for_its_content(endpoint, error) {
            change::note_refused(&mut self.binding, endpoint, sent, seen.as_ref());
            changes.push(self.put());
        }
        performer.record(changes).await?;
        Err(Trouble::failed(problem::refused(endpoint, error, performer.place)))
    }

    fn put(&self) -> Change {
        Change::PutBinding { key: self.entry.key().clone(), binding: Box::new(self.binding.clone()) }
    }
}
