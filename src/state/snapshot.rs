//! A copy of what a plan needs from the state, taken at one serial.
//!
//! Bindings that stand as desired are counted, not copied, so that memory follows what changed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::codec;
use super::counters::{Counters, Facts};
use super::engine::Rows;
use super::error::Error;
use super::location::Location;
use super::lookup::owner_of;
use super::row::{FORMAT, Row, Table};
use crate::model::{
    ApolloId, Binding, BulkCreate, Conflict, ContactKey, Endpoint, Found, Glance, IdentityKey, Intent, IntentId,
    Lineage, NameKind, Named, Names, PackedBinding, Roster, Serial, Tombstone,
};

/// What the state held at one serial.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Empty for a state that does not exist yet.
    pub lineage: Lineage,
    pub serial: Serial,
    pub identity_key: IdentityKey,
    /// The origin of the API whose contacts these are.
    pub origin: String,
    /// The keyed hash of the credential last used, as the caller wrote it.
    pub credential: Option<String>,
    /// Apollo's id of the team whose contacts these are; `None` until Apollo has told it.
    pub team: Option<String>,
    /// How far creating many contacts in one request is known to work; `None` when nobody has asked.
    pub bulk_create: Option<BulkCreate>,
    /// The names that Apollo has told, as far as they are known.
    #[serde(default)]
    pub names: Names,
    /// The bindings that do not stand exactly as desired, or that there is something to say about.
    pub bindings: BTreeMap<ContactKey, Binding>,
    /// All bindings, where they were asked for at rest; none is among the others then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packed: BTreeMap<ContactKey, PackedBinding>,
    /// How many keys have bindings that stand as desired; those are left out.
    pub unchanged: usize,
    /// The desired keys that are not bound.
    pub unbound: Vec<ContactKey>,
    /// The keys that own the contacts asked for, left out or not.
    pub owners: BTreeMap<ApolloId, ContactKey>,
    pub intents: BTreeMap<IntentId, Intent>,
    pub conflicts: BTreeMap<ContactKey, Conflict>,
    pub tombstones: BTreeMap<ContactKey, Tombstone>,
    /// Quota ledgers, as the caller wrote them.
    pub quota: BTreeMap<Endpoint, String>,
    /// What is known of everybody in the account, part by part, where it was asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub account: BTreeMap<u32, String>,
    /// Whether it is as Apollo was found to hold the contacts; no state says so.
    #[serde(skip)]
    pub refreshed: bool,
    /// Whom a look found for keys that are not bound; no state holds it.
    #[serde(skip)]
    pub found: BTreeMap<ContactKey, Found>,
}

impl Snapshot {
    /// Returns what a state that does not exist yet reads as.
    ///
    /// The identity key is of no use: there is no tombstone to compare with.
    pub fn empty(origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..Self::default() }
    }

    /// Reports whether a key is bound, as far as it is shown.
    pub fn is_bound(&self, key: &ContactKey) -> bool {
        self.bindings.contains_key(key) || self.packed.contains_key(key)
    }

    /// Lists the contacts of the bindings that are shown.
    pub fn contacts(&self) -> impl Iterator<Item = ApolloId> {
        let worked_with = self.bindings.values().map(|binding| binding.apollo_id.clone());
        worked_with.chain(self.packed.values().map(PackedBinding::apollo_id))
    }

    /// Puts all bindings to rest.
    #[must_use]
    pub fn pack(mut self) -> Self {
        let bindings = std::mem::take(&mut self.bindings);
        self.packed.extend(bindings.into_iter().map(|(key, binding)| (key, binding.into())));
        self
    }
}

/// What a snapshot is wanted for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What is desired.
    pub(crate) roster: Arc<Roster>,
    /// Contacts whose owners are asked for.
    contacts: Arc<Named>,
    /// Whether what is known of the account is asked for.
    account: bool,
    /// Whether bindings are asked for at rest.
    packed: bool,
}

impl Wanted {
    pub fn new(roster: impl Into<Arc<Roster>>, contacts: impl Into<Arc<Named>>) -> Self {
        Self { roster: roster.into(), contacts: contacts.into(), account: false, packed: false }
    }

