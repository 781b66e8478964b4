//! A person who is purged leaves nothing, in every engine.

use super::support::*;
use crate::model::{ConflictCause, IntentId, Merged};
use crate::state::Change;
use crate::store::{Held, Options, pull};

fn pulled(world: &World) -> String {
    let mut text = Vec::new();
    pull(&world.location(), &mut text).unwrap().expect("there is a state");
    String::from_utf8(text).unwrap()
}

/// Fills a state in which one person stands in rows of every kind that can name anybody.
async fn fill(world: &World) {
    let store = world.open();
    let put = |name: &str, number, title: &str| Change::PutBinding {
        key: key(name),
        binding: Box::new(binding(number, title)),
    };
    store.commit(vec![put("leaver", 1, "Enchantress"), put("stays", 2, "Engineer")]).await.unwrap();
    store.commit(vec![put("leaver", 1, "Countess")]).await.unwrap();
    let id = binding(1, "").apollo_id;
    let mut other = intent("stays");
    other.there_before = vec![id.clone()];
    let collision = crate::model::Conflict {
        cause: ConflictCause::Collision { other: key("leaver"), other_fingerprint: None },
        ..conflict("third")
    };
    let mut merged = binding(3, "Engineer");
    merged.merged_into = Some(Merged { survivor: binding(2, "").apollo_id, owner: Some(key("leaver")) });
    let part = |number| Some(format!(r#"[["{id}",[{number}]],["{}",[8]]]"#, binding(2, "").apollo_id));
    store
        .commit(vec![
            Change::PutIntent { id: IntentId(7), intent: Box::new(intent("leaver")) },
            Change::PutIntent { id: IntentId(8), intent: Box::new(other) },
            Change::PutConflict(collision),
            Change::PutConflict(conflict("leaver")),
            Change::PutBinding { key: key("merged"), binding: Box::new(merged) },
            Change::PutAccount { part: 0, text: Some(r#"{"read_to":1,"parts":2}"#.to_owned()) },
            Change::PutAccount { part: 1, text: part(7) },
            Change::PutAccount { part: 200, text: part(9) },
        ])
        .await
        .unwrap();
    store.close().await.unwrap();
}

#[test]
fn nothing_of_a_purged_person_is_left_and_everything_of_others_is() {
    over_each_engine(|world| async move {
        fill(&world).await;
        let before = world.read_all();
        let held = Held::take(Options { location: world.location(), ..options(&world.path()) }).unwrap();
        held.load_without(&key("leaver")).unwrap().expect("there is a state").install().unwrap();
        let text = pulled(&world);
        let id = binding(1, "").apollo_id;
        for trace in ["leaver", "Enchantress", "Countess", id.as_str()] {
            assert!(!text.contains(trace), "{trace} in\n{text}");
        }
        let after = world.read_all();
        assert_eq!(after.serial.0, before.serial.0 + 1);
        assert_eq!(after.bindings.keys().cloned().collect::<Vec<_>>(), [key("merged"), key("stays")]);
        assert_eq!(after.bindings[&key("stays")], before.bindings[&key("stays")]);
        assert_eq!((after.intents.len(), after.conflicts.len()), (1, 0));
        assert!(text.contains("[8]") && !text.contains("[7]") && !text.contains("[9]"), "{text}");
        // The state goes on as it is.
        let store = world.open();
        store.commit(vec![Change::RemoveBinding { key: key("stays") }]).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(world.read_all().bindings.len(), 1);
    });
}

#[test]
fn without_a_state_there_is_nothing_to_purge() {
    let world = World::new();
    let held = Held::take(Options { location: world.location(), ..options(&world.path()) }).unwrap();
    assert!(held.load_without(&key("leaver")).unwrap().is_none());
}
