use std::collections::{BTreeMap, BTreeSet};

use crate::apollo::{Contact, ListChange};
use crate::model::{Binding, Endpoint, Field, Fields, Origin, RunId, Timestamp, Value};
use crate::ops::apply::outcome::binding;
use crate::ops::apply::outcome::lists::*;

use super::{NAMES, answer, entry, sent};

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn on(lists: &[&str]) -> Fields {
    [(Field::LabelNames, Value::Lists(names(lists)))].into_iter().collect()
}

/// A contact of ours that is known to be on these lists.
fn bound(lists: &[&str]) -> Binding {
    let mut bound =
        binding::of(&answer(&NAMES, &[]), &entry(&NAMES), Origin::Created, Timestamp(9), &RunId(String::new()));
    bound.applied.set(Field::LabelNames, Value::Lists(names(lists)));
    bound
}

fn shows(lists: &[&str]) -> Contact {
    Contact { label_names: Some(lists.iter().map(|&list| list.to_owned()).collect()), ..answer(&NAMES, &[]) }
}

fn applied(binding: &Binding) -> Vec<&str> {
    binding.applied.lists().collect()
}

#[test]
fn a_success_that_says_nothing_against_it_is_believed() {
    let plain = || ListChange { names: None, ids: BTreeMap::new(), complaint: None, is_job: false };
    let answered = |lists: &[&str]| ListChange { names: Some(names(lists).into_iter().collect()), ..plain() };
    let complains = || ListChange { complaint: Some("no such list".to_owned()), ..plain() };
    let table = [
        (plain(), false, false),
        (answered(&["team"]), false, false),
        (answered(&["VIP"]), true, false),
        (complains(), true, true),
        (ListChange { is_job: true, ..plain() }, true, true),
    ];
    for (answer, adds, removes) in table {
        let told = format!("{answer:?}");
        assert_eq!(ListCall::of(Endpoint::AddToLists, &on(&["Team"])).is_doubtful(&answer), adds, "{told}");
        assert_eq!(ListCall::of(Endpoint::RemoveFromLists, &on(&["Team"])).is_doubtful(&answer), removes, "{told}");
    }
}

#[test]
fn a_view_tells_whether_a_call_was_carried_out() {
    let table =
        [(shows(&["team", "VIP"]), true, false), (shows(&["VIP"]), false, true), (answer(&NAMES, &[]), false, false)];
    for (contact, added, removed) in table {
        assert_eq!(ListCall::of(Endpoint::AddToLists, &on(&["Team"])).stands(&contact), added);
        assert_eq!(ListCall::of(Endpoint::RemoveFromLists, &on(&["Team"])).stands(&contact), removed);
    }
}

#[test]
fn a_list_that_had_the_contact_before_is_not_ours() {
    let mut binding = bound(&[]);
    let call = ListCall::of(Endpoint::AddToLists, &on(&["Team", "VIP"]));
    let ids = [("Team".to_owned(), "1".to_owned()), ("VIP".to_owned(), "2".to_owned())].into();
    let answer = ListChange { names: None, ids, complaint: None, is_job: false };
    call.note_found(&mut binding, &answer, &names(&["2"]));
    call.note_done(&mut binding);
    assert_eq!((binding.found_lists.clone(), applied(&binding)), (names(&["VIP"]), vec!["Team"]));
    ListCall::of(Endpoint::RemoveFromLists, &on(&["Team"])).note_done(&mut binding);
    assert_eq!(applied(&binding), [""; 0]);
}

#[test]
fn a_refused_call_leaves_in_doubt_what_the_contact_does_not_show() {
    let table = [
        (Endpoint::AddToLists, None, vec!["Old"], vec!["New"]),
        (Endpoint::AddToLists, Some(shows(&["Old"])), vec!["Old"], vec![]),
        (Endpoint::RemoveFromLists, None, vec![], vec!["New", "Old"]),
        (Endpoint::RemoveFromLists, Some(shows(&["old"])), vec![], vec!["Old"]),
    ];
    for (endpoint, seen, stands, possible) in table {
        let mut binding = bound(&["Old"]);
        ListCall::of(endpoint, &on(&["Old", "New"])).note_refused(&mut binding, seen.as_ref());
        assert_eq!((applied(&binding), &binding.possible_lists), (stands, &names(&possible)), "{endpoint:?}");
    }
}

#[test]
fn lists_that_a_create_held_are_made_sure_of() {
    let mut binding = bound(&["Team"]);
    let mut create = sent(&NAMES);
    create.fields.set(Field::LabelNames, Value::Lists(names(&["Team", "VIP"])));
    note_sent(&mut binding, &create);
    assert_eq!(binding.possible_lists, names(&["VIP"]));
}
