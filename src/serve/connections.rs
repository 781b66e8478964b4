//! Connections of clients: how many at a time, and for how long.
//!
//! A peer that stops in the middle holds up nobody else. Never looks at what is asked.

use std::collections::VecDeque;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

/// How long the other side may pause in a request, or in taking the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes of a request's head; the smallest that hyper takes.
pub(super) const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Most headers of a request.
pub(super) const MAX_HEADERS: usize = 64;

/// Limits for clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// How many are answered at a time.
    pub(super) connections: usize,
    /// Whether the oldest gives its place up for a further one, which waits otherwise.
    pub(super) makes_room: bool,
    /// How long a connection may last.
    pub(super) longest: Duration,
}

/// Answers with `router` for ever.
pub(super) async fn answer<L: Listener>(mut listener: L, router: Router, allowance: Allowance) {
    let mut connections = JoinSet::new();
    let mut places: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            (stream, _) = listener.accept(), if allowance.makes_room || connections.len() < allowance.connections => {
                places.retain(|place| !place.is_finished());
                if places.len() >= allowance.connections
                    && let Some(oldest) = places.pop_front()
                {
                    oldest.abort();
                }
                places.push_back(connections.spawn(timeout(allowance.longest, converse(stream, router.clone()))));
            },
            Some(ended) = connections.join_next() => match ended {
                Ok(Ok(())) => {}
                Ok(Err(_)) => tracing::debug!("a connection took too long"),
                Err(error) if error.is_cancelled() => {}
                Err(error) => tracing::warn!(%error, "a question was not answered"),
            }
        }
    }
}

/// Hears one request and answers it.
async fn converse(stream: impl AsyncRead + AsyncWrite, router: Router) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_read_timeout(Some(PATIENCE));
    stream.set_write_timeout(Some(PATIENCE));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        // Nothing is read, and so nobody runs out of time, while an answer is made.
        .half_close(true)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .keep_alive(false);
    let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection failed");
    }
}
