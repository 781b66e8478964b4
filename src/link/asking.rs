//! The end that asks: whoever only reads.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::message::{self, Request};
use super::wire::{self, Failure};
use super::{Error, is_same_user};

/// Asks the process that listens at `path`, and returns its answer.
///
/// It may say nothing for as long as `patience`, at the start and at any point of its answer; a long
/// answer may take longer altogether.
pub async fn ask<T: DeserializeOwned>(path: &Path, request: &Request, patience: Duration) -> Result<T, Error> {
    let request = message::write_request(request);
    if request.len() as u64 > wire::MAX_REQUEST_BYTES {
        return Err(Error::TooLong { bytes: request.len() as u64, limit: wire::MAX_REQUEST_BYTES });
    }
    let mut stream = connect(path, patience).await?;
    let received = match wire::send(&mut stream, &request, patience).await {
        // A refusal may be on its way although the request was not heard to its end.
        Ok(()) | Err(Failure::Cut) => wire::receive(&mut stream, wire::MAX_REPLY_BYTES, patience).await,
        Err(failure) => Err(failure),
    };
    let reply = received.map_err(|failure| Error::wire(path, failure))?;
    let malformed = |source| Error::Malformed { path: path.to_owned(), source };
    let answer = message::read_reply(&reply).map_err(malformed)?.map_err(|refusal| Error::Refused { refusal })?;
    serde_json::from_str(answer).map_err(malformed)
}

async fn connect(path: &Path, patience: Duration) -> Result<UnixStream, Error> {
    let connected = timeout(patience, UnixStream::connect(path)).await;
    let connected = connected.map_err(|_| Error::Silent { path: path.to_owned(), waited: patience })?;
    let stream = connected.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Error::Nobody { path: path.to_owned() },
        _ => Error::io("connect to", path, error),
    })?;
    let peer = stream.peer_cred().map_err(|error| Error::io("tell who listens at", path, error))?;
    if is_same_user(peer.uid()) { Ok(stream) } else { Err(Error::OtherUser { path: path.to_owned(), uid: peer.uid() }) }
}
