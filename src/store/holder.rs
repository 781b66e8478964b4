//! `holder.json`: who has the state open, for the error message of whoever does not get it.
//!
//! Never decides who may write; the lock does. One left by a process that died is overwritten.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::private_dir::PrivateDir;

pub(super) const NAME: &str = "holder.json";
/// What is to become the file.
pub(super) const FRESH: &str = "holder.json.new";

/// The process that has the state open for writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    /// As `user@host`.
    pub user_host: String,
    /// The verb it runs, `apply` for example.
    pub operation: String,
    pub since: Timestamp,
    /// The version of contactsd.
    pub version: String,
    /// Where it answers readers, once it does.
    pub socket: Option<PathBuf>,
}

/// Writes the holder; by rename, so that no one reads half of it.
pub(super) fn write(state: &PrivateDir, holder: &Holder) -> io::Result<()> {
    state.write(FRESH, &serde_json::to_vec_pretty(holder)?)?;
    state.rename(FRESH, NAME)
}

/// Reads the holder; `None` when none is written, or none that this version understands.
pub(super) fn read(state: &PrivateDir) -> Option<Holder> {
    serde_json::from_slice(&state.read(NAME).ok()?).ok()
}

pub(super) fn remove(state: &PrivateDir) -> io::Result<()> {
    state.remove(NAME).map(drop)
}
