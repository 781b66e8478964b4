//! Opening a state directory: creating it, locking it, and refusing one that is not what it was.
//!
//! A directory that does not exist, or is empty, is a first run. A `creating` file marks one whose
//! creation has not finished: nothing was ever committed to it, so it is made again. Any other
//! directory must hold a whole state. Never removes a state.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::barrier::Barrier;
use super::error::Error;
use super::guard::Guard;
use super::head::HeadFile;
use super::keys;
use super::lock::Lock;
use super::rows::{self, Counters, Facts};
use super::survey::{Extent, survey};
use super::{codec, holder, own_dir, panics, push, seat};
use crate::failpoints::{Step, reached};
use crate::model::{IdentityKey, Lineage, Serial};
use crate::private_dir::PrivateDir;

pub(super) const LOCK: &str = "lock";
pub(super) const CREATING: &str = "creating";
pub(super) const SLED: &str = "sled";
/// sled's log, in its directory.
pub(super) const LOG: &str = "db";
/// A state that is being loaded to take the place of this one; see `push`.
pub(super) const INCOMING: &str = "incoming";
/// A state that is to take the place of this one.
pub(super) const ARRIVED: &str = "arrived";

/// What may stand in the directory of a state that was not made yet; a push that was killed leaves some of it.
const BESIDE: [&str; 10] = [
    LOCK,
    own_dir::NAME,
    own_dir::FRESH,
    seat::SEAT,
    seat::PAUSED,
    seat::FRESH,
    "watch.sock",
    INCOMING,
    holder::NAME,
    holder::FRESH,
];

/// Most memory sled may spend on pages, in bytes as they are on disk. Its own default is a gibibyte.
///
/// Four times as much made nothing faster: the system caches the file.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// How often, and how long apart, sled is asked again for a lock that its own threads still hold.
const LOCK_ATTEMPTS: u32 = 20_000;
const LOCK_PAUSE: Duration = Duration::from_millis(1);

/// What a new state is made of; random, and so drawn by the caller.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub lineage: Lineage,
    pub identity_key: IdentityKey,
}

/// A state directory that is open, locked and as it was left.
pub(super) struct Opened {
    pub(super) facts: Facts,
    pub(super) counters: Counters,
    pub(super) head: HeadFile,
    pub(super) barrier: Barrier,
    // Fields drop in order: sled lets go of its files before others may open them.
    pub(super) db: Guard,
    pub(super) lock: Lock,
}

/// What stands at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No directory, an empty one, or one whose creation did not finish.
    Nothing,
    State,
    /// Files, but no state among them.
    Strange,
}

/// Opens a state directory to read from; `None` when there is none. Refuses one with a link anywhere in it.
pub(super) fn directory(path: &Path) -> Result<Option<PrivateDir>, Error> {
    let Some(state) = PrivateDir::open(path)? else { return Ok(None) };
    refuse_links(&state)?;
    Ok(Some(state))
}

/// Looks at `state` without changing anything.
pub(super) fn look(state: &PrivateDir) -> Result<Found, Error> {
    let (mut found, mut is_unfinished) = (Found::Nothing, false);
    for name in state.names().map_err(|error| Error::io("read", state.path(), error))? {
        if name == ARRIVED {
            return Ok(Found::State);
        }
        is_unfinished |= name == CREATING;
        if !BESIDE.iter().any(|beside| name == *beside) {
            found = Found::Strange;
        }
    }
    if is_unfinished {
        return Ok(Found::Nothing);
    }
    let has_head = HeadFile::exists(state).map_err(|error| Error::io("look for the head of", state.path(), error))?;
    Ok(if has_head { Found::State } else { found })
}

/// Takes the lock of a directory that exists, and finishes a push that was decided.
///
/// sled has a lock of its own, but looks at its files before taking it and lets go of it late.
///
/// Refuses a directory that is not ours, or that holds a link anywhere, before anything is written to it.
pub(super) fn lock(state: &PrivateDir) -> Result<Lock, Error> {
    state.claim()?;
    refuse_links(state)?;
    let path = state.path().join(LOCK);
    let file = state.open_private(LOCK).map_err(|error| Error::io("open", &path, error))?;
    let lock = Lock::take(file).map_err(|error| Error::io("lock", &path, error))?;
    let lock = lock.ok_or_else(|| locked(state))?;
    push::finish(state)?;
    Ok(lock)
}

/// Refuses links in the directories that sled opens files in by their paths.
fn refuse_links(state: &PrivateDir) -> Result<(), Error> {
    for name in [SLED, INCOMING, ARRIVED] {
        state.refuse_links_below(name)?;
    }
    Ok(())
}

