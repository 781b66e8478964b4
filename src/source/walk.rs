//! Which files below a directory hold contacts.
//!
//! Never opens a file. Each real directory is read once, whatever symlinks lead to it, so that loops
//! end; each name of a file counts, so that a file under two names is noticed as declared twice.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use super::code::Code;
use super::diagnostic::{Diagnostic, Location};

/// The files below a directory.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Paths below the directory, sorted.
    pub(super) files: BTreeSet<PathBuf>,
    /// What could not be looked at.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Lists the contact files below `root`.
pub(super) fn walk(root: &Path) -> Result<Walk, Error> {
    let unreadable = |source| Error::ReadDirectory { dir: root.to_owned(), source };
    if !fs::metadata(root).map_err(unreadable)?.is_dir() {
        return Err(Error::NotADirectory { dir: root.to_owned() });
    }
    fs::read_dir(root).map_err(unreadable)?;
    let mut walker = Walker { root, found: Walk::default(), visited: HashSet::new(), linked: BTreeSet::new() };
    walker.visit(PathBuf::new());
    // Links come last, so that a directory goes by its real name wherever it has one below the root.
    while let Some(below) = walker.linked.pop_first() {
        walker.visit(below);
    }
    Ok(walker.found)
}

struct Walker<'r> {
    root: &'r Path,
    found: Walk,
    /// The real paths of the directories that were read.
    visited: HashSet<PathBuf>,
    /// Symlinks to directories, to be followed.
    linked: BTreeSet<PathBuf>,
}

impl Walker<'_> {
    /// Visits a directory and all below it, but for symlinks to directories.
    fn visit(&mut self, start: PathBuf) {
        let mut open = vec![start];
        while let Some(below) = open.pop() {
            match self.read(&below) {
                Ok(directories) => open.extend(directories),
                Err(error) => self.found.diagnostics.push(unreadable(&self.root.join(&below), &error)),
            }
        }
    }

    /// Takes in the files of one directory; returns the directories in it.
    fn read(&mut self, below: &Path) -> io::Result<Vec<PathBuf>> {
        let directory = self.root.join(below);
        if !self.visited.insert(fs::canonicalize(&directory)?) {
            return Ok(Vec::new());
        }
        let mut directories = Vec::new();
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if is_skipped(&name.to_string_lossy()) {
                continue;
            }
            let path = below.join(&name);
            let kind = entry.file_type()?;
            if kind.is_dir() {
                directories.push(path);
            } else if kind.is_symlink() && fs::metadata(entry.path()).is_ok_and(|target| target.is_dir()) {
                self.linked.insert(path);
            } else if is_yaml(&path) {
                self.found.files.insert(path);
            }
        }
        Ok(directories)
    }
}

/// Reports whether a name is hidden, a backup or an editor's own.
fn is_skipped(name: &str) -> bool {
    let is_swap = name.starts_with('#') && name.ends_with('#') || name == "4913";
    name.starts_with('.') || name.ends_with('~') || is_swap
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Words the failure to look at `path`.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let summary = format!("{} cannot be read", path.display());
    let detail = format!("The system says: {error}. Contacts in it would seem to be gone, so nothing is planned.");
    Diagnostic::new(Code::Unreadable, summary, detail).at(Location::of_file(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(root: &Path) -> Vec<String> {
        walk(root).unwrap().files.iter().map(|path| path.display().to_string()).collect()
    }

    fn touch(root: &Path, paths: &[&str]) {
        for path in paths {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn yaml_files_at_any_depth_count_and_editors_files_do_not() {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), &["b.yml", "a.yaml", "x/y/z.yaml", "notes.txt", "c.yaml.bak", "D.YAML"]);
        touch(dir.path(), &[".a.yaml", ".a.yaml.swp", "a.yaml~", "#a.yaml#", "4913", ".git/c.yaml", "old~/c.yaml"]);
        assert_eq!(names(dir.path()), ["a.yaml", "b.yml", "x/y/z.yaml"]);
    }

    #[test]
    fn a_mounted_config_map_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), &["..2026_01/a.yaml"]);
        symlink("..2026_01", dir.path().join("..data")).unwrap();
        symlink("..data/a.yaml", dir.path().join("a.yaml")).unwrap();
        assert_eq!(names(dir.path()), ["a.yaml"]);
    }

    #[test]
    fn loops_of_symlinks_end_and_linked_directories_are_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        touch(dir.path(), &["real/r.yaml"]);
        touch(elsewhere.path(), &["e.yaml"]);
        symlink(".", dir.path().join("real/again")).unwrap();
        symlink("..", dir.path().join("real/up")).unwrap();
        symlink("real", dir.path().join("alias")).unwrap();
        symlink(elsewhere.path(), dir.path().join("one")).unwrap();
        symlink(elsewhere.path(), dir.path().join("two")).unwrap();
        assert_eq!(names(dir.path()), ["one/e.yaml", "real/r.yaml"]);
    }

    #[test]
    fn only_a_directory_can_be_walked() {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), &["file"]);
        assert!(matches!(walk(&dir.path().join("file")), Err(Error::NotADirectory { .. })));
        assert!(matches!(walk(&dir.path().join("none")), Err(Error::ReadDirectory { .. })));
    }
}
