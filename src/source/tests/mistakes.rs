//! All mistakes of a directory are reported at once, each with its place.

use insta::assert_snapshot;

use super::*;

/// What is wrong by itself.
const SINGLE_MISTAKES: &str = r#"defaults:
  apollo_id: 60c39ed82bd02f01154c470a
  titel: CTO
contact: {}
contacts:
  jane doe:
    email: jane@example.com
  bob:
    email: bob at example.com
    website_url: www.example.com
    account_id: Acme
    label_names: [Partners, partners, "", ~]
    run_dedupe: yes
    title: [CTO]
    typed_custom_fields:
      contact.60c39ed82bd02f01154c470a: gold
      60c39ed82bd02f01154c470b: {a: b}
    phone: 123
    first_name: Bob
    first_name: Rob
  eve:
    title: CTO
  zoe:
    email: zoe@example.com
    last_name: Null
    mobile_phone: unknown
    website_url: https://www.linkedin.com/in/zoe
    <<: text
  list: []
"#;

/// What is wrong with other contacts in view, those of the other files included.
const MISTAKES_TOGETHER: &str = r"contacts:
  zoe: {first_name: Zoe, last_name: Two}
  k1: {email: k@example.com, apollo_id: 60c39ed82bd02f01154c470c}
  k2: {email: K+x@example.com, apollo_id: 60C39ED82BD02F01154C470C, moved_from: k2}
  k3: {first_name: A, last_name: B, organization_name: C, moved_from: k1}
  k4: {first_name: a, last_name: b, organization_name: c, moved_from: _}
";

