//! Which files below a directory hold contacts, and what the file system says of each.
//!
//! Never opens a file. Each real directory and each real file counts once, whatever symlinks lead to it, so that
//! loops end; a symlink that leads out of the directory is told and not followed.
//! What is known of a directory that did not change spares reading it: its files are looked at all the same.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;
use rustix::fs::{AtFlags, Dir, FileType, Stat};

use super::code::Code;
use super::diagnostic::{Diagnostic, Location};
use super::root::Error;
use super::words;
use crate::beneath::{Refused, Root};
use crate::index::{Flags, Identity, Tree};

/// The directories below one, itself included, and their files.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Sorted by path.
    pub(super) directories: Vec<Directory>,
    /// What could not be looked at.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// One directory as it stands.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// Its path below the root.
    pub(super) below: PathBuf,
    /// Its path without links, where one leads to it.
    real: Option<PathBuf>,
    pub(super) identity: Identity,
    pub(super) flags: Flags,
    /// The names of real directories in it.
    pub(super) children: Vec<OsString>,
    /// Sorted by name.
    pub(super) files: Vec<File>,
    /// The paths without links of those files whose names are symlinks.
    ends: BTreeMap<OsString, PathBuf>,
    /// Whether its names were not read, since the record vouches for them.
    was_vouched_for: bool,
}

/// One contact file as it stands.
#[derive(Debug, Default)]
pub(super) struct File {
    /// `None` where it is that of the record.
    name: Option<Box<OsStr>>,
    /// The number of what is known under this name.
    pub(super) record: Option<u32>,
    /// `None` where it cannot be looked at, or is no file.
    pub(super) identity: Option<Identity>,
}

impl Directory {
    /// Returns its path without links.
    fn real(&self, root: &Root) -> PathBuf {
        self.real.clone().unwrap_or_else(|| root.real().join(&self.below))
    }

    /// Reports whether names may come and go without a trace; see [`Identity::is_racy`].
    pub(super) fn is_racy(&self, stamp: Option<i64>) -> bool {
        !self.was_vouched_for && self.identity.is_racy(stamp)
    }
}

impl File {
    fn named(name: &OsStr) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    pub(super) fn name<'a>(&'a self, known: &'a Tree) -> &'a OsStr {
        match (&self.name, self.record) {
            (Some(name), _) => name,
            (None, Some(record)) => OsStr::from_bytes(known.file_name(record)),
            (None, None) => unreachable!("a name is its own or a record's"),
        }
    }
}

impl Walk {
    /// Leaves files out, by device and inode; returns how many those are.
    pub(super) fn leave_out(&mut self, files: &[(u64, u64)]) -> usize {
        if files.is_empty() {
            return 0;
        }
        let is_one = |file: &File| file.identity.is_some_and(|found| files.contains(&(found.device, found.inode)));
        let mut left_out = 0;
        for directory in &mut self.directories {
            let before = directory.files.len();
            directory.files.retain(|file| !is_one(file));
            left_out += before - directory.files.len();
        }
        left_out
    }

    /// Counts the files whose names were read.
    pub(super) fn listed(&self) -> usize {
        let listed = self.directories.iter().filter(|directory| !directory.was_vouched_for);
        listed.map(|directory| directory.files.len()).sum()
    }

    /// Lists the files by directory and number, sorted by path.
    pub(super) fn in_order(&self, known: &Tree) -> Vec<(usize, usize)> {
        let mut order = Vec::new();
        let mut at = 0;
        while at < self.directories.len() {
            at = self.order_below(at, known, &mut order);
        }
        order
    }

    /// Adds the files of a directory and of all below it; returns the first directory that is not.
    fn order_below(&self, at: usize, known: &Tree, order: &mut Vec<(usize, usize)>) -> usize {
        let Directory { below, files, .. } = &self.directories[at];
        let mut next = at + 1;
        let mut taken = 0;
        while let Some(inner) = self.directories.get(next).filter(|inner| inner.below.starts_with(below)) {
            let name = inner.below.components().nth(below.components().count());
            let name = name.expect("a directory below another has a name in it");
            while taken < files.len() && files[taken].name(known) < name.as_os_str() {
                order.push((at, taken));
                taken += 1;
            }
            next = self.order_below(next, known, order);
        }
        order.extend((taken..files.len()).map(|file| (at, file)));
        next
    }
}

