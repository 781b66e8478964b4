//! Where a state's socket stands: in the state directory, or where its path is short enough.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{Error, is_same_user};

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever writes the state, as long as it has it open.
    Writer,
    /// The service that keeps it in step, paused or not.
    Service,
}

impl Role {
    /// Names the socket in the state directory.
    fn name(self) -> &'static str {
        match self {
            Self::Writer => "link.sock",
            Self::Service => "watch.sock",
        }
    }

    /// Names the socket in a directory that many states share.
    fn shared_name(self, state: &str) -> String {
        match self {
            Self::Writer => format!("contactsd-{state}.sock"),
            Self::Service => format!("contactsd-{state}-watch.sock"),
        }
    }
}

/// Decides where `state` is listened at, and makes sure that the directory is private.
///
/// A path that is too long for a socket moves it to the `runtime` directory, under a name that follows
/// from the state's path.
pub(super) fn choose(role: Role, state: &Path, runtime: &Path) -> Result<PathBuf, Error> {
    let absolute = fs::canonicalize(state).map_err(|error| Error::io("find", state, error))?;
    let own = absolute.join(role.name());
    if fits(&own) {
        return Ok(own);
    }
    let digest = blake3::hash(absolute.as_os_str().as_encoded_bytes()).to_hex();
    let path = runtime.join(role.shared_name(&digest[..16]));
    if !fits(&path) {
        return Err(Error::PathTooLong { path });
    }
    make_private(runtime)?;
    Ok(path)
}

/// Lists where `state` may be listened at; `named` is what who listens said itself, if anything.
///
/// The state's own directory comes first: what listens there belongs to this state for certain.
pub fn candidates(role: Role, state: &Path, named: Option<&Path>) -> Vec<PathBuf> {
    let own = state.join(role.name());
    let named = named.map(Path::to_owned).filter(|named| *named != own);
    [Some(own), named].into_iter().flatten().filter(|path| fits(path)).collect()
}

fn fits(path: &Path) -> bool {
    SocketAddr::from_pathname(path).is_ok()
}

/// Makes a directory that is missing, and refuses one that others may enter or replace.
fn make_private(directory: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::io("create", directory, error));
        }
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(directory).map_err(|error| Error::io("look at", directory, error))?;
    if found.is_dir() && is_same_user(found.uid()) && found.mode() & 0o7777 == 0o700 {
        Ok(())
    } else {
        Err(Error::NotPrivate { path: directory.to_owned() })
    }
}
