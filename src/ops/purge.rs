//! Taking every trace of one person out of a state.

use std::collections::BTreeSet;

use crate::aside::aside;
use crate::model::{ApolloId, ContactKey};
use crate::state::{self, Location, Snapshot};
use crate::store::{self, Aside, Held};

/// What a state holds of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// Whether it is managed.
    pub binding: bool,
    /// Requests whose outcome is not recorded.
    pub intents: usize,
    pub conflict: bool,
    /// Whether there is the memory of what it was before it was forgotten.
    pub tombstone: bool,
    /// The contacts that it has and had, as far as the state knows.
    pub contacts: BTreeSet<ApolloId>,
    /// What was moved out of the way, which may hold anybody.
    pub aside: Vec<Aside>,
}

impl Traces {
    /// Finds what there is of a key; `snapshot` holds everything.
    pub fn of(key: &ContactKey, snapshot: &Snapshot, state: &Location) -> Result<Self, state::Error> {
        let intents = || snapshot.intents.values().filter(|intent| intent.key == *key);
        let bound = snapshot.bindings.get(key).map(|binding| binding.apollo_id.clone());
        let had = snapshot.tombstones.get(key).map(|tombstone| tombstone.apollo_id.clone());
        let sent = intents().filter_map(|intent| intent.apollo_id.clone());
        Ok(Self {
            contacts: bound.into_iter().chain(had).chain(sent).collect(),
            binding: snapshot.bindings.contains_key(key),
            intents: intents().count(),
            conflict: snapshot.conflicts.contains_key(key),
            tombstone: snapshot.tombstones.contains_key(key),
            aside: store::set_aside(state)?.unwrap_or_default(),
        })
    }
}

/// Makes the state that is held again without a person, and removes what was moved out of the way; `false` when there
/// is no state.
pub async fn purge(held: Held, state: &Location, key: &ContactKey, traces: &Traces) -> Result<bool, state::Error> {
    let (key, state, things) = (key.clone(), state.clone(), traces.aside.clone());
    aside(move || {
        let Some(incoming) = held.load_without(&key)? else { return Ok(false) };
        incoming.install()?;
        store::remove_aside(&state, &things)?;
        Ok(true)
    })
    .await
}
