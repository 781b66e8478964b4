//! Messages on a stream: a length, then so many bytes. Never waits longer than it was told to.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Most bytes of one request: room for the fingerprints of about two million entries.
pub(super) const MAX_REQUEST_BYTES: u64 = 256 << 20;

/// Most bytes of one reply: room for about two million bindings.
pub(super) const MAX_REPLY_BYTES: u64 = 4 << 30;

/// How much goes over the wire at a time, and how much memory a claimed length is given in advance.
const CHUNK_BYTES: usize = 256 << 10;

/// Why a message did not go over.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    Silent {
        waited: Duration,
    },
    /// The other side closed before the message was complete.
    Cut,
    TooLong {
        bytes: u64,
        limit: u64,
    },
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Which of these a peer that is gone leads to depends on what was on its way.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::Cut,
            _ => Self::Io(error),
        }
    }
}

/// Sends one message; the other side may pause for `patience` at any point of it.
pub(super) async fn send(stream: &mut UnixStream, message: &[u8], patience: Duration) -> Result<(), Failure> {
    within(patience, stream.write_all(&(message.len() as u64).to_be_bytes())).await?;
    for chunk in message.chunks(CHUNK_BYTES) {
        within(patience, stream.write_all(chunk)).await?;
    }
    Ok(())
}

/// Receives one message of at most `limit` bytes; the other side may pause for `patience` at any point.
///
/// Memory follows what has arrived, not what the length claims.
pub(super) async fn receive(stream: &mut UnixStream, limit: u64, patience: Duration) -> Result<Vec<u8>, Failure> {
    let bytes = within(patience, stream.read_u64()).await?;
    let length = usize::try_from(bytes).ok().filter(|_| bytes <= limit).ok_or(Failure::TooLong { bytes, limit })?;
    let mut message = Vec::with_capacity(length.min(CHUNK_BYTES));
    while message.len() < length {
        let missing = (length - message.len()).min(CHUNK_BYTES) as u64;
        let mut rest = (&mut *stream).take(missing);
        if within(patience, rest.read_buf(&mut message)).await? == 0 {
            return Err(Failure::Cut);
        }
    }
    Ok(message)
}

async fn within<T>(patience: Duration, step: impl Future<Output = io::Result<T>>) -> Result<T, Failure> {
    match timeout(patience, step).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Failure::Silent { waited: patience }),
    }
}
