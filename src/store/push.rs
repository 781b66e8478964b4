//! Putting a copied state in the place of the one that is there, or where there is none.
//!
//! The copy is loaded beside what stands, in `incoming/`, and proven whole there; only then does anything
//! change. Its new name, `arrived/`, decides: from then on whoever takes the lock finishes the exchange, and
//! before it nothing has happened. Batches and memory do not grow with the state. In a database it is loaded under
//! another name, and one transaction gives all its rows the name of the state.

use std::collections::HashSet;
use std::io::BufRead;

use super::barrier::Barrier;
use super::guard::open_sled;
use super::head::HeadFile;
use super::lock::Lock;
use super::open::{self, Opened, Options};
use super::own_dir::{self, OwnDir};
use super::place::{self, ARRIVED, INCOMING};
use super::postgres::{self, SharedRows};
use super::rows::SledRows;
use super::{exchange, holder, index_file, seat};
use crate::failpoints::{Step, reached};
use crate::model::{ApolloId, Binding, ContactKey};
use crate::private_dir::PrivateDir;
use crate::state::{
    CopiedRow, CopyReader, Counted, Counters, Error, Facts, Header, Holder, Location, MAX_BATCH_ROWS, Row, Rows,
    Setback, Standing, Writes, decode, encode,
};

/// A state, held to replace it.
#[derive(Debug)]
pub struct Held {
    location: Location,
    origin: String,
    current: Option<Counted>,
    place: HeldPlace,
}

/// Where the new state comes in, and what keeps others from it meanwhile.
#[derive(Debug)]
enum HeldPlace {
    Directory {
        state: PrivateDir,
        own_dir: Option<OwnDir>,
        _lock: Lock,
    },
    /// The lease is held.
    Database(SharedRows),
}

/// A copy that was loaded in whole beside the state, and changes nothing until it is installed.
#[derive(Debug)]
pub struct Incoming {
    held: Held,
    loaded: Counted,
    setback: Option<Setback>,
}

impl Held {
    /// Takes the lock of a state directory, which is made when there is none, and looks at what is there.
    pub fn take(options: Options) -> Result<Self, Error> {
        let Options { location, origin, own_dir, holder } = options;
        if let Some(state) = place::directory(location.directory())? {
            seat::refuse_service(&state)?;
        }
        if let Location::Database { .. } = location {
            return Self::take_lease(location, origin, &holder);
        }
        // Looked at before anything is written: a directory that is no state stays as it is.
        open::exists(&location)?;
        let state = PrivateDir::make(location.directory())?;
        let lock = open::lock(&state)?;
        // Again: one that began meanwhile may have read the state and be paused.
        seat::refuse_service(&state)?;
        own_dir.as_ref().map_or(Ok(()), |own| own_dir::check(&state, own))?;
        holder::remove(&state)?;
        let (current, lock) = if open::holds_state(&state)? {
            let (opened, ()) = open::open(&state, lock, |_, db| Ok((db.verify()?, ())))?;
            let Opened { facts, counters, lock, db, .. } = opened;
            db.close()?;
            index_file::vouch(&state);
            if facts.origin != origin {
                return Err(Error::OtherOrigin { state: location, recorded: facts.origin, given: origin });
            }
            (Some(Counted { lineage: facts.lineage, counters }), lock)
        } else {
            (None, lock)
        };
        holder::write(&state, &holder)?;
        Ok(Self { location, origin, current, place: HeldPlace::Directory { state, own_dir, _lock: lock } })
    }

    /// Takes the lease of a state in a database, and looks at what is there.
    fn take_lease(location: Location, origin: String, holder: &Holder) -> Result<Self, Error> {
        let rows = SharedRows::open(&location, holder)?;
        // Gives the lease back when it is dropped, whatever is found.
        let mut held = Self { location, origin, current: None, place: HeldPlace::Database(rows.clone()) };
        if let Some(facts) = postgres::facts(&rows)? {
            if facts.origin != held.origin {
                let (state, given) = (held.location.clone(), held.origin.clone());
                return Err(Error::OtherOrigin { state, recorded: facts.origin, given });
            }
            held.current = Some(Counted { lineage: facts.lineage, counters: postgres::counters(&rows)? });
        }
        Ok(held)
    }

    /// Loads a copy beside the state and proves that it is whole.
    ///
    /// Refuses one of another lineage, an older one, and another one of the same serial, unless `force` is set;
    /// one of another API always. Nothing of the state changes.
    pub fn load(self, input: &mut dyn BufRead, force: bool) -> Result<Incoming, Error> {
        let (reader, header) = CopyReader::begin(input)?;
        if header.origin != self.origin {
            return Err(Error::OtherOrigin {
                state: self.location.clone(),
                recorded: header.origin,
                given: self.origin.clone(),
            });
        }
        let refuse = |setback: Option<Setback>| match setback {
            Some(setback) if !force => Err(Error::PushRefused { state: self.location.clone(), setback }),
            setback => Ok(setback),
        };
        let current = self.current.as_ref();
        let setback = refuse(current.and_then(|current| current.setback(&header.lineage, header.serial)))?;
        let commit = self.current.as_ref().map_or(0, |current| current.counters.commit) + 1;
        let counters =
            Counters { commit, serial: header.serial, last_intent: header.last_intent, ..Counters::default() };
        let loaded = match &self.place {
            HeldPlace::Directory { state, .. } => fill(state, reader, header, counters)?,
            HeldPlace::Database(rows) => {
                let lineage = header.lineage.clone();
                rows.begin_push()?;
                Counted { lineage, counters: Load::into(Target::Database(rows), counters).all(reader, header)? }
            }
        };
        let setback = setback.or(refuse(current.and_then(|current| current.difference(&loaded)))?);
        Ok(Incoming { held: self, loaded, setback })
    }
}

