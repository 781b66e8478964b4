//! What was damaged and is kept beside the state, under a name that says since when, until a person removes it.

use std::path::PathBuf;

use super::footprint::size;
use super::place::{self, COPY, SLED};
use crate::model::Timestamp;
use crate::private_dir::PrivateDir;
use crate::state::{Error, Location};

/// What stands between what a thing was called and the time.
const INFIX: &str = ".aside-";

/// The things that are moved out of the way.
const THINGS: [&str; 2] = [SLED, COPY];

/// Moves something out of the way; durable when it returns. `None` when it is not there.
pub(super) fn move_away(state: &PrivateDir, name: &str, now: Timestamp) -> Result<Option<PathBuf>, Error> {
    let path = state.path().join(name);
    let failed = |error| Error::io("move out of the way", &path, error);
    if !state.has(name).map_err(failed)? {
        return Ok(None);
    }
    let time = i64::try_from(now.0).ok().and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    let time = time.unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string();
    let names = (1..).map(|number| match number {
        1 => format!("{name}{INFIX}{time}"),
        more => format!("{name}{INFIX}{time}-{more}"),
    });
    for aside in names {
        if !state.has(&aside).map_err(failed)? {
            state.rename(name, &aside).and_then(|()| state.sync()).map_err(failed)?;
            return Ok(Some(state.path().join(aside)));
        }
    }
    unreachable!("the numbers do not end")
}

/// Lists the names of what was moved out of the way, the oldest first.
pub(super) fn list(state: &PrivateDir) -> Result<Vec<String>, Error> {
    let names = state.names().map_err(|error| Error::io("read", state.path(), error))?;
    let is_aside =
        |name: &String| THINGS.iter().any(|thing| name.strip_prefix(thing).is_some_and(|rest| rest.starts_with(INFIX)));
    let mut names: Vec<String> =
        names.into_iter().filter_map(|name| name.into_string().ok()).filter(is_aside).collect();
    names.sort_by_key(|name| name.split_once(INFIX).map(|(thing, time)| (time.to_owned(), thing.to_owned())));
    Ok(names)
}

/// Something that was moved out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// As it is called in the directory of the state.
    pub name: String,
    /// The sizes of its files.
    pub bytes: u64,
}

/// Lists what was moved out of the way, the oldest first.
pub(super) fn all(state: &PrivateDir) -> Result<Vec<Aside>, Error> {
    let aside = |name: String| {
        let path = state.path().join(&name);
        let measured = size(&path).map_err(|error| Error::io("read", &path, error));
        measured.map(|bytes| Aside { name, bytes })
    };
    list(state)?.into_iter().map(aside).collect()
}

/// Lists what was moved out of the way in the state at a place; `None` when there is no such directory.
pub fn set_aside(location: &Location) -> Result<Option<Vec<Aside>>, Error> {
    place::directory(location.directory())?.map(|state| all(&state)).transpose()
}

/// Removes what was moved out of the way in the state at a place, whoever has it open.
pub fn remove_aside(location: &Location, things: &[Aside]) -> Result<(), Error> {
    let Some(state) = place::directory(location.directory())? else { return Ok(()) };
    state.claim()?;
    things.iter().try_for_each(|aside| remove(&state, &aside.name))
}

/// Removes something that was moved out of the way.
fn remove(state: &PrivateDir, name: &str) -> Result<(), Error> {
    let failed = |error| Error::io("remove", &state.path().join(name), error);
    let is_sled = name.strip_prefix(SLED).is_some_and(|rest| rest.starts_with(INFIX));
    let removed = if is_sled { state.remove_tree(name) } else { state.remove(name).map(drop) };
    removed.and_then(|()| state.sync()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_moved_away_is_listed_and_removed_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let state = PrivateDir::make(directory.path()).unwrap();
        let names = || list(&state).unwrap();
        assert_eq!(move_away(&state, SLED, Timestamp(0)).unwrap(), None);
        for name in ["copy.jsonl", "index", "sledge.aside-1", "lock"] {
            state.write(name, b"").unwrap();
        }
        let at = Timestamp(1_700_000_000_000);
        for _ in 0..2 {
            PrivateDir::make(&directory.path().join("sled/blobs")).unwrap();
            move_away(&state, SLED, at).unwrap().unwrap();
        }
        move_away(&state, COPY, Timestamp(0)).unwrap().unwrap();
        assert_eq!(
            names(),
            ["copy.jsonl.aside-19700101T000000Z", "sled.aside-20231114T221320Z", "sled.aside-20231114T221320Z-2"]
        );
        for name in names() {
            remove(&state, &name).unwrap();
        }
        assert_eq!(names(), [""; 0]);
        let mut left = state.names().unwrap();
        left.sort();
        assert_eq!(left, ["index", "lock", "sledge.aside-1"]);
    }
}
