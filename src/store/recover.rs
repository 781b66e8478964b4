//! Saving what is left of a state that neither sled nor its copy holds whole, once a person approves the loss.
//!
//! Looks, and changes nothing before it is told to. What was there is kept beside what is made of it.

use std::path::PathBuf;

use super::copy::{Copied, Ending, Opened as Copy};
use super::guard::reopen_sled;
use super::heal::{self, Found, Healed, Progress, Remark, WholeSled};
use super::load::{self, Load};
use super::lock::Lock;
use super::open::{self, Options, Stands};
use super::place::{self, COPY, SLED};
use super::rows::SledRows;
use super::survey::Extent;
use super::{exchange, head, holder, index_file, own_dir, seat};
use crate::model::{ContactKey, Lineage, Serial, Timestamp};
use crate::private_dir::PrivateDir;
use crate::state::{Counters, Error, Facts, Row, Table, is_what_it_says};

/// What was found when a state was looked at to be recovered.
pub enum Examined {
    /// There is no state.
    None,
    /// Nothing is lost; what was put right, if anything.
    Whole(Vec<Remark>),
    Damaged(Box<Recovery>),
}

/// A moment in the life of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub commit: u64,
    pub serial: Serial,
    pub contacts: u64,
}

/// What one part of a state still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// All that it held at some moment; what is damaged behind that, if anything.
    Upto(Point, Option<String>),
    /// Some rows, of which nobody knows whether they are all; the contacts that are among them.
    Some { contacts: u64 },
    /// Why there is nothing.
    Nothing(String),
}

/// From what a state is built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Database,
    Copy,
}

/// A state that can be built again, with its lock held.
pub struct Recovery {
    state: PrivateDir,
    now: Timestamp,
    progress: Progress,
    /// How far the state had come; `None` when its head cannot be read.
    pub was: Option<Point>,
    pub database: Left,
    pub copy: Left,
    pub from: Source,
    /// The contacts that the new state will manage, sorted.
    pub keys: Vec<ContactKey>,
    rows: SavedRows,
    facts: Facts,
    /// Of the new state, without its rows.
    begin: Counters,
    // Given back last.
    _lock: Lock,
}

/// The rows that a state is built again from.
enum SavedRows {
    Sled(Box<WholeSled>),
    /// A sled whose rows are not all there, or not as they were.
    Some(super::guard::Guard),
    Copy(Box<Copied>),
}

/// What a state became by a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    pub now: Point,
    /// What was there before.
    pub aside: Vec<PathBuf>,
}

/// Looks at a state under its lock, and puts right what can be without a loss.
pub fn examine(options: &Options) -> Result<Examined, Error> {
    let Options { location, own_dir, holder, progress, .. } = options;
    let Some(state) = place::directory(location.directory())? else { return Ok(Examined::None) };
    seat::refuse_service(&state)?;
    let lock = open::lock(&state)?;
    own_dir.as_ref().map_or(Ok(()), |own| own_dir::check(&state, own))?;
    let lock = match open::look(&state)? {
        Stands::Nothing => return Ok(Examined::None),
        Stands::Strange => lock,
        Stands::State => match heal::open(&state, lock, holder.since, progress) {
            Ok(Healed { opened, copy, remarks }) => {
                drop(copy);
                opened.db.close()?;
                index_file::vouch(&state);
                return Ok(Examined::Whole(remarks));
            }
            Err(Error::Unreadable { .. }) => open::lock(&state)?,
            Err(Error::Io { source, .. }) if heal::is_of_the_disk(&source) => open::lock(&state)?,
            Err(error) => return Err(error),
        },
    };
    holder::write(&state, holder)?;
    let recovery = find(&state, lock, holder.since, progress.clone()).inspect_err(|_| drop(holder::remove(&state)))?;
    Ok(Examined::Damaged(Box::new(recovery)))
}

