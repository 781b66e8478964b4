//! Both ends of the Unix sockets by which the process that writes a state, and the service that keeps it in
//! step, answer others.
//!
//! One connection carries one request and one reply, each a length and JSON. Knows who may ask and how
//! much may be said, never what a state holds: the payload of a reply is the caller's. The owner of a
//! socket must hold the lock of its role, so whatever stands in its place was left by a process that died.
//!
//! ```text
//! message   8 bytes, big-endian: how many bytes follow; then so many bytes of JSON
//! request   {"version":1,"request":{"kind":"snapshot",...}}, or "status", "pause", "resume", "approve"
//! reply     {"version":1,"answer":...}  or  {"version":1,"refusal":{"kind":"unknown_kind",...}}
//! ```
//!
//! A later version keeps the length, `version` and `refusal`, so that two versions can say so.

mod asking;
mod listener;
mod message;
mod place;
#[cfg(test)]
mod tests;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use asking::ask;
pub use listener::{Listener, Service};
pub use message::{Payload, Refusal, Request, payload};
pub use place::{Role, candidates};

use wire::Failure;

/// Why a socket could not be listened at, or a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {step} {}", path.display())]
    Io { step: &'static str, path: PathBuf, source: io::Error },
    /// There is no socket, or a process that died left it.
    #[error("nobody listens at {}", path.display())]
    Nobody { path: PathBuf },
    #[error("the process that listens at {} said nothing for {waited:?}", path.display())]
    Silent { path: PathBuf, waited: Duration },
    /// The process ended in the middle of its reply.
    #[error("the answer at {} ended early", path.display())]
    Cut { path: PathBuf },
    #[error("the process that listens at {} runs as user {uid}, and this one does not", path.display())]
    OtherUser { path: PathBuf, uid: u32 },
    #[error("a message of {bytes} bytes is longer than the {limit} that are taken")]
    TooLong { bytes: u64, limit: u64 },
    #[error("what {} answers cannot be understood", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("{refusal}")]
    Refused { refusal: Refusal },
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
        match self {
            Self::Io { .. } | Self::Nobody { .. } | Self::Silent { .. } | Self::Cut { .. } => true,
            Self::Refused { refusal } => matches!(refusal, Refusal::Failed { .. }),
            Self::OtherUser { .. }
            | Self::TooLong { .. }
            | Self::Malformed { .. }
            | Self::PathTooLong { .. }
            | Self::NotPrivate { .. }
            | Self::InTheWay { .. } => false,
        }
    }

    fn io(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { step, path: path.to_owned(), source }
    }

    fn wire(path: &Path, failure: Failure) -> Self {
        let path = path.to_owned();
        match failure {
            Failure::Io(source) => Self::Io { step: "use the socket", path, source },
            Failure::Silent { waited } => Self::Silent { path, waited },
            Failure::Cut => Self::Cut { path },
            Failure::TooLong { bytes, limit } => Self::TooLong { bytes, limit },
        }
    }
}

/// Reports whether a peer may be talked to: it runs as the same user.
fn is_same_user(uid: u32) -> bool {
    uid == rustix::process::geteuid().as_raw()
}
