//! Where a state is kept, as people name it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

/// The place of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory of this machine, with sled in it.
    Directory(PathBuf),
    /// A database that several machines share.
    Database {
        url: DatabaseUrl,
        /// Where processes of this machine that use it meet; it holds no rows.
        directory: PathBuf,
    },
}

/// The URL of a state in a database. Shows no password.
#[derive(Clone)]
pub struct DatabaseUrl {
    secret: Arc<SecretString>,
    shown: Arc<str>,
}

impl DatabaseUrl {
    /// Takes a whole URL, and how it is shown.
    pub(crate) fn new(url: SecretString, shown: &str) -> Self {
        Self { secret: Arc::new(url), shown: shown.into() }
    }

    /// Returns the whole URL, its password included.
    pub(crate) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for DatabaseUrl {}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Location {
    /// Returns the directory on this machine that belongs to the state.
    pub fn directory(&self) -> &Path {
        match self {
            Self::Directory(path) | Self::Database { directory: path, .. } => path,
        }
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Directory(path.to_owned())
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::Directory(path)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Database { url, .. } => f.write_str(&url.shown),
        }
    }
}
