use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::test_services::{ago, begun, busy};
use super::*;
use crate::model::{ContactKey, Timestamp};
use crate::ops::watch::Pass;
use crate::quota::Span;

/// Counts something of everything.
fn counted() -> Metrics {
    let metrics = Metrics::default();
    let key = || ContactKey::parse("ada@example.com").unwrap();
    let endpoint = Endpoint::CreateContact;
    let answered = |status, millis| Event::Answered { endpoint, status, elapsed: Duration::from_millis(millis) };
    let ended = |outcome, seconds: u64| {
        let (began, ended) = (ago(100), ago(100 - seconds));
        Event::Pass(PassEvent::Ended(Pass { began, ended, outcome, done: 0, failed: 0, remaining: 0 }))
    };
    let events = [
        Event::Begun { actions: 1 },
        Event::Finished { key: key(), step: Step::Create, id: None, elapsed: Duration::ZERO },
        Event::Finished { key: key(), step: Step::Create, id: None, elapsed: Duration::ZERO },
        Event::Failed { key: key(), step: Step::Update, elapsed: Duration::ZERO },
        answered(Some(201), 40),
        answered(Some(422), 300),
        answered(Some(429), 20),
        answered(Some(503), 20),
        answered(None, 60_000),
        Event::WaitingForQuota {
            endpoint,
            window: Some(Span::Hour),
            wait: Duration::from_mins(1),
            until: Timestamp(0),
        },
        ended(Outcome::Applied, 3),
        ended(Outcome::InStep, 0),
        ended(Outcome::InStep, 0),
    ];
    for event in &events {
        metrics.event(event);
    }
    metrics
}

fn text() -> String {
    counted().text(&busy(), true, Some(Footprint { used: 4096, free: 1 << 30 }))
}

/// The lines that hold something else than zero: what a reader looks at.
fn told(text: &str) -> String {
    let is_told = |line: &&str| !line.starts_with('#') && !line.ends_with(" 0");
    text.lines().filter(is_told).collect::<Vec<_>>().join("\n")
}

