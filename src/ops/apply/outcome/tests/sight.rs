use crate::apollo::Contact;
use crate::model::{ConflictCause, ContactKey, Field, Fingerprint};
use crate::ops::apply::outcome::sight::*;

use super::{ADA, EVE, NAMES, answer, entry, fields, id};

#[test]
fn only_nobody_lets_a_create_go_out_and_only_the_one_with_the_email_is_bound() {
    let bob = ContactKey::parse("bob").unwrap();
    let declared = Fingerprint::from_bytes([7; 16]);
    let conflict = |cause, ends_doubt| Next::Conflict { id: id(1), cause, ends_doubt };
    let ids = vec![id(1), id(2)];
    let owned = ConflictCause::Collision { other: bob.clone(), other_fingerprint: Some(declared) };
    let table = [
        (Sight::Nobody, Next::Send { looked: true }),
        (Sight::MayNotSearch, Next::Send { looked: false }),
        (Sight::SamePerson(id(1)), Next::Adopt(id(1))),
        (Sight::Several(ids.clone()), conflict(ConflictCause::Several { ids: ids.clone() }, false)),
        (Sight::Namesakes(ids.clone()), conflict(ConflictCause::Namesakes { ids }, false)),
        (Sight::Owned(id(1), bob), conflict(owned, true)),
    ];
    for (sight, expected) in table {
        assert_eq!(sight.next(&entry(&ADA), |_| Some(declared)), expected);
    }
    assert_eq!(Sight::MayNotSearch.next(&entry(&NAMES), |_| None), Next::NeedsAPerson);
}

#[test]
fn whoever_has_the_email_is_bound_when_it_is_one_and_never_by_a_shared_mailbox() {
    let at = |number, emails: &[&str]| Contact { id: id(number), ..answer(&ADA, emails) };
    let eve = Contact { id: id(9), ..answer(&EVE, &["ADA@example.com"]) };
    let table = [
        (vec![], true, Sight::Nobody),
        (vec![at(1, &["eve@example.com"])], true, Sight::Nobody),
        (vec![at(1, &["old@example.com", "ADA@example.com"])], true, Sight::SamePerson(id(1))),
        (vec![eve.clone()], true, Sight::SamePerson(id(9))),
        (vec![at(1, &["ada@example.com"]), eve.clone()], true, Sight::Several(vec![id(1), id(9)])),
        (vec![at(1, &["ada+news@example.com"])], true, Sight::Namesakes(vec![id(1)])),
        (vec![at(1, &["ada@example.com"])], false, Sight::Namesakes(vec![id(1)])),
        (vec![eve], false, Sight::Nobody),
    ];
    let declared = fields(&ADA);
    for (found, run_dedupe, expected) in table {
        assert_eq!(Wanted::of(&declared, run_dedupe).by_email(&found), expected, "{run_dedupe} {found:?}");
    }
    assert_eq!(Wanted::of(&fields(&NAMES), true).by_email(&[at(1, &["ada@example.com"])]), Sight::Nobody);
}

#[test]
fn a_namesake_is_of_the_same_company_or_there_is_nothing_but_the_name() {
    let with = |field, text: &str| fields(&[NAMES[0].clone(), NAMES[1].clone(), (field, text)]);
    let company =
        |name: &'static str| answer(&[NAMES[0].clone(), NAMES[1].clone(), (Field::OrganizationName, name)], &[]);
    let table = [
        (fields(&NAMES), answer(&NAMES, &[]), true),
        (fields(&NAMES), answer(&NAMES[..1], &[]), false),
        (fields(&NAMES), company("Engines"), true),
        (with(Field::OrganizationName, "Engines"), company("engines"), true),
        (with(Field::OrganizationName, "Engines"), company("Looms"), false),
        (with(Field::Email, "ada@engines.example"), answer(&NAMES, &["a.b@engines.example"]), true),
        (with(Field::Email, "ada@engines.example"), answer(&NAMES, &["ada@looms.example"]), false),
        (with(Field::Email, "ada@gmail.com"), answer(&NAMES, &["other@gmail.com"]), false),
    ];
    for (declared, contact, expected) in table {
        assert_eq!(Wanted::of(&declared, true).is_namesake(&contact), expected, "{declared:?} {contact:?}");
    }
}
