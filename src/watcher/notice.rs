//! What the operator should know about the watching itself.
//!
//! Plain data with its wording; printing is for the caller.

use std::path::PathBuf;
use std::time::Duration;

/// Something that happened to the watching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Events cannot be had, so the directory is looked at every `interval` from now on.
    Polling { dir: PathBuf, interval: Duration, cause: Cause },
    /// The directory is not there; it is awaited.
    Missing { dir: PathBuf },
    /// The directory came back or another took its place, and is watched in turn.
    Remade { dir: PathBuf },
    /// The system dropped events; everything is looked at.
    Overflow { dir: PathBuf },
    /// A file was written and not closed for so long that it counts as it is.
    StillOpen { path: PathBuf },
    /// The thread that watches ended by a mistake of ours; it begins again.
    Broken { dir: PathBuf, reason: String },
}

/// Why events cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// `fs.inotify.max_user_watches` is reached.
    WatchLimit,
    /// `fs.inotify.max_user_instances`, or the limit on open files, is reached.
    InstanceLimit,
    /// A directory is on a file system that does not tell of changes made elsewhere.
    Silent { dir: PathBuf, file_system: &'static str },
    /// The system refused for another reason, in its words.
    Refused { reason: String },
}
