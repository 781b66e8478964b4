//! A service under the hands of people and of systemd: signals, pause, approval, credentials.

use std::fs;
use std::os::unix::net::UnixDatagram;

use insta::assert_snapshot;
use rustix::process::Signal;

use crate::support::{KEY, Remote, World, numbered};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

const COMPLETE: &str = "Apply complete!";

#[test]
fn a_hangup_looks_at_everything_and_takes_new_settings() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    // It looks by itself once an hour only.
    let mut watching = world.start("watch --poll 1h");
    watching.wait_for(COMPLETE);
    world.write("contactsd.toml", "max-creates = 1\n");
    world.write("contacts.d/more.yaml", &numbered(0..2));
    watching.signal(Signal::HUP);
    watching.wait_for("To apply exactly this plan");
    assert_eq!(remote.contacts().len(), 2);
    world.write("contactsd.toml", "max-creates = 'many'\n");
    watching.signal(Signal::HUP);
    world.write("contactsd.toml", "max-creates = 2\n");
    watching.signal(Signal::HUP);
    watching.wait_for(COMPLETE);
    assert_eq!(remote.contacts().len(), 4);
    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
}

#[test]
fn settings_that_cannot_be_read_again_are_said_and_those_in_use_kept() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    world.write("contactsd.toml", "max-creates = [\n");
    watching.signal(Signal::HUP);
    world.write("contacts.d/more.yaml", &numbered(0..2));
    watching.wait_for(COMPLETE);
    watching.signal(Signal::TERM);
    let outcome = watching.finish();
    assert!(outcome.stderr.contains("The settings cannot be read again"), "{outcome}");
    assert!(outcome.stderr.contains("The settings in use are kept."), "{outcome}");
}

#[test]
fn a_paused_service_lets_others_write_and_goes_on_after() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    let refused = world.apply();
    assert!(refused.stderr.contains("contactsd pause"), "{refused}");
    assert_snapshot!(world.run("pause"), @"
    Paused. What was under way is recorded, and other commands can write the state now.
    The service stays paused, even after a restart, until you run `contactsd resume --api-url http://127.0.0.1:[PORT]/api/v1`.
    [exit 0]
    ");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    assert_snapshot!(world.applied().summary(), @"Apply complete! Resources: 0 added, 1 changed, 0 destroyed.");
    assert_eq!(world.run("state mv ada byron --auto-approve").code, Some(0));
    world.edit("contacts.d/team.yaml", "ada:", "byron:");
    remote.take_sent();
    assert_eq!(world.run("pause").code, Some(0));
    let approval = world.run("approve 00000000000000000000000000000000");
    assert!(approval.stderr.contains("The service is paused"), "{approval}");
    assert_eq!(world.run("watch --once").code, Some(1));
    assert_snapshot!(world.run("resume"), @"
    Resumed. The service takes the state as soon as it is free, and checks everything.
    [exit 0]
    ");
    world.edit("contacts.d/team.yaml", "Director", "Captain");
    watching.wait_for(COMPLETE);
    assert_eq!(remote.take_calls(), ["PATCH /contacts/[ID] title"]);
    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
}

#[test]
fn a_pause_outlives_the_service_that_was_killed() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    assert_eq!(world.run("pause").code, Some(0));
    watching.signal(Signal::KILL);
    watching.finish();
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    let mut watching = world.start("watch");
    watching.wait_for("Paused since");
    assert_eq!(world.run("resume").code, Some(0));
    watching.wait_for(COMPLETE);
    watching.signal(Signal::KILL);
    watching.finish();
    // A pause without a service to take it back.
    world.write(".contactsd/contacts.d/state/paused", "{\"since\": 0}");
    assert_snapshot!(world.run("resume"), @"
    No service is running. The pause is over: the next service starts its work at once.
    [exit 0]
    ");
    assert_eq!(world.run("watch --once").code, Some(0));
}

#[test]
fn without_a_service_there_is_nobody_to_tell() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    assert_snapshot!(world.run("pause"), @"
    [stderr]
    Error: No service is running for the state .contactsd/contacts.d/state

    There is nothing to pause: other commands can already write the state. To start a service, run
    `contactsd watch --api-url http://127.0.0.1:[PORT]/api/v1`.
    [exit 1]
    ");
    assert_snapshot!(world.run("resume"), @"
    [stderr]
    Error: No service is running for the state .contactsd/contacts.d/state

    There is nothing to resume. To start a service, run `contactsd watch --api-url
    http://127.0.0.1:[PORT]/api/v1`.
    [exit 1]
    ");
    assert_snapshot!(world.run("approve 00000000000000000000000000000000"), @"
    [stderr]
    Error: No service is running for the state .contactsd/contacts.d/state

    There is nothing to approve. To start a service, run `contactsd watch --api-url
    http://127.0.0.1:[PORT]/api/v1`.
    [exit 1]
    ");
    assert_eq!(world.run("approve nonsense").code, Some(1));
}

#[test]
fn one_service_at_a_time_keeps_a_state() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    assert_eq!(world.run("pause").code, Some(0));
    let second = world.run("watch");
    assert_eq!(second.code, Some(1), "{second}");
    assert!(second.stderr.contains("Operation: watch"), "{second}");
}

#[test]
fn the_plan_that_was_shown_is_let_through_and_another_is_not() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..3)).against(&remote);
    let mut watching = world.start("watch --max-creates 2");
    let shown = watching.wait_for("To apply exactly this plan");
    let digest = shown.split("approve ").nth(1).unwrap()[..32].to_owned();
    assert!(world.run("plan").stdout.contains(&digest), "plan shows the same digest");
    let moved = world.run("approve 00000000000000000000000000000000");
    assert_eq!(moved.code, Some(1));
    assert!(moved.stderr.contains(&digest) && moved.stderr.contains(&"0".repeat(32)), "{moved}");
    assert_eq!(remote.contacts().len(), 0);
    assert_snapshot!(world.run(&format!("approve {digest}")), @"
    Approved: 3 to add, 0 to change, 0 to forget. The service applies exactly this plan.
    [exit 0]
    ");
    watching.wait_for(COMPLETE);
    assert_eq!(remote.contacts().len(), 3);
    assert_eq!(world.run(&format!("approve {digest}")).code, Some(1));
}

