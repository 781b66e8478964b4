//! What programs read, whole; the files stand beside those of the texts, and `golden_tests` compares them.

use crate::source;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::harmless::write_json;
use super::{Record, SchemaName, Validation, plan_document, plan_records, report_record, schema};
use crate::model::{Digest, Endpoint, Fields, Timestamp};
use crate::ops::{Event, Fault, Forecast, Planned, Problem, ProblemKind, Step};
use crate::plan::{BrakeKind, Plan};
use crate::quota::Span;
use crate::ui::golden_tests::head_and_tail;
use crate::ui::test_plans::{
    brake, conflict, each_action, hostile, id, key, many, messages, partial_report, plan_of, several_actions,
};
use crate::ui::{Mask, Progress, Shell, Stream, Verbosity};
use crate::{model, plan};

fn planned(plan: Plan) -> Planned {
    let forecast = Forecast {
        requests: [(Endpoint::CreateContact, 3), (Endpoint::UpdateContact, 4)].into_iter().collect(),
        up_to: [Endpoint::UpdateContact].into(),
        at_most: false,
        duration: Duration::from_millis(300),
        assumed: true,
        assumed_for: [Endpoint::CreateContact].into(),
        creates: plan::Creates::Together,
        one_each: [(plan::OneEach::TypedPhone, 2), (plan::OneEach::NoEmail, 1)].into(),
    };
    Planned {
        plan,
        digest: Some(Digest("0123456789abcdef0123456789abcdef".into())),
        forecast,
        left_out: 0,
        names: crate::model::Glossary::default(),
    }
}

/// A shell that speaks JSON at a fixed time.
fn shell() -> Shell {
    let mut shell = Shell::in_memory(Stream::default(), Stream::default(), Verbosity::Normal);
    shell.speak_json();
    shell
}

fn said(shell: &Shell) -> String {
    let (stdout, stderr) = shell.captured().unwrap();
    assert_eq!(stderr, "");
    stdout.trim_end().to_owned()
}

fn stream(plan: Plan, mask: Mask) -> String {
    let mut shell = shell();
    shell.result_as("text", plan_records(&planned(plan), mask));
    said(&shell)
}

fn line(value: &impl Serialize) -> String {
    let mut line = Vec::new();
    write_json(&mut line, value).unwrap();
    String::from_utf8(line).unwrap()
}

/// An apply of which a part fails, and that waits once.
fn partial_apply() -> String {
    let mut shell = shell();
    shell.tell_time(|| model::Timestamp(1_700_000_000_000));
    let mut progress = Progress::default();
    let second = Duration::from_secs(1);
    let no = Some("no".to_owned());
    let problem = Problem {
        kind: ProblemKind::Rejected(Fault {
            why: String::new(),
            status: Some(422),
            message: no.clone(),
            said: no,
            request_id: None,
        }),
        key: Some(key("bob")),
        path: Some("contacts.d/team.yaml".into()),
        location: None,
    };
    let events = [
        Event::Begun { actions: 3 },
        Event::Started { key: key("ada"), step: Step::Update, id: Some(id(1)) },
        Event::Started { key: key("bob"), step: Step::Create, id: None },
        Event::Problem(problem),
        Event::Failed { key: key("bob"), step: Step::Create, elapsed: second },
        Event::WaitingForQuota {
            endpoint: Endpoint::UpdateContact,
            window: Some(Span::Hour),
            wait: second * 90,
            until: Timestamp(90_000),
        },
        Event::Outage {
            endpoint: Endpoint::UpdateContact,
            status: Some(500),
            wait: second,
            until: Timestamp(91_000),
            ends_at: None,
            is_first: true,
        },
        Event::OutageOver { endpoint: Endpoint::UpdateContact, lasted: second * 3 },
        Event::StillRunning { key: key("ada"), step: Step::Update, id: Some(id(1)), elapsed: second * 10 },
        Event::Finished { key: key("ada"), step: Step::Update, id: Some(id(1)), elapsed: second * 12 },
        Event::Stopping,
    ];
    for event in &events {
        progress.event(&mut shell, event);
    }
    progress.finish(&mut shell);
    shell.result_as("text", [report_record(&partial_report())]);
    said(&shell)
}

