//! A state directory that is open: what whoever opened it hands on.

use super::barrier::Barrier;
use super::guard::Guard;
use super::head::HeadFile;
use super::lock::Lock;
use crate::state::{Counters, Facts};

/// A state directory that is open, locked and as it was left.
pub(super) struct Opened {
    pub(super) facts: Facts,
    pub(super) counters: Counters,
    pub(super) head: HeadFile,
    pub(super) barrier: Barrier,
    // Fields drop in order: sled lets go of its files before others may open them.
    pub(super) db: Guard,
    pub(super) lock: Lock,
}
