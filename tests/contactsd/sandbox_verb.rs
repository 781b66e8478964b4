//! `sandbox`: the stand-in as a server of its own, and behind `--sandbox`.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::World;

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com}\n  bo: {email: bo@example.com}\n";

#[test]
fn it_serves_until_interrupted() {
    for signal in [Signal::INT, Signal::TERM] {
        let world = World::with(TEAM);
        let mut serving = world.start("sandbox --listen 127.0.0.1:0");
        serving.wait_for("to end it");
        let applied = world.run("apply --sandbox --auto-approve");
        assert_eq!(applied.code, Some(0), "{applied}");
        serving.signal(signal);
        let outcome = serving.finish();
        assert_eq!(outcome.code, Some(0));
        if signal == Signal::INT {
            assert_snapshot!(outcome, @r"
            Sandbox: a stand-in for Apollo at http://127.0.0.1:[PORT]/api/v1
            Its contacts are kept in .contactsd/contacts.d/sandbox/data. It accepts the key in .contactsd/contacts.d/sandbox/data/key:
            APOLLO_API_KEY_FILE=.contactsd/contacts.d/sandbox/data/key contactsd apply --api-url http://127.0.0.1:[PORT]/api/v1
            Press Ctrl-C to end it.
            [exit 0]
            ");
        }
        world.run("apply --sandbox --auto-approve").is_clean();
    }
}

#[test]
fn it_answers_to_the_key_of_its_data_and_to_no_other() {
    let (place, mut world) = (World::new(), World::with(TEAM));
    let mut serving = place.start("sandbox --listen 127.0.0.1:0 --data people");
    let command = serving.wait_for("APOLLO_API_KEY_FILE=people/key");
    serving.wait_for("to end it");
    let (_, url) = command.trim_end().split_once("--api-url ").unwrap();
    let apply = format!("apply --auto-approve --api-url {url}");
    world.set("APOLLO_API_KEY", "sandbox");
    let refused = world.run(&apply);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("Invalid access credentials."), "{refused}");
    world.unset("APOLLO_API_KEY");
    let key_file = place.path("people/key");
    world.set("APOLLO_API_KEY_FILE", key_file.to_str().unwrap());
    let applied = world.run(&apply);
    assert_eq!(applied.code, Some(0), "{applied}");
    serving.signal(Signal::TERM);
    let served = serving.finish();
    let key = std::fs::read_to_string(key_file).unwrap();
    for outcome in [refused, applied, served] {
        assert!(!outcome.to_string().contains(key.trim_end()), "{outcome}");
    }
}

#[test]
fn a_second_owner_of_the_data_is_told_of_the_first() {
    let world = World::new();
    let mut first = world.start("sandbox --listen 127.0.0.1:0");
    first.wait_for("to end it");
    assert_snapshot!(world.run("sandbox --listen 127.0.0.1:0"), @r"
    [stderr]
    Error: The sandbox cannot run

    the sandbox's data is in use: process [PID] answers at http://127.0.0.1:[PORT]
    (.contactsd/contacts.d/sandbox/data/owner.json)
    [exit 1]
    ");
}

#[test]
fn it_listens_on_this_machine_only() {
    assert_snapshot!(World::new().run("sandbox --listen 0.0.0.0:0"), @r"
    [stderr]
    Error: The sandbox cannot run

    the sandbox listens on loopback only, and 0.0.0.0:0 is not a loopback address
    [exit 1]
    ");
}

#[test]
fn faults_and_quota_of_a_serving_sandbox_are_met_by_apply() {
    let world = World::with(TEAM);
    let mut serving = world.start("sandbox --listen 127.0.0.1:0 --quota 1/m --seed 7");
    serving.wait_for("to end it");
    let outcome = world.run("apply --sandbox --auto-approve --batch 1 --max-wait 0s");
    assert_eq!(outcome.code, Some(1));
    let summary = "Apply incomplete. Resources: 1 added, 0 changed, 0 destroyed. 0 failed, 1 remaining.";
    assert_eq!(outcome.summary(), summary);
    assert_eq!(world.run("sandbox --fault nonsense=1").code, Some(1));
    assert_snapshot!(world.run("sandbox --fault nonsense=1"), @r#"
    [stderr]
    Error: Invalid value 'nonsense=1' for '--fault <FAULTS>': "nonsense=1" is no fault: write [ACTION:]FAULT=PROBABILITY with a probability from 0 to 1 and a fault of lost-reply, cut-before, error-500, error-500-after, unavailable, page-before, page-after, refused-after-work, html-502, truncated, slow, stray-429, item-left-out, item-undone, item-ghost, slow-ms=MILLISECONDS or retry-after=SECONDS

    For more help on using this command, run:
      contactsd sandbox --help
    [exit 1]
    "#);
}

#[test]
fn a_key_that_may_not_do_everything_can_be_played() {
    let world = World::with(TEAM);
    let mut serving = world.start("sandbox --listen 127.0.0.1:0 --missing-scope create,bulk-create");
    serving.wait_for("to end it");
    let outcome = world.run("apply --sandbox --auto-approve");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("api/v1/contacts/create"), "{outcome}");
    let mistaken = world.run("sandbox --missing-scope everything");
    assert!(mistaken.stderr.contains("write one of create, bulk-create, update"), "{mistaken}");
}

#[test]
fn the_sandbox_never_mixes_with_the_real_thing() {
    let world = World::with(TEAM);
    world.run("apply --sandbox --auto-approve");
    assert_eq!(world.run("state list --sandbox").stdout.lines().count(), 2);
    assert_eq!(world.run("state list").stdout, "");
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(2));
}

#[test]
fn a_killed_apply_against_the_newcomers_sandbox_leaves_no_twins() {
    let world = World::new();
    crate::support::hundred_in_fifty_files(&world);
    let mut serving = world.start("sandbox --listen 127.0.0.1:0 --fault slow=1,slow-ms=50");
    serving.wait_for("to end it");
    let running = world.start("apply --sandbox --auto-approve --parallelism 5");
    let log = world.path(".contactsd/contacts.d/sandbox/data/log.jsonl");
    // Half-way by what the server has recorded.
    while std::fs::read_to_string(&log).unwrap().lines().count() < 30 {
        std::thread::yield_now();
    }
    running.signal(Signal::KILL);
    assert_eq!(running.finish().code, None);
    let next = world.run("apply --sandbox --auto-approve");
    assert_eq!(next.code, Some(0), "{next}");
    let log = std::fs::read_to_string(&log).unwrap();
    let changes = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let contacts: Vec<Value> = changes.filter_map(|change| change["contacts"].as_array().cloned()).flatten().collect();
    let distinct = |value: fn(&Value) -> &Value| contacts.iter().map(|c| value(c).to_string()).collect::<BTreeSet<_>>();
    assert_eq!(distinct(|contact| &contact["texts"]["email"]).len(), 100);
    assert_eq!(distinct(|contact| &contact["id"]).len(), 100);
}