#[test]
fn a_mistake_that_is_taken_back_while_quota_is_used_up_stops_at_once() {
    let remote = Remote::with(|options| options.quota = "5/m".parse().unwrap());
    let world = World::with(&numbered(0..1)).against(&remote).one_by_one();
    let mut watching = world.start("watch --max-creates 100000");
    watching.wait_for(COMPLETE);
    world.write("contacts.d/mistake.yaml", &numbered(1000..21_000));
    watching.wait_for("The search quota opens again in");
    assert_eq!(remote.contacts().len(), 5);
    fs::remove_file(world.path("contacts.d/mistake.yaml")).unwrap();
    watching.wait_for("No longer in the files: 4 contacts");
    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
    assert_eq!(remote.contacts().len(), 5);
}

#[test]
fn a_change_in_the_middle_of_a_pass_stops_what_was_not_begun() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..15)).against(&remote).one_by_one();
    remote.tap.hold_after(3);
    let mut watching = world.start("watch --parallelism 2");
    remote.tap.wait_until_held(2);
    world.team(&numbered(0..2));
    watching.wait_for("Something changed");
    remote.tap.release();
    watching.wait_for("No longer in the files: 3 contacts");
    assert_eq!(remote.contacts().len(), 5);
    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
}

#[test]
fn an_entry_that_fails_is_tried_again_and_holds_up_nobody() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.write("contacts.d/cy.yaml", "contacts:\n  cy: {apollo_id: 66f0c1e2a3b4c5d6e7f80912}\n");
    let mut watching = world.start("watch");
    watching.wait_for("What failed is tried again");
    assert_eq!(remote.contacts().len(), 2);
    watching.wait_for("contact.cy: Importing...");
    watching.wait_for("What failed is tried again");
    world.write("contacts.d/cy.yaml", "contacts:\n  cy: {email: cy@example.com}\n");
    watching.wait_for("contact.cy: Creation complete");
    assert_eq!(remote.contacts().len(), 3);
}

