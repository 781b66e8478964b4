//! How much room a state takes, and how much there is left.

use std::fs;
use std::io;
use std::path::Path;

/// The room that a state directory takes and could take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// The sizes of all its files.
    pub used: u64,
    /// What the file system would still give to this user.
    pub free: u64,
}

impl Footprint {
    /// Measures the state at `path`; files that go away meanwhile count for nothing.
    pub fn of(path: &Path) -> io::Result<Self> {
        let system = rustix::fs::statvfs(path)?;
        Ok(Self { used: size(path)?, free: system.f_bavail.saturating_mul(system.f_frsize) })
    }
}

/// Adds up the sizes of a file, or of all files in a directory; those that go away meanwhile count for nothing.
pub(super) fn size(path: &Path) -> io::Result<u64> {
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        found => found?,
    };
    if !found.is_dir() {
        return Ok(found.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_count_and_none_is_none() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("db")).unwrap();
        fs::write(directory.path().join("head"), [0; 7]).unwrap();
        fs::write(directory.path().join("db/conf"), [0; 35]).unwrap();
        let Footprint { used, free } = Footprint::of(directory.path()).unwrap();
        assert_eq!(used, 42);
        assert!(free > 0);
        assert!(Footprint::of(&directory.path().join("gone")).is_err());
    }
}
