//! The rows of a state in a database, as the rules read and write them.
//!
//! Nobody else writes while the lease lasts, so what was read or written once is known. All but the bindings is read
//! when the state is opened; of the bindings, what is asked for.

use std::collections::BTreeMap;
use std::pin::pin;
#[cfg(test)]
use std::sync::OnceLock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::{fmt, iter};

use tokio::runtime::{Builder, Runtime};

use super::address::Address;
use super::connect::Connector;
use super::core::{Core, Glance, Held};
use super::error::Error as Failure;
use super::pools::Pools;
use super::tables::{self, TABLES};
use crate::model::{Endpoint, Timestamp};
use crate::state::{Counters, Error, FORMAT, Facts, Holder, Location, Row, Rows, Table, Writes, decode};
#[cfg(test)]
use crate::store::{Broken, Moment};

/// What the runners of a team share of the quota.
#[derive(Debug, Clone, Default)]
pub struct SharedQuota {
    /// The time by the clock that counts there.
    pub now: Timestamp,
    /// The pools, as the caller wrote them.
    pub pools: BTreeMap<Endpoint, String>,
}

impl From<(Timestamp, Vec<(String, String)>)> for SharedQuota {
    /// Leaves out kinds of requests that this version does not know.
    fn from((now, rows): (Timestamp, Vec<(String, String)>)) -> Self {
        let known = |kind: &str| Endpoint::ALL.into_iter().find(|endpoint| endpoint.name() == kind);
        Self { now, pools: rows.into_iter().filter_map(|(kind, value)| Some((known(&kind)?, value))).collect() }
    }
}

/// Most rows of bindings that are kept in memory.
const MOST_KNOWN: usize = 50_000;

/// Threads of its own for what waits for the database, so that whoever reads or writes may block.
struct Waiter(Option<Runtime>);

impl Waiter {
    fn new(state: &Location) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("database").enable_all().build();
        runtime.map(|runtime| Self(Some(runtime))).map_err(|error| Error::io("wait for", state.directory(), error))
    }

    /// Blocks until the answer is there. May be called by a task of another runtime, as all reading and writing may.
    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        let _in = self.0.as_ref().expect("it is given back only when dropped").enter();
        // The budget that tasks share among them is that of the caller's, who goes on only after this.
        let mut answer = pin!(tokio::task::unconstrained(answer));
        let waker = Arc::new(Unpark(thread::current())).into();
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut context) {
                return answer;
            }
            thread::park();
        }
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // Whoever drops it may be a task, which must not wait.
        self.0.take().expect("it is dropped once").shutdown_background();
    }
}

/// The rows of a state that is open for writing. Clones are handles to the same.
#[derive(Clone)]
pub(in crate::store) struct SharedRows(Arc<Shared>);

struct Shared {
    state: Location,
    core: tokio::sync::Mutex<Core>,
    pools: tokio::sync::Mutex<Pools>,
    known: Mutex<Known>,
    lease: Arc<Held>,
    // Dropped last: what waits for the database runs on it.
    waiter: Waiter,
}

/// What is known of the rows, committed or about to be.
#[derive(Default)]
struct Known {
    /// All rows but those of the bindings and of their reverse index.
    whole: BTreeMap<Row, Vec<u8>>,
    /// Rows of the bindings and of their reverse index, `None` for those that are not there.
    some: BTreeMap<Row, Option<Vec<u8>>>,
    /// What is written and not yet committed.
    pending: Writes,
}

fn is_whole(table: Table) -> bool {
    !matches!(table, Table::Bindings | Table::Owners)
}

impl fmt::Debug for SharedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedRows").field(&self.0.state).finish()
    }
}

impl SharedRows {
    /// Takes the lease of a state. [`Error::Locked`] names who has it.
    pub(in crate::store) fn open(state: &Location, holder: &Holder) -> Result<Self, Error> {
        let told = |failure: Failure| failure.told_of(state);
        let waiter = Waiter::new(state)?;
        let address = address(state)?;
        let mut core = waiter.wait(Core::open(address, holder, transaction())).map_err(told)?;
        let mut known = Known::default();
        for table in TABLES.into_iter().filter(|table| is_whole(*table)) {
            let mut behind = String::new();
            loop {
                let page = waiter.wait(core.page(table, &behind)).map_err(told)?;
                let Some((last, _)) = page.last() else { break };
                behind.clone_from(last);
                for (key, value) in page {
                    known.whole.insert(row(state, table, &key)?, value);
                }
            }
        }
        let pools = tokio::sync::Mutex::new(Pools::new(core.connector().clone()));
        let (lease, core, known) = (core.lease(), tokio::sync::Mutex::new(core), Mutex::new(known));
        Ok(Self(Arc::new(Shared { state: state.clone(), core, pools, known, lease, waiter })))
    }

