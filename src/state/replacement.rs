//! Whether one state may take the place of another.

use std::fmt;

use super::counters::Counters;
use crate::model::{Lineage, Serial};

/// What can be said of a state in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub lineage: Lineage,
    pub serial: Serial,
    /// How many keys are bound.
    pub bindings: u64,
}

/// What speaks against replacing a state by a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setback {
    OtherLineage {
        pushed: Lineage,
        current: Lineage,
    },
    Older {
        pushed: Serial,
        current: Serial,
    },
    /// Both went on from the same state, or one of them did and only what is not counted has changed.
    Differs {
        serial: Serial,
    },
}

impl fmt::Display for Setback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherLineage { pushed, current } => {
                write!(f, "what is to be pushed has lineage {pushed}, the state {current}: they never were the same")
            }
            Self::Older { pushed, current } => {
                write!(f, "what is to be pushed is older, at serial {pushed}; the state is at {current}")
            }
            Self::Differs { serial } => write!(f, "it and what is to be pushed are both at serial {serial} and differ"),
        }
    }
}

/// A state with the sums over its rows.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub(crate) lineage: Lineage,
    pub(crate) counters: Counters,
}

impl Counted {
    pub(crate) fn standing(&self) -> Standing {
        let Self { lineage, counters } = self;
        Standing { lineage: lineage.clone(), serial: counters.serial, bindings: counters.totals.bindings }
    }

    /// Says what speaks against another in its place, by that one's first line.
    pub(crate) fn setback(&self, lineage: &Lineage, serial: Serial) -> Option<Setback> {
        if self.lineage != *lineage {
            return Some(Setback::OtherLineage { pushed: lineage.clone(), current: self.lineage.clone() });
        }
        let current = self.counters.serial;
        (serial < current).then_some(Setback::Older { pushed: serial, current })
    }

    /// Says what speaks against another in its place, by all its rows.
    pub(crate) fn difference(&self, other: &Self) -> Option<Setback> {
        let (Counters { serial, totals, .. }, counters) = (&self.counters, &other.counters);
        (*serial == counters.serial && *totals != counters.totals).then_some(Setback::Differs { serial: *serial })
    }

    /// Reports whether both hold exactly the same.
    pub(crate) fn is_the_same(&self, other: &Self) -> bool {
        let managed = |Counters { serial, last_intent, totals, commit: _ }: &Counters| (*serial, *last_intent, *totals);
        self.lineage == other.lineage && managed(&self.counters) == managed(&other.counters)
    }
}
