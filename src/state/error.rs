//! What can go wrong with a state, and what the user can do about it.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::holder::Holder;
use super::location::Location;
use super::replacement::Setback;
use super::row::STATE_FORMAT;
use crate::model::{ApolloId, ContactKey};
use crate::private_dir;
use crate::shell_word::{repeated, shell_word};

/// A step that failed, with its facts. Cloneable, since requests that share a barrier share its failure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("cannot {step} {}", path.display())]
    Io { step: &'static str, path: PathBuf, source: Arc<io::Error> },
    /// There is a link in the directory or on the way to it, or it belongs to somebody else; nothing was written.
    #[error(transparent)]
    Unsafe(private_dir::Error),
    /// Another process has the state open; `holder` is what it said about itself, if anything.
    #[error("the state {state} is in use by {}", holder_text(holder.as_deref()))]
    Locked { state: Location, holder: Option<Box<Holder>> },
    /// The state is damaged, older than it was, or not a state. Nothing was removed from it.
    #[error(
        "the state {state} cannot be read: {why}. See with `contactsd state recover{again}` what is left of it; it asks before \
         it changes anything. Or restore a backup of the whole directory; or move it away (mv {} {}): then every contact \
         is looked up again on the next apply",
        shell_word(state), shell_word(format_args!("{state}.broken")), again = repeated()
    )]
    Unreadable { state: Location, why: String },
    /// Nothing can be built again of what is there. Nothing was removed from it.
    #[error(
        "nothing is left of the state {state}: neither its database nor its copy holds anything that can be read. Restore \
         a backup of the whole directory; or move it away (mv {} {}) and have `contactsd state rebuild{again}` bind the \
         contacts again, or the next apply, which looks each of them up",
        shell_word(state), shell_word(format_args!("{state}.broken")), again = repeated()
    )]
    NothingLeft { state: Location },
    #[error("the state {state} belongs to {recorded}, not to {given}; give each API a state of its own with --state")]
    OtherOrigin { state: Location, recorded: String, given: String },
    /// Two contact directories of one name have one default place for their state.
    #[error(
        "the state {0} belongs to the contact files in {1}, not to those in {2}; nothing was read or changed. If these \
         are other people, give them a state of their own: --state {3}. If it is the same directory, which was moved, \
         name the state once: --state {4}",
        path.display(), recorded.display(), given.display(), shell_word(another_place(given).display()),
        shell_word(path.display())
    )]
    OtherDir { path: PathBuf, recorded: PathBuf, given: PathBuf },
    #[error(
        "the state {state} has format {found}, written by a newer contactsd; this one reads up to format {STATE_FORMAT}"
    )]
    TooNew { state: Location, found: u32 },
    /// A contact belongs to one key at most; nothing of the commit was written.
    #[error("contact {id} cannot be bound to {key}: it belongs to {owner}")]
    IdTaken { id: ApolloId, key: ContactKey, owner: ContactKey },
    /// The key to rename to has a contact already; nothing of the commit was written.
    #[error("{from} cannot be renamed to {to}: {to} is bound to {id}")]
    KeyTaken { from: ContactKey, to: ContactKey, id: ApolloId },
    /// Large batches cost sled gigabytes; nothing of the commit was written.
    #[error("a commit of {rows} rows does not fit into one batch of at most {limit}")]
    TooManyRows { rows: usize, limit: usize },
    /// What was committed may be on disk or not; the next opening tells.
    #[error("cannot make the state {state} durable: whether the last change is on disk is unknown")]
    Barrier { state: Location, source: Arc<io::Error> },
    /// sled could not sync its log for the last time. What was reported as done is on disk.
    #[error(
        "the state {} was not closed in order: the disk refused the last sync. What was reported as done is on disk; \
         look at the disk (dmesg), then run the command again",
        path.display()
    )]
    NotClosed { path: PathBuf },
    /// Another directory, or none, is where the open state was; what is committed would be lost with it.
    #[error("the state {} was moved, removed or replaced while it was in use", path.display())]
    Replaced { path: PathBuf },
    /// An earlier write failed, so nothing more is written until the state is opened again.
    #[error("the state {state} takes no more changes in this run since an earlier write failed: {why}")]
    Poisoned { state: Location, why: String },
    /// What is to be pushed is not a whole copy of a state; nothing was changed.
    #[error("what is to be pushed is not a pulled state: line {line}: {why}")]
    NotACopy { line: u64, why: String },
    /// The copy must not replace the state unless it is forced; nothing was changed.
    #[error("the state {state} is not replaced: {setback}")]
    PushRefused { state: Location, setback: Setback },
    /// A service goes by what the state says, so that nobody may put another in its place; `holder` is the service.
    #[error("the state {state} is kept in step by {}", holder_text(holder.as_deref()))]
    Serviced { state: Location, holder: Option<Box<Holder>> },
    #[error("cannot read what is to be pushed")]
    Input { source: Arc<io::Error> },
    #[error("cannot write the copy of the state")]
    Output { source: Arc<io::Error> },
    /// The database that keeps the state refuses, complains or does not answer.
    #[error("{why}")]
    Database { state: Location, why: String },
    #[error("the state {state} is closed")]
    Closed { state: Location },
}

impl From<private_dir::Error> for Error {
    fn from(error: private_dir::Error) -> Self {
        match error {
            private_dir::Error::Io { step, path, source } => Self::Io { step, path, source },
            refused => Self::Unsafe(refused),
        }
    }
}

impl Error {
    pub(crate) fn io(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { step, path: path.to_owned(), source: Arc::new(source) }
    }

    pub(crate) fn input(source: &io::Error) -> Self {
        Self::Input { source: Arc::new(source.kind().into()) }
    }

    pub(crate) fn output(source: io::Error) -> Self {
        Self::Output { source: Arc::new(source) }
    }

    pub(crate) fn unreadable(state: &Location, why: impl Into<String>) -> Self {
        Self::Unreadable { state: state.clone(), why: why.into() }
    }

    /// Reports whether a commit was turned down as it was asked, leaving the store as good as before.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::IdTaken { .. } | Self::KeyTaken { .. } | Self::TooManyRows { .. })
    }
}

/// Returns a place for the state of a contact directory whose default place is taken.
fn another_place(dir: &Path) -> PathBuf {
    let names = dir.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    let name = names.collect::<Vec<_>>().join(OsStr::new("-"));
    Path::new(private_dir::HOME).join(name).join("state")
}

fn holder_text(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => holder.to_string(),
        None => "another process".to_owned(),
    }
}
