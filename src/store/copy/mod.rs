//! `copy.jsonl`: the state once more, as lines of text beside sled, from which sled can be built again.
//!
//! It begins with what `state pull` writes; after that stands the commit that those rows are of, and a line for each
//! commit since. Only the file: never knows sled, and decides nothing. `docs/state-format.md` describes it.

mod file;
mod line;
mod reading;
mod scan;
mod syncing;
#[cfg(test)]
mod tests;

pub(super) use file::{CopyFile, make};
pub(super) use reading::{Copied, Opened};
pub(super) use scan::{Damage, Ending, Scanned};
