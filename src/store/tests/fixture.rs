//! States written by released versions stay readable.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::*;
use crate::model::{ApolloId, IntentId, Named, Roster, Serial};
use crate::state::{Change, Counters, Error, Row, Wanted, decode, encode};
use crate::store::guard::open_sled;
use crate::store::{Held, Remark, pull};

/// A state as a version wrote it.
fn fixture(name: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    copy_tree(&fixtures().join(name), &path);
    (directory, path)
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn pulled(path: &Path) -> String {
    let mut out = Vec::new();
    pull(&path.into(), &mut out).unwrap().unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn the_states_of_all_formats_are_readable_and_writable() {
    for name in ["state-v1", "state-v2"] {
        let (_guard, path) = fixture(name);
        is_readable_and_writable(&path).await;
    }
}

/// What version 0.1.0 pulled of the state is what it reads.
#[tokio::test]
async fn a_state_of_format_1_is_taken_over_once_it_is_written_and_the_way_back_is_open() {
    let (_guard, path) = fixture("state-v1");
    let former = fs::read_to_string(fixtures().join("state-v1.jsonl")).unwrap();
    let format = |path: &Path| fs::read_to_string(path.join("head")).unwrap().matches("{\"format\":2,").count();
    assert_eq!(pulled(&path), former);
    read(&path, &Wanted::everything()).unwrap().unwrap();
    assert_eq!((path.join("copy.jsonl").exists(), format(&path)), (false, 0), "reading takes nothing over");

    let store = open(&path, "unused").unwrap();
    assert_eq!(store.remarks(), [Remark::TakenOver { former: 1 }]);
    store.close().await.unwrap();
    assert_eq!((path.join("copy.jsonl").exists(), format(&path)), (true, 1));
    // What is pulled has the form that 0.1.0 gave it, to the byte, and so it pushes it where there is no state.
    assert_eq!(pulled(&path), former);
    fs::remove_dir_all(path.join("sled")).unwrap();
    assert_eq!(pulled(&path), former, "from the copy alone");
    let store = open(&path, "unused").unwrap();
    assert!(matches!(store.remarks(), [Remark::Rebuilt { aside: None, .. }]), "{:?}", store.remarks());
    store.close().await.unwrap();
    let back = World::new();
    let held = Held::take(options(&back.path())).unwrap();
    held.load(&mut former.as_bytes(), false).unwrap().install().unwrap();
    assert_eq!(pulled(&back.path()), former);
    assert_eq!(back.read_all(), read(&path, &Wanted::everything()).unwrap().unwrap());
}

async fn is_readable_and_writable(path: &Path) {
    let snapshot = read(path, &Wanted::everything()).unwrap().unwrap();
    assert_eq!(snapshot.serial, Serial(4));
    assert_eq!(
        snapshot.bindings.keys().map(crate::model::ContactKey::as_str).collect::<Vec<_>>(),
        ["ada", "bob", "carol@example.org"]
    );
    assert_eq!(snapshot.bindings[&key("ada")], binding(1, "Engineer"));
    assert_eq!(snapshot.intents[&IntentId(5)], intent("erin"));
    assert_eq!(snapshot.conflicts[&key("frank")], conflict("frank"));
    assert_eq!(snapshot.tombstones[&key("dave")], tombstone(4));

    let store = open(path, "unused").unwrap();
    assert_eq!(store.next_intent_id(), IntentId(6));
    store.commit(vec![Change::RemoveBinding { key: key("bob") }]).await.unwrap();
    assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap().bindings.len(), 2);
}

/// Earlier versions kept ids in the case in which Apollo answered them.
#[tokio::test]
async fn a_contact_whose_id_was_recorded_in_capitals_is_known_by_its_one_id() {
    let world = World::new();
    let contact = binding(10, "Engineer");
    let put = |name: &str| Change::PutBinding { key: key(name), binding: Box::new(contact.clone()) };
    let store = world.open();
    store.commit(vec![put("ada")]).await.unwrap();
    store.close().await.unwrap();
    in_capitals(&world.path(), &contact.apollo_id);

    let roster = [(key("ada"), fingerprint(1))].into_iter().collect::<Roster>();
    let named = [&contact.apollo_id].into_iter().collect::<Named>();
    let snapshot = read(&world.path(), &Wanted::new(roster, named)).unwrap().unwrap();
    assert_eq!(snapshot.owners, [(contact.apollo_id.clone(), key("ada"))].into());
    assert_eq!(world.read_all().bindings[&key("ada")], contact);

    let store = world.open();
    assert_eq!(store.owner_of(&contact.apollo_id).await.unwrap(), Some(key("ada")));
    let taken = store.commit(vec![put("bob")]).await;
    assert!(matches!(&taken, Err(Error::IdTaken { owner, .. }) if *owner == key("ada")), "{taken:?}");
    store.commit(vec![Change::RemoveBinding { key: key("ada") }]).await.unwrap();
    assert_eq!(store.owner_of(&contact.apollo_id).await.unwrap(), None);
    store.commit(vec![put("bob")]).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(world.read_all().bindings, [(key("bob"), contact)].into());
}

/// Rewrites a state as if Apollo had answered this id in capitals when it was recorded.
fn in_capitals(state: &Path, id: &ApolloId) {
    let guard = open_sled(state).unwrap();
    let db = &guard.db;
    let counters_key = Row::Counters.to_bytes();
    let mut counters: Counters = decode(&state.into(), &db.get(&counters_key).unwrap().unwrap()).unwrap();
    let capitals = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replace(id.as_str(), &id.as_str().to_uppercase()).into_bytes()
    };
    for row in db.iter() {
        let (key, value) = row.unwrap();
        let (new_key, new_value) = (capitals(&key), capitals(&value));
        if (&new_key, &new_value) != (&key.to_vec(), &value.to_vec()) {
            counters.totals.remove(&key, &value);
            counters.totals.add(&new_key, &new_value);
            db.remove(key).unwrap();
            db.insert(new_key, new_value).unwrap();
        }
    }
    db.insert(counters_key, encode(&counters)).unwrap();
    db.flush().unwrap();
}

#[tokio::test]
#[ignore = "writes the fixture of the current version; run once before a release"]
async fn write_the_fixture() {
    let path = fixtures().join("state-v2");
    let put =
        |name: &str, number| Change::PutBinding { key: key(name), binding: Box::new(binding(number, "Engineer")) };
    let store = open(&path, "fixture-v2").unwrap();
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
