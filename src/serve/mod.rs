//! How a running process answers others over HTTP: `watch --listen` over TCP, read-only, and whoever writes a state or
//! keeps it in step over a Unix socket, for the same user only.
//!
//! Knows who may ask and how much may be said, never what is told: it is given functions that answer. One connection
//! carries one request. The owner of a socket must hold the lock of its role, so whatever stands in its place was left
//! by a process that died.
//!
//! ```text
//! GET /, /events, /healthz, /readyz, /metrics, /status   for everybody; on TCP these are all there is
//! POST /v2/NAME                                          between two processes of contactsd: JSON both ways
//! ```
//!
//! 503 means that the question was understood and has no answer now. A later version of the calls has another number,
//! so that 404 tells whoever asks that the other process is of another version.

mod answers;
mod client;
mod connections;
mod live;
mod place;
mod routes;
mod socket;
mod tcp;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use answers::Answer;
pub use client::ask;
pub use live::{Live, More, Next};
pub use place::{Role, candidates};
pub use routes::{Answers, Routes};
pub use socket::{Service, Socket};
pub use tcp::{Options, Server};

/// Why there is no listening, or a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen at {address}")]
    Address { address: SocketAddr, source: io::Error },
    #[error("cannot {step} {}", path.display())]
    Io { step: &'static str, path: PathBuf, source: io::Error },
    /// There is no socket, or a process that died left it.
    #[error("nobody listens at {}", path.display())]
    Nobody { path: PathBuf },
    #[error("the process that listens at {} said nothing for {waited:?}", path.display())]
    Silent { path: PathBuf, waited: Duration },
    /// The process ended in the middle of its answer.
    #[error("the answer at {} ended early", path.display())]
    Cut { path: PathBuf },
    #[error("the process that listens at {} runs as user {uid}, and this one does not", path.display())]
    OtherUser { path: PathBuf, uid: u32 },
    #[error("a message of {bytes} bytes is longer than the {limit} that are taken")]
    TooLong { bytes: u64, limit: u64 },
    /// No HTTP, which is what it was before version 2 of the calls.
    #[error("the process that listens at {} answers as another version of contactsd does", path.display())]
    Foreign { path: PathBuf },
    #[error("the answer of {} cannot be understood", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
    /// It understood, and could not do it.
    #[error("the other process cannot answer: {why}")]
    Failed { why: String },
    /// It does not know or understand the question.
    #[error("the other process refuses the question: {why}")]
    Refused { why: String },
    /// A socket's path has little room: 107 bytes on Linux.
    #[error("{} is too long for a socket's path; set XDG_RUNTIME_DIR to a shorter directory", path.display())]
    PathTooLong { path: PathBuf },
    #[error("{} must be a directory that belongs to this user alone, mode 0700", path.display())]
    NotPrivate { path: PathBuf },
    #[error("{} is in the way: it is no socket", path.display())]
    InTheWay { path: PathBuf },
}

impl Error {
    /// Reports whether asking again a moment later may go better.
    ///
    /// Who asked may meet the process as it begins or ends.
    pub fn is_passing(&self) -> bool {
        use Error::{Cut, Failed, Io, Nobody, Silent};
        matches!(self, Io { .. } | Nobody { .. } | Silent { .. } | Cut { .. } | Failed { .. })
    }

    fn io(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { step, path: path.to_owned(), source }
    }
}

/// Reports whether a peer may be talked to: it runs as the same user.
fn is_same_user(uid: u32) -> bool {
    uid == rustix::process::geteuid().as_raw()
}