    pub(in crate::store) fn lease(&self) -> &Arc<Held> {
        &self.0.lease
    }

    /// Reads all rows.
    pub(in crate::store) fn scan(&self, mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), Error>) -> Result<(), Error> {
        for table in TABLES {
            for found in self.table(table) {
                let (row, value) = found?;
                visit(&row.to_bytes(), &value)?;
            }
        }
        Ok(())
    }

    /// Takes rows that are to be written; they are read as written from here on.
    fn take(&self, writes: Writes) {
        self.known().pending.extend(writes);
    }

    /// Commits what was taken.
    fn commit(&self) -> Result<(), Error> {
        let pending = self.known().pending.clone();
        self.with_core(async |core| core.commit(&pending, &transaction()).await)?;
        let mut known = self.known();
        known.pending.clear();
        if known.some.len() > MOST_KNOWN {
            known.some.clear();
        }
        for (row, value) in pending {
            match value {
                value if !is_whole(row.table()) => drop(known.some.insert(row, value)),
                Some(value) => drop(known.whole.insert(row, value)),
                None => drop(known.whole.remove(&row)),
            }
        }
        Ok(())
    }

    /// Changes the row of a team and a kind of request, which all states of the database share.
    ///
    /// `change` gets what it says, empty for a new one, the database's time, and whether it may have been changed
    /// already.
    pub(in crate::store) fn change_pool<T>(
        &self,
        team: &str,
        kind: &str,
        change: impl FnMut(&str, Timestamp, bool) -> (String, T),
    ) -> Result<T, Error> {
        let Shared { state, pools, waiter, .. } = &*self.0;
        let changed = waiter.wait(async { pools.lock().await.change(team, kind, change).await });
        changed.map_err(|failure| failure.told_of(state))
    }

    /// Returns the time by the database's clock.
    pub(in crate::store) fn now(&self) -> Result<Timestamp, Error> {
        self.with_core(Core::now)
    }

    /// Reads what the runners of a team share of the quota.
    pub(in crate::store) fn pools(&self, team: &str) -> Result<SharedQuota, Error> {
        let Shared { state, pools, waiter, .. } = &*self.0;
        let read = waiter.wait(async { pools.lock().await.read(team).await });
        read.map(SharedQuota::from).map_err(|failure| failure.told_of(state))
    }

    /// Begins to take in the rows of a state that is to take the place of this one.
    pub(in crate::store) fn begin_push(&self) -> Result<(), Error> {
        self.with_core(async |core| core.begin_push(&transaction()).await)
    }

    /// Takes in some of its rows.
    pub(in crate::store) fn push(&self, rows: &Writes) -> Result<(), Error> {
        self.with_core(async |core| core.push(rows, &transaction()).await)
    }

    /// Puts it into the place of this one. What was read before is true no more.
    pub(in crate::store) fn end_push(&self) -> Result<(), Error> {
        self.with_core(async |core| core.end_push(&transaction()).await)
    }

    fn with_core<T>(&self, act: impl AsyncFnOnce(&mut Core) -> Result<T, Failure>) -> Result<T, Error> {
        let Shared { state, core, waiter, .. } = &*self.0;
        waiter.wait(async { act(&mut *core.lock().await).await }).map_err(|failure| failure.told_of(state))
    }

    fn check_lease(&self) -> Result<(), Error> {
        self.with_core(async |core| core.check_lease())
    }

    /// Gives the lease back.
    pub(in crate::store) fn close(&self) -> Result<(), Error> {
        self.with_core(Core::close)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bindings(&self) -> impl Iterator<Item = Result<(Row, Vec<u8>), Error>> {
        let (mut behind, mut page) = (String::new(), Vec::new().into_iter());
        let next = move || {
            loop {
                if let Some((key, value)) = page.next() {
                    behind = key;
                    return Some(row(&self.0.state, Table::Bindings, &behind).map(|row| (row, value)));
                }
                match self.with_core(async |core| core.page(Table::Bindings, &behind).await) {
                    Ok(read) if read.is_empty() => return None,
                    Ok(read) => page = read.into_iter(),
                    Err(error) => return Some(Err(error)),
                }
            }
        };
        iter::from_fn(next)
    }
}

