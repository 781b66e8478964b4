//! A new state from rows that come one after the other: sled, copy and head in `incoming/`, durable and proven whole.
//!
//! Nothing of the state beside it has changed then. Batches do not grow with the state, and memory by some
//! twenty bytes a contact. In a database the rows come in under another name.

use std::collections::HashSet;

use serde::Deserialize;

use super::barrier::Barrier;
use super::copy;
use super::guard::open_sled;
use super::head::HeadFile;
use super::place::INCOMING;
use super::postgres::SharedRows;
use super::rows::SledRows;
use crate::failpoints::{Step, reached};
use crate::model::{ApolloId, ContactKey};
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

/// How much of the hash of an id is kept, in bytes.
const HASH_BYTES: usize = 10;

/// How many rows of the reverse index are written at a time, in their order: one by one, as the keys come, each would
/// be looked for on another page.
const OWNERS_AT_A_TIME: usize = if cfg!(test) { 50 } else { 20_000 };

/// A new state while its rows come in.
pub(super) struct Load<'a, 'c> {
    target: Target<'a, 'c>,
    counters: Counters,
    pending: Writes,
    /// Hashes of the contacts that belong to a key: asking the rows for each would take longer than all else.
    owned: HashSet<[u8; HASH_BYTES]>,
    /// The rows of the reverse index that are not written yet.
    owners: Vec<(ApolloId, ContactKey)>,
}

/// What counts of a binding while it is on its way.
#[derive(Deserialize)]
struct Bound {
    apollo_id: ApolloId,
}

impl<'a, 'c> Load<'a, 'c> {
    fn into(target: Target<'a, 'c>, counters: Counters) -> Self {
        Self { target, counters, pending: Writes::new(), owned: HashSet::new(), owners: Vec::new() }
    }

    /// Writes the facts, what `rows` hands over, and the counters at the very end.
    fn all(mut self, facts: &Facts, rows: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<Counters, Error> {
        self.write(Row::Facts, encode(facts))?;
        rows(&mut self)?;
        self.write_owners()?;
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
                let Bound { apollo_id } = decode(self.location(), &value)?;
                if !self.owned.insert(hash(&apollo_id)) {
                    return Ok(Some(apollo_id));
                }
                self.owners.push((apollo_id, contact.clone()));
                if self.owners.len() == OWNERS_AT_A_TIME {
                    self.write_owners()?;
                }
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

    fn write_owners(&mut self) -> Result<(), Error> {
        let mut owners = std::mem::take(&mut self.owners);
        owners.sort_unstable();
        for (id, contact) in owners.drain(..) {
            self.write(Row::owner(&id), encode(&contact))?;
        }
        // Its room is used again.
        self.owners = owners;
        Ok(())
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

/// Hashes the id of a contact, so that two of them never meet.
fn hash(id: &ApolloId) -> [u8; HASH_BYTES] {
    *blake3::hash(id.as_str().as_bytes()).as_bytes().first_chunk().expect("a hash has 32 bytes")
}
