//! Which actions of a plan go out together, in one request for many contacts.
//!
//! Pure: the same actions make the same batches, whatever became of an earlier run. Never puts two into one batch that
//! Apollo would take for one person.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{Action, Change, Operation, Reason, Setting};
use crate::model::{Batching, Endpoint, Field, Identity, PackedEntry, PersonAtCompany, TEXT_FIELDS, Texts, Value};

/// Actions that begin together, and those that go alone.
#[derive(Debug)]
pub(crate) struct Batches<'a> {
    actions: &'a [Action],
    pub(crate) order: Order,
    /// Whether contacts that are created together are looked for.
    looks: bool,
    /// Whether a request goes out first that asks if they may be created together.
    asks: bool,
}

/// The actions by their numbers, each in one place.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// New contacts, in batches of one request each.
    pub(crate) creates: Vec<Vec<usize>>,
    /// Creates of earlier batches that were not answered, by their batch.
    pub(crate) settles: Vec<Vec<usize>>,
    /// Changed contacts, where requests for many are fewer.
    pub(crate) updates: Vec<Vec<usize>>,
    pub(crate) alone: Vec<usize>,
}

/// How new contacts that Apollo may match are created.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Creates {
    /// One request for each, after a search; without the right to search, a contact that Apollo matches is overwritten.
    #[default]
    OneByOne,
    /// Many in one request, after a search; a contact that Apollo still matches stays as it is.
    Together,
    /// The same without a search, by `--look off`.
    TogetherUnseen,
}

/// Why a contact takes a request of its own, where others share theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OneEach {
    /// It has a phone of a kind, or that changes: only an update of one contact carries it.
    TypedPhone,
    /// It has a `website_url`, or that changes: only an update of one contact carries it.
    WebsiteUrl,
    /// Its stage is taken away, which no request for many does.
    ClearedStage,
    /// It is new and has no e-mail by which Apollo could find it.
    NoEmail,
    /// It is new, and `run_dedupe: false` keeps Apollo from matching it.
    NoDedupe,
    /// It is new, and a person asked for it whoever is like it.
    AskedFor,
}

impl<'a> Batches<'a> {
    /// Puts actions into batches.
    pub(crate) fn of(actions: &'a [Action], batching: Batching) -> Self {
        let mut order = Order::default();
        let (mut creates, mut updates, mut settles) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (number, action) in actions.iter().enumerate() {
            match &action.operation {
                Operation::Create { entry } if batching.size > 1 && goes_with_others(action, entry) => {
                    creates.push((entry, number));
                }
                Operation::Settle { intent, .. } if intent.endpoint == Endpoint::CreateContacts => {
                    let batch: &mut Vec<usize> = settles.entry(intent.batch).or_default();
                    batch.push(number);
                }
                Operation::Update { changes, .. } if batching.size > 1 => match Calls::of(changes) {
                    Some(calls) => updates.push((calls, number)),
                    None => order.alone.push(number),
                },
                _ => order.alone.push(number),
            }
        }
        order.creates = creates_in(creates, batching);
        let chunks = |batch: Vec<usize>| batch.chunks(batching.size.max(1)).map(<[_]>::to_vec).collect::<Vec<_>>();
        order.settles = settles.into_values().flat_map(chunks).collect();
        // Those that take the same requests stand side by side, in the order of their keys.
        updates.sort_by(|(one, _), (other, _)| one.cmp(other));
        for batch in updates.chunks(batching.size) {
            let numbers = batch.iter().map(|(_, number)| *number);
            let apart = alone(numbers.clone().map(|number| &actions[number]));
            if total(&together(batch.iter().map(|(calls, _)| calls))) < total(&apart) {
                order.updates.push(numbers.collect());
            } else {
                order.alone.extend(numbers);
            }
        }
        Self { actions, order, looks: batching.looks, asks: batching.asks }
    }

