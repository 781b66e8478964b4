//! The tables, and how those of an earlier version become these.
//!
//! A table a kind of row, each keyed by the name of the state. Everything is SQL that databases which speak
//! PostgreSQL's language know as well. Versions only go up.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::connect::Connector;
use super::error::Error;

/// The version of the tables that this program makes and reads.
const VERSION: i32 = 1;

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
CREATE INDEX IF NOT EXISTS contactsd_bindings_by_id ON contactsd_bindings (state, apollo_id);
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
CREATE TABLE IF NOT EXISTS contactsd_commits (
    state text NOT NULL, id text NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (state, id));
CREATE TABLE IF NOT EXISTS contactsd_pools (
    team text NOT NULL, kind text NOT NULL, value text NOT NULL, PRIMARY KEY (team, kind));
INSERT INTO contactsd_schema (one, version) VALUES (1, 1) ON CONFLICT (one) DO NOTHING;
";

/// How often the tables are made again after somebody else, who makes them at the same time, was in the way.
const ATTEMPTS: u32 = 10;

/// What there is in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tables {
    None,
    Current,
}

/// Looks which tables there are; refuses those of a newer version.
pub(super) async fn look(connector: &Connector, client: &Client) -> Result<Tables, Error> {
    let found = connector
        .bounded(client.query_typed("SELECT version FROM contactsd_schema WHERE one = $1", &[(&1i32, Type::INT4)]));
    let rows = match found.await {
        Err(error) if error.has_code(&SqlState::UNDEFINED_TABLE) => return Ok(Tables::None),
        rows => rows?,
    };
    match rows.first().map(|row| row.get::<_, i32>(0)) {
        None => Ok(Tables::None),
        Some(version) if version > VERSION => {
            Err(Error::TooNew { address: connector.address().to_string(), found: version, known: VERSION })
        }
        Some(_) => Ok(Tables::Current),
    }
}

/// Makes the tables where they are missing.
pub(super) async fn ensure(connector: &Connector, client: &Client) -> Result<(), Error> {
    let mut attempt = 0;
    while look(connector, client).await? == Tables::None {
        attempt += 1;
        match connector.bounded(client.batch_execute(TABLES)).await {
            Ok(()) => {}
            // PostgreSQL makes a table and its name in two steps, between which another one may make the same.
            Err(Error::InTheWay { .. } | Error::Complaint { .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
