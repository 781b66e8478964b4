use crate::source::Diagnostic;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::Level;

use super::*;
use crate::model::{ApolloId, Endpoint, Timestamp};
use crate::ops::{Fault, Notice, PassEvent, Problem, ProblemKind, Step};
use crate::quota::Span;
use crate::source::{Code, Location};
use crate::ui::{Shell, Stream, Verbosity};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns the lines of `say` down to `level`.
fn logged(level: Level, say: impl FnOnce()) -> String {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = tracing_subscriber::fmt()
        .compact()
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, say);
    let bytes = kept.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn key() -> ContactKey {
    ContactKey::parse("ada").unwrap()
}

fn id() -> ApolloId {
    ApolloId::parse("66f0c1000000000000000001").unwrap()
}

fn rejected() -> Problem {
    let said = "ada@example.com is taken by Ada Quill".to_owned();
    let message = Some(said.clone());
    let fault = Fault { why: said.clone(), status: Some(422), message, said: Some(said), request_id: None };
    Problem {
        kind: ProblemKind::Rejected(fault),
        key: Some(key()),
        location: Some(Location {
            path: "contacts.d/team.yaml".into(),
            line: 3,
            column: 12,
            width: 15,
            text: "    email: ada@example.com".to_owned(),
            skipped: 0,
        }),
        path: None,
    }
}

fn everything() {
    let endpoint = Endpoint::CreateContact;
    let (wait, until) = (Duration::from_mins(42), Timestamp(0));
    let outage = |is_first| Event::Outage { endpoint, status: Some(500), wait, until, ends_at: None, is_first };
    let events = [
        Event::Begun { actions: 1 },
        Event::Started { key: key(), step: Step::Create, id: None },
        Event::WaitingForQuota { endpoint, window: Some(Span::Hour), wait, until },
        Event::Answered { endpoint, status: Some(200), elapsed: Duration::from_secs(1) },
        outage(true),
        outage(false),
        Event::OutageOver { endpoint, lasted: wait },
        Event::StillRunning { key: key(), step: Step::Create, id: None, elapsed: Duration::from_secs(10) },
        Event::Finished { key: key(), step: Step::Create, id: Some(id()), elapsed: Duration::from_secs(12) },
        Event::Problem(rejected()),
        Event::Failed { key: key(), step: Step::Update, elapsed: Duration::ZERO },
        Event::QuotaLeft { endpoint, left: 7 },
        Event::Tick { elapsed: Duration::ZERO, done: 0, failed: 0, now: until, left: None },
        Event::Stopping,
        Event::Pass(PassEvent::Notice(Notice::Resumed)),
    ];
    for event in &events {
        log_event(event);
    }
}

#[test]
fn what_happens_to_a_contact_is_a_line_in_its_span() {
    let lines = logged(Level::INFO, || {
        let pass = tracing::info_span!("pass", pass = 3);
        let contact = tracing::info_span!(
            parent: &pass, "contact", key = "ada", apollo_id = tracing::field::Empty, request_id = "r-1"
        );
        contact.record("apollo_id", id().as_str());
        contact.in_scope(everything);
    });
    insta::assert_snapshot!(lines, @r#"
     INFO pass:contact: Waiting 42m for quota endpoint=create window="hour" pass=3 key="ada" request_id="r-1" apollo_id="66f0c1000000000000000001"
     WARN pass:contact: Apollo does not answer correctly: one request at a time is tried, less and less often endpoint=create status=500 pass=3 key="ada" request_id="r-1" apollo_id="66f0c1000000000000000001"
     INFO pass:contact: Apollo answers again after 42m endpoint=create pass=3 key="ada" request_id="r-1" apollo_id="66f0c1000000000000000001"
     INFO pass:contact: contact.ada: Still creating... [10s elapsed] pass=3 key="ada" request_id="r-1" apollo_id="66f0c1000000000000000001"
     INFO pass:contact: contact.ada: Creation complete after 12s pass=3 key="ada" request_id="r-1" apollo_id="66f0c1000000000000000001"
    ERROR pass:contact: Apollo rejected contact.ada place="contacts.d/team.yaml:3:12" detail="Apollo says: (masked) The request had no effect. Correct the entry and apply again." pass=3 key="ada" request_id="r-1" apollo_id="66f0c1000000000000000001"
     INFO pass:contact: Stopping: running requests are finished and recorded. pass=3 key="ada" request_id="r-1" apollo_id="66f0c1000000000000000001"
    "#);
}

#[test]
fn values_and_apollos_own_words_stand_at_debug_alone() {
    let at = |level| logged(level, everything);
    let info = at(Level::INFO);
    assert!(!info.contains("example.com") && !info.contains("Quill"), "{info}");
    let debug = at(Level::DEBUG);
    assert!(debug.contains("ada@example.com is taken by Ada Quill"), "{debug}");
}

#[test]
fn a_mistake_in_a_file_is_named_by_its_page_not_by_the_value() {
    let wrong = Diagnostic {
        summary: "\"ada@@example.com\" is not an e-mail address".to_owned(),
        code: Some(Code::InvalidEmail),
        ..crate::ui::words::problem(&rejected())
    };
    insta::assert_snapshot!(logged(Level::INFO, || message(&wrong)), @r#"ERROR An e-mail address is malformed place="contacts.d/team.yaml:3:12" code="E015" detail="The values are masked here. docs/errors/E015.md says what to do.""#);
}

#[test]
fn a_shell_that_speaks_as_log_prints_nothing() {
    let mut shell = Shell::in_memory(Stream::default(), Stream::default(), Verbosity::Normal);
    shell.speak_log();
    let lines = logged(Level::INFO, || {
        shell.status("Watching contacts.d.\n\n  Press Ctrl-C to end.");
        shell.result("Plan: 1 to add, 0 to change, 0 to destroy.");
        shell.warning("The variable X is unknown", "It is set\nand has no effect.");
        shell.error("Cannot \u{1b}[31mbegin", "");
        shell.hint("Try again.");
    });
    assert_eq!(shell.captured().unwrap(), (String::new(), String::new()));
    insta::assert_snapshot!(lines, @r#"
     INFO Watching contacts.d.
     INFO Press Ctrl-C to end.
     INFO Plan: 1 to add, 0 to change, 0 to destroy.
     WARN The variable X is unknown detail="It is set and has no effect."
    ERROR Cannot \u{1b}[31mbegin
     INFO Hint: Try again.
    "#);
}
