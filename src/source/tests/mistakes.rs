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
    E018 a.yaml:10:18: "www.example.com" is not a full web address
            website_url: www.example.com
                         ^^^^^^^^^^^^^^^
    E016 a.yaml:11:17: "Acme" is not an id for `account_id`
            account_id: Acme
                        ^^^^
    W104 a.yaml:12:29: "Partners" and "partners" differ only in case
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
    E010 a.yaml:20:5: "first_name" is written twice in one map
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
    E004 f.yaml:1:23: There is no anchor &nobody before this alias
        contacts: {x: {email: *nobody}}
                              ^^^^^^^
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
    assert_eq!(codes("contacts: {a: {email: '', last_name: ' '}}\n"), ["E020", "W107"]);
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
    // Nothing stands behind this one.
    clean(&contact("\t\n    title: x\n"));
    clean(&contact("\t# more\n    title: x\n"));
}

/// One line with a mistake in it, and what is said of it: the code, its column and its summary.
fn said(line: &str) -> String {
    let dir = Dir::of(&[("a.yaml", &format!("contacts:\n  ada:\n    email: ada@example.com\n    {line}\n"))]);
    let report = dir.report();
    let heads = report.lines().filter(|line| line.starts_with(['E', 'W'])).map(|line| line.replace("a.yaml:", ""));
    heads.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_sign_takes_away_from_a_text_is_told() {
    for (line, expected) in [
        ("title: !Chief Analyst", "E035 4:12: !Chief is read as a tag, not as text"),
        ("title: !Chief", "E035 4:12: !Chief is read as a tag, not as text"),
        (
            "label_names: !vip",
            "E035 4:18: !vip is read as a tag, not as text\nE009 4:22: `label_names` must be a list of names, not text",
        ),
        ("label_names: [!vip A]", "E035 4:19: !vip is read as a tag, not as text"),
        ("title: !Chief 'Analyst'", "W109 4:12: The tag !Chief has no effect"),
        ("label_names: !vip [A]", "W109 4:18: The tag !vip has no effect"),
        ("title: !!binary aGk=", "E035 4:12: !!binary is read as a tag, not as text"),
        ("title: &Sons Ltd", "E035 4:12: &Sons is read as an anchor, not as text"),
        ("title: &Sons", "E035 4:12: &Sons is read as an anchor, not as text"),
        ("title: 5 Harbour Rd #200", "W106 4:25: \"#200\" is read as a comment and cut from the value"),
        ("title: #1 in sales", "W106 4:12: \"#1 in sales\" is read as a comment, so there is no value"),
        ("label_names: [A, B #2\n    ]", "W106 4:24: \"#2\" is read as a comment and cut from the value"),
        ("title: ' x'", "W107 4:12: \" x\" begins or ends with spaces"),
        ("title: \"x\\n\"", "W107 4:12: \"x\\n\" begins or ends with spaces"),
        ("title: x\u{a0}", "W107 4:12: \"x\\u{a0}\" begins or ends with spaces"),
        ("label_names: ['A ']", "W107 4:19: \"A \" begins or ends with spaces"),
        ("typed_custom_fields: {60c39ed82bd02f01154c470a: ' x'}", "W107 4:53: \" x\" begins or ends with spaces"),
        ("title: a\u{7}b", "E033 4:13: The file holds the control character U+0007"),
        ("# a\u{0}b", "E033 4:8: The file holds the control character U+0000"),
        ("title: a\u{9b}b", "E033 4:13: The file holds the control character U+009B"),
        ("title: *Sons", "E004 4:12: There is no anchor &Sons before this alias"),
    ] {
        assert_eq!(said(line), expected, "{line}");
    }
    for line in [
        "title: CTO # since May",
        "title: CTO#1",
        "title: # nothing yet",
        "title: CTO ## no",
        "title: '#1'",
        "title: !!str 007",
        "title: ! 007",
        "title: &t CTO\n    organization_name: *t",
        "title: &t 'CTO'",
        "title: |\n      one\n      two",
        "title: one\u{2028}two # three\u{2028}four",
        "title: a\u{85}b",
    ] {
        assert_eq!(said(line), "", "{line}");
    }
}

#[test]
fn a_comment_is_one_whatever_line_ends_of_other_standards_stand_in_it() {
    let entries = clean(
        "contacts:\n  # reviewed by legal\u{2028}  ghost:\u{2028}    email: ghost@example.com\n  ada: {email: ada@example.com}\n",
    );
    assert_eq!(entries.keys().map(ContactKey::as_str).collect::<Vec<_>>(), ["ada"]);
}

#[test]
fn a_conflict_is_named_at_its_first_line_and_nothing_else_is_said() {
    let conflict =
        "contacts:\n  ada:\n<<<<<<< HEAD\n    title: CTO\n=======\n    title: CEO\n>>>>>>> branch\n    titel: x\n";
    let diff3 = "contacts:\r\n  ada: {email: a@example.com}\r\n<<<<<<< HEAD\r\n||||||| base\r\n=======\r\n  bob: {}\r\n>>>>>>> b\r\n";
    let half = "contacts:\n  ada:\n    title: CTO\n=======\n    title: CEO\n    email: a@example.com\n";
    for (text, place) in [(conflict, "3:1"), (diff3, "3:1"), (half, "4:1"), (">>>>>>> branch\n", "1:1")] {
        let report = Dir::of(&[("a.yaml", text)]).report();
        let expected = format!("E034 a.yaml:{place}: The file holds the markers of a merge conflict\n");
        assert!(report.starts_with(&expected) && report.lines().count() == 3, "{report}");
    }
    clean("contacts:\n  ada:\n    email: a@example.com\n    title: |\n      <<<<<<< up\n      =======\n");
}

#[test]
fn a_section_that_is_misspelt_gets_its_name() {
    for (section, nearest) in [("Contacts", "contacts"), ("contact", "contacts"), ("default", "defaults")] {
        let found = Dir::of(&[("a.yaml", &format!("{section}: {{}}\n"))]).load().diagnostics;
        assert!(found[0].detail.ends_with(&format!("Did you mean `{nearest}`?")), "{found:?}");
    }
    let found = Dir::of(&[("a.yaml", "people: {}\n")]).load().diagnostics;
    assert!(!found[0].detail.contains("Did you mean"), "{found:?}");
}

#[test]
fn people_outside_of_contacts_and_without_keys_are_told_what_to_write() {
    let first = |text: &str| {
        let found = Dir::of(&[("a.yaml", text)]).load().diagnostics;
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].code.unwrap().as_str(), found[0].summary.clone(), found[0].detail.clone())
    };
    let (code, summary, detail) = first("ada:\n  email: a@example.com\nbob:\n  email: b@example.com\n");
    assert_eq!((code, summary.as_str()), ("E008", "The contact \"ada\" is not below `contacts`"));
    assert!(detail.contains("Write the line `contacts:` above"), "{detail}");
    let (_, _, detail) = first("contacts:\n  ada: {email: a@example.com}\nbob:\n  email: b@example.com\n");
    assert!(detail.contains("Indent it by two more spaces"), "{detail}");
    let (code, summary, detail) = first("contacts:\n  - email: a@example.com\n  - email: b@example.com\n");
    assert_eq!((code, summary.as_str()), ("E009", "`contacts` must be a map, not a list of people"));
    assert!(detail.contains("a key of your choice"), "{detail}");
    let (_, summary, detail) = first("- first_name: Ada\n");
    assert_eq!(summary, "A document must be a map, not a list of people");
    assert!(detail.contains("`contacts:` as the first line"), "{detail}");
}

