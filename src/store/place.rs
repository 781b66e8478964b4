//! The directory of a state: the names in it, and the way in.

use std::path::Path;

use crate::private_dir::PrivateDir;
use crate::state::Error;

/// The lock of the one who writes.
pub(super) const LOCK: &str = "lock";
/// There while a state is being made.
pub(super) const CREATING: &str = "creating";
/// sled's directory.
pub(super) const SLED: &str = "sled";
/// sled's log, in its directory.
pub(super) const LOG: &str = "db";
/// How far the state had come at its last barrier.
pub(super) const HEAD: &str = "head";
/// The state once more, as lines of text.
pub(super) const COPY: &str = "copy.jsonl";
/// A state that is being loaded to take the place of this one.
pub(super) const INCOMING: &str = "incoming";
/// A state that is to take the place of this one.
pub(super) const ARRIVED: &str = "arrived";
/// What is kept of the state that was, in `arrived/`.
pub(super) const KEEP: &str = "keep";
/// Who has the state open.
pub(super) const HOLDER: &str = "holder.json";
/// Which contact directory the state belongs to.
pub(super) const OWN_DIR: &str = "dir";
/// Held by the service as long as it runs; says who it is.
pub(super) const SEAT: &str = "watch.lock";
/// There while a person has paused the service, over its restarts as well.
pub(super) const PAUSED: &str = "paused";

/// Returns the name of what is to become a file.
pub(super) fn fresh(name: &str) -> String {
    format!("{name}.new")
}

/// Opens the directory of a state to read from; `None` when there is none. Refuses one with a link anywhere in it.
pub(super) fn directory(path: &Path) -> Result<Option<PrivateDir>, Error> {
    let Some(state) = PrivateDir::open(path)? else { return Ok(None) };
    refuse_links(&state)?;
    Ok(Some(state))
}

/// Refuses links in the directories that sled opens files in by their paths.
pub(super) fn refuse_links(state: &PrivateDir) -> Result<(), Error> {
    for name in [SLED, INCOMING, ARRIVED] {
        state.refuse_links_below(name)?;
    }
    Ok(())
}

/// Reports whether something may stand in the directory of a state that was not made yet.
///
/// A push that was killed leaves some of it.
pub(super) fn is_beside(name: &str) -> bool {
    let names = [LOCK, OWN_DIR, SEAT, PAUSED, HOLDER, INCOMING, "watch.sock"];
    let fresh = [OWN_DIR, PAUSED, HOLDER].map(fresh);
    names.contains(&name) || fresh.iter().any(|fresh| fresh == name)
}

/// Replaces a file by one with another content, which nobody sees half written; not durable.
pub(super) fn replace(state: &PrivateDir, name: &str, content: &[u8]) -> std::io::Result<()> {
    state.write(&fresh(name), content)?;
    state.rename(&fresh(name), name)
}

/// Replaces a file as [`replace`] does; durable when it returns.
pub(super) fn replace_durably(state: &PrivateDir, name: &str, content: &[u8]) -> std::io::Result<()> {
    state.write(&fresh(name), content)?.sync_all()?;
    state.rename(&fresh(name), name)?;
    state.sync()
}
