//! What a log says; that it is one by the standard's schema is tested with the program.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::ContactKey;

fn finding(code: &str, summary: &str, line: usize) -> Diagnostic {
    let text = "    emial: x".to_owned();
    let location = Location { path: "/here/contacts.d/a.yaml".into(), line, column: 5, width: 5, text, skipped: 0 };
    Diagnostic { code: Code::named(code), location: Some(location), ..Diagnostic::error(summary, "What to do.") }
}

fn log(messages: &[Diagnostic]) -> Value {
    serde_json::from_str(&sarif(messages, true, &Checkout::at("/here"))).unwrap()
}

#[test]
fn a_finding_has_its_rule_its_place_and_what_belongs_to_it() {
    let mut message = finding("E013", "The key is {x} [a](b)", 3);
    message.key = ContactKey::parse("ada").ok();
    let other = Location { path: "contacts.d/a b:ä%.yaml".into(), ..message.location.clone().unwrap() };
    message.related = vec![("first declared here".to_owned(), other)];
    let log = log(&[message]);
    let run = &log["runs"][0];
    let index = usize::try_from(run["results"][0]["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "E013");
    insta::assert_snapshot!(serde_json::to_string_pretty(&run["results"]).unwrap(), @r#"
    [
      {
        "level": "error",
        "locations": [
          {
            "logicalLocations": [
              {
                "fullyQualifiedName": "contact.ada",
                "kind": "object"
              }
            ],
            "physicalLocation": {
              "artifactLocation": {
                "uri": "contacts.d/a.yaml",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 10,
                "endLine": 3,
                "startColumn": 5,
                "startLine": 3
              }
            }
          }
        ],
        "message": {
          "text": "The key is {{x}} [a] (b). What to do."
        },
        "partialFingerprints": {
          "primaryLocationLineHash": "c2ef364cc7c05ba7:1"
        },
        "relatedLocations": [
          {
            "message": {
              "text": "first declared here"
            },
            "physicalLocation": {
              "artifactLocation": {
                "uri": "contacts.d/a%20b:%C3%A4%25.yaml",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 10,
                "endLine": 3,
                "startColumn": 5,
                "startLine": 3
              }
            }
          }
        ],
        "ruleId": "E013",
        "ruleIndex": 12
      }
    ]
    "#);
    let rule = &run["tool"]["driver"]["rules"][index];
    assert_eq!((&rule["name"], &rule["defaultConfiguration"]["level"]), (&"DuplicateKey".into(), &"error".into()));
    assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("# E013: A key is declared twice\n"));
}

#[test]
fn what_is_no_finding_is_told_about_the_run() {
    let text =
        sarif(&[Diagnostic::error("Cannot read the contact files", "No such directory")], false, &Checkout::at("/"));
    let log: Value = serde_json::from_str(&text).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["results"], serde_json::json!([]));
    let invocation = &run["invocations"][0];
    assert_eq!((&invocation["executionSuccessful"], &invocation["exitCode"]), (&false.into(), &1.into()));
    let told = &invocation["toolExecutionNotifications"][0];
    assert_eq!(told["message"]["text"], "Cannot read the contact files. No such directory");
}

#[test]
fn fingerprints_outlive_moved_lines_and_tell_findings_apart() {
    let prints = |messages: &[Diagnostic]| -> Vec<String> {
        let log = log(messages);
        let results = log["runs"][0]["results"].as_array().unwrap().iter();
        results.map(|result| result["partialFingerprints"][FINGERPRINT].as_str().unwrap().to_owned()).collect()
    };
    let before = prints(&[finding("E011", "a", 3), finding("E011", "a", 7), finding("E012", "a", 9)]);
    let after = prints(&[finding("E011", "a", 13), finding("E011", "a", 17), finding("E012", "a", 19)]);
    assert_eq!(before, after);
    assert!(before[0].ends_with(":1") && before[1].ends_with(":2") && before[2].ends_with(":1"), "{before:?}");
    assert_ne!(before[0], before[2]);
}

#[test]
fn paths_are_written_as_uris() {
    let uri = |path: &str| {
        let place = ArtifactLocation::of(Path::new(path), &Checkout::at("/here"));
        (place.uri, place.uri_base_id.is_some())
    };
    assert_eq!(uri("contacts.d/a.yaml"), ("contacts.d/a.yaml".to_owned(), true));
    assert_eq!(uri("/here/a b/ü%.yaml"), ("a%20b/%C3%BC%25.yaml".to_owned(), true));
    assert_eq!(uri("a[1]|^.yaml"), ("a%5B1%5D%7C%5E.yaml".to_owned(), true));
    assert_eq!(uri("c:d/a.yaml"), ("./c:d/a.yaml".to_owned(), true));
    assert_eq!(uri("/there/a.yaml"), ("file:///there/a.yaml".to_owned(), false));
}

proptest! {
    #[test]
    fn no_value_becomes_a_link_or_a_placeholder(summary in r"[\PC\pC\[\](){}a0]{0,40}") {
        let log = log(&[finding("E011", &summary, 3)]);
        let text = log["runs"][0]["results"][0]["message"]["text"].as_str().unwrap();
        prop_assert!(!text.contains("]("), "{text}");
        let single = text.replace("{{", "").replace("}}", "");
        prop_assert!(!single.contains(['{', '}']), "{text}");
        prop_assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
    }
}
