//! A new state from rows that come one after the other: sled, copy and head in `incoming/`, durable and proven whole.
//!
//! Nothing of the state beside it has changed then. Batches and memory do not grow with the state.

use super::barrier::Barrier;
use super::copy;
use super::guard::open_sled;
use super::head::HeadFile;
use super::place::INCOMING;
use super::rows::SledRows;
use crate::failpoints::{Step, reached};
use crate::model::{ApolloId, Binding};
use crate::private_dir::PrivateDir;
use crate::state::{CopyWriter, Counters, Error, Facts, MAX_BATCH_ROWS, Row, Rows, Writes, decode, encode};

/// Makes a new state in `incoming/`, durable and closed; `begin` is its counters without any rows.
pub(super) fn make(
    state: &PrivateDir,
    facts: &Facts,
    begin: Counters,
    rows: impl FnOnce(&mut Load<'_, '_>) -> Result<(), Error>,
) -> Result<Counters, Error> {
    let place = &state.path().join(INCOMING);
    let step = |step: &'static str| move |error| Error::io(step, place, error);
    state.remove_tree(INCOMING).map_err(step("clear"))?;
    let incoming = PrivateDir::make(place)?;
    let db = open_sled(place)?;
    let counters = copy::make(&incoming, facts, &begin.clone(), |copy| {
        let mut load = Load { db: &db, copy, counters: begin, pending: Writes::new() };
        load.write(Row::Facts, encode(facts))?;
        rows(&mut load)?;
        load.end()
    })?;
    let mut barrier = Barrier::new(&incoming)?;
    barrier.pass(&db.db).map_err(step("sync"))?;
    // Read back as every opening reads it, while nothing is lost yet.
    db.verify()?;
    drop(barrier);
    db.close()?;
    let mut head = HeadFile::create(&incoming, facts.lineage.clone()).map_err(step("create the head of"))?;
    head.advance(counters.commit, counters.serial, counters.totals.bindings).map_err(step("write the head of"))?;
    incoming.sync().map_err(step("sync"))?;
    state.sync().map_err(step("sync"))?;
    reached(Step::PushLoaded);
    Ok(counters)
}

/// A new state while its rows come in.
pub(super) struct Load<'a, 'c> {
    db: &'a SledRows,
    copy: &'a mut CopyWriter<'c>,
    counters: Counters,
    pending: Writes,
}

impl Load<'_, '_> {
    /// Takes a row, and writes those that follow from it.
    ///
    /// Returns the contact of a binding that belongs to another key already; nothing of it was taken then.
    pub(super) fn take(&mut self, row: Row, value: Vec<u8>) -> Result<Option<ApolloId>, Error> {
        match &row {
            Row::Binding(contact) => {
                let binding: Binding = decode(&self.db.state, &value)?;
                let owner = Row::owner(&binding.apollo_id);
                if self.pending.contains_key(&owner) || self.db.protect(|db| db.get(&owner))?.is_some() {
                    return Ok(Some(binding.apollo_id));
                }
                self.write(owner, encode(contact))?;
            }
            Row::Intent(id) => self.counters.last_intent = self.counters.last_intent.max(id.0),
            _ => {}
        }
        self.copy.row(&row, &value)?;
        self.write(row, value)?;
        Ok(None)
    }

    /// Writes what is left, with the counters at the very end.
    fn end(mut self) -> Result<Counters, Error> {
        self.pending.insert(Row::Counters, Some(encode(&self.counters)));
        self.apply()?;
        Ok(self.counters)
    }

    fn write(&mut self, row: Row, value: Vec<u8>) -> Result<(), Error> {
        self.counters.totals.add(&row.to_bytes(), &value);
        self.pending.insert(row, Some(value));
        if self.pending.len() < MAX_BATCH_ROWS - 1 { Ok(()) } else { self.apply() }
    }

    fn apply(&mut self) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.pending);
        self.db.protect(|db| db.apply(rows).map_err(|error| db.failed(error)))
    }
}
