//! Where a state is kept, as people name it.

use std::fmt;
use std::path::{Path, PathBuf};

/// The place of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory of this machine, with sled in it.
    Directory(PathBuf),
}

impl Location {
    /// Returns the directory on this machine that belongs to the state.
    pub fn directory(&self) -> &Path {
        let Self::Directory(path) = self;
        path
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Directory(path.to_owned())
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::Directory(path)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.directory().display().fmt(f)
    }
}
