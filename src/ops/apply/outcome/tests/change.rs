use crate::apollo::Contact;
use crate::model::{Endpoint, Field, Origin, RunId, Timestamp, Value};
use crate::ops::apply::outcome::binding;
use crate::ops::apply::outcome::change::*;
use crate::plan::{Change, Setting};

use super::{ADA, answer, entry, fields, id};

fn lists(names: &[&str]) -> Value {
    Value::Lists(names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn texts_go_by_one_update_and_lists_by_a_call_each_way() {
    let change = |field, before, after| Change { field, before, after };
    let text = |field: Field, after: &str| change(field, None, Setting::Set(after.into()));
    let list = |before: Option<&[&str]>, after: &[&str]| {
        change(Field::LabelNames, before.map(lists), Setting::Set(lists(after)))
    };
    let call = |endpoint, names: &[&str]| (endpoint, [(Field::LabelNames, lists(names))].into_iter().collect());
    let (add, remove) = (Endpoint::AddToLists, Endpoint::RemoveFromLists);
    let titled = || (Endpoint::UpdateContact, fields(&[(Field::Title, "CTO")]));
    let table = [
        (vec![], vec![]),
        (vec![change(Field::Title, Some("CTO".into()), Setting::Released)], vec![]),
        (vec![text(Field::Title, "CTO")], vec![titled()]),
        (vec![list(None, &["A", "B"])], vec![call(add, &["A", "B"])]),
        (vec![list(Some(&["A", "B"]), &["B", "C"])], vec![call(add, &["C"]), call(remove, &["A"])]),
        (vec![list(Some(&["A"]), &[]), text(Field::Title, "CTO")], vec![titled(), call(remove, &["A"])]),
    ];
    for (changes, expected) in table {
        assert_eq!(writes_for(&changes), expected, "{changes:?}");
    }
}

#[test]
fn an_answer_is_about_the_contact_its_grave_or_its_survivor() {
    let contact = answer(&ADA, &[]);
    assert_eq!(about(&id(10), &contact), About::It);
    assert_eq!(about(&id(11), &contact), About::Survivor);
    let deleted = Contact { person_deleted: true, ..contact };
    assert_eq!(about(&id(10), &deleted), About::ItsGrave);
    assert_eq!(about(&id(11), &deleted), About::Survivor);
}

#[test]
fn what_was_refused_is_doubted_but_for_what_is_seen_as_it_was() {
    let sent = fields(&[(Field::FirstName, "Ada"), (Field::Title, "CTO")]);
    let table = [
        (None, None, None),
        (Some(answer(&ADA, &[])), Some("Ada"), None),
        (Some(answer(&[(Field::FirstName, "Eve")], &[])), None, None),
        (Some(answer(&[(Field::FirstName, "Ada"), (Field::Title, "CEO")], &[])), Some("Ada"), Some("CEO")),
    ];
    for (seen, first_name, title) in table {
        let run = RunId(String::new());
        let mut bound = binding::of(&answer(&ADA, &[]), &entry(&ADA), Origin::Created, Timestamp(9), &run);
        bound.applied.set(Field::Title, "CEO");
        note_refused(&mut bound, Endpoint::UpdateContact, &sent, seen.as_ref());
        let applied = (bound.applied.text(&Field::FirstName), bound.applied.text(&Field::Title));
        assert_eq!(applied, (first_name, title), "{seen:?}");
        assert_eq!(bound.applied.text(&Field::LastName), Some("Byron"), "it was not sent");
    }
}
