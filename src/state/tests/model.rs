//! Random commits against a map that does the same: the rules over rows in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::support::*;
use crate::model::{
    ApolloId, Binding, Conflict, ContactKey, Digest, IdentityKey, Intent, IntentId, Lineage, Serial, Tombstone,
};
use crate::state::{
    Change, Counters, Drafts, Error, Facts, Gathering, Location, Row, Rows, Table, Totals, Wanted, Writes, owner_of,
    plan_progress,
};

/// What the rows of a state should say.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) bindings: BTreeMap<ContactKey, Binding>,
    pub(crate) intents: BTreeMap<IntentId, Intent>,
    pub(crate) conflicts: BTreeMap<ContactKey, Conflict>,
    pub(crate) tombstones: BTreeMap<ContactKey, Tombstone>,
    pub(crate) plan: Option<Digest>,
    pub(crate) spent: BTreeMap<ContactKey, Digest>,
}

impl Model {
    pub(crate) fn owner(&self, id: &ApolloId) -> Option<&ContactKey> {
        self.bindings.iter().find(|(_, binding)| binding.apollo_id == *id).map(|(key, _)| key)
    }

    /// Does what the store should do; `None` when it should refuse.
    pub(crate) fn commit(&self, changes: &[Change]) -> Option<Self> {
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
                Change::PutQuota { .. }
                | Change::PutCredential(_)
                | Change::PutTeam(_)
                | Change::PutBulkCreate(_)
                | Change::PutNames(_)
                | Change::PutAccount { .. } => {}
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

fn any_key() -> impl Strategy<Value = ContactKey> {
    (0..6_u8).prop_map(|number| key(&format!("k{number}")))
}

fn any_plan() -> impl Strategy<Value = Digest> {
    (0..2_u8).prop_map(|number| Digest(format!("plan-{number}")))
}

pub(crate) fn any_change() -> impl Strategy<Value = Change> {
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

/// Rows in memory, with each batch written at once.
struct Memory {
    location: Location,
    rows: BTreeMap<Row, Vec<u8>>,
}

impl Rows for Memory {
    fn location(&self) -> &Location {
        &self.location
    }

    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.rows.get(row).cloned())
    }

    fn table(&self, table: Table) -> impl Iterator<Item = Result<(Row, Vec<u8>), Error>> {
        let rows = self.rows.iter().filter(move |(row, _)| row.table() == table);
        rows.map(|(row, value)| Ok((row.clone(), value.clone())))
    }
}

impl Memory {
    fn write(&mut self, batch: Writes) {
        for (row, value) in batch {
            match value {
                Some(value) => drop(self.rows.insert(row, value)),
                None => drop(self.rows.remove(&row)),
            }
        }
    }

    fn check(&self, model: &Model) {
        let gathering = Gathering::new(Wanted::everything());
        let mut totals = Totals::default();
        for (row, value) in self.rows.iter().filter(|(row, _)| **row != Row::Counters) {
            totals.add(&row.to_bytes(), value);
            gathering.take(&self.location, &row.to_bytes(), value).unwrap();
        }
        let counters: Counters = self.read(&Row::Counters).unwrap().unwrap_or_default();
        assert_eq!((counters.totals.rows, counters.totals), (totals.rows, totals));
        let facts = Facts::new(Lineage("first".to_owned()), String::new(), IdentityKey([7; 32]));
        let snapshot = gathering.complete(&facts, &counters);
        assert_eq!(snapshot.bindings, model.bindings);
        assert_eq!(snapshot.intents, model.intents);
        assert_eq!(snapshot.conflicts, model.conflicts);
        assert_eq!(snapshot.tombstones, model.tombstones);
        let progress = plan_progress(self).unwrap();
        assert_eq!((progress.plan.map(|plan| plan.digest), progress.spent), (model.plan.clone(), model.spent.clone()));
        for number in 0..8 {
            assert_eq!(owner_of(self, &id(number)).unwrap().as_ref(), model.owner(&id(number)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn commits_change_what_they_say_or_are_refused_and_change_nothing(
        // A commit, and whether the batch is written after it.
        commits in prop::collection::vec((prop::collection::vec(any_change(), 0..5), any::<bool>()), 1..40),
    ) {
        let mut memory = Memory { location: Location::from(std::path::Path::new("state")), rows: BTreeMap::new() };
        let (mut drafts, mut model, mut serial) = (Drafts::after(Counters::default()), Model::default(), Serial(0));
        for (changes, is_written) in commits {
            let next = model.commit(&changes);
            match drafts.draft(&memory, changes) {
                Ok(drafted) => {
                    let next = next.expect("what a state takes, the model takes");
                    if !drafts.have_room_for(&drafted) {
                        memory.write(drafts.take_batch().expect("a batch that is full holds something"));
                    }
                    let now = drafts.add(drafted);
                    assert!(now > serial || now == serial && next.bindings == model.bindings);
                    (model, serial) = (next, now);
                }
                Err(refusal) => assert!(refusal.is_refusal() && next.is_none(), "{refusal}"),
            }
            if is_written {
                memory.write(drafts.take_batch().unwrap_or_default());
                memory.check(&model);
            }
        }
    }
}
