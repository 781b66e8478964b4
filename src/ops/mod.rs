//! What contactsd does: load, plan, apply, settle, watch, and tell what the state holds.
//!
//! Owns the clock, the quota ledgers in memory and the one writer. Knows nothing of command lines and
//! never prints: what happens is told as [`Event`]s, what came of it as a [`Report`].

mod account;
mod answering;
mod apply;
mod by_hand;
mod clock;
pub mod convert;
mod credential;
mod desired;
mod drift;
mod drifted;
mod entropy;
mod event;
mod export;
mod format;
mod generated;
mod health;
mod init;
mod knowledge;
mod loader;
mod lock;
mod mending;
mod names;
mod newest;
mod planning;
mod probe;
mod problem;
mod purge;
mod reading;
mod rebuild;
mod refresh;
mod renewal;
mod report;
mod saved;
mod seen;
mod sees;
mod session;
mod shared_quota;
mod split;
mod stop;
mod sweep;
mod targeting;
#[cfg(test)]
mod tests;
mod transfer;
mod under_way;
mod viewer;
pub mod watch;
mod why;

pub use answering::Beside;
pub use apply::outcome::confirm::{Deviation, DeviationKind};
pub use apply::{apply, apply_as};
pub use by_hand::{check_decisions, plan_import, plan_removal, plan_rename};
pub use clock::Clock;
pub use credential::{CredentialSource, SessionError};
pub use desired::{Desired, LoadError};
pub use drift::{DriftError, Found, as_found, drift, drift_and_new, keep};
pub use drifted::{Drift, DriftChange, Drifted, FieldDrift, Refreshing};
pub use entropy::Entropy;
pub use event::{Event, Notice, PassEvent};
pub use export::{Current, Export, ExportError, Into as ExportInto, Missing, Omission, Selection, current};
pub use format::{FormatError, replace};
pub use generated::{Placed, Placing};
pub use health::{Health, Readiness};
pub use init::{Init, InitError, Laid, LaidOutcome, Part as LaidPart, Pipeline, has_pipeline, init};
pub use loader::{Checked, Loader, load};
pub use lock::{HeldUp, Waiting};
pub use mending::{BesideFault, StateCheck, check_state, examine};
pub use names::{NamesError, kept_names};
pub use planning::{Forecast, Planned, plan, plan_beside};
pub use probe::{
    Fact, Finding, MOST_CONTACTS, ProbeReport, ProbeTarget, Question, Reading as ProbeReading, Scope, Unknown, probe,
    probe_target,
};
pub use problem::{Cause, Fault, NotThere, Problem, ProblemKind, Unseen, chain};
pub use purge::{Traces, purge};
pub use reading::{ReadError, Reading, Want, read};
pub use rebuild::{Left, Pair, Rebuild, WhyOpen};
pub use renewal::renew_index;
pub use report::{Ended, Imported, Report, Step};
pub use saved::{
    MarkError, Origins, Refusal, Remaining, Resumed, SaveError, SavedError, SavedPlan, check_plan, is_plan, read_plan,
    read_plan_from, resume_plan, save_plan, write_plan,
};
pub use session::{Session, SessionOptions, SnapshotError};
pub use split::Split;
pub use stop::Stop;
pub use targeting::{check_scope, nearest_key};
pub use transfer::{hold, pull};
pub use viewer::Viewer;
pub use watch::{Service, WatchOptions, WatchSummary};
pub use why::Why;
