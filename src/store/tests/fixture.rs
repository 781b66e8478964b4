//! States written by released versions stay readable.

use std::path::Path;

use super::support::*;
use crate::model::{IntentId, Serial};
use crate::store::{Change, Store, Wanted, read};

#[tokio::test]
async fn the_state_of_version_1_is_readable_and_writable() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-v1");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    copy_tree(&fixture, &path);

    let snapshot = read(&path, &Wanted::everything()).unwrap().unwrap();
    assert_eq!(snapshot.serial, Serial(4));
    assert_eq!(
        snapshot.bindings.keys().map(crate::model::ContactKey::as_str).collect::<Vec<_>>(),
        ["ada", "bob", "carol@example.org"]
    );
    assert_eq!(snapshot.bindings[&key("ada")], binding(1, "Engineer"));
    assert_eq!(snapshot.intents[&IntentId(5)], intent("erin"));
    assert_eq!(snapshot.conflicts[&key("frank")], conflict("frank"));
    assert_eq!(snapshot.tombstones[&key("dave")], tombstone(4));

    let store = Store::open(options(&path), drawn("unused")).unwrap();
    assert_eq!(store.next_intent_id(), IntentId(6));
    store.commit(vec![Change::RemoveBinding { key: key("bob") }]).await.unwrap();
    assert_eq!(store.snapshot(&Wanted::everything()).unwrap().bindings.len(), 2);
}

#[tokio::test]
#[ignore = "writes the fixture of the current version; run once before a release"]
async fn write_the_fixture() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-v1");
    let put =
        |name: &str, number| Change::PutBinding { key: key(name), binding: Box::new(binding(number, "Engineer")) };
    let store = Store::open(options(&path), drawn("fixture-v1")).unwrap();
    store.commit(vec![put("ada", 1), put("bob", 2)]).await.unwrap();
    store.commit(vec![put("carol@example.org", 3)]).await.unwrap();
    store.commit(vec![put("dave", 4)]).await.unwrap();
    let intent = Box::new(intent("erin"));
    store
        .commit(vec![
            Change::Forget { key: key("dave"), tombstone: tombstone(4) },
            Change::PutIntent { id: IntentId(5), intent },
            Change::PutConflict(conflict("frank")),
        ])
        .await
        .unwrap();
    store.close().await.unwrap();
}