#[test]
fn a_name_that_is_almost_that_of_a_contact_file_is_warned_about() {
    let dir = Dir::of(&[("b.yaml", "contacts: {b: {last_name: B}}\n"), ("a.yaml.bak", ""), ("notes.txt", "")]);
    for name in ["a.YAML", "x/a.yaml.txt", "c.Yml"] {
        dir.write(name, b"contacts: {}\n");
    }
    let expected = ["a.YAML", "c.Yml", "x/a.yaml.txt"].map(|name| format!("W110 {name}:1:1: {name} is not read\n"));
    assert_eq!(dir.report(), expected.concat());
}

#[test]
fn files_that_earlier_versions_read_are_read() {
    let contact = |rest: &str| format!("contacts:\n  ada:\n    email: ada@example.com\n{rest}");
    let texts = [
        contact("    label_names: [\n    Customers,\n    Partners\n    ]\n"),
        contact(
            "    title: R&D lead\n    present_raw_address: \"5 Harbour Road,\n    Millport\"\n  bob: {last_name: B, title: R&D}\n",
        ),
        contact("    title: 'a\nb'\n"),
        contact("\u{feff}---\ncontacts: {bob: {last_name: B}}\n"),
        contact("\n\u{feff}# joined\n---\ncontacts: {bob: {last_name: B}}\n"),
        contact("    label_names:\n    - Customers\n"),
        contact("    ? title\n    : CTO\n"),
        "%YAML 1.1\n---\ncontacts: {ada: {last_name: A}}\n...\n".to_owned(),
        "{\"contacts\":{\"ada\":{\"last_name\":\"A\",\"label_names\":[\"x\"]}}}".to_owned(),
    ];
    for text in texts {
        assert!(clean(&text).contains_key(&key("ada")));
    }
    let smile = clean("{\"contacts\":{\"ada\":{\"last_name\":\"Smiles \\ud83d\\ude00\"}}}");
    assert_eq!(smile[&key("ada")].fields.text(&Field::LastName), Some("Smiles \u{1f600}"));
    let block = clean("contacts:\n  ada:\n    last_name: A\n    title: |\n      CTO");
    assert_eq!(block[&key("ada")].fields.text(&Field::Title), Some("CTO"));
}

#[test]
fn defaults_hold_wherever_they_stand_and_however_their_name_is_written() {
    for defaults in ["defaults", "'defaults'", "\"def\\u0061ults\"", "? defaults\n"] {
        let entries = clean(&format!("contacts:\n  ada: {{last_name: A}}\n{defaults}: {{title: CTO}}\n"));
        assert_eq!(entries[&key("ada")].fields.text(&Field::Title), Some("CTO"), "{defaults}");
    }
    let entries = clean("contacts: &c {ada: {title: &d defaults, last_name: A}}\n*d : {organization_name: Acme}\n");
    assert_eq!(entries[&key("ada")].fields.text(&Field::OrganizationName), Some("Acme"));
}

