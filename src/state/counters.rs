//! What holds for a state as a whole: the facts that never change, and the counters that every batch moves.
//!
//! The counters hold the number of rows and a sum over their hashes, by which lost rows show.

use serde::{Deserialize, Serialize};

use super::row::{FORMAT, Row, Table};
use crate::model::{IdentityKey, Lineage, Serial};

/// What a new state is made of; random, and so drawn by the caller.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub lineage: Lineage,
    pub identity_key: IdentityKey,
}

/// The facts about a state that never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) format: u32,
    pub(crate) lineage: Lineage,
    /// The origin of the API whose contacts these are.
    pub(crate) origin: String,
    pub(crate) identity_key: IdentityKey,
}

impl Facts {
    pub(crate) fn new(lineage: Lineage, origin: String, identity_key: IdentityKey) -> Self {
        Self { format: u32::from(FORMAT), lineage, origin, identity_key }
    }
}

/// What every batch moves.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Counts batches.
    pub(crate) commit: u64,
    pub(crate) serial: Serial,
    /// The highest number an intent was written with.
    pub(crate) last_intent: u64,
    pub(crate) totals: Totals,
}

/// How many rows there are, and a sum over them; the counters row itself is left out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) rows: u64,
    pub(crate) bindings: u64,
    /// Sum of the rows' hashes modulo 2^128, whatever their order.
    #[serde(with = "hexadecimal")]
    sum: u128,
}

impl Totals {
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows += 1;
        self.bindings += u64::from(Table::Bindings.has(key));
        self.sum = self.sum.wrapping_add(hash(key, value));
    }

    pub(crate) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.rows -= 1;
        self.bindings -= u64::from(Table::Bindings.has(key));
        self.sum = self.sum.wrapping_sub(hash(key, value));
    }

    /// Takes in that a row changes from one value to another.
    pub(super) fn replace(&mut self, row: &Row, old: Option<&[u8]>, new: Option<&[u8]>) {
        let key = row.to_bytes();
        if let Some(old) = old {
            self.remove(&key, old);
        }
        if let Some(new) = new {
            self.add(&key, new);
        }
    }

    /// Adds what other rows add up to.
    pub(crate) fn join(&mut self, other: &Self) {
        self.rows += other.rows;
        self.bindings += other.bindings;
        self.sum = self.sum.wrapping_add(other.sum);
    }
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
