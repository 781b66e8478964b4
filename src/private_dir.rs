//! Directories that are ours alone: opened without following links, their files by the directory's descriptor.
//!
//! A checkout may bring one along with links in it that lead to any file of the user, and another user may own one.
//! Nothing is read or written through a link, and nothing is written to another user's directory. Never knows what
//! is kept in one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use crate::shell_word::shell_word;

/// Directory below a working directory that holds what contactsd keeps for it.
///
/// From here on no part of a path may be a link or belong to somebody else, whoever named the path.
pub const HOME: &str = ".contactsd";

const DIRECTORY_MODE: Mode = Mode::RWXU;
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// What lets others replace what stands in a directory.
const WRITABLE_BY_OTHERS: Mode = Mode::WGRP.union(Mode::WOTH);

/// Why a directory is not used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("cannot {step} {}", path.display())]
    Io { step: &'static str, path: PathBuf, source: Arc<io::Error> },
    #[error(
        "{} is a symbolic link (to {}), and contactsd follows no link there: one that came with a checkout could lead \
         to any file. Nothing was read or written through it. Remove it (rm {2}); to keep these files elsewhere, \
         name the place itself with --state (for the sandbox's data: --data)",
        path.display(), target.display(), shell_word(path.display())
    )]
    Link { path: PathBuf, target: PathBuf },
    #[error("{} is neither a file nor a directory; nothing was read or written. Remove it", path.display())]
    Special { path: PathBuf },
    #[error(
        "{} belongs to user {owner}, and contactsd runs as user {user}, so nothing is written to it. Run contactsd as \
         user {owner}; or name a directory of your own with --state (for the sandbox's data: --data); or, if it is \
         yours, take it over: chown -R {user} {1}",
        path.display(), shell_word(path.display())
    )]
    OtherOwner { path: PathBuf, owner: u32, user: u32 },
}

impl Error {
    fn io(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { step, path: path.to_owned(), source: Arc::new(source) }
    }
}

/// An open directory without links in it. Clones share the descriptor.
#[derive(Debug, Clone)]
pub struct PrivateDir {
    path: PathBuf,
    descriptor: Arc<OwnedFd>,
    /// The first directory on the way that belongs to somebody else, and to whom.
    foreign: Option<(PathBuf, u32)>,
}

