//! The end that asks at a Unix socket.

use std::io::{self, ErrorKind};
use std::iter::successors;
use std::path::Path;
use std::time::Duration;

use axum::body::{self, Body};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Request, StatusCode};
use hyper::body::Body as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

use super::routes::{MAX_QUESTION_BYTES, call_path};
use super::{Error, is_same_user};

/// Most bytes of one answer: room for about two million bindings.
pub(super) const MAX_ANSWER_BYTES: u64 = 4 << 30;

/// Makes a call to the process that listens at `socket`, and returns its answer.
///
/// It may say nothing for as long as `patience`, at the start and at any point of its answer; a long
/// answer may take longer altogether.
pub async fn ask<Q: Serialize, A: DeserializeOwned>(
    socket: &Path,
    call: &str,
    question: &Q,
    patience: Duration,
) -> Result<A, Error> {
    let question = serde_json::to_vec(question).expect("questions are plain data with text for keys");
    within(question.len() as u64, MAX_QUESTION_BYTES)?;
    let request = Request::post(call_path(call)).header(HOST, "localhost").header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(question)).expect("the name of a call is a path");
    let mut stream = TimeoutStream::new(connect(socket, patience).await?);
    stream.set_read_timeout(Some(patience));
    stream.set_write_timeout(Some(patience));
    let failed = |error: &(dyn std::error::Error + 'static)| failure(socket, patience, error);
    let (mut asking, connection) =
        http1::handshake(TokioIo::new(Box::pin(stream))).await.map_err(|error| failed(&error))?;
    // Ends with the question, which has its failures as well.
    tokio::spawn(connection);
    let answer = asking.send_request(request).await.map_err(|error| failed(&error))?;
    let status = answer.status();
    within(answer.body().size_hint().lower(), MAX_ANSWER_BYTES)?;
    let limit = usize::try_from(MAX_ANSWER_BYTES).expect("addresses have more than 32 bits");
    let bytes = body::to_bytes(Body::new(answer.into_body()), limit).await.map_err(|error| failed(&error))?;
    let why = || String::from_utf8_lossy(&bytes).into_owned();
    match status {
        StatusCode::OK => {
            serde_json::from_slice(&bytes).map_err(|source| Error::Malformed { path: socket.to_owned(), source })
        }
        StatusCode::SERVICE_UNAVAILABLE => Err(Error::Failed { why: why() }),
        _ => Err(Error::Refused { why: why() }),
    }
}

fn within(bytes: u64, limit: u64) -> Result<(), Error> {
    if bytes > limit { Err(Error::TooLong { bytes, limit }) } else { Ok(()) }
}

async fn connect(path: &Path, patience: Duration) -> Result<UnixStream, Error> {
    let connected = timeout(patience, UnixStream::connect(path)).await;
    let connected = connected.map_err(|_| Error::Silent { path: path.to_owned(), waited: patience })?;
    let stream = connected.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => Error::Nobody { path: path.to_owned() },
        _ => Error::io("connect to", path, error),
    })?;
    let peer = stream.peer_cred().map_err(|error| Error::io("tell who listens at", path, error))?;
    if is_same_user(peer.uid()) { Ok(stream) } else { Err(Error::OtherUser { path: path.to_owned(), uid: peer.uid() }) }
}

/// Tells from the causes of `error` what became of a question.
fn failure(path: &Path, waited: Duration, error: &(dyn std::error::Error + 'static)) -> Error {
    let path = path.to_owned();
    for cause in successors(Some(error), |error| error.source()) {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let http = cause.downcast_ref::<hyper::Error>();
        match (kind, http) {
            (Some(ErrorKind::TimedOut), _) => return Error::Silent { path, waited },
            // Which of these a peer that is gone leads to depends on what was on its way.
            (Some(ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), _) => {
                return Error::Cut { path };
            }
            (_, Some(http)) if http.is_incomplete_message() || http.is_canceled() => return Error::Cut { path },
            (_, Some(http)) if http.is_parse() => return Error::Foreign { path },
            _ => {}
        }
    }
    Error::Io { step: "use the socket", path, source: io::Error::other(error.to_string()) }
}
