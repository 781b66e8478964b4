//! Putting a state that has arrived in the place of the one that was there.
//!
//! Its name, `arrived/`, has decided: whoever takes the lock finishes the exchange. Each step can be repeated.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::guard::wait_for_sled;
use super::place::{ARRIVED, COPY, CREATING, HEAD, INCOMING, KEEP, SLED};
use super::set_aside;
use crate::failpoints::{Step, reached};
use crate::model::Timestamp;
use crate::private_dir::PrivateDir;
use crate::state::Error;

/// Names of files beside sled that are caches of the state that was, all of which begin like this.
const CACHES: &str = "index";

/// Finishes an exchange that was decided, and clears up after one that was not. Does nothing otherwise.
///
/// To be called by whoever has just taken the lock. Each step can be repeated, and none has to be the last.
pub(super) fn finish(state: &PrivateDir) -> Result<(), Error> {
    let failed = |error| Error::io("replace the state in", state.path(), error);
    let has_arrived = state.has(ARRIVED).map_err(failed)?;
    // A sled in this process or another that stopped as it was opened may still write by its name.
    if has_arrived {
        wait_for_sled(state.path())?;
    }
    state.remove_tree(INCOMING).map_err(failed)?;
    if has_arrived { exchange(state) } else { Ok(()) }
}

/// Decides that what was made in `incoming/` takes the place of the state that is there, and finishes that.
pub(super) fn arrive(state: &PrivateDir) -> Result<(), Error> {
    arrive_keeping(state, &[], Timestamp(0)).map(drop)
}

/// Does as [`arrive`], and keeps some of what is there under other names, which are returned.
pub(super) fn arrive_keeping(
    state: &PrivateDir,
    kept: &'static [&'static str],
    since: Timestamp,
) -> Result<Vec<PathBuf>, Error> {
    let failed = |error| Error::io("replace the state in", state.path(), error);
    let note = || {
        let incoming = state.sub(INCOMING).map_err(io::Error::other)?.ok_or(io::ErrorKind::NotFound)?;
        let note = Keep { since, names: kept.iter().map(|name| (*name).to_owned()).collect() };
        incoming.write(KEEP, &serde_json::to_vec(&note)?)?.sync_all()?;
        incoming.sync()
    };
    if !kept.is_empty() {
        note().map_err(failed)?;
    }
    state.rename(INCOMING, ARRIVED).and_then(|()| state.sync()).map_err(failed)?;
    reached(Step::PushArrived);
    let before = set_aside::list(state)?;
    finish(state)?;
    let is_new = |name: &String| !before.contains(name);
    Ok(set_aside::list(state)?.into_iter().filter(is_new).map(|name| state.path().join(name)).collect())
}

/// What is kept of the state that was, in the directory of the one that takes its place.
#[derive(Serialize, Deserialize)]
struct Keep {
    since: Timestamp,
    names: Vec<String>,
}

/// Moves what is to be kept out of the way.
fn keep(state: &PrivateDir, arrived: &PrivateDir) -> Result<(), Error> {
    let read = match arrived.read(KEEP) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read.and_then(|text| Ok(serde_json::from_slice(&text)?)),
    };
    let Keep { since, names } = read.map_err(|error| Error::io("read", &arrived.path().join(KEEP), error))?;
    for name in names {
        set_aside::move_away(state, &name, since)?;
    }
    reached(Step::DamagedAside);
    Ok(())
}

fn exchange(state: &PrivateDir) -> Result<(), Error> {
    let failed = |error| Error::io("replace the state in", state.path(), error);
    let arrived = state.sub(ARRIVED)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    // First of all, so that no index is ever beside a state that it is not of.
    let clear_caches = || {
        for name in state.names()? {
            if name.as_encoded_bytes().starts_with(CACHES.as_bytes()) {
                state.remove(&name)?;
            }
        }
        state.sync()
    };
    clear_caches().map_err(failed)?;
    // What was there is in its new place by the time sled comes, so that nothing of it is moved twice.
    if arrived.has(SLED).map_err(failed)? {
        keep(state, &arrived)?;
    }
    let replace = || {
        if arrived.has(SLED)? {
            // A copy of the state that was says nothing about the one that comes.
            state.remove(COPY)?;
            state.remove_tree(SLED)?;
            reached(Step::PushReplaced);
            arrived.rename_into(SLED, state, SLED)?;
            state.sync()?;
        }
        for name in [COPY, HEAD] {
            if arrived.has(name)? {
                arrived.rename_into(name, state, name)?;
                state.sync()?;
            }
        }
        state.remove(CREATING)?;
        state.sync()?;
        state.remove_tree(ARRIVED)?;
        state.sync()
    };
    replace().map_err(failed)
}