impl PrivateDir {
    /// Opens a directory to read from; `None` when there is none. Changes nothing.
    ///
    /// It may belong to somebody else; see [`PrivateDir::claim`].
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let Some(found) = walk(path, Missing::IsNone)? else { return Ok(None) };
        found.refuse_links()?;
        Ok(Some(found))
    }

    /// Opens a directory to write to, and makes it and what is missing above it, each 0700 and durable.
    pub fn make(path: &Path) -> Result<Self, Error> {
        let made = walk(path, Missing::IsMade)?.expect("what is missing was made");
        made.claim()?;
        Ok(made)
    }

    /// Makes sure that nobody else can write to it, so that what was seen in it stays so.
    pub fn claim(&self) -> Result<(), Error> {
        refuse_foreign(self.foreign.as_ref())?;
        self.tighten(DIRECTORY_MODE).map_err(|error| Error::io("make private", &self.path, error))?;
        // Looked at once nobody else can put a link there.
        self.refuse_links()
    }

    /// Reports whether it, and each directory on the way from [`HOME`] on, belongs to this process's user.
    pub fn is_ours(&self) -> bool {
        self.foreign.is_none()
    }

    /// Returns the first directory on the way that belongs to somebody else, with the number of that user.
    pub fn foreign(&self) -> Option<(&Path, u32)> {
        self.foreign.as_ref().map(|(path, owner)| (path.as_path(), *owner))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a directory in this one; `None` when there is none.
    pub fn sub(&self, name: &str) -> Result<Option<Self>, Error> {
        let path = self.path.join(name);
        match step_into(&self.descriptor, name.as_ref(), &path, OFlags::RDONLY)? {
            None => Ok(None),
            Some(descriptor) => {
                let sub = Self { path, descriptor: Arc::new(descriptor), foreign: self.foreign.clone() };
                sub.refuse_links()?;
                Ok(Some(sub))
            }
        }
    }

    /// Opens what is there as [`PrivateDir::sub`] does, down to the last directory, and refuses every link.
    pub fn refuse_links_below(&self, name: &str) -> Result<(), Error> {
        let Some(sub) = self.sub(name)? else { return Ok(()) };
        for (name, kind) in sub.entries().map_err(|error| Error::io("read", &sub.path, error))? {
            if kind == FileType::Directory {
                // A name that is no text is none of ours; nothing of ours leads there.
                if let Some(name) = name.to_str() {
                    sub.refuse_links_below(name)?;
                }
            }
        }
        Ok(())
    }

    /// Lists the names in it.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        Ok(self.entries()?.into_iter().map(|(name, _)| name).collect())
    }

    /// Reports whether anything has that name.
    pub fn has(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::statat(&*self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file for reading.
    pub fn open_file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.file(name.as_ref(), OFlags::RDONLY)
    }

    /// Opens a file that is there for writing, and changes nothing of it.
    pub fn open_to_write(&self, name: &str) -> io::Result<File> {
        self.file(name.as_ref(), OFlags::WRONLY)
    }

    /// Opens a file for reading and writing, creating it when missing, and makes it 0600.
    pub fn open_private(&self, name: &str) -> io::Result<File> {
        let file = self.file(name.as_ref(), OFlags::RDWR | OFlags::CREATE)?;
        make_private(&file)?;
        Ok(file)
    }

    /// Makes a file that must not be there.
    pub fn create_new(&self, name: &str) -> io::Result<File> {
        self.file(name.as_ref(), OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)
    }

    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_file(name)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Replaces the content of a file that is 0600; not durable.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<File> {
        let mut file = self.open_private(name)?;
        file.set_len(0)?;
        file.write_all(content)?;
        Ok(file)
    }

    /// Renames within the directory, replacing what is there.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.rename_into(from, self, to)
    }

    /// Renames into another directory, replacing what is there.
    pub fn rename_into(&self, from: &str, other: &Self, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&*self.descriptor, from, &*other.descriptor, to)?)
    }

    /// Removes a file; reports whether it was there.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<bool> {
        match rustix::fs::unlinkat(&*self.descriptor, name.as_ref(), AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a directory with all that is in it; none is fine.
    pub fn remove_tree(&self, name: &str) -> io::Result<()> {
        let Some(tree) = self.sub(name).map_err(io::Error::other)? else { return Ok(()) };
        for (inner, kind) in tree.entries()? {
            match (kind, inner.to_str()) {
                (FileType::Directory, Some(inner)) => tree.remove_tree(inner)?,
                _ => drop(tree.remove(&inner)?),
            }
        }
        Ok(rustix::fs::unlinkat(&*self.descriptor, name, AtFlags::REMOVEDIR)?)
    }

    /// Makes what is in it durable: which names there are, and what they name.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&*self.descriptor)?)
    }

    /// Makes it and all files and directories in it private and durable.
    pub fn settle(&self) -> Result<(), Error> {
        let failed = |error| Error::io("sync", &self.path, error);
        for (name, kind) in self.entries().map_err(failed)? {
            match (kind, name.to_str()) {
                (FileType::Directory, Some(name)) => {
                    if let Some(sub) = self.sub(name)? {
                        sub.settle()?;
                    }
                }
                _ => self.settle_file(&name).map_err(failed)?,
            }
        }
        self.tighten(DIRECTORY_MODE).and_then(|()| self.sync()).map_err(failed)
    }

    /// Makes a file private and durable.
    pub fn settle_file(&self, name: &OsStr) -> io::Result<()> {
        let file = self.open_file(name)?;
        make_private(&file)?;
        file.sync_all()
    }

    fn file(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        // Without blocking, since opening a pipe waits for its other end; a plain file never blocks.
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(rustix::fs::openat(&*self.descriptor, name, flags, FILE_MODE)?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
    }

    /// Lists what is in it, with its kind.
    pub fn entries(&self) -> io::Result<Vec<(OsString, FileType)>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&*self.descriptor)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => match rustix::fs::statat(&*self.descriptor, &name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    // It went away meanwhile.
                    Err(rustix::io::Errno::NOENT) => continue,
                    Err(error) => return Err(error.into()),
                },
                kind => kind,
            };
            entries.push((name, kind));
        }
        Ok(entries)
    }

    /// Refuses links in it, and what is neither file, directory nor socket.
    fn refuse_links(&self) -> Result<(), Error> {
        let mut entries = self.entries().map_err(|error| Error::io("read", &self.path, error))?;
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (name, kind) in entries {
            let path = self.path.join(&name);
            match kind {
                FileType::RegularFile | FileType::Directory | FileType::Socket => {}
                FileType::Symlink => return Err(link(&self.descriptor, &name, path)),
                _ => return Err(Error::Special { path }),
            }
        }
        Ok(())
    }

    /// Takes away what `mode` does not grant, where anything of that is granted.
    fn tighten(&self, mode: Mode) -> io::Result<()> {
        let found = rustix::fs::fstat(&*self.descriptor)?;
        if Mode::from_raw_mode(found.st_mode) == mode {
            return Ok(());
        }
        Ok(rustix::fs::fchmod(&*self.descriptor, mode)?)
    }
}

