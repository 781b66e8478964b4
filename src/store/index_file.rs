//! The file index beside sled, and the mark that says that it may be behind.
//!
//! A cache: whatever is wrong with it, it counts as none. A writer makes the mark, durably, before its first
//! write; who renews the index removes it. The index itself needs no barrier: it names the head it was written
//! at, and a torn one fails its checks.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use serde::{Deserialize, Serialize};

use super::guard::log;
use super::place::{self, ARRIVED, LOCK};
use super::{head, open};
use crate::failpoints::{Step, reached};
use crate::index::{HeadNote, Identity, Index, ReadAt, StateNote, WriteError};
use crate::private_dir::PrivateDir;
use crate::state::Location;

const NAME: &str = "index";
const FRESH: &str = "index.new";
const MARK: &str = "index.behind";
const VOUCH: &str = "index.sled";

/// The head of a state as somebody read it, and the mark that stood beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    pub head: HeadNote,
    /// What the mark says; `None` when there is none.
    mark: Option<String>,
}

impl Basis {
    /// Reads the basis of a state whose lock is held, or whose writer waits.
    pub(super) fn now(state: &PrivateDir) -> io::Result<Option<Self>> {
        let mark = mark(state)?;
        Ok(head::note(state).ok().map(|head| Self { head, mark }))
    }

    /// Returns the basis of a state that an index vouches for.
    pub fn of(note: &StateNote) -> Self {
        Self { head: note.head.clone(), mark: None }
    }

    pub(super) fn is_unmarked(&self) -> bool {
        self.mark.is_none()
    }
}

struct IndexFile(File);

impl ReadAt for IndexFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        self.0.read_exact_at(bytes, at)
    }
}

/// Opens a state directory that is ours. An index of another user's is not believed, and its files are not touched.
fn ours(location: &Location) -> Option<PrivateDir> {
    place::directory(location.directory()).ok().flatten().filter(PrivateDir::is_ours)
}

/// Opens the index of a state; `None` when there is none, or none of use to this `loader`.
pub fn open_index(state: &Location, loader: &str) -> Option<Index> {
    let file = ours(state)?.open_file(NAME).ok()?;
    Index::open(Box::new(IndexFile(file)), loader).ok()
}

/// Reports whether a state stands as an index noted it, without opening it.
pub fn stands(state: &Location, note: &StateNote) -> bool {
    ours(state).is_some_and(|state| stands_in(&state, note))
}

pub(super) fn stands_in(state: &PrivateDir, note: &StateNote) -> bool {
    // Once an exchange is decided, what stands in the directory says nothing any more.
    let unmarked = || matches!(mark(state), Ok(None)) && matches!(state.has(ARRIVED), Ok(false));
    // In this order: a writer marks before it moves the head.
    let same = head::note(state).is_ok_and(|head| head == note.head);
    same && unmarked() && is_vouched_for(state)
}

/// Notes how sled's log looks now that sled has let go of it; the state's lock is held.
///
/// sled writes to it whenever it is opened. Who else does damages the state, and must not go unseen because nobody
/// looks inside. Without the note, all rows are read.
pub(super) fn vouch(state: &PrivateDir) {
    let noted = log_identity(state).and_then(|now| state.write(VOUCH, &now.to_bytes()));
    if let Err(error) = noted {
        tracing::debug!("sled's log is not vouched for: {error}");
    }
}

fn is_vouched_for(state: &PrivateDir) -> bool {
    let noted = state.read(VOUCH).ok();
    log_identity(state).is_ok_and(|now| noted.as_deref() == Some(&now.to_bytes()))
}

fn log_identity(state: &PrivateDir) -> io::Result<Identity> {
    Ok(head::identity(&log(state)?.metadata()?))
}

/// Tells the time of the file system that a state is on, in nanoseconds since 1970.
///
/// Files and directories get their times from the same clock, or one near it.
pub fn file_time(state: &Location) -> Option<i64> {
    let file = ours(state)?.open_to_write(LOCK).ok()?;
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let same = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    rustix::fs::futimens(&file, &Timestamps { last_access: same, last_modification: now }).ok()?;
    Some(head::identity(&file.metadata().ok()?).modified)
}

/// Replaces the index of a state that nobody has open, if the state is as it was at `basis`.
///
/// Never waits; reports whether it was replaced.
pub fn renew(
    state: &Location,
    basis: &Basis,
    write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>,
) -> Result<bool, WriteError> {
    let Some(state) = ours(state) else { return Ok(false) };
    let Ok(_lock) = open::lock(&state) else { return Ok(false) };
    if Basis::now(&state)?.as_ref() != Some(basis) {
        return Ok(false);
    }
    write_fresh(&state, write)?;
    install(&state)?;
    Ok(true)
}

/// Writes an index that does not count yet.
pub(super) fn write_fresh(
    state: &PrivateDir,
    write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    // One that another process writes, or left, is not written into.
    state.remove(FRESH)?;
    let file = state.create_new(FRESH)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let written = write(&mut out).and_then(|()| Ok(out.flush()?));
    match &written {
        Ok(()) => {}
        // What it was to take over from would stand in the way of every later one.
        Err(WriteError::Damaged(_)) => {
            state.remove(FRESH)?;
            state.remove(NAME)?;
        }
        Err(WriteError::Io(_)) => {
            state.remove(FRESH)?;
        }
    }
    written
}

/// Makes the index that was written last the one that counts, and takes the mark away.
pub(super) fn install(state: &PrivateDir) -> io::Result<()> {
    reached(Step::IndexWritten);
    state.rename(FRESH, NAME)?;
    state.remove(MARK).map(drop)
}

/// Says, durably, that the index may be behind from now on; `word` tells this writer from any other.
pub(super) fn mark_behind(state: &PrivateDir, word: &str) -> io::Result<()> {
    if !state.has(NAME)? && !state.has(MARK)? {
        return Ok(());
    }
    state.write(MARK, word.as_bytes())?.sync_all()?;
    state.sync()
}

/// Reads the mark; an empty one is one all the same.
fn mark(state: &PrivateDir) -> io::Result<Option<String>> {
    match state.read(MARK) {
        Ok(word) => Ok(Some(String::from_utf8_lossy(&word).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