    /// Wants every binding, as if nothing was declared.
    pub fn everything() -> Self {
        Self::new(Roster::NONE, Named::default())
    }

    /// Wants what is known of the account as well, if `account`.
    #[must_use]
    pub fn with_account(self, account: bool) -> Self {
        Self { account, ..self }
    }

    /// Wants bindings at rest, if `packed`.
    #[must_use]
    pub fn packed(self, packed: bool) -> Self {
        Self { packed, ..self }
    }
}

/// The part of a state that a snapshot looks at, where an index vouches for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The keys to look up, sorted.
    pub keys: Vec<ContactKey>,
    /// Those of them that were bound when the index was written, sorted.
    pub bound: Vec<ContactKey>,
    /// How many further keys are bound and stand as desired, those that the roster has beside `keys` included.
    pub unchanged: usize,
}

/// The tables that are read in full even where an index vouches for the bindings.
const BESIDE_BINDINGS: [Table; 5] = [Table::Meta, Table::Intents, Table::Conflicts, Table::Tombstones, Table::Quota];

impl Part {
    /// Lists the numbers of those in a roster that are looked up.
    pub fn looked_up(&self, roster: &Roster) -> impl Iterator<Item = usize> {
        (0..roster.len()).filter(|&number| self.keys.binary_search(&roster.key(number)).is_ok())
    }

    /// Looks at a state with this part in view; `None` when it is not as the index noted it.
    ///
    /// `commit` is what its last commit must be; `None` where that is known.
    pub(crate) fn read(
        &self,
        rows: &impl Rows,
        facts: &Facts,
        wanted: &Wanted,
        commit: Option<u64>,
    ) -> Result<Option<Snapshot>, Error> {
        let Some(counters) = rows.read::<Counters>(&Row::Counters)? else { return Ok(None) };
        if commit.is_some_and(|commit| counters.commit != commit) {
            return Ok(None);
        }
        let state = rows.location();
        let gathering = Gathering::beside(wanted.clone(), self);
        for table in BESIDE_BINDINGS {
            for row in rows.table(table) {
                let (row, value) = row?;
                gathering.add(state, row, &value)?;
            }
        }
        for key in &self.keys {
            let row = Row::Binding(key.clone());
            match rows.get(&row)? {
                Some(value) => gathering.add(state, row, &value)?,
                None if self.bound.binary_search(key).is_ok() => return Ok(None),
                None => {}
            }
        }
        let mut snapshot = gathering.complete(facts, &counters);
        for id in wanted.contacts.iter() {
            if let Some(owner) = owner_of(rows, &id)? {
                snapshot.owners.insert(id, owner);
            }
        }
        Ok(Some(snapshot))
    }
}

/// A snapshot in the making. Several threads may add to it.
pub(crate) struct Gathering {
    wanted: Wanted,
    /// What became of each desired key, by its number.
    found: Vec<AtomicU8>,
    /// How many keys stand that were not looked at.
    unseen: usize,
    snapshot: Mutex<Snapshot>,
}

/// What became of a desired key: not bound as far as was seen, bound, or bound and as desired.
const UNBOUND: u8 = 0;
const BOUND: u8 = 1;
const STANDS: u8 = 2;

impl Gathering {
    pub(crate) fn new(wanted: Wanted) -> Self {
        let found = (0..wanted.roster.len()).map(|_| AtomicU8::new(UNBOUND)).collect();
        Self { wanted, found, unseen: 0, snapshot: Mutex::default() }
    }

    /// Begins with what a part does not look at.
    fn beside(wanted: Wanted, part: &Part) -> Self {
        let mut gathering = Self { unseen: part.unchanged, ..Self::new(wanted) };
        gathering.found.iter_mut().for_each(|found| *found.get_mut() = BOUND);
        for number in part.looked_up(&gathering.wanted.roster) {
            *gathering.found[number].get_mut() = UNBOUND;
        }
        gathering
    }

    /// Adds a row as it is kept. Of a binding that stands as desired, it looks at the ends of the value alone.
    pub(crate) fn take(&self, state: &Location, key: &[u8], value: &[u8]) -> Result<(), Error> {
        if self.is_quiet(key, value) {
            return Ok(());
        }
        let row = Row::parse(key).ok_or_else(|| Error::unreadable(state, "it holds a row of unknown kind"))?;
        self.add(state, row, value)
    }

