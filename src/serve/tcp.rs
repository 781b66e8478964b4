//! The address that `watch --listen` gives to probes, scrapers and people.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::connections::{self, Allowance};
use super::{Error, Routes};
use crate::hosts::Hosts;

/// The oldest makes room, so that nobody who is slow to ask keeps a probe of health waiting, and nobody who never reads
/// holds a place.
pub(super) const ALLOWANCE: Allowance =
    Allowance { connections: 32, makes_room: true, longest: Duration::from_secs(30) };

/// Where to listen, and under which names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Host names that requests may name, beside `localhost` and addresses.
    pub names: Vec<String>,
}

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Server {
    /// Begins to answer. Must be called within a tokio runtime.
    pub async fn start(options: Options, routes: Routes) -> Result<Self, Error> {
        let Options { listen, names } = options;
        let failed = |source| Error::Address { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let answering = connections::answer(listener, routes.for_hosts(Hosts::new(&names)), ALLOWANCE);
        Ok(Self { address, _task: JoinSet::from_iter([answering]) })
    }

    /// Returns where it listens, the port that the system chose included.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
