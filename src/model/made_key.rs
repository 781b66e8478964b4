//! Keys made from what tells people apart, for contacts that no person has given one.
//!
//! Pure: the same people in the same order get the same keys. A key that was given once is never given again.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{ContactKey, Field, Fields};

/// The longest part that is made of an e-mail or a name, so that what tells namesakes apart fits behind it.
const MOST_CHARS: usize = 100;

/// How many characters of an id tell two people of one e-mail or name apart, at least.
const TAIL_CHARS: usize = 6;

/// Gives keys, none twice.
#[derive(Debug, Default)]
pub struct KeyMaker {
    taken: BTreeSet<ContactKey>,
}

impl KeyMaker {
    /// Never gives these.
    pub fn sparing(taken: impl IntoIterator<Item = ContactKey>) -> Self {
        Self { taken: taken.into_iter().collect() }
    }

    /// Gives a key that somebody has chosen; `false` where it was given before.
    pub fn take(&mut self, key: &ContactKey) -> bool {
        self.taken.insert(key.clone())
    }

    /// Makes a key of the e-mail, or of the name where there is none; of two that would have one, the later gets the
    /// end of its `id` behind it, ASCII letters and digits.
    pub fn make(&mut self, fields: &Fields, id: &str) -> ContactKey {
        self.make_from(key_base(fields).as_deref(), id)
    }

    /// Makes a key of what [`key_base`] has returned, as [`KeyMaker::make`] does.
    pub fn make_from(&mut self, base: Option<&str>, id: &str) -> ContactKey {
        self.first_of(base.map(str::to_owned), base, id)
    }

    /// Makes a key with the end of `id` in it, for one of several who have one `base`: none of them gets what another
    /// would have alone.
    pub fn make_apart(&mut self, base: Option<&str>, id: &str) -> ContactKey {
        self.first_of(None, base, id)
    }

    fn first_of(&mut self, plain: Option<String>, base: Option<&str>, id: &str) -> ContactKey {
        let tail = &id[id.len().saturating_sub(TAIL_CHARS)..];
        let fallback = || format!("contact-{id}");
        let told_apart = [tail, id].into_iter().filter_map(|id| Some(format!("{}-{id}", base?)));
        let numbered = (2..).map(|number| format!("{}-{number}", fallback()));
        let candidates = plain.into_iter().chain(told_apart).chain([fallback()]).chain(numbered);
        let mut keys = candidates.filter_map(|text| ContactKey::parse(&text).ok());
        keys.find(|key| self.taken.insert(key.clone())).expect("numbers do not end")
    }
}

/// Reports whether [`key_base`] spells all letters of what it is made of: those who differ in others only would share it.
pub fn is_spelled_whole(fields: &Fields) -> bool {
    let is_kept = |text: &str| text.nfkd().all(|c| !is_combining_mark(c) && (c.is_ascii() || !c.is_alphanumeric()));
    let told_by: &[Field] = match fields.text(&Field::Email).map(str::trim) {
        Some(email) if !email.is_empty() => &[Field::Email],
        _ => &[Field::FirstName, Field::LastName, Field::OrganizationName],
    };
    told_by.iter().all(|field| fields.text(field).is_none_or(is_kept))
}

/// Returns what a key begins with, the e-mail or the name with the company; `None` for somebody without an e-mail and a name
/// in Latin letters.
///
/// A name alone would go to a namesake of another company when its owner is gone.
pub fn key_base(fields: &Fields) -> Option<String> {
    let text = |field| fields.text(&field).map(str::trim).filter(|text| !text.is_empty());
    if let Some(email) = text(Field::Email) {
        return Some(spelled(email, "._@+-")).filter(|base| !base.is_empty());
    }
    let names: Vec<&str> = [Field::FirstName, Field::LastName].into_iter().filter_map(text).collect();
    let name = Some(spelled(&names.join(" "), ".-")).filter(|name| !name.is_empty())?;
    let company = text(Field::OrganizationName).map(|company| spelled(company, ".-")).unwrap_or_default();
    let mut base = if company.is_empty() { name } else { format!("{name}_{company}") };
    base.truncate(MOST_CHARS);
    Some(base.trim_end_matches(['-', '_', '.']).to_owned())
}