#[test]
fn events_are_counted_and_the_moment_is_measured() {
    insta::assert_snapshot!(told(&text()), @r#"
    contactsd_actions_pending 5
    contactsd_actions_total{kind="create",outcome="done"} 2
    contactsd_actions_total{kind="update",outcome="failed"} 1
    contactsd_build_info{version="0.1.0"} 1
    contactsd_entries_declared 120
    contactsd_entries_failing{waits_for="person"} 1
    contactsd_entries_failing{waits_for="time"} 1
    contactsd_entries_waiting 2
    contactsd_last_good_pass_timestamp_seconds 1772366388
    contactsd_last_pass_timestamp_seconds 1772366388
    contactsd_pass_duration_seconds_bucket{le="0.01"} 2
    contactsd_pass_duration_seconds_bucket{le="0.1"} 2
    contactsd_pass_duration_seconds_bucket{le="0.5"} 2
    contactsd_pass_duration_seconds_bucket{le="1"} 2
    contactsd_pass_duration_seconds_bucket{le="5"} 3
    contactsd_pass_duration_seconds_bucket{le="30"} 3
    contactsd_pass_duration_seconds_bucket{le="120"} 3
    contactsd_pass_duration_seconds_bucket{le="600"} 3
    contactsd_pass_duration_seconds_bucket{le="3600"} 3
    contactsd_pass_duration_seconds_bucket{le="+Inf"} 3
    contactsd_pass_duration_seconds_sum 3
    contactsd_pass_duration_seconds_count 3
    contactsd_passes_total{outcome="applied"} 1
    contactsd_passes_total{outcome="in_step"} 2
    contactsd_plan_braked 1
    contactsd_quota_left{action="create_contact",window="minute"} 199
    contactsd_quota_limit{action="create_contact",window="hour"} 400
    contactsd_quota_limit{action="create_contact",window="minute"} 200
    contactsd_quota_reset_timestamp_seconds{action="create_contact",window="hour"} 1772369940
    contactsd_quota_reset_timestamp_seconds{action="create_contact",window="minute"} 1772366442
    contactsd_quota_waits_total{action="create_contact"} 1
    contactsd_ready 1
    contactsd_request_duration_seconds_bucket{action="create_contact",le="0.05"} 3
    contactsd_request_duration_seconds_bucket{action="create_contact",le="0.1"} 3
    contactsd_request_duration_seconds_bucket{action="create_contact",le="0.25"} 3
    contactsd_request_duration_seconds_bucket{action="create_contact",le="0.5"} 4
    contactsd_request_duration_seconds_bucket{action="create_contact",le="1"} 4
    contactsd_request_duration_seconds_bucket{action="create_contact",le="2.5"} 4
    contactsd_request_duration_seconds_bucket{action="create_contact",le="5"} 4
    contactsd_request_duration_seconds_bucket{action="create_contact",le="10"} 4
    contactsd_request_duration_seconds_bucket{action="create_contact",le="30"} 4
    contactsd_request_duration_seconds_bucket{action="create_contact",le="+Inf"} 5
    contactsd_request_duration_seconds_sum{action="create_contact"} 60.38
    contactsd_request_duration_seconds_count{action="create_contact"} 5
    contactsd_requests_total{action="create_contact",status="2xx"} 1
    contactsd_requests_total{action="create_contact",status="429"} 1
    contactsd_requests_total{action="create_contact",status="4xx"} 1
    contactsd_requests_total{action="create_contact",status="5xx"} 1
    contactsd_requests_total{action="create_contact",status="none"} 1
    contactsd_start_time_seconds 1772362800
    contactsd_state_bytes 4096
    contactsd_state_disk_free_bytes 1073741824
    contactsd_state_serial 57
    "#);
}

#[test]
fn every_count_is_there_before_its_first_step() {
    let text = Metrics::default().text(&begun(), false, None);
    for line in [
        "contactsd_passes_total{outcome=\"troubled\"} 0",
        "contactsd_actions_total{kind=\"settle\",outcome=\"failed\"} 0",
        "contactsd_requests_total{action=\"add_to_lists\",status=\"none\"} 0",
        "contactsd_quota_waits_total{action=\"search_contacts\"} 0",
        "contactsd_problems_total{severity=\"error\"} 0",
        "contactsd_last_good_pass_timestamp_seconds 0",
        "contactsd_ready 0",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
    }
}

/// A family of the exposition, as the format's description has it.
#[derive(Default)]
struct Family<'a> {
    kind: &'a str,
    samples: BTreeSet<&'a str>,
}

#[test]
fn the_text_is_well_formed() {
    let text = text();
    assert!(text.ends_with('\n'));
    let mut families: BTreeMap<&str, Family<'_>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(words.ends_with(['.', '1']), "{line}");
            current = name;
            assert!(families.insert(name, Family::default()).is_none(), "{name} comes twice");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, current);
            families.get_mut(name).unwrap().kind = kind;
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            let name = sample.split('{').next().unwrap();
            let family = families.get_mut(current).unwrap();
            let of_family = name == current
                || (family.kind == "histogram"
                    && ["_bucket", "_sum", "_count"].iter().any(|part| name.strip_suffix(part) == Some(current)));
            assert!(of_family, "{line} stands under {current}");
            assert!(family.samples.insert(sample), "{sample} comes twice");
        }
    }
    for (name, Family { kind, samples }) in &families {
        assert!(name.starts_with("contactsd_") && !samples.is_empty(), "{name}");
        assert_eq!(name.ends_with("_total"), *kind == "counter", "{name} is a {kind}");
    }
    assert!(families.len() > 20);
}

#[test]
fn nobody_is_named_and_labels_are_escaped() {
    assert!(!text().contains('@') && !text().contains("ada") && !text().contains("contact."), "{}", text());
    let hostile = Status { version: "0.1\"\n\\".to_owned(), ..begun() };
    let text = Metrics::default().text(&hostile, false, None);
    assert!(text.contains(r#"contactsd_build_info{version="0.1\"\n\\"} 1"#), "{text}");
}
