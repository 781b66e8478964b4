//! The records of `--json`: one struct a message, told apart by `type`, as Terraform's are where it has them.

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{ActionName, PlannedChange, Resource};
use super::convert::{ConvertFile, ConvertRow, ConvertSummary, ConvertTable};
use super::diagnostic::{Diagnostic, Weight};
use super::drift::DriftedContact;
use super::rebuild::StateRebuild;
use super::step::{FoundBy, StepOutcome};
use super::summary::{Changes, Forecast, Outcome, PlanFacts};
use super::versions::{PROGRAM_VERSION, UI_VERSION};
use crate::model::{ApolloId, ContactKey, Endpoint};
use crate::plan::Brake;
use crate::source;

/// One line of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Record<'a> {
    #[serde(rename = "@level")]
    pub level: Level,
    /// The same in words; they may change, so no program should read them.
    #[serde(rename = "@message")]
    pub message: String,
    #[serde(rename = "@module")]
    pub module: &'static str,
    /// When it was written, in UTC; only where something is done and not merely looked at, so that the
    /// same plan is the same bytes.
    #[serde(rename = "@timestamp", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    #[serde(flatten)]
    pub payload: Payload<'a>,
}

/// How much a record weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// What a record tells, by its `type`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Payload<'a> {
    /// The first line: who speaks, in which version of the records.
    Version { contactsd: &'static str, ui: &'static str },
    /// A warning or an error.
    Diagnostic { diagnostic: Diagnostic },
    /// A contact that has changed in Apollo since it was applied; before the plan that restores it.
    ResourceDrift { drift: Box<DriftedContact<'a>> },
    /// One action of a plan.
    PlannedChange { change: PlannedChange<'a> },
    /// A limit that the plan passes.
    Brake { brake: Brake },
    /// What applying the plan takes.
    Forecast { forecast: Forecast },
    /// The counts of a plan, or of what an apply did.
    ChangeSummary {
        changes: Changes,
        /// Of a plan.
        #[serde(skip_serializing_if = "Option::is_none")]
        plan: Option<PlanFacts>,
        /// Of an apply.
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<Outcome>,
    },
    /// An action begins.
    ApplyStart { hook: Hook },
    /// An action goes on, every 10 seconds.
    ApplyProgress { hook: Hook },
    /// An action is done and recorded.
    ApplyComplete { hook: Hook },
    /// An action failed; a `diagnostic` before it says why.
    ApplyErrored { hook: Hook },
    /// A contact that Apollo had is managed now; after the apply, before its counts.
    Imported {
        /// What was written to it, from what Apollo held to what is declared.
        change: PlannedChange<'a>,
        found_by: FoundBy,
    },
    /// Requests wait for their quota window.
    QuotaWait { quota: QuotaWait },
    /// Requests of one kind fail, one after the other, and are tried ever less often; told again at each try that failed.
    Outage { outage: OutageFacts },
    /// Requests of this kind are answered again.
    OutageOver { outage: OutageOver },
    /// Another process has the state; it is waited for.
    StateLockAcquire,
    /// What was done in a pass of `watch`, or why nothing was.
    Pass { pass: Pass },
    /// What a watch did in all its passes; its last record.
    WatchSummary {
        passes: usize,
        changes: Changes,
        /// Actions that failed, tried again ones included.
        failed: usize,
    },
    /// `state push` is about to replace the state, has replaced it, or had nothing to do.
    StatePush { push: StatePush },
    /// `state recover` is about to build the state again, has done so, or had nothing to do.
    StateRecovery { recovery: StateRecovery },
    /// `state rebuild` is about to bind entries to contacts, has done so, or found none to bind.
    StateRebuild { rebuild: StateRebuild },
    /// `state clean` is about to remove what was moved out of the way, has done so, or had nothing to do.
    StateClean { clean: StateClean },
    /// What became of a file that `init` lays out.
    File { file: LaidFile },
    /// A table that `convert` reads.
    ConvertTable { table: ConvertTable },
    /// A row that became no entry, or of which there is something to say.
    ConvertRow { row: ConvertRow },
    /// A file that contacts of tables go into.
    ConvertFile { file: ConvertFile },
    /// What became of all rows; the last record of `convert`.
    ConvertSummary { summary: ConvertSummary },
    /// The stand-in for Apollo listens.
    Sandbox {
        /// Where its API is.
        base_url: String,
        /// Where its contacts are kept.
        data: String,
        /// The file that holds the key it answers to.
        key_file: String,
    },
    /// A result that has no structure, such as a help text; it stands in `@message`.
    Output,
    /// How the work goes on; it stands in `@message`.
    Log,
}

/// One step of an apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hook {
    pub resource: Resource,
    pub action: ActionName,
    /// `id`, where the contact's id is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_key: Option<&'static str>,
    /// Apollo's id of the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_value: Option<String>,
    /// Since the action began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_seconds: Option<u64>,
}

