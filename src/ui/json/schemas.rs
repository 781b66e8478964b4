//! The schemas of everything that is printed as JSON, and of contact files.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::diagnostic::Validation;
use super::document::PlanDocument;
use super::record::Record;
use super::state::{ContactState, ManagedContact, PulledLine, Version};
use super::status::StatusDocument;
use crate::source;

/// What there is a schema of; `docs/schemas/` holds each by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaName {
    /// One document of a contact file.
    Contacts,
    /// One line of the records.
    Events,
    Plan,
    Validate,
    /// One line of the list.
    StateList,
    StateShow,
    /// One line of what is pulled.
    StatePull,
    Status,
    Version,
}

/// Returns the JSON Schema, draft 2020-12, of what `name` says.
pub fn schema(name: SchemaName) -> Value {
    match name {
        SchemaName::Contacts => source::schema(),
        SchemaName::Events => of::<Record<'_>>(),
        SchemaName::Plan => of::<PlanDocument<'_>>(),
        SchemaName::Validate => of::<Validation>(),
        SchemaName::StateList => of::<ManagedContact<'_>>(),
        SchemaName::StateShow => of::<ContactState<'_>>(),
        SchemaName::StatePull => of::<PulledLine>(),
        SchemaName::Status => of::<StatusDocument>(),
        SchemaName::Version => of::<Version>(),
    }
}

fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}
