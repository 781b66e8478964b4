//! Identifiers given by Apollo or drawn by us.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Apollo's id of one contact, the only identity that survives edits on either side.
///
/// 24 hexadecimal digits in lower case, whatever the case in a file or an answer: one contact has one id.
#[derive(Clone, PartialEq, Eq)]
pub struct ApolloId(Id);

/// Of many contacts many ids are kept, so that the usual ones are no pieces of memory of their own.
#[derive(Clone, PartialEq, Eq)]
enum Id {
    /// In lower case.
    Digits([u8; 24]),
    /// Never 24 digits.
    Recorded(Box<str>),
}

impl ApolloId {
    /// Accepts 24 hexadecimal digits, the form that people may write and that a server may answer.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 24] = text.as_bytes().try_into().ok().filter(|_| is_hex24(text))?;
        Some(Self(Id::Digits(digits.map(|digit| digit.to_ascii_lowercase()))))
    }

    /// Accepts as well what earlier versions recorded: letters, digits, `-` and `_`, as they were answered.
    pub(super) fn recorded(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_plain = !text.is_empty() && text.len() <= 64 && text.chars().all(plain);
        Self::parse(text).or_else(|| is_plain.then(|| Self(Id::Recorded(text.into()))))
    }

    pub fn as_str(&self) -> &str {
        match &self.0 {
            Id::Digits(digits) => std::str::from_utf8(digits).expect("digits are ASCII"),
            Id::Recorded(text) => text,
        }
    }
}

impl PartialOrd for ApolloId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ApolloId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Id::Digits(one), Id::Digits(other)) => one.cmp(other),
            _ => self.as_str().cmp(other.as_str()),
        }
    }
}

impl Hash for ApolloId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for ApolloId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ApolloId {
    /// Reads what a state or a plan holds.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::recorded(&text).ok_or_else(|| D::Error::custom("this is no id of a contact"))
    }
}

impl fmt::Display for ApolloId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ApolloId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reports whether `text` has the form of an Apollo id: 24 hexadecimal digits.
pub fn is_hex24(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Random id of a state's life, drawn when the state is made; a plan quotes it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lineage(pub String);

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Counts the writes that change what is managed; a plan made at another serial is stale.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Serial(pub u64);

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one run of `apply` or one life of `watch` in the state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hash of everything a reviewer of a plan approves, as 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_has_one_id_whatever_its_case() {
        let id = ApolloId::parse("66e34b81740c50074e3d1b0a").unwrap();
        assert_eq!(ApolloId::parse("66E34B81740C50074e3D1B0A").as_ref(), Some(&id));
        assert_eq!(serde_json::from_str::<ApolloId>(r#""66E34B81740C50074E3D1B0A""#).unwrap(), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""66e34b81740c50074e3d1b0a""#);
        for text in
            ["", "search", "-", "66e34b81740c50074e3d1b0", "66e34b81740c50074e3d1b0ag", "66e34b81740c50074e3d1b0g"]
        {
            assert_eq!(ApolloId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_earlier_versions_recorded_is_read_and_nothing_that_leaves_its_path() {
        let read = |text: &str| serde_json::from_value::<ApolloId>(text.into());
        assert_eq!(read("Contact-1_b").unwrap().as_str(), "Contact-1_b");
        for text in ["", "..", "a/b", "a?b", &"a".repeat(65)] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