/// Every output with the name of its file.
pub(in crate::ui) fn outputs(outputs: &mut Vec<(&'static str, String)>) {
    let empty = Plan { unchanged: 1024, ..plan_of(vec![]) };
    outputs.push(("plan-empty.jsonl", stream(empty.clone(), Mask::Off)));
    outputs.push(("plan-empty.json", line(&plan_document(&planned(empty), Mask::Off))));
    outputs.push(("plan-each-action.jsonl", stream(each_action(), Mask::Off)));
    outputs.push(("plan-each-action.json", line(&plan_document(&planned(each_action()), Mask::Off))));
    outputs.push(("plan-each-action-masked.jsonl", stream(each_action(), Mask::On)));
    outputs.push(("plan-1000.jsonl", head_and_tail(&stream(many(1000), Mask::Off))));
    outputs.push(("plan-hostile.jsonl", stream(hostile(), Mask::Off)));
    outputs.push(("plan-hostile.json", line(&plan_document(&planned(hostile()), Mask::Off))));
    let undecided = plan_of(vec![conflict(plan::Dispute::Stranger { id: id(9) })]);
    outputs.push(("plan-undecided.json", line(&plan_document(&planned(undecided), Mask::Off))));
    let brakes = vec![brake(BrakeKind::ForgetsAll, 5, 4), brake(BrakeKind::MaxCreates, 2, 1)];
    outputs.push(("plan-braked.jsonl", stream(Plan { brakes, ..several_actions() }, Mask::Off)));
    outputs.push(("apply-partial.jsonl", partial_apply()));
    let messages = messages();
    outputs.push(("validate.json", line(&Validation::new(&messages, None, Some(3)))));
    let mut failed = shell();
    failed.messages(messages);
    outputs.push(("plan-failed.jsonl", said(&failed)));
}

#[test]
fn all_of_it_keeps_to_the_schemas() {
    let validator = |name| jsonschema::draft202012::new(&schema(name)).unwrap();
    let mut all = Vec::new();
    outputs(&mut all);
    for (name, output) in all {
        let schema = match name.split_once('.') {
            Some(("validate", _)) => SchemaName::Validate,
            Some((_, "json")) => SchemaName::Plan,
            _ => SchemaName::Events,
        };
        let validator = validator(schema);
        for line in output.lines().filter(|line| !line.starts_with('[')) {
            let value: Value = serde_json::from_str(line).unwrap();
            let faults: Vec<_> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{name}: {line}\n{faults:#?}");
            let mut other = value.clone();
            let tag = if schema == SchemaName::Events { "type" } else { "format_version" };
            other[tag] = Value::from(["nonsense"].as_slice());
            assert!(!validator.is_valid(&other), "{name}: the schema accepts anything");
        }
    }
}

/// Compares fields with what a reader of JSON got.
fn assert_read(fields: &Fields, read: &Value) {
    for (field, value) in fields.iter() {
        let read = match field {
            model::Field::Custom(id) => &read["typed_custom_fields"][id.as_str()],
            named => &read[named.api_name()],
        };
        assert_eq!(*read, serde_json::to_value(value).unwrap(), "{field}");
    }
}

#[test]
fn a_reader_gets_the_values_letter_for_letter_whatever_they_are() {
    let plan = planned(hostile());
    let document: Value = serde_json::from_str(&line(&plan_document(&plan, Mask::Off))).unwrap();
    for (action, change) in plan.plan.actions.iter().zip(document["resource_changes"].as_array().unwrap()) {
        let Some(entry) = action.entry() else { continue };
        let mut fields = entry.unpack().fields;
        if let plan::Operation::Update { changes, .. } = &action.operation {
            for change in changes {
                let plan::Setting::Set(value) = &change.after else { continue };
                fields.set(change.field.clone(), value.clone());
            }
        }
        assert_read(&fields, &change["change"]["after"]);
    }
    let mut long = crate::ui::test_plans::ada(&[(model::Field::Title, "x".repeat(10_000).as_str().into())]);
    long.fields.set(model::Field::OrganizationName, "a\u{0}b`\u{2028}::error::");
    let plan = planned(plan_of(vec![crate::ui::test_plans::create(long.clone())]));
    let document: Value = serde_json::from_str(&line(&plan_document(&plan, Mask::Off))).unwrap();
    assert_read(&long.fields, &document["resource_changes"][0]["change"]["after"]);
}

#[test]
fn a_masked_plan_holds_no_value_and_still_says_what_changes() {
    let masked = stream(each_action(), Mask::On);
    for action in &each_action().actions {
        for (_, value) in action.entry().iter().flat_map(|entry| entry.unpack().fields) {
            let value = &value;
            let texts: Vec<&str> = match value {
                model::Value::Text(text) => vec![text.as_str()],
                model::Value::Lists(lists) => lists.iter().map(String::as_str).collect(),
            };
            for text in texts.into_iter().filter(|text| !text.is_empty()) {
                assert!(!masked.contains(&line(&text)), "{text}");
            }
        }
    }
    assert!(masked.contains("\"changed\":[\"title\""));
}

#[test]
fn records_are_made_one_by_one_and_for_nobody_when_nobody_reads_them() {
    let mut text = Shell::in_memory(Stream::default(), Stream::default(), Verbosity::Normal);
    text.result_as("text", std::iter::from_fn(|| -> Option<Record<'_>> { panic!("nobody reads this") }));
    text.documents(std::iter::from_fn(|| -> Option<Value> { panic!("nor this") }));
    let plan = planned(many(100_000));
    let first = plan_records(&plan, Mask::Off).next().unwrap();
    assert!(first.message.contains("plan to"), "{}", first.message);
    let summed = plan_records(&plan, Mask::Off).count();
    assert_eq!(summed, plan.plan.actions.len() + 2);
}

#[test]
fn in_a_document_only_errors_join_it() {
    let mut shell = Shell::in_memory(Stream::default(), Stream::default(), Verbosity::Normal);
    shell.speak_json();
    shell.lay_out(super::Layout::Document);
    shell.status("status");
    shell.message(&source::Diagnostic::warning("warning", ""));
    shell.documents([1, 2]);
    shell.message(&source::Diagnostic::error("error", ""));
    let (stdout, stderr) = shell.captured().unwrap();
    assert!(stdout.starts_with("1\n2\n{\"@level\":\"error\"") && stdout.lines().count() == 3, "{stdout}");
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
}

#[test]
fn paint_is_for_people() {
    let terminal = Stream { is_terminal: true, color: true, width: 80 };
    let mut shell = Shell::in_memory(terminal, terminal, Verbosity::Normal);
    shell.speak_json();
    assert!(!shell.stdout().color && !shell.stdout().is_terminal);
    shell.result("\u{1b}[1mbold\u{1b}[0m");
    assert!(said(&shell).ends_with(r#""@message":"bold","@module":"contactsd.ui","type":"output"}"#));
}
