//! The handle to a state that this process has open for writing.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::any_rows::AnyRows;
#[cfg(test)]
use super::broken::Broken;
use super::engine::SledEngine;
use super::guard::Guard;
use super::heal::{Healed, Remark};
use super::index_file::{self, Basis};
use super::lease::Lease;
use super::lock::{Anchor, Lock};
use super::open::{self, Options};
use super::opened::Opened;
use super::place::LOCK;
use super::postgres::{self, Held, PostgresEngine, SharedQuota, SharedRows};
use super::rows::SledRows;
use super::since_index::SinceIndex;
use super::writer::{Request, Writer};
use super::{head, holder};
use crate::aside::aside;
use crate::index::{HeadNote, StateNote, WriteError};
use crate::model::{ApolloId, Binding, BulkCreate, ContactKey, Endpoint, IntentId, Names, Serial, Timestamp};
use crate::private_dir::PrivateDir;
use crate::quota::pool_of;
use crate::state::{
    self, Change, Counters, Drafts, Drawn, Engine, Error, Facts, Gathering, Holder, Location, Part, PlanProgress, Row,
    Rows, Snapshot, Wanted,
};

/// The one writer of a state. Clones are handles to the same.
///
/// The state is released when the last handle is dropped, or by [`Store::close`].
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    location: Location,
    facts: Facts,
    last_intent: AtomicU64,
    /// The serial of the last commit.
    serial: AtomicU64,
    /// Held by snapshots to keep the writer from moving rows.
    gate: Arc<RwLock<()>>,
    /// Why what is on disk is unknown, once a write has failed; until the state is opened again, nothing is written
    /// and no index is true of it.
    failed: Arc<OnceLock<String>>,
    beside: Beside,
    open: RwLock<Option<OpenParts>>,
    #[cfg(test)]
    broken: Arc<OnceLock<Arc<Broken>>>,
}

/// What stands beside the rows, by the engine that keeps them.
enum Beside {
    Directory(Directory),
    Database(Arc<Held>),
}

/// The directory of a state.
struct Directory {
    state: PrivateDir,
    since_index: Arc<Mutex<SinceIndex>>,
    /// The lock, which moves with the state.
    anchor: Anchor,
    remarks: Vec<Remark>,
}

/// The rows, and what keeps others from them.
enum OpenRows {
    // Fields drop in order: sled before our lock.
    Directory { db: Guard, lock: Lock },
    Database(SharedRows),
}

/// What is given back when the store closes.
struct OpenParts {
    requests: Sender<Request>,
    thread: JoinHandle<()>,
    rows: OpenRows,
}

impl Store {
    /// Opens the state for writing, creating it when there is none. Blocks.
    ///
    /// `drawn` is used for a new state only. Every row is read once, to prove that none is missing.
    pub fn open(options: &Options, drawn: Drawn) -> Result<Self, Error> {
        if let Location::Database { .. } = options.location {
            return Self::open_database(options, &drawn);
        }
        let (state, healed) = open::open_or_create(options, drawn)?;
        let word = format!("{} {}", options.holder.pid, options.holder.since.0);
        Self::start(options.location.clone(), &state, healed, word)
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
    pub async fn snapshot(&self, wanted: &Wanted) -> Result<Snapshot, Error> {
        let wanted = wanted.clone();
        self.at_one_serial(move |shared, rows| {
            let roster = Arc::clone(&wanted.roster);
            let gathering = Gathering::new(wanted);
            let counters = rows.scan(&roster, |key, value| gathering.take(&shared.location, key, value))?;
            Ok(gathering.complete(&shared.facts, &counters))
        })
        .await
    }

    /// Copies the part of a snapshot that an index leaves open; `None` when the state does not stand as it noted,
    /// but for keys that are part of it.
    pub async fn snapshot_part(
        &self,
        wanted: &Wanted,
        part: &Part,
        note: &StateNote,
    ) -> Result<Option<Snapshot>, Error> {
        let (wanted, part, head) = (wanted.clone(), part.clone(), note.head.clone());
        self.at_one_serial(move |shared, rows| {
            let is_covered = shared.directory().is_some_and(|beside| beside.since_index().is_covered_by(&part, &head));
            if shared.failed.get().is_some() || !is_covered {
                return Ok(None);
            }
            part.read(&rows, &shared.facts, &wanted, None)
        })
        .await
    }

    /// Copies everything but the bindings.
    pub async fn without_bindings(&self) -> Result<Snapshot, Error> {
        let part = Part { keys: Vec::new(), bound: Vec::new(), unchanged: 0 };
        let read =
            move |shared: &Shared, rows: AnyRows<'_>| part.read(&rows, &shared.facts, &Wanted::everything(), None);
        Ok(self.at_one_serial(read).await?.expect("every state that is open has counters"))
    }

    /// Reports whether an index with this note was up to date when the state was opened, or was written since.
    pub fn knows(&self, note: &StateNote) -> bool {
        let begins = |directory: &Directory| directory.since_index().begins_at(&note.head);
        !self.has_failed() && self.shared.directory().is_some_and(begins)
    }

    /// Tells how the keys stand whose bindings were written since the state was opened or the index renewed, each as
    /// `judge` has it, which is all that is kept of the bindings; `None` when they were too many to remember.
    pub async fn written<T: Send + 'static>(
        &self,
        judge: impl Fn(&ContactKey, Option<&Binding>) -> T + Send + 'static,
    ) -> Result<Option<Vec<(ContactKey, T)>>, Error> {
        let written = self.shared.directory().and_then(|directory| directory.since_index().written());
        let Some(written) = written else { return Ok(None) };
        self.read(move |_, rows| {
            let judged = written.into_iter().map(|key| {
                let binding = rows.read(&Row::Binding(key.clone()))?;
                let how = judge(&key, binding.as_ref());
                Ok((key, how))
            });
            judged.collect::<Result<_, Error>>().map(Some)
        })
        .await
    }

