//! Files below a directory, opened from its descriptor and nowhere else.
//!
//! A link is followed by name until it ends at a real path. Only when that path lies where links may end is anything
//! opened, from the descriptor of that place and through no link at all, so that a link that is turned over meanwhile
//! leads nowhere. Only regular files are opened, and no opening waits. Never reads or writes what it opens; makes
//! directories that are missing where that is asked for.

mod follow;
mod open;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, Stat};
use rustix::io::Errno;

pub use follow::follow;
pub use open::Refused;

/// How often a path is looked up that changes while it is.
const ATTEMPTS: usize = 8;

/// Where a directory, and the links below it, may lead.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// The directory that the root has to be in; `None` where a person named the root, which may be anywhere then.
    pub root_within: Option<PathBuf>,
    /// Further directories in which links below the root may end.
    pub follow_within: Vec<PathBuf>,
}

/// Why a root is not opened.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// It is not in the directory that it has to be in.
    #[error("it leads out of {}", within.display())]
    Outside { within: PathBuf },
    /// This directory cannot be opened; the root or another one in which links may end.
    #[error("{} cannot be opened", dir.display())]
    Open { dir: PathBuf, source: io::Error },
}

/// Why a root that is missing is not made, or one that is there not opened.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error(transparent)]
    Root(#[from] RootError),
    #[error("{} cannot be made", dir.display())]
    Make { dir: PathBuf, source: io::Error },
}

/// A directory as it was found, open.
#[derive(Debug)]
pub struct Root {
    named: PathBuf,
    /// Where things may be: first in the root itself.
    areas: Vec<Area>,
}

/// A directory in which things may be.
#[derive(Debug)]
struct Area {
    /// Its path without links.
    real: PathBuf,
    directory: OwnedFd,
}

impl Area {
    fn open(dir: &Path) -> io::Result<Self> {
        // Of no name at all, the working directory.
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        let mut failure = None;
        for _ in 0..ATTEMPTS {
            let real = fs::canonicalize(dir)?;
            match open::directory_to_pass(&real) {
                Ok(directory) => return Ok(Self { real, directory }),
                Err(error) if !open::may_be_link(error) && error != Errno::NOENT => return Err(error.into()),
                // It was replaced between the two, or it is a file.
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.expect("there is at least one attempt").into())
    }
}

impl Root {
    /// Opens a directory, which may be reached through links.
    ///
    /// Of the further directories that links may end in, those that do not exist are left out.
    pub fn open(dir: &Path, bounds: &Bounds) -> Result<Self, RootError> {
        let failed = |dir: &Path| {
            let dir = dir.to_owned();
            move |source| RootError::Open { dir, source }
        };
        let root = Area::open(dir).map_err(failed(dir))?;
        if let Some(within) = &bounds.root_within {
            let limit = Area::open(within).map_err(failed(within))?;
            if !root.real.starts_with(&limit.real) {
                return Err(RootError::Outside { within: within.clone() });
            }
        }
        let mut areas = vec![root];
        for further in &bounds.follow_within {
            match Area::open(further) {
                Ok(area) => areas.push(area),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(further)(error)),
            }
        }
        Ok(Self { named: dir.to_owned(), areas })
    }

