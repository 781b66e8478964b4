//! `dir`: which contact directory a state belongs to that stands at its default place.
//!
//! The default place follows from the last name of the directory alone, so that two directories of one name would
//! share a state, and the people of one become those of the other. A plain file, read without opening the state.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::place::{self, OWN_DIR};
use crate::private_dir::PrivateDir;
use crate::state::{Error, Location};

/// The contact directory whose state it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDir {
    /// As a person named it, relative to the working directory where it is in there.
    pub path: PathBuf,
    /// Whether a person named the state, so that it belongs to this directory from now on whatever it did before.
    pub takes_over: bool,
}

/// Refuses a state that belongs to another contact directory.
pub fn check_own_dir(location: &Location, own: &OwnDir) -> Result<(), Error> {
    place::directory(location.directory())?.map_or(Ok(()), |state| check(&state, own))
}

pub(super) fn check(state: &PrivateDir, own: &OwnDir) -> Result<(), Error> {
    match read(state)? {
        Some(recorded) if !own.takes_over && !is_same(&recorded, &own.path) => {
            Err(Error::OtherDir { path: state.path().to_owned(), recorded, given: own.path.clone() })
        }
        _ => Ok(()),
    }
}

/// Records the directory, durably, where none is recorded or the state is taken over. The state's lock is held.
pub(super) fn record(state: &PrivateDir, own: &OwnDir) -> Result<(), Error> {
    check(state, own)?;
    // Another name of the same directory changes nothing.
    if read(state)?.is_some_and(|recorded| recorded == own.path || !own.takes_over) {
        return Ok(());
    }
    let text = [own.path.as_os_str().as_bytes(), b"\n"].concat();
    place::replace_durably(state, OWN_DIR, &text)
        .map_err(|error| Error::io("write", &state.path().join(OWN_DIR), error))
}

fn read(state: &PrivateDir) -> Result<Option<PathBuf>, Error> {
    match state.read(OWN_DIR) {
        Ok(text) => Ok(Some(PathBuf::from(OsStr::from_bytes(text.strip_suffix(b"\n").unwrap_or(&text))))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", &state.path().join(OWN_DIR), error)),
    }
}

/// Reports whether both paths lead to one directory, as they stand or as the system resolves them.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(path: &Path, takes_over: bool) -> OwnDir {
        OwnDir { path: path.to_owned(), takes_over }
    }

    #[test]
    fn a_state_belongs_to_the_first_directory_until_it_is_taken_over() {
        let world = tempfile::tempdir().unwrap();
        let at = |name: &str| world.path().join(name);
        for name in ["state", "a", "b"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        std::os::unix::fs::symlink("a", at("link")).unwrap();
        let state = PrivateDir::make(&at("state")).unwrap();
        check(&state, &own(&at("a"), false)).unwrap();
        record(&state, &own(&at("a"), false)).unwrap();
        let Err(Error::OtherDir { recorded, given, .. }) = record(&state, &own(&at("b"), false)) else { panic!() };
        assert_eq!((recorded, given), (at("a"), at("b")));
        assert!(check_own_dir(&at("state").into(), &own(&at("gone"), false)).is_err());
        // Another name of the same directory.
        record(&state, &own(&at("link"), false)).unwrap();
        check_own_dir(&at("state").into(), &own(&at("b/../a"), false)).unwrap();
        record(&state, &own(&at("b"), true)).unwrap();
        check(&state, &own(&at("b"), false)).unwrap();
        assert!(check(&state, &own(&at("a"), false)).is_err());
        assert!(check_own_dir(&at("none").into(), &own(&at("a"), false)).is_ok());
    }

    #[test]
    fn any_path_is_read_back_as_it_was_recorded() {
        for path in ["contacts.d", "two\nlines\n", "with space/ü", "."] {
            let world = tempfile::tempdir().unwrap();
            let state = PrivateDir::make(world.path()).unwrap();
            record(&state, &own(Path::new(path), false)).unwrap();
            assert_eq!(read(&state).unwrap().unwrap(), Path::new(path));
        }
    }
}
