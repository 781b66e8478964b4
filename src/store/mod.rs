//! The state: which key became which contact, what is under way, what was forgotten.
//!
//! The one home of sled. It persists and decides nothing: what changes come is up to the caller.
//! When [`Store::commit`] has returned, the changes survive a crash and a loss of power. A state
//! that is not whole is refused, never read as an emptier one. `docs/state-format.md` draws it.

mod barrier;
mod borrowed;
#[cfg(test)]
mod broken;
mod change;
mod codec;
mod commit;
mod copy;
mod error;
mod files;
mod footprint;
mod guard;
mod head;
mod holder;
mod index_file;
mod keys;
mod lock;
mod open;
mod own_dir;
mod panics;
pub(crate) mod postgres;
mod pull;
mod push;
mod rows;
mod seat;
mod since_index;
mod snapshot;
mod spent;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

#[cfg(test)]
pub(crate) use broken::{Broken, Moment};
pub use change::Change;
pub use error::Error;
pub use footprint::Footprint;
pub use holder::Holder;
pub use index_file::{Basis, file_time, open_index, renew, stands};
pub use open::Drawn;
pub use own_dir::{OwnDir, check_own_dir};
pub use pull::pull;
pub use push::{Held, Incoming, Setback, Standing};
pub use seat::{Seat, Seating, paused, seated, seating};
pub use snapshot::{Part, Snapshot, Wanted};
pub use spent::{PlanProgress, PlanRow};

use commit::{Request, Writer};
use files::Anchor;
use guard::Guard;
use lock::Lock;
use open::{Found, Opened};
use rows::Facts;
use since_index::SinceIndex;
use snapshot::Gathering;

use crate::index::{HeadNote, StateNote, WriteError};
use crate::model::{ApolloId, Binding, ContactKey, Endpoint, IntentId, Serial};
use crate::private_dir::PrivateDir;

/// How many changes always fit one commit: each writes up to three rows, of 99 that a commit may have.
///
/// A rename also rewrites the key's intents, of which there are rarely any.
pub const CHANGES_PER_COMMIT: usize = 30;

/// Where a state is and who opens it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The state directory.
    pub path: PathBuf,
    /// The origin of the API, `https://api.apollo.io` for example.
    pub origin: String,
    /// The contact directory that the state belongs to, where that is recorded.
    pub own_dir: Option<OwnDir>,
    pub holder: Holder,
}

/// The one writer of a state. Clones are handles to the same.
///
/// The state is released when the last handle is dropped, or by [`Store::close`].
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    state: PrivateDir,
    facts: Facts,
    last_intent: AtomicU64,
    /// The serial of the last commit.
    serial: AtomicU64,
    /// Held by snapshots to keep the writer from moving rows.
    gate: Arc<RwLock<()>>,
    barriers: Arc<AtomicU64>,
    since_index: Arc<Mutex<SinceIndex>>,
    /// The lock, which moves with the state.
    anchor: Anchor,
    open: RwLock<Option<OpenParts>>,
    writer: Mutex<Option<WriterThread>>,
    #[cfg(test)]
    broken: Arc<std::sync::OnceLock<Arc<Broken>>>,
}

/// What is given back when the store closes. Fields drop in order: sled before our lock.
struct OpenParts {
    db: Guard,
    _lock: Lock,
}

struct WriterThread {
    requests: Sender<Request>,
    thread: JoinHandle<()>,
}

impl Store {
    /// Opens the state for writing, creating it when there is none.
    ///
    /// `drawn` is used for a new state only. Every row is read once, to prove that none is missing.
    pub fn open(options: Options, drawn: Drawn) -> Result<Self, Error> {
        let Options { path, origin, own_dir, holder } = options;
        let (state, opened) = open_or_create(&path, &origin, drawn, own_dir.as_ref())?;
        if opened.facts.origin != origin {
            return Err(Error::OtherOrigin { path, recorded: opened.facts.origin, given: origin });
        }
        own_dir.map_or(Ok(()), |own| own_dir::record(&state, &own))?;
        holder::write(&state, &holder).map_err(|error| Error::io("write holder.json in", &path, error))?;
        let word = format!("{} {}", holder.pid, holder.since.0);
        Self::start(state, opened, word)
    }

