//! Reading another user's state, from a copy: to open sled is to write, and nothing is written to what is not ours.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::lock::Lock;
use super::open;
use super::place::{ARRIVED, CREATING, HEAD, LOCK, SLED};
use crate::private_dir::PrivateDir;
use crate::state::{Error, Location};

/// What a state is made of; the rest says who has it open, or is a cache.
const PARTS: [&str; 4] = [HEAD, SLED, CREATING, ARRIVED];

/// Copies a state to a directory that only this user can read, for as long as `read` needs it.
///
/// The state's lock is held while it is copied, if it has one.
pub(super) fn read<T>(state: &PrivateDir, read: impl FnOnce(&Location) -> Result<T, Error>) -> Result<T, Error> {
    let failed = |error| Error::io("copy, in order to read it, the state", state.path(), error);
    let place = tempfile::tempdir().map_err(failed)?;
    let copy = place.path().join("state");
    let lock = lock(state)?;
    copy_parts(state, &copy, |name| PARTS.contains(&name)).map_err(failed)?;
    drop(lock);
    read(&copy.clone().into()).map_err(|error| told_of(error, &copy, state.path()))
}

fn lock(state: &PrivateDir) -> Result<Option<Lock>, Error> {
    let failed = |error| Error::io("lock", &state.path().join(LOCK), error);
    let file = match state.open_file(LOCK) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let lock = Lock::take(file).map_err(failed)?;
    lock.map(Some).ok_or_else(|| open::locked(state))
}

fn copy_parts(from: &PrivateDir, to: &Path, is_part: fn(&str) -> bool) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for (name, kind) in from.entries()? {
        // A name that is no text is none of ours.
        let Some(name) = name.to_str().filter(|name| is_part(name)) else { continue };
        match kind {
            FileType::Directory => {
                if let Some(inner) = from.sub(name).map_err(io::Error::other)? {
                    copy_parts(&inner, &to.join(name), |_| true)?;
                }
            }
            _ => {
                io::copy(&mut from.open_file(name)?, &mut File::create(to.join(name))?)?;
            }
        }
    }
    Ok(())
}

/// Names the state instead of the copy that was read in its place.
fn told_of(error: Error, copy: &Path, state: &Path) -> Error {
    let real = |path: PathBuf| match path.strip_prefix(copy) {
        Ok(below) if below.as_os_str().is_empty() => state.to_owned(),
        Ok(below) => state.join(below),
        Err(_) => path,
    };
    let state = |place: Location| Location::from(real(place.directory().to_owned()));
    match error {
        Error::Io { step, path, source } => Error::Io { step, path: real(path), source },
        Error::Unreadable { state: copied, why } => Error::Unreadable { state: state(copied), why },
        Error::TooNew { state: copied, found } => Error::TooNew { state: state(copied), found },
        Error::OtherOrigin { state: copied, recorded, given } => {
            Error::OtherOrigin { state: state(copied), recorded, given }
        }
        other => other,
    }
}
