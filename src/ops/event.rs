//! What operations tell about their progress; `ui` words it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{ApolloId, ContactKey, Digest, Endpoint, Timestamp};
use crate::quota::Span;
use crate::watcher;

use super::watch::Pass;
use super::{Drift, LoadError, Planned, Problem, Refreshing, Report, Step};

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
    /// Apollo is read, to see how it has the declared contacts; told before it begins.
    Refreshing(Refreshing),
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
    /// Contacts have changed in Apollo; the plan that follows restores what the files say.
    Drifted(Box<Drift>),
    /// Contacts have disappeared from the files; they are forgotten if a pass after this time still does not find them.
    Absent {
        contacts: usize,
        forget_after: Duration,
    },
    /// The plan exceeds limits; nothing was changed.
    Braked {
        problems: Vec<Problem>,
        /// What lets it through.
        digest: Digest,
    },
    Applied(Box<Report>),
    /// The pass is over, and this is what it came to.
    Ended(Pass),
    /// Something about the watching itself that the operator should know.
    Notice(Notice),
}

/// What a service notices or does beside its passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Watcher(watcher::Notice),
    /// Something changed, and nothing further of the plan is sent.
    MadeWay,
    /// A person has let a plan through.
    Approved {
        digest: Digest,
    },
    /// The directory holds no contact file at all, so no contact is forgotten.
    NoFiles {
        dir: PathBuf,
    },
    /// The directory of the state was removed or replaced, and the service has taken its place again.
    PlaceRetaken,
    /// Another process, on whichever machine, has the state; the service waits to take over.
    StandsBy {
        holder: String,
    },
    /// The state is free, and the service goes to work.
    TakesOver,
    /// What kept others from asking the service is over.
    CanBeAsked,
    CredentialChanged,
    Paused,
    Resumed,
}
