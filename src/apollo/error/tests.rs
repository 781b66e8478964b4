use super::*;
use crate::model::CustomFieldId;

const CONTACT: &str = "66e34b81740c50074e3d1b01";

fn call() -> Call {
    Call { method: Method::POST, url: "https://api.example.com/contacts".into() }
}

fn refused(status: u16, body: &str) -> Error {
    let sent = r#"{"email": "ada@example.com", "account_id": "60e34b81740c50074e3d1c04zz"}"#;
    let meta = Meta { status, ..Meta::default() };
    Error::Status(Box::new(Refusal::read(call(), meta, body, false, Some(sent))))
}

fn id() -> ApolloId {
    ApolloId::parse(CONTACT).unwrap()
}

const REPEATABLE: [Endpoint; 5] = [
    Endpoint::UpdateContact,
    Endpoint::ViewContact,
    Endpoint::SearchContacts,
    Endpoint::AddToLists,
    Endpoint::RemoveFromLists,
];

fn check(error: &Error, create: Retry, others: Retry) {
    assert_eq!(error.retry(Endpoint::CreateContact), create, "{error}");
    for endpoint in REPEATABLE {
        assert_eq!(error.retry(endpoint), others, "{error} to {endpoint}");
    }
}

#[test]
fn the_status_alone_says_whether_to_send_again() {
    for status in [408, 425, 500, 502, 503, 504, 520, 529, 599] {
        check(&refused(status, ""), Retry::Settle, Retry::Now);
    }
    for status in [301, 302, 307, 308, 400, 401, 402, 403, 404, 409, 410, 413, 422, 451] {
        check(
            &refused(status, r#"{"error": "timeout, internal error, too many requests, retry"}"#),
            Retry::Never,
            Retry::Never,
        );
    }
    check(&refused(303, ""), Retry::Settle, Retry::Never);
    check(&refused(429, "Too many requests"), Retry::Later, Retry::Later);
}

/// A page came after the work was done, counted as a refusal, and the next apply made a second contact.
#[test]
fn a_page_of_a_gateway_refuses_nothing_whatever_its_status() {
    for status in [403, 404, 410, 418, 422, 451] {
        check(&refused(status, " <!DOCTYPE html><html></html>"), Retry::Settle, Retry::Now);
        assert!(!refused(status, "<html>").contact_is_gone(&id()));
        assert!(!refused(status, "<html>").is_barred(Endpoint::CreateContact));
    }
    check(&refused(429, "<html>"), Retry::Settle, Retry::Later);
}

/// A firewall that disliked a word of one title ended all creates of the run, and blamed the key.
#[test]
fn only_the_apis_own_word_about_the_action_bars_it() {
    let barred = |body: &str| refused(403, body).is_barred(Endpoint::CreateContact);
    assert!(barred(
        r#"{"error": "api/v1/contacts/create is not accessible with this api_key", "error_code": "API_INACCESSIBLE"}"#
    ));
    assert!(!barred(r#"{"error": "api/v1/accounts/show is not accessible", "error_code": "API_INACCESSIBLE"}"#));
    assert!(!barred(r#"{"error": "not your account"}"#));
    assert!(!barred("Forbidden"));
}

#[test]
fn words_that_a_contact_is_gone_only_raise_the_question() {
    let gone = |status, body: &str| refused(status, body).contact_may_be_gone(&id());
    for body in [r#"{"error": "Contact does not exist"}"#, r#"{"error": "This contact has been deleted."}"#] {
        assert!(gone(422, body) && !refused(422, body).contact_is_gone(&id()), "{body}");
    }
    assert!(!gone(422, r#"{"error": "title is too long"}"#));
    assert!(gone(410, "Gone") && gone(404, ""));
}

#[test]
fn a_success_that_is_no_answer_leaves_a_create_in_doubt_and_fails_the_others() {
    let meta = || Meta { status: 200, ..Meta::default() };
    for misread in [Misread::Lacks("no contact"), Misread::Refused("no".to_owned())] {
        check(&Error::misread(call(), meta(), misread), Retry::Settle, Retry::Never);
    }
    check(&Error::misread(call(), meta(), Misread::Cut("cut".into())), Retry::Settle, Retry::Now);
    let large = Error::TooLarge { call: call(), limit_bytes: 8, meta: Box::new(meta()) };
    check(&large, Retry::Settle, Retry::Never);
}

#[test]
fn what_was_never_sent_for_a_bad_setting_is_not_sent_again() {
    check(&Error::Credential, Retry::Never, Retry::Never);
    check(&Error::Insecure { url: "http://api.example.com".to_owned() }, Retry::Never, Retry::Never);
}

#[test]
fn a_contact_is_gone_only_by_status_or_by_the_list_of_deleted_ones() {
    let deleted = include_str!("../../../tests/fixtures/apollo/deleted.json");
    assert!(refused(404, "").contact_is_gone(&id()));
    assert!(refused(410, "").contact_is_gone(&id()));
    assert!(refused(422, deleted).contact_is_gone(&id()));
    assert!(refused(422, &deleted.replace(CONTACT, &CONTACT.to_uppercase())).contact_is_gone(&id()));
    let other = ApolloId::parse("66e34b81740c50074e3d1b02").unwrap();
    assert!(!refused(422, deleted).contact_is_gone(&other));
    assert!(!refused(422, r#"{"error": "66e34b81740c50074e3d1b01 is deleted"}"#).contact_is_gone(&id()));
    assert!(!refused(403, deleted).contact_is_gone(&id()));
    assert!(!Error::Credential.contact_is_gone(&id()));
}

#[test]
fn the_documented_refusals_are_read_without_loss() {
    let unauthorized = refused(401, include_str!("../../../tests/fixtures/apollo/unauthorized.txt"));
    assert_eq!(unauthorized.server_message(), Some("Invalid access credentials."));
    assert_eq!(unauthorized.status(), Some(401));

    let forbidden = refused(403, include_str!("../../../tests/fixtures/apollo/forbidden.json"));
    assert_eq!(forbidden.error_code(), Some("API_INACCESSIBLE"));
    assert_eq!(forbidden.server_message(), Some("api/v1/contacts/show is not accessible with this api_key."));

    let invalid = refused(422, include_str!("../../../tests/fixtures/apollo/invalid-id.json"));
    assert_eq!(invalid.field_hint(), Some(Field::AccountId));
    assert_eq!(
        invalid.to_string(),
        "POST https://api.example.com/contacts answered 422: \
         Parameters misconfigured. 60e34b81740c50074e3d1c04zz is not a valid ID"
    );

    let field = refused(422, include_str!("../../../tests/fixtures/apollo/field-error.json"));
    assert_eq!(field.field_hint(), Some(Field::Email));

    let many = refused(429, include_str!("../../../tests/fixtures/apollo/too-many-requests.json"));
    assert!(many.server_message().is_some_and(|message| message.contains("600 times per hour")));
    assert_eq!(many.field_hint(), None);
}

#[test]
fn a_code_below_the_details_is_found() {
    let error = refused(422, r#"{"error": "no", "error_details": {"code": "BILLING.LIMIT.CREDITS_EXHAUSTED"}}"#);
    assert_eq!(error.error_code(), Some("BILLING.LIMIT.CREDITS_EXHAUSTED"));
}

#[test]
fn a_page_for_browsers_is_named_not_quoted() {
    let error = refused(502, "<!DOCTYPE html><title>Bad gateway</title>");
    assert_eq!(error.server_message(), None);
    assert_eq!(error.to_string(), "POST https://api.example.com/contacts answered 502 with an HTML page");
    assert_eq!(refused(502, "").to_string(), "POST https://api.example.com/contacts answered 502");
    assert_eq!(
        refused(500, r#"{"oops": 1}"#).to_string(),
        r#"POST https://api.example.com/contacts answered 500: {"oops": 1}"#
    );
}

#[test]
fn server_text_is_short_and_cannot_steer_a_terminal() {
    let error = refused(422, &serde_json::json!({"error": format!("\u{1b}]0;x\u{7}{}", "a".repeat(600))}).to_string());
    let message = error.server_message().unwrap();
    assert!(message.starts_with("\\u{1b}]0;x\\u{7}aaa") && message.ends_with("a…"), "{message}");
    assert!(!error.to_string().contains('\u{1b}'));
}

#[test]
fn a_custom_field_named_by_the_details_is_found() {
    let body = r#"{"error": "no", "error_details": {"field": "60c39ed82bd02f01154c470a"}}"#;
    let custom = CustomFieldId::parse("60c39ed82bd02f01154c470a").map(Field::Custom);
    assert_eq!(refused(422, body).field_hint(), custom);
}
