//! The rows of sled's tree as a whole: reading all of them, and proving that none is missing.
//!
//! Every batch rewrites the counters row, which holds the number of rows and a sum over their
//! hashes. sled can lose rows without a word when its file is damaged; the sum then differs.

use std::ops::Bound;
use std::path::Path;

use rayon::prelude::*;
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

    /// Adds what other rows add up to.
    fn join(&mut self, other: &Self) {
        self.rows += other.rows;
        self.bindings += other.bindings;
        self.sum = self.sum.wrapping_add(other.sum);
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
    visit: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<Counters, Error> {
    let (found, counters) = read(state, db, db.iter(), visit)?;
    prove(state, &found, counters)
}

/// Reads every row for nothing but to prove that all are there, each of a kind that is known.
pub(super) fn verify(state: &Path, db: &sled::Db) -> Result<Counters, Error> {
    scan(state, db, |key, _| parse(state, key).map(drop))
}

/// Reads as [`scan`] does, on all cores: the rows between two of the keys `bounds`, which are sorted, go into one
/// of the values that `begin` makes and that this returns.
pub(super) fn scan_in_parts<G: Send>(
    state: &Path,
    db: &sled::Db,
    bounds: &[Vec<u8>],
    begin: impl Fn() -> G + Sync,
    visit: impl Fn(&mut G, &[u8], &[u8]) -> Result<(), Error> + Sync,
) -> Result<(Counters, Vec<G>), Error> {
    let part = |number: usize| {
        let begins = number.checked_sub(1).map_or(Bound::Unbounded, |before| Bound::Included(&*bounds[before]));
        let ends = bounds.get(number).map_or(Bound::Unbounded, |bound| Bound::Excluded(&**bound));
        let mut gathered = begin();
        let rows = db.range::<&[u8], _>((begins, ends));
        Ok((read(state, db, rows, |key, value| visit(&mut gathered, key, value))?, gathered))
    };
    let parts: Result<Vec<_>, Error> = (0..bounds.len() + 1).into_par_iter().with_max_len(1).map(part).collect();
    let (mut found, mut counters, mut all) = (Totals::default(), None, Vec::new());
    for ((totals, in_part), gathered) in parts? {
        found.join(&totals);
        counters = counters.or(in_part);
        all.push(gathered);
    }
    Ok((prove(state, &found, counters)?, all))
}

/// Bytes of rows that are read for one more look at the page they stand on.
///
/// sled lets go of pages only after so many looks at them, and its iterator takes one look a page: without more,
/// reading a large state keeps some hundred megabytes of it.
const BYTES_A_LOOK: usize = 2048;

/// Reads some rows; returns what they add up to, and the counters where they are among them.
fn read(
    state: &Path,
    db: &sled::Db,
    rows: sled::Iter,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<(Totals, Option<Counters>), Error> {
    protect(state, || {
        let (mut found, mut counters, mut unlooked) = (Totals::default(), None, 0);
        for pair in rows {
            let (key, value) = pair.map_err(|error| Error::sled(state, error))?;
            if &*key == keys::COUNTERS {
                counters = Some(decode(state, &value)?);
                continue;
            }
            found.add(&key, &value);
            visit(&key, &value)?;
            unlooked += value.len();
            if unlooked >= BYTES_A_LOOK {
                unlooked = 0;
                db.contains_key(&key).map_err(|error| Error::sled(state, error))?;
            }
        }
        Ok((found, counters))
    })
}

/// Compares what was found with what was written.
fn prove(state: &Path, found: &Totals, counters: Option<Counters>) -> Result<Counters, Error> {
    let counters = counters.ok_or_else(|| Error::unreadable(state, "its counters are missing"))?;
    if *found == counters.totals {
        return Ok(counters);
    }
    let why = format!(
        "it holds {} rows and {} bindings where {} and {} were written, or some of them differ",
        found.rows, found.bindings, counters.totals.rows, counters.totals.bindings
    );
    Err(Error::unreadable(state, why))
}

/// Reads the key of a row.
pub(super) fn parse(state: &Path, key: &[u8]) -> Result<Row, Error> {
    Row::parse(key).ok_or_else(|| Error::unreadable(state, "it holds a row of unknown kind"))
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
