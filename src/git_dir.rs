//! Where git keeps what belongs to the working tree around a directory.
//!
//! Reads `.git` where it is a file that points elsewhere (worktrees, submodules), and nothing else; never runs git.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::beneath::regular;

/// More than any path takes.
const MOST_BYTES: u64 = 64 * 1024;

/// Finds the git directory of the working tree that holds `dir`, upward from where it really is.
pub(crate) fn git_dir(dir: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    real.ancestors().find_map(|above| {
        let candidate = above.join(".git");
        let metadata = fs::metadata(&candidate).ok()?;
        if metadata.is_dir() { Some(candidate) } else { pointed_to(above, &candidate) }
    })
}

/// Returns the git directory that all working trees of a repository share, of the one that belongs to one of them.
pub(crate) fn common_dir(git_dir: &Path) -> PathBuf {
    let told = line(&git_dir.join("commondir"));
    told.map_or_else(|| git_dir.to_owned(), |told| git_dir.join(told.trim()))
}

/// Reads a `.git` file: `gitdir: PATH`, relative to the directory it stands in.
fn pointed_to(above: &Path, file: &Path) -> Option<PathBuf> {
    Some(above.join(line(file)?.strip_prefix("gitdir:")?.trim()))
}

fn line(file: &Path) -> Option<String> {
    let mut text = String::new();
    regular(file).ok()?.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}
