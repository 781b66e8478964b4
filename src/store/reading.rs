//! Reading a state that no process has open for writing.
//!
//! Creates nothing where there is none, and writes nothing to one of another user's. A state that a writer has open is
//! [`Error::Locked`]. All of it blocks.

use std::io::{self, Write};

use super::copy::{self, Copied};
use super::index_file::{self, Basis};
use super::open::{self, find, lock_existing};
use super::opened::Opened;
use super::place::ARRIVED;
use super::postgres::{self, GlanceRows, SharedQuota};
use super::{borrowed, head, heal, holder, verdict};
use crate::index::StateNote;
use crate::model::{NameKind, Names};
use crate::private_dir::PrivateDir;
use crate::quota::pool_of;
use crate::state::{self, CopyWriter, Error, Gathering, Header, Holder, Location, Part, Row, Snapshot, Wanted};

/// Copies what a plan needs; `None` when there is no state yet.
pub fn read(location: &Location, wanted: &Wanted) -> Result<Option<Snapshot>, Error> {
    Ok(read_noting(location, wanted)?.map(|read| read.snapshot))
}

/// What was read of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub snapshot: Snapshot,
    /// What an index of the state can be renewed by.
    pub basis: Option<Basis>,
    /// Why the copy was read in the place of sled; `None` when it was not, or the state is another user's.
    pub instead: Option<String>,
}

/// Copies as [`read`] does, and tells from where.
///
/// Where sled is damaged, or cannot be opened for want of rights or room, the copy is read.
pub fn read_noting(location: &Location, wanted: &Wanted) -> Result<Option<Read>, Error> {
    let Some(state) = find(location)? else { return Ok(None) };
    if !state.is_ours() {
        if let Some(read) = read_copy(&state, location, wanted)? {
            return Ok(Some(read));
        }
        let read = borrowed::read(&state, |copy| read_noting(copy, wanted))?;
        return Ok(read.map(|read| Read { basis: None, instead: None, ..read }));
    }
    match read_sled(location, wanted) {
        Err(error) if copy_will_do(&error) => {
            // Where there is no copy either, what is told is what is wrong with sled.
            let copied = read_copy(&state, location, wanted).ok().flatten().ok_or_else(|| error.clone())?;
            Ok(Some(Read { instead: Some(why(&error)), ..copied }))
        }
        read => read,
    }
}

fn read_sled(location: &Location, wanted: &Wanted) -> Result<Option<Read>, Error> {
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
    Ok(Some(Read { snapshot, basis, instead: None }))
}

/// Reads the copy, which may be written to meanwhile; `None` where there is none that holds all that `head` tells of.
fn read_copy(state: &PrivateDir, location: &Location, wanted: &Wanted) -> Result<Option<Read>, Error> {
    let Some(copied) = whole_copy(state)? else { return Ok(None) };
    let gathering = Gathering::new(wanted.clone());
    copied.each(|row, value| gathering.take(location, &row.to_bytes(), value))?;
    let snapshot = gathering.complete(&copied.facts(), copied.counters());
    Ok(Some(Read { snapshot, basis: None, instead: None }))
}

/// Opens the copy of a state where it holds all that `head` tells of, whoever writes to it.
pub(super) fn whole_copy(state: &PrivateDir) -> Result<Option<Box<Copied>>, Error> {
    // A state that has arrived counts, whoever puts it into its place.
    if state.has(ARRIVED).map_err(|error| Error::io("look into", state.path(), error))? {
        return Ok(None);
    }
    // In this order: a commit is in the copy before the head tells of it.
    let head = head::read(state)?;
    Ok(match copy::Opened::read(state)? {
        copy::Opened::Whole(copied) if verdict::copy_reaches(&head, &copied.scanned) => Some(copied),
        _ => None,
    })
}

