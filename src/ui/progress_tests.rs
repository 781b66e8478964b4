//! The three forms of progress, and that problems come through in each.

use super::*;
use crate::ops::Problem;
use crate::source::Severity;
use crate::ui::{Stream, Verbosity};

fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

fn id() -> Option<ApolloId> {
    ApolloId::parse("66f0c1000000000000000001")
}

fn refused() -> Event {
    Event::Problem(Problem {
        severity: Severity::Error,
        summary: "Apollo refused the contact".into(),
        detail: "Apollo answered 422: email is invalid".into(),
        key: Some(key("bob")),
        location: None,
        path: None,
        code: None,
        related: Vec::new(),
        said: None,
    })
}

fn tick(seconds: u64, done: usize, failed: usize) -> Event {
    Event::Tick { elapsed: Duration::from_secs(seconds), done, failed }
}

/// Shows `events` on a terminal or elsewhere; returns stdout and stderr.
fn shown(is_terminal: bool, events: &[Event]) -> (String, String) {
    let stdout = Stream { is_terminal, ..Stream::default() };
    let mut shell = Shell::in_memory(stdout, Stream::default(), Verbosity::Normal);
    let mut progress = Progress::default();
    for event in events {
        progress.event(&mut shell, event);
    }
    progress.finish();
    shell.captured().unwrap()
}

#[test]
fn few_actions_have_a_line_an_event_and_errors_apart() {
    let seconds = Duration::from_secs;
    let (ada, bob) = (key("ada"), key("bob"));
    let done = |step, elapsed| Event::Finished { key: ada.clone(), step, id: id(), elapsed: seconds(elapsed) };
    let (stdout, stderr) = shown(
        false,
        &[
            Event::Begun { actions: 3 },
            Event::Started { key: ada.clone(), step: Step::Create, id: None },
            Event::StillRunning { key: ada.clone(), step: Step::Create, id: None, elapsed: seconds(10) },
            done(Step::Create, 12),
            Event::Started { key: bob.clone(), step: Step::Update, id: id() },
            Event::StillRunning { key: bob.clone(), step: Step::Update, id: id(), elapsed: seconds(70) },
            refused(),
            done(Step::Update, 70),
            Event::Started { key: ada.clone(), step: Step::Import, id: id() },
            done(Step::Import, 1),
            done(Step::Restore, 1),
            done(Step::Settle, 1),
            Event::Started { key: ada.clone(), step: Step::Move, id: id() },
            done(Step::Move, 0),
            done(Step::Release, 0),
            done(Step::Forget, 0),
            Event::Stopping,
        ],
    );
    insta::assert_snapshot!(stdout, @r"
    contact.ada: Creating...
    contact.ada: Still creating... [10s elapsed]
    contact.ada: Creation complete after 12s [id=66f0c1000000000000000001]
    contact.bob: Modifying... [id=66f0c1000000000000000001]
    contact.bob: Still modifying... [id=66f0c1000000000000000001, 1m10s elapsed]
    contact.ada: Modifications complete after 1m10s [id=66f0c1000000000000000001]
    contact.ada: Importing... [id=66f0c1000000000000000001]
    contact.ada: Import complete after 1s [id=66f0c1000000000000000001]
    contact.ada: Restoration complete after 1s [id=66f0c1000000000000000001]
    contact.ada: Settled after 1s [id=66f0c1000000000000000001]
    contact.ada: Moved [id=66f0c1000000000000000001]
    contact.ada: Fields released [id=66f0c1000000000000000001]
    contact.ada: Removed from the state [id=66f0c1000000000000000001]
    Stopping: requests under way are finished and recorded, no further ones are sent. Once more leaves at once.
    ");
    insta::assert_snapshot!(stderr.trim_start(), @r"
    Error: Apollo refused the contact

      with contact.bob

    Apollo answered 422: email is invalid
    ");
}

#[test]
fn many_actions_without_a_terminal_fold_into_a_line_every_ten_seconds() {
    let mut events = vec![Event::Begun { actions: 10_000 }];
    events.extend((1..=25).zip(1..).map(|(second, done)| tick(second, done * 13, 0)));
    events.push(Event::Finished { key: key("ada"), step: Step::Create, id: None, elapsed: Duration::ZERO });
    events.push(refused());
    events.push(tick(31, 400, 1));
    let (stdout, stderr) = shown(false, &events);
    insta::assert_snapshot!(stdout, @r"
    130 of 10,000 done, 0 failed, 12m40s left
    260 of 10,000 done, 0 failed, 12m30s left
    400 of 10,000 done, 1 failed, 12m23s left
    ");
    assert!(stderr.contains("Error: Apollo refused the contact"));
}

#[test]
fn many_actions_on_a_terminal_leave_only_problems_behind() {
    let (stdout, stderr) = shown(true, &[Event::Begun { actions: 21 }, tick(1, 1, 0), refused(), tick(2, 2, 1)]);
    assert_eq!(stdout, "");
    assert!(stderr.contains("Error: Apollo refused the contact"));
}

#[test]
fn a_terminal_of_a_ci_runner_gets_lines_and_no_bar() {
    let terminal = Stream { is_terminal: true, ..Stream::default() };
    let mut shell = Shell::in_memory(terminal, Stream::default(), Verbosity::Normal);
    shell.without_bars();
    let mut progress = Progress::default();
    for event in [Event::Begun { actions: 100 }, tick(10, 50, 0)] {
        progress.event(&mut shell, &event);
    }
    progress.finish();
    assert_eq!(shell.captured().unwrap().0, "50 of 100 done, 0 failed, 10s left\n");
}

#[test]
fn the_bar_tells_counts_rate_quota_and_time_left() {
    let now = Now { actions: 10_000, elapsed: Duration::from_mins(2), done: 396, failed: 4 };
    let quota = [(Endpoint::CreateContact, 1600), (Endpoint::UpdateContact, 200)].into();
    insta::assert_snapshot!(bar_text(now, &quota), @"400/10,000 · 4 failed · 48m left · 200/min · quota left: 1,600 create, 200 update");
    let begun = Now { actions: 100, ..Now::default() };
    insta::assert_snapshot!(bar_text(begun, &BTreeMap::new()), @"0/100");
}

#[test]
fn requests_that_wait_together_are_told_once() {
    let waits = |seconds| Event::WaitingForQuota {
        endpoint: Endpoint::CreateContact,
        window: Some(Span::Minute),
        wait: Duration::from_secs(seconds),
    };
    let (stdout, _) = shown(
        false,
        &[
            Event::Begun { actions: 50 },
            waits(42),
            waits(42),
            tick(2, 0, 0),
            waits(40),
            waits(3600),
            Event::WaitingForQuota {
                endpoint: Endpoint::UpdateContact,
                window: Some(Span::Hour),
                wait: Duration::from_millis(10),
            },
            Event::WaitingForQuota { endpoint: Endpoint::ViewContact, window: None, wait: Duration::from_secs(30) },
        ],
    );
    insta::assert_snapshot!(stdout, @r"
    Waiting 42s for the create quota: this minute is used up...
    Waiting 1h for the create quota: this minute is used up...
    Waiting 1s for the update quota: this hour is used up...
    Waiting 30s before the next view: Apollo asked for a pause...
    ");
}
