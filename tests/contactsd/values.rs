//! Values arrive letter for letter, whatever YAML would like to make of them.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Remote, World};

const LETTERS: &str = include_str!("../fixtures/contacts/letters.yaml");

#[test]
fn every_value_goes_over_the_wire_as_it_is_written() {
    let remote = Remote::start();
    let world = World::with(LETTERS).against(&remote).one_by_one();
    world.applied();
    let sent = remote.take_sent();
    let by_email: BTreeMap<&str, &Value> =
        sent.iter().filter_map(|sent| Some((sent.body["email"].as_str()?, &sent.body))).collect();
    let lists = sent.iter().filter(|sent| sent.call.ends_with("add_entity_ids_to_label_names"));
    let lists: Vec<&Value> = lists.map(|sent| &sent.body["label_names"]).collect();
    assert!(!lists.is_empty());
    assert!(lists.iter().all(|names| **names == serde_json::json!(["007", "1.10", "2025-08-07", "yes"])), "{lists:?}");
    let lines = |body: &Value| {
        let fields = body.as_object().unwrap().iter();
        fields.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join("\n")
    };
    let text: Vec<String> = by_email.values().map(|body| lines(body)).collect();
    // A combining mark would be taken for a slip in a source file.
    assert_snapshot!(text.join("\n\n").replace('\u{308}', "\\u{308}"), @r#"
    email = "folded@example.com"
    first_name = "007"
    home_phone = "0044 20 7946 0000"
    organization_name = "007 Imports"
    present_raw_address = "it's # no comment"
    run_dedupe = true
    title = "Head of everything: else"

    corporate_phone = "1e3"
    direct_phone = "+447911123456"
    email = "merged@example.com"
    first_name = "yes"
    home_phone = "0044 20 7946 0000"
    last_name = "~null"
    mobile_phone = "00447911123456"
    organization_name = "007 Imports"
    other_phone = "0x10"
    present_raw_address = "12 Mill Lane\n  Upper floor\n\nEly\n"
    run_dedupe = true
    title = "2025-08-07"
    typed_custom_fields = {"60c39ed82bd02f01154c470a":"0012.50","60c39ed82bd02f01154c470b":"off"}

    corporate_phone = "1e3"
    direct_phone = "+447911123456"
    email = "plus@example.com"
    first_name = "no"
    home_phone = "0044 20 7946 0000"
    last_name = "Null"
    mobile_phone = "00447911123456"
    organization_name = "007 Imports"
    other_phone = "0x10"
    present_raw_address = "12 Mill Lane\n  Upper floor\n\nEly\n"
    run_dedupe = true
    title = "2025-08-07"
    typed_custom_fields = {"60c39ed82bd02f01154c470a":"0012.50","60c39ed82bd02f01154c470b":"off"}

    email = "zhanna@example.com"
    first_name = "Жанна"
    home_phone = "0044 20 7946 0000"
    last_name = "Ёлкина"
    organization_name = "شركة الأمثلة"
    run_dedupe = true
    title = "工程師"

    email = "zoe@example.org"
    first_name = "Zoe\u{308}"
    home_phone = "0044 20 7946 0000"
    last_name = "🦀 O'Neill-Ñandú"
    organization_name = ""
    run_dedupe = true
    title = "tab\there, \"quotes\" and \\"
    "#);
    world.applied().is_clean();
}

#[test]
fn the_server_holds_what_was_written() {
    let remote = Remote::start();
    let world = World::with(LETTERS).against(&remote);
    world.applied();
    let plus = remote.contact("email", "plus@example.com");
    let phones = plus["phone_numbers"].as_array().unwrap();
    let numbers: Vec<_> = phones.iter().map(|phone| phone["raw_number"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["+447911123456", "1e3", "00447911123456", "0044 20 7946 0000", "0x10"]);
    assert_eq!(plus["first_name"], "no");
    assert_eq!(plus["title"], "2025-08-07");
    assert_eq!(plus["typed_custom_fields"]["60c39ed82bd02f01154c470a"], "0012.50");
    assert_eq!(plus["label_names"], serde_json::json!(["007", "1.10", "2025-08-07", "yes"]));
    assert_eq!(remote.contact("email", "zhanna@example.com")["first_name"], "Жанна");
    assert_eq!(remote.contact("email", "zoe@example.org")["first_name"], "Zoe\u{308}");
    assert_eq!(remote.contact("email", "zoe@example.org")["organization_name"], Value::Null);
}

#[test]
fn values_are_shown_so_that_no_terminal_obeys_them() {
    let remote = Remote::start();
    let world =
        World::with("contacts:\n  ada:\n    email: ada@example.com\n    title: \"red \\e[31m \\u202Ereversed\"\n");
    let world = world.against(&remote);
    let outcome = world.applied();
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}']), "{outcome}");
    assert_snapshot!(outcome.line("+ title"), @r#"      + title = "red \u{1b}[31m \u{202e}reversed""#);
    assert_eq!(remote.column("title"), ["red \u{1b}[31m \u{202e}reversed"]);
    assert!(!world.run("state show ada").stdout.contains(['\u{1b}', '\u{202e}']));
}
