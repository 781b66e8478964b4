//! Checks that `--target` and `--exclude` name somebody.

use std::collections::BTreeSet;

use crate::model::ContactKey;
use crate::plan::{KeyPattern, Scope};
use crate::state::Snapshot;

use super::{Desired, Problem};

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
    let flags = [("--target", scope.target()), ("--exclude", scope.exclude())];
    let patterns = flags.into_iter().flat_map(|(flag, patterns)| patterns.iter().map(move |pattern| (flag, pattern)));
    for (flag, pattern) in patterns {
        if !known.iter().any(|key| pattern.matches(key)) {
            return Err(Box::new(unknown(flag, pattern, &known)));
        }
    }
    Ok(())
}

fn unknown(flag: &str, pattern: &KeyPattern, known: &BTreeSet<&ContactKey>) -> Problem {
    let likeness = |key: &ContactKey| strsim::jaro_winkler(key.as_str(), pattern.as_str());
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    // Whoever writes `us.*` means many, and no one key is what they meant.
    let nearest = nearest.filter(|_| !pattern.is_glob());
    let guess = match nearest {
        Some(key) => format!(" The nearest is {}.", key.address()),
        None => String::new(),
    };
    let detail = format!("No key matches it, in the contact files or in the state.{guess}");
    Problem::error(format!("{flag} {pattern} matches no contact"), detail)
}