/// Finds what holds most.
fn find(state: &PrivateDir, lock: Lock, now: Timestamp, progress: Progress) -> Result<Recovery, Error> {
    let head = head::read(state).ok();
    let lineage = head.as_ref().map(|head| &head.lineage);
    let was = head.as_ref().map(|head| Point { commit: head.commit, serial: head.serial, contacts: head.bindings });
    let (database, sled) = look_at_sled(state, lineage);
    let (copy, copied) = look_at_copy(state, lineage);
    let (from, rows) = match (sled, copied) {
        (Some(SavedRows::Sled(sled)), Some(copied)) if sled.counters.commit >= copied.counters().commit => {
            (Source::Database, SavedRows::Sled(sled))
        }
        (Some(SavedRows::Some(db)), Some(copied)) if holds_more(&db, &copied) => {
            (Source::Database, SavedRows::Some(db))
        }
        (_, Some(copied)) => (Source::Copy, SavedRows::Copy(copied)),
        (Some(rows), None) => (Source::Database, rows),
        (None, None) => return Err(Error::NothingLeft { state: state.path().into() }),
    };
    let (facts, counters, keys) = rows.describe()?;
    // Above all that was, so that no plan of the lost state is taken for one of the new.
    let last = was.unwrap_or(Point { commit: 0, serial: Serial(0), contacts: 0 });
    let begin = Counters {
        commit: counters.commit.max(last.commit) + 1,
        serial: Serial(counters.serial.0.max(last.serial.0) + 1),
        last_intent: counters.last_intent,
        ..Counters::default()
    };
    let state = state.clone();
    Ok(Recovery { state, now, progress, was, database, copy, from, keys, rows, facts, begin, _lock: lock })
}

impl Recovery {
    /// Tells where the state is.
    pub fn path(&self) -> &std::path::Path {
        self.state.path()
    }

    /// Tells which moment the new state is of.
    pub fn keeps(&self) -> Point {
        let contacts = self.keys.len() as u64;
        match (self.from, &self.database, &self.copy) {
            (Source::Database, Left::Upto(point, _), _) | (Source::Copy, _, Left::Upto(point, _)) => *point,
            _ => Point { commit: 0, serial: Serial(0), contacts },
        }
    }

    /// Builds the state again from what was found.
    pub fn carry_out(self) -> Result<Recovered, Error> {
        let Self { state, progress, rows, facts, begin, .. } = &self;
        let counters = match rows {
            SavedRows::Copy(copied) => heal::load_copy(state, copied, begin, progress)?,
            SavedRows::Sled(sled) => load::make(state, facts, begin.clone(), |load| {
                sled.db.scan(|key, value| take(state, load, sled.db.parse(key)?, value)).map(drop)
            })?,
            SavedRows::Some(db) => load::make(state, facts, begin.clone(), |load| {
                let mut taken = Ok(());
                each_left(db, |row, value| {
                    if taken.is_ok() {
                        // Of two keys with one contact the first one has it.
                        taken = load.take(row, value.to_vec()).map(drop);
                    }
                });
                taken
            })?,
        };
        let Counters { commit, serial, totals, .. } = counters;
        let Self { state, now, rows, .. } = self;
        // sled lets go of its files before they move.
        drop(rows);
        let aside = exchange::arrive_keeping(&state, &[SLED, COPY], now)?;
        holder::remove(&state)?;
        Ok(Recovered { now: Point { commit, serial, contacts: totals.bindings }, aside })
    }
}

impl SavedRows {
    /// Returns what holds for all of it, and who is managed.
    fn describe(&self) -> Result<(Facts, Counters, Vec<ContactKey>), Error> {
        let mut keys = Vec::new();
        let mut note = |row: &Row| {
            if let Row::Binding(key) = row {
                keys.push(key.clone());
            }
        };
        let (facts, counters) = match self {
            Self::Copy(copied) => {
                copied.each(|row, _| {
                    note(&row);
                    Ok(())
                })?;
                (copied.facts(), copied.counters().clone())
            }
            Self::Sled(sled) => {
                sled.db.scan(|key, _| {
                    if Table::Bindings.has(key) {
                        note(&sled.db.parse(key)?);
                    }
                    Ok(())
                })?;
                (sled.facts.clone(), sled.counters.clone())
            }
            Self::Some(db) => {
                each_left(db, |row, _| note(&row));
                (db.facts()?, db.counters().unwrap_or_default())
            }
        };
        Ok((facts, counters, keys))
    }
}

