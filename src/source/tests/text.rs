//! What a good file means: text letter for letter, nulls, defaults, merge keys.

use super::*;
use crate::model::CustomFieldId;

#[test]
fn text_arrives_letter_for_letter_wherever_it_stands() {
    let texts = [
        "+447911123456",
        "007",
        "0044 20",
        "no",
        "yes",
        "on",
        "true",
        "False",
        "2025-08-07",
        "1e3",
        "0x10",
        "0o17",
        "1_000",
        ".5",
        ".inf",
        "-1",
        "1.10",
        "12:30:45",
        "0b1",
        "山田太郎",
        "Ñandú",
        "Łukasz",
        "O'Neil",
        "a#b",
        "nullable",
        "<<",
    ];
    for text in texts {
        let entries = clean(&format!(
            "contacts:\n  a:\n    last_name: {text}\n    label_names: [{text}]\n    typed_custom_fields:\n      60c39ed82bd02f01154c470a: {text}\n"
        ));
        let fields = &entries[&key("a")].fields;
        assert_eq!(fields.text(&Field::LastName), Some(text));
        assert_eq!(fields.lists().collect::<Vec<_>>(), [text]);
        let custom = Field::Custom(CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap());
        assert_eq!(fields.text(&custom), Some(text));
    }
}

#[test]
fn custom_field_ids_and_keys_that_look_like_numbers_stay_text() {
    let entries = clean(
        "contacts:\n  007:\n    last_name: Bond\n    typed_custom_fields:\n      000000000000000000000012: a\n      6000000000000000000000e3: b\n  null:\n    last_name: Key\n  no: {last_name: Way}\n",
    );
    assert_eq!(entries.keys().map(ContactKey::as_str).collect::<Vec<_>>(), ["007", "no", "null"]);
    let custom: Vec<_> = entries[&key("007")].fields.iter().map(|(field, _)| field.to_string()).collect();
    assert_eq!(
        custom,
        ["last_name", "typed_custom_fields.000000000000000000000012", "typed_custom_fields.6000000000000000000000e3"]
    );
}

#[test]
fn block_scalars_quotes_and_spaces_are_kept() {
    let dir = Dir::of(&[(
        "a.yaml",
        "contacts:\n  a:\n    first_name: \" Ada \"\n    last_name: 'null'\n    title: |\n      one\n        two\n    present_raw_address: >-\n      1 Main\n      Street\n    email: \"\"\n",
    )]);
    let Read { entries, diagnostics, .. } = dir.load();
    assert_eq!(diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), [Some(Code::BlanksAround)]);
    let fields = &entries[&key("a")].fields;
    assert_eq!(fields.text(&Field::FirstName), Some(" Ada "));
    assert_eq!(fields.text(&Field::LastName), Some("null"));
    assert_eq!(fields.text(&Field::Title), Some("one\n  two\n"));
    assert_eq!(fields.text(&Field::PresentRawAddress), Some("1 Main Street"));
    assert_eq!(fields.text(&Field::Email), Some(""));
}

#[test]
fn null_and_nothing_are_not_declared_and_a_default_gives_way_to_them() {
    let entries = clean(
        "defaults:\n  title: CTO\n  organization_name: Acme\n  label_names: [x]\n  typed_custom_fields: {60c39ed82bd02f01154c470a: a}\n  run_dedupe: false\ncontacts:\n  a:\n    last_name: A\n    title: null\n    organization_name:\n    label_names: ~\n    typed_custom_fields: null\n    run_dedupe: null\n  b: {last_name: B, title: '', label_names: []}\n",
    );
    let a = &entries[&key("a")];
    assert_eq!(a.fields.iter().map(|(field, _)| field.api_name()).collect::<Vec<_>>(), ["last_name"]);
    assert!(a.run_dedupe, "null cancels the default");
    let b = &entries[&key("b")];
    assert_eq!(b.fields.text(&Field::Title), Some(""));
    assert_eq!(b.fields.text(&Field::OrganizationName), Some("Acme"));
    assert!(b.fields.contains(&Field::LabelNames) && b.fields.lists().next().is_none());
    assert!(!b.run_dedupe);
}

#[test]
fn custom_fields_merge_per_id_and_lists_are_replaced() {
    let entries = clean(
        "contacts:\n  a:\n    last_name: A\n    label_names: [own]\n    typed_custom_fields:\n      60c39ed82bd02f01154c4702: own\n      60c39ed82bd02f01154c4703: null\ndefaults:\n  label_names: [default]\n  typed_custom_fields:\n    60c39ed82bd02f01154c4701: default\n    60c39ed82bd02f01154c4702: default\n    60c39ed82bd02f01154c4703: default\n",
    );
    let fields = &entries[&key("a")].fields;
    assert_eq!(fields.lists().collect::<Vec<_>>(), ["own"]);
    let custom = |id: &str| fields.text(&Field::Custom(CustomFieldId::parse(id).unwrap()));
    assert_eq!(custom("60c39ed82bd02f01154c4701"), Some("default"));
    assert_eq!(custom("60c39ed82bd02f01154c4702"), Some("own"));
    assert_eq!(custom("60c39ed82bd02f01154c4703"), None);
}