/// Spells a text with lower-case ASCII letters, digits and the characters `kept`; anything else becomes one hyphen.
fn spelled(text: &str, kept: &str) -> String {
    let mut spelled = String::new();
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() || kept.contains(c) {
            spelled.push(c);
        } else if !spelled.ends_with('-') {
            spelled.push('-');
        }
    }
    let begun = spelled.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    begun[..begun.len().min(MOST_CHARS)].trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;

    fn fields(email: &str, first: &str, last: &str) -> Fields {
        let pairs = [(Field::Email, email), (Field::FirstName, first), (Field::LastName, last)];
        pairs.into_iter().map(|(field, text)| (field, Value::from(text))).collect()
    }

    #[test]
    fn a_name_has_its_company_with_it() {
        let base = |first, last, company: &str| {
            let company = [(Field::OrganizationName, Value::from(company))];
            key_base(&fields("", first, last).into_iter().chain(company).collect())
        };
        assert_eq!(base("Ada", "Quill", "Engines, Inc.").as_deref(), Some("ada-quill_engines-inc"));
        assert_eq!(base("Ada", "Quill", " 株式会社 ").as_deref(), Some("ada-quill"));
        assert_eq!(base("李", "雷", "Engines"), None);
        assert_eq!(base("Ada", "", &"x".repeat(200)).map(|base| base.len()), Some(MOST_CHARS));
        assert!(is_spelled_whole(&fields("", "Ada", "O'Quill, Jr.")) && !is_spelled_whole(&fields("", "Zoë", "Ros")));
        assert!(
            !is_spelled_whole(&fields("müller@x.example", "M", "M")) && !is_spelled_whole(&fields("", "李", "Ros"))
        );
    }

    #[test]
    fn a_key_is_the_email_or_the_name_and_namesakes_are_told_apart() {
        let mut maker = KeyMaker::sparing([ContactKey::parse("taken@example.com").unwrap()]);
        let mut key = |email, first, last, id| maker.make(&fields(email, first, last), id).to_string();
        assert_eq!(
            key("Ada.Lovelace+News@Example.com", "Ada", "", "66f0c1000000000000000001"),
            "ada.lovelace+news@example.com"
        );
        assert_eq!(key(" ", "Zoë", "Müller-Lüdenscheidt", "66f0c1000000000000000002"), "zoe-muller-ludenscheidt");
        assert_eq!(key("", "ZOE", "Muller Ludenscheidt", "66f0c1000000000000000003"), "zoe-muller-ludenscheidt-000003");
        assert_eq!(key("taken@example.com", "", "", "66f0c1000000000000000004"), "taken@example.com-000004");
        assert_eq!(key("", "李", "雷", "66f0c1000000000000000005"), "contact-66f0c1000000000000000005");
        assert_eq!(key("_x@bücher.example", "", "", "66f0c1000000000000000006"), "x@bucher.example");
        assert_eq!(key("", "", "", "66f0c1000000000000000006"), "contact-66f0c1000000000000000006");
        assert_eq!(key("", "", "", "66f0c1000000000000000006"), "contact-66f0c1000000000000000006-2");
        assert_eq!(maker.make_apart(Some("bo"), "66f0c1000000000000000007").as_str(), "bo-000007");
        let mut key = |email, first, last, id| maker.make(&fields(email, first, last), id).to_string();
        let long = key(&format!("{}@example.com", "x".repeat(200)), "", "", "66f0c1000000000000000007");
        assert_eq!(long, "x".repeat(MOST_CHARS));
    }
}
