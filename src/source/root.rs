//! The directory of the contact files, and why it cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use crate::beneath::{Bounds, Root, RootError};

/// Why a directory could not be looked at at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the directory {} cannot be read", dir.display())]
    ReadDirectory { dir: PathBuf, source: io::Error },
    #[error("{} is not a directory", dir.display())]
    NotADirectory { dir: PathBuf },
    #[error("the directory {} {source}", dir.display())]
    LeadsOut { dir: PathBuf, source: RootError },
    /// The file has changed since it was read first; what it says now has not been checked.
    #[error("{} was changed while the contact files were read; run the command again", path.display())]
    ChangedMeanwhile { path: PathBuf },
}

/// Opens a directory of contact files as it is now.
pub fn open_root(dir: &Path, bounds: &Bounds) -> Result<Root, Error> {
    Root::open(dir, bounds).map_err(|error| match error {
        RootError::Open { dir, source } if source.kind() == io::ErrorKind::NotADirectory => {
            Error::NotADirectory { dir }
        }
        RootError::Open { dir, source } => Error::ReadDirectory { dir, source },
        RootError::Outside { .. } => Error::LeadsOut { dir: dir.to_owned(), source: error },
    })
}
