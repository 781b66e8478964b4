//! What has to be watched so that no change to a directory of contact files goes unseen.
//!
//! Reads directories and links, never a file. Paths in a tree are real ones, free of links, so that an
//! event names exactly what the tree names. What lies where no link may lead is neither read nor watched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::names::{is_contact_file, is_passed_over, is_silent};
use crate::beneath::{Bounds, follow, may_end};

/// The directories and names that matter, as they stood at one walk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    /// The directory itself, while it exists.
    pub(super) root: Option<(PathBuf, Identity)>,
    /// Directories that are read: nearly every name in them matters.
    pub(super) read: BTreeSet<PathBuf>,
    /// Names on the way to a directory or file: links, what they lead to, and what is missing.
    pub(super) way: BTreeSet<PathBuf>,
    /// Where links end whose names are no contact file's: a file there is not read.
    asides: BTreeSet<PathBuf>,
    /// Where links end whose names are those of contact files.
    contact_ends: BTreeSet<PathBuf>,
    /// Directories to be watched, each for itself: those that are read, and those that hold the way.
    pub(super) watched: BTreeMap<PathBuf, Identity>,
    /// Directories below the root that are none of it.
    ignored: BTreeSet<PathBuf>,
    /// The root and the further directories in which links may end.
    areas: Vec<PathBuf>,
}

/// Which directory stands at a path: another one at the same path needs a watch of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// What an event at a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Touch {
    Nothing,
    /// A file changed.
    Content,
    /// A directory or link did: what has to be watched may be another set now.
    Structure,
}

impl Tree {
    /// Walks from `dir`, an absolute path that may lead through links and may lead nowhere.
    ///
    /// What is `ignored` counts only where it lies below the directory. A root outside of its bounds is not read.
    pub(super) fn walk(dir: &Path, ignored: &[PathBuf], bounds: &Bounds) -> Self {
        let mut tree = Self::default();
        if let Some(real) = tree.follow(Path::new("/"), dir)
            && let Some(identity) = directory_at(&real)
        {
            tree.root = Some((real.clone(), identity));
            tree.ignored = ignored.iter().map(|path| real_path(path)).filter(|path| is_below(path, &real)).collect();
            tree.areas =
                std::iter::once(real.clone()).chain(bounds.follow_within.iter().map(|path| real_path(path))).collect();
            if bounds.root_within.as_ref().is_none_or(|within| real.starts_with(real_path(within))) {
                tree.read_below(real);
            }
        }
        let holders: BTreeSet<PathBuf> = tree.way.iter().filter_map(|name| name.parent()).map(Path::to_owned).collect();
        for directory in holders {
            tree.watch(directory);
        }
        tree
    }

    /// Returns the directory that a file stands in, named from `named` instead of the root.
    ///
    /// `None` where links lead about, so that the same file may go by other names.
    pub(super) fn named_directory(&self, file: &Path, named: &Path) -> Option<PathBuf> {
        let (root, _) = self.root.as_ref()?;
        let has_links = self.way.iter().any(|name| is_below(name, root));
        let below = file.parent()?.strip_prefix(root).ok()?;
        (!has_links).then(|| if below.as_os_str().is_empty() { named.to_owned() } else { named.join(below) })
    }

