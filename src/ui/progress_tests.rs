//! The three forms of progress, and that problems come through in each.

use super::*;
use crate::model::ApolloId;
use crate::ops::{Fault, Problem, ProblemKind, Step};
use crate::ui::{Stream, Verbosity};

fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

fn id() -> Option<ApolloId> {
    ApolloId::parse("66f0c1000000000000000001")
}

fn refused() -> Event {
    let said = Some("email is invalid".to_owned());
    let fault = Fault { why: String::new(), status: Some(422), message: said.clone(), said, request_id: None };
    let kind = ProblemKind::Rejected(fault);
    Event::Problem(Problem { kind, key: Some(key("bob")), path: None, location: None })
}

fn tick(seconds: u64, done: usize, failed: usize) -> Event {
    let (elapsed, now) = (Duration::from_secs(seconds), Timestamp(seconds * 1000));
    Event::Tick { elapsed, done, failed, now, left: (done > 0).then(|| Duration::from_secs(770 - seconds)) }
}

/// Shows `events` on a terminal or elsewhere; returns stdout and stderr.
fn shown(is_terminal: bool, events: &[Event]) -> (String, String) {
    let stdout = Stream { is_terminal, ..Stream::default() };
    let mut shell = Shell::in_memory(stdout, Stream::default(), Verbosity::Normal);
    let mut progress = Progress::default();
    for event in events {
        progress.event(&mut shell, event);
    }
    progress.finish(&mut shell);
    shell.captured().unwrap()
}

