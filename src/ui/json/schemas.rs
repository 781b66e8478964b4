//! The schemas of everything that is printed as JSON, and of contact files.

use clap::ValueEnum;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::diagnostic::Validation;
use super::document::PlanDocument;
use super::drift::DriftDocument;
use super::lookup::LookupDocument;
use super::probe::ProbeDocument;
use super::record::Record;
use super::state::{ContactState, ManagedContact, PulledLine, StateCheckDocument, Version};
use super::status::StatusDocument;
use super::why::WhyDocument;
use crate::source;

/// What there is a schema of, in the words of the help; `docs/schemas/` holds each by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaName {
    /// One document of a contact file, for editors that complete and check
    Contacts,
    /// One line of plan, apply, import, watch and sandbox with --json
    Events,
    /// A plan as one document
    Plan,
    /// What drift --json prints
    Drift,
    /// What validate --json prints
    Validate,
    /// One line of state list --json
    StateList,
    /// What state show --json prints
    StateShow,
    /// One line of what state pull prints
    StatePull,
    /// What state check --json prints
    StateCheck,
    /// What status --json prints, and /status of watch --listen
    Status,
    /// What lookup --json prints
    Lookup,
    /// What probe --json prints
    Probe,
    /// What why --json prints
    Why,
    /// What version --json prints
    Version,
}

/// Returns the JSON Schema, draft 2020-12, of what `name` says.
pub fn schema(name: SchemaName) -> Value {
    match name {
        SchemaName::Contacts => source::schema(),
        SchemaName::Events => of::<Record<'_>>(),
        SchemaName::Plan => of::<PlanDocument<'_>>(),
        SchemaName::Drift => of::<DriftDocument<'_>>(),
        SchemaName::Validate => of::<Validation>(),
        SchemaName::StateList => of::<ManagedContact<'_>>(),
        SchemaName::StateShow => of::<ContactState<'_>>(),
        SchemaName::StatePull => of::<PulledLine>(),
        SchemaName::StateCheck => of::<StateCheckDocument>(),
        SchemaName::Status => of::<StatusDocument>(),
        SchemaName::Lookup => of::<LookupDocument<'_>>(),
        SchemaName::Probe => of::<ProbeDocument<'_>>(),
        SchemaName::Why => of::<WhyDocument<'_>>(),
        SchemaName::Version => of::<Version>(),
    }
}

fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}
