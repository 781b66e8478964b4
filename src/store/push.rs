//! Putting a copied state in the place of the one that is there, or where there is none.
//!
//! The copy is loaded beside what stands, in `incoming/`, and proven whole there; only then does anything
//! change. Its new name, `arrived/`, decides: from then on whoever takes the lock finishes the exchange, and
//! before it nothing has happened. Batches and memory do not grow with the state.

use std::fmt;
use std::io::{self, BufRead};
use std::path::Path;

use super::barrier::Barrier;
use super::change::Writes;
use super::commit::MAX_COMMIT_ROWS;
use super::copy::{CopiedRow, CopyReader, Header};
use super::error::Error;
use super::head::{self, HeadFile};
use super::keys::{self, Row};
use super::lock::Lock;
use super::open::{self, ARRIVED, CREATING, INCOMING, Opened, SLED};
use super::own_dir::{self, OwnDir};
use super::rows::{self, Counters, Facts};
use super::{Options, codec, exists, forget_holder, holder, holds_state, index_file, seat};
use crate::failpoints::{Step, reached};
use crate::model::{Binding, ContactKey, Lineage, Serial};
use crate::private_dir::PrivateDir;

/// Names of files beside sled that are caches of the state that was, all of which begin like this.
const CACHES: &str = "index";

/// What can be said of a state in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub lineage: Lineage,
    pub serial: Serial,
    /// How many keys are bound.
    pub bindings: u64,
}

/// What speaks against replacing a state by a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setback {
    OtherLineage {
        pushed: Lineage,
        current: Lineage,
    },
    Older {
        pushed: Serial,
        current: Serial,
    },
    /// Both went on from the same state, or one of them did and only what is not counted has changed.
    Differs {
        serial: Serial,
    },
}

/// The state's lock, held to replace the state.
#[derive(Debug)]
pub struct Held {
    state: PrivateDir,
    origin: String,
    own_dir: Option<OwnDir>,
    current: Option<Counted>,
    _lock: Lock,
}

/// A state with the sums over its rows.
#[derive(Debug, Clone)]
struct Counted {
    lineage: Lineage,
    counters: Counters,
}

/// A copy that was loaded in whole beside the state, and changes nothing until it is installed.
#[derive(Debug)]
pub struct Incoming {
    held: Held,
    loaded: Counted,
    setback: Option<Setback>,
}

impl fmt::Display for Setback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherLineage { pushed, current } => {
                write!(f, "what is to be pushed has lineage {pushed}, the state {current}: they never were the same")
            }
            Self::Older { pushed, current } => {
                write!(f, "what is to be pushed is older, at serial {pushed}; the state is at {current}")
            }
            Self::Differs { serial } => write!(f, "it and what is to be pushed are both at serial {serial} and differ"),
        }
    }
}

impl Counted {
    fn standing(&self) -> Standing {
        let Self { lineage, counters } = self;
        Standing { lineage: lineage.clone(), serial: counters.serial, bindings: counters.totals.bindings }
    }
}

impl Held {
    /// Takes the lock of a state directory, which is made when there is none, and looks at what is there.
    pub fn take(options: Options) -> Result<Self, Error> {
        let Options { path, origin, own_dir, holder } = options;
        if let Some(state) = open::directory(&path)? {
            seat::refuse_service(&state)?;
        }
        // Looked at before anything is written: a directory that is no state stays as it is.
        exists(&path)?;
        let state = PrivateDir::make(&path)?;
        let lock = open::lock(&state)?;
        // Again: one that began meanwhile may have read the state and be paused.
        seat::refuse_service(&state)?;
        own_dir.as_ref().map_or(Ok(()), |own| own_dir::check(&state, own))?;
        forget_holder(&state)?;
        let (current, lock) = if holds_state(&state)? {
            let Opened { facts, counters, lock, db, .. } = open::open(&state, lock, |db| rows::verify(&path, db))?;
            db.close()?;
            index_file::vouch(&state);
            if facts.origin != origin {
                return Err(Error::OtherOrigin { path, recorded: facts.origin, given: origin });
            }
            (Some(Counted { lineage: facts.lineage, counters }), lock)
        } else {
            (None, lock)
        };
        holder::write(&state, &holder).map_err(|error| Error::io("write holder.json in", &path, error))?;
        Ok(Self { state, origin, own_dir, current, _lock: lock })
    }

