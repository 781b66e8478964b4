//! Sends what a crew hands in: one request for many contacts, and smaller ones if that is refused.
//!
//! Only finds out which contact each row of an answer belongs to. The member decides what the row means, as if it was
//! the answer to a request of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::apollo::{Answer, BatchAnswer, Contact, Error, ListChange, Meta, Order, Standing, body};
use crate::failpoints::{self, reached};
use crate::journal;
use crate::model::{ApolloId, Endpoint, Field, Fields, Intent, IntentId, Timestamp};
use crate::ops::Session;
use crate::state::Change;

use super::courier::{Failure, Parcel, Way};
use super::crew::{Crew, Reply, Waiting};
use super::outcome::pairing::{self, Pairing};
use super::outcome::settled::Witness;

/// The most rows of an answer that are viewed to learn whose they are.
const MAX_VIEWS: usize = 5;

/// The most pages of the newest contacts that are read after a refusal; a page holds 100.
const PAGES_READ_BACK: u32 = 3;

/// Sends what the members of `crew` hand in, until all of them are done; `sent` is called once the first is answered.
pub(super) async fn lead(session: &Session, crew: &Crew, sent: impl FnOnce()) {
    let mut sent = Some(sent);
    loop {
        let waiting = crew.gather().await;
        if waiting.is_empty() {
            return;
        }
        for parts in shared(waiting) {
            Batch { session }.send(parts).await;
        }
        if let Some(sent) = sent.take() {
            sent();
        }
    }
}

/// Puts together what one request can carry, in the order in which the requests are sent.
fn shared(waiting: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut requests: BTreeMap<_, Vec<Waiting>> = BTreeMap::new();
    for waiting in waiting {
        let intent = &waiting.part.intent;
        let what = match intent.endpoint {
            Endpoint::UpdateStages => intent.fields.text(&Field::ContactStageId).unwrap_or_default().to_owned(),
            Endpoint::AddToLists | Endpoint::RemoveFromLists => intent.fields.lists().collect::<Vec<_>>().join("\0"),
            _ => String::new(),
        };
        // Those of an earlier batch stay among themselves.
        let before = if intent.endpoint.creates() { (intent.batch, intent.attempts) } else { (None, 0) };
        requests.entry((intent.endpoint, what, before)).or_default().push(waiting);
    }
    let sent_as = |((_, _, (_, attempts)), parts)| {
        // In doubt twice and nobody found: whatever is wrong with it is looked for in its halves.
        if attempts < 2 { vec![parts] } else { halves(parts) }
    };
    requests.into_iter().flat_map(sent_as).collect()
}

fn halves(mut parts: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let second = parts.split_off(parts.len().div_ceil(2));
    [parts, second].into_iter().filter(|half| !half.is_empty()).collect()
}

/// What sends batches of one crew, one after the other.
struct Batch<'a> {
    session: &'a Session,
}

/// What an answer to one request holds for those it was for.
enum Answered {
    Rows(BatchAnswer),
    Lists(ListChange),
}

