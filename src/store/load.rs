//! A new state from rows that come one after the other: sled, copy and head in `incoming/`, durable and proven whole.
//!
//! Nothing of the state beside it has changed then. Batches and memory do not grow with the state. In a database the
//! rows come in under another name.

use std::collections::HashSet;

use super::barrier::Barrier;
use super::copy;
use super::guard::open_sled;
use super::head::HeadFile;
use super::place::INCOMING;
use super::postgres::SharedRows;
use super::rows::SledRows;
use crate::failpoints::{Step, reached};
use crate::model::{ApolloId, Binding};
use crate::private_dir::PrivateDir;
use crate::state::{CopyWriter, Counters, Error, Facts, Location, MAX_BATCH_ROWS, Row, Rows, Writes, decode, encode};

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
        Load::into(Target::Directory { db: &db, copy }, begin).all(facts, rows)
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

/// Makes a new state in a database, under the name of one that is being pushed.
pub(super) fn make_in(
    database: &SharedRows,
    facts: &Facts,
    begin: Counters,
    rows: impl FnOnce(&mut Load<'_, '_>) -> Result<(), Error>,
) -> Result<Counters, Error> {
    database.begin_push()?;
    Load::into(Target::Database(database), begin).all(facts, rows)
}

/// Where the rows of a new state go.
enum Target<'a, 'c> {
    Directory { db: &'a SledRows, copy: &'a mut CopyWriter<'c> },
    Database(&'a SharedRows),
}

/// Most rows of one transaction of a database.
const ROWS_PER_TRANSACTION: usize = 5_000;

/// A new state while its rows come in.
pub(super) struct Load<'a, 'c> {
    target: Target<'a, 'c>,
    counters: Counters,
    pending: Writes,
    /// The contacts that a database was given: asking it for each would take longer than all else.
    owned: HashSet<ApolloId>,
}

impl<'a, 'c> Load<'a, 'c> {
    fn into(target: Target<'a, 'c>, counters: Counters) -> Self {
        Self { target, counters, pending: Writes::new(), owned: HashSet::new() }
    }

    /// Writes the facts, what `rows` hands over, and the counters at the very end.
    fn all(mut self, facts: &Facts, rows: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<Counters, Error> {
        self.write(Row::Facts, encode(facts))?;
        rows(&mut self)?;
        self.pending.insert(Row::Counters, Some(encode(&self.counters)));
        self.apply()?;
        Ok(self.counters)
    }

    /// Takes a row, and writes those that follow from it.
    ///
    /// Returns the contact of a binding that belongs to another key already; nothing of it was taken then.
    pub(super) fn take(&mut self, row: Row, value: Vec<u8>) -> Result<Option<ApolloId>, Error> {
        match &row {
            Row::Binding(contact) => {
                let binding: Binding = decode(self.location(), &value)?;
                let owner = Row::owner(&binding.apollo_id);
                let is_owned = match self.target {
                    Target::Directory { db, .. } => {
                        self.pending.contains_key(&owner) || db.protect(|db| db.get(&owner))?.is_some()
                    }
                    Target::Database(_) => !self.owned.insert(binding.apollo_id.clone()),
                };
                if is_owned {
                    return Ok(Some(binding.apollo_id));
                }
                self.write(owner, encode(contact))?;
            }
            Row::Intent(id) => self.counters.last_intent = self.counters.last_intent.max(id.0),
            _ => {}
        }
        if let Target::Directory { copy, .. } = &mut self.target {
            copy.row(&row, &value)?;
        }
        self.write(row, value)?;
        Ok(None)
    }

    fn write(&mut self, row: Row, value: Vec<u8>) -> Result<(), Error> {
        self.counters.totals.add(&row.to_bytes(), &value);
        self.pending.insert(row, Some(value));
        let most = match self.target {
            Target::Directory { .. } => MAX_BATCH_ROWS,
            Target::Database(_) => ROWS_PER_TRANSACTION,
        };
        if self.pending.len() < most - 1 { Ok(()) } else { self.apply() }
    }

    fn apply(&mut self) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.pending);
        match self.target {
            Target::Directory { db, .. } => db.protect(|db| db.apply(rows).map_err(|error| db.failed(error))),
            Target::Database(database) => database.push(&rows),
        }
    }

    fn location(&self) -> &Location {
        match self.target {
            Target::Directory { db, .. } => db.location(),
            Target::Database(rows) => rows.location(),
        }
    }
}
