//! A contact and a list as the sandbox keeps them, and what writing fields to a contact does.
//!
//! Never matches, stores or answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::sent::{PhoneKind, Sent, Text};
use super::team;
use crate::model::Timestamp;

/// One contact; the fields that requests set and answers vary by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Contact {
    pub(super) id: String,
    #[serde(deserialize_with = "without_nulls")]
    pub(super) texts: BTreeMap<Text, String>,
    pub(super) email_status: Option<String>,
    /// Further e-mails; only the control surface can set them.
    pub(super) additional_emails: Vec<String>,
    pub(super) phones: BTreeMap<PhoneKind, String>,
    pub(super) label_ids: BTreeSet<String>,
    pub(super) custom_fields: BTreeMap<String, String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Contact {
    /// Makes a contact with nothing but the default stage, which recorded answers show.
    pub(super) fn new(id: String, now: Timestamp) -> Self {
        Self {
            id,
            texts: [(Text::ContactStageId, team::DEFAULT_STAGE_ID.to_owned())].into(),
            email_status: None,
            additional_emails: Vec::new(),
            phones: BTreeMap::new(),
            label_ids: BTreeSet::new(),
            custom_fields: BTreeMap::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Writes what was sent, except lists: what was omitted stays, what is empty is cleared.
    ///
    /// The status of an e-mail is not recomputed when another takes its place (vendor page of the
    /// create call, on overwriting).
    pub(super) fn write(&mut self, sent: &Sent) {
        overwrite(&mut self.texts, &sent.texts);
        let status = self.email_status.take().or_else(|| Some("verified".to_owned()));
        self.email_status = status.filter(|_| self.texts.contains_key(&Text::Email));
        overwrite(&mut self.phones, &sent.phones);
        overwrite(&mut self.custom_fields, &sent.custom_fields);
    }

    pub(super) fn text(&self, field: Text) -> Option<&str> {
        self.texts.get(&field).map(String::as_str)
    }

    /// Returns every e-mail, the primary one first.
    pub(super) fn emails(&self) -> impl Iterator<Item = &str> {
        self.text(Text::Email).into_iter().chain(self.additional_emails.iter().map(String::as_str))
    }

    /// Joins first and last name as answers show them.
    pub(super) fn name(&self) -> String {
        let parts = [self.text(Text::FirstName), self.text(Text::LastName)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Reads texts; logs of earlier versions have `null` where there is none.
fn without_nulls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Text, String>, D::Error> {
    let texts = BTreeMap::<Text, Option<String>>::deserialize(deserializer)?;
    Ok(texts.into_iter().filter_map(|(field, text)| Some((field, text?))).collect())
}

/// Sets each entry of `sent`; an empty text removes its entry.
fn overwrite<K: Ord + Clone>(stored: &mut BTreeMap<K, String>, sent: &BTreeMap<K, String>) {
    for (key, text) in sent {
        if text.is_empty() {
            stored.remove(key);
        } else {
            stored.insert(key.clone(), text.clone());
        }
    }
}

/// One list; the API calls it a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// Brings a phone number to E.164 as well as it can be without a country; `None` without enough digits.
///
/// Numbers of ten digits are taken for North American, as in the vendor's example.
pub(super) fn sanitized(raw: &str) -> Option<String> {
    let without_extension = raw.split(['x', 'X', '#', ';', ',']).next().unwrap_or_default();
    let international = without_extension.trim_start().starts_with('+');
    let digits: String = without_extension.chars().filter(char::is_ascii_digit).collect();
    let number = match digits.strip_prefix("00") {
        Some(rest) if !international => rest.to_owned(),
        _ if !international && digits.len() == 10 => format!("1{digits}"),
        _ => digits,
    };
    (7..=15).contains(&number.len()).then(|| format!("+{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_an_earlier_version_is_read() {
        let contact = Contact::new("1".to_owned(), Timestamp(0));
        let mut line = serde_json::to_value(&contact).unwrap();
        line["texts"]["title"] = serde_json::Value::Null;
        assert_eq!(serde_json::from_value::<Contact>(line).unwrap(), contact);
    }

    #[test]
    fn phone_numbers_are_sanitized_like_the_documented_example() {
        let of = |raw| sanitized(raw).unwrap_or_default();
        assert_eq!(of("555-303-1569"), "+15553031569");
        assert_eq!(of("+44 7911 123456"), "+447911123456");
        assert_eq!(of("0044 7911 123456"), "+447911123456");
        assert_eq!(of("(555) 303-1234 x12"), "+15553031234");
        assert_eq!(of("ask at the desk"), "");
    }
}