#[test]
fn a_directory_full_of_mistakes_reports_every_one_with_its_place() {
    let dir = Dir::of(&[
        ("a.yaml", SINGLE_MISTAKES),
        ("c.yaml", "contacts:\n  fine: {email: fine@example.com}\n---\ncontacts:\n  broken: {email: 'x\n"),
        ("d.yaml", "contacts:\n\ttab: {}\n"),
        ("e.yaml", "- a list\n"),
        ("f.yaml", "contacts: {x: {email: *nobody}}\n"),
    ]);
    assert_snapshot!(dir.report(), @r#"
    E028 a.yaml:2:3: `apollo_id` cannot be a default
          apollo_id: 60c39ed82bd02f01154c470a
          ^^^^^^^^^
    E011 a.yaml:3:3: Unknown field "titel"
          titel: CTO
          ^^^^^
    E008 a.yaml:4:1: Unknown section "contact"
        contact: {}
        ^^^^^^^
    E012 a.yaml:6:3: "jane doe" is not a valid key
          jane doe:
          ^^^^^^^^
    E015 a.yaml:9:12: "bob at example.com" is not an e-mail address
            email: bob at example.com
                   ^^^^^^^^^^^^^^^^^^
    E018 a.yaml:10:18: "www.example.com" is not an absolute web address
            website_url: www.example.com
                         ^^^^^^^^^^^^^^^
    E016 a.yaml:11:17: "Acme" is not an id for `account_id`
            account_id: Acme
                        ^^^^
    W104 a.yaml:12:29: "Partners" and "partners" differ only by case
            label_names: [Partners, partners, "", ~]
                                    ^^^^^^^^
        the other name: a.yaml:12:19
    E027 a.yaml:12:39: A list name is empty
            label_names: [Partners, partners, "", ~]
                                              ^^
    E014 a.yaml:12:43: A list name is null
            label_names: [Partners, partners, "", ~]
                                                  ^
    E019 a.yaml:13:17: `run_dedupe` must be true or false
            run_dedupe: yes
                        ^^^
    E009 a.yaml:14:5: `title` must be text, not a list
            title: [CTO]
            ^^^^^
    E017 a.yaml:16:7: "contact.60c39ed82bd02f01154c470a" is not a custom field id
              contact.60c39ed82bd02f01154c470a: gold
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    E009 a.yaml:17:7: `60c39ed82bd02f01154c470b` must be text, not a map
              60c39ed82bd02f01154c470b: {a: b}
              ^^^^^^^^^^^^^^^^^^^^^^^^
    E011 a.yaml:18:5: Unknown field "phone"
            phone: 123
            ^^^^^
    E010 a.yaml:20:5: "first_name" stands twice in one map
            first_name: Rob
            ^^^^^^^^^^
        first here: a.yaml:19:5
    E020 a.yaml:21:3: "eve" has nothing to identify a person by
          eve:
          ^^^
    W101 a.yaml:25:16: A bare Null is read as no value
            last_name: Null
                       ^^^^
    W102 a.yaml:26:19: "unknown" has no digits
            mobile_phone: unknown
                          ^^^^^^^
    W103 a.yaml:27:18: "https://www.linkedin.com/in/zoe" is a social profile
            website_url: https://www.linkedin.com/in/zoe
                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    E009 a.yaml:28:5: `<<` must be a map or a list of maps, not text
            <<: text
            ^^
    E009 a.yaml:29:3: The contact "list" must be a map of fields, not a list
          list: []
          ^^^^
    E004 c.yaml:5:19: The file is not valid YAML
          broken: {email: 'x
                          ^
    E005 d.yaml:2:2: The line is indented with a tab
        	tab: {}
         ^
    E009 e.yaml:1:1: A document must be a map with `contacts` and `defaults`, not a list
        - a list
        ^
    E004 f.yaml:1:23: The file is not valid YAML
        contacts: {x: {email: *nobody}}
                              ^
    "#);
}

#[test]
fn what_is_wrong_between_contacts_is_reported_with_all_places() {
    let dir = Dir::of(&[("a.yaml", "contacts: {zoe: {last_name: One}}\n"), ("b.yaml", MISTAKES_TOGETHER)]);
    assert_snapshot!(dir.report(), @r#"
    E013 b.yaml:2:3: The key zoe is declared twice
          zoe: {first_name: Zoe, last_name: Two}
          ^^^
        first declared here: a.yaml:1:12
    E029 b.yaml:3:15: k1 and k2 share an e-mail address
          k1: {email: k@example.com, apollo_id: 60c39ed82bd02f01154c470c}
                      ^^^^^^^^^^^^^
        k2 here: b.yaml:4:15
    E021 b.yaml:3:41: k1 and k2 have one apollo_id
          k1: {email: k@example.com, apollo_id: 60c39ed82bd02f01154c470c}
                                                ^^^^^^^^^^^^^^^^^^^^^^^^
        k2 here: b.yaml:4:43
    E022 b.yaml:4:81: k2 is moved from its own key
          k2: {email: K+x@example.com, apollo_id: 60C39ED82BD02F01154C470C, moved_from: k2}
                                                                                        ^^
    E030 b.yaml:5:34: k3 and k4 share a name and a company
          k3: {first_name: A, last_name: B, organization_name: C, moved_from: k1}
                                         ^
        k4 here: b.yaml:6:34
    E023 b.yaml:5:71: k3 is moved from k1, which is still declared
          k3: {first_name: A, last_name: B, organization_name: C, moved_from: k1}
                                                                              ^^
        declared here: b.yaml:3:3
    E012 b.yaml:6:71: "_" is not a valid key
          k4: {first_name: a, last_name: b, organization_name: c, moved_from: _}
                                                                              ^
    "#);
}

#[test]
fn a_field_at_the_wrong_depth_and_a_word_from_elsewhere_get_a_hint() {
    let detail = |text: &str| Dir::of(&[("a.yaml", text)]).load().diagnostics[0].detail.clone();
    assert!(detail("email: jane@example.com\n").contains("indented more"));
    let unknown = |name: &str| detail(&format!("contacts: {{a: {{email: a@example.com, {name}: x}}}}\n"));
    assert!(unknown("emial").ends_with("Did you mean `email`?"));
    assert!(unknown("First-Name").ends_with("Did you mean `first_name`?"));
    assert!(unknown("company").ends_with("Did you mean `organization_name`?"));
    assert!(unknown("favorite_color").contains("The fields are: first_name, last_name"));
    assert!(unknown(&"x".repeat(100_000)).contains("The fields are"));
}

#[test]
fn columns_count_characters_not_bytes() {
    let dir = Dir::of(&[("a.yaml", "contacts: {a: {first_name: Łukasz Ñ, email: nö}}\n")]);
    assert_snapshot!(dir.report(), @r#"
    E015 a.yaml:1:45: "nö" is not an e-mail address
        contacts: {a: {first_name: Łukasz Ñ, email: nö}}
                                                    ^^
    "#);
}

#[test]
fn a_file_on_one_long_line_is_not_copied_for_each_mistake() {
    let contacts = vec!["{email: x, titel: y}"; 5000];
    let contacts: Vec<_> = contacts.iter().enumerate().map(|(at, fields)| format!("k{at}: {fields}")).collect();
    let found = Dir::of(&[("a.yaml", &format!("contacts: {{{}}}", contacts.join(", ")))]).load().diagnostics;
    assert_eq!(found.len(), 101);
    assert_eq!(found[100].summary, "9900 more mistakes in this file");
    let locations: Vec<_> = found.iter().map(|found| found.location.as_ref().unwrap()).collect();
    assert!(locations.iter().all(|location| location.text.chars().count() <= 400));
    assert!(locations[0].text.starts_with("contacts: {k0: {email: x") && locations[0].skipped == 0);
    // Further on, the part around the place is taken.
    for location in &locations[50..100] {
        assert!(location.skipped > 0 && matches!(&location.text[location.in_text()], "x" | "titel"), "{location:?}");
    }
}

#[test]
fn a_mistake_that_several_aliases_name_is_reported_once() {
    let text = "contacts:\n  a: &a\n    email: a@example.com\n    titel: x\n  b: {<<: *a, email: b@example.com}\n";
    assert_eq!(codes(text), ["E011"]);
}

#[test]
fn a_value_that_is_cancelled_by_null_is_still_checked_where_it_stands() {
    assert_eq!(
        codes("defaults: {website_url: nonsense}\ncontacts: {a: {last_name: A, website_url: null}}\n"),
        ["E018"]
    );
}

#[test]
fn an_emptied_field_is_no_identity() {
    assert_eq!(codes("contacts: {a: {email: '', last_name: ' '}}\n"), ["E020"]);
}

#[test]
fn a_tab_that_indents_a_line_is_named_wherever_the_parser_stumbles() {
    let contact = |rest: &str| format!("contacts:\n  ada:\n    email: a@example.com\n{rest}");
    let places = [
        (contact("\ttitle: x\n"), "4:1"),
        (contact("\n  \ttitle: x\n"), "5:3"),
        (contact("    title: x\n\ty\n"), "5:1"),
        (contact("    title: |\n\ty\n"), "5:1"),
        (contact("    label_names:\n      - a\n\t  - b\n"), "6:1"),
        (contact("\t\n    title: x\n"), "4:1"),
        (contact("\t# more\n    title: x\n"), "4:1"),
        ("\tcontacts: {}\n".to_owned(), "1:1"),
        ("contacts:\n\tada:\n\t\temail: a@example.com\n".to_owned(), "2:2"),
    ];
    for (text, place) in places {
        let report = Dir::of(&[("a.yaml", &text)]).report();
        let expected = format!("E005 a.yaml:{place}: The line is indented with a tab\n");
        assert!(report.starts_with(&expected), "{text}\n{report}");
    }
    assert_eq!(codes(&contact("    title: *nobody\n    last_name: x\n")), ["E004"]);
    clean(&contact("    title: \"x\n\ty\"\n"));
}