impl Batch<'_> {
    /// Sends parts in one request, and where that is refused for what it holds, by ever smaller ones.
    async fn send(&self, parts: Vec<Waiting>) {
        let mut queue = VecDeque::from([(parts, false)]);
        while let Some((mut parts, was_refused)) = queue.pop_front() {
            let endpoint = parts[0].part.intent.endpoint;
            match self.send_once(endpoint, &mut parts).await {
                Ok(Answer { value: Answered::Rows(answer), meta }) if endpoint.creates() => {
                    self.created(parts, answer, meta).await;
                }
                Ok(Answer { value: Answered::Rows(answer), meta }) => self.changed(parts, answer, meta).await,
                Ok(Answer { value: Answered::Lists(answer), meta }) => {
                    for waiting in parts {
                        waiting.end(Ok(answered(Reply::Lists(answer.clone()), &meta)));
                    }
                }
                Err(Failure::Refused(error)) if is_for_its_content(endpoint, &error) => {
                    if endpoint.creates() && (!was_refused || parts.len() == 1) {
                        // A refusal may hide that some were made.
                        parts = self.read_back(parts).await;
                    }
                    let is_named = |waiting: &Waiting| {
                        let id = waiting.part.intent.apollo_id.as_ref();
                        id.is_some() && id == error.refused_contact()
                    };
                    let (named, rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_named);
                    let (over, again) = match (named.is_empty(), rest.len()) {
                        (true, 0 | 1) => (rest, Vec::new()),
                        (true, _) => (named, halves(rest)),
                        (false, 0) => (named, Vec::new()),
                        (false, _) => (named, vec![rest]),
                    };
                    end_all(over, &Failure::Refused(error));
                    queue.extend(again.into_iter().map(|parts| (parts, true)));
                }
                Err(failure) => end_all(parts, &failure),
            }
        }
    }

    async fn send_once(&self, endpoint: Endpoint, parts: &mut [Waiting]) -> Result<Answer<Answered>, Failure> {
        let with = parts.iter_mut().flat_map(|waiting| std::mem::take(&mut waiting.part.with)).collect();
        let fresh_until = parts.iter().filter_map(|waiting| waiting.part.fresh_until).min();
        let (body, target) = request(endpoint, parts);
        let intents = parts.iter_mut().map(|waiting| (waiting.part.id, &mut waiting.part.intent)).collect();
        let (body, target) = (&body, &target);
        let ask = |way: Arc<Way>| async move {
            let Answer { value, meta } = match endpoint {
                Endpoint::CreateContacts => way.client.create_contacts(body).await?.map(Answered::Rows),
                Endpoint::UpdateContacts => way.client.update_contacts(body).await?.map(Answered::Rows),
                Endpoint::UpdateStages => {
                    let ids: Vec<&ApolloId> = target.ids.iter().collect();
                    way.client.update_stages(&ids, &target.stage).await?.map(Answered::Rows)
                }
                _ => way.client.change_lists(endpoint, body).await?.map(Answered::Lists),
            };
            Ok(Answer { value, meta })
        };
        self.session.access.send(Parcel::new(intents, with, fresh_until), ask).await
    }

    /// Gives each part the row that is its own; the rest is in doubt.
    async fn created(&self, parts: Vec<Waiting>, answer: BatchAnswer, meta: Meta) {
        let BatchAnswer { rows, complaint, .. } = answer;
        if !rows.is_empty()
            && let Err(failure) = self.session.has_created_many().await
        {
            return end_all(parts, &failure);
        }
        let items: Vec<&Fields> = parts.iter().map(|waiting| &waiting.part.intent.fields).collect();
        let mut pairing = pairing::pair(&items, rows);
        if pairing.is_open() {
            let viewed = self.view_left(&pairing).await;
            pairing.pair_viewed(&items, &viewed);
        }
        let Pairing { rows, left } = pairing;
        let unpaired: Vec<ApolloId> = left.into_iter().map(|row| row.contact.id).collect();
        let error = self.session.courier().way().client.unshown(&meta, complaint);
        for (mut waiting, row) in parts.into_iter().zip(rows) {
            let Some(row) = row.filter(|row| row.standing != Standing::Nowhere) else {
                let noted = self.note_unpaired(&mut waiting, &unpaired).await;
                waiting.end(Err(noted.err().unwrap_or_else(|| Failure::InDoubt(error.clone()))));
                continue;
            };
            let mut contact = row.contact;
            contact.was_existing = Some(row.standing == Standing::Existing);
            if row.standing == Standing::Created {
                // Its row is among those that were made by this request, and says no more.
                contact.created_at = contact.created_at.or(meta.date).or(Some(self.session.now()));
            }
            waiting.end(Ok(answered(Reply::Contact(Box::new(contact)), &meta)));
        }
    }

    /// Views rows that nobody could be found for.
    async fn view_left(&self, pairing: &Pairing) -> BTreeMap<ApolloId, Contact> {
        let mut viewed = BTreeMap::new();
        for row in pairing.left.iter().take(MAX_VIEWS) {
            // One that cannot be viewed stays nobody's.
            if let Ok(contact) = self.session.access.view(&row.contact.id).await {
                viewed.insert(row.contact.id.clone(), contact);
            }
        }
        viewed
    }

    /// Notes with an intent in doubt which contacts of the answer may be the one that it made.
    async fn note_unpaired(&self, waiting: &mut Waiting, unpaired: &[ApolloId]) -> Result<(), Failure> {
        if unpaired.is_empty() {
            return Ok(());
        }
        waiting.part.intent.unpaired = unpaired.to_vec();
        let intent = Box::new(waiting.part.intent.clone());
        let noted = self.session.store().commit(vec![Change::PutIntent { id: waiting.part.id, intent }]).await;
        noted.map(drop).map_err(Failure::Store)
    }

    /// Ends those parts whose contacts were made although the request was refused; returns the others.
    async fn read_back(&self, parts: Vec<Waiting>) -> Vec<Waiting> {
        reached(failpoints::Step::BeforeRefusalWritten);
        let found = self.newest_of(&parts).await.unwrap_or_default();
        let mut left = Vec::new();
        for waiting in parts {
            match found.get(&waiting.part.id) {
                Some((contact, meta)) => waiting.end(Ok(answered(Reply::Contact(Box::new(contact.clone())), meta))),
                None => left.push(waiting),
            }
        }
        left
    }

    /// Finds among the newest contacts those that parts have made, by what was sent of each.
    async fn newest_of(&self, parts: &[Waiting]) -> Result<BTreeMap<IntentId, (Contact, Meta)>, Failure> {
        let first_sent_at = parts.iter().map(|waiting| waiting.part.intent.first_sent_at).min().unwrap_or_default();
        let mut found = BTreeMap::new();
        for page in 1..=PAGES_READ_BACK {
            let Answer { value: newest, meta } = self.session.access.everybody(Order::NewestFirst, page).await?;
            let now = self.session.now();
            let mut is_older = newest.is_last();
            for contact in newest.contacts {
                if let Some(owner) = self.session.store().owner_of(&contact.id).await.map_err(Failure::Store)? {
                    // Whoever follows one that was bound before the request left was made before, too.
                    let binding = self.session.store().binding(&owner).await.map_err(Failure::Store)?;
                    is_older |= binding.is_some_and(|binding| binding.bound_at < first_sent_at);
                    continue;
                }
                let is_of = |waiting: &&Waiting| made(&waiting.part.intent, &contact, meta.date.unwrap_or(now), now);
                let mut of = parts.iter().filter(is_of);
                if let (Some(one), None) = (of.next(), of.next()) {
                    found.insert(one.part.id, (contact, meta.clone()));
                }
            }
            if is_older {
                break;
            }
        }
        Ok(found)
    }

    /// Gives each part the row with its id; one that the answer does not show proves nothing.
    async fn changed(&self, parts: Vec<Waiting>, answer: BatchAnswer, meta: Meta) {
        let reads_back =
            |waiting: &Waiting| waiting.part.intent.fields.iter().any(|(field, _)| matches!(field, Field::Custom(_)));
        let mut shown: BTreeMap<ApolloId, Contact> = BTreeMap::new();
        if !answer.is_job && answer.complaint.is_none() {
            shown.extend(answer.rows.into_iter().map(|row| (row.contact.id.clone(), row.contact)));
        }
        let mut changed_last = BTreeMap::new();
        if parts.iter().any(reads_back) {
            // Its answer leaves custom fields out; who was changed last comes first.
            if let Ok(answer) = self.session.access.everybody(Order::LastChangedFirst, 1).await {
                changed_last.extend(answer.value.contacts.into_iter().map(|contact| (contact.id.clone(), contact)));
            }
        }
        for waiting in parts {
            let id = waiting.part.intent.apollo_id.clone();
            let from = if reads_back(&waiting) { &mut changed_last } else { &mut shown };
            let contact = id.and_then(|id| from.remove(&id));
            let reply = contact.map_or(Reply::Unshown, |contact| Reply::Contact(Box::new(contact)));
            waiting.end(Ok(answered(reply, &meta)));
        }
    }
}

