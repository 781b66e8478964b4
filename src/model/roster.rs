//! Who is declared, in short: keys with fingerprints, found by key.
//!
//! A million of them take about fifty megabytes; the entries would take a gigabyte.

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ContactKey, Fingerprint};

/// Bytes of a fingerprint.
const FINGERPRINT: usize = 16;

/// What one file declares: each key with its fingerprint, in the order of the file.
///
/// Per entry: the key's length in one byte, the key, the fingerprint. Clones share them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sheet(Arc<[u8]>);

/// The sheets of all files, with a table to find keys by.
#[derive(Clone, Default)]
pub struct Roster {
    sheets: Vec<Sheet>,
    /// Sorted by hash.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy)]
struct Slot {
    hash: u64,
    sheet: u32,
    /// Where the entry begins in its sheet.
    at: u32,
}

/// One entry that was looked for and is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The number of the entry in this roster, below [`Roster::len`].
    pub number: usize,
    /// The number of its sheet.
    pub sheet: usize,
    /// How many bytes of the sheet come before it; orders the entries of one sheet.
    pub at: usize,
    pub fingerprint: Fingerprint,
}

impl Sheet {
    /// Reads bytes as [`Sheet::as_bytes`] gave them; `None` for any others.
    pub fn parse(bytes: Box<[u8]>) -> Option<Self> {
        let mut rest = &*bytes;
        while let Some((&length, after)) = rest.split_first() {
            let (key, after) = after.split_at_checked(usize::from(length))?;
            std::str::from_utf8(key).ok()?;
            rest = after.get(FINGERPRINT..)?;
        }
        Some(Self(bytes.into()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lists where each entry begins, its key and its fingerprint.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str, Fingerprint)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            (at < self.0.len()).then(|| {
                let start = at;
                let (key, fingerprint) = self.line(start);
                at += 1 + key.len() + FINGERPRINT;
                (start, key, fingerprint)
            })
        })
    }

    fn line(&self, at: usize) -> (&str, Fingerprint) {
        let end = at + 1 + usize::from(self.0[at]);
        let key = std::str::from_utf8(&self.0[at + 1..end]).expect("a sheet is made of keys, or was checked");
        let fingerprint = self.0[end..end + FINGERPRINT].try_into().expect("a sheet is whole");
        (key, Fingerprint::from_bytes(fingerprint))
    }
}

/// Puts the lines of a sheet together, one by one.
#[derive(Debug, Default)]
pub struct SheetWriter(Vec<u8>);

impl SheetWriter {
    pub fn add(&mut self, key: &ContactKey, fingerprint: Fingerprint) {
        let key = key.as_str().as_bytes();
        self.0.push(u8::try_from(key.len()).expect("a key has at most 128 bytes"));
        self.0.extend_from_slice(key);
        self.0.extend_from_slice(fingerprint.as_bytes());
    }

    pub fn finish(self) -> Sheet {
        Sheet(self.0.into())
    }
}

impl<'a> FromIterator<(&'a ContactKey, Fingerprint)> for Sheet {
    fn from_iter<T: IntoIterator<Item = (&'a ContactKey, Fingerprint)>>(lines: T) -> Self {
        let mut writer = SheetWriter::default();
        lines.into_iter().for_each(|(key, fingerprint)| writer.add(key, fingerprint));
        writer.finish()
    }
}

impl Roster {
    pub const NONE: Self = Self { sheets: Vec::new(), slots: Vec::new() };

    pub fn of(sheets: Vec<Sheet>) -> Self {
        let number = |number: usize| u32::try_from(number).expect("files number and measure less than four billion");
        let slots = sheets.iter().enumerate().flat_map(|(sheet, lines)| {
            lines.lines().map(move |(at, key, _)| Slot { hash: key_hash(key), sheet: number(sheet), at: number(at) })
        });
        let mut slots: Vec<Slot> = slots.collect();
        slots.sort_unstable_by_key(|slot| (slot.hash, slot.sheet, slot.at));
        Self { sheets, slots }
    }

    /// Returns how many entries are declared.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns the sheets in the order they were given.
    pub fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    pub fn fingerprint(&self, key: &ContactKey) -> Option<Fingerprint> {
        self.find(key.as_str()).map(|found| found.fingerprint)
    }

    pub fn find(&self, key: &str) -> Option<Listed> {
        let hash = key_hash(key);
        let first = self.first_with(hash);
        let same_hash = self.slots[first..].iter().take_while(|slot| slot.hash == hash);
        same_hash.enumerate().find_map(|(nth, slot)| {
            let (found, fingerprint) = self.line(slot);
            let (sheet, at) = (slot.sheet as usize, slot.at as usize);
            (found == key).then_some(Listed { number: first + nth, sheet, at, fingerprint })
        })
    }

    /// Returns the key of an entry by its number.
    pub fn key(&self, number: usize) -> ContactKey {
        let (key, _) = self.line(&self.slots[number]);
        ContactKey::parse(key).expect("a roster is made of keys")
    }

