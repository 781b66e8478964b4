//! Checks that each pattern of a scope names somebody.

use std::collections::BTreeSet;

use crate::model::ContactKey;
use crate::plan::{KeyPattern, Scope};
use crate::state::Snapshot;

use super::{Desired, Problem, ProblemKind};

/// Checks that every pattern of a scope matches a key that is declared or in the state.
///
/// One that does not is a slip of the pen, and would leave out what was meant, or leave in what was not.
pub fn check_scope(scope: &Scope, desired: &Desired, snapshot: &Snapshot) -> Result<(), Box<Problem>> {
    if scope.is_whole() {
        return Ok(());
    }
    let declared = desired.keys()?;
    let known: BTreeSet<&ContactKey> = declared
        .iter()
        .chain(snapshot.bindings.keys())
        .chain(snapshot.intents.values().map(|intent| &intent.key))
        .collect();
    let (target, exclude) = (scope.target().iter(), scope.exclude().iter());
    let mut patterns = target.map(|pattern| (false, pattern)).chain(exclude.map(|pattern| (true, pattern)));
    match patterns.find(|(_, pattern)| !known.iter().any(|key| pattern.matches(key))) {
        Some((excludes, pattern)) => Err(unknown(excludes, pattern, &known).into()),
        None => Ok(()),
    }
}

fn unknown(excludes: bool, pattern: &KeyPattern, known: &BTreeSet<&ContactKey>) -> ProblemKind {
    // Whoever writes `us.*` means many, and no one key is what they meant.
    let nearest = pattern.key().and_then(|key| nearest_key(&key, known.iter().copied()));
    ProblemKind::NoSuchKey { excludes, pattern: pattern.to_string(), nearest }
}

/// Finds the key that was probably meant, if one of those that are known is like `key`.
pub fn nearest_key<'k>(key: &ContactKey, known: impl IntoIterator<Item = &'k ContactKey>) -> Option<ContactKey> {
    const ALIKE: f64 = 0.8;
    let likeness = |other: &ContactKey| strsim::jaro_winkler(other.as_str(), key.as_str());
    let likely = known.into_iter().map(|other| (likeness(other), other)).filter(|(likeness, _)| *likeness > ALIKE);
    likely.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, key)| key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_like_what_was_typed_is_found() {
        let keys = ["ada-quill", "bo-lund", "ada"].map(|key| ContactKey::parse(key).unwrap());
        let nearest = |typed| nearest_key(&ContactKey::parse(typed).unwrap(), &keys).map(|key| key.to_string());
        assert_eq!(nearest("adda").as_deref(), Some("ada"));
        assert_eq!(nearest("ada-quil").as_deref(), Some("ada-quill"));
        assert_eq!(nearest("zoe"), None);
    }
}
