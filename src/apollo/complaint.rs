//! What an answer says went wrong, in whatever member it says so.
//!
//! Only whether there is a complaint is ever decided by; its words are for people.

use serde_json::value::RawValue;

use super::excerpt::excerpt;
use super::json::{self, Object};

/// Returns what `answer` complains of by `error`, `errors` or `success: false`, as an excerpt.
pub(super) fn of(answer: &Object) -> Option<String> {
    let of_member = |name| answer.raw(name).filter(|raw| !is_nothing(raw));
    let complaint = if let Some(error) = of_member("error") {
        said_in(answer).unwrap_or_else(|| error.get().to_owned())
    } else if let Some(errors) = of_member("errors") {
        words(errors)
    } else if answer.raw("success").is_some_and(is_no) {
        said_in(answer).unwrap_or_else(|| "success: false".to_owned())
    } else {
        return None;
    };
    Some(excerpt(&complaint))
}

/// Returns the words in a JSON answer: `error`, its `message`, or `message`.
pub(super) fn said_in(answer: &Object) -> Option<String> {
    let nested = || answer.object("error")?.text("message");
    let texts = [answer.text("error"), nested(), answer.text("message")];
    texts.into_iter().flatten().find(|text| !text.trim().is_empty())
}

/// Returns the words of one complaint or of several, with the names they stand under.
fn words(raw: &RawValue) -> String {
    if let Some(text) = json::text(raw) {
        return text;
    }
    if let Some(items) = json::array(raw) {
        return items.into_iter().map(words).collect::<Vec<_>>().join("; ");
    }
    match Object::of(raw) {
        Some(object) => match object.text("message") {
            Some(message) => message,
            None => {
                object.members().map(|(name, raw)| format!("{name}: {}", words(raw))).collect::<Vec<_>>().join("; ")
            }
        },
        None => raw.get().to_owned(),
    }
}

/// Reports whether a member that would hold a complaint holds none.
fn is_nothing(raw: &RawValue) -> bool {
    json::is_null(raw)
        || json::boolean(raw) == Some(false)
        || json::text(raw).is_some_and(|text| text.trim().is_empty())
        || json::array(raw).is_some_and(|items| items.is_empty())
        || Object::of(raw).is_some_and(|object| object.members().next().is_none())
}

fn is_no(raw: &RawValue) -> bool {
    json::boolean(raw) == Some(false) || json::text(raw).is_some_and(|text| text.eq_ignore_ascii_case("false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Option<String> {
        of(&Object::document(text).unwrap().unwrap())
    }

    #[test]
    fn a_complaint_is_found_in_whatever_member_it_stands() {
        for (text, said) in [
            (r#"{"error": "no such stage", "message": "other"}"#, "no such stage"),
            (r#"{"error": {"message": "no such stage"}}"#, "no such stage"),
            (r#"{"error": true, "message": "no such stage"}"#, "no such stage"),
            (r#"{"error": 17}"#, "17"),
            (r#"{"errors": "no such list"}"#, "no such list"),
            (r#"{"errors": ["no such list", {"message": "nor contact"}]}"#, "no such list; nor contact"),
            (r#"{"errors": {"title": ["is too long", "is odd"]}}"#, "title: is too long; is odd"),
            (r#"{"success": false}"#, "success: false"),
            (r#"{"success": "False", "message": "not now"}"#, "not now"),
        ] {
            assert_eq!(of_text(text).as_deref(), Some(said), "{text}");
        }
    }

    #[test]
    fn a_member_that_holds_nothing_complains_of_nothing() {
        for text in [
            "{}",
            r#"{"error": null, "errors": []}"#,
            r#"{"error": false, "errors": {}}"#,
            r#"{"error": "", "success": true, "message": "done"}"#,
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }
}
