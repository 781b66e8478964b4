//! Opening by descriptor, through no link.
//!
//! By one call where the kernel has it (`openat2`, Linux 5.6), else name by name.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::follow::follow_where;

/// Why a file is not opened.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A link ends at something of this kind, outside of all that was allowed.
    #[error("it is a link that ends outside of the directory")]
    Outside(FileType),
    /// A link ends at something of this kind whose name, or that of a directory on the way, begins with a dot.
    #[error("it is a link that ends at a hidden file")]
    Hidden(FileType),
    /// It is a pipe, a socket, a device or a directory.
    #[error("it is not a regular file")]
    NotRegular,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

/// How a file is opened: neither a pipe without a writer nor a terminal may hold us up.
const TO_READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// How a directory is opened that is passed through: without the right to list it.
#[cfg(target_os = "linux")]
const TO_PASS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
#[cfg(not(target_os = "linux"))]
const TO_PASS: OFlags = DIRECTORY;

/// Opens a directory at a path without links, as a place to open others from.
pub(super) fn directory_to_pass(real: &Path) -> Result<OwnedFd, Errno> {
    without_links(CWD, real, TO_PASS)
}

/// Opens a directory below another to be read.
pub(super) fn directory(from: impl AsFd, below: &Path) -> Result<OwnedFd, Errno> {
    without_links(from.as_fd(), below, DIRECTORY)
}

/// Looks at what stands at a path below a directory.
pub(super) fn look(from: impl AsFd, below: &Path) -> Result<Stat, Errno> {
    let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    rustix::fs::statat(from, below, AtFlags::SYMLINK_NOFOLLOW)
}

/// Opens a regular file at a path below a directory. Looked at first: opening a pipe or a device may do something.
pub(super) fn regular(from: impl AsFd, below: &Path) -> Result<File, Refused> {
    match kind(&look(from.as_fd(), below)?) {
        FileType::RegularFile => only_regular(without_links(from.as_fd(), below, TO_READ)),
        FileType::Symlink => Err(Errno::LOOP.into()),
        _ => Err(Refused::NotRegular),
    }
}

/// Opens a regular file through whatever links.
pub(super) fn regular_through_links(path: &Path) -> Result<File, Refused> {
    if kind(&rustix::fs::stat(path)?) != FileType::RegularFile {
        return Err(Refused::NotRegular);
    }
    only_regular(rustix::fs::open(path, TO_READ | OFlags::CLOEXEC, Mode::empty()))
}

/// Opens a regular file through links that lead downward from where they stand.
pub(super) fn regular_downward(path: &Path) -> Result<File, Refused> {
    match regular(CWD, path) {
        Err(Refused::Io(error)) if Errno::from_io_error(&error).is_some_and(may_be_link) => {}
        opened => return opened,
    }
    let is_downward = |target: &Path| {
        target.components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir))
    };
    let end = follow_where(Path::new(""), path, |_, target| is_downward(target))?;
    let end = end.ok_or(Refused::Outside(FileType::Unknown))?;
    regular(CWD, &end)
}

/// Reports whether an opening failed as it does where a link is in the way.
pub(super) fn may_be_link(error: Errno) -> bool {
    // The second is what opening a link as a directory comes to.
    [Errno::LOOP, Errno::NOTDIR].contains(&error)
}

/// Reports whether an opening failed as it does where something was moved away or replaced by a link.
pub(super) fn may_have_moved(error: Errno) -> bool {
    may_be_link(error) || error == Errno::NOENT
}

/// Takes what was opened if it is a regular file: it may have been replaced since it was looked at.
fn only_regular(opened: Result<OwnedFd, Errno>) -> Result<File, Refused> {
    // Sockets, and devices that nothing answers for, cannot be opened.
    let opened = opened.map_err(|error| if error == Errno::NXIO { Refused::NotRegular } else { error.into() })?;
    let is_regular = kind(&rustix::fs::fstat(&opened)?) == FileType::RegularFile;
    if is_regular { Ok(File::from(opened)) } else { Err(Refused::NotRegular) }
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

#[cfg(target_os = "linux")]
fn without_links(from: BorrowedFd<'_>, below: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};

    let path = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    match openat2(from, path, flags | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // An old kernel, or one that is asked through a filter of system calls that does not know this one.
        Err(Errno::NOSYS | Errno::PERM) => name_by_name(from, below, flags),
        opened => opened,
    }
}

#[cfg(not(target_os = "linux"))]
use name_by_name as without_links;

/// Opens one directory after the other, each in the one before.
pub(super) fn name_by_name(from: BorrowedFd<'_>, below: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let open = |at: BorrowedFd<'_>, name: &Path, flags: OFlags| {
        rustix::fs::openat(at, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
    };
    let mut names = below.components().filter(|name| *name != Component::CurDir).peekable();
    let mut at: Option<OwnedFd> = None;
    while let Some(name) = names.next() {
        let from = at.as_ref().map_or(from, |at| at.as_fd());
        let flags = if names.peek().is_some() { TO_PASS } else { flags };
        at = Some(open(from, Path::new(name.as_os_str()), flags)?);
    }
    at.map_or_else(|| open(from, Path::new("."), flags), Ok)
}
