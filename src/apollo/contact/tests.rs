use super::*;

fn read(text: &str) -> Contact {
    Contact::read(text).unwrap()
}

/// Reads an answer whose contact has an id and `members`.
fn with(members: &str) -> Contact {
    read(&format!(r#"{{"contact": {{"id": "66e34b81740c50074e3d1b01", {members}}}}}"#))
}

fn custom(id: &str) -> Field {
    Field::Custom(CustomFieldId::parse(id).unwrap())
}

#[test]
fn the_documented_answer_to_a_create_is_read_without_loss() {
    let contact = read(include_str!("../../../tests/fixtures/apollo/created.json"));
    assert_eq!(contact.id.as_str(), "66e34b81740c50074e3d1b01");
    // 2026-08-06T10:00:01.207Z
    assert_eq!(contact.created_at, Some(Timestamp(1_786_010_401_207)));
    assert_eq!(contact.updated_at, Some(Timestamp(1_786_010_401_331)));
    assert_eq!(contact.emails, ["ada.field@example.com", "ada@example.org"]);
    let expected: Fields = [
        (Field::FirstName, "Ada".into()),
        (Field::LastName, "Field".into()),
        (Field::OrganizationName, "Example Harbor".into()),
        (Field::Title, "Head of Tides".into()),
        (Field::AccountId, "60e34b81740c50074e3d1c04".into()),
        (Field::Email, "ada.field@example.com".into()),
        (Field::ContactStageId, "60e34b81740c50074e3d1c01".into()),
        (Field::PresentRawAddress, "Lisbon, Portugal".into()),
        (custom("60e34b81740c50074e3d1d01"), "test".into()),
        (custom("60e34b81740c50074e3d1d02"), "2026-08-06".into()),
    ]
    .into_iter()
    .collect();
    assert_eq!(contact.readable, expected);
    let phone = Phone {
        raw: "555-303-1569".to_owned(),
        sanitized: Some("+15553031569".to_owned()),
        kind: Some("work_direct".to_owned()),
    };
    assert_eq!(contact.phones, [phone]);
    assert!(contact.shows_phone("(555) 303-1569") && !contact.shows_phone("555-303-1568"));
    assert_eq!(contact.label_names, Some(vec!["harbor".to_owned(), "tides".to_owned()]));
    assert_eq!(contact.custom_field_errors, []);
    assert_eq!(contact.dedupe, None);
}

#[test]
fn the_documented_answer_to_a_match_is_read_without_loss() {
    let contact = read(include_str!("../../../tests/fixtures/apollo/matched.json"));
    let dedupe = DedupeResult {
        found_existing: true,
        match_reason: Some("email_match".to_owned()),
        existing_contact_id: Some("66e34b81740c50074e3d1b02".to_owned()),
    };
    assert_eq!(contact.dedupe, Some(dedupe));
    assert_eq!(contact.readable.text(&Field::PresentRawAddress), Some(""));
    assert_eq!(contact.label_names, Some(vec![]));
    assert_eq!(contact.emails, ["ben.moss@example.com"]);
}

#[test]
fn null_reads_as_empty_and_a_missing_or_odd_field_as_absent() {
    let contact = with(r#""title": null, "first_name": 5, "website_url": "https://example.com", "mobile_phone": "1""#);
    assert_eq!(contact.readable, [(Field::Title, "".into())].into_iter().collect());
    assert_eq!((contact.emails.len(), contact.phones.len(), contact.label_names), (0, 0, None));
    assert_eq!((contact.created_at, contact.dedupe), (None, None));
}

#[test]
fn nothing_but_the_id_can_fail_an_answer() {
    let odd = r#""created_at": "yesterday", "email": [], "contact_emails": {}, "phone_numbers": [null, 1, {}],
        "label_ids": "x", "typed_custom_fields": [], "custom_field_errors": {}, "account_id": {"id": 1}"#;
    let contact = with(odd);
    assert_eq!(contact.readable, Fields::default());
    assert_eq!((contact.created_at, contact.phones), (None, vec![]));
    for id in ["../users", "search", "-", "66e34b81740c50074e3d1b0", "66e34b81740c50074e3d1b0g"] {
        let text = format!(r#"{{"contact": {{"id": "{id}"}}}}"#);
        assert!(matches!(Contact::read(&text), Err(Misread::Lacks("a contact without an id"))), "{text}");
    }
    assert_eq!(read(r#"{"contact": {"id": "66E34B81740C50074E3D1B01"}}"#).id, contact.id);
    for text in [r#"{"contact": {"email": "a@example.com"}}"#, r#"{"contact": {"id": 17}}"#] {
        assert!(matches!(Contact::read(text), Err(Misread::Lacks("a contact without an id"))), "{text}");
    }
}

#[test]
fn an_answer_without_contact_is_no_success() {
    for text in [r#"{"contact": null}"#, r#"{"contact": [], "error": null}"#, "{}", "[]", "<html>", "", "ok"] {
        assert!(matches!(Contact::read(text), Err(Misread::Lacks(_))), "{text}");
    }
    assert!(matches!(Contact::read(r#"{"contact": {"id": "66"#), Err(Misread::Cut(_))));
    for (text, said) in [
        (r#"{"error": "no such stage"}"#, "no such stage"),
        (r#"{"error": {"message": "no such stage"}, "contact": null}"#, "no such stage"),
        (r#"{"error": true, "message": "no such stage"}"#, "no such stage"),
        (r#"{"error": 17}"#, "17"),
    ] {
        assert!(matches!(Contact::read(text), Err(Misread::Refused(message)) if message == said), "{text}");
    }
}

#[test]
fn custom_values_are_shown_letter_for_letter() {
    let contact = with(
        r#""typed_custom_fields": {
            "60e34b81740c50074e3d1d01": 1.10, "60e34b81740c50074e3d1d02": 12345678901234567890123, "60e34b81740c50074e3d1d03": true,
            "60e34b81740c50074e3d1d04": null, "60e34b81740c50074e3d1d05": [], "60e34b81740c50074e3d1d06": ["one"],
            "60e34b81740c50074e3d1d07": ["one", "two"], "60e34b81740c50074e3d1d08": {"a": 1}, "contact.60e34b81740c50074e3d1d09": "x",
            "60e34b81740c50074e3d1d10": [[]], "60e34b81740c50074e3d1d11": "a\tb"}"#,
    );
    let expected: Fields = [
        ("60e34b81740c50074e3d1d01", "1.10"),
        ("60e34b81740c50074e3d1d02", "12345678901234567890123"),
        ("60e34b81740c50074e3d1d03", "true"),
        ("60e34b81740c50074e3d1d04", ""),
        ("60e34b81740c50074e3d1d05", ""),
        ("60e34b81740c50074e3d1d06", "one"),
        ("60e34b81740c50074e3d1d11", "a\tb"),
    ]
    .map(|(id, text)| (custom(id), text.into()))
    .into_iter()
    .collect();
    assert_eq!(contact.readable, expected);
}

#[test]
fn an_email_is_listed_once_whatever_its_case() {
    let contact = with(
        r#""email": "Ada@Example.com", "contact_emails": [{"email": "ada@example.com"}, {"email": ""}, {"email": null},
            {"email": "a.field@example.org"}]"#,
    );
    assert_eq!(contact.emails, ["Ada@Example.com", "a.field@example.org"]);
}

#[test]
fn lists_are_known_only_where_the_answer_shows_their_names() {
    let labels = |contact: &str, labels: &str| {
        let text = format!(r#"{{"contact": {{"id": "66e34b81740c50074e3d1b01" {contact}}} {labels}}}"#);
        read(&text).label_names
    };
    let shown = r#", "labels": [{"id": "1", "name": "harbor", "modality": "contacts"}, {"id": "2", "name": "mills", "modality": "accounts"}]"#;
    let list = |name: &str| Some(vec![name.to_owned()]);
    assert_eq!(labels(r#", "label_ids": ["1"]"#, ""), None);
    assert_eq!(labels(r#", "label_ids": ["1"]"#, shown), list("harbor"));
    assert_eq!(labels(r#", "label_ids": ["2"]"#, shown), list("mills"));
    assert_eq!(labels(r#", "label_ids": []"#, ""), Some(vec![]));
    assert_eq!(labels("", shown), list("harbor"));
    assert_eq!(labels(r#", "label_ids": null"#, shown), list("harbor"));
}

#[test]
fn a_complaint_about_a_custom_field_is_kept_whatever_its_form() {
    let errors = |json: &str| with(&format!(r#""custom_field_errors": {json}"#)).custom_field_errors;
    let pair = |id: &str, text: &str| vec![(id.to_owned(), text.to_owned())];
    assert_eq!(errors(r#"{"60e34b81740c50074e3d1d01": "too long"}"#), pair("60e34b81740c50074e3d1d01", "too long"));
    assert_eq!(errors(r#"{"a": {"code": 3}}"#), pair("a", r#"{"code": 3}"#));
    assert_eq!(errors(r#"["too long"]"#), pair("", r#"["too long"]"#));
    assert_eq!(errors(r#""too long""#), pair("", "too long"));
    for none in ["null", "{}", "[]", "false"] {
        assert_eq!(errors(none), [], "{none}");
    }
}

#[test]
fn an_unreadable_match_flag_counts_as_set_when_a_contact_is_named() {
    let found = |result: &str| {
        let text = format!(r#"{{"contact": {{"id": "66e34b81740c50074e3d1b01"}}, "dedupe_result": {result}}}"#);
        read(&text).dedupe.map(|dedupe| dedupe.found_existing)
    };
    assert_eq!(found(r#"{"existing_contact_id": "66e34b81740c50074e3d1b01"}"#), Some(true));
    assert_eq!(found(r#"{"found_existing": false, "existing_contact_id": null}"#), Some(false));
    assert_eq!(found("{}"), Some(false));
    assert_eq!(found("null"), None);
}

#[test]
fn each_witness_of_a_match_is_found_wherever_it_stands() {
    let read = |text: &str| Contact::read(text).unwrap();
    let id = r#""id": "66e34b81740c50074e3d1b01""#;
    assert_eq!(read(&format!(r#"{{"contact": {{{id}}}, "was_existing": true}}"#)).was_existing, Some(true));
    assert_eq!(read(&format!(r#"{{"contact": {{{id}, "was_existing": "true"}}}}"#)).was_existing, Some(true));
    assert_eq!(read(&format!(r#"{{"contact": {{{id}}}}}"#)).was_existing, None);
    let inside = read(&format!(r#"{{"contact": {{{id}, "dedupe_result": {{"found_existing": true}}}}}}"#));
    assert!(inside.dedupe.unwrap().found_existing);
}

#[test]
fn what_stands_beside_a_contact_is_told() {
    let read = |text: &str| Contact::read(text).unwrap();
    let id = r#""id": "66e34b81740c50074e3d1b01""#;
    let complained = read(&format!(r#"{{"contact": {{{id}}}, "error": "stage unknown"}}"#));
    assert_eq!(complained.complaint.as_deref(), Some("stage unknown"));
    assert!(read(&format!(r#"{{"contact": {{{id}, "person_deleted": true}}}}"#)).person_deleted);
    assert!(!read(&format!(r#"{{"contact": {{{id}, "person_deleted": null}}}}"#)).person_deleted);
    let picked =
        r#""typed_custom_fields": {"60c39ed82bd02f01154c470a": ["a", "b"], "60c39ed82bd02f01154c470b": ["a"]}"#;
    let contact = read(&format!(r#"{{"contact": {{{id}, {picked}}}}}"#));
    let several = Field::Custom(CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap());
    assert_eq!(contact.in_other_form.into_iter().collect::<Vec<_>>(), [several]);
}

/// A create was answered with success and a contact that no search and no view ever showed.
#[test]
fn a_created_contact_that_does_not_exist_is_no_answer() {
    let ghost = r#"{"contact": {"id": "66e34b81740c50074e3d1b01", "existence_level": "none"}}"#;
    assert!(matches!(Contact::read_created(ghost), Err(Misread::Lacks(_))));
    assert!(Contact::read(ghost).is_ok());
}
