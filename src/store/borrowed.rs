//! Reading another user's state, from a copy: to open sled is to write, and nothing is written to what is not ours.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::FileType;

use super::error::Error;
use super::head;
use super::lock::Lock;
use super::open::{self, ARRIVED, CREATING, LOCK, SLED};
use crate::private_dir::PrivateDir;

/// What a state is made of; the rest says who has it open, or is a cache.
const PARTS: [&str; 4] = [head::NAME, SLED, CREATING, ARRIVED];

/// Copies a state to a directory that only this user can read, for as long as `read` needs it.
///
/// The state's lock is held while it is copied, if it has one.
pub(super) fn read<T>(state: &PrivateDir, read: impl FnOnce(&Path) -> Result<T, Error>) -> Result<T, Error> {
    let failed = |error| Error::io("copy, in order to read it, the state", state.path(), error);
    let place = tempfile::tempdir().map_err(failed)?;
    let copy = place.path().join("state");
    let lock = lock(state)?;
    copy_parts(state, &copy, |name| PARTS.contains(&name)).map_err(failed)?;
    drop(lock);
    read(&copy).map_err(|error| error.told_of(&copy, state.path()))
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
