//! Damaged states without a copy: read as they were, or refused; never read as something else.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::support::*;
use crate::state::{Change, Error, Snapshot, Wanted};
use crate::store::guard::open_sled;

/// A closed state of `count` commits, all but the first of them still bound, and no copy of it.
async fn state_of(count: u64) -> World {
    let world = World::new();
    let store = world.open();
    for number in 0..count {
        let title = format!("Engineer {number} {}", "of things ".repeat(100));
        let binding = Box::new(binding(number, &title));
        store.commit(vec![Change::PutBinding { key: key(&format!("k{number}")), binding }]).await.unwrap();
    }
    store.commit(vec![Change::Forget { key: key("k0"), tombstone: tombstone(0) }]).await.unwrap();
    store.commit(vec![Change::PutConflict(conflict("eve"))]).await.unwrap();
    store.close().await.unwrap();
    fs::remove_file(world.path().join("copy.jsonl")).unwrap();
    world
}

fn copy_of(world: &World) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    copy_tree(&world.path(), &path);
    (directory, path)
}

/// Reads a copy, so that the state itself has its whole log to lose and no `snap.*` yet.
fn read_copy(world: &World) -> Snapshot {
    let (_guard, path) = copy_of(world);
    read(&path, &Wanted::everything()).unwrap().unwrap()
}

/// Reads a damaged state; it must be refused or be `whole`. Reports whether it was refused.
fn refused_or_whole(path: &Path, whole: &Snapshot) -> bool {
    match read(path, &Wanted::everything()) {
        Ok(Some(snapshot)) => {
            assert_eq!(snapshot, *whole);
            false
        }
        Err(Error::Unreadable { why, .. }) => {
            assert!(!why.contains("Engineer"), "no personal data: {why}");
            true
        }
        other => panic!("{other:?}"),
    }
}

