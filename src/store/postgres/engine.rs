//! A state in the database, opened to write: rows by their keys, and commits that happen or do not.
//!
//! Every commit is one transaction, which locks the state's fence first. Decides nothing about what rows say.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::address::Address;
use super::connect::Connector;
use super::error::Error;
use super::lease::{self, Holder, Lease};
use super::schema;
use super::tables::{Place, SELECT_OWNERS, Table, by_table};

/// Rows to write, by key: a value, or `None` to remove.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// How long after a failure the database is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// Rows that are read at a time.
const PAGE: i64 = 5_000;

/// How many commits are remembered, so that one whose outcome is unknown is found, and readers learn what changed.
const KEPT_COMMITS: i64 = 10_000;

/// A state of which this process holds the lease.
pub(crate) struct Engine {
    connector: Connector,
    client: Option<Arc<Client>>,
    lease: Arc<Held>,
    renewal: JoinHandle<()>,
}

/// The lease, as the renewing task and those who write share it.
struct Held {
    lease: Mutex<Option<Lease>>,
    lost: watch::Sender<Option<Error>>,
}

impl Held {
    fn with<T>(&self, look: impl FnOnce(&mut Option<Lease>) -> T) -> T {
        look(&mut self.lease.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn until(&self) -> Option<Instant> {
        self.with(|lease| lease.as_ref().map(|lease| lease.until))
    }
}

impl Engine {
    /// Connects, makes the tables where they are missing, and takes the lease; `token` is random.
    pub(crate) async fn open(address: Address, holder: &Holder, token: String) -> Result<Self, Error> {
        let connector = Connector::new(Arc::new(address))?;
        let client = connector.connect().await?;
        schema::ensure(&connector, &client).await?;
        let lease = Lease::take(&connector, &client, holder, token, lease::TERM).await?;
        let lease = Arc::new(Held { lease: Mutex::new(Some(lease)), lost: watch::Sender::new(None) });
        let renewal = tokio::spawn(renew(connector.clone(), Arc::clone(&lease)));
        Ok(Self { connector, client: Some(Arc::new(client)), lease, renewal })
    }

    /// Reports whether the lease lasts for `time` more, whatever happens to this process meanwhile.
    pub(crate) fn outlasts(&self, time: Duration) -> bool {
        self.lease.until().is_some_and(|until| until.saturating_duration_since(Instant::now()) > time)
    }

    /// Tells why the lease was lost, once it is.
    pub(crate) fn lost(&self) -> watch::Receiver<Option<Error>> {
        self.lease.lost.subscribe()
    }

    /// Reads rows by their keys; those that are not there are left out.
    pub(crate) async fn get(&mut self, keys: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, Vec<u8>>, Error> {
        loop {
            let read = match self.client().await {
                Ok(client) => get(&self.connector, &client, keys).await,
                Err(error) => Err(error),
            };
            match read {
                Err(error) if self.goes_on_after(&error).await => {}
                read => return read,
            }
        }
    }

    /// Writes all rows or none, as commit `number`, unless somebody else has taken the lease over; `id` is random.
    ///
    /// Returns once they are durable. A transaction whose end no answer tells is looked for by `id` before it is sent
    /// again.
    pub(crate) async fn commit(&mut self, writes: &Writes, number: u64, id: &str) -> Result<(), Error> {
        let connector = self.connector.clone();
        let commit = Commit::of(&connector, writes, number, id)?;
        let mut may_be_done = false;
        loop {
            self.check_lease()?;
            let fence = self.lease.with(|lease| lease.as_ref().map(|lease| lease.fence));
            let fence = fence.ok_or_else(|| lease::lost(&connector, "it was given back"))?;
            let Err(error) = self.try_commit(&connector, &commit, fence, may_be_done).await else { return Ok(()) };
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
    pub(crate) async fn close(mut self) -> Result<(), Error> {
        self.renewal.abort();
        let Some(lease) = self.lease.with(Option::take) else { return Ok(()) };
        let client = self.client().await?;
        lease.release(&self.connector, &client).await
    }

    fn check_lease(&self) -> Result<(), Error> {
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
        let left = self.lease.until().map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        if left <= PAUSE {
            return false;
        }
        tokio::time::sleep(PAUSE).await;
        true
    }
}

impl Drop for Engine {
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
        let renewed = renew_once(&connector, &mut client, &held).await;
        let lost = match renewed {
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
    lease.renew(connector, client, lease::TERM).await?;
    held.with(|held| {
        if let Some(held) = held {
            held.until = lease.until;
        }
    });
    Ok(())
}

/// One commit, as the tables take it.
struct Commit<'a> {
    state: &'a str,
    number: i64,
    id: &'a str,
    tables: BTreeMap<Table, super::tables::TableWrites>,
    /// The bindings that are written.
    keys: Vec<String>,
}

impl<'a> Commit<'a> {
    fn of(connector: &'a Connector, writes: &Writes, number: u64, id: &'a str) -> Result<Self, Error> {
        let tables = by_table(writes).map_err(|why| damaged(connector, why))?;
        let keys = tables.get(&Table::Bindings).map(|bindings| bindings.keys.clone()).unwrap_or_default();
        let number = i64::try_from(number).expect("nobody commits so often");
        Ok(Self { state: connector.address().state(), number, id, tables, keys })
    }

    /// Sends the transaction: everything up to its end at once, the end once the fence is known to be ours.
    async fn send(&self, connector: &Connector, client: &Client, fence: i64) -> Result<(), Error> {
        let written = connector.bounded(self.write(client)).await;
        let end = match &written {
            Ok(found) if *found == Some(fence) => "COMMIT",
            _ => "ROLLBACK",
        };
        let ended = connector.bounded(client.batch_execute(end)).await;
        match written {
            Ok(found) if found == Some(fence) => ended,
            Ok(_) => Err(lease::lost(connector, "somebody else has taken it over")),
            Err(error) => Err(error),
        }
    }

    /// Begins a transaction, reads the fence and writes; returns the fence.
    async fn write(&self, client: &Client) -> Result<Option<i64>, tokio_postgres::Error> {
        let state = (&self.state as &(dyn ToSql + Sync), Type::TEXT);
        client.batch_execute("BEGIN").await?;
        let fence = client.query_typed_opt(LOCK_FENCE, &[state.clone()]).await?;
        for (table, writes) in &self.tables {
            client.execute_typed(&table.delete(), &[state.clone(), (&writes.keys, Type::TEXT_ARRAY)]).await?;
            if writes.put.is_empty() {
                continue;
            }
            let mut parameters = vec![
                state.clone(),
                (&writes.put as &(dyn ToSql + Sync), Type::TEXT_ARRAY),
                (&writes.values, Type::TEXT_ARRAY),
            ];
            if *table == Table::Bindings {
                parameters.push((&writes.ids, Type::TEXT_ARRAY));
            }
            client.execute_typed(&table.insert(), &parameters).await?;
        }
        let commit = [
            state.clone(),
            (&self.number as &(dyn ToSql + Sync), Type::INT8),
            (&self.id, Type::TEXT),
            (&self.keys, Type::TEXT_ARRAY),
        ];
        client.execute_typed(NOTE_COMMIT, &commit).await?;
        if self.number % KEPT_COMMITS == 0 {
            let oldest = self.number - KEPT_COMMITS;
            client.execute_typed(FORGET_COMMITS, &[state, (&oldest, Type::INT8)]).await?;
        }
        Ok(fence.map(|row| row.get(0)))
    }

    /// Reports whether the transaction happened: behind the fence it happens no more if it did not.
    async fn is_done(&self, connector: &Connector, client: &Client, fence: i64) -> Result<bool, Error> {
        let state = (&self.state as &(dyn ToSql + Sync), Type::TEXT);
        let look = async {
            client.batch_execute("BEGIN").await?;
            let found = client.query_typed_opt(LOCK_FENCE, &[state.clone()]).await?;
            let commit = client.query_typed_opt(FIND_COMMIT, &[state.clone(), (&self.id, Type::TEXT)]).await?;
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

const LOCK_FENCE: &str = "SELECT fence FROM contactsd_fences WHERE state = $1 FOR UPDATE";
const NOTE_COMMIT: &str =
    "INSERT INTO contactsd_commits (state, number, id, at, keys) VALUES ($1, $2, $3, clock_timestamp(), $4)";
const FIND_COMMIT: &str = "SELECT number FROM contactsd_commits WHERE state = $1 AND id = $2";
const FORGET_COMMITS: &str = "DELETE FROM contactsd_commits WHERE state = $1 AND number <= $2";
const COMMITS_SINCE: &str =
    "SELECT number, keys FROM contactsd_commits WHERE state = $1 AND number > $2 ORDER BY number";

/// A look at a state as it is at one moment; whoever writes is not waited for.
pub(crate) struct Reading {
    connector: Connector,
    client: Client,
}

impl Reading {
    /// Begins to read; `None` where the database has no tables of ours.
    pub(crate) async fn begin(address: Address) -> Result<Option<Self>, Error> {
        let connector = Connector::new(Arc::new(address))?;
        let client = connector.connect().await?;
        if schema::look(&connector, &client).await? == schema::Tables::None {
            return Ok(None);
        }
        connector.bounded(client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await?;
        Ok(Some(Self { connector, client }))
    }

    /// Reads rows by their keys; those that are not there are left out.
    pub(crate) async fn get(&self, keys: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, Vec<u8>>, Error> {
        get(&self.connector, &self.client, keys).await
    }

    /// Reads all rows whose keys begin with `prefix`, which is that of a table.
    pub(crate) async fn scan<E: From<Error>>(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = Table::ALL.into_iter().find(|table| table.prefix() == prefix).expect("it is that of a table");
        let state = self.connector.address().state();
        let mut last = String::new();
        loop {
            let parameters: [(&(dyn ToSql + Sync), Type); 3] =
                [(&state, Type::TEXT), (&last, Type::TEXT), (&PAGE, Type::INT8)];
            let rows = self.connector.bounded(self.client.query_typed(&table.select_behind(), &parameters)).await?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = end.get(0);
            for row in rows {
                let place = Place::Row(table, row.get(0));
                let key = place.key().ok_or_else(|| damaged(&self.connector, "a key is not as keys are"))?;
                visit(key, with_format(row.get(1)))?;
            }
        }
    }

    /// Returns the bindings that commits behind `number` wrote; `None` when not all of these are remembered.
    pub(crate) async fn written_since(&self, number: u64) -> Result<Option<Vec<String>>, Error> {
        let state = self.connector.address().state();
        let number = i64::try_from(number).expect("nobody commits so often");
        let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&state, Type::TEXT), (&number, Type::INT8)];
        let rows = self.connector.bounded(self.client.query_typed(COMMITS_SINCE, &parameters)).await?;
        let is_whole = rows.first().is_none_or(|row| row.get::<_, i64>(0) == number + 1);
        let keys = rows.iter().flat_map(|row| row.get::<_, Option<Vec<String>>>(1).unwrap_or_default());
        Ok(is_whole.then(|| keys.collect()))
    }

    /// Returns who holds the lease.
    pub(crate) async fn holder(&self) -> Result<Option<Holder>, Error> {
        lease::who(&self.connector, &self.client).await
    }
}

async fn get(connector: &Connector, client: &Client, keys: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, Vec<u8>>, Error> {
    let state = connector.address().state();
    let mut by_table: BTreeMap<Table, Vec<String>> = BTreeMap::new();
    let mut ids = Vec::new();
    for key in keys {
        match Place::of(key).ok_or_else(|| damaged(connector, "a key is not as keys are"))? {
            Place::Row(table, text) => by_table.entry(table).or_default().push(text),
            Place::Owner(id) => ids.push(id),
        }
    }
    let mut found = HashMap::new();
    for (table, keys) in by_table {
        let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&state, Type::TEXT), (&keys, Type::TEXT_ARRAY)];
        for row in connector.bounded(client.query_typed(&table.select(), &parameters)).await? {
            let place = Place::Row(table, row.get(0));
            let key = place.key().ok_or_else(|| damaged(connector, "a key is not as keys are"))?;
            found.insert(key, with_format(row.get(1)));
        }
    }
    if !ids.is_empty() {
        let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&state, Type::TEXT), (&ids, Type::TEXT_ARRAY)];
        for row in connector.bounded(client.query_typed(SELECT_OWNERS, &parameters)).await? {
            let key = Place::Owner(row.get(0)).key().expect("ids are keys");
            let owner = serde_json::to_string(row.get::<_, &str>(1)).expect("text is JSON");
            found.insert(key, with_format(&owner));
        }
    }
    Ok(found)
}

fn with_format(json: &str) -> Vec<u8> {
    crate::store::codec::with_format(json)
}

fn damaged(connector: &Connector, why: &str) -> Error {
    Error::Damaged { address: connector.address().to_string(), why: why.to_owned() }
}
