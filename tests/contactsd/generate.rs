//! The generator of contacts for measurements: what it writes is valid, and the same every time.

#[path = "../../examples/generate/mod.rs"]
mod generator;

use std::fs;
use std::path::{Path, PathBuf};

use contactsd::model::{ContactKey, Fingerprint, Timestamp};
use contactsd::ops::{self, Desired, Reading, Want};
use contactsd::plan::Policy;
use contactsd::quota::Rules;
use generator::{Layout, Written};

/// Enough for several companies, files, directories and documents of each kind.
const CONTACTS: u64 = 1_203;

fn generated(layout: Layout, seed: u64) -> (tempfile::TempDir, Written, Desired) {
    let directory = tempfile::tempdir().unwrap();
    let written = generator::write(directory.path(), CONTACTS, layout, seed).unwrap();
    let desired = ops::load(directory.path()).unwrap();
    (directory, written, desired)
}

/// Lists what a first plan would create.
fn planned(desired: &Desired) -> Vec<(ContactKey, Fingerprint)> {
    let nothing = Reading::without_state(Want::Plan(desired), "sandbox").unwrap().snapshot;
    let plan = ops::plan(desired, &nothing, &Policy::default(), &Rules::default(), Timestamp(0)).unwrap().plan;
    plan.actions.iter().filter_map(|action| Some((action.key().clone(), action.entry()?.fingerprint()))).collect()
}

fn all_files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(all_files(&path)) } else { files.push((path.clone(), fs::read(path).unwrap())) }
    }
    files.sort();
    files
}

#[test]
fn every_layout_holds_the_same_valid_people() {
    let (_directory, one, first) = generated(Layout::One, 1);
    assert!(first.warnings.is_empty(), "{:?}", first.warnings.first());
    assert_eq!(first.contacts() as u64, CONTACTS);
    assert_eq!((one.files, first.files() as u64), (CONTACTS, CONTACTS));
    let people = planned(&first);
    for (layout, files) in [(Layout::Hundred, 13), (Layout::Single, 1)] {
        let (directory, written, desired) = generated(layout, 1);
        assert_eq!(desired.warnings.len(), 0, "{layout:?}");
        assert_eq!(planned(&desired), people, "{layout:?}");
        assert_eq!(written.files, files, "{layout:?}");
        let files = all_files(directory.path());
        assert_eq!(written.bytes, files.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
        let with_defaults = files.iter().filter(|(_, bytes)| bytes.windows(10).any(|text| text == b"\ndefaults:"));
        assert!(with_defaults.count() > 0, "{layout:?}");
    }
}

#[test]
fn a_seed_writes_the_same_bytes_and_another_seed_others() {
    let files = |seed| {
        let (directory, ..) = generated(Layout::Hundred, seed);
        let text = |(path, bytes): &(PathBuf, Vec<u8>)| {
            (path.strip_prefix(directory.path()).unwrap().to_owned(), bytes.clone())
        };
        all_files(directory.path()).iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(files(1), files(1));
    assert_ne!(files(1), files(2));
}

#[test]
fn what_is_there_is_not_written_over() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("team.yaml"), "contacts: {}").unwrap();
    assert!(generator::write(directory.path(), 1, Layout::One, 1).is_err());
    assert_eq!(all_files(directory.path()).len(), 1);
}

#[test]
fn more_people_than_there_are_names_for_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    assert!(generator::write(directory.path(), u64::MAX, Layout::One, 1).is_err());
}
