//! Messages about one action, while it runs and after.

use std::time::Duration;

use super::super::amounts::duration;
use super::super::escape::escape;
use crate::model::ApolloId;
use crate::ops::Step;

/// Said when a run goes on with another credential.
pub(crate) const RENEWED: &str =
    "Apollo refused the credential. The new one is of the same team, and is used from now on.";

/// Words what is written when a step begins; nothing for steps that are over at once.
pub(crate) fn started(step: Step, id: Option<&ApolloId>) -> Option<String> {
    let doing = doing(step);
    let id = id.map(|id| format!(" [id={}]", escape(id.as_str()))).unwrap_or_default();
    match step {
        Step::Create | Step::Import | Step::Update | Step::Restore | Step::Settle => Some(format!("{doing}...{id}")),
        Step::Move | Step::Release | Step::Forget => None,
    }
}

pub(crate) fn still_running(step: Step, id: Option<&ApolloId>, elapsed: Duration) -> String {
    let id = id.map(|id| format!("id={}, ", escape(id.as_str()))).unwrap_or_default();
    format!("Still {}... [{id}{} elapsed]", doing(step).to_lowercase(), duration(elapsed))
}

pub(crate) fn finished(step: Step, id: Option<&ApolloId>, elapsed: Duration) -> String {
    let id = id.map(|id| format!(" [id={}]", escape(id.as_str()))).unwrap_or_default();
    let after = duration(elapsed);
    match step {
        Step::Create => format!("Creation complete after {after}{id}"),
        Step::Import => format!("Import complete after {after}{id}"),
        Step::Update => format!("Modifications complete after {after}{id}"),
        Step::Restore => format!("Restoration complete after {after}{id}"),
        Step::Settle => format!("Settled after {after}{id}"),
        Step::Move => format!("Moved{id}"),
        Step::Release => format!("Fields released{id}"),
        Step::Forget => format!("Removed from the state{id}"),
    }
}

fn doing(step: Step) -> &'static str {
    match step {
        Step::Create => "Creating",
        Step::Import => "Importing",
        Step::Update => "Modifying",
        Step::Move => "Moving",
        Step::Restore => "Restoring",
        Step::Release => "Releasing",
        Step::Forget => "Forgetting",
        Step::Settle => "Settling",
    }
}
