//! Commands as GitHub reads them, and that nothing else becomes one.

use proptest::prelude::*;

use super::*;
use crate::model::ContactKey;
use crate::source::{Code, Location};

fn place(path: &str, text: &str) -> Location {
    Location { path: path.into(), line: 3, column: 5, width: 4, text: text.to_owned(), skipped: 0 }
}

fn finding(severity: Severity, summary: &str, path: &str) -> Diagnostic {
    let message = match severity {
        Severity::Error => Diagnostic::error(summary, "What to do."),
        Severity::Warning => Diagnostic::warning(summary, "What to do."),
    };
    Diagnostic { code: Code::named("E011"), location: Some(place(path, "    emial: x")), ..message }
}

fn commands(messages: &[Diagnostic]) -> Vec<String> {
    annotations(messages, &Checkout::at("/here")).commands
}

/// A command as GitHub understands it.
struct Read {
    kind: String,
    /// The names of the properties.
    names: Vec<String>,
    data: String,
}

/// Reads a command as GitHub's runner does.
fn read(line: &str) -> Option<Read> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (kind, properties) = head.split_once(' ').unwrap_or((head, ""));
    let decoded = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let names = properties.split(',').filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())).collect();
    Some(Read { kind: kind.to_owned(), names, data: decoded(data).replace("%25", "%") })
}

#[test]
fn a_finding_is_shown_at_its_place() {
    let mut message = finding(Severity::Error, "100 % wrong, a: b", "/here/contacts.d/a.yaml");
    message.key = ContactKey::parse("ada").ok();
    message.related = vec![("first declared here".to_owned(), place("contacts.d/b.yaml", "x"))];
    message.detail = "Two lines.\n  The second.".to_owned();
    insta::assert_snapshot!(commands(&[message]).join("\n"), @"::error file=contacts.d/a.yaml,line=3,col=5,endColumn=8,title=E011%3A A contact has an unknown field::100 %25 wrong, a: b (with contact.ada)%0Afirst declared here: contacts.d/b.yaml:3:5%0ATwo lines.%0A  The second.");
}

#[test]
fn a_whole_file_has_no_line_and_no_file_has_no_place() {
    let whole = Location { line: 1, column: 1, width: 1, ..place("a,b:c.yaml", "") };
    let unreadable = Diagnostic { location: Some(whole), ..finding(Severity::Error, "It cannot be read", "") };
    let told = commands(&[unreadable, Diagnostic::warning("contacts.d holds no contact files", "")]);
    insta::assert_snapshot!(told.join("\n"), @"
    ::error file=a%2Cb%3Ac.yaml,title=E011%3A A contact has an unknown field::It cannot be read%0AWhat to do.
    ::warning title=contactsd::contacts.d holds no contact files
    ");
}

#[test]
fn what_github_has_no_room_for_is_counted_and_given_back() {
    let mut messages = vec![finding(Severity::Warning, "w", "a.yaml"); 12];
    messages.extend(vec![finding(Severity::Error, "e", "a.yaml"); 10]);
    let shown = annotations(&messages, &Checkout::at("/here"));
    let of = |kind: &str| shown.commands.iter().filter(|command| command.starts_with(kind)).count();
    assert_eq!((of("::warning "), of("::error "), of("::notice ")), (10, 10, 1));
    assert_eq!(shown.rest.len(), 2);
    insta::assert_snapshot!(shown.commands.last().unwrap(), @"::notice title=contactsd::20 of 22 findings are shown here: GitHub takes 10 errors and 10 warnings of a step. The log of this step goes on with them.");
    assert_eq!(annotations(&messages[2..], &Checkout::at("/here")).commands.len(), 20);
}

proptest! {
    #[test]
    fn no_value_forges_a_command_or_is_lost(
        summary in r"[\PC\pC:#,%=\[\r\n ]{0,40}",
        detail in r"[\PC\pC:#,%=\[\r\n ]{0,40}",
        path in r"[\PC:#,%=\r\n ]{1,20}",
    ) {
        let mut message = finding(Severity::Error, &summary, &path);
        message.detail = detail;
        let told = commands(&[message]);
        prop_assert_eq!(told.len(), 1);
        prop_assert!(!told[0].contains(['\n', '\r', '\u{1b}', '\u{202e}', '\u{2028}', '\u{85}']), "{:?}", told);
        prop_assert!(!told[0].contains("##["), "{:?}", told);
        let Read { kind, names, data } = read(&told[0]).expect("it is a command");
        prop_assert_eq!(kind, "error");
        prop_assert_eq!(names, ["file", "line", "col", "endColumn", "title"]);
        // What is shown of the summary is what a terminal is shown.
        let start = summary.split('\n').map(|line| escape(line).into_owned()).collect::<Vec<_>>().join("\n");
        prop_assert!(data.starts_with(&start), "{data:?} {start:?}");
    }
}
