//! An index changes no result: any sequence of edits, writes, crashes and damage, planned with it and without.

mod rows;
mod steps;
mod world;

use std::fs;
use std::time::Duration;

use proptest::prelude::*;

use self::rows::{binding, key};
use self::steps::{FILES, Step, any_step};
use self::world::World;
use super::super::{Desired, LoadError, Loader, ReadError, Want, read};
use crate::model::{ContactKey, Entry, Fingerprint};
use crate::ops::desired::Open;
use crate::source::LOADER;
use crate::state::{self, Change};
use crate::store::{self, Moment};

const FAR_AHEAD: i64 = i64::MAX;

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_changes_no_result(steps in prop::collection::vec(any_step(), 1..25), keeps in any::<bool>()) {
        let world = World::new(Some(FAR_AHEAD), if keeps { 1 << 20 } else { 0 });
        for step in steps {
            world.step(&step);
            world.check();
        }
    }

    #[test]
    fn files_just_written_are_compared_by_content(steps in prop::collection::vec(any_step(), 1..25)) {
        let world = World::new(None, 0);
        for step in steps {
            world.step(&step);
            world.check();
        }
    }
}

/// Applies a directory of three files and plans once more.
fn settled() -> World {
    let world = World::new(Some(FAR_AHEAD), 0);
    for (file, text) in [(0, 0), (2, 2), (4, 7)] {
        world.step(&Step::Write { file, text });
    }
    world.step(&Step::Apply { every: 1, renews: true });
    world
}

#[test]
fn a_plan_of_what_stands_applied_opens_no_store() {
    let world = settled();
    let lock = fs::File::open(world.state().join("lock")).unwrap();
    lock.lock().unwrap();
    let desired = world.loader().load().unwrap();
    let reading =
        world.runtime.block_on(read(&world.state().into(), Want::Plan(&desired), Duration::ZERO)).unwrap().unwrap();
    assert_eq!((reading.snapshot.unchanged, reading.snapshot.bindings.len()), (3, 0));
    assert_eq!(desired.warnings.len(), 1);
}

/// A comment was added, and a file renamed: all of their entries were looked up.
#[test]
fn a_plan_of_edits_that_change_no_entry_opens_no_store() {
    let world = settled();
    let commented = world.dir().join(FILES[0]);
    let text = format!("{}\n# as agreed\n", fs::read_to_string(&commented).unwrap());
    world.edit(&commented, |path| fs::write(path, &text).unwrap());
    world.step(&Step::Rename { from: 2, to: 3 });
    let lock = fs::File::open(world.state().join("lock")).unwrap();
    lock.lock().unwrap();
    let desired = world.loader().load().unwrap();
    assert_eq!(desired.contacts(), 3);
    let reading =
        world.runtime.block_on(read(&world.state().into(), Want::Plan(&desired), Duration::ZERO)).unwrap().unwrap();
    assert_eq!((reading.snapshot.unchanged, reading.snapshot.unbound.len()), (3, 0));
    drop(lock);
    world.check();
}

/// The index was as good as ever, so nobody looked into the store.
#[test]
fn a_store_that_was_written_by_others_is_looked_into() {
    for damage in [&b""[..], b"not sled's"] {
        let world = settled();
        let log = world.state().join("sled/db");
        let mut bytes = damage.to_vec();
        bytes.resize(fs::read(&log).unwrap().len(), 0xa5);
        world.edit(&log, |log| fs::write(log, &bytes).unwrap());
        let desired = world.loader().load().unwrap();
        let reading = || world.runtime.block_on(read(&world.state().into(), Want::Plan(&desired), Duration::ZERO));
        let copied = reading().unwrap().unwrap();
        assert!(copied.instead.is_some() && copied.snapshot.unbound.is_empty(), "{copied:?}");
        fs::remove_file(world.state().join("copy.jsonl")).unwrap();
        let alone = reading();
        assert!(matches!(alone, Err(ReadError::Store(state::Error::Unreadable { .. }))), "{alone:?}");
    }
}

#[test]
fn what_changed_alone_is_looked_up() {
    let world = settled();
    world.step(&Step::Write { file: 0, text: 1 });
    let desired = world.loader().load();
    // ada stands in two files now: bob was in the other.
    assert!(matches!(desired, Err(LoadError::Invalid { .. })));
    world.step(&Step::Remove { file: 2 });
    let desired = world.loader().load().unwrap();
    let Open { part, declared, .. } = desired.part().unwrap();
    let keys: Vec<&str> = part.keys.iter().map(ContactKey::as_str).collect();
    assert_eq!((keys, part.unchanged, declared.roster.len()), (vec!["ada", "bob"], 1, 2));
    world.check();
}