    /// Returns up to `most` of the keys, any, sorted.
    pub fn sample(&self, most: usize) -> Vec<ContactKey> {
        // By hash they stand in no order of theirs.
        let mut keys: Vec<ContactKey> = (0..self.len().min(most)).map(|number| self.key(number)).collect();
        keys.sort_unstable();
        keys
    }

    /// Lists all keys, sorted.
    pub fn keys(&self) -> Vec<ContactKey> {
        let mut keys: Vec<ContactKey> = (0..self.len()).map(|number| self.key(number)).collect();
        keys.sort_unstable();
        keys
    }

    fn line(&self, slot: &Slot) -> (&str, Fingerprint) {
        self.sheets[slot.sheet as usize].line(slot.at as usize)
    }

    /// Finds the first slot whose hash is not below `hash`.
    ///
    /// Hashes spread evenly, so a guess by proportion lands near; the search widens from there.
    fn first_with(&self, hash: u64) -> usize {
        let count = self.slots.len();
        let guess = usize::try_from((u128::from(hash) * count as u128) >> 64).expect("below the count");
        let (mut low, mut high, mut step) = (guess, guess, 8);
        while low > 0 && self.slots[low - 1].hash >= hash {
            low = low.saturating_sub(step);
            step *= 2;
        }
        step = 8;
        while high < count && self.slots[high].hash < hash {
            high = (high + step).min(count);
            step *= 2;
        }
        low + self.slots[low..high].partition_point(|slot| slot.hash < hash)
    }
}

/// Hashes a key for the table.
fn key_hash(key: &str) -> u64 {
    let hash = blake3::hash(key.as_bytes());
    u64::from_be_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

impl PartialEq for Roster {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.slots.iter().zip(&other.slots).all(|(one, two)| self.line(one) == other.line(two))
    }
}

impl Eq for Roster {}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.lines().map(|(_, key, fingerprint)| (key, fingerprint))).finish()
    }
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.sheets).finish()
    }
}

impl FromIterator<(ContactKey, Fingerprint)> for Roster {
    /// Makes a roster of one sheet.
    fn from_iter<T: IntoIterator<Item = (ContactKey, Fingerprint)>>(lines: T) -> Self {
        let lines: Vec<_> = lines.into_iter().collect();
        Self::of(vec![lines.iter().map(|(key, fingerprint)| (key, *fingerprint)).collect()])
    }
}

impl Serialize for Roster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(self.sheets.iter().flat_map(Sheet::lines).map(|(_, key, fingerprint)| (key, fingerprint)))
    }
}

impl<'de> Deserialize<'de> for Roster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lines;

        impl<'de> Visitor<'de> for Lines {
            type Value = Roster;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from keys to fingerprints")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Roster, A::Error> {
                let mut bytes = Vec::new();
                while let Some((key, fingerprint)) = map.next_entry::<ContactKey, Fingerprint>()? {
                    let one: Sheet = [(&key, fingerprint)].into_iter().collect();
                    bytes.extend_from_slice(one.as_bytes());
                }
                Ok(Roster::of(vec![Sheet(bytes.into())]))
            }
        }

        deserializer.deserialize_map(Lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> ContactKey {
        ContactKey::parse(&format!("key-{number}")).unwrap()
    }

    fn fingerprint(number: usize) -> Fingerprint {
        Fingerprint::from_bytes([u8::try_from(number % 251).unwrap(); 16])
    }

    #[test]
    fn every_key_is_found_and_no_other() {
        for count in [0, 1, 2, 7, 1000] {
            let sheets = (0..3).map(|sheet| {
                let mine: Vec<_> = (sheet..count).step_by(3).map(|number| (key(number), fingerprint(number))).collect();
                mine.iter().map(|(key, fingerprint)| (key, *fingerprint)).collect()
            });
            let roster = Roster::of(sheets.collect());
            assert_eq!(roster.len(), count);
            for number in 0..count {
                let found = roster.find(key(number).as_str()).unwrap();
                assert_eq!((found.fingerprint, found.sheet), (fingerprint(number), number % 3));
                assert_eq!(roster.key(found.number), key(number));
            }
            assert_eq!(roster.find(key(count).as_str()), None);
        }
    }

    #[test]
    fn a_roster_goes_over_the_wire_as_a_map() {
        let roster: Roster = (0..3).map(|number| (key(number), fingerprint(number))).collect();
        let text = serde_json::to_string(&roster).unwrap();
        assert!(text.starts_with(r#"{"key-0":"00000000000000000000000000000000","key-1":"01"#), "{text}");
        assert_eq!(serde_json::from_str::<Roster>(&text).unwrap(), roster);
    }

    #[test]
    fn bytes_that_are_no_sheet_are_refused() {
        let sheet: Sheet = [(&key(1), fingerprint(1)), (&key(22), fingerprint(2))].into_iter().collect();
        assert_eq!(Sheet::parse(sheet.as_bytes().into()), Some(sheet.clone()));
        let second = sheet.lines().nth(1).unwrap().0;
        for cut in (1..sheet.as_bytes().len()).filter(|&cut| cut != second) {
            assert_eq!(Sheet::parse(sheet.as_bytes()[..cut].into()), None, "{cut}");
        }
    }
}
