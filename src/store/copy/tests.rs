//! Copies of random states: read back, cut at every place, changed at every place, written again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};

use proptest::prelude::*;

use super::*;
use crate::model::{IdentityKey, IntentId, Lineage, Serial};
use crate::private_dir::PrivateDir;
use crate::state::tests::support::{binding, id, key};
use crate::state::{CopyWriter, Counters, Error, Facts, Row, Totals, Writes, encode};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

struct World {
    directory: tempfile::TempDir,
    state: PrivateDir,
    counters: Counters,
    model: Model,
}

fn facts() -> Facts {
    Facts::new(Lineage("first".to_owned()), "https://api.apollo.io".to_owned(), IdentityKey([7; 32]))
}

impl World {
    /// Begins a state of a few rows, with its copy.
    fn begin() -> (Self, CopyFile) {
        let directory = tempfile::tempdir().unwrap();
        let state = PrivateDir::make(directory.path()).unwrap();
        let mut model = Model::new();
        for name in ["ada", "bo", "cy"] {
            model.insert(Row::Tombstone(key(name)).to_bytes(), encode(&name));
        }
        let counters = Counters { commit: 3, serial: Serial(2), ..Counters::default() };
        let world = Self { directory, state, counters, model };
        let copy = CopyFile::write(&world.state, &facts(), &world.counters, |copy| world.rows(copy)).unwrap();
        (world, copy)
    }

    fn rows(&self, copy: &mut CopyWriter<'_>) -> Result<Counters, Error> {
        self.model.iter().try_for_each(|(row, value)| copy.row(&Row::parse(row).unwrap(), value))?;
        Ok(self.counters.clone())
    }

    fn commit(&mut self, copy: &mut CopyFile, rows: &[(Row, Option<Vec<u8>>)]) {
        self.counters.commit += 1;
        self.counters.serial.0 += 2;
        let mut writes: Writes = rows.iter().cloned().collect();
        for (row, value) in writes.iter().filter(|(row, _)| !matches!(row, Row::Owner(_))) {
            match value {
                Some(value) => self.model.insert(row.to_bytes(), value.clone()),
                None => self.model.remove(&row.to_bytes()),
            };
        }
        self.counters.totals = Totals::default();
        for (row, value) in &self.model {
            self.counters.totals.add(row, value);
            if row.starts_with(b"b/") {
                // The owner of the contact has a row, too.
                self.counters.totals.add(b"a/", value);
            }
        }
        writes.insert(Row::Counters, Some(encode(&self.counters)));
        copy.append(&writes).unwrap();
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("copy.jsonl")
    }