    /// Reports whether a write has failed or the lease was lost, so that no write is taken until the state is opened
    /// again.
    pub fn has_failed(&self) -> bool {
        let is_lost = matches!(&self.shared.beside, Beside::Database(lease) if lease.is_lost());
        is_lost || self.shared.failed.get().is_some()
    }

    /// Reads what the head says now, and whether there are neither intents nor conflicts; `None` of a state that no
    /// index is made of.
    ///
    /// Fails once a write has: what is in memory then is not what the head is of.
    pub async fn head(&self) -> Result<Option<(HeadNote, bool)>, Error> {
        self.at_one_serial(|shared, rows| {
            if let Some(why) = shared.failed.get() {
                return Err(Error::Poisoned { state: shared.location.clone(), why: why.clone() });
            }
            let Some(directory) = shared.directory() else { return Ok(None) };
            Ok(Some((head::note(&directory.state)?, state::is_quiet(&rows))))
        })
        .await
    }

    /// Replaces the index, if the state stands as its note says; it counts as up to date from then on.
    ///
    /// Reports whether it was replaced; never once a write has failed.
    pub async fn renew_index(
        &self,
        head: HeadNote,
        write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError> + Send + 'static,
    ) -> Result<bool, WriteError> {
        let shared = Arc::clone(&self.shared);
        aside(move || shared.renew_index(head, write)).await
    }

    /// Returns the binding of a key; it may be one that is on its way to the disk.
    pub async fn binding(&self, key: &ContactKey) -> Result<Option<Binding>, Error> {
        let row = Row::Binding(key.clone());
        self.read(move |_, rows| rows.read(&row)).await
    }

    /// Returns up to `most` of the bindings whose contacts are not known to be gone.
    pub async fn some_bindings(&self, most: usize) -> Result<Vec<Binding>, Error> {
        self.read(move |_, rows| state::some_bindings(&rows, most)).await
    }

    /// Reports whether there are creates that were sent and not answered.
    pub async fn has_doubts(&self) -> Result<bool, Error> {
        self.read(|_, rows| state::has_doubts(&rows)).await
    }

    /// Returns up to `most` contacts that are the state's: those of [`Self::some_bindings`], then those that were forgotten.
    pub async fn some_contacts(&self, most: usize) -> Result<Vec<ApolloId>, Error> {
        self.read(move |_, rows| state::some_contacts(&rows, most)).await
    }

    /// Returns the quota ledgers, as the caller wrote them.
    pub async fn quota(&self) -> Result<BTreeMap<Endpoint, String>, Error> {
        self.read(|_, rows| state::quota(&rows)).await
    }

