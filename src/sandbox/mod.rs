//! A stateful stand-in for the parts of Apollo's API that contactsd uses.
//!
//! Listens on loopback only, answers whoever has the key of its data, keeps that in a directory of its own and
//! contacts nobody. Shares no wire
//! types with the client, so that one mistake cannot hide in both. `docs/sandbox.md` says what it does where
//! the vendor's documentation is silent or at odds with itself.

mod action;
mod answer;
mod api;
mod book;
mod bulk;
mod call;
mod catalog;
mod choice;
mod contact;
mod control;
mod counts;
mod faults;
mod fill;
mod gate;
mod key;
mod line;
mod log;
mod matching;
mod moment;
mod options;
mod owner;
mod purge;
mod quirks;
mod quota;
mod search_view;
mod sent;
mod server;
mod shared;
mod team;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::private_dir;

pub use action::Action;
pub use choice::UnknownChoice;
pub use counts::Counts;
pub use faults::{Fault, Faults, InvalidFaults};
pub use key::{key_file, read_key};
pub use options::{Clock, DedupeReading, DeletedAnswer, Options, Witness};
pub use purge::purge;
pub use quirks::{Quirk, Quirks};
pub use quota::{InvalidQuota, Quota};
pub use server::{Sandbox, Server, attach_or_start};

/// Why a sandbox could not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox listens on loopback only, and {listen} is not a loopback address")]
    NotLoopback { listen: SocketAddr },
    /// It cannot be made, there is a link in it or on the way to it, or it belongs to somebody else.
    #[error("the sandbox's data directory cannot be used")]
    Directory(#[from] private_dir::Error),
    #[error("cannot use {}, which says who owns the sandbox's data", path.display())]
    Owner { path: PathBuf, source: io::Error },
    #[error("the sandbox's data is in use: process {pid} answers at http://{address} ({})", path.display())]
    Owned { path: PathBuf, pid: u32, address: SocketAddr },
    #[error("another process holds {} and does not answer", path.display())]
    OwnerSilent { path: PathBuf },
    #[error("cannot use {}, which holds the key of the sandbox's data", path.display())]
    Key { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("line {line} of {} is damaged; move the file away to start with an empty sandbox", path.display())]
    Damaged { path: PathBuf, line: usize },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot listen on {listen}")]
    Bind { listen: SocketAddr, source: io::Error },
    #[error("a contact cannot be put into the sandbox: {why}")]
    Fill { why: String },
    #[error("a task of the sandbox ended early")]
    Task { source: tokio::task::JoinError },
}
