//! First runs, locks, origins, versions and permissions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::support::*;
use crate::state::{Change, Error, Wanted};
use crate::store::{Options, Store};

fn put(name: &str, number: u64) -> Change {
    Change::PutBinding { key: key(name), binding: Box::new(binding(number, "Engineer")) }
}

#[test]
fn reading_a_state_that_does_not_exist_creates_nothing() {
    let world = World::new();
    assert!(read(&world.path(), &Wanted::everything()).unwrap().is_none());
    assert!(!world.path().parent().unwrap().exists());
    fs::create_dir_all(world.path()).unwrap();
    assert!(read(&world.path(), &Wanted::everything()).unwrap().is_none());
    assert_eq!(fs::read_dir(world.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_state_opens_again_as_soon_as_it_is_closed() {
    let world = World::new();
    for number in 0..50_u64 {
        let store = world.open();
        store.commit(vec![put(&format!("k{number}"), number)]).await.unwrap();
        if number % 2 == 0 {
            store.close().await.unwrap();
        }
    }
    assert_eq!(world.read_all().bindings.len(), 50);
}

#[test]
fn an_empty_directory_is_a_first_run() {
    let world = World::new();
    fs::create_dir_all(world.path()).unwrap();
    drop(world.open());
    assert_eq!(world.read_all().lineage.0, "first");
}

#[test]
fn a_directory_of_something_else_is_refused_and_left_alone() {
    let world = World::new();
    fs::create_dir_all(world.path()).unwrap();
    fs::write(world.path().join("notes.txt"), "keep").unwrap();
    assert!(matches!(world.try_open(), Err(Error::Unreadable { .. })));
    assert!(matches!(read(&world.path(), &Wanted::everything()), Err(Error::Unreadable { .. })));
    assert_eq!(fs::read_dir(world.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_crash_at_any_step_of_creation_does_not_brick_the_state() {
    let whole = World::new();
    drop(whole.open());
    // What a crash can leave: the marker, and any part of what is made under it.
    for left in [&[][..], &["lock"], &["sled"], &["sled", "head"], &["lock", "sled", "head"]] {
        let world = World::new();
        fs::create_dir_all(world.path()).unwrap();
        for name in left {
            let (from, to) = (whole.path().join(name), world.path().join(name));
            if from.is_dir() {
                copy_tree(&from, &to);
            } else {
                fs::copy(&from, &to).unwrap();
            }
        }
        if left.contains(&"sled") {
            fs::write(world.path().join("creating"), "").unwrap();
        }
        if left == ["sled"] {
            fs::write(world.path().join("sled/db"), "torn").unwrap();
        }
        assert!(read(&world.path(), &Wanted::everything()).unwrap().is_none(), "{left:?}");
        let store = open(&world.path(), "second").unwrap();
        assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap().lineage.0, "second", "{left:?}");
        drop(store);
        assert_eq!(world.read_all().lineage.0, "second");
    }
}

#[tokio::test]
async fn a_second_opener_is_told_who_holds_the_state() {
    let world = World::new();
    let store = world.open();
    for refused in [world.try_open().map(drop), read(&world.path(), &Wanted::everything()).map(drop)] {
        match refused {
            Err(Error::Locked { holder: Some(found), .. }) => assert_eq!(*found, holder()),
            other => panic!("{other:?}"),
        }
    }
    let text = world.try_open().unwrap_err().to_string();
    assert!(text.contains("`apply`, process 4242 of ada@build.example.com"), "{text}");
    store.commit(vec![put("ada", 1)]).await.unwrap();
    store.close().await.unwrap();
    assert!(!world.path().join("holder.json").exists());
    world.open();
}

#[test]
fn a_holder_that_died_leaves_nothing_to_clean_up() {
    let world = World::new();
    drop(world.open());
    fs::write(world.path().join("holder.json"), "{ torn").unwrap();
    world.read_all();
    fs::write(world.path().join("holder.json"), "{ torn").unwrap();
    let _store = world.open();
    assert!(matches!(world.try_open(), Err(Error::Locked { holder: Some(_), .. })));
}

#[test]
fn another_origin_names_both_and_the_flag() {
    let world = World::new();
    drop(world.open());
    let elsewhere = Options { origin: "http://127.0.0.1:8080".to_owned(), ..options(&world.path()) };
    let text = Store::open(&elsewhere, drawn("second")).unwrap_err().to_string();
    assert!(text.contains(ORIGIN) && text.contains("http://127.0.0.1:8080") && text.contains("--state"), "{text}");
    drop(world.open());
}

#[test]
fn everything_in_the_state_is_private() {
    let world = World::new();
    let _store = world.open();
    check_private(&world.path());
    check_private(world.path().parent().unwrap());
}

fn check_private(path: &Path) {
    let mode = fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            check_private(&entry.unwrap().path());
        }
    }
}

#[tokio::test]
async fn large_pages_spill_into_blobs_that_are_private_and_read_back() {
    let world = World::new();
    let store = world.open();
    let large = "x".repeat(300_000);
    let change = Change::PutBinding { key: key("ada"), binding: Box::new(binding(1, &large)) };
    store.commit(vec![change]).await.unwrap();
    let blobs: Vec<_> = fs::read_dir(world.path().join("sled/blobs")).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(!blobs.is_empty());
    for blob in blobs {
        assert_eq!(fs::metadata(blob).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    store.close().await.unwrap();
    assert_eq!(world.read_all().bindings[&key("ada")], binding(1, &large));
}

/// sled wrote on through its descriptors, and an index told of it beside another state.
#[tokio::test]
async fn a_state_that_was_replaced_while_it_is_open_takes_nothing_more() {
    let world = World::new();
    let store = world.open();
    store.commit(vec![put("ada", 1)]).await.unwrap();
    let moved = world.path().with_extension("moved");
    fs::rename(world.path(), &moved).unwrap();
    fs::create_dir(world.path()).unwrap();
    let refused = store.commit(vec![put("bob", 2)]).await;
    assert!(matches!(refused, Err(Error::Replaced { .. })), "{refused:?}");
    assert!(store.head().await.ok().flatten().is_none(), "nobody is told of a state that is not there");
    drop(store);
    assert_eq!(fs::read_dir(world.path()).unwrap().count(), 0);
    fs::remove_dir(world.path()).unwrap();
    fs::rename(&moved, world.path()).unwrap();
    assert_eq!(world.read_all().bindings.len(), 1);
}

#[tokio::test]
async fn a_state_with_a_link_in_it_is_refused_by_everyone_and_changed_by_nobody() {
    let world = World::new();
    let store = world.open();
    store.commit(vec![put("ada", 1)]).await.unwrap();
    store.close().await.unwrap();
    let victim = world.path().parent().unwrap().join("victim");
    fs::write(&victim, "mine").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();
    for name in
        ["index", "index.behind", "holder.json", "creating", "paused", "incoming", "sled/snap.1", "sled/blobs/1"]
    {
        let link = world.path().join(name);
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let refused = |error: Option<Error>| {
            assert!(matches!(error, Some(Error::Unsafe(_))), "{name}: {error:?}");
            assert_eq!(fs::read_to_string(&victim).unwrap(), "mine", "{name}");
            assert_eq!(fs::metadata(&victim).unwrap().permissions().mode() & 0o7777, 0o644, "{name}");
        };
        refused(world.try_open().err());
        refused(read(&world.path(), &Wanted::everything()).err());
        refused(crate::store::pull(&world.location(), &mut Vec::new()).err());
        refused(crate::store::Held::take(options(&world.path())).err());
        refused(crate::store::Seat::take(&world.location(), &holder()).err());
        refused(crate::store::paused(&world.location()).err());
        refused(crate::store::seated(&world.location()).err());
        refused(crate::store::exists(&world.location()).err());
        assert!(crate::store::open_index(&world.location(), "any").is_none());
        assert!(crate::store::file_time(&world.location()).is_none());
        fs::remove_file(link).unwrap();
    }
    assert_eq!(world.read_all().bindings.len(), 1);
}