    /// Reports whether the quota is shared with other runners: by [`Store::change_pool`], not in this state.
    pub fn shares_quota(&self) -> bool {
        matches!(self.shared.beside, Beside::Database(_))
    }

    /// Returns the time by the clock of the database, where the state is in one: that of all who use it.
    pub async fn time_there(&self) -> Result<Option<Timestamp>, Error> {
        if !self.shares_quota() {
            return Ok(None);
        }
        let rows = self.shared_rows()?;
        aside(move || rows.now()).await.map(Some)
    }

    /// Reads what the runners of a team share of the quota.
    pub async fn shared_quota(&self, team: String) -> Result<SharedQuota, Error> {
        let rows = self.shared_rows()?;
        aside(move || rows.pools(&pool_of(&team))).await
    }

    fn shared_rows(&self) -> Result<SharedRows, Error> {
        self.shared.with_open(|open| match &open.rows {
            OpenRows::Database(rows) => Ok(rows.clone()),
            OpenRows::Directory { .. } => unreachable!("a directory is shared with nobody"),
        })
    }

    /// Changes what runners share of the quota of a team, for one kind of request.
    ///
    /// `change` gets what was written last, empty at first, the time there, and whether an attempt of which no answer
    /// came may have changed it already.
    pub async fn change_pool<T: Send + 'static>(
        &self,
        team: String,
        endpoint: Endpoint,
        change: impl FnMut(&str, Timestamp, bool) -> (String, T) + Send + 'static,
    ) -> Result<T, Error> {
        let rows = self.shared_rows()?;
        aside(move || rows.change_pool(&team, endpoint.name(), change)).await
    }

    /// Returns the parts of what is known of everybody in the account, as the caller wrote them, in their order.
    pub async fn account(&self) -> Result<Vec<String>, Error> {
        self.read(|_, rows| state::account(&rows)).await
    }

    /// Tells how far creating many contacts in one request is known to work; `None` when nobody has asked.
    pub async fn bulk_create(&self) -> Result<Option<BulkCreate>, Error> {
        self.read(|_, rows| rows.read(&Row::BulkCreate)).await
    }

    /// Returns the names that Apollo has told.
    pub async fn names(&self) -> Result<Names, Error> {
        self.read(|_, rows| state::names(&rows)).await
    }

    /// Returns the key that a contact belongs to; it may be one that is on its way to the disk.
    pub async fn owner_of(&self, id: &ApolloId) -> Result<Option<ContactKey>, Error> {
        let id = id.clone();
        self.read(move |_, rows| state::owner_of(&rows, &id)).await
    }

    /// Returns what is remembered of saved plans.
    ///
    /// Waits for a barrier under way, so that it shows one serial.
    pub async fn plan_progress(&self) -> Result<PlanProgress, Error> {
        self.at_one_serial(|_, rows| state::plan_progress(&rows)).await
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

    /// Returns the lease on a state that machines share; `None` for one on this machine, and for a closed one.
    pub fn lease(&self) -> Option<Lease> {
        self.shares_quota().then(|| self.shared_rows().ok().map(Lease)).flatten()
    }

    /// Tells what was done about the state before it was opened.
    pub fn remarks(&self) -> &[Remark] {
        self.shared.directory().map_or(&[], |directory| &directory.remarks)
    }

    /// Says again who has the state open, for example once it answers readers.
    pub fn announce(&self, holder: &Holder) -> Result<(), Error> {
        let write = |directory: &Directory| holder::write(&directory.state, holder);
        self.shared.with_rows(|_| self.shared.directory().map_or(Ok(()), write))
    }

    /// Says that another process may have taken the state.
    pub fn taken_over(&self) -> Error {
        let why = "the lease on the state could not be renewed in time, so nothing more is sent".to_owned();
        Error::Database { state: self.shared.location.clone(), why }
    }

    /// Reports whether this process may send a request that takes up to `time`: nobody else can have taken the state
    /// over before it ends.
    pub fn outlasts(&self, time: Duration) -> bool {
        match &self.shared.beside {
            Beside::Directory(_) => true,
            Beside::Database(lease) => lease.outlasts(time) && !self.has_failed(),
        }
    }

    /// Returns once another process may have taken the state; never if only one machine uses it.
    pub async fn until_taken_over(&self) {
        match &self.shared.beside {
            Beside::Directory(_) => std::future::pending().await,
            Beside::Database(lease) => lease.until_lost().await,
        }
    }

    /// Fails a commit to come.
    #[cfg(test)]
    pub(crate) fn break_at(&self, broken: Arc<Broken>) {
        let _ = self.shared.broken.set(broken);
    }

    /// Keeps the writer waiting as long as somebody reads it.
    #[cfg(test)]
    pub(super) fn gate(&self) -> &RwLock<()> {
        &self.shared.gate
    }

    /// Tells where the state is.
    pub fn location(&self) -> &Location {
        &self.shared.location
    }

    fn start(location: Location, state: &PrivateDir, healed: Healed, word: String) -> Result<Self, Error> {
        let Healed { opened, copy, remarks } = healed;
        let Opened { facts, counters, head, barrier, db, lock } = opened;
        let path = state.path();
        let failed = |step| move |error| Error::io(step, path, error);
        let basis = Basis::now(state).map_err(failed("read the mark in"))?;
        let basis = basis.filter(|basis| basis.is_unmarked() && basis.head.commit == counters.commit);
        let since_index = Arc::new(Mutex::new(SinceIndex::new(basis.map(|basis| basis.head), word)));
        let anchor = lock.anchor(path.join(LOCK)).map_err(failed("look at"))?;
        #[cfg(test)]
        let broken = Arc::new(OnceLock::new());
        let beside =
            Directory { state: state.clone(), since_index: Arc::clone(&since_index), anchor: anchor.clone(), remarks };
        #[cfg(test)]
        let for_engine = Arc::clone(&broken);
        let engine = SledEngine {
            state: state.clone(),
            rows: SledRows::clone(&db),
            barrier,
            head,
            facts: facts.clone(),
            copy,
            counters: counters.clone(),
            head_lag: 0,
            anchor,
            since_index,
            #[cfg(test)]
            broken: for_engine,
        };
        let shared = Shared::of(location, facts, Beside::Directory(beside));
        #[cfg(test)]
        let shared = shared.broken_by(broken);
        Self::begin(engine, OpenRows::Directory { db, lock }, counters, shared)
    }

    /// Opens a state of a database; [`Error::Locked`] names who has it.
    fn open_database(options: &Options, drawn: &Drawn) -> Result<Self, Error> {
        let Options { location, origin, holder, own_dir: _, progress: _ } = options;
        let rows = SharedRows::open(location, holder)?;
        #[cfg(test)]
        let broken = Arc::new(OnceLock::new());
        let mut engine = PostgresEngine {
            rows: rows.clone(),
            #[cfg(test)]
            broken: Arc::clone(&broken),
        };
        let opened = postgres::facts(&rows).and_then(|facts| match facts {
            Some(facts) if facts.origin != *origin => {
                let (recorded, given) = (facts.origin, origin.clone());
                Err(Error::OtherOrigin { state: location.clone(), recorded, given })
            }
            Some(facts) => Ok(facts),
            None => {
                let facts = Facts::new(drawn.lineage.clone(), origin.clone(), drawn.identity_key);
                let (batch, counters) = open::first_batch(&facts);
                engine.write(batch)?;
                engine.commit(&counters)?;
                Ok(facts)
            }
        });
        let facts = opened.inspect_err(|_| drop(rows.close()))?;
        let counters = postgres::counters(&rows)?;
        let beside = Beside::Database(Arc::clone(rows.lease()));
        let shared = Shared::of(location.clone(), facts, beside);
        #[cfg(test)]
        let shared = shared.broken_by(broken);
        Self::begin(engine, OpenRows::Database(rows), counters, shared)
    }

    /// Starts the thread that writes.
    fn begin<E: Engine + Send + 'static>(
        engine: E,
        rows: OpenRows,
        counters: Counters,
        mut shared: Shared,
    ) -> Result<Self, Error> {
        shared.last_intent = AtomicU64::new(counters.last_intent);
        shared.serial = AtomicU64::new(counters.serial.0);
        let writer = Writer {
            engine,
            gate: Arc::clone(&shared.gate),
            drafts: Drafts::after(counters),
            failed: Arc::clone(&shared.failed),
            waiting: Vec::new(),
            is_untidy: false,
        };
        let (requests, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| Error::io("start the writer of", shared.location.directory(), error))?;
        shared.open = RwLock::new(Some(OpenParts { requests, thread, rows }));
        Ok(Self { shared: Arc::new(shared) })
    }

    async fn request(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<Serial, Error>>) -> Request,
    ) -> Result<Serial, Error> {
        let (reply, answer) = oneshot::channel();
        self.shared.with_open(|open| open.requests.send(request(reply)).map_err(|_| self.shared.closed()))?;
        answer.await.map_err(|_| self.shared.closed())?
    }

    /// Reads while rows may move.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared, AnyRows<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        aside(move || shared.with_rows(|rows| read(&shared, rows))).await
    }

    /// Reads what is durable, at one serial; commits wait meanwhile.
    async fn at_one_serial<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared, AnyRows<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.read(|shared, rows| {
            let _one_serial = shared.gate.read().unwrap_or_else(PoisonError::into_inner);
            read(shared, rows)
        })
        .await
    }
}