#[test]
fn what_many_contacts_have_in_the_same_words_is_told_once_and_summed_up() {
    let (_, stderr) = shown(false, &vec![refused(); 150]);
    insta::assert_snapshot!(stderr.lines().filter(|line| !line.starts_with("  contact.bob")).collect::<Vec<_>>().join("\n"), @"

    Error: Apollo rejected contact.bob

      with contact.bob

    Apollo says: email is invalid
    The request had no effect. Correct the entry and apply again.

    Error: 150 contacts have the same error: Apollo rejected contact.bob

    The first one is shown above with its cause. The others:
      and 139 more contacts
    ");
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
    Stopping: running requests are finished and recorded, and no more are sent. Press again to stop immediately.
    ");
    insta::assert_snapshot!(stderr.trim_start(), @"
    Error: Apollo rejected contact.bob

      with contact.bob

    Apollo says: email is invalid
    The request had no effect. Correct the entry and apply again.
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
    400 of 10,000 done, 1 failed, 12m19s left
    ");
    assert!(stderr.contains("Error: Apollo rejected contact.bob"));
}

#[test]
fn many_actions_on_a_terminal_leave_only_problems_behind() {
    let (stdout, stderr) = shown(true, &[Event::Begun { actions: 21 }, tick(1, 1, 0), refused(), tick(2, 2, 1)]);
    assert_eq!(stdout, "");
    assert!(stderr.contains("Error: Apollo rejected contact.bob"));
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
    progress.finish(&mut shell);
    assert_eq!(shell.captured().unwrap().0, "50 of 100 done, 0 failed, 12m40s left\n");
}

#[test]
fn the_bar_tells_counts_rate_quota_and_time_left() {
    let now = Now {
        actions: 10_000,
        elapsed: Duration::from_mins(2),
        done: 396,
        failed: 4,
        time: Timestamp(10_000),
        left: Some(Duration::from_mins(48)),
    };
    let quota = [(Endpoint::CreateContact, 1600), (Endpoint::UpdateContact, 200)].into();
    insta::assert_snapshot!(bar_text(now, &quota, &BTreeMap::new(), 200), @"400/10,000 · 4 failed · 48m left · 200/min · quota left: 1,600 create, 200 update");
    // A narrow terminal gets fewer parts, and whole ones.
    let narrow = |room| bar_text(now, &quota, &BTreeMap::new(), room);
    assert_eq!(
        [narrow(40), narrow(22), narrow(3)],
        ["400/10,000 · 4 failed · 48m left", "400/10,000 · 4 failed", "400/10,000"]
    );
    assert_eq!(["Waiting: create", "Waiting:", ""], [19, 14, 5].map(|room| beginning("Waiting: create goes", room)));
    let begun = Now { actions: 100, ..Now::default() };
    insta::assert_snapshot!(bar_text(begun, &BTreeMap::new(), &BTreeMap::new(), 200), @"0/100");
    let until = Timestamp(3_600_000);
    let wait = [(Endpoint::CreateContact, Wait { is_outage: false, until })].into();
    insta::assert_snapshot!(bar_text(now, &quota, &wait, 200), @"400/10,000 · 4 failed · 48m left · Waiting: create continues in 59m50s, at 01:00:00 UTC · quota left: 1,600 create, 200 update");
    let later = Now { time: Timestamp(11_000), ..now };
    assert!(bar_text(later, &quota, &wait, 200).contains("in 59m49s, at 01:00:00"));
}

fn waits(endpoint: Endpoint, window: Option<Span>, from: u64, seconds: u64) -> Event {
    let until = Timestamp((from + seconds) * 1000);
    Event::WaitingForQuota { endpoint, window, wait: Duration::from_secs(seconds), until }
}

#[test]
fn a_wait_for_quota_says_until_when_and_nothing_more_until_something_changes() {
    let mut events = vec![Event::Begun { actions: 50 }, tick(1, 0, 0)];
    events.push(waits(Endpoint::CreateContact, Some(Span::Minute), 1, 42));
    events.extend((2..43).map(|second| tick(second, 20, 0)));
    events.push(waits(Endpoint::CreateContact, Some(Span::Hour), 43, 3600));
    events.push(waits(Endpoint::ViewContact, None, 43, 30));
    events.extend((44..700).map(|second| tick(second, 20, 0)));
    events.push(tick(701, 21, 0));
    let (stdout, _) = shown(false, &events);
    insta::assert_snapshot!(stdout, @r"
    Waiting 42s for the create quota: this minute is used up. It continues at 00:00:43 UTC...
    20 of 50 done, 0 failed, 12m40s left
    Waiting 1h for the create quota: this hour is used up. It continues at 01:00:43 UTC...
    Waiting 30s before the next view: Apollo asked for a pause. It continues at 00:01:13 UTC...
    21 of 50 done, 0 failed, 1m9s left
    ");
}

#[test]
fn what_waits_is_not_told_to_be_still_running() {
    let still = |elapsed| Event::StillRunning {
        key: key("ada"),
        step: Step::Create,
        id: None,
        elapsed: Duration::from_secs(elapsed),
    };
    let events = [
        Event::Begun { actions: 3 },
        still(10),
        waits(Endpoint::CreateContact, Some(Span::Hour), 11, 3600),
        tick(12, 0, 0),
        still(20),
        still(30),
        tick(3700, 0, 0),
        still(3700),
    ];
    for is_terminal in [false, true] {
        let (stdout, _) = shown(is_terminal, &events[..]);
        insta::allow_duplicates! {
            insta::assert_snapshot!(stdout, @r"
            contact.ada: Still creating... [10s elapsed]
            Waiting 1h for the create quota: this hour is used up. It continues at 01:00:11 UTC...
            contact.ada: Still creating... [1h1m elapsed]
            ");
        }
    }
}

#[test]
fn the_count_down_runs() {
    let wait = |is_outage| Wait { is_outage, until: Timestamp(600_000) };
    let waits = [(Endpoint::CreateContact, wait(false)), (Endpoint::SearchContacts, wait(true))].into();
    let at = |seconds: u64| count_down_text(&waits, Timestamp(seconds * 1000)).unwrap();
    insta::assert_snapshot!(at(0), @"Waiting: create continues in 10m, at 00:10:00 UTC; next try of search in 10m");
    insta::assert_snapshot!(at(541), @"Waiting: create continues in 59s, at 00:10:00 UTC; next try of search in 59s");
    assert_eq!(count_down_text(&BTreeMap::new(), Timestamp(0)), None);
}

#[test]
fn an_outage_is_told_once_and_so_is_its_end() {
    let endpoint = Endpoint::SearchContacts;
    let outage = |status, is_first, ends_at: Option<u64>| Event::Outage {
        endpoint,
        status,
        wait: Duration::from_secs(1),
        until: Timestamp(2000),
        ends_at: ends_at.map(|seconds| Timestamp(seconds * 1000)),
        is_first,
    };
    let events = [
        Event::Begun { actions: 3 },
        outage(None, true, Some(3600)),
        outage(Some(500), false, Some(3600)),
        tick(60, 0, 0),
        outage(None, false, Some(3600)),
        Event::OutageOver { endpoint, lasted: Duration::from_secs(252) },
        outage(Some(500), true, None),
    ];
    let (stdout, _) = shown(false, &events);
    insta::assert_snapshot!(stdout, @r"
    Apollo does not answer search requests. One request at a time is tried, less and less often, until 01:00:00 UTC at the latest...
    Apollo answers search requests again, after 4m12s.
    Apollo answers each search request with 500. One request at a time is tried, less and less often...
    ");
}
