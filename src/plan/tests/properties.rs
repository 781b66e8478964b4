//! What holds for every plan.

use proptest::prelude::*;

use super::*;

/// Does to a model of the state what applying `plan` does when every request succeeds.
fn apply_to_model(input: &mut Input, plan: &Plan) {
    for action in &plan.actions {
        let name = action.key().clone();
        let bound =
            |entry: &PackedEntry, id: &ApolloId| Binding { apollo_id: id.clone(), ..binding(&entry.unpack(), 0) };
        let created = |entry: &Entry| binding(entry, fresh(entry));
        match &action.operation {
            Operation::Create { entry } => drop(input.bindings.insert(name, created(&entry.unpack()))),
            Operation::Adopt { id, entry, .. } | Operation::Restore { id, entry } => {
                input.tombstones.remove(&name);
                input.bindings.insert(name, bound(entry, id));
            }
            Operation::Update { id, entry, .. } | Operation::Release { id, entry, .. } => {
                input.bindings.insert(name, bound(entry, id));
            }
            Operation::Move { from, id, entry, .. } => {
                input.bindings.remove(from);
                input.bindings.insert(name, bound(entry, id));
            }
            Operation::Forget { id } => {
                let gone = input.bindings.remove(&name).unwrap();
                let identity = IdentityHash::of(&gone.applied, &SECRET);
                input.tombstones.insert(name, Tombstone { apollo_id: id.clone(), identity, at: Timestamp(0) });
            }
            Operation::Settle { intent_id, entry, .. } => {
                input.intents.remove(intent_id);
                if let Some(entry) = entry {
                    input.bindings.insert(name, created(&entry.unpack()));
                }
            }
            Operation::Conflict { .. } | Operation::Contradiction { .. } => {}
        }
        let moved = match &action.operation {
            Operation::Move { from, .. } => Some(from),
            _ => None,
        };
        input.intents.retain(|_, intent| {
            intent.endpoint == Endpoint::CreateContact || (intent.key != *action.key() && Some(&intent.key) != moved)
        });
    }
    input.intents.retain(|id, _| !plan.housekeeping.intents.contains(id));
    for key in &plan.housekeeping.standing {
        let fingerprint = input.entries[key].fingerprint();
        input.bindings.get_mut(key).unwrap().fingerprint = Some(fingerprint);
    }
}

fn fresh(entry: &Entry) -> u64 {
    1000 + u64::from(entry.fingerprint().as_bytes()[0]) * 256 + u64::from(entry.fingerprint().as_bytes()[1])
}

fn any_fields() -> impl Strategy<Value = String> {
    let maybe = |name: &'static str, values: &'static [&'static str]| {
        proptest::option::of(proptest::sample::select(values)).prop_map(move |v| v.map(|v| format!("{name}={v}")))
    };
    (
        maybe("email", &["a@example.com", "b@example.com", "c@example.com", ""]),
        maybe("first_name", &["Ada", "Bob"]),
        maybe("last_name", &["Byron", "Ross"]),
        maybe("organization_name", &["Engines"]),
        maybe("title", &["CTO", "CEO", ""]),
        maybe("label_names", &["A", "A,B", ""]),
    )
        .prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].into_iter().flatten().collect::<Vec<_>>().join("; "))
}

const KEYS: [&str; 6] = ["k1", "k2", "k3", "k4", "k5", "k6"];

prop_compose! {
    fn any_world()(
        declared in proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), any_fields(), 0..6),
        applied in proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), any_fields(), 0..6),
        open in proptest::collection::vec((proptest::sample::select(&KEYS[..]), any_fields(), any::<bool>()), 0..3),
        buried in proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), any_fields(), 0..3),
    ) -> Input {
        let mut world = World::new();
        for (number, (name, fields)) in (1..).zip(&applied) {
            world = world.applied(name, fields, number);
        }
        for (name, fields) in &declared {
            world = world.declared(name, fields);
        }
        for (name, fields, create) in &open {
            let bound = applied.contains_key(name);
            if bound {
                world = world.unanswered(name, fields, Endpoint::UpdateContact);
            } else if *create && !world.0.intents.values().any(|intent| intent.key == key(name)) {
                world = world.unanswered(name, fields, Endpoint::CreateContact);
            }
        }
        for (number, (name, fields)) in (100..).zip(&buried) {
            if !applied.contains_key(name) {
                world = world.buried(name, fields, number);
            }
        }
        world.0
    }
}

proptest! {
    #[test]
    fn planning_after_applying_gives_nothing(mut input in any_world()) {
        let first = plan(&input, &Policy::default());
        apply_to_model(&mut input, &first);
        let second = plan(&input, &Policy::default());
        prop_assert!(second.is_empty(), "left over: {:#?}", second.actions);
        prop_assert!(second.housekeeping.is_empty());
    }

    #[test]
    fn every_key_has_one_action_at_most_and_they_are_sorted(input in any_world()) {
        let plan = plan(&input, &Policy::default());
        let keys: Vec<_> = plan.actions.iter().map(|action| action.key().clone()).collect();
        let mut sorted = keys.clone();
        sorted.sort();
        sorted.dedup();
        prop_assert_eq!(keys, sorted);
    }

    #[test]
    fn no_contact_is_given_to_two_keys(mut input in any_world()) {
        let first = plan(&input, &Policy::default());
        let bound: Vec<ApolloId> = first.actions.iter().filter_map(|action| match &action.operation {
            Operation::Move { id, .. } | Operation::Restore { id, .. } | Operation::Update { id, .. } => Some(id.clone()),
            _ => None,
        }).collect();
        let distinct: std::collections::BTreeSet<_> = bound.iter().collect();
        prop_assert_eq!(distinct.len(), bound.len());
        let rows = input.bindings.len();
        apply_to_model(&mut input, &first);
        prop_assert!(input.bindings.len() <= rows + input.entries.len());
    }

    #[test]
    fn a_plan_beside_another_process_is_the_plan_without_its_keys(input in any_world(), busy in any::<[bool; 4]>()) {
        let names: Vec<ContactKey> = input.entries.keys().chain(input.bindings.keys()).cloned().collect();
        let under_way = names.iter().zip(busy.iter().cycle()).filter(|(_, busy)| **busy).map(|(key, _)| key.clone()).collect();
        let whole = plan(&input, &Policy::default());
        let (beside, left_out) = plan_beside(&input, &under_way, &Policy::default());
        prop_assert_eq!(beside.actions.len() + left_out, whole.actions.len());
        prop_assert!(beside.actions.iter().all(|action| !under_way.contains(action.key()) && whole.actions.contains(action)));
    }

    #[test]
    fn the_same_input_gives_the_same_bytes(input in any_world()) {
        let bytes = |input: &Input| serde_json::to_vec(&plan(input, &Policy::default())).unwrap();
        prop_assert_eq!(bytes(&input), bytes(&input.clone()));
    }
}
