//! Indexes written and read back, whole and damaged.

use proptest::prelude::*;

use super::*;
use crate::model::{ContactKey, Fingerprint, Sheet};

const LOADER: &str = "test";

fn key(number: u32) -> ContactKey {
    ContactKey::parse(&format!("k{number}")).unwrap()
}

fn sheet(keys: &[u32]) -> Sheet {
    let lines: Vec<_> = keys.iter().map(|&number| (key(number), Fingerprint::from_bytes([7; 16]))).collect();
    lines.iter().map(|(key, fingerprint)| (key, *fingerprint)).collect()
}

fn noted(inode: u64) -> Noted {
    Noted { identity: Identity { inode, ..Identity::default() }, digest: [1; 32], flags: Flags::default() }
}

fn marks_of(number: u32, count: usize) -> Vec<Mark> {
    (0..count as u64)
        .map(|nth| Mark::from_bits((u64::from(number) << 32 | nth).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect()
}

/// Writes files with so many marks each, all in one directory, some of them taken over.
fn write(files: &[usize], old: Option<(&Index, &[Option<u32>])>) -> Vec<u8> {
    let marks: Vec<_> = (0..).zip(files).map(|(number, &count)| marks_of(number, count)).collect();
    let mut writer = Writer::new(Vec::new(), old.map(|(old, _)| old));
    writer.directory(b"", Identity::default(), Flags::default(), [&b"sub"[..]].into_iter(), files.len());
    for (number, marks) in (0..).zip(&marks) {
        let name = format!("{number}.yaml");
        if let Some((old, kept)) = old.and_then(|(old, kept)| Some((old, kept[number as usize]?))) {
            writer.keep(name.as_bytes(), &noted(number.into()), old, kept).unwrap();
        } else {
            let contents = Contents { sheet: sheet(&[number]), warnings: vec![7], ..Contents::default() };
            writer.file(name.as_bytes(), &noted(number.into()), &contents, marks).unwrap();
        }
    }
    writer.finish(LOADER, [3; 32], None, None, old.map(|(old, _)| old)).unwrap()
}

fn open(bytes: &[u8]) -> Result<Index, Damaged> {
    Index::open(Box::new(bytes.to_vec()), LOADER)
}

type OfFile = (Contents, Vec<(Mark, u32)>);

/// Reads everything that an index can be asked for.
fn read_all(bytes: &[u8]) -> Result<Vec<OfFile>, Damaged> {
    let index = open(bytes)?;
    let everything = index.marks().collect::<Result<Vec<_>, _>>()?.concat();
    (0..index.tree().files())
        .map(|number| {
            let number = u32::try_from(number).unwrap();
            let mine = everything.iter().filter(|(_, file)| *file == number).copied().collect();
            Ok((index.contents(&index.tree().file(number))?, mine))
        })
        .collect()
}

#[test]
fn what_is_written_is_read_back() {
    let bytes = write(&[0, 3, 2000, 1], None);
    let index = open(&bytes).unwrap();
    assert_eq!((index.digest(), index.contacts(), index.state()), ([3; 32], 4, None));
    let directory = index.tree().directory(b"").unwrap();
    assert_eq!((directory.files(), index.tree().children(directory).collect::<Vec<_>>()), (0..4, vec![&b"sub"[..]]));
    assert!(index.tree().directory(b"sub").is_none());
    assert_eq!(index.tree().file_name(2), b"2.yaml");
    let record = index.tree().file(2);
    assert_eq!((record.identity.inode, record.entries), (2, 1));
    assert_eq!(index.contents(&record).unwrap().sheet, sheet(&[2]));
}

#[test]
fn marks_are_found_by_all_who_share_them() {
    let index = open(&write(&[5, 1700, 0, 900], None)).unwrap();
    for (file, count) in [(0, 5), (1, 1700), (3, 900)] {
        let mut marks = marks_of(file, count);
        marks.sort_unstable();
        let found = index.sharing(&marks).unwrap();
        assert_eq!(found, marks.iter().map(|&mark| (mark, file)).collect::<Vec<_>>());
    }
    assert_eq!(index.sharing(&marks_of(9, 40)).unwrap(), []);
}

#[test]
fn another_loaders_index_is_none() {
    assert!(Index::open(Box::new(write(&[1], None)), "other").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_is_read_as_something_else(
        files in prop::collection::vec(0..700_usize, 0..4),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        cut in any::<bool>(),
    ) {
        let whole = write(&files, None);
        let before = read_all(&whole).unwrap();
        let mut bytes = whole.clone();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
        // Nothing stands in the padding of blocks.
        if let Ok(after) = read_all(&bytes) {
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn what_is_taken_over_is_as_if_written_again(
        files in prop::collection::vec((0..900_usize, any::<bool>()), 0..6),
    ) {
        let counts: Vec<usize> = files.iter().map(|(count, _)| *count).collect();
        let old = open(&write(&counts, None)).unwrap();
        let kept: Vec<_> = (0..).zip(&files).map(|(number, (_, keep))| keep.then_some(number)).collect();
        prop_assert_eq!(write(&counts, Some((&old, &kept))), write(&counts, None));
    }
}
