//! Lenient reading of JSON: a value of an unexpected type is treated as absent, never as an error.
//!
//! Values stay raw text until asked for, so that numbers can be shown letter for letter.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The members of one JSON object; of equal names the last stands.
pub(super) struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    /// Reads a whole document; `Ok(None)` when it is JSON and not an object.
    pub(super) fn document(text: &'a str) -> Result<Option<Self>, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Ok(Self::of(raw))
    }

    pub(super) fn of(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok().map(Self)
    }

    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, raw)| (name.as_str(), *raw))
    }

    /// Returns the members' values, the names left out.
    pub(super) fn into_values(self) -> Vec<&'a RawValue> {
        self.0.into_values().collect()
    }

    pub(super) fn object(&self, name: &str) -> Option<Self> {
        self.raw(name).and_then(Self::of)
    }

    pub(super) fn array(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        self.raw(name).and_then(array)
    }

    /// Returns the objects of an array, other items left out; `None` when it is no array.
    pub(super) fn objects(&self, name: &str) -> Option<Vec<Self>> {
        Some(self.array(name)?.into_iter().filter_map(Self::of).collect())
    }

    /// Returns a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.raw(name).and_then(text)
    }

    /// Returns the strings of an array, other items left out; `None` when it is no array.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        Some(self.array(name)?.into_iter().filter_map(text).collect())
    }

    /// Returns a whole number, written as one or as a string of digits.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let raw = self.raw(name)?;
        typed(raw).or_else(|| text(raw)?.trim().parse().ok())
    }
}

/// Reads a whole document that is an array.
pub(super) fn array_document(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

pub(super) fn array(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

pub(super) fn text(raw: &RawValue) -> Option<String> {
    typed(raw)
}

pub(super) fn boolean(raw: &RawValue) -> Option<bool> {
    typed(raw)
}

pub(super) fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

fn typed<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_absent() {
        let object = Object::document(r#"{"a": 5, "b": "5", "c": null, "d": [1, "x", {}], "e": {"f": "g"}}"#);
        let object = object.unwrap().unwrap();
        assert_eq!(object.text("a"), None);
        assert_eq!(object.text("c"), None);
        assert_eq!(object.text("d"), None);
        assert_eq!(object.number("a"), Some(5));
        assert_eq!(object.number("b"), Some(5));
        assert_eq!(object.number("e"), None);
        assert_eq!(object.texts("d"), Some(vec!["x".to_owned()]));
        assert_eq!(object.texts("e"), None);
        assert_eq!(object.objects("d").map(|objects| objects.len()), Some(1));
        assert_eq!(object.object("e").and_then(|e| e.text("f")).as_deref(), Some("g"));
    }

    #[test]
    fn a_cut_document_is_an_error_and_an_array_is_no_object() {
        assert!(Object::document(r#"{"a": "#).is_err_and(|error| error.is_eof()));
        assert!(Object::document("[]").unwrap().is_none());
    }
}
