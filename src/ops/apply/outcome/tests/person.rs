use crate::apollo::Contact;
use crate::model::{Field, MatchedBy, Timestamp};
use crate::ops::apply::outcome::person::*;

use super::{answer, fields};

#[test]
fn somebody_with_other_emails_is_a_stranger_and_somebody_without_is_not() {
    let ada = fields(&[(Field::Email, "Ada@example.com")]);
    assert!(is_stranger(&ada, &answer(&[], &["eve@example.com"])));
    assert!(!is_stranger(&ada, &answer(&[], &["old@example.com", "ada@EXAMPLE.com"])));
    assert!(!is_stranger(&ada, &answer(&[], &[])));
}

#[test]
fn without_a_declared_email_the_name_decides() {
    let ada = fields(&[(Field::FirstName, "Ada"), (Field::LastName, "Byron")]);
    assert!(!is_stranger(&ada, &answer(&[(Field::FirstName, "ADA"), (Field::LastName, "byron")], &[])));
    assert!(is_stranger(&ada, &answer(&[(Field::FirstName, "Ada"), (Field::LastName, "Ross")], &[])));
}

#[test]
fn who_was_sent_is_withdrawn_when_a_look_up_for_it_would_no_longer_find_the_entry() {
    let mail = |mail: &str| fields(&[(Field::Email, mail), (Field::FirstName, "Bob")]);
    let stone = fields(&[(Field::FirstName, "Bob"), (Field::LastName, "Stone")]);
    assert!(!is_withdrawn(&mail("Bob@example.com"), &mail("bob@EXAMPLE.com")));
    assert!(is_withdrawn(&mail("bob+x@example.com"), &mail("bob@example.com")));
    assert!(is_withdrawn(&mail("bob@example.com"), &stone), "what was searched for is not declared");
    let company =
        |name: &str| fields(&[(Field::FirstName, "BOB"), (Field::LastName, "stone"), (Field::OrganizationName, name)]);
    assert!(!is_withdrawn(&stone, &company("Example")), "more is declared of the same person");
    assert!(is_withdrawn(&company("Example"), &company("Other")));
    assert!(is_withdrawn(&company("Example"), &stone));
}

#[test]
fn a_contact_found_by_what_is_withdrawn_is_only_who_the_entry_names_too() {
    let rob = fields(&[(Field::FirstName, "Rob"), (Field::LastName, "Other")]);
    let bob = fields(&[(Field::FirstName, "Bob"), (Field::LastName, "Stone"), (Field::Email, "bob@example.com")]);
    let shown = [(Field::FirstName, "Rob"), (Field::LastName, "Other")];
    assert!(is_somebody_else_now(&rob, &bob, &answer(&shown, &[])), "no e-mail shown says nothing here");
    assert!(is_somebody_else_now(&rob, &rob, &answer(&[(Field::FirstName, "Bob")], &[])));
    assert!(!is_somebody_else_now(&rob, &rob, &answer(&shown, &["rob@other.example"])));
    assert!(!is_somebody_else_now(&rob, &bob, &answer(&shown, &["rob@other.example", "BOB@example.com"])));
}

#[test]
fn a_contact_older_than_the_attempt_was_matched() {
    let contact = answer(&[], &[]);
    assert_eq!(matched(&contact, Timestamp(10_000)), None);
    assert_eq!(matched(&contact, Timestamp(10_001)), Some(MatchedBy::CreationTime));
    assert!(matched(&Contact { created_at: None, ..contact }, Timestamp(0)).is_some());
}

#[test]
fn a_search_hit_counts_only_when_it_is_exactly_the_person() {
    let by_mail = fields(&[(Field::Email, "ada@example.com"), (Field::FirstName, "Ada")]);
    assert!(is_person(&by_mail, &answer(&[], &["ADA@example.com"])));
    assert!(!is_person(&by_mail, &answer(&[(Field::FirstName, "Ada")], &["ada.b@example.com"])));
    let by_name = fields(&[(Field::FirstName, "Ada"), (Field::OrganizationName, "Engines")]);
    let engines = [(Field::FirstName, "Ada"), (Field::OrganizationName, "engines")];
    assert!(is_person(&by_name, &answer(&engines, &[])));
    assert!(!is_person(&by_name, &answer(&engines[..1], &[])));
    assert!(!is_person(&fields(&[(Field::Title, "CTO")]), &answer(&[(Field::Title, "CTO")], &[])));
}