/// Reports whether a state whose sled cannot be read may be read from its copy.
fn copy_will_do(error: &Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error {
        Error::Unreadable { .. } => true,
        Error::Io { source, .. } => {
            matches!(source.kind(), PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
        }
        _ => false,
    }
}

fn why(error: &Error) -> String {
    match error {
        Error::Unreadable { why, .. } => why.clone(),
        Error::Io { source, .. } => format!("{error}: {source}"),
        other => other.to_string(),
    }
}

/// Reads the names that Apollo has told, whoever has the state open; `None` when there is no state yet.
///
/// Of a state in a directory its copy is read; where there is none, no name is known.
pub fn names(location: &Location) -> Result<Option<Names>, Error> {
    if let Location::Database { .. } = location {
        let Some((rows, _)) = GlanceRows::begin(location)? else { return Ok(None) };
        return state::names(&rows).map(Some);
    }
    let Some(state) = find(location)? else { return Ok(None) };
    let Some(copied) = whole_copy(&state)? else { return Ok(Some(Names::default())) };
    let mut names = Names::default();
    copied.each(|row, value| {
        match row {
            Row::Names(NameKind::Stages) => names.stages = Some(state::decode(location, value)?),
            Row::Names(NameKind::Fields) => names.fields = Some(state::decode(location, value)?),
            Row::Names(NameKind::Lists) => names.lists = Some(state::decode(location, value)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Some(names))
}

/// Copies what a plan needs from a state in a database, as it is at one moment; tells who writes it meanwhile.
/// What was read of a state in a database.
#[derive(Debug, Clone)]
pub struct ReadShared {
    pub snapshot: Snapshot,
    /// Who writes it meanwhile.
    pub holder: Option<Holder>,
    /// What the state's team shares of the quota; nothing until the team is known.
    pub quota: SharedQuota,
}

/// Copies what a plan needs from a state in a database, as it is at one moment.
///
/// Waits for nobody; `None` when there is no state yet.
pub fn read_database(location: &Location, wanted: &Wanted) -> Result<Option<ReadShared>, Error> {
    let Some((rows, facts)) = GlanceRows::begin(location)? else { return Ok(None) };
    let gathering = Gathering::new(wanted.clone());
    rows.scan(|key, value| gathering.take(location, key, value))?;
    let snapshot = gathering.complete(&facts, &postgres::counters(&rows)?);
    let quota = snapshot.team.as_deref().map(|team| rows.pools(&pool_of(team))).transpose()?.unwrap_or_default();
    Ok(Some(ReadShared { snapshot, holder: rows.holder()?, quota }))
}

/// Copies a part of a state; `None` when it does not stand as the index noted it.
pub fn read_part(
    location: &Location,
    wanted: &Wanted,
    part: &Part,
    note: &StateNote,
) -> Result<Option<(Snapshot, Basis)>, Error> {
    let Some(state) = find(location)?.filter(PrivateDir::is_ours) else { return Ok(None) };
    match read_part_of(&state, wanted, part, note) {
        // Whoever reads all of it finds another way.
        Err(error) if copy_will_do(&error) => Ok(None),
        read => read,
    }
}

fn read_part_of(
    state: &PrivateDir,
    wanted: &Wanted,
    part: &Part,
    note: &StateNote,
) -> Result<Option<(Snapshot, Basis)>, Error> {
    let _lock = open::lock(state)?;
    if !index_file::stands_in(state, note) {
        return Ok(None);
    }
    holder::remove(state)?;
    let basis = Basis::now(state).map_err(|error| Error::io("read the mark in", state.path(), error))?;
    let (facts, db) = open::open_unread(state)?;
    let read = db.protect(|db| part.read(db, &facts, wanted, Some(note.head.commit)))?;
    db.close()?;
    index_file::vouch(state);
    Ok(read.zip(basis))
}

/// Visits every row of a state that this process holds, with what holds for the whole; `false` when there is no state.
///
/// Of a state in a directory its copy is read, which the one who holds it has proven to be whole.
pub(super) fn rows(
    location: &Location,
    mut visit: impl FnMut(&Header, &Row, &[u8]) -> Result<(), Error>,
) -> Result<bool, Error> {
    if let Location::Database { .. } = location {
        let Some((rows, facts)) = GlanceRows::begin(location)? else { return Ok(false) };
        let header = Header::of(&facts, &postgres::counters(&rows)?);
        rows.scan_in_order(|row, value| visit(&header, row, value))?;
        return Ok(true);
    }
    let Some(state) = find(location)? else { return Ok(false) };
    let Some(copied) = whole_copy(&state)? else {
        return Err(Error::unreadable(location, "its copy does not hold all of it"));
    };
    let header = Header::of(&copied.facts(), copied.counters());
    copied.each(|row, value| visit(&header, &row, value))?;
    Ok(true)
}

/// Writes a copy of a state, row by row; returns how many rows it has, `None` when there is no state.
///
/// What is written is whole only when this returns without an error: its last line is written after all rows were
/// proven to be there. It says which API the state is of, and holds what was committed last, whoever has it open: it is
/// the copy without what is past. A state without a copy must not be open.
pub fn pull(location: &Location, out: &mut dyn Write) -> Result<Option<u64>, Error> {
    if let Location::Database { .. } = location {
        let Some((rows, facts)) = GlanceRows::begin(location)? else { return Ok(None) };
        let mut copy = CopyWriter::begin(location, out, &Header::of(&facts, &postgres::counters(&rows)?))?;
        rows.scan_in_order(|row, value| copy.row(row, value))?;
        return Ok(Some(copy.end()?.0));
    }
    let Some(state) = find(location)? else { return Ok(None) };
    if let Some(copied) = whole_copy(&state).ok().flatten() {
        let mut copy = CopyWriter::begin(location, out, &Header::of(&copied.facts(), copied.counters()))?;
        copied.each(|row, value| copy.row(&row, value))?;
        return Ok(Some(copy.end()?.0));
    }
    if !state.is_ours() {
        return borrowed::read(&state, |copy| pull(copy, out));
    }
    let Some((state, lock)) = lock_existing(location)? else { return Ok(None) };
    let (opened, copy) = open::open(&state, lock, |facts, db| {
        let mut copy = CopyWriter::begin(location, out, &Header::of(facts, &db.counters()?))?;
        Ok((heal::copy_rows(db, &mut copy)?, copy))
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