impl Rows for SharedRows {
    fn location(&self) -> &Location {
        &self.0.state
    }

    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, Error> {
        {
            let known = self.known();
            if let Some(pending) = known.pending.get(row) {
                return Ok(pending.clone());
            }
            if is_whole(row.table()) {
                return Ok(known.whole.get(row).cloned());
            }
            if let Some(value) = known.some.get(row) {
                return Ok(value.clone());
            }
        }
        let value = self.with_core(async |core| core.get(row).await)?;
        self.known().some.insert(row.clone(), value.clone());
        Ok(value)
    }

    fn table(&self, table: Table) -> impl Iterator<Item = Result<(Row, Vec<u8>), Error>> {
        let mut rows: BTreeMap<Row, Vec<u8>> = BTreeMap::new();
        if is_whole(table) {
            let known = self.known();
            rows.extend(
                known.whole.iter().filter(|(row, _)| row.table() == table).map(|(r, v)| (r.clone(), v.clone())),
            );
            for (row, value) in known.pending.iter().filter(|(row, _)| row.table() == table) {
                match value {
                    Some(value) => drop(rows.insert(row.clone(), value.clone())),
                    None => drop(rows.remove(row)),
                }
            }
        }
        let bindings = (table == Table::Bindings).then(|| self.bindings());
        rows.into_iter().map(Ok).chain(bindings.into_iter().flatten())
    }
}

/// Draws the name of a transaction, by which it is found when no answer tells its end, or of a lease.
fn transaction() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// A state in a database as the engine of the writer.
pub(in crate::store) struct PostgresEngine {
    pub(in crate::store) rows: SharedRows,
    #[cfg(test)]
    pub(in crate::store) broken: Arc<OnceLock<Arc<Broken>>>,
}

impl PostgresEngine {
    /// Fails where a test wants it.
    #[cfg(test)]
    fn pass(&self, moment: Moment) -> Result<(), Error> {
        let passed = self.broken.get().map_or(Ok(()), |broken| broken.pass(moment));
        passed.map_err(|error| Error::Database { state: self.rows.location().clone(), why: error.to_string() })
    }
}

impl crate::state::Engine for PostgresEngine {
    type Rows = SharedRows;

    fn rows(&self) -> &SharedRows {
        &self.rows
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.rows.check_lease()
    }

    fn write(&mut self, batch: Writes) -> Result<(), Error> {
        self.rows.take(batch);
        Ok(())
    }

    fn commit(&mut self, _counters: &Counters) -> Result<(), Error> {
        #[cfg(test)]
        self.pass(Moment::BeforeBatch)?;
        self.rows.commit()?;
        #[cfg(test)]
        {
            self.pass(Moment::AfterBarrier)?;
            self.pass(Moment::AfterHead)?;
        }
        Ok(())
    }

    fn rest(&mut self, _is_idle: bool) -> Result<bool, Error> {
        Ok(false)
    }
}

/// The way to what runners share of the quota, for who writes no state. Clones are handles to the same.
#[derive(Clone)]
pub struct SharedPools(Arc<PoolsAlone>);

struct PoolsAlone {
    state: Location,
    pools: tokio::sync::Mutex<Pools>,
    // Dropped last, as in `Shared`.
    waiter: Waiter,
}

impl fmt::Debug for SharedPools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedPools").field(&self.0.state).finish()
    }
}

impl SharedPools {
    /// Connects to the database of a state, and makes sure that the pools may be written there.
    pub fn open(state: &Location) -> Result<Self, Error> {
        let told = |failure: Failure| failure.told_of(state);
        let waiter = Waiter::new(state)?;
        let connector = Connector::new(Arc::new(address(state)?)).map_err(told)?;
        let mut pools = Pools::new(connector);
        waiter.wait(pools.may_change()).map_err(told)?;
        Ok(Self(Arc::new(PoolsAlone { state: state.clone(), pools: tokio::sync::Mutex::new(pools), waiter })))
    }

