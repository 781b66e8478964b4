//! Asks Apollo, by a few throwaway contacts, what its pages leave open and contactsd depends on.
//!
//! Makes at most [`MOST_CONTACTS`] contacts, whatever the answers are, and never writes to a contact that it did not
//! make in this run. No request that may make a contact is sent twice, and a step that fails stops no other.

mod bodies;
mod report;
mod steps;

pub use report::{Fact, Finding, MOST_CONTACTS, ProbeReport, ProbeTarget, Question, Reading, Scope, Unknown};

use std::time::Duration;

use crate::apollo::Order;

use super::apply::courier::Failure;
use super::{Session, SessionError};

/// Finds out for whom a probe would write, without writing.
pub async fn probe_target(session: &Session) -> Result<ProbeTarget, SessionError> {
    let profile = session.access.who().await?;
    let contacts = match session.access.everybody(Order::NewestFirst, 1).await {
        Ok(answer) => answer.value.total_entries,
        Err(Failure::Stopped | Failure::Out) => return Err(SessionError::Stopped),
        Err(_) => None,
    };
    let profile = profile.unwrap_or_default();
    Ok(ProbeTarget { team: profile.team_id, user: profile.user, contacts })
}

/// Asks every question; waits up to `patience` until a new contact shows in a search.
pub async fn probe(session: &Session, patience: Duration) -> ProbeReport {
    steps::Prober::new(session, patience).run().await
}