    /// Opens a directory, which is made first where it is missing, with those above it that are.
    ///
    /// What is made lies in the nearest directory that is there, which has to be where the root may be.
    pub fn open_or_make(dir: &Path, bounds: &Bounds) -> Result<Self, MakeError> {
        let there = dir.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new(""));
        let below = dir.strip_prefix(there).expect("it is one of its ancestors");
        let failed = |source| MakeError::Make { dir: dir.to_owned(), source };
        Self::open(there, bounds)?.make(below).map_err(failed)?;
        Ok(Self::open(dir, bounds)?)
    }

    /// Makes the directories of a path below the root that are missing, through no link.
    pub fn make(&self, below: &Path) -> io::Result<()> {
        let mut at = PathBuf::new();
        for name in below.components() {
            let above = self.directory(&at)?;
            at.push(name);
            match rustix::fs::mkdirat(&above, name.as_os_str(), Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.directory(&at).map(drop)
    }

    /// Returns the directory as it was named.
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// Returns the path of the directory without links.
    pub fn real(&self) -> &Path {
        &self.areas[0].real
    }

    /// Opens a directory below the root, that no link leads to, to be read.
    pub fn directory(&self, below: &Path) -> io::Result<OwnedFd> {
        Ok(open::directory(&self.areas[0].directory, below)?)
    }

    /// Opens a directory by its path without links, to be read.
    pub fn real_directory(&self, real: &Path) -> io::Result<OwnedFd> {
        let (area, below) = self.area(real).ok_or(Errno::NOENT)?;
        Ok(open::directory(&area.directory, below)?)
    }

    /// Finds where a link ends, of the directory whose path without links is `directory`, and what is there.
    pub fn end(&self, directory: &Path, name: &OsStr) -> Result<(PathBuf, Stat), Refused> {
        let real = follow(directory, Path::new(name), |_| {})?;
        let (area, below) = self.allowed(&real)?;
        let stat = open::look(&area.directory, below)?;
        Ok((real, stat))
    }

    /// Opens the regular file at a path below the root, which may lead through links.
    pub fn file(&self, below: &Path) -> Result<File, Refused> {
        let root = &self.areas[0];
        match open::regular(&root.directory, below) {
            Err(Refused::Io(error)) if Errno::from_io_error(&error).is_some_and(open::may_be_link) => {}
            opened => return opened,
        }
        let mut failure = None;
        for _ in 0..ATTEMPTS {
            let real = follow(&root.real, below, |_| {})?;
            let (area, below) = self.allowed(&real)?;
            match open::regular(&area.directory, below) {
                Err(Refused::Io(error)) if Errno::from_io_error(&error).is_some_and(open::may_have_moved) => {
                    failure = Some(error);
                }
                opened => return opened,
            }
        }
        Err(failure.expect("there is at least one attempt").into())
    }

    /// Opens the directory that the file at a path below the root is really in, with the file's name there.
    ///
    /// A file in one of the further directories counts as outside.
    pub fn holder(&self, below: &Path) -> Result<(OwnedFd, OsString), Refused> {
        let root = &self.areas[0];
        let real = follow(&root.real, below, |_| {})?;
        if real != root.real.join(below) {
            self.allowed(&real)?;
        }
        let outside = || Refused::Outside(kind_at(&real));
        let below = real.strip_prefix(&root.real).map_err(|_| outside())?;
        let (directory, name) = below.parent().zip(below.file_name()).ok_or(Refused::NotRegular)?;
        Ok((open::directory(&root.directory, directory)?, name.to_owned()))
    }

    fn area<'p>(&self, real: &'p Path) -> Option<(&Area, &'p Path)> {
        self.areas_of(real).next()
    }

    /// Lists the areas that a path without links is in, with what is below each.
    fn areas_of<'p>(&self, real: &'p Path) -> impl Iterator<Item = (&Area, &'p Path)> {
        self.areas.iter().filter_map(move |area| Some((area, real.strip_prefix(&area.real).ok()?)))
    }

    /// Finds an area that a path without links is in, and in which it may be led to.
    ///
    /// What is hidden in one may be led to where it, or the hidden directory above it, is an area by itself.
    fn allowed<'p>(&self, real: &'p Path) -> Result<(&Area, &'p Path), Refused> {
        let refused = || match self.area(real) {
            Some(_) => Refused::Hidden(kind_at(real)),
            None => Refused::Outside(kind_at(real)),
        };
        self.areas_of(real).find(|(_, below)| !is_hidden(below)).ok_or_else(refused)
    }
}

/// Opens the regular file of a name in an open directory; a link is none.
pub fn regular_in(directory: &OwnedFd, name: &OsStr) -> Result<File, Refused> {
    open::regular(directory, Path::new(name))
}

/// Opens a regular file at a path that a person named, through whatever links, and without waiting for anybody.
pub fn regular(path: &Path) -> Result<File, Refused> {
    open::regular_through_links(path)
}

/// Opens a regular file at a path of which nothing else is known.
///
/// Only links that lead downward from where they stand are followed, so that below any directory nothing outside
/// of it is reached.
pub fn regular_downward(path: &Path) -> Result<File, Refused> {
    open::regular_downward(path)
}

/// Reports whether a path below a directory is none that contact files are found at by their own names.
///
/// `..data` and its kind, through which config maps are swapped, are not meant.
pub fn is_hidden(below: &Path) -> bool {
    let is_hidden = |name: &OsStr| name.as_bytes().starts_with(b".") && !name.as_bytes().starts_with(b"..");
    below.iter().any(is_hidden)
}

/// Reports whether links may end at a path without links where these directories are the ones to stay in.
pub fn may_end(areas: &[PathBuf], real: &Path) -> bool {
    areas.iter().filter_map(|area| real.strip_prefix(area).ok()).any(|below| !is_hidden(below))
}

/// Tells what stands at a path without links.
fn kind_at(real: &Path) -> FileType {
    rustix::fs::lstat(real).map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
}
