//! The rows of sled's tree as a whole: reading all of them, and proving that none is missing.
//!
//! Every batch rewrites the counters row, which holds the number of rows and a sum over their
//! hashes. sled can lose rows without a word when its file is damaged; the sum then differs.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::codec;
use super::error::Error;
use super::keys::{self, Row};
use super::panics;
use crate::model::{IdentityKey, Lineage, Serial};

/// The facts about a state that never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) format: u32,
    pub(super) lineage: Lineage,
    /// The origin of the API whose contacts these are.
    pub(super) origin: String,
    pub(super) identity_key: IdentityKey,
}

/// What every batch moves.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    /// Counts batches.
    pub(super) commit: u64,
    pub(super) serial: Serial,
    /// The highest number an intent was written with.
    pub(super) last_intent: u64,
    pub(super) totals: Totals,
}

/// How many rows there are, and a sum over them; the counters row itself is left out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) rows: u64,
    pub(super) bindings: u64,
    /// Sum of the rows' hashes modulo 2^128, whatever their order.
    #[serde(with = "hexadecimal")]
    sum: u128,
}

impl Totals {
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows += 1;
        self.bindings += u64::from(is_binding(key));
        self.sum = self.sum.wrapping_add(hash(key, value));
    }

    pub(super) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.rows -= 1;
        self.bindings -= u64::from(is_binding(key));
        self.sum = self.sum.wrapping_sub(hash(key, value));
    }
}

/// Reads every row, hands each to `visit`, and proves afterwards that they are all there.
///
/// What `visit` has gathered counts only when this returns the counters. No batch may run meanwhile.
pub(super) fn scan(
    state: &Path,
    db: &sled::Db,
    mut visit: impl FnMut(Row, &[u8]) -> Result<(), Error>,
) -> Result<Counters, Error> {
    let read = || {
        let mut found = Totals::default();
        let mut counters: Option<Counters> = None;
        for pair in db.iter() {
            let (key, value) = pair.map_err(|error| Error::sled(state, error))?;
            let row = Row::parse(&key).ok_or_else(|| Error::unreadable(state, "it holds a row of unknown kind"))?;
            if row == Row::Counters {
                counters = Some(decode(state, &value)?);
            } else {
                found.add(&key, &value);
                visit(row, &value)?;
                // sled lets go of pages only after so many looks at them, and its iterator takes one look a page:
                // without this, reading a large state keeps some hundred megabytes of it.
                db.contains_key(&key).map_err(|error| Error::sled(state, error))?;
            }
        }
        Ok((found, counters))
    };
    let (found, counters) = protect(state, read)?;
    let counters = counters.ok_or_else(|| Error::unreadable(state, "its counters are missing"))?;
    if found == counters.totals {
        return Ok(counters);
    }
    let why = format!(
        "it holds {} rows and {} bindings where {} and {} were written, or some of them differ",
        found.rows, found.bindings, counters.totals.rows, counters.totals.bindings
    );
    Err(Error::unreadable(state, why))
}

pub(super) fn read_facts(state: &Path, db: &sled::Db) -> Result<Facts, Error> {
    let value = protect(state, || db.get(keys::FACTS).map_err(|error| Error::sled(state, error)))?
        .ok_or_else(|| Error::unreadable(state, "its lineage is missing"))?;
    let facts: Facts = decode(state, &value)?;
    if facts.format > u32::from(codec::FORMAT) {
        return Err(Error::TooNew { path: state.to_owned(), found: facts.format });
    }
    Ok(facts)
}

/// Reads the counters alone; what they say is to be proven by [`scan`].
pub(super) fn read_counters(state: &Path, db: &sled::Db) -> Result<Counters, Error> {
    let value = protect(state, || db.get(keys::COUNTERS).map_err(|error| Error::sled(state, error)))?
        .ok_or_else(|| Error::unreadable(state, "its counters are missing"))?;
    decode(state, &value)
}

pub(super) fn decode<T: serde::de::DeserializeOwned>(state: &Path, value: &[u8]) -> Result<T, Error> {
    codec::decode(value).map_err(|malformed| Error::malformed(state, &malformed))
}

/// Runs what reads sled; a panic in it means a damaged state.
pub(super) fn protect<T>(state: &Path, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    panics::catch(read).unwrap_or_else(|panic| Err(Error::unreadable(state, format!("sled stopped at it: {panic}"))))
}

fn is_binding(key: &[u8]) -> bool {
    key.starts_with(&keys::BINDINGS)
}

/// Hashes a row; the key's length stands in front, so that no two rows feed the same bytes.
fn hash(key: &[u8], value: &[u8]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_be_bytes()).update(key).update(value);
    let hash = hasher.finalize();
    let half = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
    u128::from_be_bytes(*half)
}

/// JSON numbers hold 64 bits in many tools; hence text.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(sum: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{sum:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_forgets_what_was_removed_and_the_order() {
        let (mut one, mut other) = (Totals::default(), Totals::default());
        one.add(b"b/ada", b"1");
        one.add(b"c/bob", b"2");
        other.add(b"c/bob", b"2");
        other.add(b"b/eve", b"3");
        other.add(b"b/ada", b"1");
        other.remove(b"b/eve", b"3");
        assert_eq!(one, other);
        assert_eq!((one.rows, one.bindings), (2, 1));
    }

    #[test]
    fn the_sum_differs_when_a_value_moved_to_another_key() {
        let (mut one, mut other) = (Totals::default(), Totals::default());
        one.add(b"b/ada", b"1");
        other.add(b"b/ad", b"a1");
        assert_ne!(one, other);
    }
}
