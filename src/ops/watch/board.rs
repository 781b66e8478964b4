//! How a service is doing, for whoever asks: read in a moment, whatever the service is at.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::failing::Failing;
use crate::model::{ContactKey, Digest, Endpoint, Serial, Timestamp};
use crate::ops::ProblemKind;
use crate::plan::Counts;
use crate::quota::Outlook;
use crate::source::{Code, Diagnostic, Severity};

/// Version of [`Status`] as it is written.
const FORMAT: u32 = 2;

/// How many passes are remembered.
pub(super) const REMEMBERED: usize = 60;

/// Where a service notes how it is doing. Clones are handles to the same.
#[derive(Debug, Clone)]
pub struct Board(watch::Sender<Arc<Status>>);

/// How a service is doing. Times are milliseconds since 1970.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub format: u32,
    pub version: String,
    /// The directory as the user named it.
    pub dir: PathBuf,
    pub started_at: Timestamp,
    /// Whether it applies no plan, approved or not.
    #[serde(default)]
    pub only_plans: bool,
    pub phase: Phase,
    /// Whether a pass was good, and nothing since keeps the service from making further ones.
    pub ready: bool,
    /// Passes made.
    pub passes: u64,
    pub last_pass: Option<Pass>,
    /// The last passes, the oldest first; no more than are remembered.
    #[serde(default)]
    pub recent: Arc<VecDeque<Pass>>,
    /// What the files held when they were last read.
    #[serde(default)]
    pub last_load: Option<LastLoad>,
    /// When the last successful pass ended: one that read the files and did what could be done.
    pub last_good_pass: Option<Timestamp>,
    /// The longest that it rests between two passes.
    pub resync: Duration,
    /// When the next pass is due if nothing changes.
    pub next_pass: Option<Timestamp>,
    /// Entries that the files declared when they were last valid.
    pub declared: usize,
    /// Actions that the last plan held and that are not done; the failing are among them.
    pub pending: usize,
    pub failing: Arc<Vec<Failing>>,
    /// Keys that are no longer in the files and not forgotten yet.
    pub waiting: Arc<Vec<Waiting>>,
    pub braked: Option<Braked>,
    /// Who has the state meanwhile, where the service stands by to take over.
    #[serde(default)]
    pub standing_by: Option<StandingBy>,
    /// Since when a person has paused the service.
    pub paused_since: Option<Timestamp>,
    /// What keeps the service as a whole from its work.
    pub trouble: Option<Trouble>,
    /// The account of each kind of request, by window.
    pub quota: BTreeMap<Endpoint, [Outlook; 3]>,
    /// `None` until the state was read.
    pub serial: Option<Serial>,
    pub telling: Telling,
}

/// Whether what the service tells is written. It works on when not.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Lines that were dropped so far.
    pub dropped: u64,
    /// Why the last line was not written, if it was not.
    pub error: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waits for a change or for its time.
    #[default]
    Resting,
    /// Waits for another service, on whichever machine, to give the state up or to be gone.
    StandingBy,
    /// Asks for the state, which another process may have.
    Opening,
    /// Makes a pass.
    Passing,
    /// Has released the state until a person resumes it.
    Paused,
    /// Ends.
    Ending,
}

/// Another process has the state, and this one waits to take over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingBy {
    /// Who it is, in words.
    pub holder: String,
    pub since: Timestamp,
}

/// One pass that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    pub began: Timestamp,
    pub ended: Timestamp,
    pub outcome: Outcome,
    pub done: usize,
    pub failed: usize,
    /// Actions not begun.
    pub remaining: usize,
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing was to be done.
    InStep,
    /// All that could be done is done; single entries may have failed.
    Applied,
    /// Something is to be done, and the service only plans.
    OnlyPlanned,
    /// The rest waits for quota.
    WaitsForQuota,
    /// Made way for the next pass.
    Yielded,
    /// The files cannot be used.
    Refused,
    /// The plan exceeds limits.
    Braked,
    /// Something keeps the service as a whole from its work.
    Troubled,
    /// A signal ended it.
    Interrupted,
}

impl Outcome {
    /// Reports whether the pass did all that could be done.
    pub fn is_good(self) -> bool {
        match self {
            Self::InStep | Self::Applied | Self::OnlyPlanned | Self::WaitsForQuota => true,
            Self::Refused | Self::Braked | Self::Troubled | Self::Yielded | Self::Interrupted => false,
        }
    }
}

