//! What a request's body says, read strictly: a value of the wrong type is refused, never guessed at.
//!
//! Unknown keys are ignored, as the API does. Never touches stored data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::phone::PhoneKind;

/// The fields of a contact that hold one text; in a request `""` clears.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Texts {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) organization_name: Option<String>,
    pub(super) title: Option<String>,
    pub(super) account_id: Option<String>,
    pub(super) email: Option<String>,
    /// Kept and never answered, except by the control surface.
    pub(super) website_url: Option<String>,
    pub(super) contact_stage_id: Option<String>,
    pub(super) present_raw_address: Option<String>,
}

impl Texts {
    pub(super) fn all_mut(&mut self) -> [&mut Option<String>; 9] {
        let Self {
            first_name,
            last_name,
            organization_name,
            title,
            account_id,
            email,
            website_url,
            contact_stage_id,
            present_raw_address,
        } = self;
        [
            first_name,
            last_name,
            organization_name,
            title,
            account_id,
            email,
            website_url,
            contact_stage_id,
            present_raw_address,
        ]
    }

    /// Takes over every field that `sent` has.
    pub(super) fn overwrite(&mut self, sent: &Self) {
        let take = |stored: &mut Option<String>, sent: &Option<String>| {
            if let Some(text) = sent {
                *stored = Some(text.clone()).filter(|text| !text.is_empty());
            }
        };
        take(&mut self.first_name, &sent.first_name);
        take(&mut self.last_name, &sent.last_name);
        take(&mut self.organization_name, &sent.organization_name);
        take(&mut self.title, &sent.title);
        take(&mut self.account_id, &sent.account_id);
        take(&mut self.email, &sent.email);
        take(&mut self.website_url, &sent.website_url);
        take(&mut self.contact_stage_id, &sent.contact_stage_id);
        take(&mut self.present_raw_address, &sent.present_raw_address);
    }
}

/// The body of a create or an update.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) texts: Texts,
    pub(super) phones: BTreeMap<PhoneKind, String>,
    pub(super) label_names: Option<Vec<String>>,
    pub(super) custom_fields: BTreeMap<String, String>,
    pub(super) run_dedupe: bool,
}

impl Sent {
    /// Reads the body of a create or an update.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let body = Body::read(body)?;
        let mut phones = BTreeMap::new();
        for kind in PhoneKind::ALL {
            phones.extend(body.text(kind.field())?.map(|number| (kind, number)));
        }
        Ok(Self {
            texts: Texts {
                first_name: body.text("first_name")?,
                last_name: body.text("last_name")?,
                organization_name: body.text("organization_name")?,
                title: body.text("title")?,
                account_id: body.id("account_id")?,
                // Dropped silently when invalid (older vendor documentation of the create call).
                email: body.text("email")?.filter(|email| email.is_empty() || is_email(email)),
                website_url: body.text("website_url")?,
                contact_stage_id: body.id("contact_stage_id")?,
                present_raw_address: body.text("present_raw_address")?,
            },
            phones,
            label_names: body.texts("label_names")?,
            custom_fields: body.custom_fields()?,
            run_dedupe: body.flag("run_dedupe")?,
        })
    }
}

/// A body that is answered with an error; the status and the text of its `error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error: String,
}

impl Refusal {
    pub(super) fn misconfigured(what: impl std::fmt::Display) -> Self {
        Self { status: 422, error: format!("Parameters misconfigured. {what}") }
    }

    /// Refuses a malformed id in the documented words.
    pub(super) fn invalid_id(id: &str) -> Self {
        Self::misconfigured(format_args!("{id} is not a valid ID"))
    }
}

/// A JSON object whose members are read by type.
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Refusal { status: 400, error: "The body must be a JSON object.".to_owned() }),
            Err(error) => Err(Refusal { status: 400, error: format!("The body is not JSON: {error}.") }),
        }
    }

    /// Reads a text. `null` is refused too: no source says what it would do, so nobody should send it.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong_type(name, "a string")),
        }
    }

    /// Reads a list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let texts =
            value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        texts.map(Some).ok_or_else(|| wrong_type(name, "an array of strings"))
    }

    /// Reads a list of anything.
    pub(super) fn items(&self, name: &str) -> Result<Option<&[Value]>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        value.as_array().map(|items| Some(items.as_slice())).ok_or_else(|| wrong_type(name, "an array"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong_type(name, "true or false")),
        }
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

    /// Reads an id: empty, or 24 hexadecimal digits.
    fn id(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.text(name)? {
            Some(id) if !id.is_empty() && !is_id(&id) => Err(Refusal::invalid_id(&id)),
            id => Ok(id),
        }
    }

    /// Reads custom fields; keys that are no bare id are accepted and ignored, as clients have seen.
    fn custom_fields(&self) -> Result<BTreeMap<String, String>, Refusal> {
        const NAME: &str = "typed_custom_fields";
        let wrong = || wrong_type(NAME, "an object with string values");
        let mut fields = BTreeMap::new();
        let Some(value) = self.0.get(NAME) else { return Ok(fields) };
        for (id, value) in value.as_object().ok_or_else(wrong)? {
            let text = value.as_str().ok_or_else(wrong)?;
            if is_id(id) {
                fields.insert(id.clone(), text.to_owned());
            }
        }
        Ok(fields)
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
            let refusal = Sent::read(body.as_bytes()).unwrap_err();
            assert_eq!(refusal, Refusal { status: 422, error: format!("Parameters misconfigured. {error}") });
        }
    }

    #[test]
    fn what_looks_like_no_email_is_dropped() {
        let email = |text: &str| Sent::read(format!(r#"{{"email": "{text}"}}"#).as_bytes()).unwrap().texts.email;
        assert_eq!(email("ada+x@example.com").as_deref(), Some("ada+x@example.com"));
        assert_eq!(email("").as_deref(), Some(""));
        for wrong in ["ada", "ada@", "@example.com", "ada@example", "a da@example.com", "ada@example..com"] {
            assert_eq!(email(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_custom_field_id_with_its_modality_is_ignored() {
        let sent = Sent::read(br#"{"typed_custom_fields": {"contact.60c39ed82bd02f01154c470a": "x"}}"#).unwrap();
        assert!(sent.custom_fields.is_empty());
    }
}
