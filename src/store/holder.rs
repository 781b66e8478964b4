//! `holder.json`: who has the state open, as the engine beside it says.
//!
//! Never decides who may write; the lock does. One left by a process that died is overwritten.

use super::place::{self, HOLDER};
use crate::private_dir::PrivateDir;
use crate::state::{Error, Holder};

/// Writes the holder; by rename, so that no one reads half of it.
pub(super) fn write(state: &PrivateDir, holder: &Holder) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(holder).expect("a holder is plain data");
    place::replace(state, HOLDER, &text).map_err(|error| Error::io("write holder.json in", state.path(), error))
}

/// Reads the holder; `None` when none is written, or none that this version understands.
pub(super) fn read(state: &PrivateDir) -> Option<Holder> {
    serde_json::from_slice(&state.read(HOLDER).ok()?).ok()
}

/// Removes what this process, or a dead one, said about itself; to be called by whoever has the lock.
pub(super) fn remove(state: &PrivateDir) -> Result<(), Error> {
    let removed = state.remove(HOLDER).map(drop);
    removed.map_err(|error| Error::io("remove holder.json from", state.path(), error))
}
