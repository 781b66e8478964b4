//! Pages of services in every state that can be told of.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::model::{ContactKey, Endpoint};
use crate::ops::watch::{Failing, LastLoad, Outcome, Pass, Phase, StandingBy, Waiting};
use crate::ops::{Cause, Fault, ProblemKind};
use crate::quota::{Outlook, Span};
use crate::ui::test_services::{NOW, ago, begun, busy, holder, in_step, paused, troubled};

/// Most bytes of a page, whatever there is to tell.
const MOST: usize = 30_000;

fn facts(status: &Status) -> PageFacts<'_> {
    PageFacts {
        status,
        health: Health::Alive,
        now: NOW,
        command: &|verb| format!("contactsd {verb} --dir 'my people'"),
    }
}

fn shown(status: &Status) -> String {
    page(&facts(status))
}

/// Returns what a reader of the page reads: its text, a line for each block.
fn read(page: &str) -> String {
    let main = page.split_once("<main>").unwrap().1.split_once("</main>").unwrap().0;
    let mut text = String::new();
    for (at, piece) in main.split('<').enumerate() {
        let (tag, words) = if at == 0 { ("", piece) } else { piece.split_once('>').unwrap() };
        let block = ["p", "h1", "h2", "h3", "li", "dt", "dd", "tr", "td", "th", "pre", "section"];
        if block.contains(&tag.split(' ').next().unwrap()) {
            text.push('\n');
        }
        text += words;
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    html_escape::decode_html_entities(&lines.collect::<Vec<_>>().join("\n")).into_owned()
}

fn headline(status: &Status) -> String {
    read(&shown(status)).lines().next().unwrap().to_owned()
}

fn pass(seconds_ago: u64, took: u64, outcome: Outcome, done: usize) -> Pass {
    let ended = ago(seconds_ago);
    Pass { began: ended - Duration::from_millis(took), ended, outcome, done, failed: 0, remaining: 0 }
}

/// A service in which everything is as much and as long as it can be.
fn crowded() -> Status {
    let key = |number: usize| ContactKey::parse(&format!("{}{number:05}", "k".repeat(120))).unwrap();
    let why = "<script>alert(1)</script>&\"'".repeat(400);
    let fault = Fault { why: why.clone(), status: Some(422), message: Some(why.clone()), said: None, request_id: None };
    let failing = |number: usize| Failing {
        key: key(number),
        error: if number.is_multiple_of(2) {
            ProblemKind::StateUnreadable(fault.why.clone())
        } else {
            ProblemKind::Rejected(fault.clone())
        },
        attempts: 4_000_000_000,
        since: ago(60 * 60 * 24 * 400),
        next_try: Some(NOW + Duration::from_hours(100)),
    };
    let waiting = |number| Waiting { key: key(number), gone_since: ago(90_000), forget_at: Some(NOW) };
    let window = |window| Outlook {
        window,
        limit: Some(1_000_000),
        left: Some(999_999),
        resets_at: Some(NOW + Duration::from_hours(30)),
    };
    let codes = || crate::source::Code::ALL.iter().map(|code| (code.as_str().to_owned(), 123_456)).collect();
    let mut status = Status {
        failing: Arc::new((0..10_000).map(failing).collect()),
        waiting: Arc::new((0..10_000).map(waiting).collect()),
        quota: Endpoint::ALL.map(|endpoint| (endpoint, Span::ALL.map(window))).into(),
        last_load: Some(LastLoad { at: NOW, unreadable: Some(why), errors: codes(), warnings: codes() }),
        ..busy()
    };
    for number in 0..200 {
        let failed = Pass { failed: 3, ..pass(90_000, 1 << (number % 24), Outcome::Refused, 5) };
        Arc::make_mut(&mut status.recent).push_back(failed);
    }
    status
}

#[test]
fn a_page_reads_from_what_matters_most_to_the_details() {
    insta::assert_snapshot!(read(&shown(&busy())), @"
    A plan waits for approval
    It exceeds limits. Nothing is changed until it is approved.
    Held plan
    1200 to add, 0 to change, 0 to destroy. Since: 5m ago 11:55:00 UTC
    1,200 contacts would be created, and at most 1000 may be
    To look at it:
    contactsd plan --dir 'my people'
    To apply exactly this plan once:
    contactsd approve 0123456789abcdef0123456789abcdef --dir 'my people'
    Figures
    Declared
    120
    To do
    1
    Failing
    2
    Next pass
    in 4m48s 12:04:48 UTC
    Failing
    Entry
    Failed
    Next try
    contact.bo Apollo rejected contact.bo (HTTP 422)
    3 times, first 10m ago 11:50:00 UTC
    in 42s 12:00:42 UTC
    (masked) More than one contact may be the same person as (masked)
    1 time, first 10m ago 11:50:00 UTC
    waits for you
    contactsd why KEY tells more about one entry.
    No longer in the files
    Entry
    Gone
    Forgotten
    contact.dee
    26s ago 11:59:34 UTC
    in 34s 12:00:34 UTC
    (masked)
    26s ago 11:59:34 UTC
    not while there is no contact file at all
    An entry that comes back before that time stays. Nothing is deleted in Apollo.
    Requests left
    Kind
    This minute
    This hour
    This day
    create
    199 of 200 all again in 42s 12:00:42 UTC
    used up: 0 of 400 all again in 59m 12:59:00 UTC
    no limit known
    Service
    Last pass
    applied what could be applied, took 3s; 12s ago 11:59:48 UTC: 3 done, 2 failed, 1 remaining
    Last successful pass
    12s ago 11:59:48 UTC
    Passes
    13; one every 5m, and whenever something changes
    State
    held by this service; serial 57
    Running since
    1h ago 11:00:00 UTC
    Version
    contactsd 0.1.0
    ");
}

#[test]
fn a_service_with_nothing_to_tell_is_short() {
    insta::assert_snapshot!(read(&shown(&in_step())), @"
    In step
    Nothing to do: all that 120 entries declare is applied.
    Figures
    Declared
    120
    To do
    0
    Failing
    0
    Next pass
    in 4m48s 12:04:48 UTC
    Service
    Last pass
    found nothing to do, took 1s; 12s ago 11:59:48 UTC
    Last successful pass
    12s ago 11:59:48 UTC
    Passes
    13; one every 5m, and whenever something changes
    State
    held by this service; serial 57
    Running since
    1h ago 11:00:00 UTC
    Version
    contactsd 0.1.0
    ");
}

#[test]
fn what_matters_most_is_said_first() {
    let refused = |load: LastLoad| {
        let last_pass = Some(pass(1, 5, Outcome::Refused, 0));
        Status { last_pass, last_load: Some(load), ..in_step() }
    };
    let load = LastLoad { at: NOW, unreadable: None, errors: [("E011".to_owned(), 2)].into(), warnings: [].into() };
    let ended = |outcome, pending| Status { last_pass: Some(pass(1, 5, outcome, 0)), pending, ..in_step() };
    let standing_by = StandingBy { holder: holder().who(), since: ago(60) };
    let only_failing = Status { braked: None, ..busy() };
    let headlines: Vec<String> = [
        in_step(),
        begun(),
        Status { phase: Phase::Ending, ..busy() },
        paused(),
        Status { standing_by: Some(standing_by), ..in_step() },
        troubled(),
        refused(load.clone()),
        refused(LastLoad { unreadable: Some("gone".to_owned()), errors: [].into(), ..load }),
        busy(),
        Status { last_good_pass: Some(ago(100_000)), ..in_step() },
        only_failing,
        ended(Outcome::WaitsForQuota, 7),
        ended(Outcome::OnlyPlanned, 7),
        Status { phase: Phase::Passing, ..ended(Outcome::Applied, 7) },
        ended(Outcome::OnlyPlanned, 0),
    ]
    .iter()
    .map(headline)
    .collect();
    insta::assert_snapshot!(headlines.join("\n"), @"
    In step
    Starting
    The service is ending
    Paused
    Standing by
    Cannot work
    The files have mistakes
    The files cannot be read
    A plan waits for approval
    No successful pass for too long
    2 entries fail
    Waiting for quota
    Only planning
    Working
    In step
    ");
    let status = in_step();
    let stuck = page(&PageFacts { health: Health::Overdue { since: ago(900) }, ..facts(&status) });
    assert!(stuck.contains("The service is stuck"), "{stuck}");
}

#[test]
fn a_wait_for_quota_lasts_until_a_window_that_is_used_up_closes() {
    let last_pass = Some(pass(1, 5, Outcome::WaitsForQuota, 0));
    let status = Status { last_pass, pending: 7, quota: busy().quota, ..in_step() };
    let text = read(&shown(&status));
    assert!(text.contains("7 actions are sent as soon as Apollo allows it.\nGoes on: in 59m 12:59:00 UTC"), "{text}");
}

#[test]
fn a_held_plan_stands_there_with_the_command_that_lets_it_through() {
    let page = shown(&Status { phase: Phase::Paused, paused_since: Some(ago(9)), ..busy() });
    for command in ["approve 0123456789abcdef0123456789abcdef", "resume"] {
        let line = format!("<code>contactsd {command} --dir 'my people'</code>");
        assert!(page.contains(&line), "{line}: {page}");
    }
}

#[test]
fn a_service_that_only_plans_asks_nobody_to_approve() {
    let text = read(&shown(&Status { only_plans: true, ..busy() }));
    assert!(text.starts_with("A plan exceeds limits\nThis service plans and changes nothing.\n"), "{text}");
    assert!(!text.contains("contactsd approve") && text.contains("--dry-run"), "{text}");
}

#[test]
fn nobody_is_named_and_no_foreign_text_becomes_a_part_of_the_page() {
    for status in [begun(), in_step(), busy(), troubled(), paused(), crowded()] {
        let page = shown(&status);
        let (_, told) = page.split_once("</style>").unwrap();
        assert!(!told.contains('@') && !page.contains('\u{1b}') && !page.contains("<script>a"), "{page}");
        assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
        let tags = page_part(&facts(&status))
            .split('<')
            .map(|piece| piece.split('>').next().unwrap().to_owned())
            .collect::<Vec<_>>();
        assert!(
            tags.iter().all(|tag| !tag.contains(" style=") && !tag.contains(" on")),
            "the policy forbids it: {tags:?}"
        );
    }
    assert_eq!(foreign(" a\u{202e}b <i> ada@example.com "), "a\\u{202e}b <i> (masked)");
}

#[test]
fn a_page_has_a_largest_size() {
    let status = crowded();
    let page = shown(&status);
    assert!(page.len() < MOST, "{} bytes", page.len());
    let text = read(&page);
    assert_eq!(text.matches(" more, which contactsd status --json lists").count(), 3, "{text}");
    assert!(page_part(&facts(&status)).len() < page.len() && page.contains(&page_part(&facts(&status))[..200]));
}

#[test]
fn what_changes_is_the_same_as_in_the_whole_page() {
    let status = busy();
    let (page, part) = (shown(&status), page_part(&facts(&status)));
    let (head, body) = part.split_once("<div id=\"page\">").unwrap();
    assert!(page.contains(head) && page.contains(body), "{part}");
    assert!(!part.contains(['\n', '\r']) && !part.contains("<script"), "{part}");
}

#[test]
fn the_policy_allows_what_stands_in_the_page_and_nothing_else() {
    let page = shown(&busy());
    let policy = page_policy();
    for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
        let inner = page.split_once(&format!("<{tag}>")).unwrap().1.split_once(&format!("</{tag}>")).unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(inner));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{policy}");
    }
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
}

#[test]
fn passes_are_drawn_the_taller_the_longer_and_told_in_words() {
    let mut status = in_step();
    let recent = Arc::make_mut(&mut status.recent);
    recent.push_back(pass(30, 1, Outcome::InStep, 0));
    recent.push_back(pass(20, 1000, Outcome::Applied, 2));
    recent.push_back(pass(10, 30, Outcome::Refused, 0));
    let page = shown(&status);
    let svg = page.split_once("<svg class=\"passes\"").unwrap().1.split_once("</svg>").unwrap().0;
    insta::assert_snapshot!(svg.trim().replace("><", ">\n<"), @r#"
    viewBox="0 0 600 49" role="img" aria-labelledby="passes" aria-describedby="passes-text">
    <path class="ground" d="M0 48.5H600">
    </path>
    <path class="idle" d="M571 41h7v7h-7z">
    </path>
    <path class="worked" d="M581 12h7v36h-7z">
    </path>
    <path class="stopped" d="M591 30h7v18h-7zm0-3h7l-3.5-6z">
    </path>
    "#);
    let text = read(&page);
    let told = "The last 3 passes: 1 could not use the files, 1 applied what could be applied, 1 found nothing to do.";
    assert!(text.contains(told), "{text}");
}

#[test]
fn a_time_says_how_long_ago_it_is_and_what_a_clock_shows() {
    let moments = [ago(0), ago(12), ago(3700), ago(90_000), NOW + Duration::from_millis(41_200)];
    let texts: Vec<String> = moments.iter().map(|&at| moment(at, NOW).into_string()).collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    just now <time datetime="2026-03-01T12:00:00Z">12:00:00 UTC</time>
    12s ago <time datetime="2026-03-01T11:59:48Z">11:59:48 UTC</time>
    1h1m ago <time datetime="2026-03-01T10:58:20Z">10:58:20 UTC</time>
    1d1h ago <time datetime="2026-02-28T11:00:00Z">2026-02-28 11:00:00 UTC</time>
    in 42s <time datetime="2026-03-01T12:00:41Z">12:00:41 UTC</time>
    "#);
}

#[test]
fn what_a_trouble_repeats_of_foreign_words_is_cut() {
    let error = ProblemKind::CredentialUnusable(Cause::Other { why: "no ".repeat(1000) });
    let trouble = troubled().trouble.map(|trouble| crate::ops::watch::Trouble { error, ..trouble });
    let page = shown(&Status { trouble, ..troubled() });
    assert!(page.matches("no no").count() < 200 && page.contains('…'), "{page}");
}
