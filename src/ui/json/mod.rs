//! The machine's output: everything that is told, as records and documents of JSON.
//!
//! Values in, serde structs out; `Shell` alone writes them. A type each, so that the schemas in
//! `docs/schemas/` come from the code. Never decides and never reads a clock. Values of fields pass
//! through `Mask`, and what would act on a terminal is written as JSON escapes (`harmless`).

mod change;
mod convert;
mod diagnostic;
mod document;
mod drift;
mod events;
#[cfg(test)]
pub(super) mod golden;
mod harmless;
mod lookup;
mod probe;
mod rebuild;
mod record;
mod records;
mod schemas;
mod state;
mod status;
mod step;
mod summary;
mod values;
mod versions;
mod why;

pub use convert::{ConvertFile, ConvertRow, ConvertSummary, ConvertTable, FileFate, RowFate};
pub use diagnostic::Validation;
pub use document::plan_document;
pub use drift::DriftDocument;
pub(super) use events::event;
pub use events::{drift_records, import_records, pass_record, plan_records, report_record, watch_record};
pub use harmless::to_json;
pub use lookup::LookupDocument;
pub use probe::ProbeDocument;
pub(super) use rebuild::{OpenEntry, OpenReason, RebuiltEntry, StateRebuild};
pub use record::{Kept, LeftFacts, Level, PointFacts, PushOutcome, Record, StateClean, StateRecovery};
pub(super) use record::{LaidFile, LaidOutcome, PushedState, StatePush};
pub use records::Layout;
pub(super) use records::{Guarded, Records};
pub use schemas::{SchemaName, schema};
pub use state::{ContactState, ManagedContact, StateCheckDocument, StateFault, StatePart, Version};
pub use status::StatusDocument;
pub use step::StepOutcome;
pub use why::WhyDocument;
