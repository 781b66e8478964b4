//! Building a state again that was lost, whole or in part: which entries are which contacts that Apollo has.
//!
//! Only looks at Apollo, and writes the state once a person has seen what was found. What is already bound stays.

mod pair;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

pub use pair::WhyOpen;
use tokio::task::JoinSet;

use pair::{Search, Verdict};

use super::account::Account;
use super::apply::line::Failure;
use super::apply::outcome::binding;
use super::apply::outcome::sight::hides_email;
use super::drifted::Refreshing;
use super::refresh::compare::{Standing, standing};
use super::refresh::{Asked, Halt, Sighting, View, refresh, view};
use super::seen::AskedFor;
use super::sees::Sees;
use super::{Desired, DriftError, Event, LoadError, Session, Unseen, knowledge, sweep};
use crate::apollo::{Contact, SearchPage};
use crate::model::{
    ApolloId, Binding, ContactKey, Endpoint, Entry, Field, IdentityKey, MatchedBy, Origin, Place, RebuiltBy,
};
use crate::plan::Known;
use crate::state::{self, CHANGES_PER_COMMIT, Change, Snapshot};

/// What a state can be built again from.
#[derive(Debug)]
pub struct Rebuild {
    /// Entries with their contacts, sorted by key.
    pub pairs: Vec<Pair>,
    /// Entries that are left to a person or to the next apply, sorted by key.
    pub open: Vec<Left>,
    /// How many entries are bound already.
    pub bound: usize,
    /// How many contacts the account has that were not met, where it tells; `None` where it is too large to be read.
    pub missed: Option<u64>,
    account: Option<Account>,
}

/// An entry that is not bound, and why.
pub type Left = (Place, WhyOpen);

/// An entry with the contact that it is.
#[derive(Debug)]
pub struct Pair {
    pub place: Place,
    pub id: ApolloId,
    pub by: RebuiltBy,
    /// The declared fields that Apollo does not show as declared: the next plan sends them.
    pub differ: Vec<Field>,
    binding: Box<Binding>,
}

/// Whom a look has met.
#[derive(Default)]
struct Met {
    /// Those who may be an entry, by id.
    contacts: BTreeMap<ApolloId, Contact>,
    /// What there is to say of contacts that entries name and that were not seen.
    odd: BTreeMap<ApolloId, WhyOpen>,
    /// Everybody, where that is known.
    account: Option<Account>,
    /// Whether everybody was met, with everything that tells people apart.
    is_whole: bool,
    missed: Option<u64>,
}

/// Commits that are under way at a time.
const COMMITS_AT_A_TIME: usize = 16;

impl Session {
    /// Finds out which entries that are not bound are which contacts of the account; changes nothing.
    ///
    /// The snapshot is one of everything. The credential was proven.
    pub async fn rebuild(&self, desired: &Desired, snapshot: &Snapshot) -> Result<Rebuild, DriftError> {
        let (entries, waiting) = unbound(desired, snapshot).map_err(DriftError::Load)?;
        let bound: BTreeMap<ApolloId, ContactKey> =
            snapshot.bindings.iter().map(|(key, binding)| (binding.apollo_id.clone(), key.clone())).collect();
        let mut owners = bound.clone();
        for (id, key) in named(desired).map_err(DriftError::Load)? {
            owners.entry(id).or_insert(key);
        }
        let asked: Asked = entries
            .iter()
            .filter_map(|entry| Some((entry.apollo_id.clone()?, AskedFor::of_entry(entry))))
            .filter(|(id, _)| !bound.contains_key(id))
            .collect();
        let search = Search::for_entries(entries.iter().filter(|entry| entry.apollo_id.is_none()));
        let mut met = self.meet(snapshot.identity_key, &asked, &search).await?;
        self.name_lists(&entries, &mut met.contacts).await?;
        let mut rebuild = Rebuild {
            pairs: Vec::new(),
            open: waiting,
            bound: snapshot.bindings.len(),
            missed: met.missed,
            account: met.account.take(),
        };
        for entry in &entries {
            let Some(id) = &entry.apollo_id else { continue };
            match (bound.get(id), met.contacts.get(id)) {
                (Some(owner), _) => {
                    rebuild.leave(entry, WhyOpen::Owned { id: id.clone(), owner: owner.clone() });
                }
                (None, Some(contact)) => self.pair(&mut rebuild, entry, contact, RebuiltBy::Id),
                (None, None) => {
                    let unseen = || WhyOpen::Unseen { id: id.clone(), why: Unseen::NotShown };
                    rebuild.leave(entry, met.odd.remove(id).unwrap_or_else(unseen));
                }
            }
        }
        let contacts: Vec<&Contact> = met.contacts.values().filter(|contact| search.concerns(contact)).collect();
        for (entry, verdict) in search.pair(&contacts, &owners) {
            match verdict {
                _ if !met.is_whole => rebuild.leave(entry, WhyOpen::NotEverybody),
                Verdict::Pair(id, by) => self.pair(&mut rebuild, entry, &met.contacts[&id], by),
                Verdict::Open(why) => rebuild.leave(entry, why),
            }
        }
        rebuild.pairs.sort_by(|one, other| one.place.key.cmp(&other.place.key));
        rebuild.open.sort_by(|one, other| one.0.key.cmp(&other.0.key));
        Ok(rebuild)
    }

