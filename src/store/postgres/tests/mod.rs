//! Leases, fences and commits on real servers: PostgreSQL alone, and behind PgBouncer.

mod commits;
mod cut;
mod indexes;
mod leases;
mod pools;
#[path = "../../../../tests/contactsd/support/postgres.rs"]
mod server;
mod versions;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};

use super::address::Address;
use super::core::{Core, Glance};
use super::error::Error;
use super::*;
use crate::model::{ContactKey, Timestamp};
use crate::state::{Holder, Location, Row, Writes, with_format};
use server::Server;

/// The server that tests share, each with states of its own.
pub(super) fn server() -> Option<&'static Server> {
    static SERVER: LazyLock<Option<Server>> = LazyLock::new(Server::start_for_good);
    SERVER.as_ref()
}

/// Returns a new state in a database, over each way to it, with what the way is called.
pub(crate) fn locations() -> Vec<(&'static str, Location)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let Some(server) = server() else { return Vec::new() };
    let name = || format!("state-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let location = |url: String| database(&url, None, |_, _| "no-directory".into()).unwrap();
    let pooled = server.pooled_url(&name()).map(|url| ("PgBouncer", location(url)));
    [("PostgreSQL", location(server.url(&name())))].into_iter().chain(pooled).collect()
}

/// Runs a test on a state of its own, over each way to the database: directly, and over a pool.
pub(super) fn over_each_way<F: Future<Output = ()>>(state: &str, test: impl Fn(Way) -> F) {
    let Some(server) = server() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ways = [Some(server.url(state)), server.pooled_url(&format!("{state}-pooled"))];
    for url in ways.into_iter().flatten() {
        runtime.block_on(test(Way { url, server }));
    }
}

/// A way to a state.
#[derive(Clone)]
pub(super) struct Way {
    url: String,
    pub(super) server: &'static Server,
}

impl Way {
    pub(super) fn address(&self) -> Address {
        Address::parse(&self.url, None).unwrap()
    }

    /// The name of the state.
    pub(super) fn state(&self) -> String {
        self.address().state().to_owned()
    }

    /// The way to another state.
    pub(super) fn other(&self) -> Self {
        Self { url: format!("{}-other", self.url), server: self.server }
    }

    pub(super) async fn open(&self, operation: &str) -> Result<Core, Error> {
        Core::open(self.address(), &holder(operation), token()).await
    }

    pub(super) async fn read(&self) -> Glance {
        Glance::begin(self.address()).await.unwrap().unwrap()
    }
}

pub(super) fn holder(operation: &str) -> Holder {
    Holder {
        pid: 7,
        user_host: "ada@build-1".to_owned(),
        operation: operation.to_owned(),
        since: Timestamp(1),
        version: "0.0.0".to_owned(),
        socket: None,
    }
}

/// Returns a text that nobody else has.
pub(super) fn token() -> String {
    static NEXT: Mutex<u64> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    *next += 1;
    format!("token-{next}")
}

pub(super) fn key(name: &str) -> ContactKey {
    ContactKey::parse(name).unwrap()
}

/// Writes tombstones, whatever they say.
pub(super) fn tombstones(rows: &[(&str, Option<&str>)]) -> Writes {
    let row = |&(name, value): &(&str, Option<&str>)| (Row::Tombstone(key(name)), value.map(with_format));
    rows.iter().map(row).collect()
}
