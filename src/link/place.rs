//! Where a state's socket stands: in the state directory, or where its path is short enough.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{Error, is_same_user};

/// Name of the socket in the state directory.
const NAME: &str = "link.sock";

/// Decides where the writer of `state` listens, and makes sure that the directory is private.
///
/// A path that is too long for a socket moves it to the `runtime` directory, under a name that follows
/// from the state's path.
pub(super) fn choose(state: &Path, runtime: &Path) -> Result<PathBuf, Error> {
    let absolute = fs::canonicalize(state).map_err(|error| Error::io("find", state, error))?;
    let own = absolute.join(NAME);
    if fits(&own) {
        return Ok(own);
    }
    let digest = blake3::hash(absolute.as_os_str().as_encoded_bytes()).to_hex();
    let path = runtime.join(format!("contactsd-{}.sock", &digest[..16]));
    if !fits(&path) {
        return Err(Error::PathTooLong { path });
    }
    make_private(runtime)?;
    Ok(path)
}

/// Lists where the writer of `state` may listen; `named` is what it said itself, if anything.
///
/// The state's own directory comes first: what listens there belongs to this state for certain.
pub fn candidates(state: &Path, named: Option<&Path>) -> Vec<PathBuf> {
    let own = state.join(NAME);
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
