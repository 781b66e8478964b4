//! What Apollo lists by name, as one document.

use schemars::JsonSchema;
use serde::Serialize;

use super::versions::{FORMAT_VERSION, PROGRAM_VERSION};
use crate::model::{CustomField, List, NameKind, Names, PicklistOption, Stage};
use crate::ui::lookup_text::{fields, lists};
use crate::ui::time_text;

/// What `lookup --json` prints: of `stages`, `fields` and `lists` the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LookupDocument<'a> {
    /// `MAJOR.MINOR`; a new minor adds keys, a reader must refuse a major that it does not know.
    format_version: &'static str,
    contactsd_version: &'static str,
    /// When Apollo listed them.
    read_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<Vec<StageFacts<'a>>>,
    /// The custom fields of contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Vec<FieldFacts<'a>>>,
    /// The lists of contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    lists: Option<Vec<ListFacts<'a>>>,
}

/// A stage that a contact can be in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct StageFacts<'a> {
    id: &'a str,
    name: &'a str,
}

/// A custom field of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct FieldFacts<'a> {
    /// The bare id, as `typed_custom_fields` takes it.
    id: &'a str,
    label: &'a str,
    /// The type as Apollo names it; null where it does not say.
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    /// The characters that are kept of a text; null where Apollo does not say.
    max_length: Option<usize>,
    /// Whether the value comes from a CRM and cannot be written.
    read_only: bool,
    /// The options of a picklist; null where Apollo shows none.
    options: Option<Vec<OptionFacts<'a>>>,
}

/// One option of a picklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct OptionFacts<'a> {
    id: &'a str,
    label: &'a str,
}

/// A list that contacts can be on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct ListFacts<'a> {
    id: &'a str,
    name: &'a str,
    /// How many records Apollo counts on it, which lags behind; null where it does not say.
    count: Option<u64>,
}

impl<'a> LookupDocument<'a> {
    pub fn new(names: &'a Names, kind: NameKind) -> Self {
        let stages = || names.stages.iter().flat_map(|listing| &listing.items).map(StageFacts::of).collect();
        Self {
            format_version: FORMAT_VERSION,
            contactsd_version: PROGRAM_VERSION,
            read_at: names.read_at(kind).map(time_text),
            stages: (kind == NameKind::Stages).then(stages),
            fields: (kind == NameKind::Fields).then(|| fields(names).into_iter().map(FieldFacts::of).collect()),
            lists: (kind == NameKind::Lists).then(|| lists(names).into_iter().map(ListFacts::of).collect()),
        }
    }
}

impl<'a> StageFacts<'a> {
    fn of(stage: &'a Stage) -> Self {
        Self { id: &stage.id, name: &stage.name }
    }
}

impl<'a> FieldFacts<'a> {
    fn of(field: &'a CustomField) -> Self {
        let CustomField { id, label, modality: _, kind, options, max_length, read_only } = field;
        let option = |option: &'a PicklistOption| OptionFacts { id: &option.id, label: &option.label };
        Self {
            id: id.as_str(),
            label,
            kind: kind.as_deref(),
            max_length: *max_length,
            read_only: *read_only,
            options: options.as_ref().map(|options| options.iter().map(option).collect()),
        }
    }
}

impl<'a> ListFacts<'a> {
    fn of(list: &'a List) -> Self {
        Self { id: &list.id, name: &list.name, count: list.count }
    }
}
