//! Reading a state that no process has open for writing.
//!
//! Creates nothing where there is none, and writes nothing to one of another user's. A state that a writer has open is
//! [`Error::Locked`]. All of it blocks.

use std::io::Write;

use super::index_file::{self, Basis};
use super::open::{self, Opened, find, lock_existing};
use super::postgres::GlanceRows;
use super::{borrowed, holder};
use crate::index::StateNote;
use crate::private_dir::PrivateDir;
use crate::state::{
    CopyWriter, Counters, Error, Gathering, Header, Holder, Location, Part, Row, Rows, Snapshot, Wanted,
};

/// Copies what a plan needs; `None` when there is no state yet.
pub fn read(location: &Location, wanted: &Wanted) -> Result<Option<Snapshot>, Error> {
    Ok(read_noting(location, wanted)?.map(|(snapshot, _)| snapshot))
}

/// Copies as [`read`] does, and notes what an index of it can be renewed by.
pub fn read_noting(location: &Location, wanted: &Wanted) -> Result<Option<(Snapshot, Option<Basis>)>, Error> {
    if let Some(state) = find(location)?.filter(|state| !state.is_ours()) {
        let read = borrowed::read(&state, |copy| read_noting(copy, wanted))?;
        return Ok(read.map(|(snapshot, _)| (snapshot, None)));
    }
    let Some((state, lock)) = lock_existing(location)? else { return Ok(None) };
    let gathering = Gathering::new(wanted.clone());
    let (opened, ()) = open::open(&state, lock, |_, db| {
        Ok((db.scan_in_parts(&wanted.roster, |key, value| gathering.take(location, key, value))?, ()))
    })?;
    let basis = Basis::now(&state).map_err(|error| Error::io("read the mark in", state.path(), error))?;
    // A state ahead of its head says something else than its head.
    let basis = basis.filter(|basis| basis.head.commit == opened.counters.commit);
    let snapshot = gathering.complete(&opened.facts, &opened.counters);
    close(&state, opened)?;
    Ok(Some((snapshot, basis)))
}

/// Copies what a plan needs from a state in a database, as it is at one moment; tells who writes it meanwhile.
///
/// Waits for nobody; `None` when there is no state yet.
pub fn read_database(location: &Location, wanted: &Wanted) -> Result<Option<(Snapshot, Option<Holder>)>, Error> {
    let Some((rows, facts)) = GlanceRows::begin(location)? else { return Ok(None) };
    let gathering = Gathering::new(wanted.clone());
    rows.scan(|key, value| gathering.take(location, key, value))?;
    let counters = counters(&rows)?;
    Ok(Some((gathering.complete(&facts, &counters), rows.holder()?)))
}

fn counters(rows: &GlanceRows) -> Result<Counters, Error> {
    let counters = rows.read(&Row::Counters)?;
    counters.ok_or_else(|| Error::unreadable(rows.location(), "its counters are missing"))
}

/// Copies a part of a state; `None` when it does not stand as the index noted it.
pub fn read_part(
    location: &Location,
    wanted: &Wanted,
    part: &Part,
    note: &StateNote,
) -> Result<Option<(Snapshot, Basis)>, Error> {
    let Some(state) = find(location)?.filter(PrivateDir::is_ours) else { return Ok(None) };
    let _lock = open::lock(&state)?;
    if !index_file::stands_in(&state, note) {
        return Ok(None);
    }
    holder::remove(&state)?;
    let basis = Basis::now(&state).map_err(|error| Error::io("read the mark in", state.path(), error))?;
    let (facts, db) = open::open_unread(&state)?;
    let read = db.protect(|db| part.read(db, &facts, wanted, Some(note.head.commit)))?;
    db.close()?;
    index_file::vouch(&state);
    Ok(read.zip(basis))
}

/// Writes a copy of a state, row by row; returns how many rows it has, `None` when there is no state.
///
/// The copy is whole only when this returns without an error: its last line is written after all rows were
/// proven to be there. It says which API the state is of. Nothing is written of a state that a writer has open, but of
/// one in a database, which is copied as it is at one moment.
pub fn pull(location: &Location, out: &mut dyn Write) -> Result<Option<u64>, Error> {
    if let Location::Database { .. } = location {
        let Some((rows, facts)) = GlanceRows::begin(location)? else { return Ok(None) };
        let mut copy = CopyWriter::begin(location, out, &Header::of(&facts, &counters(&rows)?))?;
        rows.scan_in_order(|row, value| copy.row(row, value))?;
        return Ok(Some(copy.end()?.0));
    }
    if let Some(state) = find(location)?.filter(|state| !state.is_ours()) {
        return borrowed::read(&state, |copy| pull(copy, out));
    }
    let Some((state, lock)) = lock_existing(location)? else { return Ok(None) };
    let (opened, copy) = open::open(&state, lock, |facts, db| {
        let mut copy = CopyWriter::begin(location, out, &Header::of(facts, &db.counters()?))?;
        let counters = db.scan(|key, value| copy.row(&db.parse(key)?, value))?;
        Ok((counters, copy))
    })?;
    close(&state, opened)?;
    Ok(Some(copy.end()?.0))
}

fn close(state: &PrivateDir, opened: Opened) -> Result<(), Error> {
    let Opened { db, lock, .. } = opened;
    db.close()?;
    index_file::vouch(state);
    drop(lock);
    Ok(())
}
