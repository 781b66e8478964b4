//! Looking a state through, and saving what is left of a damaged one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::lock::{self, Waiting};
use super::{Desired, Loader, ReadError, Reading, Want, chain, reading};
use crate::aside::aside;
use crate::beneath::Bounds;
use crate::state::{self, Location, Snapshot};
use crate::store::{self, Checked, Examined, Options};

/// A state that was looked through, with what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCheck {
    pub checked: Checked,
    pub beside: Vec<BesideFault>,
}

/// Something that is wrong beside the state itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BesideFault {
    /// The contact files cannot be read, or hold mistakes.
    Files(String),
    /// The index says something else of the contact files than they do.
    IndexOfFiles,
    /// The index says something else of the state than it does.
    IndexOfState,
}

impl StateCheck {
    pub fn is_whole(&self) -> bool {
        self.checked.faults.is_empty() && self.beside.is_empty()
    }
}

/// Compares all that is known in a state with the contact files and each other; `None` when there is no state.
///
/// Waits for another process that writes the state as long as `timeout` says.
pub async fn check_state(
    state: &Location,
    contacts: &Path,
    bounds: &Bounds,
    timeout: Duration,
) -> Result<Option<StateCheck>, state::Error> {
    let waiting = Waiting::default();
    let checking = lock::open(timeout, &waiting, || {
        let state = state.clone();
        aside(move || store::check(&state))
    });
    let Some(checked) = checking.await? else { return Ok(None) };
    let by_index = Loader::new(contacts, state).bounded(bounds).load();
    let mut reading = Loader::plain(contacts).bounded(bounds);
    if let Some(names) = by_index.as_ref().ok().and_then(Desired::names) {
        reading = reading.knowing(Arc::clone(names));
    }
    let by_reading = reading.load();
    let beside = match (by_index, by_reading) {
        (Ok(by_index), Ok(by_reading)) => {
            let same = by_index.digest == by_reading.digest && by_index.contacts() == by_reading.contacts();
            match same {
                false => vec![BesideFault::IndexOfFiles],
                true if checked.faults.is_empty() && !agrees(state, &by_index, &by_reading).await => {
                    vec![BesideFault::IndexOfState]
                }
                true => Vec::new(),
            }
        }
        (_, Err(error)) | (Err(error), _) => vec![BesideFault::Files(chain(&error))],
    };
    Ok(Some(StateCheck { checked, beside }))
}

/// Reports whether the state holds what the index says, where the index vouches for it.
async fn agrees(state: &Location, by_index: &Desired, by_reading: &Desired) -> bool {
    if by_index.part().is_none() {
        return true;
    }
    let read = async |desired| reading::read(state, Want::Plan(desired), Duration::ZERO).await;
    let facts = |read: Result<Option<Reading>, ReadError>| {
        let Snapshot { lineage, serial, unchanged, unbound, bindings, .. } = read.ok()??.snapshot;
        Some((lineage, serial, unchanged, unbound, bindings))
    };
    facts(read(by_index).await) == facts(read(by_reading).await)
}

/// Looks at a state that may be damaged, to save what is left of it.
///
/// Waits for another process that writes the state as long as `timeout` says, and tells `waiting`.
pub async fn examine(options: Options, timeout: Duration, waiting: &Waiting) -> Result<Examined, state::Error> {
    lock::open(timeout, waiting, || {
        let options = options.clone();
        aside(move || store::examine(&options))
    })
    .await
}
