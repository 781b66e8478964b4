//! Why nothing was converted, as facts.

use std::io;
use std::path::PathBuf;

use crate::ops::format::FormatError;
use crate::source;

/// Why nothing was converted.
#[derive(Debug)]
pub enum ConvertError {
    /// A table cannot be read on.
    Table {
        name: PathBuf,
        source: io::Error,
    },
    /// The directory cannot be read.
    Unreadable(source::Error),
    /// Files of the directory have mistakes.
    Invalid(Vec<source::Diagnostic>),
    /// What waits cannot be kept.
    Spool(io::Error),
    /// A file would be larger than files may be.
    TooLarge {
        name: PathBuf,
        bytes: u64,
    },
    Files(FormatError),
}

impl From<FormatError> for ConvertError {
    fn from(error: FormatError) -> Self {
        Self::Files(error)
    }
}
