//! Putting a copied state in the place of the one that is there, or where there is none.
//!
//! The copy is loaded beside what stands, in `incoming/`, and proven whole there; only then does anything
//! change. Its new name, `arrived/`, decides: from then on whoever takes the lock finishes the exchange, and
//! before it nothing has happened. Batches and memory do not grow with the state. In a database it is loaded under
//! another name, and one transaction gives all its rows the name of the state.

use std::io::BufRead;

use super::heal::{self, Healed, Remark};
use super::lease::Lease;
use super::load::{self, Load};
use super::lock::Lock;
use super::open::{self, Options};
use super::opened::Opened;
use super::own_dir::{self, OwnDir};
use super::place::{self, INCOMING};
use super::postgres::{self, SharedRows};
use super::{exchange, holder, index_file, seat};
use crate::private_dir::PrivateDir;
use crate::state::{
    CopiedRow, CopyReader, Counted, Counters, Error, Facts, Header, Holder, Location, Setback, Standing,
};

/// A state, held to replace it.
#[derive(Debug)]
pub struct Held {
    location: Location,
    origin: String,
    current: Option<Counted>,
    remarks: Vec<Remark>,
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
        let Options { location, origin, own_dir, holder, progress } = options;
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
        let mut remarks = Vec::new();
        let (current, lock) = if open::holds_state(&state)? {
            let Healed { opened, copy, remarks: told } = heal::open(&state, lock, holder.since, &progress)?;
            let Opened { facts, counters, lock, db, .. } = opened;
            drop(copy);
            remarks = told;
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
        Ok(Self { location, origin, current, remarks, place: HeldPlace::Directory { state, own_dir, _lock: lock } })
    }

    /// Takes the lease of a state in a database, and looks at what is there.
    fn take_lease(location: Location, origin: String, holder: &Holder) -> Result<Self, Error> {
        let rows = SharedRows::open(&location, holder)?;
        // Gives the lease back when it is dropped, whatever is found.
        let (remarks, place) = (Vec::new(), HeldPlace::Database(rows.clone()));
        let mut held = Self { location, origin, current: None, remarks, place };
        if let Some(facts) = postgres::facts(&rows)? {
            if facts.origin != held.origin {
                let (state, given) = (held.location.clone(), held.origin.clone());
                return Err(Error::OtherOrigin { state, recorded: facts.origin, given });
            }
            held.current = Some(Counted { lineage: facts.lineage, counters: postgres::counters(&rows)? });
        }
        Ok(held)
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// Returns the lease by which a state in a database is held; `None` for one on this machine.
    pub fn lease(&self) -> Option<Lease> {
        match &self.place {
            HeldPlace::Directory { .. } => None,
            HeldPlace::Database(rows) => Some(Lease(rows.clone())),
        }
    }

    /// Tells what was done about the state that is there before it was looked at.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
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
        let Header { lineage, origin, identity_key, .. } = header;
        let facts = Facts::new(lineage.clone(), origin, identity_key);
        let counters = match &self.place {
            HeldPlace::Directory { state, .. } => load::make(state, &facts, counters, |load| take_all(reader, load))?,
            HeldPlace::Database(rows) => load::make_in(rows, &facts, counters, |load| take_all(reader, load))?,
        };
        let loaded = Counted { lineage, counters };
        let setback = setback.or(refuse(current.and_then(|current| current.difference(&loaded)))?);
        Ok(Incoming { held: self, loaded, setback })
    }
}

/// Hands all rows of a copy to a new state.
fn take_all(mut reader: CopyReader<'_>, load: &mut Load<'_, '_>) -> Result<(), Error> {
    while let Some(CopiedRow { row, value }) = reader.row()? {
        if let Some(id) = load.take(row, value)? {
            return Err(reader.wrong(format!("contact {id} belongs to two keys")));
        }
    }
    Ok(())
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
        exchange::arrive(state)
    }
}
