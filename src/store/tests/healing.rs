//! Damaged states with a copy: nothing is lost by what happens to one of both, and what happens to both is told.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::support::*;
use crate::model::IntentId;
use crate::state::{Change, Error, Snapshot, Wanted};
use crate::store::{Remark, Store, pull};

const COUNT: u64 = 120;

fn put(number: u64, title: &str) -> Change {
    let title = format!("{title} {number} {}", "of things ".repeat(60));
    Change::PutBinding { key: key(&format!("k{number}")), binding: Box::new(binding(number, &title)) }
}

/// A closed state of many commits.
async fn world_of_many() -> World {
    let world = World::new();
    let store = world.open();
    for number in 0..COUNT {
        store.commit(vec![put(number, "Engineer")]).await.unwrap();
    }
    for number in (0..COUNT).step_by(3) {
        store.commit(vec![put(number, "Director")]).await.unwrap();
    }
    store.commit(vec![Change::Forget { key: key("k0"), tombstone: tombstone(0) }]).await.unwrap();
    store.commit(vec![Change::Rename { from: key("k1"), to: key("l1") }]).await.unwrap();
    store.commit(vec![Change::PutIntent { id: IntentId(7), intent: Box::new(intent("k7")) }]).await.unwrap();
    store.commit(vec![Change::PutConflict(conflict("eve"))]).await.unwrap();
    store.close().await.unwrap();
    world
}

fn copy_of(world: &World) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    copy_tree(&world.path(), &path);
    (directory, path)
}

fn everything(path: &Path) -> Snapshot {
    read(path, &Wanted::everything()).unwrap().unwrap()
}

fn pulled(path: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    pull(&path.into(), &mut out).unwrap().unwrap();
    out
}

fn aside(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".aside-")).collect()
}

/// Whatever was done to a state, it reads as whole, takes commits, and is whole again afterwards. Reports whether sled
/// was built again.
#[track_caller]
fn heals(path: &Path, whole: &Snapshot, text: &[u8], what: &str) -> bool {
    assert_eq!(everything(path), *whole, "{what}: read");
    assert_eq!(pulled(path), text, "{what}: pulled");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = open(path, "unused").expect(what);
    let remarks = store.remarks().to_vec();
    runtime.block_on(async {
        assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap(), *whole, "{what}: opened");
        assert_eq!(store.owner_of(&id(1)).await.unwrap(), Some(key("l1")), "{what}");
        assert!(store.next_intent_id() >= IntentId(8), "{what}");
        store.commit(vec![Change::RemoveBinding { key: key("l1") }]).await.unwrap();
        store.close().await.unwrap();
    });
    let store = open(path, "unused").expect(what);
    assert_eq!(store.remarks(), [], "{what}: once");
    drop(store);
    let after = everything(path);
    assert_eq!(after.bindings.len() + 1, whole.bindings.len(), "{what}");
    assert!(!path.join("incoming").exists() && !path.join("arrived").exists());
    let is_rebuilt = matches!(remarks[..], [Remark::Rebuilt { .. }]);
    assert!(is_rebuilt || remarks.is_empty(), "{what}: {remarks:?}");
    is_rebuilt
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

#[tokio::test]
async fn a_sled_that_was_cut_flipped_zeroed_or_removed_is_built_again() {
    let world = world_of_many().await;
    let (whole, text) = (world.read_all(), pulled(&world.path()));
    let length = fs::metadata(world.path().join("sled/db")).unwrap().len();
    let mut rebuilt = 0;
    let mut check = |what: &str, spoil: &dyn Fn(&Path)| {
        let (_guard, path) = copy_of(&world);
        spoil(&path);
        let is_rebuilt = std::thread::scope(|scope| scope.spawn(|| heals(&path, &whole, &text, what)).join().unwrap());
        assert_eq!(aside(&path).len(), usize::from(is_rebuilt && !what.contains("without")), "{what}");
        rebuilt += u32::from(is_rebuilt);
    };
    for eighth in 0..8 {
        check(&format!("cut at {eighth}/8"), &|path| {
            let file = fs::OpenOptions::new().write(true).open(path.join("sled/db")).unwrap();
            file.set_len(length * eighth / 8).unwrap();
        });
    }
    for step in 0..12 {
        let at = (length * step / 12 + step * 7 % 64).min(length - 4);
        check(&format!("flipped at {at}"), &|path| overwrite(&path.join("sled/db"), at, &[0xA5, 0x5A, 0xFF, 0x01]));
    }
    for page in (0..length / 4096).step_by(7) {
        check(&format!("page {page} zeroed"), &|path| overwrite(&path.join("sled/db"), page * 4096, &[0; 4096]));
    }
    check("zeroed", &|path| fs::write(path.join("sled/db"), vec![0; usize::try_from(length).unwrap()]).unwrap());
    check("no db", &|path| fs::remove_file(path.join("sled/db")).unwrap());
    check("without sled", &|path| fs::remove_dir_all(path.join("sled")).unwrap());
    check("other files", &|path| {
        for name in ["conf", "blobs"] {
            let at = path.join("sled").join(name);
            if at.is_dir() { fs::remove_dir_all(at).unwrap() } else { fs::write(at, "not what it was").unwrap() }
        }
    });
    assert!(rebuilt > 15, "only {rebuilt} hit anything");
}

