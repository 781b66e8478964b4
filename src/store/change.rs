//! What callers can change, and the rows that each change writes.
//!
//! Keeps the reverse index and the serial right. Never writes; it drafts what the writer applies.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec;
use super::error::Error;
use super::keys::{self, Row};
use super::rows::{self, Counters};
use super::spent::PlanRow;
use crate::model::{
    ApolloId, Binding, Conflict, ContactKey, Digest, Endpoint, Fields, Intent, IntentId, Serial, Timestamp, Tombstone,
};

/// One change. Those of one commit apply in order, and all of them or none.
///
/// Dropping, removing or renaming what is not there changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Binds a key, or replaces its binding. The contact must not belong to another key.
    PutBinding {
        key: ContactKey,
        binding: Box<Binding>,
    },
    /// Removes the binding and remembers that it was.
    Forget {
        key: ContactKey,
        tombstone: Tombstone,
    },
    /// Removes the binding without a memory.
    RemoveBinding {
        key: ContactKey,
    },
    /// Moves binding, conflict and intents to another key, which must not be bound.
    Rename {
        from: ContactKey,
        to: ContactKey,
    },
    /// Writes an intent, or replaces it.
    PutIntent {
        id: IntentId,
        intent: Box<Intent>,
    },
    DropIntent {
        id: IntentId,
    },
    PutConflict(Conflict),
    DropConflict {
        key: ContactKey,
    },
    DropTombstone {
        key: ContactKey,
    },
    /// Replaces the quota ledger of an endpoint; the text is the caller's.
    PutQuota {
        endpoint: Endpoint,
        ledger: String,
    },
    /// Replaces the keyed hash of the credential; the text is the caller's.
    PutCredential(String),
    /// Notes the team whose contacts these are, by Apollo's id of it.
    PutTeam(String),
    /// Notes that a saved plan is applied from here on, until this store closes or another begins.
    BeginPlan(Digest),
    /// Forgets the saved plan that was applied last: another apply comes after it.
    EndPlan,
    /// Notes that the action of a key is done and must not be done again under this plan.
    SpendAction {
        plan: Digest,
        key: ContactKey,
    },
    DropSpent {
        key: ContactKey,
    },
}

impl Change {
    pub(super) fn intent_written(&self) -> Option<IntentId> {
        match self {
            Self::PutIntent { id, .. } => Some(*id),
            _ => None,
        }
    }
}

/// Rows to write: a value, or `None` to remove.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Rows as they will be: sled's, with what is about to be applied on top.
pub(super) struct View<'a> {
    pub(super) state: &'a Path,
    pub(super) db: &'a sled::Db,
    pub(super) pending: &'a Writes,
}

/// What one commit will write; drops without a trace when a change of it is refused.
pub(super) struct Draft<'a> {
    view: View<'a>,
    /// Rows of the view that were looked up, each once.
    seen: HashMap<Vec<u8>, Option<Vec<u8>>>,
    writes: Writes,
    /// Whether anything changed that makes a plan stale.
    managed: bool,
    last_intent: u64,
    /// The saved plan being applied.
    plan: Option<Digest>,
    /// The serial before this commit.
    serial: Serial,
}

/// What a draft comes to.
pub(super) struct Drafted {
    pub(super) writes: Writes,
    /// As they are once the rows are written, but for the commit.
    pub(super) counters: Counters,
    pub(super) plan: Option<Digest>,
}

impl View<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if let Some(pending) = self.pending.get(key) {
            return Ok(pending.clone());
        }
        let found = self.db.get(key).map_err(|error| Error::sled(self.state, error))?;
        Ok(found.map(|value| value.to_vec()))
    }
}

impl<'a> Draft<'a> {
    /// Drafts `changes` on top of `view`, while `plan` is applied; `counters` are those the view has.
    pub(super) fn of(
        view: View<'a>,
        counters: &Counters,
        plan: Option<Digest>,
        changes: Vec<Change>,
    ) -> Result<Self, Error> {
        let Counters { last_intent, serial, .. } = *counters;
        let (seen, writes) = (HashMap::new(), Writes::new());
        let mut draft = Self { view, seen, writes, managed: false, last_intent, plan, serial };
        for change in changes {
            draft.change(change)?;
        }
        Ok(draft)
    }

