//! The lines of a plan file. Its own types, so that a change of the program cannot change the file unseen.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::super::Forecast;
use crate::model::{Digest, Field, Glossary, Lineage, Place, RunId, Serial, Timestamp};
use crate::plan::{Action, Brake, Counts, Housekeeping, Policy};

/// Version of the format that this program writes, and the newest it reads.
pub(super) const FORMAT: u32 = 1;

/// The first line: everything about the plan but its actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u32,
    /// The version of contactsd that wrote it.
    pub(super) contactsd: String,
    pub(super) digest: Digest,
    /// Whether a person must decide before anything can be applied.
    pub(super) errored: bool,
    pub(super) origin: String,
    /// `None` when there was no state yet.
    pub(super) lineage: Option<Lineage>,
    pub(super) serial: Serial,
    pub(super) files: Files,
    pub(super) policy: Policy,
    pub(super) brakes: Vec<Brake>,
    pub(super) counts: Counts,
    pub(super) unchanged: usize,
    pub(super) forecast: Forecast,
    /// What ids in the plan stand for.
    #[serde(default, skip_serializing_if = "Glossary::is_empty")]
    pub(super) names: Glossary,
}

/// The contact files that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Files {
    pub(super) count: usize,
    /// 64 hexadecimal digits.
    pub(super) digest: String,
}

/// The last line of the plan; what was done with it may follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// How many actions the file holds.
    pub(super) actions: usize,
    /// BLAKE3 of every byte before this line, 64 hexadecimal digits.
    pub(super) blake3: String,
}

/// A line that is added to a plan file as the plan is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// Written before anything is sent.
    Begun(MarkedBy),
    /// Written when every action is done.
    Spent(MarkedBy),
}

/// Who applied a plan, when, and to which state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MarkedBy {
    pub(super) lineage: Lineage,
    pub(super) run: RunId,
    /// In milliseconds since 1970.
    pub(super) at: Timestamp,
}

impl Mark {
    /// Returns the state that the plan was applied to.
    pub(super) fn lineage(&self) -> &Lineage {
        match self {
            Self::Begun(by) | Self::Spent(by) => &by.lineage,
        }
    }
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    Plan(Box<Header>),
    Action(Cow<'a, Action>),
    Dropped { place: Cow<'a, Place>, field: Cow<'a, Field> },
    Housekeeping(Cow<'a, Housekeeping>),
    End(End),
}

/// The part of the first line that every format has.
#[derive(Debug, Deserialize)]
pub(super) struct AnyFirstLine {
    pub(super) plan: AnyHeader,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnyHeader {
    pub(super) format: u32,
    #[serde(default)]
    pub(super) contactsd: String,
}