#[test]
fn defaults_hold_for_their_own_document_only() {
    let entries = clean(
        "defaults: {title: one}\ncontacts: {a: {last_name: A}}\n---\n---\n# nothing\n---\ncontacts: {b: {last_name: B}}\n...\n---\ndefaults: {title: three}\ncontacts: {c: {last_name: C}}\n",
    );
    let title = |name: &str| entries[&key(name)].fields.text(&Field::Title);
    assert_eq!((title("a"), title("b"), title("c")), (Some("one"), None, Some("three")));
}

#[test]
fn merge_keys_fill_in_and_what_is_written_wins() {
    let entries = clean(
        "contacts:\n  a: &a\n    last_name: A\n    title: CTO\n    organization_name: Acme\n  b: &b\n    <<: *a\n    last_name: B\n  c:\n    last_name: C\n    <<: [{title: CEO}, *b]\n  d:\n    title: null\n    <<: *a\n    last_name: D\n  <<: {e: {last_name: E}, a: {last_name: never}}\n",
    );
    let texts = |name: &str| {
        let fields = &entries[&key(name)].fields;
        [Field::LastName, Field::Title, Field::OrganizationName].map(|field| fields.text(&field).unwrap_or("-"))
    };
    assert_eq!(texts("a"), ["A", "CTO", "Acme"]);
    assert_eq!(texts("b"), ["B", "CTO", "Acme"]);
    assert_eq!(texts("c"), ["C", "CEO", "Acme"]);
    assert_eq!(texts("d"), ["D", "-", "Acme"]);
    assert_eq!(texts("e"), ["E", "-", "-"]);
}

#[test]
fn a_bare_null_in_a_text_is_not_declared_and_warned_of() {
    for spelling in ["Null", "NULL", "~"] {
        let dir = Dir::of(&[("a.yaml", &format!("contacts: {{a: {{first_name: A, last_name: {spelling}}}}}\n"))]);
        let loaded = dir.load();
        assert!(loaded.is_valid());
        assert_eq!(loaded.warnings().map(|warning| warning.code).collect::<Vec<_>>(), [Some(Code::BareNull)]);
        assert!(!loaded.entries[&key("a")].fields.contains(&Field::LastName));
    }
    clean("contacts: {a: {first_name: A, last_name: \"Null\", title: null, email: }}\n");
}

#[test]
fn a_mark_at_the_beginning_and_line_ends_of_windows_do_not_matter() {
    let entries = clean("\u{feff}contacts:\r\n  a:\r\n    last_name: A\r\n");
    assert_eq!(entries[&key("a")].fields.text(&Field::LastName), Some("A"));
}

#[test]
fn empty_files_and_directories_declare_nothing() {
    for text in ["", "# a comment\n", "---\n", "contacts:\n", "defaults:\ncontacts: {}\n", "null\n"] {
        assert!(clean(text).is_empty());
    }
    let loaded = Dir::of(&[]).load();
    assert!(loaded.is_valid() && loaded.entries.is_empty() && loaded.files == 0);
}

#[test]
fn ours_are_read_beside_the_fields() {
    let entries =
        clean("contacts: {a: {apollo_id: 60C39ED82BD02F01154C470A, moved_from: old@example.com, run_dedupe: false}}\n");
    let a = &entries[&key("a")];
    assert_eq!(a.apollo_id.as_ref().unwrap().as_str(), "60c39ed82bd02f01154c470a");
    assert_eq!(a.moved_from, Some(key("old@example.com")));
    assert!(!a.run_dedupe && a.fields.is_empty());
}

#[test]
fn an_alias_stands_for_the_latest_anchor_of_its_name() {
    let entries = clean(
        "contacts:\n  a: {last_name: A, title: &s one}\n  b: {last_name: B, title: &s two}\n  c: {last_name: C, title: &t three}\n  d: {last_name: D, title: *s}\n  e: &s {last_name: E}\n  f: {last_name: F, title: *t}\n",
    );
    let titles = ["a", "b", "c", "d", "f"].map(|name| entries[&key(name)].fields.text(&Field::Title).unwrap());
    assert_eq!(titles, ["one", "two", "three", "two", "three"]);
}