    /// Changes what runners share, as [`crate::store::Store::change_pool`] does.
    pub fn change<T>(
        &self,
        team: &str,
        endpoint: Endpoint,
        change: impl FnMut(&str, Timestamp, bool) -> (String, T),
    ) -> Result<T, Error> {
        let PoolsAlone { state, pools, waiter } = &*self.0;
        let changed = waiter.wait(async { pools.lock().await.change(team, endpoint.name(), change).await });
        changed.map_err(|failure| failure.told_of(state))
    }
}

/// A look at a state as it is at one moment, whoever writes it.
pub(in crate::store) struct GlanceRows {
    state: Location,
    glance: Glance,
    waiter: Waiter,
}

impl GlanceRows {
    /// Begins to read; `None` when there is no state.
    pub(in crate::store) fn begin(state: &Location) -> Result<Option<(Self, Facts)>, Error> {
        let waiter = Waiter::new(state)?;
        let glance = waiter.wait(Glance::begin(address(state)?)).map_err(|failure| failure.told_of(state))?;
        let Some(glance) = glance else { return Ok(None) };
        let rows = Self { state: state.clone(), glance, waiter };
        Ok(facts(&rows)?.map(|facts| (rows, facts)))
    }

    /// Reads what the runners of a team share of the quota.
    pub(in crate::store) fn pools(&self, team: &str) -> Result<SharedQuota, Error> {
        let read = self.waiter.wait(self.glance.pools(team));
        read.map(SharedQuota::from).map_err(|failure| failure.told_of(&self.state))
    }

    pub(in crate::store) fn holder(&self) -> Result<Option<Holder>, Error> {
        self.waiter.wait(self.glance.holder()).map_err(|failure| failure.told_of(&self.state))
    }

    /// Reads all rows, in the order of their keys.
    pub(in crate::store) fn scan_in_order(
        &self,
        mut visit: impl FnMut(&Row, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut tables = TABLES;
        tables.sort_by_key(|table| table.prefix());
        for table in tables {
            for found in self.table(table) {
                let (row, value) = found?;
                visit(&row, &value)?;
            }
        }
        Ok(())
    }

    /// Reads all rows.
    pub(in crate::store) fn scan(&self, visit: impl Fn(&[u8], &[u8]) -> Result<(), Error>) -> Result<(), Error> {
        self.scan_in_order(|row, value| visit(&row.to_bytes(), value))
    }
}

impl Rows for GlanceRows {
    fn location(&self) -> &Location {
        &self.state
    }

    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, Error> {
        self.waiter.wait(self.glance.get(row)).map_err(|failure| failure.told_of(&self.state))
    }

    fn table(&self, table: Table) -> impl Iterator<Item = Result<(Row, Vec<u8>), Error>> {
        let (mut behind, mut page) = (String::new(), Vec::new().into_iter());
        iter::from_fn(move || {
            loop {
                if let Some((key, value)) = page.next() {
                    behind = key;
                    return Some(row(&self.state, table, &behind).map(|row| (row, value)));
                }
                match self.waiter.wait(self.glance.page(table, &behind)) {
                    Ok(read) if read.is_empty() => return None,
                    Ok(read) => page = read.into_iter(),
                    Err(failure) => return Some(Err(failure.told_of(&self.state))),
                }
            }
        })
    }
}

/// Reads what never changes of a state; `None` when there is no state. Refuses one of a newer format.
pub(in crate::store) fn facts(rows: &impl Rows) -> Result<Option<Facts>, Error> {
    let Some(value) = rows.get(&Row::Facts)? else { return Ok(None) };
    let facts: Facts = decode(rows.location(), &value)?;
    if facts.format > u32::from(FORMAT) {
        return Err(Error::TooNew { state: rows.location().clone(), found: facts.format });
    }
    Ok(Some(facts))
}

/// Reads the sums over the rows of a state that is there.
pub(in crate::store) fn counters(rows: &impl Rows) -> Result<Counters, Error> {
    let counters = rows.read(&Row::Counters)?;
    counters.ok_or_else(|| Error::unreadable(rows.location(), "its counters are missing"))
}

fn row(state: &Location, table: Table, key: &str) -> Result<Row, Error> {
    tables::row(table, key).ok_or_else(|| Error::unreadable(state, "it holds a row of unknown kind"))
}

fn address(state: &Location) -> Result<Address, Error> {
    let Location::Database { url, .. } = state else { unreachable!("a directory is opened as one") };
    Address::parse(url.expose(), None).map_err(|error| Error::Database {
        state: state.clone(),
        why: format!("the address of {state} is wrong: {error}"),
    })
}
