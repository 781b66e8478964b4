//! Contacts go out together: how few requests that takes, and what becomes of them when a run ends in the middle.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use contactsd::sandbox::Action;
use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::kill::has_each_once;
use crate::support::{Remote, World, numbered};

/// Lists how often contacts were created together, created alone, changed together, changed alone and searched for.
fn counts(remote: &Remote) -> [u64; 5] {
    [Action::BulkCreate, Action::Create, Action::BulkUpdate, Action::Update, Action::Search]
        .map(|action| remote.requests(action))
}

/// Applies until everything is done, and makes sure that each entry has one contact.
#[track_caller]
fn ends_with_each_once(world: &World, remote: &Remote, count: usize) {
    let is_done = (0..5).any(|_| world.apply().code == Some(0));
    assert!(is_done, "{}", world.apply());
    has_each_once(remote, count);
    world.applied().is_clean();
}

#[test]
fn hundreds_are_created_by_a_handful_of_requests_and_then_none() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..250)).against(&remote);
    assert_snapshot!(world.run("plan --concise").line("Requests:"), @"Requests: 5 bulk create, up to 250 search; no wait for quota (600 requests an hour of each kind are");
    let first = world.applied();
    assert_eq!(first.summary(), "Apply complete! Resources: 250 added, 0 changed, 0 destroyed.");
    // One asks whether many may be created; the first batch of a state is of 10, then there are 100, 100 and 40. One
    // page shows that the account is empty.
    assert_eq!(counts(&remote), [5, 0, 0, 0, 1]);
    let all = remote.all_requests();
    has_each_once(&remote, 250);
    world.applied().is_clean();
    world.run("plan --detailed-exitcode").is_clean();
    assert_eq!(remote.all_requests(), all);
    // A state asks once, and begins small once.
    world.team(&numbered(0..450));
    world.applied();
    assert_eq!(counts(&remote)[0], 5 + 2);
}

#[test]
fn what_was_held_back_when_a_run_was_killed_is_found_out_by_the_next() {
    // The answers are of the question whether many may be created, of the first ten, and of two batches at a time.
    for answers in 0..4 {
        let remote = Remote::start();
        let world = World::with(&numbered(0..130)).against(&remote);
        remote.tap.hold_after(answers);
        let running = world.start("apply --auto-approve");
        remote.tap.wait_until_held(1);
        running.signal(Signal::KILL);
        assert_eq!(running.finish().code, None);
        remote.tap.release();
        ends_with_each_once(&world, &remote, 130);
        assert_eq!(remote.requests(Action::Create), 0);
    }
}

#[test]
fn killed_again_and_again_nobody_is_there_twice() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..330)).against(&remote);
    for answers in [1, 0, 1, 0] {
        remote.tap.hold_after(answers);
        // Quiet, since nobody reads what it says before it is killed, and a full pipe would hold it up.
        let running = world.start("apply --auto-approve --quiet --parallelism 2");
        remote.tap.wait_until_held(1);
        running.signal(Signal::KILL);
        running.finish();
        remote.tap.release();
    }
    ends_with_each_once(&world, &remote, 330);
}

#[test]
fn one_interrupt_finishes_the_batch_under_way_and_sends_no_other() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..330)).against(&remote);
    remote.tap.hold_after(2);
    let mut running = world.start("apply --auto-approve --parallelism 1");
    remote.tap.wait_until_held(1);
    running.signal(Signal::INT);
    running.wait_for("Stopping");
    remote.tap.release();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    let summary = "Apply incomplete. Resources: 110 added, 0 changed, 0 destroyed. 0 failed, 220 remaining.";
    assert_eq!(outcome.summary(), summary);
    assert_eq!(remote.requests(Action::BulkCreate), 3);
    has_each_once(&remote, 110);
    assert_eq!(world.run("state list").stdout.lines().count(), 110);
    world.applied();
    has_each_once(&remote, 330);
    world.applied().is_clean();
}

#[test]
fn a_watch_creates_in_batches() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..250)).against(&remote);
    let outcome = world.run("watch --once");
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(counts(&remote), [5, 0, 0, 0, 1]);
    let mut watching = world.start("watch");
    watching.wait_for("No changes");
    world.team(&numbered(0..400));
    watching.wait_for("Apply complete!");
    assert_eq!(counts(&remote)[..2], [5 + 2, 0]);
    has_each_once(&remote, 400);
    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
}

#[test]
fn a_watch_stops_after_the_batch_under_way() {
    for line in ["watch --parallelism 1", "watch --once --parallelism 1"] {
        let remote = Remote::start();
        let world = World::with(&numbered(0..330)).against(&remote);
        remote.tap.hold_after(2);
        let mut watching = world.start(line);
        remote.tap.wait_until_held(1);
        watching.signal(Signal::TERM);
        watching.wait_for("Stopping");
        remote.tap.release();
        watching.finish();
        assert_eq!(remote.requests(Action::BulkCreate), 3, "{line}");
        has_each_once(&remote, 110);
        assert_eq!(world.run("state list").stdout.lines().count(), 110);
        world.applied();
        has_each_once(&remote, 330);
    }
}

