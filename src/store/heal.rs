//! Opening a state for writing: whatever of sled and its copy is damaged or behind is brought back by the other one.
//!
//! What it has done is remarked, to be told. Nothing is given up: a damaged sled is moved out of the way, and where
//! neither of both holds all that `head` tells of, nothing is changed.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::barrier::Barrier;
use super::copy::{Copied, CopyFile, Damage, Opened as Copy};
use super::exchange;
use super::guard::{Guard, reopen_sled, wait_for_sled};
use super::head::HeadFile;
use super::load::{self, Load};
use super::lock::Lock;
use super::opened::Opened;
use super::place::SLED;
use super::rows::SledRows;
use super::survey::Extent;
use super::verdict::{self, TheCopy, Verdict, decide};
use crate::failpoints::{Step, reached};
use crate::model::{Lineage, Timestamp};
use crate::private_dir::PrivateDir;
use crate::state::{CopyWriter, Counters, Error, Facts, STATE_FORMAT};

/// After how many rows the progress is told.
const TOLD_EVERY: u64 = 5_000;

/// What was done about a state before it was opened, that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// sled was damaged and was built again from the copy; where it is kept, unless it was gone.
    Rebuilt { why: String, aside: Option<PathBuf> },
    /// The copy was damaged and was written again from sled.
    CopyWritten { line: u64, why: String },
    /// The state was of the format of version 0.1.0, and is no more.
    TakenOver { former: u32 },
}

/// Told how many rows of how many are in a sled that is built again.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(u64, u64) + Send + Sync>>);

