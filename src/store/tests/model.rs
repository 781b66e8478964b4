//! Random commits against a map that does the same in memory, with reopens in between.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::support::*;
use crate::model::{ApolloId, Binding, Conflict, ContactKey, Digest, Intent, IntentId, Tombstone};
use crate::store::{Change, Store, Wanted};

#[derive(Debug, Default, Clone, PartialEq)]
struct Model {
    bindings: BTreeMap<ContactKey, Binding>,
    intents: BTreeMap<IntentId, Intent>,
    conflicts: BTreeMap<ContactKey, Conflict>,
    tombstones: BTreeMap<ContactKey, Tombstone>,
    plan: Option<Digest>,
    spent: BTreeMap<ContactKey, Digest>,
}

impl Model {
    fn owner(&self, id: &ApolloId) -> Option<&ContactKey> {
        self.bindings.iter().find(|(_, binding)| binding.apollo_id == *id).map(|(key, _)| key)
    }

    /// Does what the store should do; `None` when it should refuse.
    fn commit(&self, changes: &[Change]) -> Option<Self> {
        let mut next = self.clone();
        for change in changes.iter().cloned() {
            match change {
                Change::PutBinding { key, binding } => {
                    if next.owner(&binding.apollo_id).is_some_and(|owner| *owner != key) {
                        return None;
                    }
                    next.bindings.insert(key, *binding);
                }
                Change::RemoveBinding { key } => drop(next.bindings.remove(&key)),
                Change::Forget { key, tombstone } => {
                    next.bindings.remove(&key);
                    next.tombstones.insert(key, tombstone);
                }
                Change::Rename { from, to } => next.rename(&from, &to)?,
                Change::PutIntent { id, intent } => drop(next.intents.insert(id, *intent)),
                Change::DropIntent { id } => drop(next.intents.remove(&id)),
                Change::PutConflict(conflict) => drop(next.conflicts.insert(conflict.key.clone(), conflict)),
                Change::DropConflict { key } => drop(next.conflicts.remove(&key)),
                Change::DropTombstone { key } => drop(next.tombstones.remove(&key)),
                Change::PutQuota { .. } | Change::PutCredential(_) | Change::PutTeam(_) => {}
                Change::BeginPlan(plan) => next.plan = Some(plan),
                Change::EndPlan => next.plan = None,
                Change::SpendAction { plan, key } => drop(next.spent.insert(key, plan)),
                Change::DropSpent { key } => drop(next.spent.remove(&key)),
            }
        }
        Some(next)
    }

    fn rename(&mut self, from: &ContactKey, to: &ContactKey) -> Option<()> {
        if from == to {
            return Some(());
        }
        if self.bindings.contains_key(from) && self.bindings.contains_key(to) {
            return None;
        }
        if let Some(binding) = self.bindings.remove(from) {
            self.bindings.insert(to.clone(), binding);
        }
        if let Some(conflict) = self.conflicts.remove(from) {
            self.conflicts.insert(to.clone(), Conflict { key: to.clone(), ..conflict });
        }
        for intent in self.intents.values_mut().filter(|intent| intent.key == *from) {
            intent.key = to.clone();
        }
        Some(())
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Commits made at the same time.
    Commits(Vec<Vec<Change>>),
    Reopen,
    /// As `Reopen`, but dropped without being closed.
    Drop,
}

fn any_key() -> impl Strategy<Value = ContactKey> {
    (0..6_u8).prop_map(|number| key(&format!("k{number}")))
}

fn any_plan() -> impl Strategy<Value = Digest> {
    (0..2_u8).prop_map(|number| Digest(format!("plan-{number}")))
}

pub(super) fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any_key(), 0..8_u64, 0..3_u8).prop_map(|(key, number, title)| Change::PutBinding {
            key,
            binding: Box::new(binding(number, &format!("title {title}"))),
        }),
        1 => any_key().prop_map(|key| Change::RemoveBinding { key }),
        1 => (any_key(), 0..8_u64).prop_map(|(key, number)| Change::Forget { key, tombstone: tombstone(number) }),
        2 => (any_key(), any_key()).prop_map(|(from, to)| Change::Rename { from, to }),
        2 => (1..9_u64, any_key()).prop_map(|(number, key)| Change::PutIntent {
            id: IntentId(number),
            intent: Box::new(intent(key.as_str())),
        }),
        1 => (1..9_u64).prop_map(|number| Change::DropIntent { id: IntentId(number) }),
        1 => any_key().prop_map(|key| Change::PutConflict(conflict(key.as_str()))),
        1 => any_key().prop_map(|key| Change::DropConflict { key }),
        1 => any_key().prop_map(|key| Change::DropTombstone { key }),
        1 => any_plan().prop_map(Change::BeginPlan),
        1 => Just(Change::EndPlan),
        2 => (any_plan(), any_key()).prop_map(|(plan, key)| Change::SpendAction { plan, key }),
        1 => any_key().prop_map(|key| Change::DropSpent { key }),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let commit = prop::collection::vec(any_change(), 0..5);
    prop_oneof![
        8 => prop::collection::vec(commit, 1..5).prop_map(Step::Commits),
        1 => Just(Step::Reopen),
        1 => Just(Step::Drop),
    ]
}

async fn commit_together(store: &Store, model: &mut Model, commits: Vec<Vec<Change>>) {
    let mut answers = Vec::new();
    for changes in commits {
        let next = model.commit(&changes);
        let store = store.clone();
        answers.push((next.is_some(), tokio::spawn(async move { store.commit(changes).await })));
        if let Some(next) = next {
            *model = next;
        }
    }
    for (accepted, answer) in answers {
        let answer = answer.await.unwrap();
        assert_eq!(answer.is_ok(), accepted, "{answer:?}");
    }
}

fn check(store: &Store, model: &Model) {
    let snapshot = store.snapshot(&Wanted::everything()).unwrap();
    assert_eq!(snapshot.bindings, model.bindings);
    assert_eq!(snapshot.intents, model.intents);
    assert_eq!(snapshot.conflicts, model.conflicts);
    assert_eq!(snapshot.tombstones, model.tombstones);
    let progress = store.plan_progress().unwrap();
    assert_eq!(progress.plan.map(|plan| plan.digest), model.plan);
    assert_eq!(progress.spent, model.spent);
    for number in 0..8 {
        assert_eq!(store.owner_of(&id(number)).unwrap().as_ref(), model.owner(&id(number)));
    }
    if let Some(last) = model.intents.keys().last() {
        assert!(store.next_intent_id() > *last);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_commits_read_back_as_made(steps in prop::collection::vec(any_step(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let mut model = Model::default();
            let mut store = world.open();
            let mut serial = store.snapshot(&Wanted::everything()).unwrap().serial;
            for step in steps {
                match step {
                    Step::Commits(commits) => {
                        let before = model.clone();
                        commit_together(&store, &mut model, commits).await;
                        let now = store.snapshot(&Wanted::everything()).unwrap().serial;
                        assert!(now >= serial);
                        assert!(before.bindings == model.bindings || now > serial);
                        serial = now;
                    }
                    Step::Reopen => {
                        store.close().await.unwrap();
                        store = world.open();
                    }
                    Step::Drop => {
                        drop(store);
                        store = world.open();
                    }
                }
                check(&store, &model);
            }
        });
    }
}
