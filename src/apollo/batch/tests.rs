use super::*;
use crate::model::{Field, Timestamp};

const IDS: [&str; 4] =
    ["66e34b81740c50074e3d1b01", "66e34b81740c50074e3d1b02", "66e34b81740c50074e3d1b03", "66e34b81740c50074e3d1b04"];

/// A row as thin as they come.
fn row(number: usize, members: &str) -> String {
    format!(r#"{{"id": "{}", "email": "p{number}@example.com"{members}}}"#, IDS[number])
}

fn read(text: &str) -> BatchAnswer {
    BatchAnswer::read_created(text).unwrap_or_else(|error| panic!("{error:?}: {text}"))
}

fn standings(answer: &BatchAnswer) -> Vec<(&str, Standing)> {
    answer.rows.iter().map(|row| (row.contact.emails[0].as_str(), row.standing)).collect()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, Standing)]) {
    let answer = read(text);
    assert_eq!(standings(&answer), expected, "{text}");
    assert_eq!((answer.unreadable, answer.is_job), (0, false), "{text}");
}

#[test]
fn the_documented_answer_tells_who_was_made_and_who_was_there() {
    let answer = read(include_str!("../../../tests/fixtures/apollo/bulk-created.json"));
    assert_eq!(
        standings(&answer),
        [
            ("ben.moss@example.com", Standing::Existing),
            ("cy.reed@example.com", Standing::Created),
            ("ada.field@example.com", Standing::Created),
        ]
    );
    let ada = &answer.rows[2].contact;
    assert_eq!(ada.id.as_str(), "66e34b81740c50074e3d1b01");
    // 2026-08-06T10:00:01.207Z
    assert_eq!(ada.created_at, Some(Timestamp(1_786_010_401_207)));
    assert_eq!(ada.readable.text(&Field::Title), Some("Head of Tides"));
    // What a thin row does not show is not taken for empty.
    assert_eq!((ada.readable.text(&Field::PresentRawAddress), &ada.label_names), (None, &None));
}

#[test]
fn a_row_that_says_that_it_matched_is_no_created_one() {
    for (said, standing) in [
        ("", Standing::Created),
        (r#", "was_existing": false"#, Standing::Created),
        (r#", "was_existing": true"#, Standing::Existing),
        (r#", "was_existing": "true""#, Standing::Existing),
        (r#", "dedupe_result": {"found_existing": true}"#, Standing::Existing),
        (r#", "dedupe_result": {"found_existing": false}"#, Standing::Created),
        (r#", "existence_level": "full""#, Standing::Created),
        (r#", "existence_level": null"#, Standing::Created),
        (r#", "existence_level": "none""#, Standing::Nowhere),
        (r#", "existence_level": "none", "was_existing": true"#, Standing::Nowhere),
    ] {
        let text = format!(r#"{{"created_contacts": [{}], "existing_contacts": []}}"#, row(0, said));
        check(&text, &[("p0@example.com", standing)]);
    }
}

#[test]
fn a_contact_that_is_shown_twice_is_one_and_existing_where_it_is_both() {
    let (one, other) = (row(0, ""), row(1, ""));
    let text = format!(r#"{{"created_contacts": [{one}, {other}, {other}], "existing_contacts": [{one}]}}"#);
    check(&text, &[("p0@example.com", Standing::Existing), ("p1@example.com", Standing::Created)]);
}

#[test]
fn rows_are_found_in_whatever_they_are_put() {
    let expected = [("p0@example.com", Standing::Created)];
    let created = row(0, "");
    for rest in ["", r#", "existing_contacts": null"#, r#", "existing_contacts": {}"#, r#", "contacts": 5"#] {
        for rows in [format!("[{created}]"), format!(r#"{{"0": {created}}}"#), created.clone()] {
            check(&format!(r#"{{"created_contacts": {rows}{rest}}}"#), &expected);
        }
    }
    check(&format!(r#"{{"existing_contacts": [{created}]}}"#), &[("p0@example.com", Standing::Existing)]);
    check(r#"{"created_contacts": [], "existing_contacts": null}"#, &[]);
}

#[test]
fn a_row_that_cannot_be_read_leaves_the_others_readable() {
    for (odd, unreadable) in [
        (r#"{"email": "p9@example.com"}"#, 1),
        (r#"{"id": "9", "email": "p9@example.com"}"#, 1),
        ("null", 1),
        (r#""p9@example.com", 7, []"#, 3),
    ] {
        let answer = read(&format!(r#"{{"created_contacts": [{odd}, {}]}}"#, row(0, "")));
        assert_eq!((answer.unreadable, standings(&answer).len()), (unreadable, 1), "{odd}");
    }
    let answer = read(&format!(r#"{{"created_contacts": 2, "existing_contacts": [{}]}}"#, row(0, "")));
    assert_eq!((answer.unreadable, standings(&answer).len()), (1, 1));
}

#[test]
fn a_complaint_and_a_job_are_told_whatever_stands_beside_them() {
    let answer = read(&format!(r#"{{"created_contacts": [{}], "errors": ["p1: no name"]}}"#, row(0, "")));
    assert_eq!((answer.complaint.as_deref(), answer.rows.len()), (Some("p1: no name"), 1));
    let in_row = read(&format!(r#"{{"created_contacts": [{}]}}"#, row(0, r#", "error": "no title""#)));
    assert_eq!((in_row.complaint, in_row.rows[0].contact.complaint.as_deref()), (None, Some("no title")));
    let job = r#"{"entity_progress_job": {"id": "66e34b81740c50074e3d1b09", "status": "pending", "entity_ids": []}}"#;
    for answer in [BatchAnswer::read_created(job), BatchAnswer::read_changed(job)] {
        assert_eq!(answer.unwrap(), BatchAnswer { is_job: true, ..BatchAnswer::default() });
    }
}

#[test]
fn what_is_an_answer_to_something_else_is_none() {
    for text in ["", "<html>", "[]", "{}", r#"{"created_contacts": ["#, r#"{"message": "done"}"#, r#"{"contact": {}}"#]
    {
        assert!(BatchAnswer::read_created(text).is_err(), "{text}");
        assert!(BatchAnswer::read_changed(text).is_err(), "{text}");
    }
    for text in [r#"{"error": "not now"}"#, r#"{"success": false, "message": "not now"}"#] {
        let error = BatchAnswer::read_created(text).unwrap_err();
        assert!(matches!(&error, Misread::Refused(said) if said == "not now"), "{error:?}");
    }
}

#[test]
fn a_change_of_many_is_read_from_its_contacts() {
    let text = format!(r#"{{"contacts": [{}, {{"id": null}}, {}]}}"#, row(2, r#", "title": "Poet""#), row(1, ""));
    let answer = BatchAnswer::read_changed(&text).unwrap();
    assert_eq!((answer.unreadable, standings(&answer).len()), (1, 2));
    assert_eq!(answer.rows[0].contact.readable.text(&Field::Title), Some("Poet"));
    assert_eq!(answer.rows[1].standing, Standing::Existing);
}