impl Progress {
    pub fn new(tell: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    fn tell(&self, done: u64, all: u64) {
        if let Some(tell) = &self.0 {
            tell(done, all);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// A state that is open for writing, and its copy.
pub(super) struct Healed {
    pub(super) opened: Opened,
    pub(super) copy: CopyFile,
    pub(super) remarks: Vec<Remark>,
}

/// sled as it was found.
pub(super) enum Found {
    Whole(Box<WholeSled>),
    /// Why it is not what it was.
    Damaged(String),
}

/// A sled whose rows are all there; the head may say that there were more.
pub(super) struct WholeSled {
    pub(super) facts: Facts,
    pub(super) counters: Counters,
    pub(super) db: Guard,
}

/// Opens the state in a locked directory, and mends what can be mended without a loss.
pub(super) fn open(state: &PrivateDir, lock: Lock, now: Timestamp, progress: &Progress) -> Result<Healed, Error> {
    let head = HeadFile::open(state)?;
    let former = head.now().format;
    let sled = look_at_sled(state, Some(&head.now().lineage))?;
    let copy = look_at_copy(state, &sled)?;
    let verdict = decide(head.now(), sled.counters(), copy.as_ref());
    let mut remarks = Vec::new();
    let mut healed = match (verdict, sled, copy) {
        (Verdict::Stands, Found::Whole(sled), LookedAt::Upto(copied)) => {
            let copy = CopyFile::open(state, &copied.scanned)?;
            with_copy(state, lock, head, *sled, copy)?
        }
        (Verdict::WriteCopy { damage }, Found::Whole(sled), _) => {
            remarks.extend(damage.map(|Damage { line, why }| Remark::CopyWritten { line, why }));
            let copy = write_copy(state, &sled)?;
            with_copy(state, lock, head, *sled, copy)?
        }
        (Verdict::RollForward { damage }, Found::Whole(mut sled), LookedAt::Upto(copied)) => {
            roll_forward(state, &mut sled, &copied)?;
            let copy = match damage {
                None => CopyFile::open(state, &copied.scanned)?,
                Some(Damage { line, why }) => {
                    remarks.push(Remark::CopyWritten { line, why });
                    write_copy(state, &sled)?
                }
            };
            with_copy(state, lock, head, *sled, copy)?
        }
        (Verdict::BuildSled, sled, LookedAt::Upto(copied)) => {
            let why = sled.why_not(&head);
            // sled lets go of its files before they move.
            drop(sled);
            let aside = build_sled(state, *copied, now, progress)?;
            remarks.push(Remark::Rebuilt { why, aside });
            built(state, lock)?
        }
        (_, sled, _) => return Err(Error::unreadable(&state.path().into(), sled.why_not(&head))),
    };
    if former < STATE_FORMAT {
        let Opened { counters, head, .. } = &mut healed.opened;
        // The copy is on disk: from here on an earlier version, which would not write it, refuses the state.
        head.advance(counters.commit, counters.serial, counters.totals.bindings)
            .map_err(|error| Error::io("write the head of", state.path(), error))?;
        remarks.push(Remark::TakenOver { former });
    }
    healed.remarks = remarks;
    Ok(healed)
}

/// Opens sled and reads all its rows; a disk that refuses is an error, and damage is what was found.
///
/// `lineage` is that of the state, where it is known.
pub(super) fn look_at_sled(state: &PrivateDir, lineage: Option<&Lineage>) -> Result<Found, Error> {
    let whole = || {
        let db = reopen_sled(state, Extent::All)?;
        let facts = db.facts()?;
        if let Some(lineage) = lineage.filter(|lineage| facts.lineage != **lineage) {
            let why = format!("its head is of lineage {lineage}, its rows of {}", facts.lineage);
            return Err(Error::unreadable(&state.path().into(), why));
        }
        let counters = db.verify()?;
        Ok(WholeSled { facts, counters, db })
    };
    match whole() {
        Ok(whole) => Ok(Found::Whole(Box::new(whole))),
        Err(Error::Unreadable { why, .. }) => Ok(Found::Damaged(why)),
        Err(error) => Err(error),
    }
}

/// What was found under the name of the copy.
enum LookedAt {
    None,
    Damaged(Damage),
    Upto(Box<Copied>),
}

impl LookedAt {
    fn as_ref(&self) -> TheCopy<'_> {
        match self {
            Self::None => TheCopy::None,
            Self::Damaged(damage) => TheCopy::Damaged(damage),
            Self::Upto(copied) => TheCopy::Upto(&copied.scanned),
        }
    }
}

/// Reads the copy through. One that cannot be read where sled can is as good as damaged, and written again.
fn look_at_copy(state: &PrivateDir, sled: &Found) -> Result<LookedAt, Error> {
    let looked = match sled {
        Found::Whole(_) => Copy::look(state),
        // sled is going to be built of it.
        Found::Damaged(_) => Copy::read(state),
    };
    match looked {
        Ok(Copy::None) => Ok(LookedAt::None),
        Ok(Copy::Damaged(damage)) => Ok(LookedAt::Damaged(damage)),
        Ok(Copy::Whole(copied)) => Ok(LookedAt::Upto(copied)),
        Err(Error::Io { source, .. }) if is_of_the_disk(&source) && matches!(sled, Found::Whole(_)) => {
            Ok(LookedAt::Damaged(Damage { line: 1, why: format!("it cannot be read: {source}") }))
        }
        Err(error) => Err(error),
    }
}

/// Reports whether what stands on the disk cannot be read there.
pub(super) fn is_of_the_disk(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::IO | Errno::BADMSG | Errno::UCLEAN))
}

impl Found {
    fn counters(&self) -> Option<&Counters> {
        match self {
            Self::Whole(sled) => Some(&sled.counters),
            Self::Damaged(_) => None,
        }
    }

