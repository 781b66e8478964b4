use std::collections::BTreeSet;

use crate::apollo::Contact;
use crate::model::{Field, MatchedBy, Origin, RunId, Timestamp, Value};
use crate::ops::apply::outcome::binding::*;
use crate::ops::apply::outcome::confirm::DeviationKind;
use crate::plan::{Change, Setting};

use super::{ADA, NAMES, answer, entry, fields};

fn lists(names: &[&str]) -> Value {
    Value::Lists(names.iter().map(|&name| name.to_owned()).collect())
}

fn bound(contact: &Contact, origin: Origin) -> crate::model::Binding {
    let mut declared = entry(&ADA);
    declared.fields.set(Field::LabelNames, lists(&["Team"]));
    of(contact, &declared, origin, Timestamp(9), &RunId("run".to_owned()))
}

#[test]
fn lists_that_a_contact_is_on_are_somebody_elses_unless_we_made_it_and_none_is_applied_yet() {
    let contact = Contact { label_names: Some(vec!["team".to_owned()]), ..answer(&ADA, &["ada@example.com"]) };
    let table = [
        (Origin::Created, true),
        (Origin::Settled, true),
        (Origin::Adopted, false),
        (Origin::Restored, false),
        (Origin::Matched(MatchedBy::LookUp), false),
    ];
    for (origin, ours) in table {
        let binding = bound(&contact, origin.clone());
        assert_eq!(
            (binding.applied.get(&Field::LabelNames), binding.found_lists.is_empty()),
            (None, ours),
            "{origin:?}"
        );
        assert_eq!(binding.observed.get(&Field::LabelNames), Some(&lists(&["Team"])), "{origin:?}");
    }
}

#[test]
fn what_an_answer_confirms_stands_and_what_it_does_not_is_sent_once_more() {
    let title = fields(&[(Field::Title, "CTO")]);
    let as_before = fields(&[(Field::Title, "CEO")]);
    let tried = BTreeSet::from([Field::Title]);
    let (none, nothing) = (fields(&[]), BTreeSet::new());
    let dropped = DeviationKind::Dropped(None);
    let kept = DeviationKind::Kept("CEO".into());
    let table = [
        ("shown as sent", "CTO", &none, &nothing, true, None, false),
        ("in another form", "cto", &none, &nothing, true, Some(DeviationKind::Normalized("cto".into())), false),
        ("dropped", "", &none, &nothing, false, None, false),
        ("dropped again", "", &none, &tried, true, Some(dropped), true),
        ("as it was before", "CEO", &as_before, &nothing, false, None, false),
        ("as it was before, again", "CEO", &as_before, &tried, true, Some(kept), true),
    ];
    for (case, shown, before, tried, stands, told, warned) in table {
        let mut binding = bound(&answer(&ADA, &["ada@example.com"]), Origin::Created);
        let found = confirm(&mut binding, &title, before, &answer(&[(Field::Title, shown)], &[]), tried);
        assert_eq!(found.again.is_empty(), stands, "{case}");
        assert_eq!(binding.applied.text(&Field::Title), stands.then_some("CTO"), "{case}");
        assert_eq!(found.told.into_iter().map(|found| found.kind).next(), told, "{case}");
        assert_eq!(binding.dropped.contains(&Field::Title), warned, "{case}");
    }
}

#[test]
fn what_is_not_declared_any_more_is_let_go_and_the_rest_stands() {
    let mut binding = bound(&answer(&ADA, &["ada@example.com"]), Origin::Created);
    binding.possible_lists = ["Team".to_owned()].into();
    let names = entry(&NAMES);
    release_undeclared(&mut binding, &names);
    assert_eq!((&binding.applied, binding.possible_lists.len()), (&names.fields, 0));
    complete(&mut binding, &names);
    assert_eq!(binding.fingerprint, Some(names.fingerprint()));
    complete(&mut binding, &entry(&ADA));
    assert_eq!(binding.fingerprint, None, "the e-mail is pending");
}

#[test]
fn a_change_is_written_when_it_stands_and_was_not_dropped() {
    let mut binding = bound(&answer(&ADA, &["ada@example.com"]), Origin::Created);
    binding.applied.set(Field::LabelNames, lists(&["Team"]));
    binding.dropped = [Field::LastName].into();
    let change = |field, before, after| Change { field, before, after };
    let set = |text: &str| Setting::Set(text.into());
    let table = [
        (change(Field::FirstName, None, set("Ada")), true),
        (change(Field::FirstName, None, set("Eve")), false),
        (change(Field::LastName, None, set("Byron")), false),
        (change(Field::Email, None, Setting::Released), false),
        (change(Field::LabelNames, None, Setting::Set(lists(&["Team"]))), true),
        (change(Field::LabelNames, Some(lists(&["VIP"])), Setting::Set(lists(&["Team", "VIP"]))), true),
        (change(Field::LabelNames, None, Setting::Set(lists(&["Team", "VIP"]))), false),
    ];
    for (change, expected) in table {
        assert_eq!(is_written(&change, &binding), expected, "{change:?}");
    }
}

#[test]
fn only_a_match_of_a_create_overwrites_what_nobody_saw() {
    let declared = entry(&ADA);
    for origin in [Origin::Created, Origin::Settled, Origin::Adopted, Origin::Matched(MatchedBy::LookUp)] {
        assert!(overwritten(&declared, &origin).is_empty(), "{origin:?}");
    }
    assert_eq!(overwritten(&declared, &Origin::Matched(MatchedBy::WasExisting)).len(), ADA.len());
}
