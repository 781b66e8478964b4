//! Commands that are shown to be typed.

use std::borrow::Cow;

use crate::plan::Policy;

/// Writes a word so that a shell takes it as one.
pub(crate) fn shell_word(word: &str) -> Cow<'_, str> {
    // No name of a file holds the one character that cannot be quoted.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

/// Writes the options of a plan that say what it is for, as they are typed: ` --target ada`.
pub(crate) fn planning_options(policy: &Policy) -> String {
    let Policy { recreate, create, scope, force: _, max_creates: _, max_updates: _, max_forgets: _ } = policy;
    let option = |flag: &str, value: &str| {
        // A shell would look for files of these names.
        let quote = if value.contains(['*', '?']) { "'" } else { "" };
        format!(" --{flag} {quote}{value}{quote}")
    };
    let recreate = recreate.iter().map(|key| option("recreate", key.as_str()));
    let target = scope.target().iter().map(|pattern| option("target", pattern.as_str()));
    let exclude = scope.exclude().iter().map(|pattern| option("exclude", pattern.as_str()));
    let create = create.iter().map(|key| option("create", key.as_str()));
    recreate.chain(create).chain(target).chain(exclude).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        for plain in ["contacts.d", "/srv/people", "http://127.0.0.1:8080/api/v1"] {
            assert_eq!(shell_word(plain), plain);
        }
        assert_eq!(shell_word("my people"), "'my people'");
        assert_eq!(shell_word("a'; rm -r x"), r"'a'\''; rm -r x'");
        assert_eq!(shell_word(""), "''");
    }
}
