//! The part of a plan that is asked for: `--target` and `--exclude`.
//!
//! A filter over actions that were planned from everything, so that a part is never planned otherwise than
//! the whole.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::model::ContactKey;

use super::Action;

/// Keys by name, or by a pattern: `*` stands for any characters, `?` for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyPattern(String);

/// Which keys a plan is for; all of them by default.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Only these; everything when there are none.
    target: Vec<KeyPattern>,
    /// None of these, whatever the targets say.
    exclude: Vec<KeyPattern>,
}

impl KeyPattern {
    pub fn matches(&self, key: &ContactKey) -> bool {
        WildMatch::new(&self.0).matches(key.as_str())
    }

    /// Reports whether it may stand for more than one key.
    pub fn is_glob(&self) -> bool {
        self.0.contains(['*', '?'])
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the one key that it means; `None` where it is a pattern.
    pub fn key(&self) -> Option<ContactKey> {
        ContactKey::parse(&self.0).ok()
    }

    /// Reports whether it has one `*` and no `?`.
    pub fn has_one_star(&self) -> bool {
        self.0.matches('*').count() == 1 && !self.0.contains('?')
    }

    /// Returns the key that `to` makes of what the `*` stands for in a key that this matches; both have one `*`.
    pub fn translate(&self, key: &ContactKey, to: &Self) -> Option<ContactKey> {
        let (start, end) = self.0.split_once('*')?;
        let stands_for = key.as_str().strip_prefix(start)?.strip_suffix(end)?;
        ContactKey::parse(&to.0.replace('*', stands_for)).ok()
    }
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyPattern {
    type Err = String;

    /// Reads a pattern, with or without `contact.` in front.
    fn from_str(text: &str) -> Result<Self, String> {
        let pattern = text.strip_prefix("contact.").unwrap_or(text);
        // What stands for characters is put aside, so that the rest is held to the rules of keys.
        let example = pattern.replace(['*', '?'], "x");
        match ContactKey::parse(&example) {
            Ok(_) => Ok(Self(pattern.to_owned())),
            Err(error) => Err(format!("{text:?} matches no key: {error}")),
        }
    }
}

impl Scope {
    /// Makes a scope; the order of the patterns means nothing.
    pub fn new(target: &[KeyPattern], exclude: &[KeyPattern]) -> Self {
        let sorted = |patterns: &[KeyPattern]| {
            let mut patterns = patterns.to_vec();
            patterns.sort();
            patterns.dedup();
            patterns
        };
        Self { target: sorted(target), exclude: sorted(exclude) }
    }

    /// Reports whether nothing is left out.
    pub fn is_whole(&self) -> bool {
        self.target.is_empty() && self.exclude.is_empty()
    }

    pub fn target(&self) -> &[KeyPattern] {
        &self.target
    }

    pub fn exclude(&self) -> &[KeyPattern] {
        &self.exclude
    }

    /// Reports whether the scope holds an action. One that concerns two keys, such as a move, stays together:
    /// either key brings it in, and either leaves it out.
    pub(super) fn holds(&self, action: &Action) -> bool {
        self.holds_any(|| action.keys())
    }

    pub(super) fn holds_key(&self, key: &ContactKey) -> bool {
        self.holds_any(|| std::iter::once(key))
    }

    fn holds_any<'a, I: Iterator<Item = &'a ContactKey>>(&self, keys: impl Fn() -> I) -> bool {
        let any = |patterns: &[KeyPattern]| keys().any(|key| patterns.iter().any(|pattern| pattern.matches(key)));
        (self.target.is_empty() || any(&self.target)) && !any(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> KeyPattern {
        text.parse().unwrap()
    }

    fn key(text: &str) -> ContactKey {
        ContactKey::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_is_a_key_with_wildcards() {
        for (text, matching, other) in [
            ("ada", "ada", "ada2"),
            ("contact.ada", "ada", "contact.ada"),
            ("ada*", "ada", "bada"),
            ("*@example.com", "ada@example.com", "ada@example.org"),
            ("a?a", "ada", "adda"),
            ("*.sales.*", "eu.sales.ada", "eu.ada"),
        ] {
            assert!(pattern(text).matches(&key(matching)), "{text} {matching}");
            assert!(!pattern(text).matches(&key(other)), "{text} {other}");
        }
        assert!(pattern("*").matches(&key("anyone")));
        for wrong in ["", "contact.", "a b", "-a", "[ab]", "ada/bo"] {
            assert!(wrong.parse::<KeyPattern>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_excluded_is_out_whatever_is_targeted() {
        let scope = |target: &[&str], exclude: &[&str]| {
            let patterns = |texts: &[&str]| texts.iter().map(|text| pattern(text)).collect::<Vec<_>>();
            Scope::new(&patterns(target), &patterns(exclude))
        };
        let holds = |scope: &Scope| ["ada", "bo"].map(|name| scope.holds_key(&key(name)));
        assert_eq!(holds(&scope(&[], &[])), [true, true]);
        assert_eq!(holds(&scope(&["ada"], &[])), [true, false]);
        assert_eq!(holds(&scope(&[], &["ada"])), [false, true]);
        assert_eq!(holds(&scope(&["*"], &["a*"])), [false, true]);
        assert_eq!(scope(&["b", "a", "b"], &[]), scope(&["a", "b"], &[]));
    }
}
