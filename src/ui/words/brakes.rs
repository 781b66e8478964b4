//! Messages about plans that exceed limits or are for a part of the contacts.

use super::super::amounts::counted;
use super::by_hand::guess;
use crate::model::ContactKey;
use crate::plan::{Brake, BrakeKind};
use crate::source::Diagnostic;

pub(super) fn targeted() -> Diagnostic {
    Diagnostic::warning(
        "Resource targeting is in effect",
        "The plan covers only what --target and --exclude select, and the files may ask for more. Use these options \
         only in exceptional situations. Run plan without them to see the rest.",
    )
}

pub(super) fn no_such_key(excludes: bool, pattern: &str, nearest: Option<&ContactKey>) -> Diagnostic {
    let flag = if excludes { "--exclude" } else { "--target" };
    Diagnostic::error(
        format!("{flag} {pattern} matches no contact"),
        format!("No key in the contact files or in the state matches it.{}", guess(nearest)),
    )
}

/// Says why a plan is not applied, with what lifts the brake.
pub(super) fn braked(brake: &Brake, gone: usize) -> Diagnostic {
    let lift = lift(brake.kind);
    let gone = if gone > 0 { format!(" ({gone} of them are already forgotten)") } else { String::new() };
    Diagnostic::error(
        format!("{}{gone}", exceeded(brake)),
        format!(
            "Nothing was changed. If this is intended, {lift} allows it. If not, check that the contact directory is the right \
            one."
        ),
    )
}

/// Names the options that lift brakes.
pub(crate) fn lifting(brakes: &[Brake]) -> String {
    let mut options: Vec<&str> = brakes.iter().map(|brake| lift(brake.kind)).collect();
    options.dedup();
    options.join(" and ")
}

fn lift(kind: BrakeKind) -> &'static str {
    match kind {
        BrakeKind::ForgetsAll | BrakeKind::ForgetsMany => "--force",
        BrakeKind::MaxCreates => "a higher --max-creates",
        BrakeKind::MaxUpdates => "a higher --max-updates",
        BrakeKind::MaxForgets => "a higher --max-forgets",
    }
}

fn more_than(count: usize, limit: &impl std::fmt::Display, done: &str) -> String {
    format!("{} would be {done}, and at most {limit} may be", counted(count, "contact"))
}

/// Says what a plan exceeds.
pub(crate) fn exceeded(brake: &Brake) -> String {
    let Brake { kind, count, limit } = brake;
    match kind {
        BrakeKind::ForgetsAll => "All managed contacts would be forgotten".to_owned(),
        BrakeKind::ForgetsMany => format!("{count} managed contacts would be forgotten, more than 30 %"),
        BrakeKind::MaxCreates => more_than(*count, limit, "created"),
        BrakeKind::MaxUpdates => more_than(*count, limit, "updated"),
        BrakeKind::MaxForgets => more_than(*count, limit, "forgotten"),
    }
}