/// Lists the contact files below `root`.
///
/// `known` is what an earlier walk found; `ahead` is called before anything is read for its names.
pub(super) fn walk(root: &Root, known: &Tree, ahead: &(dyn Fn() + Sync)) -> Result<Walk, Error> {
    let unreadable = |source| Error::ReadDirectory { dir: root.named().to_owned(), source };
    root.directory(Path::new("")).map_err(unreadable)?;
    let walker = Walker { root, known, ahead, found: Mutex::default() };
    rayon::scope(|threads| walker.visit(Path::new(""), threads));
    let mut found = walker.found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !found.linked.is_empty() {
        follow(&Walker { found: Mutex::default(), ..walker }, &mut found);
    }
    found.walk.directories.par_sort_unstable_by(|one, other| one.below.cmp(&other.below));
    if found.has_linked_files {
        drop_repeated(root, known, &mut found.walk.directories);
    }
    Ok(found.walk)
}

/// Follows symlinks to directories.
///
/// They come last, so that a directory goes by its real name wherever it has one below the root.
fn follow(walker: &Walker<'_>, found: &mut Found) {
    let real = |directory: &Directory| directory.real(walker.root);
    let mut visited: HashSet<PathBuf> = found.walk.directories.iter().map(real).collect();
    while let Some(link) = found.linked.pop_first() {
        let mut open = vec![link];
        while let Some((below, real)) = open.pop() {
            if !visited.insert(real.clone()) {
                continue;
            }
            match walker.read(&below, Some(&real)) {
                Ok(listing) => {
                    let children = listing.directory.children.iter();
                    open.extend(children.map(|name| (below.join(name), real.join(name))));
                    found.take(listing);
                }
                Err(error) => found.walk.diagnostics.push(unreadable(&walker.root.named().join(&below), &error)),
            }
        }
    }
}

/// Leaves of each real file one name: its own where that is among them, else the first.
fn drop_repeated(root: &Root, known: &Tree, directories: &mut [Directory]) {
    let by_path: HashMap<PathBuf, usize> =
        directories.iter().enumerate().map(|(at, directory)| (directory.real(root), at)).collect();
    let has_own_name = |real: &Path| {
        let directory = real.parent().and_then(|directory| by_path.get(directory)).map(|&at| &directories[at]);
        directory.zip(real.file_name()).is_some_and(|(directory, name)| {
            !directory.ends.contains_key(name) && directory.files.iter().any(|file| file.name(known) == name)
        })
    };
    let ends = directories.iter().flat_map(|directory| directory.ends.values());
    let mut taken: HashSet<PathBuf> = ends.filter(|real| has_own_name(real)).cloned().collect();
    for Directory { files, ends, .. } in directories.iter_mut().filter(|directory| !directory.ends.is_empty()) {
        files.retain(|file| ends.get(file.name(known)).is_none_or(|real| taken.insert(real.clone())));
    }
}

struct Walker<'r> {
    root: &'r Root,
    known: &'r Tree,
    ahead: &'r (dyn Fn() + Sync),
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    walk: Walk,
    /// Symlinks to directories, to be followed, each with the path that it ends at.
    linked: BTreeMap<PathBuf, PathBuf>,
    has_linked_files: bool,
}

/// One directory and the symlinks in it.
#[derive(Default)]
struct Listing {
    directory: Directory,
    /// Symlinks to directories, each with the path that it ends at.
    linked: Vec<(PathBuf, PathBuf)>,
    diagnostics: Vec<Diagnostic>,
}

impl Found {
    fn take(&mut self, listing: Listing) {
        let Listing { directory, linked, diagnostics } = listing;
        self.has_linked_files |= !directory.ends.is_empty();
        self.walk.directories.push(directory);
        self.linked.extend(linked);
        self.walk.diagnostics.extend(diagnostics);
    }
}

/// Files of one directory that one thread looks at in a row.
const LOOKED_AT_IN_A_ROW: usize = 2048;

