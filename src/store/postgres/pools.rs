//! The quota that runners share: a row for each team and kind of request, which one runner at a time changes.
//!
//! Needs no lease. The clock of the database is the one that counts. Knows nothing of what a row says.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::connect::{BEGIN, Connector};
use super::error::Error;
use crate::model::Timestamp;

/// How long after a failure the database is asked again, and for how long altogether.
const PAUSE: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(30);

const ADD: &str =
    "INSERT INTO contactsd_pools (team, kind, value) VALUES ($1, $2, '') ON CONFLICT (team, kind) DO NOTHING";
const LOCK: &str = "SELECT value FROM contactsd_pools WHERE team = $1 AND kind = $2 FOR UPDATE";
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const SET: &str = "UPDATE contactsd_pools SET value = $3 WHERE team = $1 AND kind = $2";

/// What a role may do only if it may change the pools, and what changes nothing.
const MAY_CHANGE: [&str; 2] = [
    "UPDATE contactsd_pools SET value = value WHERE team = '' AND team <> ''",
    "INSERT INTO contactsd_pools SELECT team, kind, value FROM contactsd_pools WHERE team = '' AND team <> ''",
];

const ALL: &str = "SELECT kind, value FROM contactsd_pools WHERE team = $1";

/// Returns the time by the database's clock.
pub(super) async fn now(client: &Client) -> Result<Timestamp, tokio_postgres::Error> {
    let now: i64 = client.query_typed(NOW, &[]).await?.first().map_or(0, |row| row.get(0));
    Ok(Timestamp(now.try_into().unwrap_or_default()))
}

/// Reads all rows of a team, each with its kind of request, and the time there.
pub(super) async fn read(
    connector: &Connector,
    client: &Client,
    team: &str,
) -> Result<(Timestamp, Vec<(String, String)>), Error> {
    let reading = async {
        let rows = client.query_typed(ALL, &[(&team, Type::TEXT)]).await?;
        Ok((now(client).await?, rows.iter().map(|row| (row.get(0), row.get(1))).collect()))
    };
    connector.bounded(reading).await
}

/// A way to the pools.
pub(super) struct Pools {
    connector: Connector,
    client: Option<Client>,
}

impl Pools {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, client: None }
    }

    /// Changes a row. `change` gets what it says, empty for a new one, the time, and whether it may have been changed
    /// already by an attempt of which no answer came.
    pub(super) async fn change<T>(
        &mut self,
        team: &str,
        kind: &str,
        mut change: impl FnMut(&str, Timestamp, bool) -> (String, T),
    ) -> Result<T, Error> {
        let ends = tokio::time::Instant::now() + PATIENCE;
        let mut may_be_done = false;
        loop {
            let error = match self.try_change(team, kind, &mut change, may_be_done).await {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            self.client = None;
            let is_lost = error.is_lost();
            if tokio::time::Instant::now() >= ends || !(is_lost || matches!(error, Error::InTheWay { .. })) {
                return Err(error);
            }
            may_be_done |= is_lost;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads all rows of a team, each with its kind of request, and the time there.
    pub(super) async fn read(&mut self, team: &str) -> Result<(Timestamp, Vec<(String, String)>), Error> {
        let client = self.connected().await?;
        let found = read(&self.connector, &client, team).await?;
        self.client = Some(client);
        Ok(found)
    }

    /// Makes sure that the role may change the pools.
    pub(super) async fn may_change(&mut self) -> Result<(), Error> {
        let client = self.connected().await?;
        for statement in MAY_CHANGE {
            self.connector.bounded(client.execute_typed(statement, &[])).await?;
        }
        self.client = Some(client);
        Ok(())
    }

    async fn connected(&mut self) -> Result<Client, Error> {
        match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => Ok(client),
            None => self.connector.connect().await,
        }
    }

    async fn try_change<T>(
        &mut self,
        team: &str,
        kind: &str,
        change: &mut impl FnMut(&str, Timestamp, bool) -> (String, T),
        may_be_done: bool,
    ) -> Result<T, Error> {
        let client = self.connected().await?;
        let changing = async {
            let key = [(&team as _, Type::TEXT), (&kind as _, Type::TEXT)];
            client.batch_execute(BEGIN).await?;
            let mut row = client.query_typed_opt(LOCK, &key).await?;
            if row.is_none() {
                client.execute_typed(ADD, &key).await?;
                row = client.query_typed_opt(LOCK, &key).await?;
            }
            let now = now(&client).await?;
            let before = row.map(|row| row.get::<_, String>(0)).unwrap_or_default();
            let (after, result) = change(&before, now, may_be_done);
            let [team, kind] = key;
            client.execute_typed(SET, &[team, kind, (&after, Type::TEXT)]).await?;
            client.batch_execute("COMMIT").await?;
            Ok(result)
        };
        let result = self.connector.bounded(changing).await?;
        self.client = Some(client);
        Ok(result)
    }
}
