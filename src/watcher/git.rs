//! Whether git is at work in the working tree around a directory. Never runs git.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::git_dir::git_dir;

/// Tells whether git holds its index lock, and forgets locks that nobody will ever release.
#[derive(Debug)]
pub(super) struct Gate {
    dir: PathBuf,
    /// The lock as it was last looked at in this burst.
    seen: Option<Lock>,
    /// A lock that was waited for in vain.
    given_up: Option<Lock>,
}

/// One life of a lock file. Without a clock this tells a new lock from one left by a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lock {
    path: PathBuf,
    modified: Option<SystemTime>,
}

impl Gate {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, seen: None, given_up: None }
    }

    /// Looks at the lock; a handful of file system calls.
    pub(super) fn is_held(&mut self) -> bool {
        self.seen = lock(&self.dir);
        self.seen.is_some() && self.seen != self.given_up
    }

    /// Notes that a look was made: a lock still there was waited for in vain.
    pub(super) fn settle(&mut self) {
        self.given_up = self.seen.take();
    }
}

fn lock(dir: &Path) -> Option<Lock> {
    let path = git_dir(dir)?.join("index.lock");
    let metadata = fs::symlink_metadata(&path).ok()?;
    Some(Lock { path, modified: metadata.modified().ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(root: &Path) -> Gate {
        let dir = root.join("team/contacts.d");
        fs::create_dir_all(&dir).unwrap();
        Gate::new(dir)
    }

    #[test]
    fn a_lock_holds_until_it_is_gone() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".git")).unwrap();
        let mut gate = gate(root.path());
        assert!(!gate.is_held());
        let lock = root.path().join(".git/index.lock");
        fs::write(&lock, "").unwrap();
        assert!(gate.is_held());
        fs::remove_file(&lock).unwrap();
        assert!(!gate.is_held());
    }

    #[test]
    fn a_worktree_has_its_lock_where_its_git_file_points() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("main/.git/worktrees/team")).unwrap();
        let mut gate = gate(root.path());
        fs::write(root.path().join("team/.git"), "gitdir: ../main/.git/worktrees/team\n").unwrap();
        assert!(!gate.is_held());
        fs::write(root.path().join("main/.git/worktrees/team/index.lock"), "").unwrap();
        assert!(gate.is_held());
    }

    #[test]
    fn a_pipe_in_the_place_of_git_is_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let mut gate = gate(root.path());
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let pipe = root.path().join("team/.git");
        rustix::fs::mknodat(rustix::fs::CWD, pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(!gate.is_held());
    }

    #[test]
    fn a_lock_waited_for_in_vain_is_not_waited_for_again_but_a_new_one_is() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".git")).unwrap();
        let lock = root.path().join(".git/index.lock");
        let file = fs::File::create(&lock).unwrap();
        let mut gate = gate(root.path());
        assert!(gate.is_held());
        gate.settle();
        assert!(!gate.is_held());
        gate.settle();
        assert!(!gate.is_held());
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(gate.is_held());
    }
}
