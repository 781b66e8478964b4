//! The rows that the changes of a commit write.
//!
//! Keeps the reverse index and the serial right. Never writes; it drafts what an engine writes.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::change::Change;
use super::codec;
use super::counters::Counters;
use super::engine::Rows;
use super::error::Error;
use super::lookup::PlanRow;
use super::row::{Row, Table, Writes};
use crate::model::{
    ApolloId, Binding, Conflict, ContactKey, Digest, Fields, Intent, NameKind, Names, Serial, Timestamp,
};

/// Most rows of one batch, the counters row included.
///
/// A batch of 1,000 took sled 15 GiB at a million rows; up to 200 stayed below 100 MiB.
pub(crate) const MAX_BATCH_ROWS: usize = 100;

/// Most rows of one commit, so that it fits a batch and is atomic.
const MAX_COMMIT_ROWS: usize = MAX_BATCH_ROWS - 1;

/// Commits that were drafted and not yet written.
#[derive(Debug)]
pub(crate) struct Drafts {
    /// As they stand with `pending` written, but for the number of the batch.
    counters: Counters,
    pending: Writes,
    /// The saved plan being applied, whose row follows every write that moves the serial.
    plan: Option<Digest>,
}

/// What one commit will write.
pub(crate) struct Drafted {
    writes: Writes,
    counters: Counters,
    plan: Option<Digest>,
}

impl Drafts {
    /// Drafts what is to follow on a state with these counters.
    pub(crate) fn after(counters: Counters) -> Self {
        Self { counters, pending: Writes::new(), plan: None }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Drafts a commit on top of `rows` and of what is pending. A refusal leaves no trace.
    pub(crate) fn draft(&self, rows: &impl Rows, changes: Vec<Change>) -> Result<Drafted, Error> {
        let Counters { last_intent, serial, .. } = self.counters;
        let (seen, writes, plan) = (Writes::new(), Writes::new(), self.plan.clone());
        let mut draft = Draft { rows, pending: &self.pending, seen, writes, managed: false, last_intent, plan, serial };
        for change in changes {
            draft.change(change)?;
        }
        let drafted = draft.finish(self.counters.clone())?;
        let rows = drafted.writes.len();
        if rows > MAX_COMMIT_ROWS { Err(Error::TooManyRows { rows, limit: MAX_COMMIT_ROWS }) } else { Ok(drafted) }
    }

    /// Reports whether a commit fits the batch at hand, which must be written before it otherwise.
    pub(crate) fn have_room_for(&self, drafted: &Drafted) -> bool {
        let added = drafted.writes.keys().filter(|row| !self.pending.contains_key(*row)).count();
        self.pending.len() + added <= MAX_COMMIT_ROWS
    }

    /// Adds a commit to the batch at hand; returns the serial it will have.
    pub(crate) fn add(&mut self, drafted: Drafted) -> Serial {
        self.pending.extend(drafted.writes);
        self.plan = drafted.plan;
        // The commit counter counts batches: it moves when one is taken.
        self.counters = Counters { commit: self.counters.commit, ..drafted.counters };
        self.counters.serial
    }

    /// Takes the batch at hand, with the counters as they are after it; `None` when nothing is pending.
    pub(crate) fn take_batch(&mut self) -> Option<Writes> {
        if self.pending.is_empty() {
            return None;
        }
        self.counters.commit += 1;
        let mut batch = std::mem::take(&mut self.pending);
        batch.insert(Row::Counters, Some(codec::encode(&self.counters)));
        Some(batch)
    }
}

/// One commit while it is drafted.
struct Draft<'a, R> {
    rows: &'a R,
    /// What is about to be written on top of `rows`.
    pending: &'a Writes,
    /// Rows that were looked up, each once.
    seen: Writes,
    writes: Writes,
    /// Whether anything changed that makes a plan stale.
    managed: bool,
    last_intent: u64,
    /// The saved plan being applied.
    plan: Option<Digest>,
    /// The serial before this commit.
    serial: Serial,
}