    fn is_quiet(&self, key: &[u8], value: &[u8]) -> bool {
        let Wanted { roster, contacts, .. } = &self.wanted;
        let key = key.strip_prefix(&Table::Bindings.prefix()).and_then(|key| std::str::from_utf8(key).ok());
        let json = value.split_first().filter(|(format, _)| **format == FORMAT).map(|(_, json)| json);
        let (Some(desired), Some(glance)) = (key.and_then(|key| roster.find(key)), json.and_then(Glance::at)) else {
            return false;
        };
        let is_asked_for = || !contacts.is_empty() && glance.apollo_id().is_none_or(|id| contacts.contains(&id));
        let is_quiet = glance.stands_as(desired.fingerprint) && !is_asked_for();
        if is_quiet {
            self.found[desired.number].store(STANDS, Ordering::Relaxed);
        }
        is_quiet
    }

    /// Adds a row.
    pub(crate) fn add(&self, state: &Location, row: Row, value: &[u8]) -> Result<(), Error> {
        let snapshot = || self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        match row {
            Row::Facts | Row::Counters | Row::Owner(_) | Row::Plan | Row::Spent(_) | Row::Established => {}
            Row::Account(_) if !self.wanted.account => {}
            Row::Account(part) => drop(snapshot().account.insert(part, codec::decode(state, value)?)),
            Row::BulkCreate => snapshot().bulk_create = Some(codec::decode(state, value)?),
            Row::Names(NameKind::Stages) => snapshot().names.stages = Some(codec::decode(state, value)?),
            Row::Names(NameKind::Fields) => snapshot().names.fields = Some(codec::decode(state, value)?),
            Row::Names(NameKind::Lists) => snapshot().names.lists = Some(codec::decode(state, value)?),
            Row::Team => snapshot().team = Some(codec::decode(state, value)?),
            Row::Credential => snapshot().credential = Some(codec::decode(state, value)?),
            Row::Binding(key) => self.add_binding(key, codec::decode(state, value)?),
            Row::Intent(id) => drop(snapshot().intents.insert(id, codec::decode(state, value)?)),
            Row::Conflict(key) => drop(snapshot().conflicts.insert(key, codec::decode(state, value)?)),
            Row::Tombstone(key) => drop(snapshot().tombstones.insert(key, codec::decode(state, value)?)),
            Row::Quota(endpoint) => drop(snapshot().quota.insert(endpoint, codec::decode(state, value)?)),
        }
        Ok(())
    }

    fn add_binding(&self, key: ContactKey, binding: Binding) {
        let Wanted { roster, contacts, packed, .. } = &self.wanted;
        let desired = roster.find(key.as_str());
        let stands = binding.stands_as(desired.map(|desired| desired.fingerprint));
        if let Some(desired) = desired {
            self.found[desired.number].store(if stands { STANDS } else { BOUND }, Ordering::Relaxed);
        }
        let snapshot = || self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if contacts.contains(&binding.apollo_id) {
            snapshot().owners.insert(binding.apollo_id.clone(), key.clone());
        }
        if !stands && *packed {
            let binding = PackedBinding::from(binding);
            snapshot().packed.insert(key, binding);
        } else if !stands {
            snapshot().bindings.insert(key, binding);
        }
    }

    /// Completes the rows gathered with what holds for all of them.
    pub(crate) fn complete(self, facts: &Facts, counters: &Counters) -> Snapshot {
        let (mut unbound, mut unchanged) = (Vec::new(), self.unseen);
        for (number, found) in self.found.into_iter().map(AtomicU8::into_inner).enumerate() {
            match found {
                UNBOUND => unbound.push(self.wanted.roster.key(number)),
                STANDS => unchanged += 1,
                _ => {}
            }
        }
        unbound.sort_unstable();
        Snapshot {
            unchanged,
            unbound,
            lineage: facts.lineage.clone(),
            serial: counters.serial,
            identity_key: facts.identity_key,
            origin: facts.origin.clone(),
            ..self.snapshot.into_inner().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
