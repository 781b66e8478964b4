//! Everything that is known of one key, from the files, the state and a running service: put together, not judged.

use crate::model::{Binding, Conflict, ContactKey, Intent, Place, Tombstone};
use crate::plan::Action;
use crate::state::Snapshot;

use super::watch::Failing;
use super::{Desired, LoadError, Planned};

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub key: ContactKey,
    /// Where it is declared; `None` when it is not.
    pub place: Option<Place>,
    pub binding: Option<Binding>,
    /// Requests for it whose outcome is not recorded, in the order they were written.
    pub intents: Vec<Intent>,
    /// What waits for a person.
    pub conflict: Option<Conflict>,
    /// The memory of what it was before it was forgotten.
    pub tombstone: Option<Tombstone>,
    /// How it fails in the running service, if it does.
    pub failing: Option<Failing>,
    /// Whether another process is at work on it.
    pub under_way: bool,
    /// What the next apply would do that concerns it.
    pub actions: Vec<Action>,
}

impl Why {
    /// Puts together what is known; `snapshot` holds everything, and `planned` is the whole plan.
    pub fn new(
        key: &ContactKey,
        desired: &Desired,
        snapshot: &Snapshot,
        under_way: bool,
        planned: &Planned,
    ) -> Result<Self, LoadError> {
        let is_of = |intent: &&Intent| intent.key == *key;
        let actions = planned.plan.actions.iter().filter(|action| action.keys().any(|of| of == key));
        Ok(Self {
            key: key.clone(),
            place: desired.entry(key)?.map(|entry| entry.place),
            binding: snapshot.bindings.get(key).cloned(),
            intents: snapshot.intents.values().filter(is_of).cloned().collect(),
            conflict: snapshot.conflicts.get(key).cloned(),
            tombstone: snapshot.tombstones.get(key).cloned(),
            failing: None,
            under_way,
            actions: actions.cloned().collect(),
        })
    }

    /// Reports whether neither the files nor the state know the key.
    pub fn is_unknown(&self) -> bool {
        let Self { key: _, place, binding, intents, conflict, tombstone, failing: _, under_way: _, actions } = self;
        place.is_none()
            && binding.is_none()
            && conflict.is_none()
            && tombstone.is_none()
            && intents.is_empty()
            && actions.is_empty()
    }
}
