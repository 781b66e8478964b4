//! Crashes in the middle of a commit: the state reads as before it or as after it.

use std::fs;
use std::path::Path;

use super::support::*;
use crate::state::{Change, Snapshot, Wanted};
use crate::store::Store;

/// A commit that touches many rows, spread over sled's pages.
fn wide_commit(title: &str) -> Vec<Change> {
    (0..30_u64)
        .map(|number| Change::PutBinding {
            key: key(&format!("k{}", number * 7)),
            binding: Box::new(binding(number, title)),
        })
        .collect()
}

async fn world_of(count: u64) -> (World, Store) {
    let world = World::new();
    let store = world.open();
    for number in 0..count {
        let binding = Box::new(binding(number + 1000, &format!("Engineer {number}")));
        store.commit(vec![Change::PutBinding { key: key(&format!("n{number}")), binding }]).await.unwrap();
    }
    (world, store)
}

fn db_of(state: &Path) -> Vec<u8> {
    fs::read(state.join("sled/db")).unwrap()
}

fn read_with_db(image: &Path, db: &[u8]) -> Snapshot {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    copy_tree(image, &path);
    fs::write(path.join("sled/db"), db).unwrap();
    read(&path, &Wanted::everything()).unwrap().unwrap()
}

#[tokio::test]
async fn a_commit_torn_at_any_byte_happened_or_did_not() {
    let (world, store) = world_of(40).await;
    store.commit(wide_commit("before")).await.unwrap();
    let before = store.snapshot(&Wanted::everything()).await.unwrap();
    let image = tempfile::tempdir().unwrap();
    copy_tree(&world.path(), image.path());
    let base = db_of(image.path());

    store.commit(wide_commit("after")).await.unwrap();
    let after = store.snapshot(&Wanted::everything()).await.unwrap();
    let full = db_of(&world.path());
    assert!(full.len() > base.len() + 1000 && full.starts_with(&base), "the log only grew");

    let mut seen = (0, 0);
    let steps = (base.len()..full.len()).step_by(211).chain(full.len() - 40..=full.len());
    for cut in steps {
        // The head is the one of before: it is written only after the log is on disk.
        let found = read_with_db(image.path(), &full[..cut]);
        if found == after {
            seen.1 += 1;
        } else {
            assert_eq!(found, before, "cut at {cut}");
            seen.0 += 1;
        }
    }
    assert!(seen.0 > 10 && seen.1 > 0, "{seen:?}");
}

#[tokio::test]
async fn what_a_commit_returned_for_survives_the_process() {
    let (world, store) = world_of(5).await;
    for round in 0..10 {
        store.commit(wide_commit(&format!("round {round}"))).await.unwrap();
        let expected = store.snapshot(&Wanted::everything()).await.unwrap();
        // A copy of the files as they are now is what a process finds that starts after a kill.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        copy_tree(&world.path(), &path);
        assert_eq!(read(&path, &Wanted::everything()).unwrap().unwrap(), expected);
        let next = open(&path, "unused").unwrap();
        next.commit(wide_commit("after the kill")).await.unwrap();
    }
}
