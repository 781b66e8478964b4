//! The writer's side of reading beside writing: what it answers to those who read its state.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::link::{self, Payload, Request};
use crate::model::ContactKey;
use crate::store::{Holder, Snapshot, Store, Wanted};

use super::under_way::UnderWay;

/// What a writer tells of its state, at one serial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) snapshot: Snapshot,
    pub(super) writer: Beside,
}

/// The process that writes the state while another reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    pub holder: Holder,
    /// The keys it is at work on right now; what their intents come to is not known yet, nor in doubt.
    pub under_way: BTreeSet<ContactKey>,
}

/// What is needed to answer; holds the store open as long as it lives.
#[derive(Debug, Clone)]
pub(super) struct Answerer {
    pub(super) store: Store,
    pub(super) holder: Holder,
    pub(super) under_way: UnderWay,
}

impl Answerer {
    /// Answers one request; an `Err` says why it cannot.
    pub(super) async fn answer(self, request: Request) -> Result<Payload, String> {
        match request {
            Request::Snapshot { fingerprints, contacts } => {
                // Reading every row takes a while, and waits for a barrier under way.
                let read = tokio::task::spawn_blocking(move || {
                    let wanted = Wanted::new(&fingerprints, &contacts);
                    let (snapshot, under_way) = self.under_way.during(|| self.store.snapshot(&wanted));
                    let snapshot = snapshot.map_err(|error| super::problem::chain(&error))?;
                    Ok(link::payload(&Answer { snapshot, writer: Beside { holder: self.holder, under_way } }))
                });
                read.await.unwrap_or_else(|error| Err(error.to_string()))
            }
            Request::Status | Request::Pause | Request::Resume | Request::Approve { .. } => {
                Err("a service answers that at its own socket".to_owned())
            }
        }
    }
}