    /// Counts the requests that all of it takes when everything goes well.
    ///
    /// An upper bound where the answer of an earlier request decides whether a later one is needed.
    pub(crate) fn requests(&self) -> Requests {
        let mut requests = alone(self.apart());
        let adopts = self.adopts();
        if adopts > PAGES_OF_AN_ACCOUNT {
            // Pages of everybody show them all.
            let views = requests.entry(Endpoint::ViewContact).or_default();
            *views = views.saturating_sub(adopts);
            *requests.entry(Endpoint::SearchContacts).or_default() += PAGES_OF_AN_ACCOUNT;
        }
        let batch_of = |numbers: &Vec<usize>| numbers.iter().map(|number| &self.actions[*number]).collect::<Vec<_>>();
        for batch in &self.order.updates {
            add(&mut requests, update_requests(&batch_of(batch)));
        }
        for batch in &self.order.creates {
            add(&mut requests, create_requests(&batch_of(batch)));
        }
        let looks = if self.looks { self.looks() } else { 0 };
        if self.asks && !self.order.creates.is_empty() {
            *requests.entry(Endpoint::CreateContacts).or_default() += 1;
        }
        if looks > 0 {
            *requests.entry(Endpoint::SearchContacts).or_default() += looks.min(PAGES_OF_AN_ACCOUNT);
        }
        requests
    }

    /// Lists the kinds of requests of which fewer may be sent, by what Apollo turns out to hold.
    pub(crate) fn up_to(&self) -> BTreeSet<Endpoint> {
        let mut kinds: BTreeSet<Endpoint> = self.apart().flat_map(Action::spared).collect();
        let adopts = self.adopts();
        if adopts >= FEW_IMPORTS {
            // Pages may show many of them at once.
            kinds.insert(Endpoint::ViewContact);
        }
        // One page may show what each of them would be searched for.
        if adopts > PAGES_OF_AN_ACCOUNT || self.creation() == Creates::Together {
            kinds.insert(Endpoint::SearchContacts);
        }
        kinds
    }

    fn adopts(&self) -> usize {
        self.apart().filter(|action| matches!(action.operation, Operation::Adopt { .. })).count()
    }

    /// Lists the actions that take requests of their own.
    fn apart(&self) -> impl Iterator<Item = &'a Action> {
        let numbers = self.order.alone.iter().chain(self.order.settles.iter().flatten());
        numbers.map(|number| &self.actions[*number])
    }

    /// Tells how new contacts go out.
    pub(crate) fn creation(&self) -> Creates {
        match (self.order.creates.is_empty(), self.looks) {
            (true, _) => Creates::OneByOne,
            (false, true) => Creates::Together,
            (false, false) => Creates::TogetherUnseen,
        }
    }

    /// Lets those go alone that would be created together.
    pub(crate) fn create_alone(&mut self) {
        let Order { creates, settles, alone, .. } = &mut self.order;
        alone.extend(creates.drain(..).chain(settles.drain(..)).flatten());
        alone.sort_by_key(|number| self.actions[*number].key());
    }

    /// Counts the searches that would look for each contact of the batches that are created.
    pub(crate) fn looks(&self) -> usize {
        self.order.creates.iter().flatten().map(|number| looks_of(&self.actions[*number])).sum()
    }
}

/// Requests by their kind.
pub(crate) type Requests = BTreeMap<Endpoint, usize>;

/// The pages that show every contact of an account, at most; whoever has to look for more people reads them.
///
/// Source: vendor page "Search for Contacts", hard cap (`docs/api-notes.md#search`).
pub(crate) const PAGES_OF_AN_ACCOUNT: usize = 500;

/// Fewer imports than these are viewed one by one, without a look whether pages show them.
pub(crate) const FEW_IMPORTS: usize = 3;

/// Counts the contacts that take a request of their own, by the first reason that each has.
///
/// Nothing where no two could share one.
pub(crate) fn one_each(actions: &[Action], batching: Batching) -> BTreeMap<OneEach, usize> {
    let mut counts = BTreeMap::new();
    if batching.size > 1 && actions.len() > 1 {
        for why in actions.iter().filter_map(OneEach::of) {
            *counts.entry(why).or_default() += 1;
        }
    }
    counts
}

impl OneEach {
    fn of(action: &Action) -> Option<Self> {
        match &action.operation {
            Operation::Create { .. } if action.reason == Reason::AskedFor => Some(Self::AskedFor),
            Operation::Create { entry } if !entry.run_dedupe() => Some(Self::NoDedupe),
            Operation::Create { entry } if !entry.is_matched_by_email() => Some(Self::NoEmail),
            Operation::Create { entry } => Self::of_fields(following(entry)),
            Operation::Update { changes, .. } if Calls::of(changes).is_none() => {
                Self::of_fields(changes.iter().filter(|change| change.sends()).map(|change| &change.field))
            }
            _ => None,
        }
    }

