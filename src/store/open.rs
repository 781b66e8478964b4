//! Opening a state directory: creating it, locking it, and refusing one that is not what it was.
//!
//! A directory that does not exist, or is empty, is a first run. A `creating` file marks one whose
//! creation has not finished: nothing was ever committed to it, so it is made again. Any other
//! directory must hold a whole state. Never removes a state.

use super::barrier::Barrier;
use super::copy::CopyFile;
use super::guard::{Guard, open_sled, reopen_sled};
use super::head::HeadFile;
use super::heal::{self, Healed, Progress};
use super::lock::Lock;
use super::opened::Opened;
use super::own_dir::OwnDir;
use super::place::{self, ARRIVED, CREATING, HEAD, LOCK, SLED};
use super::postgres::GlanceRows;
use super::rows::SledRows;
use super::survey::Extent;
use super::{exchange, holder, own_dir, verdict};
use crate::failpoints::{Step, reached};
use crate::model::Serial;
use crate::private_dir::PrivateDir;
use crate::state::{Counters, Drawn, Error, Facts, Holder, Location, Row, Writes, encode};

/// Where a state is and who opens it.
#[derive(Debug, Clone)]
pub struct Options {
    pub location: Location,
    /// The origin of the API, `https://api.apollo.io` for example.
    pub origin: String,
    /// The contact directory that the state belongs to, where that is recorded.
    pub own_dir: Option<OwnDir>,
    pub holder: Holder,
    /// Told how far a damaged state is built again.
    pub progress: Progress,
}

/// What stands at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// No directory, an empty one, or one whose creation did not finish.
    Nothing,
    State,
    /// Files, but no state among them.
    Strange,
}

/// Reports whether there is a state at a place.
pub fn exists(location: &Location) -> Result<bool, Error> {
    if let Location::Database { .. } = location {
        return Ok(GlanceRows::begin(location)?.is_some());
    }
    Ok(find(location)?.is_some())
}

/// Opens the directory of a state; `None` when there is no state.
pub(super) fn find(location: &Location) -> Result<Option<PrivateDir>, Error> {
    let Location::Directory(path) = location else { return Ok(None) };
    let Some(state) = place::directory(path)? else { return Ok(None) };
    Ok(holds_state(&state)?.then_some(state))
}

pub(super) fn holds_state(state: &PrivateDir) -> Result<bool, Error> {
    match look(state)? {
        Stands::Nothing => Ok(false),
        Stands::State => Ok(true),
        Stands::Strange => Err(Error::unreadable(&state.path().into(), "it holds files but no head")),
    }
}

/// Looks at `state` without changing anything.
pub(super) fn look(state: &PrivateDir) -> Result<Stands, Error> {
    let (mut found, mut is_unfinished) = (Stands::Nothing, false);
    for name in state.names().map_err(|error| Error::io("read", state.path(), error))? {
        if name == ARRIVED {
            return Ok(Stands::State);
        }
        is_unfinished |= name == CREATING;
        if !name.to_str().is_some_and(place::is_beside) {
            found = Stands::Strange;
        }
    }
    if is_unfinished {
        return Ok(Stands::Nothing);
    }
    let has_head = state.has(HEAD).map_err(|error| Error::io("look for the head of", state.path(), error))?;
    Ok(if has_head { Stands::State } else { found })
}

/// Takes the lock of a directory that exists, and finishes a push that was decided.
///
/// sled has a lock of its own, but looks at its files before taking it and lets go of it late.
///
/// Refuses a directory that is not ours, or that holds a link anywhere, before anything is written to it.
pub(super) fn lock(state: &PrivateDir) -> Result<Lock, Error> {
    state.claim()?;
    place::refuse_links(state)?;
    let path = state.path().join(LOCK);
    let file = state.open_private(LOCK).map_err(|error| Error::io("open", &path, error))?;
    let lock = Lock::take(file).map_err(|error| Error::io("lock", &path, error))?;
    let lock = lock.ok_or_else(|| locked(state))?;
    exchange::finish(state)?;
    Ok(lock)
}

/// Opens a state to write, and makes it when there is none; `drawn` is for a new one only.
///
/// Every row is read once, to prove that none is missing.
pub(super) fn open_or_create(options: &Options, drawn: Drawn) -> Result<(PrivateDir, Healed), Error> {
    let Options { location, origin, own_dir, holder, progress } = options;
    // Looked at before anything is written: a directory that is no state stays as it is.
    exists(location)?;
    let state = PrivateDir::make(location.directory())?;
    let lock = lock(&state)?;
    holder::remove(&state)?;
    own_dir.as_ref().map_or(Ok(()), |own| own_dir::check(&state, own))?;
    let healed = if holds_state(&state)? {
        heal::open(&state, lock, holder.since, progress)?
    } else {
        create(&state, lock, origin, drawn)?
    };
    if healed.opened.facts.origin != *origin {
        let (recorded, given) = (healed.opened.facts.origin, origin.clone());
        return Err(Error::OtherOrigin { state: location.clone(), recorded, given });
    }
    own_dir.as_ref().map_or(Ok(()), |own| own_dir::record(&state, own))?;
    holder::write(&state, holder)?;
    Ok((state, healed))
}

