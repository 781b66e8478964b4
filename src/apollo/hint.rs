//! Which field a refusal seems to speak of, so that a diagnostic can point at a line.
//!
//! A guess, also from the words of a message: used for the place alone, never to decide what to do.

use serde_json::value::RawValue;

use super::json::Object;
use crate::model::{ApolloId, CustomFieldId, Field, TEXT_FIELDS};

/// The fields whose values are distinctive enough to be known again in a sentence.
const DISTINCTIVE: [Field; 9] = [
    Field::AccountId,
    Field::ContactStageId,
    Field::Email,
    Field::WebsiteUrl,
    Field::DirectPhone,
    Field::CorporatePhone,
    Field::MobilePhone,
    Field::HomePhone,
    Field::OtherPhone,
];

/// Returns the one contact in the body of a request for many that a refusal can speak of: the one with the id that it
/// names, or the only one. A body without any is returned as it is.
pub(super) fn item<'a>(sent: &'a str, named: Option<&ApolloId>) -> &'a str {
    let Some(body) = Object::document(sent).ok().flatten() else { return sent };
    let Some(items) = ["contacts", "contact_attributes"].into_iter().find_map(|name| body.array(name)) else {
        return sent;
    };
    let is_named = |item: &&&RawValue| {
        let id = Object::of(item).and_then(|item| item.text("id"));
        named.is_some() && id.and_then(|id| ApolloId::parse(&id)).as_ref() == named
    };
    match items.as_slice() {
        [only] => only.get(),
        several => several.iter().find(is_named).map_or("", |item| item.get()),
    }
}

/// Guesses the field: what the answer `named`, then a sent value in `message`, then a sent field's name there.
///
/// `sent` is the body of the refused request.
pub(super) fn field(named: Option<&str>, message: &str, sent: &str) -> Option<Field> {
    named.and_then(by_name).or_else(|| {
        let sent = Object::document(sent).ok().flatten()?;
        by_value(message, &sent).or_else(|| by_mention(message, &sent))
    })
}

fn by_name(name: &str) -> Option<Field> {
    let name = name.trim();
    CustomFieldId::parse(name).map(Field::Custom).or_else(|| Field::try_from(name.to_owned()).ok())
}

fn by_value(message: &str, sent: &Object) -> Option<Field> {
    DISTINCTIVE.into_iter().find(|field| {
        let value = sent.text(field.api_name());
        value.is_some_and(|value| mentions(message, &value))
    })
}

fn by_mention(message: &str, sent: &Object) -> Option<Field> {
    let custom: Vec<_> = sent
        .object("typed_custom_fields")
        .iter()
        .flat_map(Object::members)
        .filter_map(|(id, _)| CustomFieldId::parse(id))
        .collect();
    if let Some(id) = custom.iter().find(|id| mentions(message, id.as_str())) {
        return Some(Field::Custom(id.clone()));
    }
    let spoken = |name: &str| mentions(message, name) || mentions(message, &name.replace('_', " "));
    if let ([only], true) = (custom.as_slice(), spoken("custom_field") || spoken("typed_custom_fields")) {
        return Some(Field::Custom(only.clone()));
    }
    let fields = TEXT_FIELDS.into_iter().chain([Field::LabelNames]);
    fields.filter(|field| sent.raw(field.api_name()).is_some()).find(|field| spoken(field.api_name()))
}

/// Reports whether `text` holds `word` as a whole, whatever the case.
pub(super) fn mentions(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.trim().to_lowercase());
    let part_of_word = |character: char| character.is_alphanumeric() || character == '_';
    !word.is_empty()
        && text
            .match_indices(&word)
            .any(|(at, _)| !text[..at].ends_with(part_of_word) && !text[at + word.len()..].starts_with(part_of_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = r#"{"first_name": "Ada", "title": "Not a valid ID officer", "account_id": "63f53zz",
        "email": "ada@example.com", "contact_stage_id": "2342432",
        "typed_custom_fields": {"60c39ed82bd02f01154c470a": "2025-08-07"}, "run_dedupe": true}"#;

    fn custom() -> Field {
        Field::Custom(CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap())
    }

    #[test]
    fn a_named_field_comes_before_the_words() {
        assert_eq!(field(Some("title"), "email is invalid", SENT), Some(Field::Title));
        assert_eq!(field(Some("60c39ed82bd02f01154c470a"), "", SENT), Some(custom()));
        assert_eq!(field(Some("existence_level"), "email is invalid", SENT), Some(Field::Email));
    }

    #[test]
    fn a_value_in_the_message_points_at_its_field() {
        let invalid = |id| format!("Parameters misconfigured. {id} is not a valid ID");
        assert_eq!(field(None, &invalid("63f53zz"), SENT), Some(Field::AccountId));
        assert_eq!(field(None, &invalid("2342432"), SENT), Some(Field::ContactStageId));
        assert_eq!(field(None, &invalid("12342432"), SENT), None);
    }

    #[test]
    fn of_many_contacts_a_refusal_speaks_of_the_one_it_names_or_of_the_only_one() {
        let [one, other] = ["66e34b81740c50074e3d1b01", "66e34b81740c50074e3d1b02"];
        let items = [one, other].map(|id| format!(r#"{{"id":"{id}","title":"x"}}"#));
        let body = format!(r#"{{"contact_attributes":[{}]}}"#, items.join(","));
        let named = |id| item(&body, ApolloId::parse(id).as_ref());
        assert_eq!((named(one), named(other), named("66e34b81740c50074e3d1b03")), (&*items[0], &*items[1], ""));
        assert_eq!(item(&body, None), "");
        assert_eq!(item(r#"{"contacts":[{"title":"x"}],"run_dedupe":true}"#, None), r#"{"title":"x"}"#);
        assert_eq!(item(SENT, None), SENT);
    }

    #[test]
    fn a_sent_fields_name_in_the_message_points_at_it() {
        assert_eq!(field(None, "First name is too long", SENT), Some(Field::FirstName));
        assert_eq!(field(None, "last_name is too long", SENT), None);
        assert_eq!(field(None, "invalid custom field", SENT), Some(custom()));
        assert_eq!(field(None, "entitled to nothing", SENT), None);
        assert_eq!(field(None, "email is invalid", "no JSON"), None);
    }
}