#[tokio::test]
async fn a_sled_that_is_behind_is_brought_up_or_built_again_by_how_far_the_head_is() {
    let world = world_of_many().await;
    let (_guard, old) = copy_of(&world);
    let store = world.open();
    for number in 200..230 {
        store.commit(vec![put(number, "Engineer"), Change::DropIntent { id: IntentId(7) }]).await.unwrap();
    }
    store.close().await.unwrap();
    let (whole, text) = (world.read_all(), pulled(&world.path()));
    // The copy is ahead of both, as after a kill before sled had its batch.
    let (_first, path) = copy_of(&world);
    fs::remove_dir_all(path.join("sled")).unwrap();
    copy_tree(&old.join("sled"), &path.join("sled"));
    fs::copy(old.join("head"), path.join("head")).unwrap();
    let store = open(&path, "unused").unwrap();
    assert_eq!(store.remarks(), [], "nothing was damaged");
    assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap(), whole);
    store.close().await.unwrap();
    assert_eq!((everything(&path), pulled(&path)), (whole.clone(), text.clone()));
    // The head has seen more than sled holds.
    let (_second, path) = copy_of(&world);
    fs::remove_dir_all(path.join("sled")).unwrap();
    copy_tree(&old.join("sled"), &path.join("sled"));
    let store = open(&path, "unused").unwrap();
    let [Remark::Rebuilt { why, aside: Some(kept) }] = store.remarks() else { panic!("{:?}", store.remarks()) };
    assert!(why.contains("older than it was") && kept.exists(), "{why}");
    assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap(), whole);
    store.close().await.unwrap();
    assert_eq!((everything(&path), pulled(&path)), (whole, text));
}