    fn read(&self) -> Copied {
        match Opened::read(&self.state).unwrap() {
            Opened::Whole(copied) => *copied,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn holds(&self, copied: &Copied) {
        assert_eq!(rows_of(copied), self.model);
        assert_eq!(*copied.counters(), self.counters);
    }
}

fn rows_of(copied: &Copied) -> Model {
    let (mut rows, mut last) = (Model::new(), Vec::new());
    let each = copied.each(|row, value| {
        let key = row.to_bytes();
        assert!(last < key, "sorted");
        last.clone_from(&key);
        rows.insert(key, value.to_vec());
        Ok(())
    });
    each.unwrap();
    rows
}

fn any_row() -> impl Strategy<Value = (Row, Option<Vec<u8>>)> {
    let row = (0..12_u64, 0..4_u8).prop_map(|(number, kind)| match kind {
        0 => Row::Binding(key(&format!("k{number}"))),
        1 => Row::Intent(IntentId(number * 97)),
        2 => Row::Tombstone(key(&format!("k{number}"))),
        _ => Row::owner(&id(number)),
    });
    let value = prop::option::weighted(0.7, "[ -~é\n\"]{0,30}".prop_map(|text| encode(&text)));
    (row, value)
}

fn any_commits() -> impl Strategy<Value = Vec<Vec<(Row, Option<Vec<u8>>)>>> {
    prop::collection::vec(prop::collection::vec(any_row(), 0..6), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_committed_is_read_back(commits in any_commits(), renewed in 0..12_usize, reopened in 0..12_usize) {
        let (mut world, mut copy) = World::begin();
        for (number, commit) in commits.iter().enumerate() {
            world.commit(&mut copy, commit);
            if number == renewed {
                prop_assert!(copy.renew(&facts(), &world.counters, |copy| world.rows(copy)).unwrap());
            }
            if number == reopened {
                copy = CopyFile::open(&world.state, &world.read().scanned).unwrap();
            }
            world.holds(&world.read());
        }
        prop_assert_eq!(world.read().scanned.ending, Ending::Whole);
    }

    #[test]
    fn what_followed_on_a_commit_is_handed_over_as_it_was_written(commits in any_commits(), from in 0..12_u64) {
        let (mut world, mut copy) = World::begin();
        let (first, mut rows) = (world.counters.commit, world.model.clone());
        let from = first + from % commits.len() as u64;
        for commit in &commits {
            if world.counters.commit == from {
                rows.clone_from(&world.model);
            }
            world.commit(&mut copy, commit);
        }
        let mut counters = None;
        let each = world.read().each_commit_after(from, |writes| {
            for (row, value) in writes {
                match (&row, value) {
                    (Row::Counters, Some(value)) => counters = Some(value),
                    (Row::Owner(_), _) => {}
                    (_, Some(value)) => drop(rows.insert(row.to_bytes(), value)),
                    (_, None) => drop(rows.remove(&row.to_bytes())),
                }
            }
            Ok(())
        });
        each.unwrap();
        prop_assert_eq!(rows, world.model);
        prop_assert_eq!(counters, Some(encode(&world.counters)));
    }
}

/// A copy of some commits, with what it held after each of its lines: the bytes up to there, rows and counters.
fn history(title: &str) -> (World, Vec<(u64, Model, Counters)>) {
    let (mut world, mut copy) = World::begin();
    let now = |world: &World| (fs::metadata(world.path()).unwrap().len(), world.model.clone(), world.counters.clone());
    let mut after = vec![now(&world)];
    for number in 0..5 {
        let value = encode(&binding(number, title));
        let put = (Row::Binding(key(&format!("k{number}"))), Some(value));
        world.commit(
            &mut copy,
            &[put, (Row::Tombstone(key("bo")), None), (Row::owner(&id(number)), Some(encode(&"k")))],
        );
        after.push(now(&world));
    }
    (world, after)
}

#[test]
fn a_copy_that_is_cut_anywhere_is_what_it_was_after_its_last_whole_line() {
    let (mut world, after) = history("Engineer");
    let whole = fs::read(world.path()).unwrap();
    for cut in (0..whole.len()).rev() {
        fs::write(world.path(), &whole[..cut]).unwrap();
        let Some((bytes, model, counters)) = after.iter().rev().find(|(bytes, ..)| *bytes <= cut as u64) else {
            let Opened::Damaged(damage) = Opened::read(&world.state).unwrap() else { panic!("cut at {cut}") };
            assert!(damage.why.contains("the rest is missing"), "{damage:?}");
            continue;
        };
        let copied = world.read();
        let ending = if *bytes == cut as u64 { Ending::Whole } else { Ending::Torn };
        assert_eq!((&copied.scanned.ending, copied.counters()), (&ending, counters), "cut at {cut}");
        if cut % 37 == 0 {
            // What is written next follows on the last whole line.
            (world.model, world.counters) = (model.clone(), counters.clone());
            let mut copy = CopyFile::open(&world.state, &copied.scanned).unwrap();
            world.commit(&mut copy, &[(Row::Intent(IntentId(9)), Some(encode(&"x")))]);
            world.holds(&world.read());
            assert_eq!(world.read().scanned.ending, Ending::Whole);
        }
    }
}

#[test]
fn a_byte_that_changed_anywhere_is_named_by_its_line_and_what_is_before_it_stands() {
    let (world, after) = history("Engineer");
    let whole = fs::read(world.path()).unwrap();
    let mut line = 1;
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        fs::write(world.path(), &changed).unwrap();
        match Opened::read(&world.state).unwrap() {
            // The rows at the beginning have one checksum.
            Opened::Damaged(damage) => assert!(damage.line <= 6 && (at as u64) < after[0].0, "{at}: {damage:?}"),
            Opened::Whole(copied) => {
                let (_, model, counters) = after.iter().rev().find(|(bytes, ..)| *bytes <= at as u64).unwrap();
                assert_eq!((&rows_of(&copied), copied.counters()), (model, counters), "changed at {at}");
                match copied.scanned.ending {
                    Ending::Damaged(damage) => assert_eq!(damage.line, line, "{at}: {damage:?}"),
                    // Without its end, the last line is taken for a torn one.
                    Ending::Torn => assert_eq!(at, whole.len() - 1),
                    Ending::Whole => panic!("a change at {at} goes unseen"),
                }
            }
            Opened::None => panic!("it is there"),
        }
        line += u64::from(whole[at] == b'\n');
    }
}

#[test]
fn a_line_that_was_left_out_doubled_or_taken_from_elsewhere_is_damage() {
    let (world, _) = history("Engineer");
    let whole = fs::read_to_string(world.path()).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let first = lines.len() - 5;
    let mut without = lines.clone();
    without.remove(first + 1);
    let mut doubled = lines.clone();
    doubled.insert(first + 1, lines[first]);
    let mut swapped = lines.clone();
    swapped.swap(first, first + 1);
    let (other, _) = history("Director");
    let other = fs::read_to_string(other.path()).unwrap();
    let other: Vec<&str> = other.split_inclusive('\n').collect();
    let strange = [&lines[..=first], &other[first + 1..]].concat();
    for (what, changed, line) in [
        ("without", without, first + 2),
        ("doubled", doubled, first + 2),
        ("swapped", swapped, first + 1),
        ("strange", strange, first + 2),
    ] {
        fs::write(world.path(), changed.concat()).unwrap();
        let Ending::Damaged(damage) = world.read().scanned.ending else { panic!("{what}") };
        assert_eq!(damage.line, line as u64, "{what}: {damage:?}");
    }
}

#[test]
fn nothing_is_read_twice_from_a_place_that_changes() {
    let (world, _) = history("Engineer");
    let copied = world.read();
    let file = fs::OpenOptions::new().write(true).open(world.path()).unwrap();
    file.write_all_at(b"#", 0).unwrap();
    file.set_len(100).unwrap();
    assert!(copied.each(|_, _| Ok(())).is_err());
    assert!(copied.each_commit_after(3, |_| Ok(())).is_err());
}

#[test]
fn a_copy_beyond_twice_what_is_alive_is_seen_by_its_size() {
    let (mut world, mut copy) = World::begin();
    let title = "of things ".repeat(200);
    for round in 0..400 {
        assert!(!copy.is_beyond(2, &world.counters), "{round}");
        world.commit(&mut copy, &[(Row::Binding(key("ada")), Some(encode(&binding(1, &format!("{round} {title}")))))]);
        if copy.is_beyond(2, &world.counters) {
            assert!(round > 30);
            copy.renew(&facts(), &world.counters, |copy| world.rows(copy)).unwrap();
        }
    }
    assert!(fs::metadata(world.path()).unwrap().len() < 400 * 1024);
    let mut grown = CopyFile::open(&world.state, &world.read().scanned).unwrap();
    for number in 0..400 {
        let row = Row::Binding(key(&format!("k{number}")));
        world.commit(&mut grown, &[(row, Some(encode(&binding(number, &title))))]);
        assert!(!grown.is_beyond(2, &world.counters), "all of it is alive: {number}");
    }
}

#[test]
fn a_copy_is_for_its_user_alone() {
    let (world, _) = history("Engineer");
    assert_eq!(fs::metadata(world.path()).unwrap().permissions().mode() & 0o777, 0o600);
    fs::remove_file(world.path()).unwrap();
    std::os::unix::fs::symlink("elsewhere", world.path()).unwrap();
    assert!(Opened::read(&world.state).is_err());
    assert!(matches!(World::begin().0.read().scanned.ending, Ending::Whole));
}

#[test]
fn no_copy_is_none() {
    let (world, _) = World::begin();
    fs::remove_file(world.path()).unwrap();
    assert!(matches!(Opened::read(&world.state).unwrap(), Opened::None));
}
