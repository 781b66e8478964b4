//! A copy of what a plan needs from the state, taken at one serial.
//!
//! Bindings that stand as desired are counted, not copied, so that memory follows what changed.

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::codec;
use super::error::Error;
use super::keys::{self, Row};
use super::rows::{self, Counters, Facts};
use crate::index::StateNote;
use crate::model::{
    ApolloId, Binding, Conflict, ContactKey, Endpoint, Glance, IdentityKey, Intent, IntentId, Lineage, Named, Roster,
    Serial, Tombstone,
};

/// What the state held at one serial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The bindings that do not stand exactly as desired, or that there is something to say about.
    pub bindings: BTreeMap<ContactKey, Binding>,
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
}

/// How many parts of a state each core reads: more than one, as one may hold more than the next.
const PARTS_A_CORE: usize = 4;

/// How many keys are looked at for the bounds of a part.
const SAMPLED_FOR_A_PART: usize = 64;

/// What a snapshot is wanted for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// What is desired.
    roster: &'a Roster,
    /// Contacts whose owners are asked for.
    contacts: &'a Named,
}

impl<'a> Wanted<'a> {
    pub fn new(roster: &'a Roster, contacts: &'a Named) -> Self {
        Self { roster, contacts }
    }

    /// Returns keys of rows between which there is about as much to read; none where there is little.
    fn bounds(&self) -> Vec<Vec<u8>> {
        let parts = PARTS_A_CORE * rayon::current_num_threads();
        let sample = self.roster.sample(SAMPLED_FOR_A_PART * parts);
        if sample.len() < SAMPLED_FOR_A_PART * parts {
            return Vec::new();
        }
        // In front of the bindings stands the reverse index, of short rows.
        let within = sample.into_iter().step_by(SAMPLED_FOR_A_PART).skip(1).map(|key| keys::binding(&key));
        iter::once(keys::BINDINGS.to_vec()).chain(within).collect()
    }

    /// Wants every binding, as if nothing was declared.
    pub fn everything() -> Self {
        static NOBODY: Roster = Roster::NONE;
        static NONE: Named = Named::NONE;
        Self { roster: &NOBODY, contacts: &NONE }
    }
}

/// The part of a state that a snapshot looks at, where an index vouches for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// How the state stood when the index was written.
    pub note: StateNote,
    /// The keys to look up, sorted.
    pub keys: Vec<ContactKey>,
    /// Those of them that were bound then, sorted.
    pub bound: Vec<ContactKey>,
    /// How many further keys are bound and stand as desired, those that the roster has beside `keys` included.
    pub unchanged: usize,
}

impl Part {
    /// Reports whether the index alone answers: nothing is to be looked up, and nothing was open.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.note.is_quiet
    }

    /// Lists the numbers of those in a roster that are looked up.
    pub fn looked_up(&self, roster: &Roster) -> impl Iterator<Item = usize> {
        (0..roster.len()).filter(|&number| self.keys.binary_search(&roster.key(number)).is_ok())
    }

    /// Makes the snapshot of an empty part; it has no quota, which nothing is going to use.
    pub fn snapshot(&self) -> Snapshot {
        let StateNote { head, origin, orphans: _, is_quiet: _, applied: _ } = &self.note;
        let (lineage, serial) = (head.lineage.clone(), head.serial);
        Snapshot { lineage, serial, unchanged: self.unchanged, ..Snapshot::empty(origin) }
    }

    /// Looks at a state with this part in view; `None` when it is not as the index noted it.
    ///
    /// `commit` is what its last commit must be; `None` where that is known.
    pub(super) fn read(
        &self,
        state: &Path,
        db: &sled::Db,
        facts: &Facts,
        wanted: &Wanted<'_>,
        commit: Option<u64>,
    ) -> Result<Option<Snapshot>, Error> {
        rows::protect(state, || {
            let get = |key: &[u8]| db.get(key).map_err(|error| Error::sled(state, error));
            let Some(counters) = get(keys::COUNTERS)? else { return Ok(None) };
            let counters: Counters = rows::decode(state, &counters)?;
            if commit.is_some_and(|commit| counters.commit != commit) {
                return Ok(None);
            }
            let mut gathering = Gathering::new(*wanted);
            for standing in gathering.bound.iter() {
                standing.store(true, Ordering::Relaxed);
            }
            for number in self.looked_up(wanted.roster) {
                gathering.bound[number].store(false, Ordering::Relaxed);
            }
            for row in keys::BESIDE_BINDINGS {
                for pair in db.scan_prefix(row) {
                    let (key, value) = pair.map_err(|error| Error::sled(state, error))?;
                    let row = rows::parse(state, &key)?;
                    if row != Row::Counters {
                        gathering.add(state, row, &value)?;
                    }
                }
            }
            for key in &self.keys {
                match get(&keys::binding(key))? {
                    Some(value) => gathering.add(state, Row::Binding(key.clone()), &value)?,
                    None if self.bound.binary_search(key).is_ok() => return Ok(None),
                    None => {}
                }
            }
            for id in wanted.contacts.iter() {
                let former = || keys::owner_in_capitals(&id).map_or(Ok(None), |former| get(&former));
                if let Some(owner) = get(&keys::owner(&id))?.map_or_else(former, |owner| Ok(Some(owner)))? {
                    gathering.snapshot.owners.insert(id, rows::decode(state, &owner)?);
                }
            }
            gathering.snapshot.unchanged += self.unchanged;
            Ok(Some(gathering.complete(facts, &counters)))
        })
    }
}