    /// Says what an event at `path` means.
    pub(super) fn judge(&self, path: &Path) -> Touch {
        if self.ignored.contains(path) {
            return Touch::Nothing;
        }
        if self.watched.contains_key(path) {
            return Touch::Structure;
        }
        let is_way = self.way.contains(path);
        if !is_way && !self.is_read(path) {
            return Touch::Nothing;
        }
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() || metadata.is_symlink() => Touch::Structure,
            Err(_) if is_way => Touch::Structure,
            _ if self.is_contact_file(path) => Touch::Content,
            _ => Touch::Nothing,
        }
    }

    /// Reports whether a file at `path` is read, by its own name or by that of a link.
    pub(super) fn is_contact_file(&self, path: &Path) -> bool {
        let is_read = || self.is_read(path) && path.file_name().is_some_and(is_contact_file);
        let is_aside = self.asides.contains(path) && !self.contact_ends.contains(path);
        (self.way.contains(path) && !is_aside) || is_read()
    }

    fn is_read(&self, path: &Path) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return false };
        !is_silent(name) && self.read.contains(parent)
    }

    /// Takes in a directory and all below it, each real directory once, so that loops of links end.
    fn read_below(&mut self, start: PathBuf) {
        let mut open = vec![start];
        while let Some(directory) = open.pop() {
            let is_known = self.read.contains(&directory) || self.ignored.contains(&directory);
            if is_known || !self.watch(directory.clone()) {
                continue;
            }
            // A directory that cannot be read is told by loading; a change of its mode is an event.
            let Ok(entries) = fs::read_dir(&directory) else {
                self.read.insert(directory);
                continue;
            };
            for entry in entries.filter_map(Result::ok).filter(|entry| !is_passed_over(&entry.file_name())) {
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    open.push(entry.path());
                } else if kind.is_symlink() {
                    open.extend(self.follow_inside(&directory, Path::new(&entry.file_name())));
                }
            }
            self.read.insert(directory);
        }
    }

    /// Notes a directory as to be watched; tells whether there is one.
    fn watch(&mut self, directory: PathBuf) -> bool {
        let identity = directory_at(&directory);
        if let Some(identity) = identity {
            self.watched.insert(directory, identity);
        }
        identity.is_some()
    }

    /// Follows `path` from the real directory `base`, noting every link, the end, or where it breaks off.
    fn follow(&mut self, base: &Path, path: &Path) -> Option<PathBuf> {
        let mut way = Vec::new();
        let end = follow(base, path, |name| way.push(name.to_owned())).ok();
        self.way.extend(way.into_iter().chain(end.clone()));
        end
    }

    /// Follows the link `name` in the real directory `base`, noting what of its way is where links may end.
    ///
    /// Outside of that nothing is watched: what changes there is found by the next walk.
    fn follow_inside(&mut self, base: &Path, name: &Path) -> Option<PathBuf> {
        let mut way = vec![base.join(name)];
        let end = follow(base, name, |name| way.push(name.to_owned())).ok();
        way.extend(end.clone());
        if let Some(end) = &end {
            if is_contact_file(name.as_os_str()) {
                self.contact_ends.insert(end.clone());
            } else {
                self.asides.insert(end.clone());
            }
        }
        way.retain(|name| may_end(&self.areas, name));
        self.way.extend(way);
        end.filter(|end| may_end(&self.areas, end))
    }
}

/// Returns where a path leads, as far as it exists.
fn real_path(path: &Path) -> PathBuf {
    let real = |above: &Path| Some(fs::canonicalize(above).ok()?.join(path.strip_prefix(above).ok()?));
    path.ancestors().find_map(real).unwrap_or_else(|| path.to_owned())
}

fn is_below(path: &Path, above: &Path) -> bool {
    path != above && path.starts_with(above)
}