    /// Loads a copy beside the state and proves that it is whole.
    ///
    /// Refuses one of another lineage, an older one, and another one of the same serial, unless `force` is set;
    /// one of another API always. Nothing of the state changes.
    pub fn load(self, input: &mut dyn BufRead, force: bool) -> Result<Incoming, Error> {
        let (reader, header) = CopyReader::begin(input)?;
        if header.origin != self.origin {
            return Err(Error::OtherOrigin {
                path: self.state.path().to_owned(),
                recorded: header.origin,
                given: self.origin.clone(),
            });
        }
        let refuse = |setback: Option<Setback>| match setback {
            Some(setback) if !force => Err(Error::PushRefused { path: self.state.path().to_owned(), setback }),
            setback => Ok(setback),
        };
        let setback = refuse(self.setback(&header))?;
        let loaded = self.fill(reader, header)?;
        let setback = setback.or(refuse(self.difference(&loaded))?);
        Ok(Incoming { held: self, loaded, setback })
    }

    /// Says what speaks against a copy by its first line.
    fn setback(&self, header: &Header) -> Option<Setback> {
        let Counted { lineage, counters } = self.current.as_ref()?;
        if *lineage != header.lineage {
            return Some(Setback::OtherLineage { pushed: header.lineage.clone(), current: lineage.clone() });
        }
        let (pushed, current) = (header.serial, counters.serial);
        (pushed < current).then_some(Setback::Older { pushed, current })
    }

    /// Says what speaks against a copy by all its rows.
    fn difference(&self, loaded: &Counted) -> Option<Setback> {
        let current = &self.current.as_ref()?.counters;
        let differs = current.serial == loaded.counters.serial && current.totals != loaded.counters.totals;
        differs.then_some(Setback::Differs { serial: current.serial })
    }

    /// Makes the new state in `incoming/`, durable and closed.
    fn fill(&self, reader: CopyReader<'_>, header: Header) -> Result<Counted, Error> {
        let place = &self.state.path().join(INCOMING);
        let step = |step: &'static str| move |error| Error::io(step, place, error);
        self.state.remove_tree(INCOMING).map_err(step("clear"))?;
        let incoming = PrivateDir::make(place)?;
        let db = open::open_sled(place)?;
        let commit = self.current.as_ref().map_or(0, |current| current.counters.commit) + 1;
        let counters =
            Counters { commit, serial: header.serial, last_intent: header.last_intent, ..Counters::default() };
        let mut load = Load { place, db: &db, counters, pending: Writes::new() };
        let lineage = header.lineage.clone();
        let counters = load.all(reader, header)?;
        let mut barrier = Barrier::new(&incoming, SLED)?;
        barrier.pass(&db).map_err(step("sync"))?;
        // Read back as every opening reads it, while nothing is lost yet.
        rows::verify(place, &db)?;
        drop(barrier);
        db.close()?;
        let mut head = HeadFile::create(&incoming, lineage.clone()).map_err(step("create the head of"))?;
        head.advance(counters.commit, counters.serial, counters.totals.bindings).map_err(step("write the head of"))?;
        incoming.sync().map_err(step("sync"))?;
        self.state.sync().map_err(step("sync"))?;
        reached(Step::PushLoaded);
        Ok(Counted { lineage, counters })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // What stays is removed by whoever has the lock next.
        let _ = self.state.remove_tree(INCOMING);
        let _ = holder::remove(&self.state);
    }
}

impl Incoming {
    /// Returns what can be said of the state that is there; `None` when there is none.
    pub fn current(&self) -> Option<Standing> {
        self.held.current.as_ref().map(Counted::standing)
    }

    /// Returns what can be said of the state that was loaded.
    pub fn loaded(&self) -> Standing {
        self.loaded.standing()
    }

    /// Returns what spoke against it, and was forced.
    pub fn setback(&self) -> Option<&Setback> {
        self.setback.as_ref()
    }

    /// Reports whether the state that is there holds exactly the same.
    pub fn is_the_same(&self) -> bool {
        self.held.current.as_ref().is_some_and(|Counted { lineage, counters }| {
            let new = &self.loaded.counters;
            *lineage == self.loaded.lineage
                && (counters.serial, counters.last_intent, counters.totals) == (new.serial, new.last_intent, new.totals)
        })
    }