fn unreadable(path: &Path) -> String {
    match read(path, &Wanted::everything()) {
        Err(error @ Error::Unreadable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn db_length(path: &Path) -> u64 {
    fs::metadata(path.join("sled/db")).unwrap().len()
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

#[tokio::test]
async fn a_cut_file_is_refused_not_read_as_empty() {
    let world = state_of(300).await;
    let whole = read_copy(&world);
    let length = db_length(&world.path());
    for sixteenth in 0..16 {
        let (_guard, path) = copy_of(&world);
        let file = fs::OpenOptions::new().write(true).open(path.join("sled/db")).unwrap();
        file.set_len(length * sixteenth / 16).unwrap();
        assert!(refused_or_whole(&path, &whole), "cut at {sixteenth}/16");
    }
}

#[tokio::test]
async fn flipped_bytes_anywhere_are_refused_or_harmless() {
    let world = state_of(300).await;
    let whole = read_copy(&world);
    let length = db_length(&world.path());
    let mut refused = 0;
    for step in 0..60 {
        let (_guard, path) = copy_of(&world);
        let at = length * step / 60 + step * 7 % 64;
        overwrite(&path.join("sled/db"), at.min(length - 4), &[0xA5, 0x5A, 0xFF, 0x01]);
        refused += u32::from(refused_or_whole(&path, &whole));
    }
    // How much of the file is dead depends on when sled wrote what.
    assert!(refused > 10, "only {refused} of 60 flips hit anything");
}

#[tokio::test]
async fn a_zeroed_page_is_refused_or_harmless() {
    let world = state_of(300).await;
    let whole = read_copy(&world);
    let pages = db_length(&world.path()) / 4096;
    let mut refused = 0;
    for page in (0..pages).step_by(usize::try_from(pages / 20).unwrap().max(1)) {
        let (_guard, path) = copy_of(&world);
        overwrite(&path.join("sled/db"), page * 4096, &[0; 4096]);
        refused += u32::from(refused_or_whole(&path, &whole));
    }
    assert!(refused > 5, "only {refused} zeroed pages hit anything");
}

#[tokio::test]
async fn damage_to_sleds_other_files_is_refused_or_harmless() {
    let world = state_of(100).await;
    let whole = world.read_all();
    let names: Vec<_> = fs::read_dir(world.path().join("sled")).unwrap().map(|e| e.unwrap().file_name()).collect();
    for name in names.iter().filter(|name| *name != "blobs") {
        let (_guard, path) = copy_of(&world);
        fs::remove_file(path.join("sled").join(name)).unwrap();
        refused_or_whole(&path, &whole);
        let (_guard, path) = copy_of(&world);
        fs::write(path.join("sled").join(name), b"not what it was").unwrap();
        refused_or_whole(&path, &whole);
    }
}

#[tokio::test]
async fn a_state_without_its_db_or_head_is_refused_and_left_as_it_is() {
    let world = state_of(3).await;
    let (_guard, path) = copy_of(&world);
    fs::remove_file(path.join("sled/db")).unwrap();
    assert!(unreadable(&path).contains("sled/db is gone"));
    assert!(!path.join("sled/db").exists());

    let (_guard, path) = copy_of(&world);
    fs::remove_file(path.join("head")).unwrap();
    let text = unreadable(&path);
    assert!(text.contains("no head") && text.contains("restore a backup"), "{text}");
}

#[tokio::test]
async fn an_older_db_under_a_newer_head_is_refused() {
    let world = state_of(5).await;
    let (_guard, old) = copy_of(&world);
    let store = world.open();
    store.commit(vec![Change::DropConflict { key: key("eve") }]).await.unwrap();
    store.close().await.unwrap();
    fs::copy(world.path().join("head"), old.join("head")).unwrap();
    assert!(unreadable(&old).contains("older than it was"));
}

#[tokio::test]
async fn a_head_that_missed_the_last_barrier_is_fine() {
    let world = state_of(5).await;
    let old_head = fs::read(world.path().join("head")).unwrap();
    let store = world.open();
    store.commit(vec![Change::RemoveBinding { key: key("k1") }]).await.unwrap();
    store.close().await.unwrap();
    fs::write(world.path().join("head"), old_head).unwrap();
    assert!(!world.read_all().bindings.contains_key(&key("k1")));
    let store = world.open();
    store.commit(vec![Change::RemoveBinding { key: key("k2") }]).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(world.read_all().bindings.len(), 2);
}

#[tokio::test]
async fn the_head_of_another_state_is_refused() {
    let world = state_of(2).await;
    let other = World::new();
    drop(open(&other.path(), "other").unwrap());
    fs::copy(other.path().join("head"), world.path().join("head")).unwrap();
    assert!(unreadable(&world.path()).contains("lineage"));
}

#[tokio::test]
async fn a_damaged_state_can_be_refused_again_and_again() {
    let world = state_of(50).await;
    overwrite(&world.path().join("head"), 10, b"##");
    overwrite(&world.path().join("head"), 4106, b"##");
    for _ in 0..3 {
        assert!(matches!(world.try_open(), Err(Error::Unreadable { .. })));
    }
    let (_guard, path) = copy_of(&state_of(50).await);
    overwrite(&path.join("sled/db"), 0, &[0xFF; 64]);
    for _ in 0..3 {
        unreadable(&path);
    }
}

#[tokio::test]
async fn no_single_row_can_vanish_or_change_unseen() {
    let world = state_of(3).await;
    let whole = world.read_all();
    let rows: Vec<_> = {
        let db = open_sled(&world.path()).unwrap();
        db.db.iter().map(Result::unwrap).collect()
    };
    assert!(rows.len() > 6);
    for (row, value) in rows {
        let (_guard, path) = copy_of(&world);
        let db = open_sled(&path).unwrap();
        db.db.remove(&row).unwrap();
        db.db.flush().unwrap();
        drop(db);
        assert!(refused_or_whole(&path, &whole), "{row:?} removed");

        let (_guard, path) = copy_of(&world);
        let db = open_sled(&path).unwrap();
        db.db.insert(&row, [&value[..], b" "].concat()).unwrap();
        db.db.flush().unwrap();
        drop(db);
        // The counters are not part of the sum; white space in them changes nothing.
        assert!(refused_or_whole(&path, &whole) || row == "m/counters", "{row:?} changed");
    }
}