fn directory_at(path: &Path) -> Option<Identity> {
    let metadata = fs::symlink_metadata(path).ok()?;
    metadata.is_dir().then(|| Identity::of(&metadata))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A directory `contacts.d` with whatever a test puts beside or below it.
    fn world() -> (TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(root.path()).unwrap();
        fs::create_dir(real.join("contacts.d")).unwrap();
        (root, real)
    }

    fn walk(dir: &Path) -> Tree {
        Tree::walk(dir, &[], &Bounds::default())
    }

    fn watched(tree: &Tree, base: &Path) -> Vec<String> {
        let below = tree.watched.keys().filter_map(|path| path.strip_prefix(base).ok());
        below.map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn every_directory_and_the_parent_are_watched_but_hidden_ones_are_not() {
        let (_guard, base) = world();
        for below in ["a/b", ".git/refs", ".contactsd/state", "old~"] {
            fs::create_dir_all(base.join("contacts.d").join(below)).unwrap();
        }
        let tree = walk(&base.join("contacts.d"));
        assert_eq!(watched(&tree, &base), ["", "contacts.d", "contacts.d/a", "contacts.d/a/b"]);
    }

    #[test]
    fn a_config_map_is_watched_where_its_links_lead() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        fs::create_dir_all(dir.join("..2026_01")).unwrap();
        fs::write(dir.join("..2026_01/a.yaml"), "").unwrap();
        symlink("..2026_01", dir.join("..data")).unwrap();
        symlink("..data/a.yaml", dir.join("a.yaml")).unwrap();
        let tree = walk(&dir);
        assert_eq!(watched(&tree, &base), ["", "contacts.d", "contacts.d/..2026_01"]);
        assert_eq!(tree.judge(&dir.join("..data")), Touch::Structure);
        assert_eq!(tree.judge(&dir.join("..2026_01/a.yaml")), Touch::Content);
        assert_eq!(tree.judge(&dir.join("..2026_01/other.yaml")), Touch::Nothing);
    }

    #[test]
    fn what_lies_where_no_link_may_lead_is_not_watched() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        for below in ["shared/team", "secret/inner", "contacts.d/.hidden/inner"] {
            fs::create_dir_all(base.join(below)).unwrap();
        }
        fs::write(base.join("secret/a.yaml"), "").unwrap();
        symlink("../shared", dir.join("shared")).unwrap();
        symlink("../secret", dir.join("secret")).unwrap();
        symlink("../secret/a.yaml", dir.join("a.yaml")).unwrap();
        symlink(".hidden", dir.join("hidden")).unwrap();
        symlink("/proc/self/cwd", dir.join("magic")).unwrap();
        let bounds = Bounds { root_within: None, follow_within: vec![base.join("shared")] };
        let tree = Tree::walk(&dir, &[], &bounds);
        assert_eq!(watched(&tree, &base), ["", "contacts.d", "shared", "shared/team"]);
        assert_eq!(tree.judge(&dir.join("secret")), Touch::Structure, "it may be turned over");
        assert_eq!(tree.judge(&base.join("secret/a.yaml")), Touch::Nothing);
        assert!(!tree.watched.keys().any(|path| path.starts_with("/proc")));
    }

    #[test]
    fn a_directory_that_nobody_named_is_not_watched_outside_of_its_bounds() {
        let (_guard, base) = world();
        fs::create_dir_all(base.join("elsewhere/team")).unwrap();
        fs::create_dir(base.join("here")).unwrap();
        symlink("../elsewhere", base.join("here/contacts.d")).unwrap();
        let bounds = Bounds { root_within: Some(base.join("here")), follow_within: Vec::new() };
        let tree = Tree::walk(&base.join("here/contacts.d"), &[], &bounds);
        assert!(tree.read.is_empty() && !tree.watched.contains_key(&base.join("elsewhere/team")), "{tree:?}");
    }

    #[test]
    fn links_on_the_way_to_the_directory_are_watched() {
        let (_guard, base) = world();
        fs::create_dir_all(base.join("trees/one/contacts.d")).unwrap();
        symlink("trees/one", base.join("current")).unwrap();
        let tree = walk(&base.join("current/contacts.d"));
        assert_eq!(watched(&tree, &base), ["", "trees/one", "trees/one/contacts.d"]);
        assert_eq!(tree.judge(&base.join("current")), Touch::Structure);
        assert_eq!(tree.root.map(|(real, _)| real), Some(base.join("trees/one/contacts.d")));
    }

    #[test]
    fn what_is_missing_is_awaited_in_the_nearest_directory_there_is() {
        let (_guard, base) = world();
        let tree = walk(&base.join("mount/team/contacts.d"));
        assert_eq!(watched(&tree, &base), [""]);
        assert!(tree.root.is_none() && tree.way.contains(&base.join("mount")));
    }

    #[test]
    fn loops_of_links_end() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        symlink(".", dir.join("again")).unwrap();
        symlink("self", dir.join("self")).unwrap();
        symlink("..", dir.join("up")).unwrap();
        let tree = walk(&dir);
        assert_eq!(watched(&tree, &base), ["", "contacts.d"]);
    }

    #[test]
    fn files_below_count_and_what_stands_beside_the_directory_does_not() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        let tree = walk(&dir);
        assert_eq!(tree.judge(&dir.join("a.yaml")), Touch::Content);
        assert_eq!(tree.judge(&dir), Touch::Structure);
        for silent in ["notes.txt", ".contactsd", "contacts.d/.contactsd", "contacts.d/.a.yaml.swp"] {
            assert_eq!(tree.judge(&base.join(silent)), Touch::Nothing, "{silent}");
        }
    }

    #[test]
    fn a_file_that_is_no_contact_file_says_nothing_but_by_a_link_that_names_one() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        for name in ["app.log", "shared.txt", "current.log"] {
            fs::write(dir.join(name), "").unwrap();
        }
        symlink("shared.txt", dir.join("a.yaml")).unwrap();
        symlink("current.log", dir.join("latest")).unwrap();
        let tree = walk(&dir);
        for name in ["app.log", "current.log", "new.log", "gone.log"] {
            assert_eq!(tree.judge(&dir.join(name)), Touch::Nothing, "{name}");
        }
        assert_eq!(tree.judge(&dir.join("shared.txt")), Touch::Content);
        fs::create_dir(dir.join("new.log")).unwrap();
        assert_eq!(tree.judge(&dir.join("new.log")), Touch::Structure, "a directory of that name is read");
    }

    #[test]
    fn new_directories_and_links_change_what_is_watched() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        let tree = walk(&dir);
        fs::create_dir(dir.join("team")).unwrap();
        symlink("nowhere", dir.join("link.yaml")).unwrap();
        assert_eq!(tree.judge(&dir.join("team")), Touch::Structure);
        assert_eq!(tree.judge(&dir.join("link.yaml")), Touch::Structure);
    }

    #[test]
    fn a_state_inside_the_directory_is_none_of_it() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        symlink(&dir, base.join("link")).unwrap();
        // Named through a link, and before it exists.
        let ignored = [base.join("link/state"), base.clone()];
        let before = Tree::walk(&dir, &ignored, &Bounds::default());
        fs::create_dir_all(dir.join("state/sled")).unwrap();
        assert_eq!(before.judge(&dir.join("state")), Touch::Nothing);
        let tree = Tree::walk(&dir, &ignored, &Bounds::default());
        assert_eq!(tree, before);
        assert_eq!(watched(&tree, &base), ["", "contacts.d"]);
        assert_eq!(tree.judge(&dir.join("state")), Touch::Nothing);
        assert_eq!(tree.judge(&dir.join("a.yaml")), Touch::Content);
    }

    #[test]
    fn a_changed_file_is_told_by_its_directory_where_no_links_lead_about() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        fs::create_dir(dir.join("team")).unwrap();
        let named = |file: &str| walk(&dir).named_directory(&dir.join(file), Path::new("people"));
        assert_eq!(named("a.yaml"), Some("people".into()));
        assert_eq!(named("team/a.yaml"), Some("people/team".into()));
        assert_eq!(walk(&dir).named_directory(&base.join("a.yaml"), Path::new("people")), None);
        symlink("team", dir.join("again")).unwrap();
        assert_eq!(named("team/a.yaml"), None);
    }

    #[test]
    fn another_directory_at_the_same_path_is_another_tree() {
        let (_guard, base) = world();
        let dir = base.join("contacts.d");
        let before = walk(&dir);
        assert_eq!(before, walk(&dir));
        fs::rename(&dir, base.join("old")).unwrap();
        fs::create_dir(&dir).unwrap();
        assert_ne!(before, walk(&dir));
    }
}