#[tokio::test]
async fn a_copy_that_is_gone_behind_torn_or_damaged_is_written_again_from_sled() {
    let world = world_of_many().await;
    let whole = world.read_all();
    let bytes = fs::read(world.path().join("copy.jsonl")).unwrap();
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
    let end = |count: usize| bytes.len() - count;
    let flipped = |at: usize| {
        let mut flipped = bytes.clone();
        flipped[at] ^= 8;
        Some(flipped)
    };
    for (what, spoiled, damaged) in [
        ("gone", None, None),
        ("empty", Some(Vec::new()), Some(0)),
        ("torn", Some(bytes[..end(9)].to_vec()), None),
        ("behind", Some(bytes[..=bytes[..end(1)].iter().rposition(|byte| *byte == b'\n').unwrap()].to_vec()), None),
        ("flipped at its end", flipped(end(80)), Some(lines)),
        ("flipped at its beginning", flipped(20), Some(1)),
        ("more behind it", Some([&bytes[..], b"more\n"].concat()), Some(lines + 1)),
        ("begun behind it", Some([&bytes[..], b"{\"coun"].concat()), None),
    ] {
        let (_guard, path) = copy_of(&world);
        match spoiled {
            None => fs::remove_file(path.join("copy.jsonl")).unwrap(),
            Some(spoiled) => fs::write(path.join("copy.jsonl"), spoiled).unwrap(),
        }
        assert_eq!(everything(&path), whole, "{what}");
        let store = open(&path, "unused").expect(what);
        match (store.remarks(), damaged) {
            ([], None) => {}
            ([Remark::CopyWritten { line, .. }], Some(damaged)) => assert_eq!(*line, damaged, "{what}"),
            (remarks, _) => panic!("{what}: {remarks:?}"),
        }
        store.commit(vec![Change::RemoveBinding { key: key("k2") }]).await.unwrap();
        store.close().await.unwrap();
        // From here on sled can be lost.
        fs::remove_dir_all(path.join("sled")).unwrap();
        let store = open(&path, "unused").expect(what);
        assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap().bindings.len() + 1, whole.bindings.len());
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_neither_holds_is_not_given_up_without_a_word() {
    let world = world_of_many().await;
    let copy = fs::read(world.path().join("copy.jsonl")).unwrap();
    for length in [0, copy.len() / 2, copy.len() - 1] {
        let (_guard, path) = copy_of(&world);
        fs::remove_file(path.join("sled/db")).unwrap();
        fs::write(path.join("copy.jsonl"), &copy[..length]).unwrap();
        for _ in 0..2 {
            let Err(error @ Error::Unreadable { .. }) = open(&path, "unused") else { panic!("it is lost") };
            assert!(error.to_string().contains("contactsd state recover"), "{error}");
            assert!(matches!(read(&path, &Wanted::everything()), Err(Error::Unreadable { .. })));
        }
        assert_eq!(fs::read(path.join("copy.jsonl")).unwrap(), &copy[..length]);
        assert_eq!(aside(&path), [""; 0]);
    }
}

/// A panic or a failed read inside sled may leave it in ruins while the state is open.
#[tokio::test]
async fn a_state_whose_process_ended_at_any_moment_is_whole() {
    let world = World::new();
    let store = world.open();
    for round in 0..12 {
        store.commit((0..20).map(|number| put(round * 7 + number, &format!("round {round}"))).collect()).await.unwrap();
        let expected = store.snapshot(&Wanted::everything()).await.unwrap();
        for lost in ["nothing", "sled", "copy.jsonl"] {
            // What a process finds that starts after a kill.
            let (_guard, path) = copy_of(&world);
            match lost {
                "sled" => fs::remove_dir_all(path.join(lost)).unwrap(),
                "copy.jsonl" => fs::remove_file(path.join(lost)).unwrap(),
                _ => {}
            }
            let next = open(&path, "unused").unwrap();
            assert_eq!(next.snapshot(&Wanted::everything()).await.unwrap(), expected, "round {round} without {lost}");
        }
    }
}

#[tokio::test]
async fn the_copy_of_a_state_that_is_written_over_and_over_stays_small() {
    let world = World::new();
    let store = world.open();
    for round in 0..1500 {
        store.commit(vec![put(round % 10, &format!("round {round}"))]).await.unwrap();
    }
    let whole = store.snapshot(&Wanted::everything()).await.unwrap();
    store.close().await.unwrap();
    let length = fs::metadata(world.path().join("copy.jsonl")).unwrap().len();
    assert!(length < 400 * 1024, "{length}");
    fs::remove_dir_all(world.path().join("sled")).unwrap();
    assert_eq!(everything(&world.path()), whole);
}

fn reopen(path: &Path) -> Store {
    open(path, "unused").unwrap()
}

#[tokio::test]
async fn a_rebuilding_that_stops_anywhere_is_done_again_or_finished_by_whoever_comes_next() {
    let world = world_of_many().await;
    let (whole, text) = (world.read_all(), pulled(&world.path()));
    let (_built, built) = copy_of(&world);
    fs::remove_dir_all(built.join("sled")).unwrap();
    reopen(&built).close().await.unwrap();
    for steps in 0..6 {
        let (_guard, path) = copy_of(&world);
        overwrite(&path.join("sled/db"), 0, &[0; 4096]);
        let incoming = path.join("incoming");
        fs::create_dir(&incoming).unwrap();
        copy_tree(&built.join("sled"), &incoming.join("sled"));
        if steps >= 1 {
            for name in ["copy.jsonl", "head"] {
                fs::copy(built.join(name), incoming.join(name)).unwrap();
            }
        }
        let arrived = path.join("arrived");
        if steps >= 2 {
            fs::write(incoming.join("keep"), r#"{"since":1700000000000,"names":["sled"]}"#).unwrap();
            fs::rename(&incoming, &arrived).unwrap();
        }
        if steps >= 3 {
            fs::rename(path.join("sled"), path.join("sled.aside-20231114T221320Z")).unwrap();
        }
        if steps >= 4 {
            fs::remove_file(path.join("copy.jsonl")).unwrap();
        }
        if steps >= 5 {
            fs::rename(arrived.join("sled"), path.join("sled")).unwrap();
        }
        let what = format!("after step {steps}");
        if steps % 2 == 0 {
            assert_eq!((everything(&path), pulled(&path)), (whole.clone(), text.clone()), "{what}");
        }
        let store = reopen(&path);
        assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap(), whole, "{what}");
        store.close().await.unwrap();
        assert_eq!((everything(&path), pulled(&path)), (whole.clone(), text.clone()), "{what}");
        assert_eq!(aside(&path).len(), 1, "{what}");
    }
}