/// What the files held when they were read: what is wrong with them, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastLoad {
    pub at: Timestamp,
    /// Why they could not be read at all.
    pub unreadable: Option<String>,
    /// How many mistakes there are of each code; with any, nothing is planned.
    pub errors: BTreeMap<String, usize>,
    pub warnings: BTreeMap<String, usize>,
}

/// A key that is no longer in the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub key: ContactKey,
    pub gone_since: Timestamp,
    /// `None` as long as the directory holds no contact file at all.
    pub forget_at: Option<Timestamp>,
}

/// A plan that exceeds limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Braked {
    /// What approves it.
    pub digest: Digest,
    /// The limits, each with how many of those to be forgotten already are.
    pub reasons: Vec<ProblemKind>,
    pub counts: Counts,
    pub since: Timestamp,
}

/// What keeps the service as a whole from its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub error: ProblemKind,
    pub since: Timestamp,
    /// How often it was met in a row.
    pub attempts: u32,
    pub next_try: Timestamp,
}

impl LastLoad {
    /// Counts what was found in files that were read.
    pub(super) fn of(at: Timestamp, found: &[Diagnostic]) -> Self {
        let (mut errors, mut warnings) = (BTreeMap::new(), BTreeMap::new());
        for Diagnostic { severity, code, findings, .. } in found {
            let counts = if *severity == Severity::Error { &mut errors } else { &mut warnings };
            *counts.entry(code.map(Code::as_str).unwrap_or_default().to_owned()).or_default() += findings;
        }
        Self { at, unreadable: None, errors, warnings }
    }

    pub(super) fn unreadable(at: Timestamp, why: String) -> Self {
        Self { unreadable: Some(why), ..Self::of(at, &[]) }
    }
}

impl Status {
    /// Notes a pass that is over.
    pub(super) fn ended(&mut self, pass: Pass) {
        self.passes += 1;
        let recent = Arc::make_mut(&mut self.recent);
        recent.push_back(pass.clone());
        while recent.len() > REMEMBERED {
            recent.pop_front();
        }
        self.last_pass = Some(pass);
    }
}

impl Board {
    pub fn new(dir: PathBuf, started_at: Timestamp) -> Self {
        Self(watch::Sender::new(Arc::new(Status {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            dir,
            started_at,
            ..Status::default()
        })))
    }

    /// Returns how the service is doing; costs no more than a count.
    pub fn read(&self) -> Arc<Status> {
        Arc::clone(&self.0.borrow())
    }

    /// Lets one wait for changes.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Status>> {
        self.0.subscribe()
    }

    /// Notes how telling goes.
    pub fn note_telling(&self, telling: Telling) {
        if self.0.borrow().telling != telling {
            self.note(|status| status.telling = telling);
        }
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Status)) {
        self.0.send_modify(|status| change(Arc::make_mut(status)));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::source;

    #[test]
    fn the_last_passes_are_remembered_and_no_more() {
        let mut status = Status::default();
        for number in 0..200 {
            let (began, ended) = (Timestamp(number), Timestamp(number + 1));
            status.ended(Pass { began, ended, outcome: Outcome::InStep, done: 0, failed: 0, remaining: 0 });
        }
        assert_eq!((status.passes, status.recent.len()), (200, REMEMBERED));
        assert_eq!(status.recent.back(), status.last_pass.as_ref());
        assert_eq!(status.recent.front().map(|pass| pass.began), Some(Timestamp(140)));
    }

    #[test]
    fn what_is_wrong_with_files_is_counted_by_code() {
        let directory = tempfile::tempdir().unwrap();
        let text = "contacts:\n  ada: {emial: a, titel: b, email: ada@example}\n";
        std::fs::write(directory.path().join("a.yaml"), text).unwrap();
        let (loaded, _) = source::load(Path::new(directory.path()), &source::Options::plain()).unwrap();
        let load = LastLoad::of(Timestamp(7), &loaded.diagnostics);
        assert_eq!((load.errors.get("E011"), load.warnings.get("W108")), (Some(&2), Some(&1)), "{load:?}");
    }
}
