//! What is watched: a directory, what is none of it, and where its links may lead. Watches nothing itself.

use std::path::PathBuf;

use super::tree::Tree;
use crate::beneath::Bounds;

/// What is watched.
#[derive(Debug)]
pub(super) struct Place {
    /// An absolute path.
    pub(super) dir: PathBuf,
    /// The same directory as the user named it.
    pub(super) named: PathBuf,
    /// Absolute paths of what is none of it.
    pub(super) ignored: Vec<PathBuf>,
    /// Where the directory and the links in it may lead.
    pub(super) bounds: Bounds,
}

impl Place {
    #[cfg(test)]
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { named: dir.clone(), dir, ignored: Vec::new(), bounds: Bounds::default() }
    }

    pub(super) fn walk(&self) -> Tree {
        Tree::walk(&self.dir, &self.ignored, &self.bounds)
    }
}