#[test]
fn one_at_a_time_makes_the_same_contacts() {
    let letters = include_str!("../fixtures/contacts/letters.yaml");
    let stored = |line: &str, together: bool| {
        let remote = Remote::start();
        let world = World::with(letters).against(&remote);
        let outcome = world.run(line);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert_eq!(remote.requests(Action::BulkCreate) > 0, together);
        assert_eq!(remote.requests(Action::BulkUpdate), 0);
        world.applied().is_clean();
        let contacts = remote.contacts().into_iter().map(|mut contact| {
            let fields = contact.as_object_mut().unwrap();
            for of_its_own in ["id", "created_at", "updated_at", "label_ids"] {
                fields.remove(of_its_own);
            }
            (contact["email"].to_string(), contact)
        });
        contacts.collect::<BTreeMap<String, Value>>()
    };
    let alone = stored("apply --auto-approve --batch 1", false);
    assert!(!alone.is_empty());
    assert_eq!(alone, stored("apply --auto-approve", true));
}

#[test]
fn without_the_right_to_create_many_each_is_created_alone_and_that_is_said_once() {
    let remote = Remote::with(|options| options.missing_scopes = [Action::BulkCreate].into());
    let world = World::with(&numbered(0..30)).against(&remote);
    let outcome = world.applied();
    assert_eq!(outcome.summary(), "Apply complete! Resources: 30 added, 0 changed, 0 destroyed.");
    assert_snapshot!(outcome.errors(), @"

    Warning: Creating contacts one by one

    The credential is not allowed to create many contacts in one request, so each contact takes a
    request of its own. To use less quota, give the key the scope api/v1/contacts/bulk_create.
    ");
    assert_eq!(counts(&remote)[..2], [1, 30]);
    has_each_once(&remote, 30);
    world.applied().is_clean();
}

#[test]
fn without_a_look_nobody_is_searched_for_and_whom_apollo_has_is_kept() {
    let remote = Remote::start();
    let id = remote.seed(json!({"first_name": "Pia", "title": "Clerk", "email": "p1@example.com"}));
    let world = World::with(&numbered(0..5)).against(&remote);
    let outcome = world.run("apply --auto-approve --look off");
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(outcome.summary(), "Apply complete! Resources: 1 imported, 4 added, 0 changed, 0 destroyed.");
    assert_eq!(outcome.line("imported: "), "imported: contact.p1, matched by Apollo in a batch, 0 fields changed");
    assert_eq!(counts(&remote), [2, 0, 0, 0, 0]);
    has_each_once(&remote, 5);
    let pia = remote.contact("email", "p1@example.com");
    assert_eq!((&pia["id"], &pia["title"], &pia["first_name"]), (&json!(id), &json!("Clerk"), &json!("Pia")));
    world.applied().is_clean();
}

#[test]
fn a_new_title_for_many_takes_a_request_for_each_hundred() {
    let titled = |title: &str| {
        (0..120).fold("contacts:\n".to_owned(), |mut text, number| {
            writeln!(text, "  p{number}: {{email: p{number}@example.com, title: {title}}}").unwrap();
            text
        })
    };
    let remote = Remote::start();
    let world = World::with(&titled("Head")).against(&remote);
    world.applied();
    remote.take_sent();
    let searches = remote.requests(Action::Search);
    world.team(&titled("Chief"));
    assert_snapshot!(world.run("plan --concise").line("Requests:"), @"Requests: 2 bulk update; no wait for quota (600 requests an hour of each kind are assumed until");
    let outcome = world.applied();
    assert_eq!(outcome.summary(), "Apply complete! Resources: 0 added, 120 changed, 0 destroyed.");
    let calls = remote.take_calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(calls.iter().all(|call| call.starts_with("POST /contacts/bulk_update ")), "{calls:?}");
    assert_eq!(remote.requests(Action::Search), searches);
    assert!(remote.column("title").iter().all(|title| title == "Chief"));
    world.applied().is_clean();
}

#[test]
fn a_repository_may_say_how_many_go_together_and_not_that_nobody_looks() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..30)).against(&remote);
    world.write("contactsd.toml", "batch = 10\n");
    world.applied();
    assert_eq!(counts(&remote)[..2], [1 + 3, 0]);
    world.write("contactsd.toml", "look = 'off'\n");
    let refused = world.apply();
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert_snapshot!(refused.errors(), @"

    Error: contactsd.toml:1:1: a repository must not set `look`: it decides whether contacts that are there are looked for before others are created

    A repository cannot decide this for you. Remove the line. Where you want it, type --look or set
    CONTACTSD_LOOK. A repository may set: dir, parallelism, batch, limit, reserve, max-creates,
    max-updates, max-forgets, mask, concise, by-file, full, format, json, quiet, color, no-color,
    log-format, detailed-exitcode.
    ");
    world.write("contactsd.toml", "batch = 101\n");
    assert_eq!(world.apply().code, Some(1));
}