/// What a call takes beside its body.
#[derive(Default)]
struct Target {
    ids: Vec<ApolloId>,
    stage: String,
}

/// Writes one request for all parts.
fn request(endpoint: Endpoint, parts: &[Waiting]) -> (String, Target) {
    let intents = || parts.iter().map(|waiting| &waiting.part.intent);
    let items = || intents().map(|intent| intent.body.as_str());
    let ids = || intents().filter_map(|intent| intent.apollo_id.clone()).collect::<Vec<_>>();
    let first = &parts[0].part.intent.fields;
    match endpoint {
        Endpoint::CreateContacts => (body::create_many(items()), Target::default()),
        Endpoint::UpdateContacts => (body::update_many(items()), Target::default()),
        Endpoint::UpdateStages => {
            let stage = first.text(&Field::ContactStageId).unwrap_or_default().to_owned();
            (String::new(), Target { ids: ids(), stage })
        }
        _ => {
            let lists: BTreeSet<String> = first.lists().map(str::to_owned).collect();
            (body::lists(&ids(), &lists), Target::default())
        }
    }
}

/// Gives all of some parts one outcome.
fn end_all(parts: Vec<Waiting>, failure: &Failure) {
    for waiting in parts {
        waiting.end(Err(failure.clone()));
    }
}

fn answered(reply: Reply, meta: &Meta) -> Answer<Reply> {
    Answer { value: reply, meta: meta.clone() }
}

/// Reports whether a request was refused for what one of its contacts holds, so that the others go without that one.
fn is_for_its_content(endpoint: Endpoint, error: &Error) -> bool {
    !error.is_page() && matches!(error.status(), Some(400 | 403 | 413 | 422)) && !error.is_barred(endpoint)
}

/// Reports whether a contact that no key owns is what `intent` made.
fn made(intent: &Intent, contact: &Contact, server_now: Timestamp, now: Timestamp) -> bool {
    let earliest = journal::earliest_creation(intent, server_now, now);
    let has_email = intent.fields.text(&Field::Email).is_some_and(|email| contact.has_email(email));
    has_email && Witness::has_made(intent, contact, earliest)
}