    /// Makes changes, all of them or none, and returns once they are durable.
    ///
    /// Commits made at the same time share a barrier. One whose future is dropped may still happen.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<Serial, Error> {
        if let Some(highest) = changes.iter().filter_map(Change::intent_written).max() {
            self.shared.last_intent.fetch_max(highest.0, Ordering::Relaxed);
        }
        let serial = self.request(|reply| Request::Commit { changes, reply }).await?;
        self.shared.serial.fetch_max(serial.0, Ordering::Relaxed);
        Ok(serial)
    }

    /// Returns the serial as of the last commit that has returned.
    pub fn serial(&self) -> Serial {
        Serial(self.shared.serial.load(Ordering::Relaxed))
    }

    /// Copies what a plan needs.
    ///
    /// Waits for a barrier under way, and keeps commits waiting meanwhile.
    pub fn snapshot(&self, wanted: &Wanted<'_>) -> Result<Snapshot, Error> {
        let _one_serial = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        self.shared.with_db(|path, db| {
            let (gathering, counters) = Gathering::read(path, db, *wanted)?;
            Ok(gathering.complete(&self.shared.facts, &counters))
        })
    }

    /// Copies the part of a snapshot that an index leaves open; `None` when the state does not stand as it noted,
    /// but for keys that are part of it.
    pub fn snapshot_part(&self, wanted: &Wanted<'_>, part: &Part) -> Result<Option<Snapshot>, Error> {
        let _one_serial = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        if !self.shared.since_index().is_covered_by(part) {
            return Ok(None);
        }
        self.shared.with_db(|path, db| part.read(path, db, &self.shared.facts, wanted, None))
    }

    /// Reports whether an index with this note was up to date when the state was opened, or was written since.
    pub fn knows(&self, note: &StateNote) -> bool {
        self.shared.since_index().begins_at(&note.head)
    }

    /// Returns the keys whose bindings were written since the state was opened or the index renewed; `None` when
    /// they were too many to remember.
    pub fn written(&self) -> Option<BTreeSet<ContactKey>> {
        self.shared.since_index().written()
    }

    /// Reports whether a write has failed, so that none is taken until the state is opened again.
    pub fn has_failed(&self) -> bool {
        self.shared.since_index().failed().is_some()
    }

    /// Reads what the head says now, and whether there are neither intents nor conflicts.
    ///
    /// Fails once a write has: what is in memory then is not what the head is of.
    pub fn head(&self) -> Result<(HeadNote, bool), Error> {
        let _one_serial = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = self.shared.since_index().failed() {
            return Err(Error::Poisoned { path: self.shared.path.clone(), why: why.to_owned() });
        }
        self.shared.with_db(|path, db| {
            let is_empty = |table: &[u8; 2]| db.scan_prefix(table).next().is_none();
            let is_quiet = rows::protect(path, || Ok(keys::UNQUIET.iter().all(is_empty)))?;
            Ok((head::note(&self.shared.state)?, is_quiet))
        })
    }

    /// Replaces the index, if the state stands as its note says; it counts as up to date from then on.
    ///
    /// Reports whether it was replaced; never once a write has failed.
    pub fn renew_index(
        &self,
        head: &HeadNote,
        write: impl FnOnce(&mut dyn std::io::Write) -> Result<(), WriteError>,
    ) -> Result<bool, WriteError> {
        let state = &self.shared.state;
        if !self.shared.anchor.holds() {
            return Ok(false);
        }
        index_file::write_fresh(state, write)?;
        let _no_commit = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        // While commits come one after the other, the head may be behind them.
        let commit = self.shared.get::<rows::Counters>(keys::COUNTERS).ok().flatten().map(|counters| counters.commit);
        if commit != Some(head.commit) || head::note(state).ok().as_ref() != Some(head) {
            return Ok(false);
        }
        // Until the index counts, what is written from here on has to mark again.
        let mut since = self.shared.since_index();
        if since.failed().is_some() {
            return Ok(false);
        }
        index_file::install(state)?;
        since.restart(head.clone());
        Ok(true)
    }

    /// Returns the binding of a key; it may be one that is on its way to the disk.
    pub fn binding(&self, key: &ContactKey) -> Result<Option<Binding>, Error> {
        self.shared.get(&keys::binding(key))
    }

    /// Returns up to `most` of the bindings whose contacts are not known to be gone.
    pub fn some_bindings(&self, most: usize) -> Result<Vec<Binding>, Error> {
        self.shared.with_db(|path, db| {
            rows::protect(path, || {
                let mut found = Vec::new();
                for value in db.scan_prefix(keys::BINDINGS).values() {
                    if found.len() == most {
                        break;
                    }
                    let value = value.map_err(|error| Error::sled(path, error))?;
                    let binding: Binding = rows::decode(path, &value)?;
                    if binding.gone_at.is_none() {
                        found.push(binding);
                    }
                }
                Ok(found)
            })
        })
    }

    /// Returns the quota ledgers, as the caller wrote them.
    pub fn quota(&self) -> Result<BTreeMap<Endpoint, String>, Error> {
        let ledger = |endpoint| Ok(self.shared.get(&keys::quota(endpoint))?.map(|ledger| (endpoint, ledger)));
        Endpoint::ALL.into_iter().filter_map(|endpoint| ledger(endpoint).transpose()).collect()
    }

    /// Returns the key that a contact belongs to; it may be one that is on its way to the disk.
    pub fn owner_of(&self, id: &ApolloId) -> Result<Option<ContactKey>, Error> {
        let owner = self.shared.get(&keys::owner(id))?;
        match keys::owner_in_capitals(id) {
            Some(former) if owner.is_none() => self.shared.get(&former),
            _ => Ok(owner),
        }
    }

    /// Returns a number above that of every intent ever written to this state.
    ///
    /// One that was handed out and never written may come again after a restart.
    pub fn next_intent_id(&self) -> IntentId {
        IntentId(self.shared.last_intent.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Passes a last barrier, stops the writer and releases the state; other handles find it closed.
    pub async fn close(self) -> Result<(), Error> {
        let last = self.request(|reply| Request::Close { reply }).await;
        self.shared.release()?;
        last.map(drop)
    }

    /// Says again who has the state open, for example once it answers readers.
    pub fn announce(&self, holder: &Holder) -> Result<(), Error> {
        self.shared.with_db(|path, _| {
            holder::write(&self.shared.state, holder).map_err(|error| Error::io("write holder.json in", path, error))
        })
    }

    /// Fails a commit to come.
    #[cfg(test)]
    pub(crate) fn break_at(&self, broken: Arc<Broken>) {
        let _ = self.shared.broken.set(broken);
    }

    /// Returns the state directory.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Returns how many barriers were passed since opening.
    pub fn barriers(&self) -> u64 {
        self.shared.barriers.load(Ordering::Relaxed)
    }

    fn start(state: PrivateDir, opened: Opened, word: String) -> Result<Self, Error> {
        let path = state.path().to_owned();
        let basis = Basis::now(&state).map_err(|error| Error::io("read the mark in", &path, error))?;
        let basis = basis.filter(|basis| basis.is_unmarked() && basis.head.commit == opened.counters.commit);
        let since_index = Arc::new(Mutex::new(SinceIndex::new(basis.map(|basis| basis.head), word)));
        let Opened { facts, counters, head, barrier, db, lock } = opened;
        let gate = Arc::new(RwLock::new(()));
        let anchor =
            Anchor::new(path.join(open::LOCK), lock.file()).map_err(|error| Error::io("look at", &path, error))?;
        let barriers = barrier.counter();
        let last_intent = AtomicU64::new(counters.last_intent);
        let serial = AtomicU64::new(counters.serial.0);
        #[cfg(test)]
        let broken: Arc<std::sync::OnceLock<Arc<Broken>>> = Arc::default();
        let writer = Writer {
            state: state.clone(),
            db: sled::Db::clone(&db),
            gate: Arc::clone(&gate),
            barrier,
            head,
            counters,
            pending: change::Writes::new(),
            plan: None,
            poisoned: None,
            waiting: Vec::new(),
            head_lag: 0,
            anchor: anchor.clone(),
            since_index: Arc::clone(&since_index),
            #[cfg(test)]
            broken: Arc::clone(&broken),
        };
        let (requests, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| Error::io("start the writer of", &path, error))?;
        let open = RwLock::new(Some(OpenParts { db, _lock: lock }));
        let writer = Mutex::new(Some(WriterThread { requests, thread }));
        let shared = Shared {
            path,
            state,
            facts,
            last_intent,
            serial,
            gate,
            barriers,
            since_index,
            anchor,
            open,
            writer,
            #[cfg(test)]
            broken,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    async fn request(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<Serial, Error>>) -> Request,
    ) -> Result<Serial, Error> {
        let closed = || Error::Closed { path: self.shared.path.clone() };
        let (reply, answer) = oneshot::channel();
        let sent = self.shared.writer().as_ref().map(|writer| writer.requests.send(request(reply)));
        match sent {
            Some(Ok(())) => answer.await.map_err(|_| closed())?,
            Some(Err(_)) | None => Err(closed()),
        }
    }
}

/// Copies what a plan needs from a state that no one writes; `None` when there is no state yet.
///
/// Creates nothing where there is none, and writes nothing to one of another user's. A state that a writer has open is [`Error::Locked`].
pub fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Option<Snapshot>, Error> {
    Ok(read_noting(path, wanted)?.map(|(snapshot, _)| snapshot))
}

/// Copies as [`read`] does, and notes what an index of it can be renewed by.
pub fn read_noting(path: &Path, wanted: &Wanted<'_>) -> Result<Option<(Snapshot, Option<Basis>)>, Error> {
    if let Some(state) = find(path)?.filter(|state| !state.is_ours()) {
        let read = borrowed::read(&state, |copy| read_noting(copy, wanted))?;
        return Ok(read.map(|(snapshot, _)| (snapshot, None)));
    }
    let Some((state, lock)) = lock_existing(path)? else { return Ok(None) };
    let mut gathering = None;
    let opened = open::open(&state, lock, |db| {
        let (read, counters) = Gathering::read(path, db, *wanted)?;
        gathering = Some(read);
        Ok(counters)
    })?;
    let basis = Basis::now(&state).map_err(|error| Error::io("read the mark in", path, error))?;
    // A state ahead of its head says something else than its head.
    let basis = basis.filter(|basis| basis.head.commit == opened.counters.commit);
    let Opened { facts, counters, db, lock, .. } = opened;
    let gathering = gathering.expect("a state that is open was read");
    let snapshot = gathering.complete(&facts, &counters);
    db.close()?;
    index_file::vouch(&state);
    drop(lock);
    Ok(Some((snapshot, basis)))
}

/// Copies a part of a state that no one writes; `None` when it does not stand as the index noted it.
pub fn read_part(path: &Path, wanted: &Wanted<'_>, part: &Part) -> Result<Option<(Snapshot, Basis)>, Error> {
    let Some(state) = find(path)?.filter(PrivateDir::is_ours) else { return Ok(None) };
    let _lock = open::lock(&state)?;
    if !index_file::stands_in(&state, &part.note) {
        return Ok(None);
    }
    forget_holder(&state)?;
    let basis = Basis::now(&state).map_err(|error| Error::io("read the mark in", path, error))?;
    let (facts, db) = open::open_unread(&state)?;
    let read = part.read(path, &db, &facts, wanted, Some(part.note.head.commit))?;
    db.close()?;
    index_file::vouch(&state);
    Ok(read.zip(basis))
}

/// Reports whether there is a state at `path`.
pub fn exists(path: &Path) -> Result<bool, Error> {
    Ok(find(path)?.is_some())
}

/// Opens the directory of the state at `path`; `None` when there is no state.
fn find(path: &Path) -> Result<Option<PrivateDir>, Error> {
    let Some(state) = open::directory(path)? else { return Ok(None) };
    Ok(holds_state(&state)?.then_some(state))
}

fn holds_state(state: &PrivateDir) -> Result<bool, Error> {
    match open::look(state)? {
        Found::Nothing => Ok(false),
        Found::State => Ok(true),
        Found::Strange => Err(strange(state.path())),
    }
}

fn open_or_create(
    path: &Path,
    origin: &str,
    drawn: Drawn,
    own_dir: Option<&OwnDir>,
) -> Result<(PrivateDir, Opened), Error> {
    // Looked at before anything is written: a directory that is no state stays as it is.
    exists(path)?;
    let state = PrivateDir::make(path)?;
    let lock = open::lock(&state)?;
    forget_holder(&state)?;
    own_dir.map_or(Ok(()), |own| own_dir::check(&state, own))?;
    let opened = if holds_state(&state)? {
        open::open(&state, lock, |db| rows::verify(path, db))
    } else {
        open::create(&state, lock, origin, drawn)
    };
    Ok((state, opened?))
}

/// Takes the lock of a state that is there; `None` when there is none.
fn lock_existing(path: &Path) -> Result<Option<(PrivateDir, Lock)>, Error> {
    let Some(state) = find(path)? else { return Ok(None) };
    let lock = open::lock(&state)?;
    // Looked at again under the lock: a writer may have made or finished it meanwhile.
    if !holds_state(&state)? {
        return Ok(None);
    }
    forget_holder(&state)?;
    Ok(Some((state, lock)))
}

/// Removes what a dead process said about itself, so that it is not named while the lock is ours.
fn forget_holder(state: &PrivateDir) -> Result<(), Error> {
    holder::remove(state).map_err(|error| Error::io("remove holder.json from", state.path(), error))
}

fn strange(path: &Path) -> Error {
    Error::unreadable(path, "it holds files but no head")
}

impl Shared {
    fn since_index(&self) -> MutexGuard<'_, SinceIndex> {
        self.since_index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Error> {
        self.with_db(|path, db| {
            let value = rows::protect(path, || db.get(key).map_err(|error| Error::sled(path, error)))?;
            value.map(|value| rows::decode(path, &value)).transpose()
        })
    }

    fn with_db<T>(&self, read: impl FnOnce(&Path, &sled::Db) -> Result<T, Error>) -> Result<T, Error> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let parts = open.as_ref().ok_or_else(|| Error::Closed { path: self.path.clone() })?;
        read(&self.path, &parts.db)
    }

    fn writer(&self) -> MutexGuard<'_, Option<WriterThread>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the thread after what it was asked, and lets go of the files; does nothing the second time.
    fn release(&self) -> Result<(), Error> {
        if let Some(WriterThread { requests, thread }) = self.writer().take() {
            drop(requests);
            // It panics in no step that is not caught.
            let _ = thread.join();
        }
        let Some(parts) = self.open.write().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let removed = holder::remove(&self.state);
        let OpenParts { db, _lock: lock } = parts;
        let closed = db.close();
        if closed.is_ok() {
            index_file::vouch(&self.state);
        }
        drop(lock);
        removed.map_err(|error| Error::io("remove holder.json from", &self.path, error))?;
        closed
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Every commit was answered with its own result; there is no one left to tell more.
        let _ = self.release();
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.shared.path).finish_non_exhaustive()
    }
}
