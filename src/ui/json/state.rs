//! What the state knows of contacts, as documents.

use schemars::JsonSchema;
use serde::Serialize;

use super::record::Kept;
use super::step::FoundBy;
use super::values::Values;
use super::versions::{COMMIT, FORMAT_VERSION, PROGRAM_VERSION, TARGET, UI_VERSION};
use crate::model::{Binding, ContactKey, Field, Origin};
use crate::ui::Mask;
use crate::ui::time_text;

/// One managed contact, as `state list --json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ManagedContact<'a> {
    pub key: &'a str,
    /// `contact.KEY`.
    pub address: String,
    /// Apollo's id of the contact.
    pub apollo_id: &'a str,
    /// How the key came by its contact.
    pub origin: OriginName,
    /// How a contact was found that Apollo had before; absent of any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_by: Option<FoundBy>,
}

impl<'a> ManagedContact<'a> {
    pub fn new(key: &'a ContactKey, binding: &'a Binding) -> Self {
        let Binding { apollo_id, origin, .. } = binding;
        Self {
            key: key.as_str(),
            address: key.address(),
            apollo_id: apollo_id.as_str(),
            origin: origin.into(),
            found_by: origin.is_imported().then(|| origin.into()),
        }
    }
}

/// What `state check --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateCheckDocument {
    /// Whether nothing is wrong.
    pub whole: bool,
    /// Counts the writes of the state that change what is managed.
    pub serial: u64,
    /// How many contacts the state manages.
    pub contacts: u64,
    pub faults: Vec<StateFault>,
    /// Damaged parts of earlier times that are kept beside the state.
    pub set_aside: Vec<Kept>,
}

/// Something that is wrong with a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateFault {
    pub part: StatePart,
    /// In words; they may change.
    pub message: String,
}

/// A part of a state, or what stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatePart {
    Head,
    Database,
    Copy,
    Index,
    Files,
}

/// Everything that is known of one contact, as `state show --json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContactState<'a> {
    #[serde(flatten)]
    pub contact: ManagedContact<'a>,
    /// The declared fields that Apollo is known to hold.
    pub applied: Values<'a>,
    /// The declared fields as Apollo last answered them, where an answer shows them.
    pub observed: Values<'a>,
    pub bound_at: String,
    pub applied_at: String,
    /// The file the entry stood in when it was last applied.
    pub source: &'a str,
    /// Whether everything that was declared then is confirmed.
    pub complete: bool,
    /// When Apollo said that the contact is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<String>,
    /// The names of fields that were sent and that Apollo did not keep.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
}

/// How a key came by its contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OriginName {
    /// Our create made it.
    Created,
    /// Our create was answered with a contact that was there before.
    Matched,
    /// It was named by its id.
    Adopted,
    /// It was found after a create without an answer.
    Settled,
    /// The key came back and was bound to the contact it had.
    Restored,
}

impl From<&Origin> for OriginName {
    fn from(origin: &Origin) -> Self {
        match origin {
            Origin::Created => Self::Created,
            Origin::Matched(_) => Self::Matched,
            Origin::Adopted => Self::Adopted,
            Origin::Settled => Self::Settled,
            Origin::Restored => Self::Restored,
        }
    }
}

impl<'a> ContactState<'a> {
    pub fn new(key: &'a ContactKey, binding: &'a Binding, mask: Mask) -> Self {
        let Binding { applied, observed, bound_at, applied_at, .. } = binding;
        Self {
            contact: ManagedContact::new(key, binding),
            applied: Values::new(None, applied.clone(), mask),
            observed: Values::new(None, observed.clone(), mask),
            bound_at: time_text(*bound_at),
            applied_at: time_text(*applied_at),
            source: &binding.path,
            complete: binding.fingerprint.is_some(),
            gone_at: binding.gone_at.map(time_text),
            dropped: binding.dropped.iter().map(Field::to_string).collect(),
        }
    }
}

/// One line of what `state pull` prints: the first tells which state it is, the last that it is whole.
///
/// Only the form is told here; the store writes the lines.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "a schema is all that is made of it")]
pub(super) enum PulledLine {
    First {
        /// `MAJOR.MINOR`; a reader must refuse a major that it does not know.
        format_version: String,
        /// Format of the values.
        state_format: u32,
        /// The id of the state's life.
        lineage: String,
        /// Counts the writes of the state that change what is managed.
        serial: u64,
        /// The highest number an intent was written with.
        last_intent: u64,
        /// The API whose contacts these are.
        origin: String,
        /// The key under which identities of forgotten contacts are hashed.
        identity_key: serde_json::Value,
    },
    Row {
        /// The table and what identifies the row there, such as `b/ada`.
        key: String,
        value: serde_json::Value,
    },
    Last {
        /// How many rows there were.
        rows: u64,
        /// BLAKE3 of all bytes before this line, in hexadecimal.
        checksum: String,
    },
}

/// Which program it is, as `version --json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Version {
    pub contactsd_version: &'static str,
    /// The commit that it was built from, in short; missing where the build did not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<&'static str>,
    /// The kind of machine that it was built for, as Rust calls it.
    pub target: &'static str,
    /// The version of the records.
    pub ui: &'static str,
    /// The version of documents.
    pub format_version: &'static str,
}

impl Version {
    pub const CURRENT: Self = Self {
        contactsd_version: PROGRAM_VERSION,
        commit: COMMIT,
        target: TARGET,
        ui: UI_VERSION,
        format_version: FORMAT_VERSION,
    };
}
