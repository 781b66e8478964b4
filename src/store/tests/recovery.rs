//! States that lost something for good: what is wrong is named, and what is left is saved once that is approved.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::support::*;
use crate::model::Serial;
use crate::state::{Change, Error, Wanted};
use crate::store::guard::open_sled;
use crate::store::{
    Checked, Examined, Fault, Left, Point, Recovery, Remark, Source, check, examine, remove_aside, set_aside,
};

fn put(number: u64) -> Change {
    Change::PutBinding { key: key(&format!("k{number}")), binding: Box::new(binding(number, "Engineer")) }
}

/// A closed state of 20 contacts, and what its directory held when there were 12.
async fn world() -> (World, tempfile::TempDir) {
    let world = World::new();
    let earlier = tempfile::tempdir().unwrap();
    for (from, to) in [(0, 12), (12, 20)] {
        let store = world.open();
        for number in from..to {
            store.commit(vec![put(number)]).await.unwrap();
        }
        store.close().await.unwrap();
        if to == 12 {
            copy_tree(&world.path(), earlier.path());
        }
    }
    (world, earlier)
}

fn point(contacts: u64) -> Point {
    Point { commit: contacts + 1, serial: Serial(contacts), contacts }
}

/// Puts something back as it was earlier.
fn put_back(world: &World, earlier: &Path, name: &str) {
    let (from, to) = (earlier.join(name), world.path().join(name));
    if from.is_dir() {
        fs::remove_dir_all(&to).unwrap();
        copy_tree(&from, &to);
    } else {
        fs::copy(from, to).unwrap();
    }
}

fn lose(world: &World, name: &str) {
    let path = world.path().join(name);
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

fn damaged(world: &World) -> Recovery {
    match examine(&options(&world.path())).unwrap() {
        Examined::Damaged(recovery) => *recovery,
        Examined::None => panic!("there is one"),
        Examined::Whole(remarks) => panic!("whole: {remarks:?}"),
    }
}

fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Saves what is left; afterwards the state holds so many contacts and goes on.
async fn saves(world: &World, recovery: Recovery, contacts: u64) {
    assert_eq!(recovery.keys.len() as u64, contacts);
    let recovered = recovery.carry_out().unwrap();
    assert_eq!(recovered.now.contacts, contacts);
    assert!(recovered.now.serial > Serial(20) && recovered.now.commit > 21, "{recovered:?}");
    assert!(!recovered.aside.is_empty() && recovered.aside.iter().all(|path| path.exists()));
    assert_eq!(whole(world).contacts, contacts);
    let store = world.open();
    assert_eq!(store.remarks(), []);
    assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap().bindings.len() as u64, contacts);
    assert_eq!(store.owner_of(&id(3)).await.unwrap(), Some(key("k3")));
    store.commit(vec![put(90)]).await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(examine(&options(&world.path())).unwrap(), Examined::Whole(remarks) if remarks.is_empty()));
    let aside = set_aside(&world.location()).unwrap().unwrap();
    assert_eq!(aside.len(), recovered.aside.len());
    remove_aside(&world.location(), &aside).unwrap();
    assert_eq!(set_aside(&world.location()).unwrap().unwrap(), []);
    assert_eq!(whole(world).contacts, contacts + 1);
}

fn checked(world: &World) -> Checked {
    check(&world.location()).unwrap().unwrap()
}

#[track_caller]
fn whole(world: &World) -> Checked {
    let found = checked(world);
    assert_eq!(found.faults, []);
    found
}

#[tokio::test]
async fn an_older_copy_is_what_is_left_once_sled_is_gone() {
    let (world, earlier) = world().await;
    put_back(&world, earlier.path(), "copy.jsonl");
    lose(&world, "sled");
    assert!(matches!(world.try_open(), Err(Error::Unreadable { .. })));
    let before = files(&world.path());
    let recovery = damaged(&world);
    assert_eq!((recovery.was, recovery.from), (Some(point(20)), Source::Copy));
    assert_eq!((&recovery.copy, recovery.keeps()), (&Left::Upto(point(12), None), point(12)));
    assert!(matches!(&recovery.database, Left::Nothing(why) if why.contains("sled/db is gone")));
    assert!(matches!(world.try_open(), Err(Error::Locked { holder: Some(_), .. })), "it is held");
    drop(recovery);
    lose(&world, "holder.json");
    assert_eq!(files(&world.path()), before, "to look changes nothing");
    saves(&world, damaged(&world), 12).await;
}

