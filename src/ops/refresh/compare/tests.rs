use std::collections::BTreeSet;

use super::*;
use crate::apollo::Phone;
use crate::model::{ApolloId, ContactKey, CustomFieldId, Place, RunId, Timestamp};

fn custom() -> Field {
    Field::Custom(CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap())
}

fn fields(pairs: &[(Field, &str)]) -> Fields {
    pairs.iter().map(|(field, text)| (field.clone(), Value::from(*text))).collect()
}

fn entry(declared: &Fields) -> Entry {
    Entry {
        place: Place { path: std::path::Path::new("a.yaml").into(), key: ContactKey::parse("ada").unwrap() },
        fields: declared.clone(),
        run_dedupe: true,
        apollo_id: None,
        moved_from: None,
        ignored: BTreeSet::new(),
    }
}

fn binding(applied: &Fields, observed: &Fields) -> Binding {
    Binding {
        applied: applied.clone(),
        observed: observed.clone(),
        applied_at: Timestamp(1),
        run: RunId("run".to_owned()),
        path: "a.yaml".to_owned(),
        ..Binding::bare(ApolloId::parse(&"a".repeat(24)).unwrap())
    }
}

fn contact(readable: &Fields) -> Contact {
    Contact {
        emails: readable.text(&Field::Email).into_iter().filter(|email| !email.is_empty()).map(str::to_owned).collect(),
        readable: readable.clone(),
        ..Contact::bare(ApolloId::parse(&"a".repeat(24)).unwrap())
    }
}

/// Returns what `now` is told to be after `applied` was answered with `observed`; `None` when it is no drift.
fn drifted(field: Field, applied: &str, observed: Option<&str>, now: &str) -> Option<Value> {
    let declared = fields(&[(field.clone(), applied)]);
    let observed = fields(&observed.map(|text| (field.clone(), text)).into_iter().collect::<Vec<_>>());
    let shown = fields(&[(field, now)]);
    let found = drift(&entry(&declared), &binding(&declared, &observed), &contact(&shown), &Fields::default());
    found.into_iter().next().map(|drifted| drifted.now)
}

#[test]
fn another_text_is_drift_and_the_same_in_another_form_is_not() {
    for (field, applied, observed, now) in [
        (Field::Title, "CTO", Some("CTO"), "CTO"),
        (Field::Title, "R&D", Some("R&amp;D"), "R&amp;D"),
        (Field::Title, "R&D", None, "R&amp;D"),
        (Field::FirstName, "Jose\u{301}", None, "Jos\u{e9}"),
        (Field::Email, "Ada@Example.com", Some("ada@example.com"), "ada@example.com"),
        (Field::Email, "ada@example.com", None, "ADA@example.com"),
        (Field::OrganizationName, "Acme", Some("Acme"), "ACME, Inc."),
        (Field::OrganizationName, "Acme", Some("Acme Corporation"), "Acme Corporation"),
        (Field::PresentRawAddress, "Berlin", Some("Berlin"), "Berlin, Germany"),
        (Field::WebsiteUrl, "https://a.example", None, "https://b.example"),
        (custom(), "5", Some("5.0"), "5.0"),
    ] {
        assert_eq!(drifted(field.clone(), applied, observed, now), None, "{field} {applied} {now}");
    }
    for (field, applied, observed, now) in [
        (Field::Title, "CTO", Some("CTO"), "CEO"),
        (Field::Title, "CTO", Some("CTO"), "cto"),
        (Field::Title, "CTO", Some("CTO"), ""),
        (Field::Title, "", Some(""), "CEO"),
        (Field::Email, "ada@example.com", Some("ada@example.com"), "bob@example.com"),
        (Field::OrganizationName, "Acme", Some("Acme"), "Globex"),
        (Field::PresentRawAddress, "Berlin", Some("Berlin, Germany"), "Paris, France"),
        (Field::ContactStageId, "b", None, "c"),
        (custom(), "5", Some("5.0"), "6.0"),
    ] {
        assert_eq!(drifted(field.clone(), applied, observed, now), Some(now.into()), "{field} {applied} {now}");
    }
}

