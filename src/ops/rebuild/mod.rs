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
use super::refresh::{Asked, Halt, Sighting, View, asked, refresh, view};
use super::seen::{AskedFor, PackedSeen};
use super::sees::Sees;
use super::{Desired, DriftError, Event, LoadError, Session, Unseen, knowledge, sweep};
use crate::apollo::{Contact, SearchPage};
use crate::model::{
    ApolloId, ContactKey, Endpoint, Entry, Field, IdentityKey, MatchedBy, Origin, PackedBinding, PackedEntry, Place,
    RebuiltBy,
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
    binding: PackedBinding,
}

/// Whom a look has met.
#[derive(Default)]
struct Met {
    /// The contacts whose ids stand in entries, by id.
    named: BTreeMap<ApolloId, PackedSeen>,
    /// The contacts that may belong to an entry without an id, by id.
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
    /// The snapshot is one to refresh by; what is known of the account is taken out of it. The credential was proven.
    pub async fn rebuild(&self, desired: &Desired, snapshot: &mut Snapshot) -> Result<Rebuild, DriftError> {
        let account = std::mem::take(&mut snapshot.account).into_values();
        let Unbound { naming, others, waiting } = unbound(desired, snapshot).map_err(DriftError::Load)?;
        let bound: BTreeMap<ApolloId, ContactKey> =
            snapshot.packed.iter().map(|(key, binding)| (binding.apollo_id(), key.clone())).collect();
        let mut owners = bound.clone();
        for (id, key) in named(desired).map_err(DriftError::Load)? {
            owners.entry(id).or_insert(key);
        }
        // One after the other: as they are worked with they take many times as much memory.
        let named = || naming.iter().map(PackedEntry::unpack);
        let asked: Asked = asked(
            named()
                .filter_map(|entry| Some((entry.apollo_id.clone()?, AskedFor::of_entry(&entry))))
                .filter(|(id, _)| !bound.contains_key(id)),
        );
        let search = Search::for_entries(&others);
        let mut met = self.meet(snapshot.identity_key, account, &asked, &search).await?;
        let declares_lists = others.iter().any(|entry| entry.fields.contains(&Field::LabelNames))
            || asked.values().any(|asked| asked.fields.contains(&Field::LabelNames));
        drop(asked);
        let list_names = self.list_names(declares_lists, &met).await?;
        met.contacts.values_mut().for_each(|contact| name_lists(contact, list_names.as_ref()));
        let mut rebuild = Rebuild {
            pairs: Vec::new(),
            open: waiting,
            bound: snapshot.packed.len(),
            missed: met.missed,
            account: met.account.take(),
        };
        for entry in named() {
            let Some(id) = &entry.apollo_id else { continue };
            match (bound.get(id), met.named.get(id)) {
                (Some(owner), _) => {
                    rebuild.leave(&entry, WhyOpen::Owned { id: id.clone(), owner: owner.clone() });
                }
                (None, Some(seen)) => {
                    let mut contact = seen.unpack().contact(id);
                    name_lists(&mut contact, list_names.as_ref());
                    self.pair(&mut rebuild, &entry, &contact, RebuiltBy::Id);
                }
                (None, None) => {
                    let unseen = || WhyOpen::Unseen { id: id.clone(), why: Unseen::NotShown };
                    rebuild.leave(&entry, met.odd.remove(id).unwrap_or_else(unseen));
                }
            }
        }
        let contacts: Vec<&Contact> = met.contacts.values().collect();
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
        let binding = |pair: Pair| Change::PutBinding { key: pair.place.key, binding: Box::new(pair.binding.unpack()) };
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
            account.see_part(contact, &asked, binding.applied_at);
        }
        let (place, id) = (entry.place.clone(), contact.id.clone());
        rebuild.pairs.push(Pair { place, id, by, differ, binding: binding.into() });
    }

    /// Reads the contacts that may belong to an entry, with as few requests as possible.
    ///
    /// `account` is what an earlier reading knew of everybody.
    async fn meet(
        &self,
        key: IdentityKey,
        account: impl Iterator<Item = String>,
        asked: &Asked,
        search: &Search<'_>,
    ) -> Result<Met, Halt> {
        if !search.is_empty() {
            return self.meet_everybody(key, asked, search).await;
        }
        if asked.is_empty() {
            return Ok(Met { is_whole: true, missed: Some(0), ..Met::default() });
        }
        let found = refresh(&self.access, Account::load(key, account), key, asked, false).await?;
        let mut met = Met { account: found.account, missed: Some(0), is_whole: true, ..Met::default() };
        for (id, sighting) in found.sightings {
            match sighting {
                Sighting::Seen(seen) => drop(met.named.insert(id, seen)),
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
                if let Some(asked) = asked.get(&contact.id) {
                    met.named.insert(contact.id.clone(), PackedSeen::of(contact, asked, now));
                }
                if search.concerns(contact) {
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
        let unseen = asked.iter().filter(|(id, _)| !met.named.contains_key(id));
        let unseen: Vec<(&ApolloId, &AskedFor)> = unseen.collect();
        if !unseen.is_empty() {
            self.tell(Event::Refreshing(Refreshing::Views(unseen.len())));
        }
        for (id, asked) in unseen {
            let odd = match view(&self.access, id).await? {
                View::Shown(contact) if contact.id == *id => {
                    if let Some(account) = &mut met.account {
                        account.see(&contact, Some(asked), now);
                    }
                    met.named.insert(id.clone(), PackedSeen::of(&contact, asked, now));
                    if search.concerns(&contact) {
                        met.contacts.insert(id.clone(), *contact);
                    }
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

    /// Finds out what lists are called, where an entry declares lists and rows show ids alone.
    async fn list_names(&self, declares_lists: bool, met: &Met) -> Result<Option<BTreeMap<String, String>>, Halt> {
        let are_unnamed =
            || met.contacts.values().any(is_unnamed) || met.named.values().any(PackedSeen::has_unnamed_lists);
        if !declares_lists || !are_unnamed() {
            return Ok(None);
        }
        match Sees::lists(&self.access).await {
            Ok(names) => Ok(Some(names)),
            // Who may not ask knows of no lists: they are added once more, which changes nothing.
            Err(Failure::Refused(_) | Failure::Barred) => Ok(None),
            Err(failure) => Err(Halt { endpoint: Endpoint::ShowLists, failure }),
        }
    }
}

fn is_unnamed(contact: &Contact) -> bool {
    contact.label_ids.is_some() && contact.label_names.is_none()
}

/// Notes what the lists of a contact are called; those that are not known are left out.
fn name_lists(contact: &mut Contact, names: Option<&BTreeMap<String, String>>) {
    if let Some(names) = names
        && is_unnamed(contact)
    {
        let ids = contact.label_ids.iter().flatten();
        contact.label_names = Some(ids.filter_map(|id| names.get(&id.to_lowercase()).cloned()).collect());
    }
}

impl Rebuild {
    fn leave(&mut self, entry: &Entry, why: WhyOpen) {
        self.open.push((entry.place.clone(), why));
    }
}

/// The entries that are not bound.
struct Unbound {
    /// Those with a contact id, at rest.
    naming: Vec<PackedEntry>,
    /// Those without a contact id.
    others: Vec<Entry>,
    /// Those that are left to the next apply, or wait already.
    waiting: Vec<Left>,
}

/// Lists the entries that are not bound, sorted by key.
fn unbound(desired: &Desired, snapshot: &Snapshot) -> Result<Unbound, LoadError> {
    let keys: Vec<ContactKey> = desired.keys()?.into_iter().filter(|key| !snapshot.is_bound(key)).collect();
    let in_doubt: BTreeSet<&ContactKey> = snapshot.intents.values().map(|intent| &intent.key).collect();
    let why_not = |key: &ContactKey, entry: &PackedEntry| {
        let comes_back =
            snapshot.tombstones.contains_key(key) || entry.moved_from().is_some_and(|from| snapshot.is_bound(&from));
        let waits = in_doubt.contains(key) || snapshot.conflicts.contains_key(key);
        if waits { Some(WhyOpen::Waits) } else { comes_back.then_some(WhyOpen::Returns) }
    };
    let mut unbound = Unbound { naming: Vec::new(), others: Vec::new(), waiting: Vec::new() };
    for (key, entry) in desired.entries_at_rest(&keys)? {
        match why_not(&key, &entry) {
            Some(why) => unbound.waiting.push((Place { path: entry.path(), key }, why)),
            None if entry.apollo_id().is_some() => unbound.naming.push(entry),
            None => unbound.others.push(entry.unpack()),
        }
    }
    Ok(unbound)
}

/// Lists the contacts that entries name, bound or not.
fn named(desired: &Desired) -> Result<Vec<(ApolloId, ContactKey)>, LoadError> {
    let entries = desired.entries_at_rest(&desired.keys()?)?;
    Ok(entries.into_iter().filter_map(|(key, entry)| Some((entry.apollo_id()?, key))).collect())
}
