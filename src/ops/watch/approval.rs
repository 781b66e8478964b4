//! What a person let through although it exceeds limits: the actions of one plan, and no others.

use std::collections::BTreeMap;

use crate::model::ContactKey;
use crate::plan::{Action, Plan};

/// The actions that were let through and are not done.
///
/// By action and not by plan, since a plan of many days is made again many times on the way.
#[derive(Debug, Default)]
pub(super) struct Approval {
    actions: BTreeMap<ContactKey, blake3::Hash>,
}

impl Approval {
    /// Lets the actions of a plan through.
    pub(super) fn grant(&mut self, plan: &Plan) {
        self.actions = plan.actions.iter().map(|action| (action.key().clone(), hash(action))).collect();
    }

    /// Forgets what is done or planned otherwise by now; to be called with every whole plan.
    pub(super) fn keep_planned(&mut self, plan: &Plan) {
        if self.actions.is_empty() {
            return;
        }
        let planned: BTreeMap<&ContactKey, &Action> =
            plan.actions.iter().map(|action| (action.key(), action)).collect();
        self.actions.retain(|key, approved| planned.get(key).is_some_and(|action| hash(action) == *approved));
    }

    pub(super) fn covers(&self, action: &Action) -> bool {
        self.actions.get(action.key()).is_some_and(|approved| *approved == hash(action))
    }
}

/// Names an action by all that it does, and not by where its entry stands.
fn hash(action: &Action) -> blake3::Hash {
    let Action { place: _, reason: _, operation } = action;
    let text = serde_json::to_vec(operation).expect("an action is plain data");
    blake3::hash(&text)
}