/// Opens sled's log for reading, past sled.
pub(super) fn log(state: &PrivateDir) -> io::Result<File> {
    let sled = state.sub(SLED).map_err(io::Error::other)?;
    sled.ok_or(io::ErrorKind::NotFound)?.open_file(LOG)
}

/// Opens the state in a locked directory without reading its rows, for who knows that they are whole.
pub(super) fn open_unread(state: &PrivateDir) -> Result<(Facts, Guard), Error> {
    let db = reopen_sled(state, Extent::Opening)?;
    Ok((rows::read_facts(state.path(), &db)?, db))
}

/// Makes a new state in a locked directory.
///
/// `creating` is durable before the first file and goes after the last, so that a crash in between
/// leaves a directory that [`look`] calls nothing.
pub(super) fn create(state: &PrivateDir, lock: Lock, origin: &str, drawn: Drawn) -> Result<Opened, Error> {
    let step = |step: &'static str| move |error| Error::io(step, state.path(), error);
    state.write(CREATING, b"").map_err(step("create"))?;
    state.sync().map_err(step("sync"))?;
    state.remove_tree(SLED).map_err(step("clear the unfinished"))?;
    let db = open_sled(state.path())?;
    let facts = Facts {
        format: u32::from(codec::FORMAT),
        lineage: drawn.lineage.clone(),
        origin: origin.to_owned(),
        identity_key: drawn.identity_key,
    };
    let counters = write_first_batch(state.path(), &db, &facts)?;
    let mut barrier = Barrier::new(state, SLED)?;
    barrier.pass(&db).map_err(step("sync"))?;
    reached(Step::StateBegun);
    let mut head = HeadFile::create(state, drawn.lineage).map_err(step("create the head of"))?;
    head.advance(counters.commit, counters.serial, 0).map_err(step("write the head of"))?;
    state.sync().map_err(step("sync"))?;
    reached(Step::StateMade);
    state.remove(CREATING).map_err(step("finish"))?;
    state.sync().map_err(step("sync"))?;
    Ok(Opened { facts, counters, head, barrier, db, lock })
}

/// Opens the state in a locked directory; `read` reads all rows and proves that they are all there.
pub(super) fn open(
    state: &PrivateDir,
    lock: Lock,
    read: impl FnOnce(&sled::Db) -> Result<Counters, Error>,
) -> Result<Opened, Error> {
    open_unproven(state, lock)?.read(state, read)
}

/// A state directory of which nothing is known but its facts: what it holds must be read before it is trusted.
pub(super) struct Unproven {
    pub(super) facts: Facts,
    head: HeadFile,
    pub(super) db: Guard,
    lock: Lock,
}

/// Opens the state in a locked directory without reading its rows, which may not be whole.
pub(super) fn open_unproven(state: &PrivateDir, lock: Lock) -> Result<Unproven, Error> {
    let head = HeadFile::open(state)?;
    let db = reopen_sled(state, Extent::All)?;
    let facts = rows::read_facts(state.path(), &db)?;
    if facts.lineage != head.now().lineage {
        let why = format!("its head is of lineage {}, its rows of {}", head.now().lineage, facts.lineage);
        return Err(Error::unreadable(state.path(), why));
    }
    Ok(Unproven { facts, head, db, lock })
}

impl Unproven {
    /// Trusts it once `read` has read all rows and proven that they are all there.
    pub(super) fn read(
        self,
        state: &PrivateDir,
        read: impl FnOnce(&sled::Db) -> Result<Counters, Error>,
    ) -> Result<Opened, Error> {
        // The lock is named before sled and so dropped after it.
        let Self { facts, head, lock, db } = self;
        let counters = read(&db)?;
        compare_with_head(state.path(), &counters, &head)?;
        let barrier = Barrier::new(state, SLED)?;
        Ok(Opened { facts, counters, head, barrier, db, lock })
    }
}

/// Refuses a state that is behind its head. One ahead of it is fine: the head is written last.
fn compare_with_head(state: &Path, counters: &Counters, head: &HeadFile) -> Result<(), Error> {
    let head = head.now();
    if counters.commit < head.commit {
        let why = format!("it is older than it was: it holds commit {} of {}", counters.commit, head.commit);
        return Err(Error::unreadable(state, why));
    }
    let same = counters.serial == head.serial && counters.totals.bindings == head.bindings;
    if counters.commit == head.commit && !same {
        let why = format!(
            "it holds {} bindings at serial {}, its head says {} at serial {}",
            counters.totals.bindings, counters.serial, head.bindings, head.serial
        );
        return Err(Error::unreadable(state, why));
    }
    Ok(())
}