    /// Returns why fields take a request for one contact.
    fn of_fields<'a>(fields: impl Iterator<Item = &'a Field>) -> Option<Self> {
        let why = |field: &Field| match field {
            Field::WebsiteUrl => Some(Self::WebsiteUrl),
            Field::ContactStageId => Some(Self::ClearedStage),
            phone if phone.is_phone() => Some(Self::TypedPhone),
            _ => None,
        };
        fields.filter_map(why).min()
    }
}

/// Counts the requests of contacts that are created in one request, without looking for them.
pub(crate) fn create_requests(batch: &[&Action]) -> Requests {
    let entries = || batch.iter().filter_map(|action| action.entry());
    let lists: BTreeSet<Vec<&str>> = entries().map(|entry| entry.lists().collect()).collect();
    let follow = entries().filter(|entry| following(entry).next().is_some()).count();
    let counts = [
        (Endpoint::CreateContacts, 1),
        (Endpoint::UpdateContact, follow),
        (Endpoint::AddToLists, lists.iter().filter(|lists| !lists.is_empty()).count()),
    ];
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Counts the requests of contacts that are changed together.
pub(crate) fn update_requests(batch: &[&Action]) -> Requests {
    let calls: Vec<Calls<'_>> = batch.iter().filter_map(|action| Calls::of(changes(action))).collect();
    together(calls.iter())
}

/// Reports whether an action creates a contact by a request for many, or settles such a create.
pub(crate) fn goes_by_batch(action: &Action) -> bool {
    match &action.operation {
        Operation::Create { entry } => goes_with_others(action, entry),
        Operation::Settle { intent, .. } => intent.endpoint == Endpoint::CreateContacts,
        _ => false,
    }
}

/// Reports whether a new contact may be created with others: Apollo finds it by its e-mail, and nobody said that it is
/// to be created whoever is like it.
fn goes_with_others(action: &Action, entry: &PackedEntry) -> bool {
    action.reason != Reason::AskedFor && entry.is_matched_by_email()
}

/// Lists the fields of a new contact that are written after it was created with others.
fn following(entry: &PackedEntry) -> impl Iterator<Item = &'static Field> {
    static FIELDS: [Field; 14] = TEXT_FIELDS;
    let follows = |field: &&Field| Endpoint::UpdateContact.carries(field) && !Endpoint::CreateContacts.carries(field);
    let says = |field: &&Field| entry.text(field).is_some_and(|text| !text.is_empty());
    FIELDS.iter().filter(follows).filter(says)
}

