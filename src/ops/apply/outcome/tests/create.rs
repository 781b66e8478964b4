use crate::apollo::Contact;
use crate::journal::CLOCK_SLACK;
use crate::model::{ConflictCause, Field, MatchedBy, Origin, Timestamp};
use crate::ops::Step;
use crate::ops::apply::outcome::create::*;

use super::{ADA, EVE, NAMES, answer, entry, id, sent};

/// A create that a look showed nobody for, whose answer may be as old as its contact.
const FIRST: Facts = Facts { is_known: false, earliest: Timestamp(10_000), settling: false, looked: true };

fn bind(step: Step, origin: Origin, all_sent: bool) -> Created {
    Created::Bind { step, origin, all_sent }
}

#[test]
fn what_is_answered_to_a_create_is_ours_or_matched_or_for_a_person() {
    let ada = || answer(&ADA, &["ada@example.com"]);
    let existing = || Contact { was_existing: Some(true), ..ada() };
    let blind = Facts { looked: false, ..FIRST };
    let older = Facts { earliest: Timestamp(10_001), ..blind };
    let again = Facts { settling: true, ..FIRST };
    let by_time = || Origin::Matched(MatchedBy::CreationTime);
    let eve = || answer(&EVE, &["eve@example.com"]);
    let recent = Facts { earliest: Timestamp(0), ..FIRST };
    let long_after = || Contact { created_at: Some(Timestamp(0) + CLOCK_SLACK), ..eve() };
    let table = [
        ("new and as sent", ada(), FIRST, bind(Step::Create, Origin::Created, true)),
        ("older", ada(), older, bind(Step::Import, by_time(), false)),
        ("known before", ada(), Facts { is_known: true, ..blind }, bind(Step::Import, by_time(), false)),
        ("said to be there", existing(), blind, bind(Step::Import, Origin::Matched(MatchedBy::WasExisting), false)),
        ("unseen by the look", existing(), FIRST, Created::Conflict(ConflictCause::UnseenMatch)),
        ("a stranger of no certain age", eve(), FIRST, Created::Conflict(ConflictCause::Stranger)),
        ("another form of what was just made", long_after(), recent, bind(Step::Create, Origin::Created, false)),
        ("made by the attempt before", existing(), again, bind(Step::Create, Origin::Settled, false)),
    ];
    for (case, contact, facts, expected) in table {
        assert_eq!(of_answer(&sent(&ADA), &entry(&ADA), &contact, facts), expected, "{case}");
    }
}

#[test]
fn whoever_was_there_before_the_first_attempt_is_not_what_it_made() {
    let contact = Contact { was_existing: Some(true), ..answer(&ADA, &["ada@example.com"]) };
    let sent = crate::model::Intent { there_before: vec![id(10)], ..sent(&ADA) };
    let facts = Facts { settling: true, ..FIRST };
    let expected = Created::Conflict(ConflictCause::UnseenMatch);
    assert_eq!(of_answer(&sent, &entry(&ADA), &contact, facts), expected);
}

#[test]
fn whom_only_an_earlier_body_means_is_not_the_entrys() {
    let facts = Facts { settling: true, looked: false, earliest: Timestamp(10_001), ..FIRST };
    let found = of_answer(&sent(&ADA), &entry(&EVE), &answer(&ADA, &["ada@example.com"]), facts);
    assert_eq!(found, Created::SomebodyElse);
}

#[test]
fn a_contact_viewed_by_its_id_is_taken_unless_it_is_another_one() {
    let (ada, eve) = (answer(&ADA, &["ada@example.com"]), answer(&EVE, &["eve@example.com"]));
    let look_up = Origin::Matched(MatchedBy::LookUp);
    let table = [
        (Origin::Adopted, &ada, 10, Adopted::Bind(Step::Import)),
        (Origin::Adopted, &eve, 10, Adopted::Bind(Step::Import)),
        (Origin::Restored, &ada, 10, Adopted::Bind(Step::Restore)),
        (Origin::Restored, &eve, 10, Adopted::Stranger),
        (look_up.clone(), &ada, 10, Adopted::Bind(Step::Import)),
        (look_up, &eve, 10, Adopted::Stranger),
        (Origin::Adopted, &ada, 11, Adopted::Merged),
    ];
    for (origin, contact, number, expected) in table {
        assert_eq!(of_view(&id(number), &entry(&ADA), &origin, contact), expected, "{origin:?}");
    }
}

#[test]
fn a_contact_with_no_email_shown_is_told_by_its_name() {
    let matched = Facts { looked: false, earliest: Timestamp(10_001), ..FIRST };
    let other = [(Field::FirstName, "Ada"), (Field::LastName, "King")];
    let of = |shown: &[(Field, &str)]| of_answer(&sent(&NAMES), &entry(&NAMES), &answer(shown, &[]), matched);
    assert_eq!(of(&other), Created::Conflict(ConflictCause::Stranger));
    assert_eq!(of(&NAMES), bind(Step::Import, Origin::Matched(MatchedBy::CreationTime), false));
}
