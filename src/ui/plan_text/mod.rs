//! A plan as people review it.
//!
//! The layout is Terraform's. The summary line is read by programs, so a change of its words breaks
//! them. Never sorts and never decides; blocks come in the plan's order, the same bytes every time.

mod attribute;
mod block;
mod concise;
mod drift;
mod failed;
mod header;
mod layout;
mod options;
mod order;
mod symbol;
mod tail;
#[cfg(test)]
mod tests;
mod value;
mod words;

pub(super) use tail::summary as counts_summary;

use std::fmt;

use super::amounts::{count, counted};
use super::style::Paint;
use super::wrap::wrap;
use crate::plan::{Action, Counts, Operation, Plan};
use symbol::Symbol;

pub use drift::{DriftText, drift_note};
pub(super) use drift::{TITLE, as_applied, drift_summary, write_contact};
pub use failed::FailedPlan;
pub(super) use layout::{Layout, Marks};
pub(super) use options::is_performed;
pub use options::{Detail, Forecast, PlanOptions};
pub(super) use order::{Piece, PieceText, pieces};
pub(super) use tail::{also, brake_text, forecast_text, look_note, one_each_text, summary};

/// Actions that are shown of a plan with more of them, where it is abridged.
pub(super) const HEAD_ACTIONS: usize = 100;

/// Forgets among the actions left out that are named.
const NAMED_FORGETS: usize = 10;

/// A plan with how to show it; written by its `Display`, block by block.
#[derive(Debug, Clone, Copy)]
pub struct PlanText<'a> {
    pub plan: &'a Plan,
    pub options: PlanOptions<'a>,
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
        self.write_actions(f, paint)?;
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
        if !in_use.is_empty() && self.options.detail == Detail::Blocks {
            writeln!(f, "Actions are indicated with the following symbols:")?;
            for symbol in in_use {
                symbol.write(f, self.layout(paint))?;
                writeln!(f, " {}", symbol.meaning())?;
            }
            writeln!(f)?;
        }
        if self.plan.actions.iter().any(is_performed) {
            writeln!(f, "contactsd will perform the following actions:")
        } else {
            writeln!(f, "contactsd needs a decision before it can continue:")
        }
    }

    fn write_actions(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        let PlanOptions { by_file, abridged, .. } = self.options;
        let layout = self.layout(paint);
        if layout.concise && !by_file {
            writeln!(f)?;
        }
        let mut left_out = Vec::new();
        let mut shown = 0;
        for piece in pieces(self.plan, by_file) {
            match piece {
                Piece::Action(action) if abridged && shown == HEAD_ACTIONS => left_out.push(action),
                Piece::Action(_) => shown += 1,
                Piece::File(..) => {}
            }
            if left_out.is_empty() {
                write!(f, "{}", PieceText { piece, layout })?;
            }
        }
        if left_out.is_empty() { Ok(()) } else { self.write_left_out(f, &left_out) }
    }

    /// Counts the actions that are not shown, and names those that people look for first.
    fn write_left_out(&self, f: &mut fmt::Formatter<'_>, left_out: &[&Action]) -> fmt::Result {
        let counts = Counts::of(left_out.iter().copied());
        let more = counted(left_out.len(), "more action");
        let text = format!("... and {more}: {}. Add --full to see everything.", tail::kinds(&counts));
        write!(f, "\n{}", wrap(&text, self.options.width).join("\n"))?;
        let forgets = left_out.iter().filter(|action| matches!(action.operation, Operation::Forget { .. }));
        let mut named: Vec<String> = forgets.take(NAMED_FORGETS).map(|action| action.key().address()).collect();
        let further = counts.forget - named.len();
        named.extend((further > 0).then(|| format!("{} more", count(further))));
        if !named.is_empty() {
            let text = format!("To forget among them: {}.", named.join(", "));
            write!(f, "\n{}", wrap(&text, self.options.width).join("\n"))?;
        }
        writeln!(f)
    }

    fn layout(&self, paint: Paint) -> Layout<'_> {
        let PlanOptions { mask, detail, abridged, names, .. } = self.options;
        let concise = detail == Detail::Concise;
        Layout { paint, mask, marks: Marks::Indented, concise, cut: abridged, names }
    }
}

/// Writes the fields that an action changes: its block, or the bare lines where the layout is concise.
pub(super) fn write_changes(f: &mut fmt::Formatter<'_>, action: &Action, layout: Layout<'_>) -> fmt::Result {
    if layout.concise { concise::write_changes(f, action, layout) } else { block::write(f, action, layout) }
}