/// What is done about a directory that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    IsNone,
    IsMade,
}

/// Opens a directory step by step; what is typed above the steps may lead over links.
fn walk(path: &Path, missing: Missing) -> Result<Option<PrivateDir>, Error> {
    let (mut here, steps) = steps(path);
    let base = if here.as_os_str().is_empty() { Path::new(".") } else { here.as_path() };
    let mut at = match rustix::fs::open(base, PASSING | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        opened => opened.map_err(|error| Error::io("read", base, error.into()))?,
    };
    let home = steps.iter().position(|name| *name == HOME).unwrap_or(usize::MAX);
    let last = steps.len().saturating_sub(1);
    let mut foreign = None;
    if steps.is_empty() {
        at = readable(&at).map_err(|error| Error::io("read", base, error))?;
        foreign = owner_if_foreign(&at, base)?;
    }
    for (number, name) in steps.iter().enumerate() {
        here.push(name);
        let is_guarded = number >= home || number == last;
        let access = if number == last { OFlags::RDONLY } else { PASSING };
        let opened = match step_into(&at, name, &here, access)? {
            Some(opened) => opened,
            None if missing == Missing::IsNone => return Ok(None),
            None => {
                refuse_foreign(foreign.as_ref())?;
                make_step(&at, name, &here, access)?
            }
        };
        if is_guarded && foreign.is_none() {
            foreign = owner_if_foreign(&opened, &here)?;
        }
        if is_guarded && foreign.is_none() && missing == Missing::IsMade && number != last {
            keep_others_out(&opened).map_err(|error| Error::io("make private", &here, error))?;
        }
        at = opened;
    }
    Ok(Some(PrivateDir { path: path.to_owned(), descriptor: Arc::new(at), foreign }))
}

/// Splits a path into what is opened as the system resolves it, and the names that are opened one by one.
///
/// A relative path begins at the working directory, which may be a checkout: each of its names is a step. Of an
/// absolute one the last name is, and all from [`HOME`] on. What is missing is a step in any case.
fn steps(path: &Path) -> (PathBuf, Vec<OsString>) {
    let parts: Vec<Component<'_>> = path.components().filter(|part| *part != Component::CurDir).collect();
    let mut first = 0;
    if path.is_absolute() {
        let home = parts.iter().position(|part| part.as_os_str() == HOME);
        first = home.unwrap_or(parts.len() - 1).max(1).min(parts.len());
        let exists = |count: usize| parts[..count].iter().collect::<PathBuf>().exists();
        while first > 1 && !exists(first) {
            first -= 1;
        }
    }
    let steps = parts[first..].iter().map(|part| part.as_os_str().to_owned()).collect();
    (parts[..first].iter().collect(), steps)
}

