//! A copy of what a plan needs from the state, taken at one serial.
//!
//! Bindings that stand as desired are counted, not copied, so that memory follows what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::keys::Row;
use super::rows::{self, Counters, Facts};
use crate::model::{
    ApolloId, Binding, Conflict, ContactKey, Endpoint, Field, Fingerprint, IdentityKey, Intent, IntentId, Lineage,
    Serial, Timestamp, Tombstone,
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
    /// Whether an apply has ever done everything it planned; until then, contacts of a state that was lost may
    /// still have to be found.
    pub established: bool,
    /// The bindings that do not stand exactly as desired, or that there is something to say about.
    pub bindings: BTreeMap<ContactKey, Binding>,
    /// The keys whose bindings stand as desired and were left out.
    pub unchanged: BTreeSet<ContactKey>,
    /// The keys that own the contacts asked for, left out or not.
    pub owners: BTreeMap<ApolloId, ContactKey>,
    pub intents: BTreeMap<IntentId, Intent>,
    pub conflicts: BTreeMap<ContactKey, Conflict>,
    pub tombstones: BTreeMap<ContactKey, Tombstone>,
    /// Quota ledgers, as the caller wrote them.
    pub quota: BTreeMap<Endpoint, String>,
}

/// What a snapshot is wanted for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Tells the fingerprint of the entry that a key has in the files; `None` when it has none.
    fingerprint: &'a dyn Fn(&ContactKey) -> Option<Fingerprint>,
    /// Contacts whose owners are asked for.
    contacts: &'a BTreeSet<ApolloId>,
}

impl<'a> Wanted<'a> {
    pub fn new(fingerprint: &'a dyn Fn(&ContactKey) -> Option<Fingerprint>, contacts: &'a BTreeSet<ApolloId>) -> Self {
        Self { fingerprint, contacts }
    }

    /// Wants every binding, as if nothing was declared.
    pub fn everything() -> Self {
        static NONE: BTreeSet<ApolloId> = BTreeSet::new();
        Self { fingerprint: &|_| None, contacts: &NONE }
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
            established: false,
            bindings: BTreeMap::new(),
            unchanged: BTreeSet::new(),
            owners: BTreeMap::new(),
            intents: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            quota: BTreeMap::new(),
        }
    }

    /// Adds a row as it is read.
    pub(super) fn gather(&mut self, state: &Path, row: Row, value: &[u8], wanted: &Wanted<'_>) -> Result<(), Error> {
        match row {
            Row::Facts | Row::Counters | Row::Owner => {}
            Row::Established => self.established = true,
            Row::Credential => self.credential = Some(rows::decode(state, value)?),
            Row::Binding(key) => {
                let glance: Glance = rows::decode(state, value)?;
                if wanted.contacts.contains(&glance.apollo_id) {
                    self.owners.insert(glance.apollo_id, key.clone());
                }
                let desired = (wanted.fingerprint)(&key);
                let quiet = glance.gone_at.is_none() && glance.dropped.is_empty();
                if quiet && glance.fingerprint.is_some() && glance.fingerprint == desired {
                    self.unchanged.insert(key);
                } else {
                    self.bindings.insert(key, rows::decode(state, value)?);
                }
            }
            Row::Intent(id) => drop(self.intents.insert(id, rows::decode(state, value)?)),
            Row::Conflict(key) => drop(self.conflicts.insert(key, rows::decode(state, value)?)),
            Row::Tombstone(key) => drop(self.tombstones.insert(key, rows::decode(state, value)?)),
            Row::Quota(endpoint) => drop(self.quota.insert(endpoint, rows::decode(state, value)?)),
        }
        Ok(())
    }

    /// Completes the rows gathered with what holds for all of them.
    pub(super) fn complete(self, facts: &Facts, counters: &Counters) -> Self {
        Self {
            lineage: facts.lineage.clone(),
            serial: counters.serial,
            identity_key: facts.identity_key,
            origin: facts.origin.clone(),
            ..self
        }
    }
}

/// The part of a binding that tells whether it stands as desired; the rest is skipped unread.
#[derive(Deserialize)]
struct Glance {
    apollo_id: ApolloId,
    fingerprint: Option<Fingerprint>,
    gone_at: Option<Timestamp>,
    #[serde(default)]
    dropped: BTreeSet<Field>,
}
