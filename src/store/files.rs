//! Files and directories that only their owner can read, and their way to the disk.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::index::Identity;

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Creates `path` and what is missing above it, each 0700 and durable in its parent.
pub(super) fn create_directories(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().filter(|above| !above.as_os_str().is_empty()).take_while(|above| !above.exists()).collect();
    for directory in missing.into_iter().rev() {
        match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
            // Another process makes the same state; the lock decides which of the two goes on.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => {
                made?;
                fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))?;
            }
        }
        sync_directory(parent(directory))?;
    }
    Ok(())
}

/// A file that is open, and the path it was opened by.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl Anchor {
    pub(super) fn new(path: PathBuf, file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { path, file: (metadata.dev(), metadata.ino()) })
    }

    /// Reports whether its path leads to it still.
    pub(super) fn holds(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.file)
    }
}

/// Opens a file for reading and writing, creating it when missing, and makes it 0600.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)?;
    make_private(&file, FILE_MODE)?;
    Ok(file)
}

/// Replaces the content of a file that is 0600; not durable.
pub(super) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = open_private(path)?;
    file.set_len(0)?;
    file.write_all(content)
}

/// Makes a directory and everything in it private and durable.
pub(super) fn settle_tree(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            settle_tree(&entry.path())?;
        } else {
            settle_file(&entry.path())?;
        }
    }
    let this = File::open(directory)?;
    make_private(&this, DIRECTORY_MODE)?;
    this.sync_all()
}

/// Makes a file private and durable.
pub(super) fn settle_file(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    make_private(&file, FILE_MODE)?;
    file.sync_all()
}

/// Makes a directory private where we own it.
///
/// The root of a volume may belong to someone else; what we put inside is private by itself.
pub(super) fn make_directory_private(path: &Path) -> io::Result<()> {
    match make_private(&File::open(path)?, DIRECTORY_MODE) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Asks the system for a file that is going to be read all over, but for what it holds in memory already.
///
/// Reading it in the order of the disk takes a fraction of the time that sled's order takes. Only a hint: whatever
/// fails shows when the file is read.
pub(super) fn read_ahead(path: &Path) {
    /// The most that Linux reads ahead for one hint where nobody set another limit.
    const PIECE: std::num::NonZeroU64 = std::num::NonZeroU64::new(128 * 1024).expect("it is not zero");
    let Ok(file) = File::open(path) else { return };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut at = 0;
    while at < length && rustix::fs::fadvise(&file, at, Some(PIECE), rustix::fs::Advice::WillNeed).is_ok() {
        at += PIECE.get();
    }
}

/// Returns what tells a file from another one, and from what it was.
pub(super) fn identity(metadata: &fs::Metadata) -> Identity {
    const NS: i64 = 1_000_000_000;
    let time = |seconds: i64, ns: i64| seconds.saturating_mul(NS).saturating_add(ns);
    Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: time(metadata.mtime(), metadata.mtime_nsec()),
        changed: time(metadata.ctime(), metadata.ctime_nsec()),
    }
}

/// Returns the directory that `path` stands in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    }
}

fn make_private(file: &File, mode: u32) -> io::Result<()> {
    if file.metadata()?.permissions().mode() & 0o7777 == mode {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(mode))
}
