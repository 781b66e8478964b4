//! The contacts that entries name by `apollo_id`, in little memory.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ApolloId;

/// A set of contacts, each as the twelve bytes that its 24 digits are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named(Vec<[u8; 12]>);

impl Named {
    pub const NONE: Self = Self(Vec::new());

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, id: &ApolloId) -> bool {
        packed(id).is_some_and(|packed| self.0.binary_search(&packed).is_ok())
    }

    /// Lists the contacts.
    pub fn iter(&self) -> impl Iterator<Item = ApolloId> {
        self.0.iter().map(|id| ApolloId::parse(&digits(id)).expect("a packed id has 24 digits"))
    }

    /// Joins the sets of many files.
    pub fn join<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::of(sets.into_iter().flat_map(|set| set.0.iter().copied()).collect())
    }

    /// Reads bytes as [`Named::to_bytes`] gave them; `None` for any others.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (ids, rest) = bytes.as_chunks();
        rest.is_empty().then(|| Self::of(ids.to_vec()))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    fn of(mut ids: Vec<[u8; 12]>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        ids.shrink_to_fit();
        Self(ids)
    }
}

impl<'a> FromIterator<&'a ApolloId> for Named {
    /// Leaves out an id of any other form than files can hold.
    fn from_iter<T: IntoIterator<Item = &'a ApolloId>>(ids: T) -> Self {
        Self::of(ids.into_iter().filter_map(packed).collect())
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(digits))
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts: Vec<String> = Deserialize::deserialize(deserializer)?;
        let id = |text: &String| ApolloId::parse(text).as_ref().and_then(packed);
        let ids: Option<Vec<_>> = texts.iter().map(id).collect();
        ids.map(Self::of).ok_or_else(|| D::Error::custom("an id of a contact has another form"))
    }
}

fn digits(id: &[u8; 12]) -> String {
    let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// Packs the lower-case digits of an id.
fn packed(id: &ApolloId) -> Option<[u8; 12]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits: &[u8; 24] = id.as_str().as_bytes().try_into().ok()?;
    let mut packed = [0; 12];
    for (byte, pair) in packed.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_again_and_others_are_not() {
        let id = |text: &str| ApolloId::parse(text).unwrap();
        let recorded: ApolloId = serde_json::from_str(r#""not-of-that-form""#).unwrap();
        let ids = [id("66f0c1aa99bb00112233ddee"), id("00000000000000000000000a"), recorded];
        let named: Named = ids.iter().collect();
        assert!(named.contains(&ids[0]) && named.contains(&ids[1]) && !named.contains(&ids[2]));
        assert!(!named.contains(&id("00000000000000000000000b")));
        assert!(named.contains(&id("00000000000000000000000A")));
        let text = serde_json::to_string(&named).unwrap();
        assert_eq!(text, r#"["00000000000000000000000a","66f0c1aa99bb00112233ddee"]"#);
        assert_eq!(serde_json::from_str::<Named>(&text).unwrap(), named);
    }
}
