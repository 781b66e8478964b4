//! The running sandbox: its start and its stop.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::book::Book;
use super::line::{Line, Port, Wire};
use super::log::Log;
use super::options::Options;
use super::owner::{Claim, Owner};
use super::shared::Shared;
use super::{Counts, Error, Faults, Quirks, control, gate, key};
use crate::private_dir::PrivateDir;

/// How long a stop waits for requests that are being answered.
const STOP_WAIT: Duration = Duration::from_secs(5);

/// A sandbox that this process runs; dropping it stops it without waiting.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stopping: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// A sandbox to talk to, whoever runs it.
pub enum Sandbox {
    Started(Server),
    /// Another process, or another part of this one, owns the data; the options other than the data are its.
    Attached {
        pid: u32,
        address: SocketAddr,
    },
}

impl Sandbox {
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Started(server) => server.address(),
            Self::Attached { address, .. } => *address,
        }
    }

    /// Returns what clients put before the path of a call.
    pub fn base_url(&self) -> String {
        base_url(self.address())
    }

    /// Stops the sandbox if it is ours.
    pub async fn stop(self) -> Result<(), Error> {
        match self {
            Self::Started(server) => server.stop().await,
            Self::Attached { .. } => Ok(()),
        }
    }
}

/// Starts a sandbox, or finds the one that owns the data already.
pub async fn attach_or_start(options: Options) -> Result<Sandbox, Error> {
    match Server::start(options).await {
        Ok(server) => Ok(Sandbox::Started(server)),
        Err(Error::Owned { pid, address, .. }) => Ok(Sandbox::Attached { pid, address }),
        Err(error) => Err(error),
    }
}

impl Server {
    /// Takes ownership of the data, reads it and begins to answer.
    ///
    /// # Errors
    ///
    /// [`Error::Owned`] names the owner when there is one and it answers.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let Options { listen, data, seed, search_lag, .. } = &options;
        if !listen.ip().is_loopback() {
            return Err(Error::NotLoopback { listen: *listen });
        }
        let data = PrivateDir::make(data)?;
        let mut claim = Claim::take(&data).await?;
        let (seed, search_lag, given) = (*seed, *search_lag, options.api_keys.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let own = key::read_or_make(&data)?;
            let given: Vec<_> = given.into_iter().map(SecretString::from).collect();
            let mut book = Book::new(seed, search_lag);
            let log = Log::open(&data, &mut book)?;
            Ok::<_, Error>((if given.is_empty() { vec![own] } else { given }, book, log))
        });
        let (keys, book, log) = opened.await.map_err(|source| Error::Task { source })??;
        let bind_error = |source| Error::Bind { listen: *listen, source };
        let listener = TcpListener::bind(listen).await.map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let owner = Owner { pid: std::process::id(), address, token: format!("{:016x}", fastrand::u64(..)) };
        claim.announce(&owner)?;
        let shared = Arc::new(Shared::new(options, keys, owner, book, log));
        let (stopping, stop) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared), stop, claim));
        Ok(Self { address, shared, stopping, serving })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what clients put before the path of a call: `http://127.0.0.1:PORT/api/v1`.
    pub fn base_url(&self) -> String {
        base_url(self.address)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Returns how many requests there were since the start.
    pub fn requests(&self) -> Counts {
        self.shared.desk().counts.clone()
    }

    /// Returns every contact as answers show it, with `website_url` and `label_names`, the oldest first.
    pub fn contacts(&self) -> Vec<Value> {
        control::contacts(&self.shared.desk().book)
    }

    /// Sets other faults, from the next request on.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.desk().dice.faults = faults;
    }

    /// Sets other quirks, from the next request on.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.shared.desk().options.quirks = quirks;
    }

    /// Answers the requests at hand, for 5 seconds at most, and gives up the data.
    pub async fn stop(self) -> Result<(), Error> {
        self.stopping.send_replace(true);
        self.serving.await.map_err(|source| Error::Task { source })
    }
}

fn base_url(address: SocketAddr) -> String {
    format!("http://{address}/api/v1")
}

/// Answers requests until told to stop, then closes the log and only then gives up the data.
async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: watch::Receiver<bool>, claim: Claim) {
    let mut connections = JoinSet::new();
    let router = gate::router(&shared);
    let mut port = Port(listener);
    loop {
        tokio::select! {
            (wire, line) = port.accept() => {
                connections.spawn(converse(wire, line, router.clone(), stop.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = stopped(stop.clone()) => break,
        }
    }
    drop((port, router));
    // Requests that take longer are cut off.
    tokio::time::timeout(STOP_WAIT, async { while connections.join_next().await.is_some() {} }).await.ok();
    connections.shutdown().await;
    let closed = tokio::task::spawn_blocking(move || shared.log.close()).await;
    drop(claim);
    closed.expect("closing the log does not panic");
}

/// Answers the requests of one connection.
///
/// hyper puts no `date` into answers: whether there is one is the gate's to say.
async fn converse(wire: Wire, line: Line, router: Router, stop: watch::Receiver<bool>) {
    let router = TowerToHyperService::new(router);
    let handle = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(line.clone());
        router.call(request)
    });
    let connection = http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(wire), handle);
    let mut connection = pin!(connection);
    // A connection that fails, most of them on purpose, is the client's to notice.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(stop) => connection.as_mut().graceful_shutdown(),
    }
    connection.await.ok();
}

/// Waits until the server is to stop, or was dropped.
async fn stopped(mut stop: watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}