#[test]
fn a_quote_that_takes_in_an_entry_is_told_with_both_lines() {
    let found = |text: &str| -> Vec<String> {
        let found = Dir::of(&[("a.yaml", text)]).load().diagnostics.into_iter();
        found.filter(|one| one.code == Some(Code::OpenQuote)).map(|one| one.summary).collect()
    };
    let open = |line: usize| vec![format!("The quote is still open on line {line}, which looks like an entry")];
    let ada = "contacts:\n  ada:\n    email: ada@x.example\n";
    for (rest, taken) in [
        ("    title: 'Head\n  bo:\n    email: bo@x.example\n    title: CTO'\n", 5),
        ("    title: \"Head\n    last_name: Quill\"\n", 5),
        ("    title:\n      'Head\n\n  bo:\n    title: CTO'\n", 7),
        ("    label_names:\n      - 'Leads\n      - Board'\n", 6),
        ("    label_names: ['Leads,\n      Board]\n  bo:\n    title: CTO']\n", 6),
        ("    title: 'Head\ndefaults:\n  title: CTO'\n", 5),
        ("    title: \"Head\n  bo :\n    email : bo@x.example\"\n", 5),
        ("    title: \"Head\n  ? bo\n  : email\"\n", 5),
    ] {
        assert_eq!(found(&format!("{ada}{rest}")), open(taken), "{rest}");
    }
    for rest in [
        "    title: 'Head\n      note: this is text'\n",
        "    title: 'Head\n    of sales'\n",
        "    title: 'Head\n\n    Note to all: of sales'\n",
        "    title:\n      'Head\n      bo: of sales'\n",
        "    title: |\n      'Head\n  bo: {email: bo@x.example, title: \"CTO'\"}\n",
        "    title: 'Head'\n  bo: {email: bo@x.example,\n title: 'CTO\n   of: all'}\n",
    ] {
        assert_eq!(found(&format!("{ada}{rest}")), Vec::<String>::new(), "{rest}");
    }
}

#[test]
fn a_mistake_of_syntax_is_told_where_it_was_made() {
    let found = |rest: &str| {
        let text = format!("contacts:\n  ada:\n    email: ada@x.example\n{rest}");
        let dir = Dir::of(&[("a.yaml", &text)]);
        let found = dir.load().diagnostics.into_iter().next().unwrap();
        (dir.place(found.location.as_ref().unwrap()), found.detail)
    };
    for (rest, place, words) in [
        ("    title: \"C:\\Users\"\n", "a.yaml:4:15", "Write \\\\ for a backslash"),
        ("    title: \"\\n\\x41\\u00e9\\ud83d\\ude00\\q\"\n", "a.yaml:4:37", "Write \\\\ for a backslash"),
        (
            "    label_names: [A, B\n    title: x\n",
            "a.yaml:4:18",
            "The bracket [ that begins here is not closed before line 5",
        ),
        ("    label_names: [A, B\n  bo:\n    title: x\n", "a.yaml:4:18", "not closed before line 5"),
        ("    custom_fields: {A: B\n    title: x\n", "a.yaml:4:20", "The bracket { that begins here"),
        ("    label_names: [A, B\n", "a.yaml:4:18", "Nothing closes the bracket ["),
        ("    title: 'Head\n", "a.yaml:4:12", "Nothing closes the quotes"),
        ("    title: a: b\n", "a.yaml:4:13", "The YAML parser says"),
    ] {
        let (at, detail) = found(rest);
        assert!(at == place && detail.contains(words), "{rest}: {at}: {detail}");
    }
}

#[test]
fn advice_fits_the_mistake() {
    let detail = |text: &str| Dir::of(&[("a.yaml", text)]).load().diagnostics.remove(0).detail;
    for (text, advice) in [
        ("contacts:\n  ada:\n    email:ada@x.example\n", "Write a space after the colon of `email:`"),
        ("contacts:\n  ada:\n    e mail:ada@x.example\n", "Check the indentation"),
        ("contacts:\n  - ada: {email: ada@x.example}\n", "Remove the dashes"),
        ("x-common: &c\n  title: CTO\ncontacts:\n  ada: {<<: *c, email: ada@x.example}\n", "move them to `defaults`"),
        (".common: {title: CTO}\n", "move them to `defaults`"),
    ] {
        assert!(detail(text).contains(advice), "{text}: {}", detail(text));
    }
    let dir = Dir::of(&[]);
    let wide: Vec<u8> = "contacts:\n".bytes().flat_map(|byte| [byte, 0]).collect();
    let swapped: Vec<u8> = wide.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    for bytes in [wide, swapped] {
        dir.write("a.yaml", &bytes);
        let found = dir.load().diagnostics.remove(0);
        assert!(found.code == Some(Code::NotUtf8) && found.detail.contains("UTF-16"), "{found:?}");
    }
}
