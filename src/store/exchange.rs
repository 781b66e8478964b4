//! Putting a state that has arrived in the place of the one that was there.
//!
//! Its name, `arrived/`, has decided: whoever takes the lock finishes the exchange. Each step can be repeated.

use std::io;

use super::guard::wait_for_sled;
use super::place::{ARRIVED, COPY, CREATING, HEAD, INCOMING, SLED};
use crate::failpoints::{Step, reached};
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
    let finished = || {
        state.remove_tree(INCOMING)?;
        if has_arrived { exchange(state) } else { Ok(()) }
    };
    finished().map_err(failed)
}

/// Decides that what was made in `incoming/` takes the place of the state that is there, and finishes that.
pub(super) fn arrive(state: &PrivateDir) -> Result<(), Error> {
    state
        .rename(INCOMING, ARRIVED)
        .and_then(|()| state.sync())
        .map_err(|error| Error::io("replace the state in", state.path(), error))?;
    reached(Step::PushArrived);
    finish(state)
}

fn exchange(state: &PrivateDir) -> io::Result<()> {
    let arrived = state.sub(ARRIVED).map_err(io::Error::other)?.ok_or(io::ErrorKind::NotFound)?;
    // First of all, so that no index is ever beside a state that it is not of.
    for name in state.names()? {
        if name.as_encoded_bytes().starts_with(CACHES.as_bytes()) {
            state.remove(&name)?;
        }
    }
    state.sync()?;
    if arrived.has(SLED)? {
        // A copy of the state that was says nothing about the one that comes.
        state.remove(COPY)?;
        state.remove_tree(SLED)?;
        reached(Step::PushReplaced);
        arrived.rename_into(SLED, state, SLED)?;
        state.sync()?;
    }
    if arrived.has(COPY)? {
        arrived.rename_into(COPY, state, COPY)?;
        state.sync()?;
    }
    if arrived.has(HEAD)? {
        arrived.rename_into(HEAD, state, HEAD)?;
        state.sync()?;
    }
    state.remove(CREATING)?;
    state.sync()?;
    state.remove_tree(ARRIVED)?;
    state.sync()
}