/// Opens a directory that is not a link; `None` when there is none.
fn step_into(at: &OwnedFd, name: &OsStr, path: &Path, access: OFlags) -> Result<Option<OwnedFd>, Error> {
    let flags = access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Ok(opened) => Ok(Some(opened)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => {
            let is_link = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
            Err(if is_link { link(at, name, path.to_owned()) } else { Error::io("read", path, error.into()) })
        }
    }
}

/// Makes a directory that was missing, 0700 and durable.
fn make_step(at: &OwnedFd, name: &OsStr, path: &Path, access: OFlags) -> Result<OwnedFd, Error> {
    let failed = |error: io::Error| Error::io("create", path, error);
    let is_made = match rustix::fs::mkdirat(at, name, DIRECTORY_MODE) {
        Ok(()) => true,
        // Another process makes the same one; a lock in it decides which of the two goes on.
        Err(rustix::io::Errno::EXIST) => false,
        Err(error) => return Err(failed(error.into())),
    };
    let opened = step_into(at, name, path, access)?;
    let opened = opened.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    if is_made {
        let directory = readable(&opened).map_err(failed)?;
        rustix::fs::fchmod(&directory, DIRECTORY_MODE).map_err(|error| failed(error.into()))?;
    }
    let above = readable(at).map_err(failed)?;
    rustix::fs::fsync(&above).map_err(|error| failed(error.into()))?;
    Ok(opened)
}

fn refuse_foreign(foreign: Option<&(PathBuf, u32)>) -> Result<(), Error> {
    match foreign {
        None => Ok(()),
        Some((path, owner)) => {
            let user = rustix::process::geteuid().as_raw();
            Err(Error::OtherOwner { path: path.clone(), owner: *owner, user })
        }
    }
}

/// Tells whose a directory is that is not ours.
fn owner_if_foreign(directory: &OwnedFd, path: &Path) -> Result<Option<(PathBuf, u32)>, Error> {
    let stat = rustix::fs::fstat(directory).map_err(|error| Error::io("read", path, error.into()))?;
    let is_ours = stat.st_uid == rustix::process::geteuid().as_raw();
    Ok((!is_ours).then(|| (path.to_owned(), stat.st_uid)))
}

/// Takes others' right to replace what stands in a directory of ours.
fn keep_others_out(directory: &OwnedFd) -> io::Result<()> {
    let mode = Mode::from_raw_mode(rustix::fs::fstat(directory)?.st_mode);
    if !mode.intersects(WRITABLE_BY_OTHERS) {
        return Ok(());
    }
    Ok(rustix::fs::fchmod(readable(directory)?, mode - WRITABLE_BY_OTHERS)?)
}

/// How a directory is opened that is only passed: that needs the right to pass it, not to list it.
#[cfg(target_os = "linux")]
const PASSING: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASSING: OFlags = OFlags::RDONLY;

fn readable(directory: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(directory, ".", flags, Mode::empty())?)
}

fn link(at: &OwnedFd, name: &OsStr, path: PathBuf) -> Error {
    let target = rustix::fs::readlinkat(at, name, Vec::new());
    let target = target.map(|target| OsStr::from_bytes(target.to_bytes()).into()).unwrap_or_default();
    Error::Link { path, target }
}

fn make_private(file: &File) -> io::Result<()> {
    if Mode::from_raw_mode(rustix::fs::fstat(file)?.st_mode) == FILE_MODE {
        return Ok(());
    }
    Ok(rustix::fs::fchmod(file, FILE_MODE)?)
}

#[cfg(test)]
mod tests;