fn write_first_batch(state: &Path, db: &sled::Db, facts: &Facts) -> Result<Counters, Error> {
    let value = codec::encode(facts);
    let mut counters = Counters { commit: 1, serial: Serial(0), ..Counters::default() };
    counters.totals.add(keys::FACTS, &value);
    let mut batch = sled::Batch::default();
    batch.insert(keys::FACTS, value);
    batch.insert(keys::COUNTERS, codec::encode(&counters));
    rows::protect(state, || db.apply_batch(batch).map_err(|error| Error::sled(state, error)))?;
    Ok(counters)
}

/// Opens sled where there is one, once its files were read.
fn reopen_sled(state: &PrivateDir, extent: Extent) -> Result<Guard, Error> {
    match log(state) {
        Ok(_) => {}
        // sled would make a new one, and lose the last hint of what was.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::unreadable(state.path(), "its sled/db is gone"));
        }
        Err(error) => return Err(Error::io("open", &state.path().join(SLED).join(LOG), error)),
    }
    survey(state, extent)?;
    open_sled(state.path())
}

/// Opens sled. The caller holds our lock, so if sled's is taken, nobody writes: threads of an earlier sled have it, or
/// a process that was just started and has copies of our descriptors for a moment more. Either is waited for.
pub(super) fn open_sled(state: &Path) -> Result<Guard, Error> {
    let path = state.join(SLED);
    let config = sled::Config::new()
        .path(&path)
        .cache_capacity(CACHE_BYTES)
        // Barriers are ours; a thread that flushes on its own would only fail unseen.
        .flush_every_ms(None)
        .mode(sled::Mode::LowSpace);
    for _ in 0..LOCK_ATTEMPTS {
        match panics::catch(|| config.open()) {
            Ok(Ok(db)) => return Ok(Guard::new(db, state)),
            Ok(Err(error)) if says_locked(&error) || sled_is_locked(&path) => pause(),
            Ok(Err(error)) => return Err(Error::sled(state, error).at("open")),
            Err(panic) => return Err(Error::unreadable(state, format!("sled stopped at it: {panic}"))),
        }
    }
    Err(sled_stays_locked(state))
}

/// Waits until nobody has sled's files open any more: threads of a sled that was dropped work on for a moment.
///
/// Tells whether that came to be.
pub(super) fn wait_for_sled(state: &Path) -> bool {
    let path = state.join(SLED);
    for _ in 0..LOCK_ATTEMPTS {
        if !sled_is_locked(&path) {
            return true;
        }
        pause();
    }
    false
}

/// Reports whether sled found its lock taken, which it tells by these words alone.
///
/// To ask the lock afterwards is not enough: whoever had it may have let go meanwhile. Words that a later sled no
/// longer says cost no more than that.
fn says_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(source) if source.to_string().starts_with("could not acquire lock"))
}

fn sled_is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path.join("db")) else { return false };
    matches!(Lock::take(file), Ok(None))
}

#[expect(clippy::disallowed_methods, reason = "sled's threads say nothing when they let go of the lock")]
pub(super) fn pause() {
    std::thread::sleep(LOCK_PAUSE);
}

pub(super) fn locked(state: &PrivateDir) -> Error {
    Error::Locked { path: state.path().to_owned(), holder: holder::read(state).map(Box::new) }
}

pub(super) fn sled_stays_locked(state: &Path) -> Error {
    Error::Locked { path: state.to_owned(), holder: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a_state_takes_the_place_of_one_that_is_behind` failed once: a process that another thread had just started held
    /// a copy of the descriptor until it was exec'd, and had let go of it before the lock was asked.
    #[test]
    fn a_lock_that_was_let_go_of_before_it_is_asked_is_waited_for_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        drop(open_sled(directory.path()).unwrap());
        let path = directory.path().join(SLED);
        let held = File::open(path.join(LOG)).unwrap();
        held.try_lock().unwrap();
        let error = sled::Config::new().path(&path).open().unwrap_err();
        drop(held);
        assert!(!sled_is_locked(&path));
        assert!(says_locked(&error), "{error}");
        open_sled(directory.path()).unwrap();
    }

    #[test]
    fn damage_is_not_taken_for_a_lock() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("sled/db")).unwrap();
        let error = sled::Config::new().path(directory.path().join(SLED)).open().unwrap_err();
        assert!(!says_locked(&error), "{error}");
    }
}
