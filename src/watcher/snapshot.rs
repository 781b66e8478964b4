//! How a directory looked at one moment, for polling.
//!
//! Compares what the file system says about files; never opens one.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::names::is_silent;
use super::place::Place;
use super::tree::{Identity, Tree};

/// The tree and a mark of everything in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) tree: Tree,
    marks: BTreeMap<PathBuf, Mark>,
}

/// What tells one state of a file from the next.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    identity: Identity,
    mode: u32,
    /// Absent for directories: what matters in them has marks of its own.
    version: Option<Version>,
}

/// Size in bytes; times in seconds and nanoseconds.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Snapshot {
    pub(super) fn take(place: &Place) -> Self {
        let tree = place.walk();
        let below = tree.read.iter().flat_map(|directory| names_in(directory));
        let paths = below.chain(tree.way.iter().cloned());
        let marks = paths.filter_map(|path| {
            let metadata = fs::symlink_metadata(&path).ok()?;
            let matters = !metadata.is_file() || tree.is_contact_file(&path);
            matters.then(|| (Mark::of(&metadata), path))
        });
        let marks = marks.map(|(mark, path)| (path, mark)).collect();
        Self { tree, marks }
    }
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        let version = (!metadata.is_dir()).then(|| Version {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        });
        Self { identity: Identity::of(metadata), mode: metadata.mode(), version }
    }
}

/// Names of interest in a directory; none where it cannot be read, which its mode tells.
fn names_in(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let heard = entries.filter_map(Result::ok).filter(|entry| !is_silent(&entry.file_name()));
    heard.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn each_kind_of_change_makes_another_snapshot() {
        let root = tempfile::tempdir().unwrap();
        let at = |below: &str| root.path().join("contacts.d").join(below);
        fs::create_dir_all(at("..2026_01")).unwrap();
        fs::create_dir(at("..2026_02")).unwrap();
        symlink("..2026_01", at("..data")).unwrap();
        symlink("..data/a.yaml", at("a.yaml")).unwrap();
        fs::write(at("..2026_01/a.yaml"), "contacts: {}").unwrap();
        let changes: [(&str, &dyn Fn()); 7] = [
            ("new file", &|| fs::write(at("b.yaml"), "").unwrap()),
            ("longer file", &|| fs::write(at("b.yaml"), "contacts: {}").unwrap()),
            ("behind links", &|| fs::write(at("..2026_01/a.yaml"), "").unwrap()),
            ("mode", &|| fs::set_permissions(at("b.yaml"), fs::Permissions::from_mode(0o600)).unwrap()),
            ("new directory", &|| fs::create_dir(at("team")).unwrap()),
            ("swap", &|| {
                symlink("..2026_02", at("..data_tmp")).unwrap();
                fs::rename(at("..data_tmp"), at("..data")).unwrap();
            }),
            ("gone", &|| fs::remove_dir_all(at("")).unwrap()),
        ];
        let take = || Snapshot::take(&Place::new(at("")));
        let mut before = take();
        for (what, change) in changes {
            change();
            let after = take();
            assert_ne!(before, after, "{what}");
            assert_eq!(after, take(), "{what}");
            before = after;
        }
    }

    #[test]
    fn our_own_state_editors_files_and_logs_make_no_other_snapshot() {
        let root = tempfile::tempdir().unwrap();
        let take = || Snapshot::take(&Place::new(root.path().to_owned()));
        let before = take();
        fs::create_dir(root.path().join(".contactsd")).unwrap();
        fs::write(root.path().join(".contactsd/head"), "").unwrap();
        fs::write(root.path().join(".a.yaml.swp"), "").unwrap();
        fs::write(root.path().join("app.log"), "").unwrap();
        assert_eq!(before, take());
    }
}
