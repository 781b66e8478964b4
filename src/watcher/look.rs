//! What an event comes to: look again, and where. Knows no event.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// What a burst of events calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Files changed in these directories and nowhere else; named from the directory as the user named it.
    Changed(BTreeSet<PathBuf>),
    /// Anything may have changed: directories or links did, events were lost, or it polls.
    Rescan,
}

impl Look {
    /// Takes in what another look calls for as well.
    pub fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Rescan, _) => {}
            (Self::Changed(known), Self::Changed(more)) => known.extend(more),
            (Self::Changed(_), Self::Rescan) => *self = Self::Rescan,
        }
    }
}
