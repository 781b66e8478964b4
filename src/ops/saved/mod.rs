//! Plans in files: written to be reviewed or carried elsewhere, read back whole or not at all.
//!
//! A file is a stream of JSON lines with a checksum at its end; `docs/plan-file.md` draws it. It decides
//! nothing: whether a plan that was read may still be applied is up to its caller and the state.

mod format;
mod mark;
pub(super) mod progress;
mod read;
mod resume;
#[cfg(test)]
mod tests;
mod write;

use std::path::PathBuf;

use format::Mark;
pub use mark::MarkError;
pub use read::{SavedError, is_plan, read_plan, read_plan_from};
pub use resume::{Refusal, Remaining, Resumed, check_plan, resume_plan};
pub use write::{SaveError, save_plan, write_plan};

use super::{Desired, Planned};
use crate::model::Digest;
use crate::plan::Policy;

/// What a plan file says beside the plan itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    /// The origin of the API that the plan is for.
    pub api: String,
    /// Hash over all contact files it was made from.
    pub files: [u8; 32],
    /// How many files those are.
    pub file_count: usize,
    /// What the person planning had allowed.
    pub policy: Policy,
}

impl Origins {
    pub fn new(api: String, desired: &Desired, policy: Policy) -> Self {
        Self { api, files: desired.digest, file_count: desired.files(), policy }
    }
}

/// A plan as it was read from a file.
#[derive(Debug, Clone)]
pub struct SavedPlan {
    /// What messages call it: its path, where it is a file.
    pub path: PathBuf,
    /// Whether it was read from the file at `path`, where it can be marked.
    pub is_file: bool,
    pub planned: Planned,
    pub origins: Origins,
    /// What was done with the file, in that order.
    marks: Vec<Mark>,
}

impl SavedPlan {
    /// Returns what names this plan.
    pub fn digest(&self) -> &Digest {
        self.planned.digest.as_ref().expect("a plan is saved with its digest")
    }

    /// Reports whether the plan failed: somebody has to decide before it could be applied.
    pub fn is_errored(&self) -> bool {
        is_errored(&self.planned)
    }
}

fn is_errored(planned: &Planned) -> bool {
    planned.plan.counts().undecided > 0
}
