//! A state of which this process holds the lease: rows by their keys, and commits that happen or do not.
//!
//! Every commit is one transaction, which locks the state's fence first. Decides nothing about what rows say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::address::Address;
use super::connect::{BEGIN, Connector, PATIENCE};
use super::error::Error;
use super::lease::{self, Lease};
use super::pools;
use super::schema;
use super::tables::{self, TableWrites};
use crate::failpoints::{Step, reached};
use crate::model::Timestamp;
use crate::state::{Holder, LEASE_TERM, Row, Table, Writes, with_format};

/// How long after a failure the database is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a statement may take that touches every row of a state.
const PATIENCE_WITH_ALL: Duration = Duration::from_mins(10);

/// Rows that are read at a time.
const PAGE: i64 = 5_000;

/// How long a transaction is remembered, so that one whose outcome is unknown is found.
const REMEMBERED: &str = "1 hour";

/// A parameter of a statement, with its type.
type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A state that is open for writing.
pub(super) struct Core {
    connector: Connector,
    client: Option<Arc<Client>>,
    lease: Arc<Held>,
    renewal: JoinHandle<()>,
}

/// The lease, as those who renew, write and send share it.
#[derive(Debug)]
pub(in crate::store) struct Held {
    lease: Mutex<Option<Lease>>,
    lost: watch::Sender<Option<Error>>,
}