#[test]
fn an_apply_of_one_contact_leaves_the_rest_of_the_index_as_good_as_it_was() {
    let world = settled();
    world.step(&Step::Sneak { file: 0, text: 4 });
    world.step(&Step::Apply { every: 1, renews: true });
    let index = store::open_index(&world.state().into(), LOADER).unwrap();
    assert_eq!((index.contacts(), index.state().unwrap().applied), (3, 3));
    let desired = world.loader().load().unwrap();
    let Open { part, note, .. } = desired.part().unwrap();
    assert!(part.keys.is_empty() && note.is_quiet);
}

#[test]
fn a_session_trusts_the_index_that_it_renewed_itself() {
    let world = settled();
    world.step(&Step::Sneak { file: 0, text: 4 });
    let session = world.session();
    let loader = || Loader::within(&session, &world.dir()).with(0, world.stamp);
    let desired = loader().load().unwrap();
    let keys = |desired: &Desired| desired.part().unwrap().part.keys.len();
    assert_eq!(keys(&desired), 2);
    let snapshot = world.runtime.block_on(session.snapshot(&desired)).unwrap();
    assert!(desired.part().is_some(), "nobody else was looked up");
    let dot = desired.entry(&key("dot")).unwrap().unwrap();
    let change = |key: &ContactKey, of: Fingerprint| Change::PutBinding {
        key: key.clone(),
        binding: Box::new(binding(key, Some(of))),
    };
    let commit = |change: Change| world.runtime.block_on(session.store().commit(vec![change])).unwrap();
    commit(change(&key("dot"), dot.fingerprint()));
    commit(Change::RemoveBinding { key: key("ada") });
    // Written to since, and nothing else is known to be: a part that looks at both keys is enough.
    assert_eq!(keys(&loader().load().unwrap()), 2);
    world.runtime.block_on(session.renew_index(&desired, &snapshot));
    let desired = loader().load().unwrap();
    assert_eq!(keys(&desired), 0);
    assert_eq!(world.runtime.block_on(session.snapshot(&desired)).unwrap().unchanged, 3);
    // What is written to an entry that no part looks at takes the whole state to compare.
    commit(change(&key("gil"), Fingerprint::from_bytes([1; 16])));
    let snapshot = world.runtime.block_on(session.snapshot(&desired)).unwrap();
    assert_eq!((snapshot.bindings.len(), desired.part().is_none()), (1, true));
    world.runtime.block_on(session.close()).unwrap();
    world.check();
}

#[test]
fn entries_without_room_are_read_again() {
    let world = settled();
    let desired = world.loader().load().unwrap();
    let entry: Entry = desired.entry(&key("ada")).unwrap().unwrap();
    assert_eq!(entry.key(), &key("ada"));
    world.write(&world.dir().join(FILES[0]), "contacts: {}");
    assert!(matches!(desired.entry(&key("ada")), Err(LoadError::Unreadable(_))));
}

/// A writer died after its mark; whatever it wrote, the state is read in full until an index is renewed.
#[test]
fn a_mark_is_taken_away_by_who_has_read_everything() {
    let world = settled();
    world.step(&Step::MarkAlone);
    assert!(world.loader().load().unwrap().part().is_none());
    world.step(&Step::Plan);
    assert!(!world.state().join("index.behind").exists());
    assert!(world.loader().load().unwrap().part().unwrap().part.keys.is_empty());
}

/// What a failed commit left in memory was taken for what is on disk: nobody was told any more that it is not.
#[test]
fn an_index_claims_nothing_of_a_commit_that_failed() {
    for moment in [Moment::BeforeBatch, Moment::AmidBatch, Moment::AfterBarrier, Moment::AfterHead] {
        for is_lost in [true, false] {
            let world = settled();
            world.step(&Step::Write { file: 1, text: 5 });
            world.step(&Step::Broken { every: 1, commit: 1, moment, is_lost });
            assert!(world.state().join("index.behind").exists() || moment == Moment::BeforeBatch, "{moment:?}");
            let (desired, _) = world.check().unwrap();
            assert_eq!(desired.contacts(), 4);
        }
    }
}
