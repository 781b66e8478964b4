//! The name an entry goes by in the files and in the state.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest key, in characters (all of them ASCII).
const MAX_KEY_CHARS: usize = 128;

/// Identifies one contact over the whole directory; chosen by the user.
///
/// 1 to 128 of letters, digits and `. _ - @ +`, the first a letter or digit. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContactKey(Arc<str>);

/// Why a text is not a [`ContactKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    #[error("a key has at least one character")]
    Empty,
    #[error("a key has at most {MAX_KEY_CHARS} characters")]
    TooLong,
    #[error("a key begins with a letter or a digit")]
    FirstCharacter,
    #[error("a key holds only ASCII letters, digits and . _ - @ +, not {0:?}")]
    Character(char),
}

impl ContactKey {
    /// What [`ContactKey::parse`] accepts, as a regular expression for schemas.
    pub const PATTERN: &'static str = "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$";

    /// Checks `text` against the rules for keys.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let first = text.chars().next().ok_or(InvalidKey::Empty)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
        if let Some(character) = text.chars().find(|&c| !allowed(c)) {
            return Err(InvalidKey::Character(character));
        }
        if !first.is_ascii_alphanumeric() {
            return Err(InvalidKey::FirstCharacter);
        }
        if text.len() > MAX_KEY_CHARS {
            return Err(InvalidKey::TooLong);
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Renders the key as users see it in plans: `contact.KEY`.
    pub fn address(&self) -> String {
        format!("contact.{self}")
    }
}

impl fmt::Display for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl TryFrom<String> for ContactKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for ContactKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::parse(text)
    }
}

impl From<ContactKey> for String {
    fn from(key: ContactKey) -> Self {
        key.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_rules_of_the_contact_files() {
        for good in ["a", "7", "jane_doe", "jane@example.com", "x+y", "a.b-c", &"k".repeat(128)] {
            assert_eq!(ContactKey::parse(good).map(String::from), Ok(good.to_owned()));
        }
        assert_eq!(ContactKey::parse(""), Err(InvalidKey::Empty));
        assert_eq!(ContactKey::parse("-a"), Err(InvalidKey::FirstCharacter));
        assert_eq!(ContactKey::parse("a b"), Err(InvalidKey::Character(' ')));
        assert_eq!(ContactKey::parse("é"), Err(InvalidKey::Character('é')));
        assert_eq!(ContactKey::parse(&"k".repeat(129)), Err(InvalidKey::TooLong));
    }
}
