//! The mark that stands before an action.

use std::fmt;

use super::layout::{Layout, Marks};
use crate::plan::{Action, Change, Operation};

/// The mark of a block; the order is the legend's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbol {
    Create,
    Update,
    Forget,
    Settle,
    Decide,
    /// Moved, imported, restored or released: nothing about the contact itself is new.
    Blank,
}

impl Symbol {
    pub(super) fn of(action: &Action) -> Self {
        match &action.operation {
            Operation::Create { .. } => Self::Create,
            Operation::Update { .. } => Self::Update,
            Operation::Move { changes, .. } if changes.iter().any(Change::sends) => Self::Update,
            Operation::Forget { .. } => Self::Forget,
            Operation::Settle { .. } => Self::Settle,
            Operation::Conflict { .. } | Operation::Contradiction { .. } => Self::Decide,
            Operation::Move { .. }
            | Operation::Adopt { .. }
            | Operation::Restore { .. }
            | Operation::Release { .. } => Self::Blank,
        }
    }

    /// Writes the column of symbols, three wide.
    pub(super) fn write(self, f: &mut fmt::Formatter<'_>, layout: Layout<'_>) -> fmt::Result {
        let paint = layout.paint;
        match (layout.marks, self) {
            (Marks::FirstColumn, symbol) => f.write_str(match symbol {
                Self::Create => "+  ",
                Self::Update | Self::Decide => "!  ",
                // Red, as it is on a terminal.
                Self::Forget => "-  ",
                Self::Settle => "?  ",
                Self::Blank => "   ",
            }),
            (Marks::Indented, Self::Create) => write!(f, "  {}", paint.green('+')),
            (Marks::Indented, Self::Update) => write!(f, "  {}", paint.yellow('~')),
            (Marks::Indented, Self::Forget) => write!(f, "  {}", paint.red('.')),
            (Marks::Indented, Self::Settle) => write!(f, "  {}", paint.cyan('?')),
            (Marks::Indented, Self::Decide) => write!(f, "  {}", paint.red('!')),
            (Marks::Indented, Self::Blank) => f.write_str("   "),
        }
    }

    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update in-place",
            Self::Forget => "forget",
            Self::Settle => "settle",
            Self::Decide => "needs a decision",
            Self::Blank => "",
        }
    }
}
