use std::path::Path;
use std::slice::from_ref;
use std::sync::Arc;

use super::*;
use crate::apollo::Phone;
use crate::model::{Fields, Place, Value};

fn id(number: u64) -> ApolloId {
    ApolloId::parse(&format!("{number:024x}")).unwrap()
}

fn fields(pairs: &[(Field, &str)]) -> Fields {
    pairs.iter().map(|(field, text)| (field.clone(), Value::from(*text))).collect()
}

fn entry(key: &str, run_dedupe: bool, pairs: &[(Field, &str)]) -> Entry {
    let place = Place { path: Arc::from(Path::new("a.yaml")), key: ContactKey::parse(key).unwrap() };
    Entry { place, fields: fields(pairs), run_dedupe, apollo_id: None, moved_from: None, ignored: [].into() }
}

fn contact(number: u64, pairs: &[(Field, &str)]) -> Contact {
    let readable = fields(pairs);
    let emails = readable.text(&Field::Email).into_iter().map(str::to_owned).collect();
    Contact { emails, readable, ..Contact::bare(id(number)) }
}

fn verdicts(entries: &[Entry], contacts: &[Contact], owned: &[(u64, &str)]) -> Vec<Verdict> {
    let owners = owned.iter().map(|(number, key)| (id(*number), ContactKey::parse(key).unwrap())).collect();
    let search = Search::for_entries(entries);
    let contacts: Vec<&Contact> = contacts.iter().filter(|contact| search.concerns(contact)).collect();
    search.pair(&contacts, &owners).into_iter().map(|(_, verdict)| verdict).collect()
}

fn pair(number: u64, by: RebuiltBy) -> Verdict {
    Verdict::Pair(id(number), by)
}

fn open(why: WhyOpen) -> Verdict {
    Verdict::Open(why)
}

use Field::{Email, FirstName, LastName, OrganizationName as Company, Title};

#[test]
fn an_email_pairs_where_one_contact_and_one_entry_have_it() {
    let ada = entry("ada", true, &[(FirstName, "Ada"), (Email, "Ada@x.example")]);
    let of_ada = |number| contact(number, &[(FirstName, "Augusta"), (Email, "ada@X.example")]);
    assert_eq!(verdicts(from_ref(&ada), &[of_ada(1)], &[]), [pair(1, RebuiltBy::Email)]);
    let two = open(WhyOpen::Several(vec![id(1), id(2)]));
    assert_eq!(verdicts(from_ref(&ada), &[of_ada(1), of_ada(2)], &[]), [two]);
    let owned = open(WhyOpen::Owned { id: id(1), owner: ContactKey::parse("bo").unwrap() });
    assert_eq!(verdicts(from_ref(&ada), &[of_ada(1)], &[(1, "bo")]), [owned]);
    assert_eq!(verdicts(from_ref(&ada), &[], &[]), [open(WhyOpen::Nobody)]);
    // Another e-mail is another person, whatever the name.
    let other = contact(1, &[(FirstName, "ADA"), (Email, "ada@y.example")]);
    assert_eq!(verdicts(&[ada], &[other], &[]), [open(WhyOpen::Similar(vec![id(1)]))]);
}

#[test]
fn whoever_shares_an_email_is_told_apart_by_the_name() {
    let office = |key, name| entry(key, false, &[(FirstName, name), (Email, "office@x.example")]);
    let in_apollo = |number, name| contact(number, &[(FirstName, name), (Email, "office@x.example")]);
    let entries = [office("ada", "Ada"), office("bo", "Bo"), office("cy", "Cy")];
    let contacts = [in_apollo(1, "bo"), in_apollo(2, "Ada"), in_apollo(3, "Di")];
    let similar = open(WhyOpen::Similar(vec![id(1), id(2), id(3)]));
    assert_eq!(verdicts(&entries, &contacts, &[]), [pair(2, RebuiltBy::Names), pair(1, RebuiltBy::Names), similar]);
    // Apollo holds others with an e-mail that one entry has.
    let ada = entry("ada", true, &[(FirstName, "Ada"), (Email, "office@x.example")]);
    assert_eq!(verdicts(&[ada], &contacts, &[]), [pair(2, RebuiltBy::Fields)]);
}

#[test]
fn a_name_pairs_with_a_company_or_with_more_that_tells_and_never_alone() {
    let at = |key, company| entry(key, true, &[(FirstName, "Ada"), (LastName, "Same"), (Company, company)]);
    let works = |number, company| contact(number, &[(FirstName, "Ada"), (LastName, "Same"), (Company, company)]);
    let contacts = [works(1, "Harbor"), works(2, "Globex")];
    assert_eq!(
        verdicts(&[at("a", "globex"), at("b", "Harbor"), at("c", "Initech")], &contacts, &[]),
        [pair(2, RebuiltBy::Names), pair(1, RebuiltBy::Names), open(WhyOpen::Similar(vec![id(1), id(2)]))]
    );
    let alone = entry("li", true, &[(FirstName, "李"), (LastName, "雷")]);
    let li = contact(3, &[(FirstName, "李"), (LastName, "雷"), (Title, "Poet")]);
    assert_eq!(verdicts(from_ref(&alone), from_ref(&li), &[]), [open(WhyOpen::NameAlone(id(3)))]);
    let mut poet = alone;
    poet.fields.set(Title, "Poet");
    assert_eq!(verdicts(&[poet.clone()], from_ref(&li), &[]), [pair(3, RebuiltBy::Fields)]);
    poet.fields.set(Title, "Clerk");
    assert_eq!(verdicts(&[poet], &[li], &[]), [open(WhyOpen::NameAlone(id(3)))]);
}

#[test]
fn namesakes_are_told_apart_by_all_else_or_left_to_a_person() {
    let ada = |key: &str, phone: &str| {
        let mut ada = entry(key, false, &[(FirstName, "Ada"), (LastName, "Same"), (Company, "Harbor")]);
        ada.fields.set(Field::MobilePhone, phone);
        ada
    };
    let in_apollo = |number, phone: &str, sanitized: &str| {
        let mut shown = contact(number, &[(FirstName, "Ada"), (LastName, "Same"), (Company, "Harbor")]);
        shown.phones = vec![Phone {
            raw: phone.to_owned(),
            sanitized: Some(sanitized.to_owned()),
            kind: Some("mobile".to_owned()),
        }];
        shown
    };
    let entries = [ada("a", "+1 202 555 0101"), ada("b", "+1 202 555 0102")];
    let contacts = [in_apollo(1, "(202) 555-0102", "+12025550102"), in_apollo(2, "+12025550101", "+12025550101")];
    let told_apart = verdicts(&entries, &contacts, &[]);
    assert_eq!(told_apart[0], pair(2, RebuiltBy::Fields), "{told_apart:?}");
    let both = [ada("a", "+1 202 555 0101"), ada("b", "+1 202 555 0101")];
    let several = open(WhyOpen::Several(vec![id(1), id(2)]));
    assert_eq!(verdicts(&both, &contacts, &[]), [several.clone(), several]);
    let key = |key| ContactKey::parse(key).unwrap();
    assert_eq!(
        verdicts(&both, &contacts[1..], &[]),
        [
            open(WhyOpen::Shared { id: id(2), others: vec![key("b")] }),
            open(WhyOpen::Shared { id: id(2), others: vec![key("a")] })
        ]
    );
}
