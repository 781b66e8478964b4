//! Every form of a message, with and without color.

use super::*;
use crate::model::ContactKey;
use crate::source::Code;

const PLAIN: Stream = Stream { is_terminal: false, color: false, width: 72 };
const COLOR: Stream = Stream { is_terminal: true, color: true, width: 72 };

fn location(path: &str, line: usize, column: usize, width: usize, text: &str) -> Location {
    Location { path: path.into(), line, column, width, text: text.to_owned(), skipped: 0 }
}

fn duplicate_email() -> Diagnostic {
    Diagnostic {
        code: Some(Code::SameEmail),
        severity: Severity::Error,
        summary: "Duplicate email".into(),
        detail: "Apollo takes contacts with one e-mail address for one person and would merge them. \
                 Give each its own address, or set run_dedupe: false in all of them."
            .into(),
        key: ContactKey::parse("jane_doe").ok(),
        location: Some(location("contacts.d/jane.yaml", 3, 12, 16, "    email: jane@example.com")),
        related: vec![(
            "first declared here".into(),
            location("contacts.d/team.yaml", 21, 12, 16, "    email: jane@example.com"),
        )],
        path: None,
        said: None,
        findings: 1,
    }
}

/// Draws without color; the blank line before is checked here and left out.
fn plain(message: &Diagnostic) -> String {
    message_text(message, PLAIN).strip_prefix('\n').unwrap().to_owned()
}

/// Shows escape sequences as text.
fn visible(text: &str) -> String {
    text.replace('\u{1b}', "␛")
}

#[test]
fn a_diagnostic_shows_code_places_carets_and_what_to_do() {
    insta::assert_snapshot!(plain(&duplicate_email()), @r"
    Error: Duplicate email [E029]

      with contact.jane_doe,
      contacts.d/jane.yaml:3:12
       3:     email: jane@example.com
                     ^^^^^^^^^^^^^^^^

      first declared here:
      contacts.d/team.yaml:21:12
      21:     email: jane@example.com
                     ^^^^^^^^^^^^^^^^

    Apollo takes contacts with one e-mail address for one person and would
    merge them. Give each its own address, or set run_dedupe: false in all
    of them.
    ");
}

#[test]
fn color_brings_a_box_in_the_color_of_the_severity() {
    insta::assert_snapshot!(visible(&message_text(&duplicate_email(), COLOR)), @r"
    ␛[31m╷␛[0m
    ␛[31m│␛[0m ␛[1m␛[31mError:␛[0m ␛[1mDuplicate email [E029]␛[0m
    ␛[31m│␛[0m
    ␛[31m│␛[0m   with contact.jane_doe,
    ␛[31m│␛[0m   contacts.d/jane.yaml:3:12
    ␛[31m│␛[0m    3:     email: jane@example.com
    ␛[31m│␛[0m                  ␛[31m^^^^^^^^^^^^^^^^␛[0m
    ␛[31m│␛[0m
    ␛[31m│␛[0m   first declared here:
    ␛[31m│␛[0m   contacts.d/team.yaml:21:12
    ␛[31m│␛[0m   21:     email: jane@example.com
    ␛[31m│␛[0m                  ␛[31m^^^^^^^^^^^^^^^^␛[0m
    ␛[31m│␛[0m
    ␛[31m│␛[0m Apollo takes contacts with one e-mail address for one person and would
    ␛[31m│␛[0m merge them. Give each its own address, or set run_dedupe: false in all
    ␛[31m│␛[0m of them.
    ␛[31m╵␛[0m
    ");
}

#[test]
fn a_warning_without_a_place_is_short() {
    let warning = Diagnostic::warning("Unknown variable CONTACTSD_DRI", "Did you mean CONTACTSD_DIR?");
    insta::assert_snapshot!(plain(&warning), @r"
    Warning: Unknown variable CONTACTSD_DRI

    Did you mean CONTACTSD_DIR?
    ");
    insta::assert_snapshot!(visible(&message_text(&warning, COLOR)), @r"
    ␛[33m╷␛[0m
    ␛[33m│␛[0m ␛[1m␛[33mWarning:␛[0m ␛[1mUnknown variable CONTACTSD_DRI␛[0m
    ␛[33m│␛[0m
    ␛[33m│␛[0m Did you mean CONTACTSD_DIR?
    ␛[33m╵␛[0m
    ");
}

#[test]
fn a_whole_file_has_no_line_number() {
    let mut error = Diagnostic::error("File is not UTF-8 text", "");
    error.location = Some(location("contacts.d/b\u{202e}.yaml", 1, 1, 1, ""));
    insta::assert_snapshot!(plain(&error), @r"
    Error: File is not UTF-8 text

      contacts.d/b\u{202e}.yaml
    ");
}

#[test]
fn a_problem_names_its_contact_and_file() {
    let detail = "Apollo answered 422: \u{1b}[2Jemail is invalid\n::error::pwned\n  ##[group]x";
    let error = Diagnostic {
        key: ContactKey::parse("jane_doe").ok(),
        path: Some("contacts.d/jane.yaml".into()),
        ..Diagnostic::error("Apollo refused the contact", detail)
    };
    insta::assert_snapshot!(plain(&error), @r"
    Error: Apollo refused the contact

      with contact.jane_doe,
      contacts.d/jane.yaml

    Apollo answered 422: \u{1b}[2Jemail is invalid
    \u{3a}:error::pwned
      #\u{23}[group]x
    ");
}
