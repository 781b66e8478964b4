//! Words that several records and documents share: how far a step has come, and how a contact was found.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{MatchedBy, Origin, RebuiltBy};

/// How far something has come that is approved first.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It is about to be done.
    Planned,
    /// It is done.
    Done,
    /// There was nothing to do.
    #[default]
    Unchanged,
}

/// How an imported contact was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// It has the e-mail of the entry.
    Email,
    /// Apollo matched a create to it, which wrote to it unseen.
    Apollo,
    /// Apollo matched one of the creates of a batch to it, which by its page leaves it as it was.
    Batch,
    /// The entry, or a person, names its id.
    Id,
    /// The key had it before it was forgotten.
    Memory,
    /// Somebody looked what became of a create without an answer.
    Settling,
    /// It is the only one of its name at the company, or with a shared e-mail, when a lost state was built again.
    Names,
    /// Of those of the name it is the only one that shows what the entry declares, when a lost state was built again.
    Fields,
}

impl From<RebuiltBy> for FoundBy {
    fn from(by: RebuiltBy) -> Self {
        match by {
            RebuiltBy::Id => Self::Id,
            RebuiltBy::Email => Self::Email,
            RebuiltBy::Names => Self::Names,
            RebuiltBy::Fields => Self::Fields,
        }
    }
}

impl From<&Origin> for FoundBy {
    fn from(origin: &Origin) -> Self {
        match origin {
            Origin::Matched(MatchedBy::LookUp) => Self::Email,
            Origin::Matched(MatchedBy::DedupeResult(_) | MatchedBy::WasExisting | MatchedBy::CreationTime)
            | Origin::Created => Self::Apollo,
            Origin::Matched(MatchedBy::BulkCreate) => Self::Batch,
            Origin::Matched(MatchedBy::Rebuilt(by)) => (*by).into(),
            Origin::Adopted => Self::Id,
            Origin::Restored => Self::Memory,
            Origin::Settled => Self::Settling,
        }
    }
}