    /// Says why it is not believed.
    pub(super) fn why_not(&self, head: &HeadFile) -> String {
        match self {
            Self::Damaged(why) => why.clone(),
            Self::Whole(sled) => {
                let behind = verdict::behind(&sled.counters, head.now());
                behind.unwrap_or_else(|| "it is not what its copy followed on".to_owned())
            }
        }
    }
}

fn with_copy(state: &PrivateDir, lock: Lock, head: HeadFile, sled: WholeSled, copy: CopyFile) -> Result<Healed, Error> {
    let WholeSled { facts, counters, db } = sled;
    let barrier = Barrier::new(state)?;
    Ok(Healed { opened: Opened { facts, counters, head, barrier, db, lock }, copy, remarks: Vec::new() })
}

/// Writes the copy of what stands in sled.
fn write_copy(state: &PrivateDir, sled: &WholeSled) -> Result<CopyFile, Error> {
    CopyFile::write(state, &sled.facts, &sled.counters, |copy| copy_rows(&sled.db, copy))
}

/// Writes all rows of sled to a copy.
pub(super) fn copy_rows(rows: &SledRows, copy: &mut CopyWriter<'_>) -> Result<Counters, Error> {
    rows.scan_to_copy(|key, value| copy.row(&rows.parse(key)?, value))
}

/// Writes to sled what was committed to the copy after sled's last commit; durable when it returns.
fn roll_forward(state: &PrivateDir, sled: &mut WholeSled, copied: &Copied) -> Result<(), Error> {
    copied.each_commit_after(sled.counters.commit, |writes| {
        sled.db.protect(|db| db.apply(writes).map_err(|error| db.failed(error)))
    })?;
    reached(Step::RolledForward);
    let passed = Barrier::new(state)?.pass(&sled.db.db);
    passed.map_err(|error| Error::io("sync", state.path(), error))?;
    sled.counters = copied.counters().clone();
    Ok(())
}

/// Builds sled from the copy, which holds all there is to hold, and moves the one that is there out of the way.
fn build_sled(
    state: &PrivateDir,
    mut copied: Copied,
    now: Timestamp,
    progress: &Progress,
) -> Result<Option<PathBuf>, Error> {
    wait_for_sled(state.path())?;
    copied.know_changes()?;
    let counters = load_copy(state, &copied, copied.counters(), progress)?;
    if counters.totals.bindings != copied.counters().totals.bindings {
        return Err(Error::unreadable(&state.path().into(), "its copy does not hold all that it should"));
    }
    Ok(exchange::arrive_keeping(state, &[SLED], now)?.pop())
}

/// Makes a new state of the rows of a copy, with these counters but for the totals.
pub(super) fn load_copy(
    state: &PrivateDir,
    copied: &Copied,
    counters: &Counters,
    progress: &Progress,
) -> Result<Counters, Error> {
    let begin = Counters { totals: <_>::default(), ..counters.clone() };
    load::make(state, &copied.facts(), begin, |load| {
        let totals = copied.counters().totals;
        let (all, mut done) = (totals.rows - totals.bindings, 0);
        copied.each(|row, value| {
            done += 1;
            if done % TOLD_EVERY == 0 {
                progress.tell(done, all);
            }
            take(state, load, row, value.to_vec())
        })
    })
}

/// Takes a row of what was proven to be whole.
pub(super) fn take(
    state: &PrivateDir,
    load: &mut Load<'_, '_>,
    row: crate::state::Row,
    value: Vec<u8>,
) -> Result<(), Error> {
    match load.take(row, value)? {
        None => Ok(()),
        Some(id) => Err(Error::unreadable(&state.path().into(), format!("contact {id} belongs to two keys"))),
    }
}

/// Opens a sled that was just built, and proven whole.
fn built(state: &PrivateDir, lock: Lock) -> Result<Healed, Error> {
    let head = HeadFile::open(state)?;
    let db = reopen_sled(state, Extent::Opening)?;
    let sled = WholeSled { facts: db.facts()?, counters: db.counters()?, db };
    match Copy::look(state)? {
        Copy::Whole(copied) if *copied.counters() == sled.counters => {
            let copy = CopyFile::open(state, &copied.scanned)?;
            with_copy(state, lock, head, sled, copy)
        }
        _ => Err(Error::unreadable(&state.path().into(), "what was just written reads differently")),
    }
}
