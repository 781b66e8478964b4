//! One set of notify watches, made whole and given back whole.
//!
//! Never mended: a set whose tree changed is closed and another one made, so that no watch of a
//! directory that went can be taken for the one that came.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvError};

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use rustix::io::Errno;

use super::filesystem;
use super::inbox::Inbox;
use super::notice::Cause;
use super::place::Place;
use super::tree::Tree;

/// Walks tried until one finds what the one before it found.
const MOST_WALKS: usize = 8;

/// Watches of every directory in a tree.
pub(super) struct Watches {
    pub(super) tree: Tree,
    notify: RecommendedWatcher,
    /// Disconnects when notify's thread has ended and its watches are given back.
    ended: Receiver<Infallible>,
}

impl Watches {
    /// Watches everything that matters to a place.
    ///
    /// Once this returns, whatever happens to the tree reaches the inbox: the last walk found what the
    /// walk before it found, and that was watched by then. A tree that does not hold still is told to
    /// the inbox as crowded, so that the watches are made once more.
    pub(super) fn set(place: &Place, inbox: &Arc<Inbox>) -> Result<Self, Cause> {
        let (mut notify, ended) = listener(Arc::clone(inbox))?;
        let mut set = BTreeMap::new();
        let mut devices = BTreeSet::new();
        let mut tree = place.walk();
        for _ in 0..MOST_WALKS {
            for (directory, identity) in &tree.watched {
                if devices.insert(identity.device) {
                    refuse_silent(directory)?;
                }
                if set.insert(directory.clone(), *identity) != Some(*identity) {
                    watch(&mut notify, directory)?;
                }
            }
            let again = place.walk();
            if again == tree {
                return Ok(Self { tree, notify, ended });
            }
            tree = again;
        }
        inbox.crowd();
        Ok(Self { tree, notify, ended })
    }

    /// Gives the watches back and waits until they are, so that the next set does not meet the limit
    /// by being counted beside this one.
    pub(super) fn close(self) {
        drop(self.notify);
        let Err(RecvError) = self.ended.recv();
    }
}

fn listener(inbox: Arc<Inbox>) -> Result<(RecommendedWatcher, Receiver<Infallible>), Cause> {
    let (alive, ended) = mpsc::channel();
    let hear = move |event| {
        // Owned by this closure, which lives as long as notify's thread does.
        let _: &mpsc::Sender<Infallible> = &alive;
        inbox.receive(event);
    };
    let notify = notify::recommended_watcher(hear).map_err(|error| cause(&error))?;
    Ok((notify, ended))
}

fn refuse_silent(directory: &Path) -> Result<(), Cause> {
    match filesystem::silent(directory) {
        Some(file_system) => Err(Cause::Silent { dir: directory.to_owned(), file_system }),
        None => Ok(()),
    }
}

/// Watches one directory, unless it went meanwhile (the next walk tells) or may not be read (loading
/// tells, and a change of its mode is an event in its parent).
fn watch(notify: &mut RecommendedWatcher, directory: &Path) -> Result<(), Cause> {
    match notify.watch(directory, RecursiveMode::NonRecursive) {
        Err(error) if !is_passing(&error) => Err(cause(&error)),
        _ => Ok(()),
    }
}

fn is_passing(error: &notify::Error) -> bool {
    let passing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory, io::ErrorKind::PermissionDenied];
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(source) => passing.contains(&source.kind()),
        _ => false,
    }
}

fn cause(error: &notify::Error) -> Cause {
    match &error.kind {
        ErrorKind::MaxFilesWatch => Cause::WatchLimit,
        ErrorKind::Io(source) if is_out_of_instances(source) => Cause::InstanceLimit,
        _ => Cause::Refused { reason: error.to_string() },
    }
}

fn is_out_of_instances(source: &io::Error) -> bool {
    matches!(Errno::from_io_error(source), Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_by_name() {
        assert_eq!(cause(&notify::Error::new(ErrorKind::MaxFilesWatch)), Cause::WatchLimit);
        assert_eq!(cause(&notify::Error::io(Errno::MFILE.into())), Cause::InstanceLimit);
        assert!(matches!(cause(&notify::Error::io(Errno::NOMEM.into())), Cause::Refused { .. }));
    }

    #[test]
    fn a_directory_that_went_or_may_not_be_read_is_no_reason_to_poll() {
        assert!(is_passing(&notify::Error::new(ErrorKind::PathNotFound)));
        assert!(is_passing(&notify::Error::io(Errno::ACCESS.into())));
        assert!(!is_passing(&notify::Error::new(ErrorKind::MaxFilesWatch)));
    }
}