impl Snapshot {
    /// Returns what a state that does not exist yet reads as.
    ///
    /// The identity key is of no use: there is no tombstone to compare with.
    pub fn empty(origin: &str) -> Self {
        Self {
            lineage: Lineage(String::new()),
            serial: Serial(0),
            identity_key: IdentityKey([0; 32]),
            origin: origin.to_owned(),
            credential: None,
            team: None,
            bindings: BTreeMap::new(),
            unchanged: 0,
            unbound: Vec::new(),
            owners: BTreeMap::new(),
            intents: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            quota: BTreeMap::new(),
        }
    }
}

/// A snapshot in the making.
pub(super) struct Gathering<'a> {
    snapshot: Snapshot,
    wanted: Wanted<'a>,
    /// Which of the desired keys were found bound, by their number.
    bound: Arc<[AtomicBool]>,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(wanted: Wanted<'a>) -> Self {
        let bound = (0..wanted.roster.len()).map(|_| AtomicBool::new(false)).collect();
        Self { snapshot: Snapshot::empty(""), wanted, bound }
    }

    /// Reads all rows of a state and proves that none is missing.
    pub(super) fn read(state: &Path, db: &sled::Db, wanted: Wanted<'a>) -> Result<(Self, Counters), Error> {
        let all = Self::new(wanted);
        let part = || Self { snapshot: Snapshot::empty(""), wanted, bound: Arc::clone(&all.bound) };
        let (counters, parts) = rows::scan_in_parts(state, db, &wanted.bounds(), part, |part, key, value| {
            if part.is_quiet(key, value) { Ok(()) } else { part.add(state, rows::parse(state, key)?, value) }
        })?;
        let all = parts.into_iter().fold(all, Self::join);
        Ok((all, counters))
    }

    /// Counts a binding that is as good as all are: it stands as desired, and there is nothing to say about it.
    fn is_quiet(&mut self, key: &[u8], value: &[u8]) -> bool {
        let known = value.split_first().filter(|(format, _)| **format == codec::FORMAT);
        let Some((glance, desired)) =
            known.and_then(|(_, json)| Some((Glance::at(json)?, self.wanted.roster.find(keys::bound(key)?)?)))
        else {
            return false;
        };
        let contacts = &self.wanted.contacts;
        let is_asked_for = !contacts.is_empty() && glance.apollo_id().is_none_or(|id| contacts.contains(&id));
        let is_quiet = !is_asked_for && glance.stands_as(desired.fingerprint);
        if is_quiet {
            self.bound[desired.number].store(true, Ordering::Relaxed);
            self.snapshot.unchanged += 1;
        }
        is_quiet
    }

    /// Adds what another part of the rows held.
    fn join(mut self, other: Self) -> Self {
        let Snapshot {
            lineage: _,
            serial: _,
            identity_key: _,
            origin: _,
            credential,
            team,
            bindings,
            unchanged,
            unbound: _,
            owners,
            intents,
            conflicts,
            tombstones,
            quota,
        } = other.snapshot;
        let snapshot = &mut self.snapshot;
        snapshot.credential = snapshot.credential.take().or(credential);
        snapshot.team = snapshot.team.take().or(team);
        snapshot.unchanged += unchanged;
        snapshot.bindings.extend(bindings);
        snapshot.owners.extend(owners);
        snapshot.intents.extend(intents);
        snapshot.conflicts.extend(conflicts);
        snapshot.tombstones.extend(tombstones);
        snapshot.quota.extend(quota);
        self
    }

    /// Adds a row as it is read.
    pub(super) fn add(&mut self, state: &Path, row: Row, value: &[u8]) -> Result<(), Error> {
        let snapshot = &mut self.snapshot;
        match row {
            Row::Facts | Row::Counters | Row::Owner | Row::Plan | Row::Spent(_) | Row::Established => {}
            Row::Team => snapshot.team = Some(rows::decode(state, value)?),
            Row::Credential => snapshot.credential = Some(rows::decode(state, value)?),
            Row::Binding(key) => {
                let binding: Binding = rows::decode(state, value)?;
                if self.wanted.contacts.contains(&binding.apollo_id) {
                    snapshot.owners.insert(binding.apollo_id.clone(), key.clone());
                }
                let desired = self.wanted.roster.find(key.as_str());
                if let Some(desired) = &desired {
                    self.bound[desired.number].store(true, Ordering::Relaxed);
                }
                if binding.stands_as(desired.map(|found| found.fingerprint)) {
                    snapshot.unchanged += 1;
                } else {
                    snapshot.bindings.insert(key, binding);
                }
            }
            Row::Intent(id) => drop(snapshot.intents.insert(id, rows::decode(state, value)?)),
            Row::Conflict(key) => drop(snapshot.conflicts.insert(key, rows::decode(state, value)?)),
            Row::Tombstone(key) => drop(snapshot.tombstones.insert(key, rows::decode(state, value)?)),
            Row::Quota(endpoint) => drop(snapshot.quota.insert(endpoint, rows::decode(state, value)?)),
        }
        Ok(())
    }

    /// Completes the rows gathered with what holds for all of them.
    pub(super) fn complete(self, facts: &Facts, counters: &Counters) -> Snapshot {
        let unbound = self.bound.iter().enumerate().filter(|(_, bound)| !bound.load(Ordering::Relaxed));
        let mut unbound: Vec<ContactKey> = unbound.map(|(number, _)| self.wanted.roster.key(number)).collect();
        unbound.sort_unstable();
        Snapshot {
            unbound,
            lineage: facts.lineage.clone(),
            serial: counters.serial,
            identity_key: facts.identity_key,
            origin: facts.origin.clone(),
            ..self.snapshot
        }
    }
}