impl Held {
    fn with<T>(&self, look: impl FnOnce(&mut Option<Lease>) -> T) -> T {
        look(&mut self.lease.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reports whether the lease is known to be lost.
    pub(in crate::store) fn is_lost(&self) -> bool {
        self.lost.borrow().is_some() || !self.outlasts(Duration::ZERO)
    }

    /// Returns once the lease is known to be lost; never when it was given back.
    pub(in crate::store) async fn until_lost(&self) {
        if self.lost.subscribe().wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn until(&self) -> Option<Instant> {
        self.with(|lease| lease.as_ref().map(|lease| lease.until))
    }

    /// Reports whether the lease lasts for `time` more, whatever happens to this process meanwhile.
    pub(in crate::store) fn outlasts(&self, time: Duration) -> bool {
        self.until().is_some_and(|until| until.saturating_duration_since(Instant::now()) > time)
    }
}

impl Core {
    /// Connects, makes the tables where they are missing, and takes the lease; `token` is random.
    pub(super) async fn open(address: Address, holder: &Holder, token: String) -> Result<Self, Error> {
        let connector = Connector::new(Arc::new(address))?;
        let mut client = connector.connect().await?;
        schema::ensure(&connector, &client).await?;
        let ends = Instant::now() + PATIENCE;
        let lease = loop {
            match Lease::take(&connector, &client, holder, &token, LEASE_TERM).await {
                // It may be ours by now, and would keep everybody away until it ends: whoever has the token is asked again.
                Err(error) if error.is_lost() && Instant::now() < ends => {
                    tokio::time::sleep(PAUSE).await;
                    if let Ok(another) = connector.connect().await {
                        client = another;
                    }
                }
                answer => break answer?,
            }
        };
        reached(Step::LeaseTaken);
        let lease = Arc::new(Held { lease: Mutex::new(Some(lease)), lost: watch::Sender::new(None) });
        let renewal = tokio::spawn(renew(connector.clone(), Arc::clone(&lease)));
        Ok(Self { connector, client: Some(Arc::new(client)), lease, renewal })
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    pub(super) fn lease(&self) -> Arc<Held> {
        Arc::clone(&self.lease)
    }

    /// Returns the time by the database's clock.
    pub(super) async fn now(&mut self) -> Result<Timestamp, Error> {
        loop {
            let read = match self.client().await {
                Ok(client) => self.connector.bounded(pools::now(&client)).await,
                Err(error) => Err(error),
            };
            match read {
                Err(error) if self.goes_on_after(&error).await => {}
                read => return read,
            }
        }
    }

    /// Reads the value of a row.
    pub(super) async fn get(&mut self, row: &Row) -> Result<Option<Vec<u8>>, Error> {
        loop {
            let read = match self.client().await {
                Ok(client) => get(&self.connector, &client, row).await,
                Err(error) => Err(error),
            };
            match read {
                Err(error) if self.goes_on_after(&error).await => {}
                read => return read,
            }
        }
    }

    /// Reads some of the rows of a table, behind a key: in their order, none at the end.
    pub(super) async fn page(&mut self, table: Table, behind: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
        loop {
            let read = match self.client().await {
                Ok(client) => page(&self.connector, &client, table, behind).await,
                Err(error) => Err(error),
            };
            match read {
                Err(error) if self.goes_on_after(&error).await => {}
                read => return read,
            }
        }
    }

    /// Writes all rows or none, unless somebody else has taken the lease over; `id` is random.
    ///
    /// Returns once they are durable. A transaction whose end no answer tells is looked for by `id` before it is sent
    /// again.
    pub(super) async fn commit(&mut self, writes: &Writes, id: &str) -> Result<(), Error> {
        let connector = self.connector.clone();
        let tables = by_table(&connector, writes)?;
        self.transact(&connector, &Commit { state: connector.address().state(), id, work: Work::Write(tables) }).await
    }

    /// Removes what an earlier push left of a state that was to take the place of this one.
    pub(super) async fn begin_push(&mut self, id: &str) -> Result<(), Error> {
        let connector = self.connector.clone();
        let state = connector.address().state();
        self.transact(&connector, &Commit { state, id, work: Work::Clear(incoming(state)) }).await
    }

    /// Writes rows of a state that is to take the place of this one; nobody reads them there.
    pub(super) async fn push(&mut self, writes: &Writes, id: &str) -> Result<(), Error> {
        let connector = self.connector.clone();
        let state = connector.address().state();
        let tables = by_table(&connector, writes)?;
        self.transact(&connector, &Commit { state, id, work: Work::Stage(incoming(state), tables) }).await
    }

    /// Puts the rows that were pushed into the place of all others, at once.
    pub(super) async fn end_push(&mut self, id: &str) -> Result<(), Error> {
        let connector = self.connector.clone();
        let state = connector.address().state();
        self.transact(&connector, &Commit { state, id, work: Work::Exchange(incoming(state)) }).await
    }

    /// Makes a transaction happen once.
    async fn transact(&mut self, connector: &Connector, commit: &Commit<'_>) -> Result<(), Error> {
        let mut may_be_done = false;
        loop {
            self.check_lease()?;
            let fence = self.lease.with(|lease| lease.as_ref().map(|lease| lease.fence));
            let fence = fence.ok_or_else(|| lease::lost(connector, "it was given back"))?;
            let Err(error) = self.try_commit(connector, commit, fence, may_be_done).await else { return Ok(()) };
            may_be_done |= error.is_lost();
            if !self.goes_on_after(&error).await {
                return Err(error);
            }
        }
    }

    async fn try_commit(
        &mut self,
        connector: &Connector,
        commit: &Commit<'_>,
        fence: i64,
        may_be_done: bool,
    ) -> Result<(), Error> {
        let client = self.client().await?;
        if may_be_done && commit.is_done(connector, &client, fence).await? {
            return Ok(());
        }
        commit.send(connector, &client, fence).await
    }

    /// Gives the lease back.
    pub(super) async fn close(&mut self) -> Result<(), Error> {
        self.renewal.abort();
        let Some(lease) = self.lease.with(Option::take) else { return Ok(()) };
        let ends = Instant::now() + PATIENCE;
        loop {
            let released = match self.client().await {
                Ok(client) => lease.release(&self.connector, &client).await,
                Err(error) => Err(error),
            };
            match released {
                // One that is left keeps everybody away until it ends.
                Err(error) if error.is_lost() && Instant::now() < ends => {
                    self.client = None;
                    tokio::time::sleep(PAUSE).await;
                }
                released => return released,
            }
        }
    }

    /// Fails once the lease is lost.
    pub(super) fn check_lease(&self) -> Result<(), Error> {
        match &*self.lease.lost.borrow() {
            Some(lost) => Err(lost.clone()),
            None => Ok(()),
        }
    }

    async fn client(&mut self) -> Result<Arc<Client>, Error> {
        if let Some(client) = self.client.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.connector.connect().await?);
        self.client = Some(Arc::clone(&client));
        Ok(client)
    }

    /// After a failure that may pass, waits a moment and reports `true`, as long as the lease lasts.
    async fn goes_on_after(&mut self, error: &Error) -> bool {
        if error.is_lost() {
            self.client = None;
        } else if !matches!(error, Error::InTheWay { .. }) {
            return false;
        }
        if !self.lease.outlasts(PAUSE) {
            return false;
        }
        tokio::time::sleep(PAUSE).await;
        true
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Renews the lease as long as it lasts, through a connection of its own.
async fn renew(connector: Connector, held: Arc<Held>) {
    let mut client = None;
    let mut pause = lease::RENEWAL;
    loop {
        tokio::time::sleep(pause).await;
        let lost = match renew_once(&connector, &mut client, &held).await {
            Ok(()) => {
                pause = lease::RENEWAL;
                continue;
            }
            Err(error @ Error::LeaseLost { .. }) => error,
            Err(error) => {
                client = None;
                pause = PAUSE;
                match held.until() {
                    None => return,
                    Some(until) if Instant::now() < until => continue,
                    Some(_) => {
                        tracing::warn!(%error, "the lease on the state could not be renewed");
                        lease::lost(&connector, "it could not be renewed in time")
                    }
                }
            }
        };
        held.lost.send_replace(Some(lost));
        return;
    }
}

async fn renew_once(connector: &Connector, client: &mut Option<Client>, held: &Held) -> Result<(), Error> {
    if client.as_ref().is_none_or(Client::is_closed) {
        *client = Some(connector.connect().await?);
    }
    let client = client.as_ref().expect("it was connected just now");
    let Some(mut lease) = held.with(|lease| lease.as_ref().map(Lease::again)) else { return Ok(()) };
    lease.renew(connector, client, LEASE_TERM).await?;
    held.with(|held| {
        if let Some(held) = held {
            held.until = lease.until;
        }
    });
    Ok(())
}

/// One transaction under the lease, as the tables take it.
struct Commit<'a> {
    state: &'a str,
    id: &'a str,
    work: Work,
}

enum Work {
    Write(BTreeMap<Table, TableWrites>),
    /// Removes all rows of another name.
    Clear(String),
    /// Writes rows under another name.
    Stage(String, BTreeMap<Table, TableWrites>),
    /// Puts the rows of another name into the place of the state's.
    Exchange(String),
}

/// Returns the name under which a state is kept that is to take the place of this one. No state can have it.
fn incoming(state: &str) -> String {
    format!("{state}/incoming")
}

fn by_table(connector: &Connector, writes: &Writes) -> Result<BTreeMap<Table, TableWrites>, Error> {
    tables::by_table(writes).map_err(|why| damaged(connector, why))
}

impl Commit<'_> {
    /// Sends the transaction; its end once the fence is known to be ours.
    async fn send(&self, connector: &Connector, client: &Client, fence: i64) -> Result<(), Error> {
        let patience = match self.work {
            Work::Write(_) | Work::Stage(..) => PATIENCE,
            Work::Clear(_) | Work::Exchange(_) => PATIENCE_WITH_ALL,
        };
        let written = connector.bounded_by(patience, self.write(client)).await;
        let is_ours = matches!(written, Ok(found) if found == Some(fence));
        reached(Step::RowsSent);
        let ended = connector.bounded(client.batch_execute(if is_ours { "COMMIT" } else { "ROLLBACK" })).await;
        match written {
            Ok(_) if is_ours => ended.inspect(|()| reached(Step::RowsCommitted)),
            Ok(_) => Err(lease::lost(connector, "somebody else has taken it over")),
            Err(error) => Err(error),
        }
    }

    /// Begins a transaction, locks the fence and writes; returns the fence.
    async fn write(&self, client: &Client) -> Result<Option<i64>, tokio_postgres::Error> {
        let state: Parameter<'_> = (&self.state, Type::TEXT);
        client.batch_execute(BEGIN).await?;
        let fence = client.query_typed_opt(LOCK_FENCE, std::slice::from_ref(&state)).await?;
        match &self.work {
            Work::Write(tables) => write(client, self.state, tables).await?,
            Work::Stage(name, tables) => write(client, name, tables).await?,
            Work::Clear(name) => clear(client, name).await?,
            Work::Exchange(name) => {
                clear(client, self.state).await?;
                for table in tables::TABLES {
                    client.execute_typed(&tables::rename(table), &[state.clone(), (name, Type::TEXT)]).await?;
                }
            }
        }
        client.execute_typed(NOTE_COMMIT, &[state.clone(), (&self.id, Type::TEXT)]).await?;
        Ok(fence.map(|row| row.get(0)))
    }

    /// Reports whether the transaction happened: behind the fence it happens no more if it did not.
    async fn is_done(&self, connector: &Connector, client: &Client, fence: i64) -> Result<bool, Error> {
        let state: Parameter<'_> = (&self.state, Type::TEXT);
        let look = async {
            client.batch_execute(BEGIN).await?;
            let found = client.query_typed_opt(LOCK_FENCE, std::slice::from_ref(&state)).await?;
            let commit = client.query_typed_opt(FIND_COMMIT, &[state.clone(), (&self.id, Type::TEXT)]).await?;
            client.execute_typed(FORGET_COMMITS, &[state.clone(), (&REMEMBERED, Type::TEXT)]).await?;
            client.batch_execute("COMMIT").await?;
            Ok((found.map(|row| row.get::<_, i64>(0)), commit.is_some()))
        };
        match connector.bounded(look).await? {
            // What happened before somebody took the lease over did happen.
            (_, true) => Ok(true),
            (found, false) if found == Some(fence) => Ok(false),
            (_, false) => Err(lease::lost(connector, "somebody else has taken it over")),
        }
    }
}

async fn write(
    client: &Client,
    state: &str,
    tables: &BTreeMap<Table, TableWrites>,
) -> Result<(), tokio_postgres::Error> {
    let state: Parameter<'_> = (&state, Type::TEXT);
    for (&table, writes) in tables {
        client.execute_typed(&tables::delete(table), &[state.clone(), (&writes.keys, Type::TEXT_ARRAY)]).await?;
        if writes.put.is_empty() {
            continue;
        }
        let rows: [Parameter<'_>; 2] = [(&writes.put, Type::TEXT_ARRAY), (&writes.values, Type::TEXT_ARRAY)];
        let mut parameters = vec![state.clone()];
        parameters.extend(rows);
        if table == Table::Bindings {
            parameters.push((&writes.ids, Type::TEXT_ARRAY));
        }
        client.execute_typed(&tables::insert(table), &parameters).await?;
    }
    Ok(())
}

async fn clear(client: &Client, state: &str) -> Result<(), tokio_postgres::Error> {
    for table in tables::TABLES {
        client.execute_typed(&tables::clear(table), &[(&state, Type::TEXT)]).await?;
    }
    Ok(())
}

const LOCK_FENCE: &str = "SELECT fence FROM contactsd_fences WHERE state = $1 FOR UPDATE";
const NOTE_COMMIT: &str = "INSERT INTO contactsd_commits (state, id, at) VALUES ($1, $2, clock_timestamp())";
const FIND_COMMIT: &str = "SELECT id FROM contactsd_commits WHERE state = $1 AND id = $2";
const FORGET_COMMITS: &str =
    "DELETE FROM contactsd_commits WHERE state = $1 AND at < clock_timestamp() - $2::text::interval";

/// A look at a state as it is at one moment; whoever writes is not waited for.
pub(super) struct Glance {
    connector: Connector,
    client: Client,
}

impl Glance {
    /// Begins to read; `None` where the database has no tables of ours.
    pub(super) async fn begin(address: Address) -> Result<Option<Self>, Error> {
        let connector = Connector::new(Arc::new(address))?;
        let client = connector.connect().await?;
        match schema::look(&connector, &client).await? {
            schema::Tables::Current => {}
            schema::Tables::None => return Ok(None),
            schema::Tables::Older(found) => {
                let address = connector.address().to_string();
                return Err(Error::TooOld { address, found, known: schema::VERSION });
            }
        }
        connector.bounded(client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await?;
        Ok(Some(Self { connector, client }))
    }

    pub(super) async fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, Error> {
        get(&self.connector, &self.client, row).await
    }

    pub(super) async fn page(&self, table: Table, behind: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
        page(&self.connector, &self.client, table, behind).await
    }

    /// Reads the quota that the runners of a team share.
    pub(super) async fn pools(&self, team: &str) -> Result<(Timestamp, Vec<(String, String)>), Error> {
        pools::read(&self.connector, &self.client, team).await
    }

    /// Returns who holds the lease.
    pub(super) async fn holder(&self) -> Result<Option<Holder>, Error> {
        lease::who(&self.connector, &self.client).await
    }
}

async fn get(connector: &Connector, client: &Client, row: &Row) -> Result<Option<Vec<u8>>, Error> {
    let (state, key) = (connector.address().state(), tables::key(row));
    let select = tables::select(row.table());
    let found = connector.bounded(client.query_typed_opt(&select, &[(&state, Type::TEXT), (&key, Type::TEXT)])).await?;
    let Some(found) = found else { return Ok(None) };
    let text: &str = found.get(0);
    Ok(Some(match row.table() {
        Table::Owners => with_format(&serde_json::to_string(text).expect("text is JSON")),
        _ => with_format(text),
    }))
}

async fn page(
    connector: &Connector,
    client: &Client,
    table: Table,
    behind: &str,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let (state, select) = (connector.address().state(), tables::select_behind(table));
    let parameters: [Parameter<'_>; 3] = [(&state, Type::TEXT), (&behind, Type::TEXT), (&PAGE, Type::INT8)];
    let rows = connector.bounded(client.query_typed(&select, &parameters)).await?;
    Ok(rows.iter().map(|row| (row.get(0), with_format(row.get(1)))).collect())
}

fn damaged(connector: &Connector, why: &str) -> Error {
    Error::Damaged { address: connector.address().to_string(), why: why.to_owned() }
}