    /// Binds the pairs that were found, and keeps what was seen of the account and the names that the files use.
    pub async fn bind_again(&self, desired: &Desired, rebuild: Rebuild) -> Result<(), state::Error> {
        let binding = |pair: Pair| Change::PutBinding { key: pair.place.key, binding: pair.binding };
        let mut changes = rebuild.pairs.into_iter().map(binding);
        // Those that are under way together share a barrier.
        let mut under_way = JoinSet::new();
        loop {
            let some: Vec<Change> = changes.by_ref().take(CHANGES_PER_COMMIT).collect();
            if under_way.len() == COMMITS_AT_A_TIME || some.is_empty() {
                let Some(done) = under_way.join_next().await else { break };
                done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
            }
            if !some.is_empty() {
                let store = self.store().clone();
                under_way.spawn(async move { store.commit(some).await });
            }
        }
        self.keep_names(desired).await?;
        let Some(mut account) = rebuild.account else { return Ok(()) };
        knowledge::save(self.store(), &mut account).await?;
        self.knows(account).await;
        Ok(())
    }

    fn pair(&self, rebuild: &mut Rebuild, entry: &Entry, contact: &Contact, by: RebuiltBy) {
        let origin = Origin::Matched(MatchedBy::Rebuilt(by));
        let mut binding = binding::of(contact, entry, origin, self.now(), &self.run);
        for (field, declared) in entry.fields.iter().filter(|(field, _)| **field != Field::LabelNames) {
            match standing(field, declared, contact) {
                Standing::Stands => binding.applied.set(field.clone(), declared.clone()),
                Standing::Unsaid => drop(binding.applied.remove(field)),
                Standing::Differs => {}
            }
        }
        binding::complete(&mut binding, entry);
        let differ = Known::of(&binding, []).changes_to(&entry.fields).into_iter().map(|change| change.field).collect();
        if let Some(account) = &mut rebuild.account {
            let asked = AskedFor { applied_at: binding.applied_at, ..AskedFor::of_entry(entry) };
            account.see(contact, Some(&asked), binding.applied_at);
        }
        let (place, id) = (entry.place.clone(), contact.id.clone());
        rebuild.pairs.push(Pair { place, id, by, differ, binding: Box::new(binding) });
    }

    /// Reads the contacts that may belong to an entry, with as few requests as possible.
    async fn meet(&self, key: IdentityKey, asked: &Asked, search: &Search<'_>) -> Result<Met, Halt> {
        if !search.is_empty() {
            return self.meet_everybody(key, asked, search).await;
        }
        if asked.is_empty() {
            return Ok(Met { is_whole: true, missed: Some(0), ..Met::default() });
        }
        let failed = |error| Halt { endpoint: Endpoint::SearchContacts, failure: Failure::Store(error) };
        let parts = self.store().account().await.map_err(failed)?;
        let found = refresh(&self.access, Account::load(key, &parts), key, asked, false).await?;
        let mut met = Met { account: found.account, missed: Some(0), is_whole: true, ..Met::default() };
        for (id, sighting) in found.sightings {
            match sighting {
                Sighting::Seen(seen) => drop(met.contacts.insert(id.clone(), seen.contact(&id))),
                Sighting::Gone => drop(met.odd.insert(id.clone(), WhyOpen::Gone(id))),
                Sighting::Merged(survivor) => drop(met.odd.insert(id.clone(), WhyOpen::Merged { id, survivor })),
                Sighting::Unknown(why) => drop(met.odd.insert(id.clone(), WhyOpen::Unseen { id, why })),
            }
        }
        Ok(met)
    }