#[test]
fn a_new_key_is_taken_without_a_restart_and_a_bad_one_refused() {
    let remote = Remote::with(|options| options.api_keys = vec![KEY.to_owned()]);
    let mut world = World::with(TEAM).against(&remote);
    world.unset("APOLLO_API_KEY");
    world.write("key", "not-this-one");
    let path = world.path("key").display().to_string();
    world.set("APOLLO_API_KEY_FILE", &path);
    let mut watching = world.start("watch");
    watching.wait_for("Plan: 2 to add");
    world.write("key", KEY);
    watching.signal(Signal::HUP);
    watching.wait_for(COMPLETE);
    world.write("key", "nor-this");
    watching.signal(Signal::HUP);
    watching.wait_for("The credential has changed");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    watching.wait_for(COMPLETE);
    watching.signal(Signal::TERM);
    let outcome = watching.finish();
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stderr.contains("The new credential was not accepted"), "{outcome}");
    for key in [KEY, "not-this-one", "nor-this"] {
        assert!(!outcome.to_string().contains(key), "{outcome}");
    }
}

#[test]
fn a_supervisor_hears_that_the_service_is_ready_alive_reloading_and_stopping() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    let socket = UnixDatagram::bind(world.path("notify.sock")).unwrap();
    let path = world.path("notify.sock").display().to_string();
    world.set("NOTIFY_SOCKET", &path);
    world.set("WATCHDOG_USEC", "200000");
    let mut unheard = Vec::new();
    let mut heard = |what: &str| {
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = unheard.iter().position(|text: &String| text.contains(what)) {
                return unheard.remove(at);
            }
            let length = socket.recv(&mut buffer).unwrap();
            unheard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
    };
    let mut watching = world.start("watch");
    heard("READY=1");
    heard("WATCHDOG=1");
    watching.wait_for(COMPLETE);
    heard("STATUS=Apply complete! Resources: 2 added");
    watching.signal(Signal::HUP);
    assert!(heard("RELOADING=1").contains("MONOTONIC_USEC="));
    heard("READY=1");
    watching.signal(Signal::TERM);
    heard("STOPPING=1");
    assert_eq!(watching.finish().code, Some(0));
}

#[test]
fn a_state_inside_the_directory_calls_for_no_pass() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch --state contacts.d/state");
    watching.wait_for(COMPLETE);
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    watching.wait_for(COMPLETE);
    watching.signal(Signal::TERM);
    let outcome = watching.finish();
    assert!(outcome.stdout.contains("Watch ended after 2 passes"), "{}", outcome.stdout);
}

/// The socket was gone for good, and `pause` said that there was nothing to pause.
#[test]
fn a_service_whose_directory_was_removed_can_be_asked_again() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    // At once: it is waited for.
    assert_snapshot!(world.run("pause"), @"
    Paused. What was under way is recorded, and other commands can write the state now.
    The service stays paused, even after a restart, until you run `contactsd resume --api-url http://127.0.0.1:[PORT]/api/v1`.
    [exit 0]
    ");
    let status = world.run("status");
    assert!(status.stdout.contains("Not ready: paused since"), "{status}");
    assert_eq!(fs::read_to_string(world.path(".contactsd/.gitignore")).unwrap(), "*\n");
    let second = world.run("watch");
    assert!(second.stderr.contains("Operation: watch"), "{second}");
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    watching.wait_for("has locked its place again");
    let paused = world.run("pause");
    assert!(paused.stdout.contains("Already paused, since"), "{paused}");
    assert_eq!(world.run("resume").code, Some(0));
    watching.wait_for("Resumed.");
    watching.wait_for(COMPLETE);
    assert_eq!(remote.contacts().len(), 2, "found again by their e-mail");
    watching.signal(Signal::TERM);
    let outcome = watching.finish();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    world.applied().is_clean();
}

#[test]
fn a_service_that_answers_nowhere_is_not_said_to_be_none() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    // Nothing can be made in the place of the socket.
    fs::create_dir_all(world.path(".contactsd/contacts.d/state")).unwrap();
    fs::create_dir(world.path(".contactsd/contacts.d/state/watch.sock")).unwrap();
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    for verb in ["pause", "status"] {
        let outcome = world.run(verb);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.stderr.contains("Cannot reach the service"), "{outcome}");
        assert!(outcome.stderr.contains("keeps this state in step and answers at no socket"), "{outcome}");
    }
    fs::remove_dir(world.path(".contactsd/contacts.d/state/watch.sock")).unwrap();
    watching.wait_for("Other commands can reach the service again");
    assert_eq!(world.run("pause").code, Some(0));
}
