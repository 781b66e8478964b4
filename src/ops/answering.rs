//! How the process that writes a state answers other processes that read it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::aside::aside;
use crate::model::{ContactKey, Named, Roster};
use crate::serve::Routes;
use crate::state::{Holder, Snapshot, Wanted};
use crate::store::Store;

use super::under_way::UnderWay;

/// The call by which a writer is asked for what a plan needs of its state.
pub(super) const SNAPSHOT: &str = "snapshot";

/// What is asked with it: what the files declare, so that the answer's size follows what differs from them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    /// The fingerprint of every declared entry; none asks for every binding.
    pub(super) fingerprints: Roster,
    /// The contacts whose owners are asked for.
    pub(super) contacts: Named,
    /// Whether what is known of the account is asked for.
    #[serde(default)]
    pub(super) account: bool,
    /// Whether bindings are asked for at rest.
    #[serde(default)]
    pub(super) packed: bool,
}

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
    /// Answers whoever reads the state.
    pub(super) fn routes(self) -> Routes {
        Routes::default().call(SNAPSHOT, move |question| self.clone().answer(question))
    }

    async fn answer(self, question: Question) -> Result<Box<RawValue>, String> {
        let Question { fingerprints, contacts, account, packed } = question;
        let wanted = Wanted::new(fingerprints, contacts).with_account(account).packed(packed);
        let (snapshot, under_way) = self.under_way.during(self.store.snapshot(&wanted)).await;
        let snapshot = snapshot.map_err(|error| super::chain(&error))?;
        let answer = Answer { snapshot, writer: Beside { holder: self.holder, under_way } };
        // All rows of a state as text take a while.
        aside(move || to_raw_value(&answer)).await.map_err(|error| error.to_string())
    }
}
