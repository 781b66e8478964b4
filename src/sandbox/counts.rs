//! How many requests there were, and what became of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Action, Fault};

/// Requests by action and status, and faults by kind.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    /// `None` is a connection that was cut without a status.
    outcomes: BTreeMap<(Action, Option<u16>), u64>,
    faults: BTreeMap<Fault, u64>,
}

impl Counts {
    /// Returns how many requests there were.
    pub fn total(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Returns how many requests of `action` came in, however they ended.
    pub fn requests(&self, action: Action) -> u64 {
        self.outcomes.iter().filter(|((counted, _), _)| *counted == action).map(|(_, count)| count).sum()
    }

    /// Returns how many requests of `action` were answered with `status`, cut bodies included.
    pub fn answered(&self, action: Action, status: u16) -> u64 {
        self.outcomes.get(&(action, Some(status))).copied().unwrap_or(0)
    }

    /// Returns how many requests of `action` got no status, since the connection was cut.
    pub fn cut(&self, action: Action) -> u64 {
        self.outcomes.get(&(action, None)).copied().unwrap_or(0)
    }

    /// Returns how often `fault` struck.
    pub fn struck(&self, fault: Fault) -> u64 {
        self.faults.get(&fault).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, action: Action, outcome: Option<u16>) {
        *self.outcomes.entry((action, outcome)).or_default() += 1;
    }

    pub(super) fn count_fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Returns `{"requests": {ACTION: {STATUS: N}}, "faults": {FAULT: N}}`; a cut connection is status `cut`.
    pub(super) fn to_json(&self) -> Value {
        let mut requests: BTreeMap<Action, BTreeMap<String, u64>> = BTreeMap::new();
        for ((action, status), count) in &self.outcomes {
            let status = status.map_or_else(|| "cut".to_owned(), |status| status.to_string());
            requests.entry(*action).or_default().insert(status, *count);
        }
        json!({ "requests": requests, "faults": self.faults })
    }
}