    /// Returns the rows to write, and the counters once they are written but for the commit.
    pub(super) fn finish(mut self, mut counters: Counters) -> Result<Drafted, Error> {
        if self.managed {
            counters.serial = Serial(counters.serial.0 + 1);
            if let Some(digest) = self.plan.clone() {
                self.put(keys::PLAN.to_vec(), &PlanRow { digest, serial: counters.serial })?;
            }
        }
        for (key, value) in &self.writes {
            let old = self.seen.get(key).expect("a row is looked at before it is written");
            if let Some(old) = old {
                counters.totals.remove(key, old);
            }
            if let Some(value) = value {
                counters.totals.add(key, value);
            }
        }
        counters.last_intent = self.last_intent;
        Ok(Drafted { writes: self.writes, counters, plan: self.plan })
    }

    fn change(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::PutBinding { key, binding } => self.put_binding(&key, &binding),
            Change::RemoveBinding { key } => self.remove_binding(&key),
            Change::Forget { key, tombstone } => {
                self.remove_binding(&key)?;
                self.managed |= self.put(keys::tombstone(&key), &tombstone)?;
                Ok(())
            }
            Change::Rename { from, to } => self.rename(&from, &to),
            Change::PutIntent { id, intent } => {
                self.last_intent = self.last_intent.max(id.0);
                self.put(keys::intent(id), &intent).map(drop)
            }
            Change::DropIntent { id } => self.remove(keys::intent(id)).map(drop),
            Change::PutConflict(conflict) => self.put(keys::conflict(&conflict.key), &conflict).map(drop),
            Change::DropConflict { key } => self.remove(keys::conflict(&key)).map(drop),
            Change::DropTombstone { key } => {
                self.managed |= self.remove(keys::tombstone(&key))?;
                Ok(())
            }
            Change::PutQuota { endpoint, ledger } => self.put(keys::quota(endpoint), &ledger).map(drop),
            Change::PutCredential(hash) => self.put(keys::CREDENTIAL.to_vec(), &hash).map(drop),
            Change::PutTeam(team) => self.put(keys::TEAM.to_vec(), &team).map(drop),
            Change::BeginPlan(digest) => {
                self.plan = Some(digest.clone());
                self.put(keys::PLAN.to_vec(), &PlanRow { digest, serial: self.serial }).map(drop)
            }
            Change::EndPlan => {
                self.plan = None;
                self.remove(keys::PLAN.to_vec()).map(drop)
            }
            Change::SpendAction { plan, key } => self.put(keys::spent(&key), &plan).map(drop),
            Change::DropSpent { key } => self.remove(keys::spent(&key)).map(drop),
        }
    }

    fn put_binding(&mut self, key: &ContactKey, binding: &Binding) -> Result<(), Error> {
        let id = &binding.apollo_id;
        if let Some(owner) = self.owner(id)?
            && owner != *key
        {
            return Err(Error::IdTaken { id: id.clone(), key: key.clone(), owner });
        }
        let old: Option<Binding> = self.read(&keys::binding(key))?;
        if let Some(old) = old.as_ref().filter(|old| old.apollo_id != *id) {
            self.remove_owner(&old.apollo_id)?;
        }
        self.managed |= old.is_none_or(|old| managed_part(&old) != managed_part(binding));
        self.put(keys::owner(id), key)?;
        self.put(keys::binding(key), binding).map(drop)
    }

    fn remove_binding(&mut self, key: &ContactKey) -> Result<(), Error> {
        if let Some(old) = self.read::<Binding>(&keys::binding(key))? {
            self.remove_owner(&old.apollo_id)?;
            self.remove(keys::binding(key))?;
            self.managed = true;
        }
        Ok(())
    }

    fn owner(&mut self, id: &ApolloId) -> Result<Option<ContactKey>, Error> {
        let owner = self.read(&keys::owner(id))?;
        match keys::owner_in_capitals(id) {
            Some(former) if owner.is_none() => self.read(&former),
            _ => Ok(owner),
        }
    }

    fn remove_owner(&mut self, id: &ApolloId) -> Result<(), Error> {
        self.remove(keys::owner(id))?;
        if let Some(former) = keys::owner_in_capitals(id)
            && self.read::<ContactKey>(&former)?.is_some()
        {
            self.remove(former)?;
        }
        Ok(())
    }

    fn rename(&mut self, from: &ContactKey, to: &ContactKey) -> Result<(), Error> {
        if from == to {
            return Ok(());
        }
        if let Some(binding) = self.read::<Binding>(&keys::binding(from))? {
            if let Some(there) = self.read::<Binding>(&keys::binding(to))? {
                return Err(Error::KeyTaken { from: from.clone(), to: to.clone(), id: there.apollo_id });
            }
            self.remove_binding(from)?;
            self.put_binding(to, &binding)?;
        }
        if let Some(conflict) = self.read::<Conflict>(&keys::conflict(from))? {
            self.remove(keys::conflict(from))?;
            self.put(keys::conflict(to), &Conflict { key: to.clone(), ..conflict })?;
            self.managed = true;
        }
        for (row, intent) in self.intents_of(from)? {
            self.put(row, &Intent { key: to.clone(), ..intent })?;
            self.managed = true;
        }
        Ok(())
    }

    /// Finds the open intents of a key; few are open at any time, so all are looked through.
    fn intents_of(&mut self, key: &ContactKey) -> Result<Vec<(Vec<u8>, Intent)>, Error> {
        let mut rows: Vec<Vec<u8>> = self.view.pending.keys().chain(self.writes.keys()).cloned().collect();
        for row in self.view.db.scan_prefix(keys::INTENTS).keys() {
            rows.push(row.map_err(|error| Error::sled(self.view.state, error))?.to_vec());
        }
        rows.retain(|row| matches!(Row::parse(row), Some(Row::Intent(_))));
        rows.sort();
        rows.dedup();
        let mut found = Vec::new();
        for row in rows {
            if let Some(intent) = self.read::<Intent>(&row)?.filter(|intent| intent.key == *key) {
                found.push((row, intent));
            }
        }
        Ok(found)
    }

    /// Returns a row as it is drafted, or as the view has it.
    fn get(&mut self, key: &[u8]) -> Result<Option<&[u8]>, Error> {
        if let Some(drafted) = self.writes.get(key) {
            return Ok(drafted.as_deref());
        }
        if !self.seen.contains_key(key) {
            self.seen.insert(key.to_owned(), self.view.get(key)?);
        }
        Ok(self.seen[key].as_deref())
    }

    fn read<T: DeserializeOwned>(&mut self, key: &[u8]) -> Result<Option<T>, Error> {
        let state = self.view.state;
        self.get(key)?.map(|value| rows::decode(state, value)).transpose()
    }

    /// Drafts a value; reports whether it differs from what is there.
    fn put<T: Serialize>(&mut self, key: Vec<u8>, value: &T) -> Result<bool, Error> {
        self.write(key, Some(codec::encode(value)))
    }

    fn remove(&mut self, key: Vec<u8>) -> Result<bool, Error> {
        self.write(key, None)
    }

    fn write(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<bool, Error> {
        let differs = self.get(&key)? != value.as_deref();
        if differs {
            self.writes.insert(key, value);
        }
        Ok(differs)
    }
}

/// The parts of a binding that a plan stands on; when they move, the serial does.
fn managed_part(binding: &Binding) -> (&ApolloId, &Fields, &BTreeSet<String>, Option<Timestamp>) {
    (&binding.apollo_id, &binding.applied, &binding.possible_lists, binding.gone_at)
}
