//! The service's answers over HTTP: health, readiness, metrics and status. Read-only.
//!
//! Knows nothing of what it tells: it is given functions that answer. One connection carries one request,
//! which may take [`LONGEST_CONNECTION`] altogether; there is no body to send, no cookie, no CORS, and no
//! answer for a host name that this server does not go by.

mod routes;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

pub use routes::{Answers, Verdict};

use crate::hosts::Hosts;

/// How many are answered at a time. For a further one the oldest gives its place up, so that nobody who is slow to
/// ask keeps a probe of health waiting.
const MAX_CONNECTIONS: usize = 32;

/// How long a request may take to arrive.
const LONGEST_HEAD: Duration = Duration::from_secs(10);

/// How long a connection may last, so that one who never reads holds no place.
const LONGEST_CONNECTION: Duration = Duration::from_secs(30);

/// Most bytes of a request's head; the smallest that hyper takes.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Most headers of a request.
const MAX_HEADERS: usize = 64;

/// How long accepting rests after it failed, for example for want of descriptors.
const REST: Duration = Duration::from_millis(100);

/// Where to listen, and under which names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Host names that requests may name, beside `localhost` and addresses.
    pub names: Vec<String>,
}

/// Why nothing is answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen at {listen}")]
    Bind { listen: SocketAddr, source: io::Error },
}

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Begins to answer. Must be called within a tokio runtime.
    pub async fn start(options: Options, answers: Answers) -> Result<Self, Error> {
        let Options { listen, names } = options;
        let bind_error = |source| Error::Bind { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let router = routes::router(Arc::new(answers), Arc::new(Hosts::new(&names)));
        Ok(Self { address, task: tokio::spawn(accept(listener, router)) })
    }

    /// Returns where it listens, the port that the system chose included.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, router: axum::Router) {
    let mut connections = JoinSet::new();
    let mut places: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    places.retain(|place| !place.is_finished());
                    if places.len() >= MAX_CONNECTIONS
                        && let Some(oldest) = places.pop_front()
                    {
                        oldest.abort();
                    }
                    places.push_back(connections.spawn(converse(stream, router.clone())));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection to the status address");
                    tokio::time::sleep(REST).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended
                    && !error.is_cancelled()
                {
                    tracing::warn!(%error, "a question to the status address was not answered");
                }
            }
        }
    }
}

/// Hears one request and answers it.
async fn converse(stream: TcpStream, router: axum::Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEAD)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .keep_alive(false);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(LONGEST_CONNECTION, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the status address failed"),
        Err(_) => tracing::debug!("a connection to the status address took too long"),
    }
}