/// What a push does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatePush {
    pub outcome: PushOutcome,
    /// The state that is there, or was; null when there is none.
    pub current: Option<PushedState>,
    /// The one that takes its place.
    pub pushed: PushedState,
}

/// How far a push has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushOutcome {
    /// It is about to be done.
    Planned,
    /// It is done.
    Replaced,
    /// The state holds exactly this already.
    Unchanged,
}

/// A state in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PushedState {
    /// The id of the state's life.
    pub lineage: String,
    /// Counts the writes of the state that change what is managed.
    pub serial: u64,
    /// How many contacts it manages.
    pub contacts: u64,
}

/// What a recovery does.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateRecovery {
    pub outcome: StepOutcome,
    /// How far the state had come; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<PointFacts>,
    /// What the database still holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<LeftFacts>,
    /// What the copy still holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<LeftFacts>,
    /// The keys that the new state will manage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The new state, once it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<PointFacts>,
}

/// A moment in the life of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PointFacts {
    /// Counts the writes of the state.
    pub commit: u64,
    /// Counts those that change what is managed.
    pub serial: u64,
    pub contacts: u64,
}

/// What a part of a state still holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftFacts {
    /// The moment up to which it holds everything; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PointFacts>,
    pub contacts: u64,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What a cleaning removes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateClean {
    pub outcome: StepOutcome,
    pub set_aside: Vec<Kept>,
}

/// A damaged part that is kept beside the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Kept {
    /// As it is called in the directory of the state.
    pub name: String,
    pub bytes: u64,
}

/// A file or directory that `init` lays out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LaidFile {
    /// As seen from the working directory, or as it was named.
    pub path: String,
    pub outcome: LaidOutcome,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaidOutcome {
    /// It was missing and was made.
    Made,
    /// It was there, and a line was added.
    Extended,
    /// It is what would have been made.
    Unchanged,
    /// It is something else and stays as it is.
    Kept,
    /// A directory that has contact files, so that no example was added.
    InUse,
}

/// A wait for quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotaWait {
    pub endpoint: Endpoint,
    /// The window that is used up: `minute`, `hour` or `day`; absent where Apollo asked for a pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<&'static str>,
    pub seconds: u64,
}

/// Requests that fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutageFacts {
    pub endpoint: Endpoint,
    /// The status of the last answer; absent where none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long until the next one is sent.
    pub seconds: u64,
}

/// Requests that are answered again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutageOver {
    pub endpoint: Endpoint,
    /// How long they failed.
    pub seconds: u64,
}

/// What happened in a pass of a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Pass {
    /// The files cannot be used; nothing was changed. Diagnostics before it say why.
    Refused,
    /// A plan was made; its records follow, unless there is nothing to do again.
    Planned,
    /// Contacts have disappeared from the files; they are forgotten if still gone after this time.
    Absent { contacts: usize, forget_after_seconds: u64 },
    /// The plan exceeds limits; nothing was changed. Diagnostics after it say which.
    Braked,
    /// The plan was carried out; a `change_summary` follows.
    Applied,
}

