//! The tables, and how those of an earlier version become these.
//!
//! A table a kind of row, each keyed by the name of the state. Everything is SQL that databases which speak
//! PostgreSQL's language know as well. Versions only go up.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::connect::{BEGIN, Connector};
use super::error::Error;

/// The version of the tables that this program makes and reads.
pub(super) const VERSION: i32 = 1;

/// Makes the tables of version 1.
///
/// `contactsd_facts` has what holds for a state as a whole, `contactsd_commits` the latest transactions. A fence counts who had the lease: it goes up whenever somebody takes it, and each write looks at it.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS contactsd_schema (one integer PRIMARY KEY, version integer NOT NULL);
CREATE TABLE IF NOT EXISTS contactsd_fences (state text PRIMARY KEY, fence bigint NOT NULL);
CREATE TABLE IF NOT EXISTS contactsd_leases (
    state text PRIMARY KEY, token text NOT NULL, holder text NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS contactsd_facts (
    state text NOT NULL, key text NOT NULL, value text NOT NULL, PRIMARY KEY (state, key));
CREATE TABLE IF NOT EXISTS contactsd_bindings (
    state text NOT NULL, key text NOT NULL, apollo_id text NOT NULL, value text NOT NULL, PRIMARY KEY (state, key));
CREATE INDEX IF NOT EXISTS contactsd_bindings_by_id ON contactsd_bindings (apollo_id);
CREATE TABLE IF NOT EXISTS contactsd_intents (
    state text NOT NULL, key text NOT NULL, value text NOT NULL, PRIMARY KEY (state, key));
CREATE TABLE IF NOT EXISTS contactsd_conflicts (
    state text NOT NULL, key text NOT NULL, value text NOT NULL, PRIMARY KEY (state, key));
CREATE TABLE IF NOT EXISTS contactsd_tombstones (
    state text NOT NULL, key text NOT NULL, value text NOT NULL, PRIMARY KEY (state, key));
CREATE TABLE IF NOT EXISTS contactsd_spent (
    state text NOT NULL, key text NOT NULL, value text NOT NULL, PRIMARY KEY (state, key));
CREATE TABLE IF NOT EXISTS contactsd_quota (
    state text NOT NULL, key text NOT NULL, value text NOT NULL, PRIMARY KEY (state, key));
CREATE TABLE IF NOT EXISTS contactsd_account (
    state text NOT NULL, key text NOT NULL, value text NOT NULL, PRIMARY KEY (state, key));
CREATE TABLE IF NOT EXISTS contactsd_commits (
    state text NOT NULL, id text NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (state, id));
CREATE TABLE IF NOT EXISTS contactsd_pools (
    team text NOT NULL, kind text NOT NULL, value text NOT NULL, PRIMARY KEY (team, kind));
INSERT INTO contactsd_schema (one, version) VALUES (1, 1) ON CONFLICT (one) DO NOTHING;
";

/// What makes the tables of each version out of those of the version before; the first, where there are none.
///
/// None of them may spoil what a program of the version before reads; what it would write is turned away.
pub(super) const STEPS: [&str; 1] = [TABLES];

/// Turns away whoever has a lease: a program of the version before must not go on with the tables of the next one.
const END_LEASES: &str = "
UPDATE contactsd_fences SET fence = fence + 1;
UPDATE contactsd_leases SET expires_at = clock_timestamp();";

/// How often the tables are made again after somebody else, who makes them at the same time, was in the way.
const ATTEMPTS: u32 = 10;

/// What there is in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tables {
    None,
    /// Those of an earlier version, which whoever writes brings up to date.
    Older(i32),
    Current,
}

/// Looks which tables there are; refuses those of a newer version.
pub(super) async fn look(connector: &Connector, client: &Client) -> Result<Tables, Error> {
    look_for(connector, client, VERSION).await
}

async fn look_for(connector: &Connector, client: &Client, known: i32) -> Result<Tables, Error> {
    let found = connector
        .bounded(client.query_typed("SELECT version FROM contactsd_schema WHERE one = $1", &[(&1i32, Type::INT4)]));
    let rows = match found.await {
        Err(error) if error.has_code(&SqlState::UNDEFINED_TABLE) => return Ok(Tables::None),
        rows => rows?,
    };
    match rows.first().map(|row| row.get::<_, i32>(0)) {
        None => Ok(Tables::None),
        Some(found) if found > known => Err(Error::TooNew { address: connector.address().to_string(), found, known }),
        Some(found) if found < known => Ok(Tables::Older(found)),
        Some(_) => Ok(Tables::Current),
    }
}

/// Makes the tables where they are missing, and those of an earlier version into the present ones.
pub(super) async fn ensure(connector: &Connector, client: &Client) -> Result<(), Error> {
    ensure_by(connector, client, &STEPS).await
}

#[cfg(test)]
#[test]
fn there_is_a_step_to_each_version() {
    assert_eq!(STEPS.len(), usize::try_from(VERSION).unwrap());
}

/// Makes the tables by so many steps: each in a transaction of its own, and once, whoever else does the same.
pub(super) async fn ensure_by(connector: &Connector, client: &Client, steps: &[&str]) -> Result<(), Error> {
    let known = steps.len().try_into().expect("versions are few");
    let mut attempt = 0;
    loop {
        let found = look_for(connector, client, known).await?;
        attempt += 1;
        let made = match found {
            Tables::Current => return Ok(()),
            Tables::None => connector.bounded(client.batch_execute(steps[0])).await,
            Tables::Older(version) => connector.bounded(raise(client, version, steps)).await,
        };
        match made {
            Ok(()) => {}
            // PostgreSQL makes a table and its name in two steps, between which another one may make the same.
            Err(Error::InTheWay { .. } | Error::Complaint { .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes the tables of a version into those of the next, unless somebody else has.
async fn raise(client: &Client, version: i32, steps: &[&str]) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(BEGIN).await?;
    let raised = async {
        let found = client.query_typed("SELECT version FROM contactsd_schema FOR UPDATE", &[]).await?;
        if found.first().map(|row| row.get::<_, i32>(0)) != Some(version) {
            return Ok(());
        }
        let done = usize::try_from(version).unwrap_or_default();
        let (step, next) = (steps[done], done + 1);
        client.batch_execute(&format!("{END_LEASES}{step};UPDATE contactsd_schema SET version = {next}")).await
    };
    match raised.await {
        Ok(()) => client.batch_execute("COMMIT").await,
        Err(error) => {
            client.batch_execute("ROLLBACK").await?;
            Err(error)
        }
    }
}
