//! Leases, fences and commits on real servers: PostgreSQL alone, and behind PgBouncer.

mod commits;
mod leases;
#[path = "../../../../tests/contactsd/support/postgres.rs"]
mod server;

use std::sync::{LazyLock, Mutex};

use super::*;
use crate::model::Timestamp;
use server::Server;

/// The server that tests share, each with states of its own.
pub(super) fn server() -> Option<&'static Server> {
    static SERVER: LazyLock<Option<Server>> = LazyLock::new(Server::start);
    SERVER.as_ref()
}

pub(super) fn address(server: &Server, state: &str) -> Address {
    Address::parse(&server.url(state), None).unwrap()
}

pub(super) fn holder(operation: &str) -> Holder {
    Holder {
        pid: 7,
        user_host: "ada@build-1".to_owned(),
        operation: operation.to_owned(),
        since: Timestamp(1),
        version: "0.0.0".to_owned(),
    }
}

pub(super) async fn open(server: &Server, state: &str, operation: &str) -> Result<Engine, Error> {
    Engine::open(address(server, state), &holder(operation), token()).await
}

/// Returns a text that nobody else has.
pub(super) fn token() -> String {
    static NEXT: Mutex<u64> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    *next += 1;
    format!("token-{next}")
}

pub(super) fn writes(rows: &[(&str, Option<&str>)]) -> Writes {
    let row = |(key, value): &(&str, Option<&str>)| {
        (key.as_bytes().to_vec(), value.map(|json| crate::store::codec::with_format(json)))
    };
    rows.iter().map(row).collect()
}