impl Record<'_> {
    pub(in crate::ui) fn info(message: impl Into<String>, payload: Payload<'_>) -> Record<'_> {
        Record { level: Level::Info, message: message.into(), module: "contactsd.ui", timestamp: None, payload }
    }

    /// Says who speaks.
    pub(in crate::ui) fn version() -> Self {
        let message = format!("contactsd {PROGRAM_VERSION}");
        Record::info(message, Payload::Version { contactsd: PROGRAM_VERSION, ui: UI_VERSION })
    }

    /// Tells how the work goes on.
    pub fn log(message: impl Into<String>) -> Self {
        Record::info(message, Payload::Log)
    }

    /// Gives a result that has no structure.
    pub fn output(message: impl Into<String>) -> Self {
        Record::info(message, Payload::Output)
    }

    pub fn diagnostic(message: &source::Diagnostic) -> Self {
        let diagnostic = Diagnostic::from(message);
        let (label, level) = match diagnostic.severity {
            Weight::Error => ("Error", Level::Error),
            Weight::Warning => ("Warning", Level::Warn),
        };
        let message = format!("{label}: {}", diagnostic.summary);
        Record { level, ..Record::info(message, Payload::Diagnostic { diagnostic }) }
    }

    /// Tells that another process is waited for.
    pub fn state_lock_acquire(message: impl Into<String>) -> Self {
        Record::info(message, Payload::StateLockAcquire)
    }

    /// Tells what a push does.
    pub(in crate::ui) fn state_push(message: impl Into<String>, push: StatePush) -> Self {
        Record::info(message, Payload::StatePush { push })
    }

    /// Tells where the stand-in for Apollo listens.
    pub(in crate::ui) fn state_recovery(message: impl Into<String>, recovery: StateRecovery) -> Self {
        Self::info(message, Payload::StateRecovery { recovery })
    }

    /// Tells what became of a file.
    pub(in crate::ui) fn file(message: impl Into<String>, file: LaidFile) -> Self {
        Self::info(message, Payload::File { file })
    }

    pub(in crate::ui) fn state_rebuild(message: impl Into<String>, rebuild: StateRebuild) -> Self {
        Self::info(message, Payload::StateRebuild { rebuild })
    }

    pub(in crate::ui) fn state_clean(message: impl Into<String>, clean: StateClean) -> Self {
        Self::info(message, Payload::StateClean { clean })
    }

    pub fn sandbox(base_url: &str, data: &std::path::Path, key_file: &std::path::Path) -> Self {
        let text = format!("Sandbox: a stand-in for Apollo at {base_url}");
        let [data, key_file] = [data, key_file].map(|path| path.to_string_lossy().into_owned());
        Record::info(text, Payload::Sandbox { base_url: base_url.to_owned(), data, key_file })
    }

    pub fn convert_table(message: impl Into<String>, table: ConvertTable) -> Self {
        Record::info(message, Payload::ConvertTable { table })
    }

    pub fn convert_row(row: ConvertRow) -> Self {
        let message = format!("{}:{}: {}: {}", row.file, row.line, row.outcome.as_str(), row.reasons.join("; "));
        Record::info(message, Payload::ConvertRow { row })
    }

    pub fn convert_file(message: impl Into<String>, file: ConvertFile) -> Self {
        Record::info(message, Payload::ConvertFile { file })
    }

    pub fn convert_summary(message: impl Into<String>, summary: ConvertSummary) -> Self {
        Record::info(message, Payload::ConvertSummary { summary })
    }

    /// Reports whether it is a result, a warning or an error, which stay when nothing else is wanted.
    pub(in crate::ui) fn stays_when_quiet(&self) -> bool {
        !matches!(
            self.payload,
            Payload::Log
                | Payload::ApplyStart { .. }
                | Payload::ApplyProgress { .. }
                | Payload::QuotaWait { .. }
                | Payload::Outage { .. }
                | Payload::OutageOver { .. }
        )
    }
}

impl Hook {
    pub(super) fn new(key: &ContactKey, action: ActionName, id: Option<&ApolloId>) -> Self {
        Self {
            resource: Resource::of(key),
            action,
            id_key: id.map(|_| "id"),
            id_value: id.map(ToString::to_string),
            elapsed_seconds: None,
        }
    }
}
