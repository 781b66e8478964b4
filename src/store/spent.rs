//! How far the state has come with a saved plan.
//!
//! The state knows one plan at a time: the one that was applied last. Its row follows every write that
//! the plan makes, so that a plan which went half-way is told from one that others have overtaken.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::keys::{self, Row};
use super::{Store, rows};
use crate::model::{ContactKey, Digest, Serial};

/// The saved plan that was applied last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRow {
    pub digest: Digest,
    /// The serial after the last write that this plan made.
    pub serial: Serial,
}

/// What the state remembers of saved plans.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PlanProgress {
    /// `None` when no saved plan was applied, or another apply came after it.
    pub plan: Option<PlanRow>,
    /// The keys whose actions are done, each with its plan; one of an earlier plan means nothing.
    pub spent: BTreeMap<ContactKey, Digest>,
}

impl Store {
    /// Returns what is remembered of saved plans.
    ///
    /// Waits for a barrier under way, so that it shows one serial.
    pub fn plan_progress(&self) -> Result<PlanProgress, Error> {
        let _one_serial = self.shared.gate.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.shared.with_db(|path, db| {
            rows::protect(path, || {
                let sled = |error| Error::sled(path, error);
                let plan = db.get(keys::PLAN).map_err(sled)?;
                let mut progress = PlanProgress {
                    plan: plan.map(|value| rows::decode(path, &value)).transpose()?,
                    ..PlanProgress::default()
                };
                for pair in db.scan_prefix(keys::SPENT) {
                    let (key, value) = pair.map_err(sled)?;
                    if let Some(Row::Spent(key)) = Row::parse(&key) {
                        progress.spent.insert(key, rows::decode(path, &value)?);
                    }
                }
                Ok(progress)
            })
        })
    }
}