#[test]
fn what_the_files_say_by_now_and_what_they_no_longer_say_is_no_drift() {
    let (applied, now) = (fields(&[(Field::Title, "CTO")]), fields(&[(Field::Title, "CEO")]));
    let found =
        |declared: &Fields| drift(&entry(declared), &binding(&applied, &applied), &contact(&now), &Fields::default());
    let kept = found(&now);
    assert!(kept[0].is_as_declared());
    let noted = as_found(&binding(&applied, &applied), &kept);
    assert!(crate::plan::Known::of(&noted, []).changes_to(&now).is_empty());
    assert_eq!(found(&Fields::default()), []);
    let third = fields(&[(Field::Title, "Chief")]);
    let [drifted] = &found(&third)[..] else { panic!("there is one") };
    assert_eq!((&drifted.declared, &drifted.applied, &drifted.now), (&"Chief".into(), &"CTO".into(), &"CEO".into()));
}

#[test]
fn a_field_that_an_answer_does_not_show_says_nothing() {
    let applied = fields(&[(Field::Title, "CTO"), (custom(), "Gold")]);
    let bound = binding(&applied, &applied);
    let mut shown = contact(&Fields::default());
    // A custom field that is missing from the others was emptied.
    let found = drift(&entry(&applied), &bound, &shown, &Fields::default());
    assert_eq!(
        found.iter().map(|drifted| (&drifted.field, &drifted.now)).collect::<Vec<_>>(),
        [(&custom(), &"".into())]
    );
    shown.leaves_custom_out = true;
    assert_eq!(drift(&entry(&applied), &bound, &shown, &Fields::default()), []);
}

#[test]
fn a_phone_is_missed_only_where_it_was_shown() {
    let applied = fields(&[(Field::MobilePhone, "+1 555 303 1569")]);
    let phone = |raw: &str| Phone { raw: raw.to_owned(), sanitized: None, kind: Some("mobile".to_owned()) };
    let found = |observed: &Fields, phones: Vec<Phone>| {
        let shown = Contact { phones, ..contact(&Fields::default()) };
        drift(&entry(&applied), &binding(&applied, observed), &shown, &Fields::default())
    };
    assert_eq!(found(&applied, vec![phone("(1) 555-303-1569")]), []);
    assert_eq!(found(&Fields::default(), vec![]), []);
    assert_eq!(found(&applied, vec![phone("+15550000000")])[0].now, "+15550000000".into());
    assert_eq!(found(&applied, vec![])[0].now, "".into());
}

#[test]
fn lists_of_other_people_are_theirs() {
    let lists = |names: &[&str]| Value::Lists(names.iter().map(|&name| name.to_owned()).collect());
    let applied: Fields = [(Field::LabelNames, lists(&["North"]))].into_iter().collect();
    let declared: Fields = [(Field::LabelNames, lists(&["North", "South"]))].into_iter().collect();
    let mut bound = binding(&applied, &applied);
    bound.found_lists = BTreeSet::from(["South".to_owned()]);
    let found = |names: Option<&[&str]>| {
        let label_names = names.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        drift(&entry(&declared), &bound, &Contact { label_names, ..contact(&Fields::default()) }, &Fields::default())
    };
    assert_eq!(found(Some(&["north", "South", "Foreign"])), []);
    assert_eq!(found(None), []);
    let off = found(Some(&["North", "Foreign"]));
    assert_eq!(off[0].now, lists(&["North"]));
    let restored = as_found(&bound, &off);
    assert_eq!((restored.applied.get(&Field::LabelNames), restored.found_lists.len()), (Some(&lists(&["North"])), 0));
}

#[test]
fn a_plan_from_what_was_found_restores_what_was_declared() {
    let declared = fields(&[(Field::Title, "CTO"), (Field::Email, "ada@example.com")]);
    let now = contact(&fields(&[(Field::Title, "CEO"), (Field::Email, "bob@example.com")]));
    let bound = binding(&declared, &declared);
    let found = as_found(&bound, &drift(&entry(&declared), &bound, &now, &Fields::default()));
    let changes = crate::plan::Known::of(&found, []).changes_to(&declared);
    let befores: Vec<_> = changes.iter().map(|change| change.before.clone().unwrap()).collect();
    assert_eq!(befores, ["CEO".into(), "bob@example.com".into()]);
}