/// Takes the lock of a state that is there; `None` when there is none.
pub(super) fn lock_existing(location: &Location) -> Result<Option<(PrivateDir, Lock)>, Error> {
    let Some(state) = find(location)? else { return Ok(None) };
    let lock = lock(&state)?;
    // Looked at again under the lock: a writer may have made or finished it meanwhile.
    if !holds_state(&state)? {
        return Ok(None);
    }
    holder::remove(&state)?;
    Ok(Some((state, lock)))
}

pub(super) fn locked(state: &PrivateDir) -> Error {
    Error::Locked { state: state.path().into(), holder: holder::read(state).map(Box::new) }
}

/// Opens the state in a locked directory without reading its rows, for who knows that they are whole.
pub(super) fn open_unread(state: &PrivateDir) -> Result<(Facts, Guard), Error> {
    let db = reopen_sled(state, Extent::Opening)?;
    Ok((db.facts()?, db))
}

/// Makes a new state in a locked directory.
///
/// `creating` is durable before the first file and goes after the last, so that a crash in between
/// leaves a directory that [`look`] calls nothing.
fn create(state: &PrivateDir, lock: Lock, origin: &str, drawn: Drawn) -> Result<Healed, Error> {
    let step = |step: &'static str| move |error| Error::io(step, state.path(), error);
    state.write(CREATING, b"").map_err(step("create"))?;
    state.sync().map_err(step("sync"))?;
    state.remove_tree(SLED).map_err(step("clear the unfinished"))?;
    let db = open_sled(state.path())?;
    let facts = Facts::new(drawn.lineage.clone(), origin.to_owned(), drawn.identity_key);
    let counters = write_first_batch(&db, &facts)?;
    let mut barrier = Barrier::new(state)?;
    barrier.pass(&db.db).map_err(step("sync"))?;
    reached(Step::StateBegun);
    let mut head = HeadFile::create(state, drawn.lineage).map_err(step("create the head of"))?;
    head.advance(counters.commit, counters.serial, 0).map_err(step("write the head of"))?;
    let copy = CopyFile::write(state, &facts, &counters, |_| Ok(counters.clone()))?;
    state.sync().map_err(step("sync"))?;
    reached(Step::StateMade);
    state.remove(CREATING).map_err(step("finish"))?;
    state.sync().map_err(step("sync"))?;
    Ok(Healed { opened: Opened { facts, counters, head, barrier, db, lock }, copy, remarks: Vec::new() })
}

/// Opens the state in a locked directory; `read` reads all rows, and proves that they are all there by the counters
/// that it returns.
pub(super) fn open<T>(
    state: &PrivateDir,
    lock: Lock,
    read: impl FnOnce(&Facts, &SledRows) -> Result<(Counters, T), Error>,
) -> Result<(Opened, T), Error> {
    let head = HeadFile::open(state)?;
    let db = reopen_sled(state, Extent::All)?;
    let facts = db.facts()?;
    if facts.lineage != head.now().lineage {
        let why = format!("its head is of lineage {}, its rows of {}", head.now().lineage, facts.lineage);
        return Err(Error::unreadable(&state.path().into(), why));
    }
    let (counters, made) = read(&facts, &db)?;
    if let Some(why) = verdict::behind(&counters, head.now()) {
        return Err(Error::unreadable(&state.path().into(), why));
    }
    let barrier = Barrier::new(state)?;
    Ok((Opened { facts, counters, head, barrier, db, lock }, made))
}

fn write_first_batch(db: &SledRows, facts: &Facts) -> Result<Counters, Error> {
    let (rows, counters) = first_batch(facts);
    db.protect(|db| db.apply(rows).map_err(|error| db.failed(error)))?;
    Ok(counters)
}

/// Returns the rows of a new state, and its counters.
pub(super) fn first_batch(facts: &Facts) -> (Writes, Counters) {
    let value = encode(facts);
    let mut counters = Counters { commit: 1, serial: Serial(0), ..Counters::default() };
    counters.totals.add(&Row::Facts.to_bytes(), &value);
    (Writes::from([(Row::Facts, Some(value)), (Row::Counters, Some(encode(&counters)))]), counters)
}