#[tokio::test]
async fn an_older_sled_is_what_is_left_once_the_copy_is_gone() {
    let (world, earlier) = world().await;
    put_back(&world, earlier.path(), "sled");
    lose(&world, "copy.jsonl");
    let recovery = damaged(&world);
    assert_eq!((recovery.from, &recovery.database), (Source::Database, &Left::Upto(point(12), None)));
    saves(&world, recovery, 12).await;
}

#[tokio::test]
async fn of_two_that_are_older_the_one_that_came_further_is_taken() {
    let (world, earlier) = world().await;
    let copy = world.path().join("copy.jsonl");
    let lines = fs::read_to_string(&copy).unwrap();
    // Up to 15 contacts, and a line that is damaged behind that.
    let kept: Vec<&str> = lines.split_inclusive('\n').collect();
    let kept = &kept[..kept.len() - 5];
    fs::write(&copy, [&kept.concat(), "{\"counters\":{}}\n"].concat()).unwrap();
    put_back(&world, earlier.path(), "sled");
    let recovery = damaged(&world);
    let Left::Upto(of_copy, Some(why)) = &recovery.copy else { panic!("{:?}", recovery.copy) };
    assert_eq!((recovery.from, *of_copy), (Source::Copy, point(15)));
    assert!(why.starts_with(&format!("line {}: ", kept.len() + 1)), "{why}");
    saves(&world, recovery, 15).await;
    put_back(&world, earlier.path(), "sled");
    put_back(&world, earlier.path(), "copy.jsonl");
    let recovery = damaged(&world);
    assert_eq!((recovery.from, recovery.keeps()), (Source::Database, point(12)));
}

#[tokio::test]
async fn rows_that_can_be_read_are_saved_where_nothing_else_is_left() {
    let (world, _earlier) = world().await;
    let db = open_sled(&world.path()).unwrap();
    for row in ["b/k7", "b/k8", "a/000000000000000000000001"] {
        db.db.remove(row).unwrap().unwrap();
    }
    db.db.insert("b/k9", b"\x01{}").unwrap();
    db.db.flush().unwrap();
    db.close().unwrap();
    lose(&world, "copy.jsonl");
    let recovery = damaged(&world);
    assert_eq!((recovery.from, &recovery.database), (Source::Database, &Left::Some { contacts: 17 }));
    saves(&world, recovery, 17).await;
}

#[tokio::test]
async fn without_a_head_nobody_knows_what_was_lost_and_nothing_is() {
    let (world, _earlier) = world().await;
    lose(&world, "head");
    assert!(world.try_open().is_err());
    let recovery = damaged(&world);
    assert_eq!((recovery.was, recovery.from, recovery.keeps()), (None, Source::Database, point(20)));
    saves(&world, recovery, 20).await;
}

#[tokio::test]
async fn what_can_be_put_right_is_and_what_is_gone_is_gone() {
    assert!(matches!(examine(&options(&World::new().path())).unwrap(), Examined::None));
    let (world, _earlier) = world().await;
    assert!(matches!(examine(&options(&world.path())).unwrap(), Examined::Whole(remarks) if remarks.is_empty()));
    lose(&world, "sled");
    let Examined::Whole(remarks) = examine(&options(&world.path())).unwrap() else { panic!("the copy is whole") };
    assert!(matches!(remarks[..], [Remark::Rebuilt { aside: None, .. }]), "{remarks:?}");
    lose(&world, "sled");
    lose(&world, "copy.jsonl");
    let refused = examine(&options(&world.path())).map(drop);
    let Err(error @ Error::NothingLeft { .. }) = refused else { panic!("{refused:?}") };
    assert!(!error.to_string().contains("state recover"), "that is what was run: {error}");
    assert!(!world.path().join("holder.json").exists());
}

