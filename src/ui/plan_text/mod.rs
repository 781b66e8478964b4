//! A plan as people review it.
//!
//! The layout is Terraform's. The summary line is read by programs, so a change of its words breaks
//! them. Never sorts and never decides; blocks come in the plan's order, the same bytes every time.

mod attribute;
mod block;
mod header;
mod tail;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::time::Duration;

use super::style::Paint;
use crate::model::{Digest, Endpoint};
use crate::plan::{Action, Operation, Plan};
use attribute::Layout;
use header::Symbol;

/// A plan with how to show it; written by its `Display`, block by block.
#[derive(Debug, Clone, Copy)]
pub struct PlanText<'a> {
    pub plan: &'a Plan,
    pub options: PlanOptions<'a>,
}

/// What a plan's text depends on beside the plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanOptions<'a> {
    pub color: bool,
    /// Columns of the rule and of prose at the end; values are never cut.
    pub width: usize,
    /// Replaces every value by `(masked)`.
    pub mask: bool,
    /// The command that applies, as this user would type it; `None` leaves the hint out, as in
    /// automation and where the question follows at once.
    pub next_step: Option<&'a str>,
    pub forecast: Option<&'a Forecast>,
    /// Shown so that a later apply can insist on this plan.
    pub digest: Option<&'a Digest>,
}

impl Default for PlanOptions<'_> {
    fn default() -> Self {
        Self { color: false, width: 80, mask: false, next_step: None, forecast: None, digest: None }
    }
}

/// What applying the plan costs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Forecast {
    pub requests: Vec<(Endpoint, usize)>,
    /// How long it takes within the quota; `None` when that cannot be said.
    pub duration: Option<Duration>,
    /// What the duration rests on, for example which limits were assumed.
    pub note: Option<String>,
}

/// Returns the counts of a plan, as its text ends with.
pub fn plan_summary(plan: &Plan, color: bool) -> String {
    struct Summary<'a>(&'a Plan, Paint);
    impl fmt::Display for Summary<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            tail::write_summary(f, self.0, self.1)
        }
    }
    Summary(plan, Paint { color }).to_string()
}

impl fmt::Display for PlanText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paint = Paint { color: self.options.color };
        if self.plan.is_empty() {
            return tail::write_no_changes(f, self.plan, paint);
        }
        self.write_legend(f, paint)?;
        let layout = Layout { paint, mask: self.options.mask };
        for action in &self.plan.actions {
            writeln!(f)?;
            header::write(f, action, paint)?;
            block::write(f, action, layout)?;
        }
        writeln!(f)?;
        tail::write(f, self.plan, &self.options, paint)
    }
}

impl PlanText<'_> {
    fn write_legend(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        let mut in_use: Vec<Symbol> = self.plan.actions.iter().map(Symbol::of).collect();
        in_use.sort_unstable();
        in_use.dedup();
        in_use.retain(|symbol| *symbol != Symbol::Blank);
        if !in_use.is_empty() {
            writeln!(f, "Actions are indicated with the following symbols:")?;
            for symbol in in_use {
                writeln!(f, "{} {}", symbol.painted(paint), symbol.meaning())?;
            }
            writeln!(f)?;
        }
        if self.plan.actions.iter().any(is_performed) {
            writeln!(f, "contactsd will perform the following actions:")
        } else {
            writeln!(f, "contactsd needs a decision before it can go on:")
        }
    }
}

/// Reports whether applying the plan does something about the action.
fn is_performed(action: &Action) -> bool {
    !matches!(action.operation, Operation::Conflict { .. } | Operation::Contradiction { .. })
}
