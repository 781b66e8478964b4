//! What kills and full disks leave of files that sled makes again: no damage.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::*;
use crate::state::{Change, Snapshot, Wanted};

/// A closed state with a snapshot of sled's, which is made when it is opened for the second time.
async fn state() -> (World, Snapshot) {
    let world = World::new();
    let store = world.open();
    for number in 0..30 {
        let binding = Box::new(binding(number, "Engineer"));
        store.commit(vec![Change::PutBinding { key: key(&format!("k{number}")), binding }]).await.unwrap();
    }
    store.close().await.unwrap();
    let whole = world.read_all();
    (world, whole)
}

fn snapshots(state: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(state.join("sled")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("snap.")).collect();
    found.sort();
    found
}

fn snapshot_of(state: &Path) -> PathBuf {
    let mut found = snapshots(state);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Reads a state by each way there is, opens it for writing, and finds nothing left over.
#[track_caller]
fn stands(state: &Path, whole: &Snapshot, what: &str) {
    let spoiled: Vec<_> = snapshots(state).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    let again = || spoiled.iter().for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
    assert_eq!(read(state, &Wanted::everything()).expect(what).unwrap(), *whole, "{what}");
    again();
    assert!(crate::store::pull(&state.into(), &mut Vec::new()).expect(what).is_some(), "{what}");
    again();
    drop(open(state, "unused").expect(what));
    assert_eq!(read(state, &Wanted::everything()).expect(what).unwrap(), *whole, "{what}");
    let left = snapshots(state);
    assert!(!left.is_empty() && left.iter().all(|path| path.extension().unwrap().len() == 16), "{what}: {left:?}");
}

#[tokio::test]
async fn a_snapshot_that_was_being_written_is_no_damage_however_far_it_came() {
    let (world, whole) = state().await;
    let snapshot = snapshot_of(&world.path());
    let bytes = fs::read(&snapshot).unwrap();
    let name = snapshot.file_name().unwrap().to_str().unwrap();
    let next = "snap.7000000000000000";
    for is_first in [false, true] {
        for length in (0..bytes.len()).step_by(bytes.len() / 7).chain([bytes.len(), bytes.len() + 9]) {
            for place in [name, next] {
                if is_first {
                    let _ = fs::remove_file(&snapshot);
                } else {
                    fs::write(&snapshot, &bytes).unwrap();
                }
                let mut begun = bytes.clone();
                begun.resize(length, 7);
                fs::write(world.path().join(format!("sled/{place}.generating")), begun).unwrap();
                stands(&world.path(), &whole, &format!("{length} bytes of {place}, first: {is_first}"));
            }
        }
    }
}

#[tokio::test]
async fn a_snapshot_that_replaced_one_which_is_still_there_is_no_damage() {
    let (world, _) = state().await;
    let old = snapshot_of(&world.path());
    let bytes = fs::read(&old).unwrap();
    let store = world.open();
    store.commit(vec![Change::RemoveBinding { key: key("k1") }]).await.unwrap();
    store.close().await.unwrap();
    let whole = world.read_all();
    assert_ne!(snapshot_of(&world.path()), old);
    fs::write(&old, bytes).unwrap();
    stands(&world.path(), &whole, "two snapshots");
}

#[tokio::test]
async fn a_damaged_snapshot_is_built_again() {
    let (world, whole) = state().await;
    let snapshot = snapshot_of(&world.path());
    let bytes = fs::read(&snapshot).unwrap();
    let spoil = |spoiled: &[u8], what: &str| {
        fs::write(&snapshot, spoiled).unwrap();
        assert_eq!(read(&world.path(), &Wanted::everything()).expect(what).unwrap(), whole, "{what}");
        assert_eq!(snapshot_of(&world.path()), snapshot);
    };
    for length in (0..16).chain((16..bytes.len()).step_by(bytes.len() / 20)) {
        spoil(&bytes[..length], &format!("cut to {length} bytes"));
    }
    for at in (0..bytes.len()).step_by(bytes.len() / 20).chain(bytes.len() - 12..bytes.len()) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        spoil(&flipped, &format!("flipped at {at}"));
    }
    spoil(&vec![0; bytes.len()], "blank");
    spoil(&[&bytes[..], b"more"].concat(), "longer");
}

#[tokio::test]
async fn a_damaged_snapshot_is_built_again_whatever_the_log_went_through() {
    let world = World::new();
    for round in 0..6_u64 {
        let store = world.open();
        for number in 0..40_u64 {
            let title = format!("{round} {}", "of things ".repeat(usize::try_from(number * 61 % 500).unwrap()));
            let contact = round * 7 + number;
            let change = match number % 11 {
                10 => Change::RemoveBinding { key: key(&format!("k{}", contact.saturating_sub(9))) },
                _ => {
                    Change::PutBinding { key: key(&format!("k{contact}")), binding: Box::new(binding(contact, &title)) }
                }
            };
            store.commit(vec![change]).await.unwrap();
        }
        store.close().await.unwrap();
        let whole = world.read_all();
        fs::write(snapshot_of(&world.path()), b"not what it was").unwrap();
        stands(&world.path(), &whole, &format!("round {round}"));
    }
}

#[tokio::test]
async fn damaged_settings_of_sled_are_written_again() {
    let (world, whole) = state().await;
    let settings = world.path().join("sled/conf");
    let bytes = fs::read(&settings).unwrap();
    let mut flipped = bytes.clone();
    flipped[5] ^= 1;
    for spoiled in [&[][..], &bytes[..3], &bytes[..20], &flipped, b"not what it was"] {
        fs::write(&settings, spoiled).unwrap();
        stands(&world.path(), &whole, "settings");
        assert_eq!(fs::read(&settings).unwrap(), bytes);
    }
}