impl Shared {
    fn of(location: Location, facts: Facts, beside: Beside) -> Self {
        Self {
            location,
            facts,
            last_intent: AtomicU64::default(),
            serial: AtomicU64::default(),
            gate: Arc::default(),
            failed: Arc::default(),
            beside,
            open: RwLock::default(),
            #[cfg(test)]
            broken: Arc::default(),
        }
    }

    #[cfg(test)]
    fn broken_by(mut self, broken: Arc<OnceLock<Arc<Broken>>>) -> Self {
        self.broken = broken;
        self
    }

    fn directory(&self) -> Option<&Directory> {
        match &self.beside {
            Beside::Directory(directory) => Some(directory),
            Beside::Database(_) => None,
        }
    }

    fn renew_index(
        &self,
        head: HeadNote,
        write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>,
    ) -> Result<bool, WriteError> {
        let Some(directory) = self.directory().filter(|directory| directory.anchor.holds()) else { return Ok(false) };
        index_file::write_fresh(&directory.state, write)?;
        let _no_commit = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        // While commits come one after the other, the head may be behind them.
        let counters: Option<Counters> = self.with_rows(|rows| rows.read(&Row::Counters)).ok().flatten();
        let is_at_head = counters.is_some_and(|counters| counters.commit == head.commit);
        if !is_at_head || head::note(&directory.state).ok().as_ref() != Some(&head) || self.failed.get().is_some() {
            return Ok(false);
        }
        // Until the index counts, what is written from here on has to mark again.
        let mut since = directory.since_index();
        index_file::install(&directory.state)?;
        since.restart(head);
        Ok(true)
    }

