//! What a report says; that it is one for the program's own findings is tested with the program.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::ContactKey;
use crate::source::{Code, Location};

fn finding(code: &str, summary: &str, path: &str, line: usize) -> Diagnostic {
    let text = "    emial: x".to_owned();
    let location = Location { path: path.into(), line, column: 5, width: 5, text, skipped: 0 };
    Diagnostic { code: Code::named(code), location: Some(location), ..Diagnostic::error(summary, "What to do.") }
}

fn report(messages: &[Diagnostic]) -> Value {
    serde_json::from_str(&code_quality(messages, &Checkout::at("/here")).json).unwrap()
}

#[test]
fn a_finding_has_its_check_its_weight_and_its_place() {
    let mut message = finding("E011", "Unknown field \"emial\"", "/here/contacts.d/a b.yaml", 3);
    message.key = ContactKey::parse("ada").ok();
    message.detail = "Two lines.\n  The second.".to_owned();
    let warning = Diagnostic { severity: Severity::Warning, ..finding("W102", "No digits", "contacts.d/b.yaml", 7) };
    insta::assert_snapshot!(serde_json::to_string_pretty(&report(&[message, warning])).unwrap(), @r#"
    [
      {
        "check_name": "E011",
        "description": "Unknown field \"emial\" (with contact.ada). Two lines. The second.",
        "fingerprint": "a19c4081e17b72a8:1",
        "location": {
          "lines": {
            "begin": 3
          },
          "path": "contacts.d/a b.yaml"
        },
        "severity": "major"
      },
      {
        "check_name": "W102",
        "description": "No digits. What to do.",
        "fingerprint": "f9286973e56b17ab:1",
        "location": {
          "lines": {
            "begin": 7
          },
          "path": "contacts.d/b.yaml"
        },
        "severity": "minor"
      }
    ]
    "#);
}

#[test]
fn what_has_no_place_in_the_repository_is_given_back() {
    let messages = [
        Diagnostic::error("Cannot read the contact files", "No such directory"),
        finding("E011", "elsewhere", "/there/a.yaml", 3),
        finding("E011", "here", "a.yaml", 3),
    ];
    let checkout = Checkout::at("/here");
    let found = code_quality(&messages, &checkout);
    assert_eq!(found.rest, [&messages[0], &messages[1]]);
    assert_eq!(serde_json::from_str::<Value>(&found.json).unwrap().as_array().unwrap().len(), 1);
    assert_eq!(code_quality(&messages[..1], &checkout).json, "[]");
    let whole = Diagnostic { location: None, path: Some("contacts.d/a.yaml".into()), ..messages[2].clone() };
    assert_eq!(
        report(&[whole])[0]["location"],
        serde_json::json!({"path": "contacts.d/a.yaml", "lines": {"begin": 1}})
    );
}

#[test]
fn fingerprints_outlive_moved_lines_and_tell_findings_apart() {
    let prints = |messages: &[Diagnostic]| -> Vec<String> {
        let report = report(messages);
        report.as_array().unwrap().iter().map(|issue| issue["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let all = |by: usize| {
        [
            finding("E011", "a", "a.yaml", 3 + by),
            finding("E011", "a", "a.yaml", 7 + by),
            finding("E012", "a", "a.yaml", 9 + by),
        ]
    };
    let before = prints(&all(0));
    assert_eq!(before, prints(&all(10)));
    let different: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(different.len(), 3, "{before:?}");
    assert_ne!(before[0], prints(&[finding("E011", "a", "b.yaml", 3)])[0]);
}

proptest! {
    #[test]
    fn a_description_is_one_line_that_acts_on_nothing(summary in r"[\PC\pC\r\n]{0,40}", detail in r"[\PC\pC\r\n]{0,40}") {
        let message = Diagnostic { detail, ..finding("E011", &summary, "a.yaml", 3) };
        let report = report(&[message]);
        let text = report[0]["description"].as_str().unwrap();
        prop_assert!(!text.contains(['\n', '\r', '\u{1b}', '\u{202e}', '\u{2028}', '\u{85}']), "{text:?}");
    }
}