/// Makes the new state in `incoming/`, durable and closed.
fn fill(state: &PrivateDir, reader: CopyReader<'_>, header: Header, counters: Counters) -> Result<Counted, Error> {
    let place = &state.path().join(INCOMING);
    let step = |step: &'static str| move |error| Error::io(step, place, error);
    state.remove_tree(INCOMING).map_err(step("clear"))?;
    let incoming = PrivateDir::make(place)?;
    let db = open_sled(place)?;
    let lineage = header.lineage.clone();
    let counters = Load::into(Target::Directory(&db), counters).all(reader, header)?;
    let mut barrier = Barrier::new(&incoming)?;
    barrier.pass(&db.db).map_err(step("sync"))?;
    // Read back as every opening reads it, while nothing is lost yet.
    db.verify()?;
    drop(barrier);
    db.close()?;
    let mut head = HeadFile::create(&incoming, lineage.clone()).map_err(step("create the head of"))?;
    head.advance(counters.commit, counters.serial, counters.totals.bindings).map_err(step("write the head of"))?;
    incoming.sync().map_err(step("sync"))?;
    state.sync().map_err(step("sync"))?;
    reached(Step::PushLoaded);
    Ok(Counted { lineage, counters })
}

impl Drop for Held {
    fn drop(&mut self) {
        // What stays is removed by whoever has the lock next.
        match &self.place {
            HeldPlace::Directory { state, .. } => {
                let _ = state.remove_tree(INCOMING);
                let _ = holder::remove(state);
            }
            HeldPlace::Database(rows) => {
                let _ = rows.begin_push();
                let _ = rows.close();
            }
        }
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
        self.held.current.as_ref().is_some_and(|current| current.is_the_same(&self.loaded))
    }

    /// Puts the new state in the place of the old, which is gone then.
    pub fn install(self) -> Result<(), Error> {
        let (state, own_dir) = match &self.held.place {
            HeldPlace::Directory { state, own_dir, .. } => (state, own_dir),
            HeldPlace::Database(rows) => return rows.end_push(),
        };
        own_dir.as_ref().map_or(Ok(()), |own| own_dir::record(state, own))?;
        state
            .rename(INCOMING, ARRIVED)
            .and_then(|()| state.sync())
            .map_err(|error| Error::io("replace the state in", state.path(), error))?;
        reached(Step::PushArrived);
        exchange::finish(state)
    }
}

/// Where the rows of a new state go.
#[derive(Clone, Copy)]
enum Target<'a> {
    Directory(&'a SledRows),
    Database(&'a SharedRows),
}

/// Most rows of one transaction of a database.
const ROWS_PER_TRANSACTION: usize = 5_000;

/// A new state while its rows come in.
struct Load<'a> {
    target: Target<'a>,
    counters: Counters,
    pending: Writes,
    /// The contacts that a database was given: asking it for each would take longer than all else.
    owned: HashSet<ApolloId>,
}

impl<'a> Load<'a> {
    fn into(target: Target<'a>, counters: Counters) -> Self {
        Self { target, counters, pending: Writes::new(), owned: HashSet::new() }
    }

    /// Writes all rows of a copy, those that follow from them, and the counters at the very end.
    fn all(&mut self, mut reader: CopyReader<'_>, header: Header) -> Result<Counters, Error> {
        let Header { lineage, origin, identity_key, .. } = header;
        self.put(Row::Facts, encode(&Facts::new(lineage, origin, identity_key)))?;
        while let Some(CopiedRow { row, value }) = reader.row()? {
            match &row {
                Row::Binding(contact) => self.put_owner(&reader, contact, &value)?,
                Row::Intent(id) => self.counters.last_intent = self.counters.last_intent.max(id.0),
                _ => {}
            }
            self.put(row, value)?;
        }
        self.pending.insert(Row::Counters, Some(encode(&self.counters)));
        self.apply()?;
        Ok(self.counters.clone())
    }

    fn put_owner(&mut self, reader: &CopyReader<'_>, contact: &ContactKey, value: &[u8]) -> Result<(), Error> {
        let binding: Binding = decode(self.location(), value)?;
        let row = Row::owner(&binding.apollo_id);
        let is_owned = match self.target {
            Target::Directory(db) => self.pending.contains_key(&row) || db.protect(|db| db.get(&row))?.is_some(),
            Target::Database(_) => !self.owned.insert(binding.apollo_id.clone()),
        };
        if is_owned {
            return Err(reader.wrong(format!("contact {} belongs to two keys", binding.apollo_id)));
        }
        self.put(row, encode(contact))
    }

    fn put(&mut self, row: Row, value: Vec<u8>) -> Result<(), Error> {
        self.counters.totals.add(&row.to_bytes(), &value);
        self.pending.insert(row, Some(value));
        let most = match self.target {
            Target::Directory(_) => MAX_BATCH_ROWS,
            Target::Database(_) => ROWS_PER_TRANSACTION,
        };
        if self.pending.len() < most - 1 { Ok(()) } else { self.apply() }
    }

    fn apply(&mut self) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.pending);
        match self.target {
            Target::Directory(db) => db.protect(|db| db.apply(rows).map_err(|error| db.failed(error))),
            Target::Database(database) => database.push(&rows),
        }
    }

    fn location(&self) -> &Location {
        match self.target {
            Target::Directory(db) => db.location(),
            Target::Database(rows) => rows.location(),
        }
    }
}
