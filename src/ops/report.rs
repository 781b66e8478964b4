//! What an apply did, and why it ended.

use std::time::Duration;

use crate::model::{ContactKey, Endpoint, Origin};
use crate::plan::{Action, Change, Operation};

use super::ProblemKind;

/// What a step does to its contact; one action may take several steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Create,
    Import,
    Update,
    Move,
    Restore,
    Release,
    Forget,
    Settle,
}

/// A contact that Apollo had and that is managed now, with what was written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// An update, from what Apollo held to what is declared; without changes where nothing was written.
    pub action: Action,
    /// How it was found.
    pub origin: Origin,
}

impl Imported {
    /// Lists the fields that were written; what Apollo held before is not always known.
    pub fn changes(&self) -> &[Change] {
        match &self.action.operation {
            Operation::Update { changes, .. } => changes,
            _ => &[],
        }
    }
}

/// What an apply did, true whether it ended early or not.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Contacts that Apollo had and that are managed now: adopted, matched or restored.
    pub imported: usize,
    pub added: usize,
    /// Updates of contacts that were managed before; see [`Report::updated`] for all whose fields were written.
    pub changed: usize,
    /// How many of the imported contacts had fields written.
    pub changed_imports: usize,
    pub forgotten: usize,
    pub moved: usize,
    pub released: usize,
    /// Creates of unknown outcome that are known now, whatever came of them.
    pub settled: usize,
    pub failed: usize,
    /// Actions not begun, because the run ended before their turn.
    pub remaining: usize,
    /// The contacts that were imported, sorted by key.
    pub imports: Vec<Imported>,
    /// The entries that failed for a reason of their own, each with the reason.
    pub failures: Vec<(ContactKey, ProblemKind)>,
    /// What any entry would have met: Apollo cannot be reached, or a scope is missing.
    pub obstacle: Option<ProblemKind>,
    pub ended: Ended,
}

impl Ended {
    /// Reports whether `watch` goes on after this.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Complete | Self::Fatal | Self::Yielded | Self::QuotaExhausted { .. } | Self::Outage { .. } => true,
            Self::Interrupted | Self::Terminated => false,
        }
    }
}

impl Report {
    /// Adds the counts of another report; what failed there, who was imported, and how it ended, is not taken over.
    pub fn add(&mut self, other: &Self) {
        let Self { imported, added, changed, changed_imports, forgotten, moved, released, settled, .. } = other;
        let Self { failed, remaining, .. } = other;
        self.changed_imports += changed_imports;
        self.imported += imported;
        self.added += added;
        self.changed += changed;
        self.forgotten += forgotten;
        self.moved += moved;
        self.released += released;
        self.settled += settled;
        self.failed += failed;
        self.remaining += remaining;
    }

    /// Reports whether everything that was planned is done.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.remaining == 0 && self.ended == Ended::Complete
    }

    /// Returns how many contacts had fields written that were there before, imported ones included, as Terraform counts
    /// a resource that is imported and changed.
    pub fn updated(&self) -> usize {
        self.changed + self.changed_imports
    }

    /// Returns how many actions were carried out.
    pub fn done(&self) -> usize {
        self.imported + self.added + self.changed + self.forgotten + self.moved + self.released + self.settled
    }
}

/// Why an apply came to its end.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Ended {
    #[default]
    Complete,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// Nothing further could be done, for example because the credential was refused.
    Fatal,
    /// A pass of `watch` made way for the next one: something changed, or somebody asked.
    Yielded,
    /// The next quota window is further away than is waited for.
    QuotaExhausted { endpoint: Endpoint, wait: Duration },
    /// Requests of this action failed for longer than is waited for.
    Outage {
        endpoint: Endpoint,
        /// Whether no connection could be made.
        unreachable: bool,
        lasted: Duration,
        /// How long until it is worth another try.
        wait: Duration,
    },
}
