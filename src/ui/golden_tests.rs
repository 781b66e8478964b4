//! What people see, whole: each output on the plans of `test_plans`, fixed as a file that can be read and diffed.
//!
//! After a change that is meant, `UPDATE_GOLDEN=1 cargo test --lib golden` writes the files again; review them with
//! `git diff tests/fixtures/golden`. Escape sequences stand there as `␛`. Files end with a newline that the output
//! has not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::test_plans::{
    brake, each_action, hostile, many, messages, partial_report, plan_of, several_actions, several_files,
};
use super::{
    Detail, FailedPlan, Forecast, Markdown, MarkdownOptions, Mask, PlanOptions, PlanText, Stream, Subject,
    apply_summary, message_text,
};
use crate::model::{Digest, Endpoint};
use crate::ops::{Ended, Report};
use crate::plan::{BrakeKind, Plan};
use crate::source::Diagnostic;

/// Lines kept of the beginning and the end of an output that is too long to read.
const KEPT_LINES: usize = 40;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden")
}

/// Every output with the name of its file.
fn outputs() -> Vec<(&'static str, String)> {
    let mut outputs = Vec::new();
    texts(&mut outputs);
    pages(&mut outputs);
    super::json::golden::outputs(&mut outputs);
    outputs
}

fn texts(outputs: &mut Vec<(&'static str, String)>) {
    let digest = Digest("0123456789abcdef0123456789abcdef".into());
    let forecast = Forecast {
        requests: vec![(Endpoint::CreateContact, 3), (Endpoint::UpdateContact, 4)],
        duration: Some(Duration::from_millis(300)),
        note: None,
        ..Forecast::default()
    };
    let options = PlanOptions {
        forecast: Some(&forecast),
        digest: Some(&digest),
        next_step: Some("contactsd apply"),
        ..PlanOptions::default()
    };
    let color = PlanOptions { color: true, ..options };
    let text = |plan: &Plan, options| PlanText { plan, options }.to_string();
    let empty = Plan { unchanged: 1024, ..plan_of(vec![]) };
    outputs.push(("plan-empty.txt", text(&empty, options)));
    outputs.push(("plan-empty.color.txt", text(&empty, color)));
    outputs.push(("plan-each-action.txt", text(&each_action(), options)));
    outputs.push(("plan-each-action.color.txt", text(&each_action(), color)));
    outputs.push(("plan-1000.txt", head_and_tail(&text(&many(1000), options))));
    outputs.push(("plan-1000.color.txt", head_and_tail(&text(&many(1000), color))));
    outputs.push(("plan-hostile.txt", text(&hostile(), options)));
    outputs.push(("plan-hostile.color.txt", text(&hostile(), color)));
    let abridged = PlanOptions { abridged: true, ..color };
    outputs.push(("plan-1000-abridged.color.txt", last_lines(&text(&many(1000), abridged))));
    outputs.push(("plan-hostile-abridged.color.txt", text(&hostile(), abridged)));
    let masked = PlanOptions { mask: Mask::On, ..options };
    outputs.push(("plan-each-action-masked.txt", text(&each_action(), masked)));
    let concise = PlanOptions { detail: Detail::Concise, ..options };
    outputs.push(("plan-each-action-concise.txt", text(&each_action(), concise)));
    outputs.push(("plan-each-action-concise.color.txt", text(&each_action(), PlanOptions { color: true, ..concise })));
    outputs
        .push(("plan-each-action-concise-masked.txt", text(&each_action(), PlanOptions { mask: Mask::On, ..concise })));
    let by_file = PlanOptions { by_file: true, ..options };
    outputs.push(("plan-files.txt", text(&several_files(), by_file)));
    outputs.push(("plan-files.color.txt", text(&several_files(), PlanOptions { color: true, ..by_file })));
    outputs
        .push(("plan-files-concise.txt", text(&several_files(), PlanOptions { detail: Detail::Concise, ..by_file })));
    let narrow = PlanOptions { width: 24, ..options };
    outputs.push(("plan-narrow.txt", text(&several_actions(), narrow)));
    let brakes = vec![
        brake(BrakeKind::ForgetsAll, 5, 4),
        brake(BrakeKind::ForgetsMany, 1400, 1000),
        brake(BrakeKind::MaxCreates, 2, 1),
        brake(BrakeKind::MaxUpdates, 3, 0),
        brake(BrakeKind::MaxForgets, 5, 2),
    ];
    let stopped = Plan { brakes, ..several_actions() };
    outputs.push(("plan-braked.txt", text(&stopped, options)));
    outputs.push(("plan-braked.color.txt", text(&stopped, color)));

    for color in [false, true] {
        let invalid = FailedPlan { files: Some(12), errors: 2, warnings: 1, color, ..FailedPlan::default() };
        let stateless = FailedPlan { files: Some(12), contacts: Some(1024), errors: 1, color, ..FailedPlan::default() };
        let unread = FailedPlan { errors: 1, color, ..FailedPlan::default() };
        let failed = [invalid, stateless, unread].map(|failed| failed.to_string()).join("\n\n");
        outputs.push((if color { "plan-failed.color.txt" } else { "plan-failed.txt" }, failed));
    }

    let complete = Report { added: 1, ..Report::default() };
    let exhausted = Report {
        added: 400,
        remaining: 600,
        ended: Ended::QuotaExhausted { endpoint: Endpoint::CreateContact, wait: Duration::from_mins(42) },
        ..Report::default()
    };
    let reports = [complete, partial_report(), exhausted];
    let summaries = |color| reports.each_ref().map(|report| apply_summary(report, color)).join("\n\n");
    outputs.push(("apply-summaries.txt", summaries(false)));
    outputs.push(("apply-summaries.color.txt", summaries(true)));

    let drawn = |color| {
        let stream = Stream { color, ..Stream::default() };
        messages().iter().map(|message| message_text(message, stream)).collect::<Vec<_>>().join("\n")
    };
    outputs.push(("messages.txt", drawn(false)));
    outputs.push(("messages.color.txt", drawn(true)));
}

fn pages(outputs: &mut Vec<(&'static str, String)>) {
    let digest = Digest("0123456789abcdef0123456789abcdef".into());
    let forecast = Forecast {
        requests: vec![(Endpoint::CreateContact, 3), (Endpoint::UpdateContact, 4)],
        duration: Some(Duration::from_millis(300)),
        note: None,
        ..Forecast::default()
    };
    let options = MarkdownOptions {
        directory: "contacts.d",
        mask: Mask::On,
        max_bytes: 65_000,
        detail: Detail::Blocks,
        by_file: false,
        forecast: Some(&forecast),
        digest: Some(&digest),
        names: None,
        apply: Some("contactsd apply --expect 0123456789abcdef0123456789abcdef"),
        plan: "contactsd plan",
        note: None,
    };
    let shown = MarkdownOptions { mask: Mask::Off, ..options };
    let messages = messages();
    let page = |plan: &Plan, messages: &[Diagnostic], options| {
        Markdown { subject: Subject::Plan(plan), messages, options }.to_string()
    };
    outputs.push(("plan-empty.md", page(&Plan { unchanged: 1024, ..plan_of(vec![]) }, &[], options)));
    outputs.push(("plan-each-action.md", page(&each_action(), &messages[1..], options)));
    outputs.push(("plan-each-action-shown.md", page(&each_action(), &messages[1..], shown)));
    let by_file = MarkdownOptions { detail: Detail::Concise, by_file: true, ..shown };
    outputs.push(("plan-files-concise.md", page(&several_files(), &[], by_file)));
    outputs.push(("plan-1000-cut.md", page(&many(1000), &messages, MarkdownOptions { max_bytes: 6000, ..options })));
    outputs
        .push(("plan-1000-cut-small.md", page(&many(1000), &messages, MarkdownOptions { max_bytes: 700, ..options })));
    outputs.push(("plan-hostile.md", page(&hostile(), &messages, options)));
    outputs.push(("plan-hostile-shown.md", page(&hostile(), &messages, shown)));
    outputs.push(("plan-hostile-cut.md", page(&hostile(), &messages, MarkdownOptions { max_bytes: 8000, ..shown })));
    let failed = FailedPlan { files: Some(12), errors: 1, warnings: 1, ..FailedPlan::default() };
    let failed = |options| Markdown { subject: Subject::Failed(&failed), messages: &messages, options }.to_string();
    outputs.push(("plan-failed.md", failed(options)));
    outputs.push(("plan-failed-shown.md", failed(shown)));
}

/// Keeps the end of a text whose beginning another file shows.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (left_out, tail) = lines.split_at(lines.len() - KEPT_LINES);
    format!("[{} lines]\n{}", left_out.len(), tail.join("\n"))
}

/// Keeps what a reader looks at of a long text, and a hash of all of it.
pub(super) fn head_and_tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let left_out = lines.len() - 2 * KEPT_LINES;
    let middle = format!("[{left_out} lines; BLAKE3 of the whole: {}]", blake3::hash(text.as_bytes()).to_hex());
    let (head, tail) = (&lines[..KEPT_LINES], &lines[lines.len() - KEPT_LINES..]);
    [head, &[middle.as_str()], tail].concat().join("\n")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one variable that has these files written again")]
fn outputs_are_as_the_golden_files_show() {
    let rewrite = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut differing = Vec::new();
    let mut left_over = golden_files();
    for (name, output) in outputs() {
        let path = directory().join(name);
        let output = output.replace('\u{1b}', "␛") + "\n";
        left_over.remove(name);
        if rewrite {
            fs::write(&path, output).unwrap();
        } else if fs::read_to_string(&path).ok().as_ref() != Some(&output) {
            differing.push(name);
        }
    }
    if rewrite {
        for name in left_over {
            fs::remove_file(directory().join(name)).unwrap();
        }
        return;
    }
    let how = "if that is meant: UPDATE_GOLDEN=1 cargo test --lib golden, and review with git diff";
    assert!(differing.is_empty(), "{differing:?} differ; {how}");
    assert!(left_over.is_empty(), "{left_over:?} belong to no output; {how}");
}

/// Lists the files that belong to this test; others may keep theirs beside them.
fn golden_files() -> BTreeSet<String> {
    let files = fs::read_dir(directory()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    files.filter(|name| [".txt", ".md", ".json", ".jsonl"].iter().any(|end| name.ends_with(end))).collect()
}

#[test]
fn nothing_hostile_reaches_a_terminal_or_a_runner() {
    for (name, output) in outputs().iter().filter(|(name, _)| name.contains("hostile") && !name.contains("color")) {
        for line in output.lines() {
            assert!(!line.contains(char::is_control), "{name}: {line:?}");
            assert!(!line.contains(['\u{202e}', '\u{2066}']), "{name}: {line:?}");
            assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{name}: {line:?}");
        }
    }
}
