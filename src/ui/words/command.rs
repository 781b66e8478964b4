//! Commands that are shown to be typed.

use crate::plan::Policy;
use crate::shell_word::shell_word;

/// Writes the options of a plan that say what it is for, as they are typed: ` --target ada`.
pub(crate) fn planning_options(policy: &Policy) -> String {
    let Policy { recreate, create, scope, force: _, max_creates: _, max_updates: _, max_forgets: _ } = policy;
    let option = |flag: &str, value: &str| format!(" --{flag} {}", shell_word(value));
    let recreate = recreate.iter().map(|key| option("recreate", key.as_str()));
    let target = scope.target().iter().map(|pattern| option("target", pattern.as_str()));
    let exclude = scope.exclude().iter().map(|pattern| option("exclude", pattern.as_str()));
    let create = create.iter().map(|key| option("create", key.as_str()));
    recreate.chain(create).chain(target).chain(exclude).collect()
}
