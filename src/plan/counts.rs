//! How many actions of each kind a plan holds.

use serde::{Deserialize, Serialize};

use super::action::{Action, Change, Operation};

/// How many actions of each kind a plan holds; the numbers of its summary line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub import: usize,
    pub add: usize,
    pub change: usize,
    pub forget: usize,
    /// Moves that change no field.
    pub moved: usize,
    /// Actions that only stop managing fields.
    pub release: usize,
    pub settle: usize,
    /// Conflicts and contradictions: entries that need a person.
    pub undecided: usize,
}

impl Counts {
    /// Counts `actions` by what they do.
    pub fn of<'a>(actions: impl IntoIterator<Item = &'a Action>) -> Self {
        let mut counts = Self::default();
        for action in actions {
            let count = match &action.operation {
                Operation::Create { .. } => &mut counts.add,
                Operation::Adopt { .. } | Operation::Restore { .. } => &mut counts.import,
                Operation::Update { .. } => &mut counts.change,
                Operation::Move { changes, .. } if changes.iter().any(Change::sends) => &mut counts.change,
                Operation::Move { .. } => &mut counts.moved,
                Operation::Release { .. } => &mut counts.release,
                Operation::Forget { .. } => &mut counts.forget,
                Operation::Settle { .. } => &mut counts.settle,
                Operation::Conflict { .. } | Operation::Contradiction { .. } => &mut counts.undecided,
            };
            *count += 1;
        }
        counts
    }
}
