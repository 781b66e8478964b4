//! What the operator should know about the watching itself.
//!
//! Plain data with its wording; printing is for the caller.

use std::fmt;
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

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Polling { dir, interval, cause } => {
                write!(f, "Looking at {} every {interval:?} instead of waiting for events: {cause}", dir.display())
            }
            Self::Missing { dir } => write!(f, "{} is missing; waiting for it to appear.", dir.display()),
            Self::Remade { dir } => {
                write!(f, "{} came back or was replaced; watching what is there now.", dir.display())
            }
            Self::StillOpen { path } => {
                write!(f, "{} is still being written after a minute; it is read as it is now.", path.display())
            }
            Self::Broken { dir, reason } => write!(
                f,
                "Watching {} failed by a mistake in contactsd ({reason}); looking at everything and watching again. Please report it.",
                dir.display()
            ),
            Self::Overflow { dir } => write!(
                f,
                "The system dropped events for {}; looking at everything. Raising fs.inotify.max_queued_events with sysctl makes that rarer.",
                dir.display()
            ),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WatchLimit => write!(
                f,
                "the limit on watched directories is reached. Raise fs.inotify.max_user_watches with sysctl, then restart."
            ),
            Self::InstanceLimit => write!(
                f,
                "the limit on inotify instances or open files is reached. Raise fs.inotify.max_user_instances with sysctl, or the limit on open files, then restart."
            ),
            Self::Silent { dir, file_system } => {
                write!(f, "{} is on {file_system}, which does not tell of changes made elsewhere.", dir.display())
            }
            Self::Refused { reason } => write!(f, "the system refused ({reason})."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reached_limit_names_the_setting_to_raise() {
        let notice = Notice::Polling {
            dir: PathBuf::from("contacts.d"),
            interval: Duration::from_secs(2),
            cause: Cause::WatchLimit,
        };
        insta::assert_snapshot!(notice, @"Looking at contacts.d every 2s instead of waiting for events: the limit on watched directories is reached. Raise fs.inotify.max_user_watches with sysctl, then restart.");
    }
}