    /// Puts the new state in the place of the old, which is gone then.
    pub fn install(self) -> Result<(), Error> {
        let Held { state, own_dir, .. } = &self.held;
        own_dir.as_ref().map_or(Ok(()), |own| own_dir::record(state, own))?;
        state
            .rename(INCOMING, ARRIVED)
            .and_then(|()| state.sync())
            .map_err(|error| Error::io("replace the state in", state.path(), error))?;
        reached(Step::PushArrived);
        finish(state)
    }
}

/// Reports whether an exchange is decided and not finished: what else stands in the directory says nothing any more.
pub(super) fn has_arrived(state: &PrivateDir) -> io::Result<bool> {
    state.has(ARRIVED)
}

/// Finishes an exchange that was decided, and clears up after one that was not. Does nothing otherwise.
///
/// To be called by whoever has just taken the lock. Each step can be repeated, and none has to be the last.
pub(super) fn finish(state: &PrivateDir) -> Result<(), Error> {
    let failed = |error| Error::io("replace the state in", state.path(), error);
    let has_arrived = has_arrived(state).map_err(failed)?;
    // A sled in this process or another that stopped as it was opened may still write by its name.
    if has_arrived && !open::wait_for_sled(state.path()) {
        return Err(open::sled_stays_locked(state.path()));
    }
    let finished = || {
        state.remove_tree(INCOMING)?;
        if has_arrived { exchange(state) } else { Ok(()) }
    };
    finished().map_err(failed)
}

fn exchange(state: &PrivateDir) -> io::Result<()> {
    let arrived = state.sub(ARRIVED).map_err(io::Error::other)?.ok_or(io::ErrorKind::NotFound)?;
    // First of all, so that no index is ever beside a state that it is not of.
    for name in state.names()? {
        if name.as_encoded_bytes().starts_with(CACHES.as_bytes()) {
            state.remove(&name)?;
        }
    }
    state.sync()?;
    if arrived.has(SLED)? {
        state.remove_tree(SLED)?;
        reached(Step::PushReplaced);
        arrived.rename_into(SLED, state, SLED)?;
        state.sync()?;
    }
    if HeadFile::exists(&arrived)? {
        head::rename(&arrived, state)?;
        state.sync()?;
    }
    state.remove(CREATING)?;
    state.sync()?;
    state.remove_tree(ARRIVED)?;
    state.sync()
}

/// A new state while its rows come in.
struct Load<'a> {
    place: &'a Path,
    db: &'a sled::Db,
    counters: Counters,
    pending: Writes,
}

impl Load<'_> {
    /// Writes all rows of a copy, those that follow from them, and the counters at the very end.
    fn all(&mut self, mut reader: CopyReader<'_>, header: Header) -> Result<Counters, Error> {
        let Header { lineage, origin, identity_key, .. } = header;
        let facts = Facts { format: u32::from(codec::FORMAT), lineage, origin, identity_key };
        self.put(keys::FACTS.to_vec(), codec::encode(&facts))?;
        while let Some(CopiedRow { key, row, value }) = reader.row()? {
            match row {
                Row::Binding(contact) => self.put_owner(&reader, &contact, &value)?,
                Row::Intent(id) => self.counters.last_intent = self.counters.last_intent.max(id.0),
                _ => {}
            }
            self.put(key, value)?;
        }
        self.pending.insert(keys::COUNTERS.to_vec(), Some(codec::encode(&self.counters)));
        self.apply()?;
        Ok(self.counters.clone())
    }

    fn put_owner(&mut self, reader: &CopyReader<'_>, contact: &ContactKey, value: &[u8]) -> Result<(), Error> {
        let binding: Binding = rows::decode(self.place, value)?;
        let key = keys::owner(&binding.apollo_id);
        let is_taken = self.pending.contains_key(&key)
            || rows::protect(self.place, || self.db.contains_key(&key).map_err(|e| Error::sled(self.place, e)))?;
        if is_taken {
            return Err(reader.wrong(format!("contact {} belongs to two keys", binding.apollo_id)));
        }
        self.put(key, codec::encode(contact))
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Error> {
        self.counters.totals.add(&key, &value);
        self.pending.insert(key, Some(value));
        if self.pending.len() < MAX_COMMIT_ROWS { Ok(()) } else { self.apply() }
    }

    fn apply(&mut self) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        for (key, value) in std::mem::take(&mut self.pending) {
            if let Some(value) = value {
                batch.insert(key, value);
            }
        }
        rows::protect(self.place, || self.db.apply_batch(batch).map_err(|error| Error::sled(self.place, error)))
    }
}
