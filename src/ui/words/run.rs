//! A run of `plan` or `apply`: approval, why it is not done, and how it ended.

use super::super::amounts::counted;
use super::{exceeded, lifting};
use crate::model::Digest;
use crate::plan::Brake;
use crate::source::Diagnostic;
use crate::state::Holder;

/// Why contactsd cannot ask.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NobodyToAsk {
    Json,
    NoTerminal,
    /// The state to be pushed comes from stdin.
    StdinIsTaken,
}

/// Says why nobody approves; `is_plan` tells whether `plan` shows what would be approved.
pub(crate) fn nobody_can_approve(why: NobodyToAsk, is_plan: bool) -> Diagnostic {
    let otherwise = if is_plan { ", or run plan to see what would happen" } else { "" };
    let detail = match why {
        NobodyToAsk::Json => {
            format!("With --json, contactsd does not ask. Add --auto-approve to continue without asking{otherwise}.")
        }
        NobodyToAsk::NoTerminal => format!(
            "There is no terminal to ask for approval. Add --auto-approve to continue without asking{otherwise}."
        ),
        NobodyToAsk::StdinIsTaken => {
            "The state comes from stdin, so contactsd cannot ask. Add --auto-approve, or name a file.".to_owned()
        }
    };
    Diagnostic::error("Cannot ask for approval", detail)
}

pub(crate) const CANCELLED: &str = "Cancelled. Nothing was changed.";
pub(crate) const PROBE_CANCELLED: &str = "Probe cancelled. Nothing was made.";

/// Says which limits a plan exceeds, and that nothing of it is done.
pub(crate) fn not_applied(brakes: &[Brake]) -> Diagnostic {
    let limits: Vec<String> = brakes.iter().map(|brake| format!("{}.\n", exceeded(brake))).collect();
    let detail = format!(
        "{}Nothing was changed. Check that the contact directory is the right one and complete. If the plan is intended, {lift} allows it.",
        limits.concat(),
        lift = lifting(brakes)
    );
    Diagnostic::error("The plan is not applied", detail)
}

/// The second run of a pipeline finds what the first one left of its plan.
pub(crate) fn done_before(expected: &Digest) -> String {
    format!("Nothing is left to do. The expected plan is the one that was applied last: {expected}")
}

/// There is nothing to do, and the plan that was expected is not the one that was applied last.
pub(crate) fn never_applied(expected: &Digest) -> Diagnostic {
    let detail = format!(
        "  Expected: {expected}\n\nNothing is left to do, and nothing was changed. Either the expected plan was made for \
         another directory, state or API, or another apply has come after it. Compare the digest with the one that was \
         reviewed."
    );
    Diagnostic::error("The plan that was applied last is not the expected one", detail)
}

pub(crate) fn not_expected(expected: &Digest, found: &Digest) -> Diagnostic {
    let next = format!(
        "Nothing was changed. The API, the files, the state or the planning options differ from those that the \
         expected plan was made with. Review the plan as it is now. To approve it, use its own digest: --expect \
         {found}"
    );
    other_digest(expected, found, &next)
}

/// The same of a plan that was saved in a file.
pub(crate) fn not_expected_in(file: &str, expected: &Digest, found: &Digest) -> Diagnostic {
    let next = format!("Nothing was changed. {file} holds another plan than the one that was reviewed.");
    other_digest(expected, found, &next)
}

fn other_digest(expected: &Digest, found: &Digest, next: &str) -> Diagnostic {
    let detail = format!("  Expected: {expected}\n  Found:    {found}\n\n{next}");
    Diagnostic::error("The plan is not the expected one", detail)
}

/// A second signal has ended the run.
pub(crate) fn stopped_at_once() -> Diagnostic {
    Diagnostic::warning(
        "Stopped immediately",
        "Some requests had no answer yet. The next apply finds out their results before it sends anything again.",
    )
}

pub(crate) fn incomplete() -> Diagnostic {
    Diagnostic::warning(
        "Applied changes may be incomplete",
        "Only what --target and --exclude select was applied. Run plan without them to see what else the files ask \
         for.",
    )
}

pub(crate) const ACQUIRING_LOCK: &str = "Acquiring state lock. This may take a few moments...";

/// Says what a plan leaves out because another process does it at this moment; a page says it without naming that.
pub(crate) fn under_way(holder: Option<&Holder>, left_out: usize) -> String {
    let (contacts, are) = (counted(left_out, "contact"), if left_out == 1 { "is" } else { "are" });
    match holder {
        Some(Holder { operation, pid, .. }) => {
            format!("{contacts} {are} being applied by '{operation}' (process {pid}) right now.")
        }
        None => format!("{contacts} {are} being applied by another process right now, and left out here."),
    }
}

pub(crate) fn nothing_else(under_way: &str) -> String {
    format!("{under_way} There is nothing else to change.")
}

/// What is written into files is not in Apollo yet.
pub(crate) fn how_to_plan(plan: &str) -> String {
    format!("\nTo see what applying them would do, run: {plan}")
}