impl Walker<'_> {
    /// Visits a directory and all below it, but for symlinks to directories.
    fn visit<'s>(&'s self, below: &Path, threads: &rayon::Scope<'s>) {
        let read = self.read(below, None);
        if let Ok(listing) = &read {
            for name in &listing.directory.children {
                let inner = below.join(name);
                threads.spawn(move |threads| self.visit(&inner, threads));
            }
        }
        let mut found = self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match read {
            Ok(listing) => found.take(listing),
            Err(error) => found.walk.diagnostics.push(unreadable(&self.root.named().join(below), &error)),
        }
    }

    /// Takes in the files of one directory and the symlinks in it; `real` where a link leads to it.
    fn read(&self, below: &Path, real: Option<&Path>) -> io::Result<Listing> {
        let record = self.known.directory(below.as_os_str().as_bytes());
        let descriptor = match real {
            Some(real) => self.root.real_directory(real)?,
            None => self.root.directory(below)?,
        };
        let mut directory =
            Directory { below: below.to_owned(), real: real.map(Path::to_owned), ..Directory::default() };
        directory.identity = identity(&rustix::fs::fstat(&descriptor)?);
        let mut listing = if let Some(record) = record.filter(|record| record.lists(&directory.identity)) {
            directory.was_vouched_for = true;
            directory.children = self.known.children(record).map(os_string).collect();
            directory.files = record.files().map(|number| File { record: Some(number), ..File::default() }).collect();
            Listing { directory, ..Listing::default() }
        } else {
            (self.ahead)();
            // Once more: the names may be newer than what was looked at before.
            directory.identity = identity(&rustix::fs::fstat(&descriptor)?);
            let mut listing = self.list(&descriptor, directory)?;
            if let Some(record) = record {
                self.recognize(&mut listing.directory.files, record.files());
            }
            listing
        };
        let look = |file: &mut File| {
            if file.identity.is_none() {
                let stat = rustix::fs::statat(&descriptor, file.name(self.known), AtFlags::SYMLINK_NOFOLLOW).ok();
                file.identity = stat.filter(is_regular).as_ref().map(identity);
            }
        };
        let files = &mut listing.directory.files;
        if files.len() > LOOKED_AT_IN_A_ROW {
            files.par_iter_mut().with_min_len(LOOKED_AT_IN_A_ROW).for_each(look);
        } else {
            files.iter_mut().for_each(look);
        }
        Ok(listing)
    }

    /// Reads the names in a directory.
    fn list(&self, descriptor: &OwnedFd, directory: Directory) -> io::Result<Listing> {
        let mut listing = Listing { directory, ..Listing::default() };
        for entry in Dir::read_from(descriptor)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if is_skipped(&name.to_string_lossy()) {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => {
                    let stat = rustix::fs::statat(descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?;
                    FileType::from_raw_mode(stat.st_mode)
                }
                kind => kind,
            };
            match kind {
                FileType::Symlink => self.list_link(descriptor, name, &mut listing),
                FileType::Directory => listing.directory.children.push(name.to_owned()),
                _ if is_yaml(name) => listing.directory.files.push(File::named(name)),
                _ if is_almost_yaml(name) => {
                    // Known names would be taken from the index, and the warning be gone.
                    listing.directory.flags = listing.directory.flags.with(Flags::RELISTED, true);
                    let path = self.root.named().join(&listing.directory.below).join(name);
                    listing.diagnostics.push(words::near_miss(&path));
                }
                _ => {}
            }
        }
        listing.directory.children.sort_unstable();
        listing.directory.files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(listing)
    }

    /// Takes in a symlink by what it ends at.
    fn list_link(&self, descriptor: &OwnedFd, name: &OsStr, listing: &mut Listing) {
        let Listing { directory, linked, diagnostics } = listing;
        directory.flags = directory.flags.with(Flags::RELISTED, true);
        match self.root.end(&directory.real(self.root), name) {
            Ok((end, stat)) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => linked.push((directory.below.join(name), end)),
                kind if is_yaml(name) => {
                    let identity = (kind == FileType::RegularFile).then(|| identity(&stat));
                    directory.files.push(File { identity, ..File::named(name) });
                    directory.ends.insert(name.to_owned(), end);
                }
                _ => {}
            },
            Err(ref refused @ (Refused::Outside(kind) | Refused::Hidden(kind))) => {
                if kind == FileType::Directory || is_yaml(name) {
                    let target = rustix::fs::readlinkat(descriptor, name, Vec::new()).unwrap_or_default();
                    let path = self.root.named().join(&directory.below).join(name);
                    let target = Some(&*target.to_string_lossy());
                    diagnostics.push(match refused {
                        Refused::Hidden(_) => words::leads_to_hidden(&path, target),
                        _ => words::leads_out(&path, self.root.named(), target),
                    });
                }
            }
            // A link that leads nowhere may stand for a directory, whose people must not look gone: whoever reads it
            // says so.
            Err(Refused::Io(_) | Refused::NotRegular) => directory.files.push(File::named(name)),
        }
    }

    /// Finds the records of files by their names; both are sorted.
    fn recognize(&self, files: &mut [File], records: std::ops::Range<u32>) {
        let mut records = records.peekable();
        for file in files {
            let name = file.name(self.known).as_bytes().to_vec();
            while records.next_if(|&record| self.known.file_name(record) < name.as_slice()).is_some() {}
            file.record = records.next_if(|&record| self.known.file_name(record) == name.as_slice());
        }
    }
}

fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

fn os_string(name: &[u8]) -> OsString {
    OsString::from_vec(name.to_vec())
}

#[allow(
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "the kernel's types differ by platform; the values are signed seconds and small counts everywhere"
)]
fn identity(stat: &Stat) -> Identity {
    const NS: i64 = 1_000_000_000;
    let time = |seconds: i64, ns: i64| seconds.saturating_mul(NS).saturating_add(ns);
    Identity {
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        changed: time(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
    }
}

/// Reports whether a name is hidden, a backup or an editor's own.
fn is_skipped(name: &str) -> bool {
    let is_swap = name.starts_with('#') && name.ends_with('#') || name == "4913";
    name.starts_with('.') || name.ends_with('~') || is_swap
}

/// Reports whether a file of this name is read for contacts, unless it is a hidden one.
pub fn is_yaml(name: &OsStr) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Reports whether somebody may well think that a name is that of a contact file, and it is not.
fn is_almost_yaml(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let name = name.trim_end();
    is_yaml(OsStr::new(name.strip_suffix(".txt").unwrap_or(name)))
}

/// Words the failure to look at `path`.
pub(super) fn unreadable(path: &Path, error: &dyn std::error::Error) -> Diagnostic {
    let summary = format!("{} cannot be read", path.display());
    let detail = format!("The system says: {error}. Contacts in it would seem to be gone, so nothing is planned.");
    Diagnostic::new(Code::Unreadable, summary, detail).at(Location::of_file(path))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::open_root;
    use super::*;
    use crate::beneath::Bounds;

    fn walk(root: &Path) -> Result<Walk, Error> {
        super::walk(&open_root(root, &Bounds::default())?, &Tree::default(), &|| ())
    }

    fn names(root: &Path) -> Vec<String> {
        names_within(root, &Bounds::default())
    }

    fn names_within(root: &Path, bounds: &Bounds) -> Vec<String> {
        let none = Tree::default();
        let walk = super::walk(&open_root(root, bounds).unwrap(), &none, &|| ()).unwrap();
        let path = |(directory, file): (usize, usize)| {
            let directory = &walk.directories[directory];
            directory.below.join(directory.files[file].name(&none)).display().to_string()
        };
        walk.in_order(&none).into_iter().map(path).collect()
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
        let bounds = Bounds { root_within: None, follow_within: vec![elsewhere.path().to_owned()] };
        assert_eq!(names_within(dir.path(), &bounds), ["one/e.yaml", "real/r.yaml"]);
        assert_eq!(names(dir.path()), ["real/r.yaml"]);
    }

    #[test]
    fn files_come_in_the_order_of_their_paths() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a.yaml", "a/b.yaml", "a/z/c.yaml", "a/z.yaml", "a-b/c.yaml", "b.yaml", "ab.yaml", "a/a.yaml"];
        touch(dir.path(), &paths);
        let mut sorted: Vec<&Path> = paths.iter().map(Path::new).collect();
        sorted.sort_unstable();
        assert_eq!(names(dir.path()), sorted.iter().map(|path| path.display().to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn only_a_directory_can_be_walked() {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), &["file"]);
        assert!(matches!(walk(&dir.path().join("file")), Err(Error::NotADirectory { .. })));
        assert!(matches!(walk(&dir.path().join("none")), Err(Error::ReadDirectory { .. })));
    }
}
