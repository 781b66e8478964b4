//! Putting files in their places: a formatted one in that of the one that was read, and a new one.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::beneath::{Refused, Root, regular_in};
use crate::source::Formatted;

/// Why a formatted file was not written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("{} cannot be written", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} was left alone", path.display())]
    Refused { path: PathBuf, source: Refused },
    #[error("{} changed meanwhile, and was left alone", path.display())]
    Changed { path: PathBuf },
}

/// Replaces the file at a path below `root` by what it was formatted to, as [`replace_by`] does.
pub fn replace(root: &Root, below: &Path, formatted: &Formatted) -> Result<(), FormatError> {
    let before = blake3::hash(&formatted.before);
    replace_by(root, below, before, &|out| out.write_all(formatted.after.as_bytes()))
}

/// Writes what a file is to hold, as often as it is asked to.
pub(super) type Body<'b> = &'b dyn Fn(&mut dyn Write) -> io::Result<()>;

/// Replaces the file at a path below `root`: whole or not at all, with its mode.
///
/// Of a symbolic link, the file it leads to is replaced, unless that is outside of the directory. A file that holds
/// something else than `before` stays.
pub(super) fn replace_by(root: &Root, below: &Path, before: blake3::Hash, body: Body<'_>) -> Result<(), FormatError> {
    let path = root.named().join(below);
    let failed = |source| FormatError::Write { path: path.clone(), source };
    let refused = |refused| match refused {
        Refused::Io(source) => failed(source),
        source => FormatError::Refused { path: path.clone(), source },
    };
    let (directory, name) = root.holder(below).map_err(refused)?;
    let metadata = regular_in(&directory, &name).map_err(refused)?.metadata().map_err(failed)?;
    let mut fresh = Fresh::make(&directory, Mode::RUSR | Mode::WUSR).map_err(failed)?;
    fresh.fill(body).map_err(failed)?;
    let own = fresh.file.metadata().map_err(failed)?;
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        keep_owner(&fresh.file, &metadata);
    }
    fresh.file.set_permissions(metadata.permissions()).map_err(failed)?;
    fresh.file.sync_all().map_err(failed)?;
    // As late as can be, and in the directory that the file was found in.
    let mut now = blake3::Hasher::new();
    now.update_reader(regular_in(&directory, &name).map_err(refused)?).map_err(failed)?;
    if now.finalize() != before {
        return Err(FormatError::Changed { path });
    }
    fresh.take_the_place_of(&name).map_err(failed)
}

/// Puts a new file at a path below `root`: whole or not at all, and only where there is none.
pub(super) fn create(root: &Root, below: &Path, body: Body<'_>) -> Result<(), FormatError> {
    let path = root.named().join(below);
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => FormatError::Changed { path: path.clone() },
        _ => FormatError::Write { path: path.clone(), source },
    };
    let directory = root.directory(below.parent().unwrap_or(Path::new(""))).map_err(failed)?;
    let name = below.file_name().unwrap_or_default();
    let mut fresh = Fresh::make(&directory, Mode::from_raw_mode(0o666)).map_err(failed)?;
    fresh.fill(body).map_err(failed)?;
    fresh.file.sync_all().map_err(failed)?;
    rustix::fs::linkat(&directory, &fresh.name, &directory, name, AtFlags::empty())
        .and_then(|()| rustix::fs::fsync(&directory))
        .map_err(|error| failed(error.into()))
}

/// What is written at a time, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// Opens the file at a path below `root`; `None` where there is none.
pub(super) fn open(root: &Root, name: &Path) -> Result<Option<File>, FormatError> {
    let path = root.named().join(name);
    match root.file(name) {
        Ok(file) => Ok(Some(file)),
        Err(Refused::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(Refused::Io(source)) => Err(FormatError::Write { path, source }),
        Err(source) => Err(FormatError::Refused { path, source }),
    }
}

/// Reads the file at a path below `root`; `None` where there is none.
pub(super) fn read(root: &Root, name: &Path) -> Result<Option<Vec<u8>>, FormatError> {
    let Some(mut file) = open(root, name)? else { return Ok(None) };
    let mut bytes = Vec::new();
    let failed = |source| FormatError::Write { path: root.named().join(name), source };
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// A file that is being written; removed unless it takes its place.
struct Fresh<'d> {
    directory: &'d OwnedFd,
    name: OsString,
    file: File,
    is_placed: bool,
}

impl<'d> Fresh<'d> {
    fn make(directory: &'d OwnedFd, mode: Mode) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut number = 0;
        loop {
            // One that readers of the directory skip.
            let name = OsString::from(format!(".contactsd-fmt-{}-{number}", std::process::id()));
            match rustix::fs::openat(directory, &name, flags, mode) {
                Ok(file) => return Ok(Self { directory, name, file: file.into(), is_placed: false }),
                Err(rustix::io::Errno::EXIST) if number < 100 => number += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn fill(&mut self, body: Body<'_>) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, &mut self.file);
        body(&mut out)?;
        out.flush()
    }

    fn take_the_place_of(mut self, name: &OsStr) -> io::Result<()> {
        rustix::fs::renameat(self.directory, &self.name, self.directory, name)?;
        self.is_placed = true;
        Ok(rustix::fs::fsync(self.directory)?)
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        if !self.is_placed {
            // What stays is a hidden file that no reader looks at.
            let _ = rustix::fs::unlinkat(self.directory, &self.name, AtFlags::empty());
        }
    }
}

/// Gives a file the owner of the one it replaces, as far as we may; else it belongs to who formats, as after an edit.
fn keep_owner(file: &File, metadata: &Metadata) {
    let (user, group) =
        (rustix::process::Uid::from_raw(metadata.uid()), rustix::process::Gid::from_raw(metadata.gid()));
    let _ = rustix::fs::fchown(file, Some(user), Some(group));
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::beneath::Bounds;
    use crate::source::format_file;

    const TEXT: &str = "contacts:\n    a:\n        title: x\n        last_name: A\n";

    fn file(directory: &Path) -> PathBuf {
        let path = directory.join("a.yaml");
        fs::write(&path, TEXT).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        path
    }

    fn root(directory: &Path) -> Root {
        Root::open(directory, &Bounds::default()).unwrap()
    }

    #[test]
    fn the_file_behind_a_link_is_replaced_and_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        let link = directory.path().join("link.yaml");
        symlink("a.yaml", &link).unwrap();
        let root = root(directory.path());
        let below = Path::new("link.yaml");
        replace(&root, below, &format_file(&root, below).unwrap()).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "contacts:\n  a:\n    last_name: A\n    title: x\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing else is left there");
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        let root = root(directory.path());
        let below = Path::new("a.yaml");
        let formatted = format_file(&root, below).unwrap();
        fs::write(&path, "contacts: {}\n").unwrap();
        assert!(matches!(replace(&root, below, &formatted), Err(FormatError::Changed { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "contacts: {}\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_became_a_link_that_leads_out_meanwhile_is_left_alone() {
        let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, other) = (file(directory.path()), file(elsewhere.path()));
        let bounds = Bounds { root_within: None, follow_within: vec![elsewhere.path().to_owned()] };
        let root = Root::open(directory.path(), &bounds).unwrap();
        let below = Path::new("a.yaml");
        let formatted = format_file(&root, below).unwrap();
        fs::remove_file(&path).unwrap();
        symlink(&other, &path).unwrap();
        let refused = replace(&root, below, &formatted);
        assert!(matches!(refused, Err(FormatError::Refused { source: Refused::Outside(_), .. })), "{refused:?}");
        assert_eq!(fs::read_to_string(&other).unwrap(), TEXT);
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    }
}
