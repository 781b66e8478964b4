//! A plan as one document, in the shape of Terraform's `show -json`.

use crate::source;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::change::ResourceChange;
use super::diagnostic::Diagnostic;
use super::summary::{Changes, Forecast, PlanFacts};
use super::versions::{FORMAT_VERSION, PROGRAM_VERSION};
use crate::ops::Planned;
use crate::plan::{Brake, Operation};
use crate::ui::{Mask, words};

/// What would be done, as one document; its changes are written one by one, so it may have any size.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PlanDocument<'a> {
    /// `MAJOR.MINOR`; a new minor adds keys, a reader must refuse a major that it does not know.
    format_version: &'static str,
    /// The program that wrote it.
    contactsd_version: &'static str,
    #[serde(flatten)]
    plan: PlanFacts,
    changes: Changes,
    /// The actions, sorted by key.
    #[schemars(with = "Vec<ResourceChange>")]
    resource_changes: Actions<'a>,
    /// Limits that the plan passes; with any, it is not applied.
    brakes: Vec<Brake>,
    forecast: Forecast,
    /// Whether applying it would do anything.
    applyable: bool,
    /// Whether a person must decide first; such a plan cannot be applied from a file.
    errored: bool,
    /// Warnings that belong to the plan.
    diagnostics: Vec<Diagnostic>,
}

/// The actions of a plan, each told as it is written.
#[derive(Debug, Clone)]
struct Actions<'a> {
    planned: &'a Planned,
    mask: Mask,
}

impl Serialize for Actions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let actions = self.planned.plan.actions.iter();
        serializer.collect_seq(actions.map(|action| ResourceChange::new(action, None, &self.planned.names, self.mask)))
    }
}

/// Returns a saved plan as one document; its files may have changed since, so that it names no lines.
pub fn plan_document(planned: &Planned, mask: Mask) -> PlanDocument<'_> {
    let plan = &planned.plan;
    let warnings: Vec<source::Diagnostic> = planned.warnings().iter().map(words::problem).collect();
    let brakes: Vec<Brake> = plan.brakes.clone();
    let waits =
        |operation: &Operation| matches!(operation, Operation::Conflict { .. } | Operation::Contradiction { .. });
    PlanDocument {
        format_version: FORMAT_VERSION,
        contactsd_version: PROGRAM_VERSION,
        plan: PlanFacts::from(planned),
        changes: Changes::from(&plan.counts()),
        applyable: brakes.is_empty() && plan.actions.iter().any(|action| !waits(&action.operation)),
        resource_changes: Actions { planned, mask },
        brakes,
        forecast: Forecast::from(&planned.forecast),
        errored: plan.counts().undecided > 0,
        diagnostics: warnings.iter().map(|warning| Diagnostic::from(mask.message(warning).as_ref())).collect(),
    }
}
