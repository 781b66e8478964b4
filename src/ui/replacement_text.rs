//! What `state push` is about to do, as text and as a record.

use super::amounts::count;
use super::escape::escape;
use super::json::{PushOutcome, PushedState, Record, StatePush};
use crate::state::{Location, Setback, Standing};

/// Shows the state that is there and the one that takes its place, and what is lost by that.
pub fn replacement_text(state: &Location, now: Option<&Standing>, new: &Standing, setback: Option<&Setback>) -> String {
    let now = now.map_or_else(|| "none".to_owned(), standing_text);
    let loss = setback.map(|setback| {
        format!("\nForced: {}.\nWhat only the current state knows is lost.\n", escape(&setback.to_string()))
    });
    format!(
        "The state {} will be replaced.\n\n  now: {now}\n  new: {}\n{}",
        escape(&state.to_string()),
        standing_text(new),
        loss.unwrap_or_default()
    )
}

/// The same for programs; `message` says it in words.
pub fn replacement_record(
    message: &str,
    now: Option<&Standing>,
    new: &Standing,
    outcome: PushOutcome,
) -> Record<'static> {
    Record::state_push(message, StatePush { outcome, current: now.map(facts), pushed: facts(new) })
}

fn facts(Standing { lineage, serial, bindings }: &Standing) -> PushedState {
    PushedState { lineage: lineage.0.clone(), serial: serial.0, contacts: *bindings }
}

fn standing_text(Standing { lineage, serial, bindings }: &Standing) -> String {
    let bindings = usize::try_from(*bindings).unwrap_or(usize::MAX);
    format!("lineage {}, serial {serial}, {} managed", escape(&lineage.0), count(bindings))
}
