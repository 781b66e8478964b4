//! What operations tell about their progress and their end; `ui` words it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{ApolloId, ContactKey, Digest, Endpoint, Origin, Timestamp};
use crate::plan::{Action, Change, Operation};
use crate::quota::Span;
use crate::source::{Code, Location, Severity};

use super::watch::Pass;
use super::{LoadError, Planned};

/// Something that happened during an apply or a watch, in the order it happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The actions begin; how many there are.
    Begun {
        actions: usize,
    },
    Started {
        key: ContactKey,
        step: Step,
        id: Option<ApolloId>,
    },
    /// Sent every 10 s while the step runs.
    StillRunning {
        key: ContactKey,
        step: Step,
        id: Option<ApolloId>,
        elapsed: Duration,
    },
    /// The step is done and recorded durably.
    Finished {
        key: ContactKey,
        step: Step,
        id: Option<ApolloId>,
        elapsed: Duration,
    },
    /// The step failed, or its outcome is unknown; a problem told before says why.
    Failed {
        key: ContactKey,
        step: Step,
        elapsed: Duration,
    },
    Problem(Problem),
    /// One attempt of a request came to its end.
    Answered {
        endpoint: Endpoint,
        /// The status of the answer; `None` when none came.
        status: Option<u16>,
        elapsed: Duration,
    },
    /// Requests of this action wait for their quota window. Told once for all that wait together.
    WaitingForQuota {
        endpoint: Endpoint,
        /// The window that is used up; `None` where Apollo asked for a pause.
        window: Option<Span>,
        wait: Duration,
        /// When they go on.
        until: Timestamp,
    },
    /// Requests of this action fail, one after the other: one at a time is tried, ever less often.
    Outage {
        endpoint: Endpoint,
        /// The status of the last answer; `None` when none came.
        status: Option<u16>,
        /// How long until the next one is sent, and when that is.
        wait: Duration,
        until: Timestamp,
        /// When the outage is no longer waited for; `None` when it is for as long as it takes.
        ends_at: Option<Timestamp>,
        /// Whether it was not told before; afterwards, each try that failed is told.
        is_first: bool,
    },
    /// An outage is over, and all requests of this action go on.
    OutageOver {
        endpoint: Endpoint,
        lasted: Duration,
    },
    /// Quota that Apollo says is left for creates or updates, for the progress line.
    QuotaLeft {
        endpoint: Endpoint,
        left: u64,
    },
    /// Sent about once a second: the time since `Begun`, and how many whole actions ended well or not.
    Tick {
        elapsed: Duration,
        done: usize,
        failed: usize,
        now: Timestamp,
        /// How long the rest takes: what the quota windows allow, or the pace so far where that is slower.
        left: Option<Duration>,
    },
    /// Apollo refused the credential, and another one of the same team has taken its place.
    CredentialRenewed,
    /// A signal was seen: no further request starts.
    Stopping,
    /// What `watch` does around its applies.
    Pass(PassEvent),
}

/// Something that happened in one pass of a watch.
#[derive(Debug, Clone)]
pub enum PassEvent {
    /// The files cannot be used; nothing was changed.
    Refused(Arc<LoadError>),
    Planned(Box<Planned>),
    /// Contacts are newly gone from the files; they are forgotten when a pass after this time misses them still.
    Absent {
        contacts: usize,
        forget_after: Duration,
    },
    /// The plan passes limits; nothing was changed.
    Braked {
        problems: Vec<Problem>,
        /// What lets it through.
        digest: Digest,
    },
    Applied(Box<Report>),
    /// The pass is over, and this is what it came to.
    Ended(Pass),
    /// Something about the watching itself that the operator should know.
    Notice(String),
}

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

/// Something a person should know, with where and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// One line: what happened.
    pub summary: String,
    /// Why, and what to do next. May have several lines.
    pub detail: String,
    pub key: Option<ContactKey>,
    /// The line of a contact file it concerns.
    pub location: Option<Location>,
    /// The file it concerns, where no line is known.
    pub path: Option<PathBuf>,
    /// The code of its page in `docs/errors/`, for mistakes in contact files.
    pub code: Option<Code>,
    /// Further places, each with what stands there.
    pub related: Vec<(String, Location)>,
    /// The part of `detail` that is Apollo's own words, which may repeat values of the entry.
    pub said: Option<String>,
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
    /// The entries that failed for a reason of their own, each with the reason in one line.
    pub failures: Vec<(ContactKey, String)>,
    /// What any entry would have met, in one line: Apollo cannot be reached, or a scope is missing.
    pub obstacle: Option<String>,
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
    /// The next quota window is further away than `--max-wait` allows.
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