impl<R: Rows> Draft<'_, R> {
    /// Returns the rows to write, and the counters once they are written but for the commit.
    fn finish(mut self, mut counters: Counters) -> Result<Drafted, Error> {
        if self.managed {
            counters.serial = Serial(counters.serial.0 + 1);
            if let Some(digest) = self.plan.clone() {
                self.put(Row::Plan, &PlanRow { digest, serial: counters.serial })?;
            }
        }
        for (row, value) in &self.writes {
            let old = self.seen.get(row).expect("a row is looked at before it is written");
            counters.totals.replace(row, old.as_deref(), value.as_deref());
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
                self.managed |= self.put(Row::Tombstone(key), &tombstone)?;
                Ok(())
            }
            Change::Rename { from, to } => self.rename(&from, &to),
            Change::PutIntent { id, intent } => {
                self.last_intent = self.last_intent.max(id.0);
                self.put(Row::Intent(id), &intent).map(drop)
            }
            Change::DropIntent { id } => self.remove(Row::Intent(id)).map(drop),
            Change::PutConflict(conflict) => self.put(Row::Conflict(conflict.key.clone()), &conflict).map(drop),
            Change::DropConflict { key } => self.remove(Row::Conflict(key)).map(drop),
            Change::DropTombstone { key } => {
                self.managed |= self.remove(Row::Tombstone(key))?;
                Ok(())
            }
            Change::PutQuota { endpoint, ledger } => self.put(Row::Quota(endpoint), &ledger).map(drop),
            Change::PutAccount { part, text: Some(text) } => self.put(Row::Account(part), &text).map(drop),
            Change::PutAccount { part, text: None } => self.remove(Row::Account(part)).map(drop),
            Change::PutCredential(hash) => self.put(Row::Credential, &hash).map(drop),
            Change::PutTeam(team) => self.put(Row::Team, &team).map(drop),
            Change::PutBulkCreate(known) => self.put(Row::BulkCreate, &known).map(drop),
            Change::PutNames(Names { stages, fields, lists }) => {
                stages.map(|listing| self.put(Row::Names(NameKind::Stages), &listing)).transpose()?;
                fields.map(|listing| self.put(Row::Names(NameKind::Fields), &listing)).transpose()?;
                lists.map(|listing| self.put(Row::Names(NameKind::Lists), &listing)).transpose().map(drop)
            }
            Change::BeginPlan(digest) => {
                self.plan = Some(digest.clone());
                self.put(Row::Plan, &PlanRow { digest, serial: self.serial }).map(drop)
            }
            Change::EndPlan => {
                self.plan = None;
                self.remove(Row::Plan).map(drop)
            }
            Change::SpendAction { plan, key } => self.put(Row::Spent(key), &plan).map(drop),
            Change::DropSpent { key } => self.remove(Row::Spent(key)).map(drop),
        }
    }

    fn put_binding(&mut self, key: &ContactKey, binding: &Binding) -> Result<(), Error> {
        let id = &binding.apollo_id;
        if let Some(owner) = self.owner(id)?
            && owner != *key
        {
            return Err(Error::IdTaken { id: id.clone(), key: key.clone(), owner });
        }
        let old: Option<Binding> = self.read(&Row::Binding(key.clone()))?;
        if let Some(old) = old.as_ref().filter(|old| old.apollo_id != *id) {
            self.remove_owner(&old.apollo_id)?;
        }
        self.managed |= old.is_none_or(|old| managed_part(&old) != managed_part(binding));
        self.put(Row::owner(id), key)?;
        self.put(Row::Binding(key.clone()), binding).map(drop)
    }

    fn remove_binding(&mut self, key: &ContactKey) -> Result<(), Error> {
        let row = Row::Binding(key.clone());
        if let Some(old) = self.read::<Binding>(&row)? {
            self.remove_owner(&old.apollo_id)?;
            self.remove(row)?;
            self.managed = true;
        }
        Ok(())
    }

    fn owner(&mut self, id: &ApolloId) -> Result<Option<ContactKey>, Error> {
        let owner = self.read(&Row::owner(id))?;
        match Row::owner_in_capitals(id) {
            Some(former) if owner.is_none() => self.read(&former),
            _ => Ok(owner),
        }
    }

    fn remove_owner(&mut self, id: &ApolloId) -> Result<(), Error> {
        self.remove(Row::owner(id))?;
        if let Some(former) = Row::owner_in_capitals(id)
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
        if let Some(binding) = self.read::<Binding>(&Row::Binding(from.clone()))? {
            if let Some(there) = self.read::<Binding>(&Row::Binding(to.clone()))? {
                return Err(Error::KeyTaken { from: from.clone(), to: to.clone(), id: there.apollo_id });
            }
            self.remove_binding(from)?;
            self.put_binding(to, &binding)?;
        }
        if let Some(conflict) = self.read::<Conflict>(&Row::Conflict(from.clone()))? {
            self.remove(Row::Conflict(from.clone()))?;
            self.put(Row::Conflict(to.clone()), &Conflict { key: to.clone(), ..conflict })?;
            self.managed = true;
        }
        for (row, intent) in self.intents_of(from)? {
            self.put(row, &Intent { key: to.clone(), ..intent })?;
            self.managed = true;
        }
        Ok(())
    }

    /// Finds the open intents of a key; few are open at any time, so all are looked through.
    fn intents_of(&mut self, key: &ContactKey) -> Result<Vec<(Row, Intent)>, Error> {
        let drafted = self.pending.keys().chain(self.writes.keys()).filter(|row| row.table() == Table::Intents);
        let mut rows: BTreeSet<Row> = drafted.cloned().collect();
        for row in self.rows.table(Table::Intents) {
            rows.insert(row?.0);
        }
        let mut found = Vec::new();
        for row in rows {
            if let Some(intent) = self.read::<Intent>(&row)?.filter(|intent| intent.key == *key) {
                found.push((row, intent));
            }
        }
        Ok(found)
    }

    /// Returns a row as it is drafted, as it is pending, or as it was written.
    fn get(&mut self, row: &Row) -> Result<Option<&[u8]>, Error> {
        if let Some(drafted) = self.writes.get(row) {
            return Ok(drafted.as_deref());
        }
        if !self.seen.contains_key(row) {
            let value = self.pending.get(row).cloned().map_or_else(|| self.rows.get(row), Ok)?;
            self.seen.insert(row.clone(), value);
        }
        Ok(self.seen[row].as_deref())
    }

    fn read<T: DeserializeOwned>(&mut self, row: &Row) -> Result<Option<T>, Error> {
        let state = self.rows.location();
        self.get(row)?.map(|value| codec::decode(state, value)).transpose()
    }

    /// Drafts a value; reports whether it differs from what is there.
    fn put<T: Serialize>(&mut self, row: Row, value: &T) -> Result<bool, Error> {
        self.write(row, Some(codec::encode(value)))
    }

    fn remove(&mut self, row: Row) -> Result<bool, Error> {
        self.write(row, None)
    }

    fn write(&mut self, row: Row, value: Option<Vec<u8>>) -> Result<bool, Error> {
        let differs = self.get(&row)? != value.as_deref();
        if differs {
            self.writes.insert(row, value);
        }
        Ok(differs)
    }
}

/// The parts of a binding that a plan stands on; when they move, the serial does.
fn managed_part(binding: &Binding) -> (&ApolloId, &Fields, &BTreeSet<String>, Option<Timestamp>) {
    (&binding.apollo_id, &binding.applied, &binding.possible_lists, binding.gone_at)
}
