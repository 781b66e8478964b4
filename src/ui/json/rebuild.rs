//! What `state rebuild` found and did.

use schemars::JsonSchema;
use serde::Serialize;

use super::step::{FoundBy, StepOutcome};

/// Which entries are which contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateRebuild {
    pub outcome: StepOutcome,
    /// How many entries the state has bound already.
    pub bound_before: usize,
    /// The entries that are bound now, or are about to be, sorted by key.
    pub bound: Vec<RebuiltEntry>,
    /// The entries that are not, sorted by key.
    pub open: Vec<OpenEntry>,
}

/// An entry with its contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RebuiltEntry {
    pub key: String,
    /// `contact.KEY`.
    pub address: String,
    /// Apollo's id of the contact.
    pub apollo_id: String,
    pub found_by: FoundBy,
    /// The declared fields that Apollo does not show as declared; the next apply sends them.
    pub differ: Vec<String>,
}

/// An entry that is not bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenEntry {
    pub key: String,
    /// `contact.KEY`.
    pub address: String,
    pub reason: OpenReason,
    /// The contacts that it is about.
    pub apollo_ids: Vec<String>,
}

/// Why an entry is not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpenReason {
    /// Nobody in Apollo is like it; the next apply creates it.
    Nobody,
    /// Nobody is it for certain; these have its name or its e-mail.
    Similar,
    /// Each of these could be it.
    Several,
    /// The contact could be that of other entries as well.
    Shared,
    /// The contact belongs to another entry.
    Owned,
    /// There is one of its name, and nothing more that tells.
    NameAlone,
    /// Not everybody in the account could be read.
    NotEverybody,
    /// The contact that it names does not exist.
    Gone,
    /// The contact that it names was merged into another one, the second of these.
    Merged,
    /// The contact that it names was not seen.
    Unseen,
    /// It waits for a decision, or a request for it was not answered.
    Waits,
    /// It was forgotten or renamed: the next apply binds it to the contact that it had.
    Returns,
}
