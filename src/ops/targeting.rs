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
    let likeness = |key: &ContactKey| strsim::jaro_winkler(key.as_str(), pattern.as_str());
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    // Whoever writes `us.*` means many, and no one key is what they meant.
    let nearest = nearest.filter(|_| !pattern.is_glob()).map(|key| (*key).clone());
    ProblemKind::NoSuchKey { excludes, pattern: pattern.to_string(), nearest }
}