    /// Reads all pages, and views contacts with a declared `apollo_id` that were on no page.
    async fn meet_everybody(&self, key: IdentityKey, asked: &Asked, search: &Search<'_>) -> Result<Met, Halt> {
        let (mut met, mut account, now) = (Met::default(), Account::new(key), self.now());
        let mut hides = false;
        let take_in = |page: &SearchPage| {
            if page.page == 1 {
                self.tell(Event::Refreshing(Refreshing::Pages(sweep::pages(page))));
            }
            hides |= page.contacts.iter().any(hides_email);
            for contact in page.contacts.iter().filter(|contact| !contact.person_deleted) {
                account.see(contact, None, now);
                if asked.contains_key(&contact.id) || search.concerns(contact) {
                    met.contacts.insert(contact.id.clone(), contact.clone());
                }
            }
            ControlFlow::Continue(())
        };
        let of_search = |failure| Halt { endpoint: Endpoint::SearchContacts, failure };
        if let Some(swept) = sweep::everyone(&self.access, take_in).await.map_err(of_search)? {
            met.missed = Some(swept.entries.unwrap_or_default().saturating_sub(account.len() as u64));
            // Of a row that hides its e-mail nobody knows whose it is.
            met.is_whole = swept.is_whole && !hides;
            met.account = met.is_whole.then(|| account.read_by(swept));
        }
        let unseen: Vec<&ApolloId> = asked.keys().filter(|id| !met.contacts.contains_key(id)).collect();
        if !unseen.is_empty() {
            self.tell(Event::Refreshing(Refreshing::Views(unseen.len())));
        }
        for id in unseen {
            let odd = match view(&self.access, id).await? {
                View::Shown(contact) if contact.id == *id => {
                    met.contacts.insert(id.clone(), *contact);
                    continue;
                }
                View::Shown(contact) => WhyOpen::Merged { id: id.clone(), survivor: contact.id.clone() },
                View::Denied => WhyOpen::Gone(id.clone()),
                View::Failed(why) => WhyOpen::Unseen { id: id.clone(), why: Unseen::Failed(why) },
            };
            met.odd.insert(id.clone(), odd);
        }
        Ok(met)
    }

    /// Finds out what the lists of contacts are called, where an entry declares lists and rows show ids alone.
    async fn name_lists(&self, entries: &[Entry], contacts: &mut BTreeMap<ApolloId, Contact>) -> Result<(), Halt> {
        let is_unnamed = |contact: &Contact| contact.label_ids.is_some() && contact.label_names.is_none();
        let declares_lists = entries.iter().any(|entry| entry.fields.contains(&Field::LabelNames));
        if !declares_lists || !contacts.values().any(is_unnamed) {
            return Ok(());
        }
        let names = match Sees::lists(&self.access).await {
            Ok(names) => names,
            // Who may not ask knows of no lists: they are added once more, which changes nothing.
            Err(Failure::Refused(_) | Failure::Barred) => return Ok(()),
            Err(failure) => return Err(Halt { endpoint: Endpoint::ShowLists, failure }),
        };
        for contact in contacts.values_mut().filter(|contact| is_unnamed(contact)) {
            let ids = contact.label_ids.iter().flatten();
            contact.label_names = Some(ids.filter_map(|id| names.get(&id.to_lowercase()).cloned()).collect());
        }
        Ok(())
    }
}

impl Rebuild {
    fn leave(&mut self, entry: &Entry, why: WhyOpen) {
        self.open.push((entry.place.clone(), why));
    }
}

/// Lists the entries that are to be found, and those that are left to the next apply or wait already.
fn unbound(desired: &Desired, snapshot: &Snapshot) -> Result<(Vec<Entry>, Vec<Left>), LoadError> {
    let is_bound = |key: &ContactKey| snapshot.bindings.contains_key(key);
    let unbound: Vec<ContactKey> = desired.keys()?.into_iter().filter(|key| !is_bound(key)).collect();
    let in_doubt: BTreeSet<&ContactKey> = snapshot.intents.values().map(|intent| &intent.key).collect();
    let why_not = |entry: &Entry| {
        let comes_back =
            snapshot.tombstones.contains_key(entry.key()) || entry.moved_from.as_ref().is_some_and(is_bound);
        let waits = in_doubt.contains(entry.key()) || snapshot.conflicts.contains_key(entry.key());
        if waits { Some(WhyOpen::Waits) } else { comes_back.then_some(WhyOpen::Returns) }
    };
    let (mut entries, mut waiting) = (Vec::new(), Vec::new());
    for entry in desired.entries(&unbound)?.into_values() {
        match why_not(&entry) {
            Some(why) => waiting.push((entry.place.clone(), why)),
            None => entries.push(entry),
        }
    }
    Ok((entries, waiting))
}

/// Lists the contacts that entries name, bound or not.
fn named(desired: &Desired) -> Result<Vec<(ApolloId, ContactKey)>, LoadError> {
    let keys = desired.keys()?;
    let entries = desired.entries(&keys)?;
    Ok(entries.into_iter().filter_map(|(key, entry)| Some((entry.apollo_id?, key))).collect())
}