fn look_at_sled(state: &PrivateDir, lineage: Option<&Lineage>) -> (Left, Option<SavedRows>) {
    let why = match heal::look_at_sled(state, lineage) {
        Ok(Found::Whole(sled)) => return (Left::Upto(point(&sled.counters), None), Some(SavedRows::Sled(sled))),
        Ok(Found::Damaged(why)) => why,
        Err(error) => reason(&error),
    };
    let left = || {
        let db = reopen_sled(state, Extent::All).ok()?;
        let facts = db.facts().ok()?;
        lineage.is_none_or(|lineage| facts.lineage == *lineage).then_some(db)
    };
    let Some(db) = left() else { return (Left::Nothing(why), None) };
    let mut contacts = 0;
    each_left(&db, |row, _| contacts += u64::from(matches!(row, Row::Binding(_))));
    if contacts == 0 { (Left::Nothing(why), None) } else { (Left::Some { contacts }, Some(SavedRows::Some(db))) }
}

fn look_at_copy(state: &PrivateDir, lineage: Option<&Lineage>) -> (Left, Option<Box<Copied>>) {
    match Copy::read(state) {
        Ok(Copy::None) => (Left::Nothing("there is none".to_owned()), None),
        Ok(Copy::Damaged(damage)) => (Left::Nothing(damage.to_string()), None),
        Ok(Copy::Whole(copied)) if lineage.is_some_and(|lineage| copied.facts().lineage != *lineage) => {
            (Left::Nothing("it is the copy of another state".to_owned()), None)
        }
        Ok(Copy::Whole(copied)) => {
            let damage = match &copied.scanned.ending {
                Ending::Damaged(damage) => Some(damage.to_string()),
                Ending::Whole | Ending::Torn => None,
            };
            (Left::Upto(point(copied.counters()), damage), Some(copied))
        }
        Err(error) => (Left::Nothing(reason(&error)), None),
    }
}

/// Reports whether what is left of a damaged sled is worth more than an older copy.
fn holds_more(db: &SledRows, copied: &Copied) -> bool {
    let mut contacts = 0;
    each_left(db, |row, _| contacts += u64::from(matches!(row, Row::Binding(_))));
    let is_later = db.counters().is_ok_and(|counters| counters.commit > copied.counters().commit);
    is_later && contacts > copied.counters().totals.bindings
}

/// Visits the rows of a damaged sled that can be read and are what they say, as far as sled comes.
fn each_left(db: &SledRows, mut visit: impl FnMut(Row, &[u8])) {
    let read = db.protect(|db| {
        for pair in db.db.iter() {
            let Ok((key, value)) = pair else { break };
            if let Some(row) = Row::parse(&key).filter(|row| is_what_it_says(row, &value)) {
                visit(row, &value);
            }
        }
        Ok(())
    });
    if let Err(error) = read {
        tracing::debug!("not all of a damaged sled was read: {error}");
    }
}

fn take(state: &PrivateDir, load: &mut Load<'_, '_>, row: Row, value: &[u8]) -> Result<(), Error> {
    // What follows from other rows is made of them.
    if matches!(row, Row::Facts | Row::Owner(_)) {
        return Ok(());
    }
    heal::take(state, load, row, value.to_vec())
}

fn point(counters: &Counters) -> Point {
    Point { commit: counters.commit, serial: counters.serial, contacts: counters.totals.bindings }
}

fn reason(error: &Error) -> String {
    match error {
        Error::Unreadable { why, .. } => why.clone(),
        Error::Io { source, .. } => format!("{error}: {source}"),
        other => other.to_string(),
    }
}
