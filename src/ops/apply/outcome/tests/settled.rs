use crate::apollo::Contact;
use crate::model::{ConflictCause, Field, Intent, Timestamp};
use crate::ops::apply::outcome::create::Asked;
use crate::ops::apply::outcome::settled::*;
use crate::plan::Dispute;

use super::{ADA, EVE, NAMES, answer, entry, id, sent};

/// Hears contacts that no key owns about a create that made none before 10 s.
fn heard(intent: &Intent, contacts: &[Contact]) -> Witness {
    let mut witness = Witness::default();
    for contact in contacts.iter().filter(|contact| Witness::concerns(intent, contact)) {
        witness.hear(intent, contact, false, Timestamp(10_000));
    }
    witness
}

fn at(contact: Contact, number: u8, created: u64) -> Contact {
    Contact { id: id(number), created_at: Some(Timestamp(created)), ..contact }
}

#[test]
fn what_is_found_decides_what_comes_next() {
    let ada = |number, created| at(answer(&ADA, &["ada@example.com"]), number, created);
    let names = |number, created| at(answer(&NAMES, &[]), number, created);
    let in_other_form = at(answer(&[ADA[0].clone(), (Field::LastName, "Lovelace")], &["ada@example.com"]), 3, 10_000);
    let several = |numbers: &[u8]| Next::Undecided(Dispute::Several { ids: numbers.iter().map(|&n| id(n)).collect() });
    let (by_mail, by_name) = (sent(&ADA), sent(&NAMES));
    let undeduped = Intent { run_dedupe: false, ..sent(&ADA) };
    let (nothing, anyway) = (Asked::Nothing, Asked::Anyway);
    let of_ada = entry(&ADA);
    let of_names = entry(&NAMES);
    let of_eve = entry(&EVE);
    let namesake = Next::Conflict { id: id(1), cause: ConflictCause::Namesakes { ids: vec![id(1)] } };
    let table = [
        ("one is new", &by_mail, vec![ada(1, 10_000)], Some(&of_ada), nothing, Next::Bind(id(1))),
        ("twice seen", &by_mail, vec![ada(1, 10_000); 2], Some(&of_ada), nothing, Next::Bind(id(1))),
        ("two are new", &by_mail, vec![ada(1, 10_000), ada(2, 10_000)], Some(&of_ada), nothing, several(&[1, 2])),
        ("nobody wants it", &by_mail, vec![ada(1, 10_000)], None, nothing, Next::LeaveBehind(id(1))),
        ("nobody knows which", &by_mail, vec![ada(1, 10_000), ada(2, 10_000)], None, nothing, Next::GiveUp),
        ("none, nobody wants it", &by_mail, vec![], None, nothing, Next::GiveUp),
        ("none", &by_mail, vec![], Some(&of_ada), nothing, Next::SendAgain),
        ("there before, dedupe finds it", &by_mail, vec![ada(1, 9_999)], Some(&of_ada), nothing, Next::SendAgain),
        ("a namesake", &by_name, vec![names(1, 9_999)], Some(&of_names), nothing, namesake.clone()),
        ("a person decided", &by_name, vec![names(1, 9_999)], Some(&of_names), anyway, Next::CreateAnyway),
        ("another form", &undeduped, vec![in_other_form.clone()], Some(&of_ada), nothing, Next::SendAgain),
        ("another form, same mail", &by_mail, vec![in_other_form], Some(&of_ada), nothing, Next::SendAgain),
        ("withdrawn", &by_mail, vec![], Some(&of_eve), nothing, Next::CreateAsDeclared),
        ("withdrawn, there before", &by_mail, vec![ada(1, 9_999)], Some(&of_eve), nothing, Next::View(id(1))),
        ("withdrawn, as asked", &by_mail, vec![ada(1, 9_999)], Some(&of_eve), anyway, Next::CreateAsDeclared),
        ("undeduped, there before", &undeduped, vec![ada(1, 9_999)], Some(&of_ada), nothing, namesake),
    ];
    for (case, intent, contacts, entry, asked, expected) in table {
        assert_eq!(next(heard(intent, &contacts), intent, entry, asked), expected, "{case}");
    }
}

#[test]
fn somebody_made_since_who_shows_something_else_is_for_a_person_where_nothing_matches() {
    let intent = sent(&NAMES);
    let titled = sent(&[NAMES[0].clone(), NAMES[1].clone(), (Field::Title, "CTO")]);
    let found = at(answer(&[NAMES[0].clone(), NAMES[1].clone(), (Field::Title, "CEO")], &[]), 1, 10_000);
    let expected = Next::Undecided(Dispute::Several { ids: vec![id(1)] });
    let entry = entry(&NAMES);
    assert_eq!(next(heard(&titled, std::slice::from_ref(&found)), &titled, Some(&entry), Asked::Nothing), expected);
    assert_eq!(next(heard(&intent, &[found]), &intent, Some(&entry), Asked::Nothing), expected, "no title was sent");
}

/// A colleague made a contact of that name after the create was sent; it was bound, and its e-mail was replaced.
#[test]
fn who_shows_what_was_never_sent_is_not_what_was_made() {
    let intent = sent(&NAMES);
    let made = |fields: &[(Field, &str)], emails: &[&str], created| at(answer(fields, emails), 1, created);
    let next = |found| next(heard(&intent, &[found]), &intent, Some(&entry(&NAMES)), Asked::Nothing);
    let undecided = Next::Undecided(Dispute::Several { ids: vec![id(1)] });
    assert_eq!(next(made(&NAMES, &[], 10_000)), Next::Bind(id(1)));
    assert_eq!(next(made(&NAMES, &["bob@other.example"], 10_000)), undecided);
    let with = |field| [NAMES[0].clone(), NAMES[1].clone(), (field, "x")];
    assert_eq!(next(made(&with(Field::OrganizationName), &[], 10_000)), undecided);
    // Nor is somebody who was made long after the last attempt.
    assert_eq!(next(made(&NAMES, &[], 100_000_000)), undecided);
}

#[test]
fn who_was_deleted_or_known_before_is_not_what_was_made() {
    let intent = sent(&ADA);
    let ada = answer(&ADA, &["ada@example.com"]);
    assert!(!Witness::concerns(&intent, &Contact { person_deleted: true, ..ada.clone() }));
    let mut witness = Witness::default();
    witness.hear(&intent, &ada, true, Timestamp(10_000));
    assert!(!witness.is_clear());
    assert_eq!(witness.only(), None);
    assert_eq!(heard(&intent, std::slice::from_ref(&ada)).only(), Some(ada.id.clone()));
    assert_eq!(heard(&intent, &[ada.clone(), at(ada, 11, 10_000)]).only(), None);
}