fn creates_in(mut creates: Vec<(&PackedEntry, usize)>, batching: Batching) -> Vec<Vec<usize>> {
    // Those of the same lists go together, in the order of their keys, so that one call puts them on these.
    creates.sort_by(|(one, _), (other, _)| one.lists().cmp(other.lists()));
    let mut batches: Vec<(Marks, Vec<usize>)> = Vec::new();
    let mut first_open = 0;
    for (entry, action) in creates {
        let size = |number: usize| if number == 0 { batching.first } else { batching.size };
        let marks = Marks::of(entry);
        let mut open = (first_open..batches.len()).filter(|&number| batches[number].1.len() < size(number));
        let place = open.find(|&number| !batches[number].0.meets(&marks)).unwrap_or_else(|| {
            batches.push(<_>::default());
            batches.len() - 1
        });
        batches[place].0.add(marks);
        batches[place].1.push(action);
        while batches.get(first_open).is_some_and(|(_, batch)| batch.len() >= size(first_open)) {
            // Nobody joins it any more.
            batches[first_open].0 = Marks::default();
            first_open += 1;
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

/// By what Apollo takes two contacts for one person.
#[derive(Debug, Default)]
struct Marks {
    mailboxes: BTreeSet<String>,
    people: BTreeSet<PersonAtCompany>,
    /// A name at the domain of an e-mail, which may stand for a company.
    at_domain: BTreeSet<(String, String, String)>,
}

impl Marks {
    fn of(fields: &impl Texts) -> Self {
        let identity = Identity::of(fields);
        let domain = identity.domain().map(str::to_owned);
        let at_domain = identity.name.clone().zip(domain).map(|((first, last), domain)| (first, last, domain));
        Self {
            mailboxes: identity.mailbox().into_iter().collect(),
            people: identity.person_at_company().into_iter().collect(),
            at_domain: at_domain.into_iter().collect(),
        }
    }

    fn meets(&self, other: &Self) -> bool {
        !self.mailboxes.is_disjoint(&other.mailboxes)
            || !self.people.is_disjoint(&other.people)
            || !self.at_domain.is_disjoint(&other.at_domain)
    }

    fn add(&mut self, other: Self) {
        self.mailboxes.extend(other.mailboxes);
        self.people.extend(other.people);
        self.at_domain.extend(other.at_domain);
    }
}

/// The requests for many contacts that changes of one contact are part of.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Calls<'a> {
    /// Whether custom fields change, which the answer does not show: they are read back.
    reads_back: bool,
    stage: Option<&'a str>,
    adds: Vec<&'a str>,
    removes: Vec<&'a str>,
    updates: bool,
}

impl<'a> Calls<'a> {
    /// Returns the requests of some changes; `None` where one of them takes a request of its own.
    fn of(changes: &'a [Change]) -> Option<Self> {
        let mut calls = Self { reads_back: false, stage: None, adds: Vec::new(), removes: Vec::new(), updates: false };
        for Change { field, before, after } in changes {
            match after {
                Setting::Released => {}
                Setting::Set(Value::Lists(after)) => {
                    let before = if let Some(Value::Lists(before)) = before { Some(before) } else { None };
                    let is_new = |list: &&String| before.is_none_or(|before| !before.contains(*list));
                    calls.adds = after.iter().filter(is_new).map(String::as_str).collect();
                    let goes = |list: &&String| !after.contains(*list);
                    calls.removes = before.into_iter().flatten().filter(goes).map(String::as_str).collect();
                }
                Setting::Set(Value::Text(text)) if Endpoint::UpdateStages.carries(field) && !text.is_empty() => {
                    calls.stage = Some(text);
                }
                Setting::Set(Value::Text(_)) if Endpoint::UpdateContacts.carries(field) => {
                    calls.updates = true;
                    calls.reads_back |= matches!(field, Field::Custom(_));
                }
                Setting::Set(Value::Text(_)) => return None,
            }
        }
        Some(calls)
    }
}

fn together<'a>(calls: impl Iterator<Item = &'a Calls<'a>> + Clone) -> Requests {
    let distinct = |lists: BTreeSet<&[&str]>| lists.iter().filter(|lists| !lists.is_empty()).count();
    let stages: BTreeSet<&str> = calls.clone().filter_map(|calls| calls.stage).collect();
    let counts = [
        (Endpoint::UpdateContacts, usize::from(calls.clone().any(|calls| calls.updates))),
        (Endpoint::UpdateStages, stages.len()),
        (Endpoint::SearchContacts, usize::from(calls.clone().any(|calls| calls.reads_back))),
        (Endpoint::AddToLists, distinct(calls.clone().map(|calls| &calls.adds[..]).collect())),
        (Endpoint::RemoveFromLists, distinct(calls.map(|calls| &calls.removes[..]).collect())),
    ];
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn alone<'a>(actions: impl IntoIterator<Item = &'a Action>) -> Requests {
    let mut requests = Requests::new();
    for endpoint in actions.into_iter().flat_map(Action::requests) {
        *requests.entry(endpoint).or_default() += 1;
    }
    requests
}

fn add(requests: &mut Requests, more: Requests) {
    for (endpoint, count) in more {
        *requests.entry(endpoint).or_default() += count;
    }
}

fn total(requests: &Requests) -> usize {
    requests.values().sum()
}

fn looks_of(action: &Action) -> usize {
    action.requests().iter().filter(|endpoint| **endpoint == Endpoint::SearchContacts).count()
}

fn changes(action: &Action) -> &[Change] {
    match &action.operation {
        Operation::Update { changes, .. } => changes,
        _ => &[],
    }
}
