//! Checks between contacts, places looked up again, and what identifies a load.

use insta::assert_snapshot;

use super::*;

#[test]
fn one_key_in_two_files_shows_both_places() {
    let dir = Dir::of(&[
        ("a.yaml", "contacts:\n  jane: {email: jane@example.com}\n"),
        (
            "b.yaml",
            "contacts:\n  bob: {email: bob@example.com}\n  jane: {email: jane@example.org}\n  jane: {email: j@example.org}\n",
        ),
    ]);
    assert_snapshot!(dir.report(), @r#"
    E013 b.yaml:3:3: The key jane is declared twice
          jane: {email: jane@example.org}
          ^^^^
        first declared here: a.yaml:2:3
        also here: b.yaml:4:3
    "#);
    assert_eq!(dir.load().entries[&key("jane")].fields.text(&Field::Email), Some("jane@example.com"));
}

#[test]
fn people_who_would_be_one_are_named_with_both_places() {
    let dir = Dir::of(&[
        (
            "a.yaml",
            "contacts:\n  a:\n    email: Jane@Example.com\n  b: {first_name: Zoë, last_name: Li, organization_name: Acme}\n",
        ),
        (
            "b.yaml",
            "defaults: {organization_name: ' ACME '}\ncontacts:\n  c:\n    email: jane+x@example.com\n  d: {first_name: ZOE\u{308}, last_name: li}\n",
        ),
        (
            "c.yaml",
            "contacts:\n  e: {first_name: A, last_name: B, email: e@example.org}\n  f: {first_name: a, last_name: b, email: f@example.org}\n",
        ),
    ]);
    assert_snapshot!(dir.report(), @r#"
    E029 a.yaml:3:12: a and c share an e-mail address
            email: Jane@Example.com
                   ^^^^^^^^^^^^^^^^
        c here: b.yaml:4:12
    E030 a.yaml:4:35: b and d share a name and a company
          b: {first_name: Zoë, last_name: Li, organization_name: Acme}
                                          ^^
        d here: b.yaml:5:36
    W107 b.yaml:1:31: " ACME " begins or ends with spaces
        defaults: {organization_name: ' ACME '}
                                      ^^^^^^^^
    E031 c.yaml:2:33: e and f share a name and an e-mail domain
          e: {first_name: A, last_name: B, email: e@example.org}
                                        ^
        f here: c.yaml:3:33
    "#);
}

#[test]
fn only_if_all_of_a_group_opt_out_may_they_stand() {
    let group = |one: bool, other: bool| {
        codes(&format!(
            "contacts:\n  a: {{email: x@example.com, run_dedupe: {one}}}\n  b: {{email: x@example.com, run_dedupe: {other}}}\n"
        ))
    };
    assert_eq!(group(true, true), ["E029"]);
    assert_eq!(group(true, false), ["E029"]);
    let twins = |one: &str, other: &str| {
        codes(&format!("contacts:\n  a: {{email: x@example.com, {one}}}\n  b: {{email: x@example.com, {other}}}\n"))
    };
    let [one, other] = [1, 2].map(|number| format!("apollo_id: 66f0c100000000000000000{number}"));
    assert!(twins(&one, &other).is_empty(), "each says which contact it is");
    assert!(twins(&one, "run_dedupe: false").is_empty());
    assert_eq!(twins(&one, "title: CTO"), ["E029"]);
    assert_eq!(group(false, false), Vec::<&str>::new());
}

#[test]
fn a_pair_is_reported_by_its_strongest_criterion_only() {
    let pair = "contacts:\n  a: {first_name: A, last_name: B, organization_name: C, email: x@example.com}\n  b: {first_name: A, last_name: B, organization_name: C, email: x@example.com}\n";
    assert_eq!(codes(pair), ["E029"]);
    let third = format!("{pair}  c: {{first_name: A, last_name: B, organization_name: C}}\n");
    assert_eq!(codes(&third), ["E030", "E029"], "sorted by place");
}

#[test]
fn moves_are_judged_by_where_they_lead() {
    let contacts = |moves: &[(&str, &str)]| {
        let mut text = "contacts:\n".to_owned();
        for (key, from) in moves {
            let from = if from.is_empty() { "null" } else { from };
            writeln!(text, "  {key}: {{last_name: {key}, moved_from: {from}}}").unwrap();
        }
        let found = Dir::of(&[("a.yaml", &text)]).load().diagnostics;
        found.iter().map(|found| format!("{} {}", found.key.as_ref().unwrap(), found.code.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(contacts(&[("a", "old")]), Vec::<String>::new());
    assert_eq!(contacts(&[("a", "a")]), ["a E022"]);
    assert_eq!(contacts(&[("a", "b"), ("b", "")]), ["a E023"]);
    assert_eq!(contacts(&[("a", "b"), ("b", "c")]), ["a E024"]);
    assert_eq!(contacts(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]), ["a E025", "b E025", "c E025", "d E024"]);
    assert_eq!(contacts(&[("a", "x"), ("b", "x"), ("c", "x")]), ["b E026", "c E026"]);
}

#[test]
fn a_place_is_found_again_through_defaults_and_merge_keys() {
    let dir = Dir::of(&[(
        "a.yaml",
        "defaults:\n  title: CTO\n  typed_custom_fields:\n    60c39ed82bd02f01154c470a: x\ncontacts:\n  a: &a\n    last_name: A\n    email: a@example.com\n  b:\n    <<: *a\n    email: b@example.com\n    typed_custom_fields: {60c39ed82bd02f01154c470b: y}\n",
    )]);
    let entries = dir.load().entries;
    let line = |name: &str, field: Option<&str>| {
        let field = field.map(|field| Field::try_from(field.to_owned()).unwrap());
        let location = locate(&entries[&key(name)].place, field.as_ref()).unwrap();
        (location.line, location.column, location.width)
    };
    assert_eq!(line("b", None), (9, 3, 1));
    assert_eq!(line("b", Some("email")), (11, 5, 5));
    assert_eq!(line("b", Some("last_name")), (7, 5, 9));
    assert_eq!(line("b", Some("title")), (2, 3, 5));
    assert_eq!(line("b", Some("typed_custom_fields.60c39ed82bd02f01154c470a")), (4, 5, 24));
    assert_eq!(line("b", Some("typed_custom_fields.60c39ed82bd02f01154c470b")), (12, 27, 24));
    assert_eq!(line("b", Some("website_url")), (9, 3, 1));
    let gone = Place { path: dir.path().join("none.yaml").into(), key: key("b") };
    assert_eq!(locate(&gone, None), None);
}

#[test]
fn the_digest_is_of_names_and_contents() {
    let digest = |files: &[(&str, &str)]| Dir::of(files).load().digest;
    let text = "contacts: {a: {last_name: A}}\n";
    assert_eq!(digest(&[("a.yaml", text)]), digest(&[("a.yaml", text), ("notes.txt", "x")]));
    assert_ne!(digest(&[("a.yaml", text)]), digest(&[("b.yaml", text)]));
    assert_ne!(digest(&[("a.yaml", text)]), digest(&[("a.yaml", "contacts: {a: {last_name: B}}\n")]));
    assert_ne!(digest(&[("a.yaml", text)]), digest(&[("a.yaml", text), ("b.yaml", "")]));
}

#[test]
fn paths_are_shown_as_the_directory_was_typed() {
    let dir = Dir::of(&[("x/a.yaml", "contacts: {a: {}}\n")]);
    let typed = dir.path().join("x").join("..");
    let loaded = plain(&typed, usize::MAX).unwrap();
    assert_eq!(loaded.diagnostics[0].location.as_ref().unwrap().path, typed.join("x/a.yaml"));
    assert_eq!(&*loaded.files[0].kept().as_ref().unwrap()[0].path(), typed.join("x/a.yaml"));
}

#[test]
fn entries_that_are_forgotten_are_as_if_there_had_been_no_room() {
    let dir = Dir::of(&[("a.yaml", "contacts:\n  a: {last_name: A}\n")]);
    let loaded = plain(dir.path(), usize::MAX).unwrap();
    let kept = loaded.files[0].kept().clone().unwrap();
    loaded.forget_entries();
    assert_eq!(*loaded.files[0].kept(), None);
    assert_eq!(loaded.read_again(&[(0, &loaded.files[0])]).unwrap(), [(0, kept)]);
}

#[test]
fn a_file_that_changes_under_the_reader_is_refused() {
    let dir = Dir::of(&[("a.yaml", "contacts:\n  a: {last_name: A}\n")]);
    let loaded = plain(dir.path(), 0).unwrap();
    let read_again = || loaded.read_again(&[(7, &loaded.files[0])]);
    assert_eq!(read_again().unwrap()[0].0, 7);
    dir.write("a.yaml", b"contacts:\n  a: {last_name: B}\n");
    assert!(matches!(read_again(), Err(Error::ChangedMeanwhile { .. })));
}

#[test]
fn a_place_is_that_of_the_file_as_it_is_now() {
    let dir = Dir::of(&[("a.yaml", "contacts:\n  ada: {last_name: A}\n")]);
    let place = Place { path: dir.path().join("a.yaml").into(), key: key("ada") };
    let at = |field: Option<Field>| locate(&place, field.as_ref()).map(|found| (found.line, found.column));
    assert_eq!(at(None), Some((2, 3)));
    assert_eq!(at(Some(Field::LastName)), Some((2, 9)));
    dir.write("a.yaml", b"# more\ncontacts:\n  ada: {title: B, last_name: A}\n");
    assert_eq!(at(Some(Field::LastName)), Some((3, 19)));
    dir.write("a.yaml", b"contacts: {}\n");
    assert_eq!(at(None), None);
}
