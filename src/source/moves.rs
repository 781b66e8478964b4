//! Which `moved_from` cannot be carried out.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::code::Code;
use crate::model::{ContactKey, Entry};

/// A contact whose `moved_from` is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadMove<'e> {
    pub(super) code: Code,
    pub(super) entry: &'e Entry,
    /// The key it says it had.
    pub(super) from: &'e ContactKey,
    /// The entry that is in the way; none when it is the entry itself.
    pub(super) other: Option<&'e Entry>,
}

/// Finds every bad move, in the order of the keys.
pub(super) fn bad_moves(entries: &BTreeMap<ContactKey, Entry>) -> Vec<BadMove<'_>> {
    let cyclic = keys_on_cycles(entries);
    let mut claimed: HashMap<&ContactKey, &Entry> = HashMap::new();
    let mut bad = Vec::new();
    for (key, entry) in entries {
        let Some(from) = &entry.moved_from else { continue };
        let code = match entries.get(from) {
            _ if from == key => Some((Code::MovedFromItself, None)),
            Some(other) if cyclic.contains(key) => Some((Code::MovedFromCycle, Some(other))),
            Some(other) if other.moved_from.is_some() => Some((Code::MovedFromChain, Some(other))),
            Some(other) => Some((Code::MovedFromDeclared, Some(other))),
            None => claimed.insert(from, entry).map(|first| (Code::MovedFromTwice, Some(first))),
        };
        bad.extend(code.map(|(code, other)| BadMove { code, entry, from, other }));
    }
    bad
}

/// Returns the keys that come back to themselves when moves are followed.
fn keys_on_cycles(entries: &BTreeMap<ContactKey, Entry>) -> HashSet<&ContactKey> {
    let next = |key: &ContactKey| entries.get(key).and_then(|entry| entry.moved_from.as_ref());
    let mut walked_from: HashMap<&ContactKey, usize> = HashMap::new();
    let mut cyclic = HashSet::new();
    for (walk, start) in entries.keys().enumerate() {
        let mut at = Some(start);
        while let Some(key) = at {
            match walked_from.get(key) {
                None => {
                    walked_from.insert(key, walk);
                    at = next(key);
                }
                // Back at a key of this very walk: the cycle begins and ends here.
                Some(&earlier) if earlier == walk && !cyclic.contains(key) => {
                    cyclic.insert(key);
                    at = next(key);
                }
                Some(_) => break,
            }
        }
    }
    cyclic
}