    fn with_rows<T>(&self, read: impl FnOnce(AnyRows<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.with_open(|open| match &open.rows {
            OpenRows::Directory { db, .. } => db.protect(|rows| read(AnyRows::Sled(rows))),
            OpenRows::Database(rows) => read(AnyRows::Database(rows)),
        })
    }

    fn with_open<T>(&self, act: impl FnOnce(&OpenParts) -> Result<T, Error>) -> Result<T, Error> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map_or_else(|| Err(self.closed()), act)
    }

    fn closed(&self) -> Error {
        Error::Closed { state: self.location.clone() }
    }

    /// Ends the thread after what it was asked, and lets go of the files; does nothing the second time.
    fn release(&self) -> Result<(), Error> {
        let Some(parts) = self.open.write().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let OpenParts { requests, thread, rows } = parts;
        drop(requests);
        // It panics in no step that is not caught.
        let _ = thread.join();
        match (rows, self.directory()) {
            (OpenRows::Directory { db, lock }, Some(Directory { state, .. })) => {
                let removed = holder::remove(state);
                let closed = db.close();
                if closed.is_ok() {
                    index_file::vouch(state);
                }
                drop(lock);
                removed?;
                closed
            }
            (OpenRows::Database(rows), _) => rows.close(),
            (OpenRows::Directory { .. }, None) => unreachable!("a directory is what is beside its rows"),
        }
    }
}

impl Directory {
    fn since_index(&self) -> MutexGuard<'_, SinceIndex> {
        self.since_index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Every commit was answered with its own result; there is no one left to tell more.
        let _ = self.release();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("location", &self.shared.location).finish_non_exhaustive()
    }
}
