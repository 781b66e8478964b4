//! What a request's body says, read strictly: a value of the wrong type is refused, never guessed at.
//!
//! Unknown keys are ignored, as the API does. Never touches stored data.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::choice;

/// The fields of a contact that hold one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Text {
    FirstName,
    LastName,
    OrganizationName,
    Title,
    AccountId,
    Email,
    /// Kept and never answered, except by the control surface.
    WebsiteUrl,
    ContactStageId,
    PresentRawAddress,
}

/// The kinds of phone number, in the order in which answers list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PhoneKind {
    Direct,
    Corporate,
    Mobile,
    Home,
    Other,
}

/// The body of a create or an update.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    /// An empty text clears, here and below.
    pub(super) texts: BTreeMap<Text, String>,
    pub(super) phones: BTreeMap<PhoneKind, String>,
    pub(super) label_names: Option<Vec<String>>,
    pub(super) custom_fields: BTreeMap<String, String>,
    pub(super) run_dedupe: bool,
}

impl Sent {
    /// Reads what an object says of a contact.
    pub(super) fn of(body: &Body) -> Result<Self, Refusal> {
        let mut sent = Self {
            label_names: body.texts("label_names")?,
            custom_fields: body.custom_fields()?,
            run_dedupe: body.flag("run_dedupe")?,
            ..Self::default()
        };
        for name in body.0.keys() {
            if let Ok(field) = choice::read(name) {
                sent.texts.extend(body.of_contact(field, name)?.map(|text| (field, text)));
            } else if let Some(kind) = name.strip_suffix("_phone").and_then(|kind| choice::read(kind).ok()) {
                sent.phones.extend(body.text(name)?.map(|number| (kind, number)));
            }
        }
        Ok(sent)
    }
}

/// A request that is answered with an error: the status and the body.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Refusal {
    /// Refuses with `{"error": text}`.
    pub(super) fn error(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: json!({ "error": text.into() }) }
    }

    pub(super) fn misconfigured(what: impl std::fmt::Display) -> Self {
        Self::error(422, format!("Parameters misconfigured. {what}"))
    }

    /// Refuses a malformed id in the documented words.
    pub(super) fn invalid_id(id: &str) -> Self {
        Self::misconfigured(format_args!("{id} is not a valid ID"))
    }
}

/// A JSON object whose members are read by type.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Refusal::error(400, "The body must be a JSON object.")),
            Err(error) => Err(Refusal::error(400, format!("The body is not JSON: {error}."))),
        }
    }

    /// Returns each member in an object of its own, by name.
    pub(super) fn one_by_one(&self) -> impl Iterator<Item = (&str, Self)> {
        self.0.iter().map(|(name, value)| (name.as_str(), Self(Map::from_iter([(name.clone(), value.clone())]))))
    }

    /// Reads a member. `null` is refused too: no source says what it would do, so nobody should send it.
    fn get<T: DeserializeOwned>(&self, name: &str, expected: &str) -> Result<Option<T>, Refusal> {
        let read = self.0.get(name).map(|value| T::deserialize(value).map_err(|_| wrong_type(name, expected)));
        read.transpose()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.get(name, "a string")
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        self.get(name, "an array of strings")
    }

    /// Reads an object whose members are texts.
    pub(super) fn texts_by_name(&self, name: &str) -> Result<BTreeMap<String, String>, Refusal> {
        Ok(self.get(name, "an object with string values")?.unwrap_or_default())
    }

    pub(super) fn objects(&self, name: &str) -> Result<Option<Vec<Self>>, Refusal> {
        self.get(name, "an array of objects")
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.get(name, "true or false")?.unwrap_or(false))
    }

    /// Reads a number that starts at 1; digits in a string will do, since clients of the API send both.
    pub(super) fn ordinal(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        let number = match self.0.get(name) {
            None => return Ok(default),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(digits)) => digits.parse().ok(),
            Some(_) => None,
        };
        let number = number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0);
        number.ok_or_else(|| wrong_type(name, "a number from 1"))
    }

    /// Reads a text of a contact; an id is empty or 24 hexadecimal digits.
    fn of_contact(&self, field: Text, name: &str) -> Result<Option<String>, Refusal> {
        let text = self.text(name)?;
        match (field, &text) {
            (Text::AccountId | Text::ContactStageId, Some(id)) if !id.is_empty() && !is_id(id) => {
                Err(Refusal::invalid_id(id))
            }
            // Dropped silently when invalid (older vendor documentation of the create call).
            (Text::Email, Some(email)) if !email.is_empty() && !is_email(email) => Ok(None),
            _ => Ok(text),
        }
    }

    /// Reads custom fields; keys that are no bare id are accepted and ignored, as clients have seen.
    fn custom_fields(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let fields: Option<BTreeMap<String, String>> =
            self.get("typed_custom_fields", "an object with string values")?;
        Ok(fields.unwrap_or_default().into_iter().filter(|(id, _)| is_id(id)).collect())
    }
}

fn wrong_type(name: &str, expected: &str) -> Refusal {
    Refusal::misconfigured(format_args!("{name} must be {expected}"))
}

/// Reports whether `text` has the form of the API's ids.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reports whether `text` looks like an e-mail; what the real API judges by is not published.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.trim().rsplit_once('@') else { return false };
    let clean = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "@,;<>()".contains(c));
    clean(local) && clean(domain) && domain.contains('.') && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Sent, Refusal> {
        Sent::of(&Body::read(body.as_bytes()).unwrap())
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused_with_its_name() {
        for (body, error) in [
            (r#"{"title": 7}"#, "title must be a string"),
            (r#"{"title": null}"#, "title must be a string"),
            (r#"{"label_names": "a"}"#, "label_names must be an array of strings"),
            (r#"{"label_names": ["a", 1]}"#, "label_names must be an array of strings"),
            (r#"{"run_dedupe": "true"}"#, "run_dedupe must be true or false"),
            (r#"{"typed_custom_fields": {"a": 1}}"#, "typed_custom_fields must be an object with string values"),
            (r#"{"account_id": "2342432"}"#, "2342432 is not a valid ID"),
        ] {
            let refusal = read(body).unwrap_err();
            assert_eq!(refusal, Refusal::misconfigured(error));
        }
    }

    #[test]
    fn what_looks_like_no_email_is_dropped() {
        let email = |text: &str| {
            let sent = read(&format!(r#"{{"email": "{text}"}}"#)).unwrap();
            sent.texts.get(&Text::Email).cloned()
        };
        assert_eq!(email("ada+x@example.com").as_deref(), Some("ada+x@example.com"));
        assert_eq!(email("").as_deref(), Some(""));
        for wrong in ["ada", "ada@", "@example.com", "ada@example", "a da@example.com", "ada@example..com"] {
            assert_eq!(email(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_custom_field_id_with_its_modality_is_ignored() {
        let sent = read(r#"{"typed_custom_fields": {"contact.60c39ed82bd02f01154c470a": "x"}}"#).unwrap();
        assert!(sent.custom_fields.is_empty());
    }
}