#[tokio::test]
async fn each_fault_is_named_and_to_look_for_it_changes_nothing() {
    type Spoil<'a> = &'a dyn Fn(&World);
    type Is = fn(&[Fault]) -> bool;

    let (whole_world, earlier) = world().await;
    assert_eq!((whole(&whole_world).contacts, whole(&whole_world).serial), (20, Serial(20)));
    let last_line = |world: &World| {
        let copy = world.path().join("copy.jsonl");
        let length = fs::metadata(&copy).unwrap().len();
        fs::OpenOptions::new().write(true).open(&copy).unwrap().write_all_at(b"#", length - 60).unwrap();
    };
    let row = |world: &World, row: &str, value: Option<&[u8]>| {
        let db = open_sled(&world.path()).unwrap();
        match value {
            Some(value) => drop(db.db.insert(row, value).unwrap()),
            None => drop(db.db.remove(row).unwrap()),
        }
        db.db.flush().unwrap();
        db.close().unwrap();
    };
    let cases: [(&str, Spoil<'_>, Is); 9] = [
        ("no db", &|world| lose(world, "sled/db"), |found| matches!(found, [Fault::Database(_)])),
        ("no copy", &|world| lose(world, "copy.jsonl"), |found| matches!(found, [Fault::CopyMissing])),
        (
            "a copy of another state",
            &|world| {
                let other = World::new();
                drop(open(&other.path(), "other").unwrap());
                fs::copy(other.path().join("copy.jsonl"), world.path().join("copy.jsonl")).unwrap();
            },
            |found| matches!(found, [Fault::CopyOfAnotherState]),
        ),
        ("a damaged line", &last_line, |found| matches!(found, [Fault::Copy(why)] if why.starts_with("line "))),
        ("an older copy", &|world| put_back(world, earlier.path(), "copy.jsonl"), |found| {
            matches!(found, [Fault::CopyBehind(8)])
        }),
        (
            "an older sled",
            &|world| put_back(world, earlier.path(), "sled"),
            |found| matches!(found, [Fault::Database(why), Fault::DatabaseBehind(8)] if why.contains("older")),
        ),
        ("no head", &|world| fs::write(world.path().join("head"), "").unwrap(), |found| {
            matches!(found, [Fault::Head(_)])
        }),
        ("a missing row", &|world| row(world, "b/k3", None), |found| matches!(found, [Fault::Database(_)])),
        ("another row", &|world| row(world, "b/k3", Some(b"\x01{}")), |found| matches!(found, [Fault::Database(_)])),
    ];
    for (what, spoil, is) in cases {
        let world = World::new();
        copy_tree(&whole_world.path(), &world.path());
        spoil(&world);
        for _ in 0..2 {
            let found = checked(&world);
            assert!(is(&found.faults), "{what}: {found:?}");
        }
    }
}

/// A mistake of ours would show here: both are whole, and hold something else.
#[tokio::test]
async fn rows_in_which_sled_and_its_copy_differ_are_counted() {
    let (world, _earlier) = world().await;
    let copy = world.path().join("copy.jsonl");
    let facts = crate::state::Facts::new(
        crate::model::Lineage("first".to_owned()),
        ORIGIN.to_owned(),
        crate::model::IdentityKey([7; 32]),
    );
    let crate::store::copy::Opened::Whole(copied) =
        crate::store::copy::Opened::read(&crate::private_dir::PrivateDir::make(&world.path()).unwrap()).unwrap()
    else {
        panic!("{}", copy.display())
    };
    let state = crate::private_dir::PrivateDir::make(&world.path()).unwrap();
    let counters = copied.counters().clone();
    crate::store::copy::make(&state, &facts, &counters, |out| {
        copied.each(|row, value| match &row {
            crate::state::Row::Binding(contact) if contact.as_str() == "k3" => Ok(()),
            crate::state::Row::Binding(contact) if contact.as_str() == "k5" => {
                out.row(&row, &crate::state::encode(&binding(5, "Director")))
            }
            _ => out.row(&row, value),
        })?;
        Ok(counters.clone())
    })
    .unwrap();
    let found = checked(&world);
    assert!(matches!(&found.faults[..], [Fault::Differ { rows: 2, example }] if example == "b/k3"), "{found:?}");
}
