//! `state pull` and `state push`: a state that is kept elsewhere, and comes back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use rustix::process::Signal;

use crate::json::records;
use crate::schemas::keeps_to;
use crate::support::{Remote, World, numbered};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";
const STATE: &str = ".contactsd/contacts.d/state";

/// Pulls into a file.
#[track_caller]
fn pull(world: &World, file: &str) -> String {
    let outcome = world.run("state pull");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome}");
    world.write(file, &outcome.stdout);
    outcome.stdout
}

#[track_caller]
fn succeeds(world: &World, line: &str) {
    let outcome = world.run(line);
    assert_eq!(outcome.code, Some(0), "{outcome}");
}

#[test]
fn a_state_that_was_lost_comes_back_by_a_push() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let text = pull(&world, "kept.jsonl");
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    remote.take_sent();
    let pushed = world.run("state push kept.jsonl --auto-approve");
    assert_eq!(pushed.code, Some(0), "{pushed}");
    let lineage = pushed.stdout.split("lineage ").nth(1).unwrap().split(',').next().unwrap();
    assert_snapshot!(pushed.stdout.replace(lineage, "[LINEAGE]"), @r"
    The state .contactsd/contacts.d/state will be replaced.

      now: none
      new: lineage [LINEAGE], serial 2, 2 managed

    The state now manages 2 contacts, at serial 2.
    ");
    world.run("plan").is_clean();
    assert_eq!(pull(&world, "again.jsonl"), text);
    assert_snapshot!(world.run("state push again.jsonl --auto-approve"), @r"
    No changes. The state already holds exactly this.
    [exit 0]
    ");
    world.applied().is_clean();
    assert_eq!(remote.take_calls(), [""; 0], "nothing is looked up or sent again");
}

#[test]
fn a_state_comes_in_by_stdin_where_nobody_is_asked() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let text = pull(&world, "kept.jsonl");
    fs::remove_dir_all(world.path(STATE)).unwrap();
    assert_snapshot!(world.run_with_input("state push -", &text), @r"
    [stderr]
    Error: Cannot ask for approval

    The state comes from stdin, so contactsd cannot ask. Add --auto-approve, or name a file.
    [exit 1]
    ");
    assert!(!world.path(STATE).exists());
    assert_eq!(world.run_with_input("state push - --auto-approve", &text).code, Some(0));
    world.run("plan").is_clean();
    let mode = fs::metadata(world.path(STATE).join("sled/db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_push_is_approved_first() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    pull(&world, "kept.jsonl");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    world.applied();
    let now = pull(&world, "now.jsonl");
    let unapproved = world.run("state push kept.jsonl --force");
    assert!(unapproved.stderr.contains("Cannot ask for approval"), "{unapproved}");
    let declined = world.run_at_terminal("state push kept.jsonl --force", "no\n");
    assert_eq!(declined.code, Some(1));
    assert!(declined.stdout.contains("Cancelled. Nothing was changed."), "{declined}");
    assert_eq!(pull(&world, "then.jsonl"), now);
    let approved = world.run_at_terminal("state push kept.jsonl --force", "yes\n");
    assert_eq!(approved.code, Some(0), "{approved}");
    let loss = "Forced: what is to be pushed is older, at serial 2; the state is at 3.\nWhat only the current state knows is lost";
    assert!(approved.stdout.contains(loss), "{approved}");
    assert_snapshot!(world.run("plan").line("Plan:"), @"Plan: 0 to add, 1 to change, 0 to destroy.");
}

#[test]
fn an_older_state_and_half_a_state_are_refused() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let text = pull(&world, "kept.jsonl");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    world.applied();
    let now = pull(&world, "now.jsonl");
    assert_snapshot!(world.run("state push kept.jsonl --auto-approve"), @"
    [stderr]
    Error: The state was not pushed

    the state .contactsd/contacts.d/state is not replaced: what is to be pushed is older, at serial 2;
    the state is at 3
    Nothing was changed. What was recorded after the copy was made would be lost. Contacts that were
    bound after it would be sent again, and those that Apollo cannot match would be created a second
    time. Requests in doubt and forgotten contacts would not be remembered. First save the state that
    is there (`contactsd state pull --api-url http://127.0.0.1:[PORT]/api/v1`). If the push is
    intended, use --force.
    [exit 1]
    ");
    // Cut in the middle of a row; where its rows end differs with what the quota was.
    let row = text.split_inclusive('\n').nth(3).unwrap();
    let cut = text.find(row).unwrap() + row.len() / 2;
    world.write("half.jsonl", &text[..cut]);
    assert_snapshot!(world.run("state push half.jsonl --auto-approve --force").errors(), @"

    Error: The state cannot be pushed

    what is to be pushed is not a pulled state: line 4: it is no row
    Nothing was changed. Pull the state again. A copy must not be edited.
    ");
    assert_snapshot!(world.run("state push nowhere.jsonl --auto-approve"), @r"
    [stderr]
    Error: Cannot read nowhere.jsonl

    No such file or directory (os error 2)
    [exit 1]
    ");
    assert_eq!(pull(&world, "then.jsonl"), now);
}

#[test]
fn there_is_nothing_to_pull_where_nothing_was_applied() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("state pull"), @r"
    [stderr]
    Error: There is no state .contactsd/contacts.d/state

    Nothing has been applied from here yet.
    [exit 1]
    ");
    assert!(!world.path(".contactsd").exists());
}

/// What is in doubt and what was forgotten travels as well.
#[test]
fn a_create_in_doubt_is_settled_from_a_pushed_state() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..3)).against(&remote).one_by_one();
    remote.set_faults("create:lost-reply=1");
    assert_eq!(world.apply().code, Some(1));
    remote.set_faults("");
    pull(&world, "kept.jsonl");
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    succeeds(&world, "state push kept.jsonl --auto-approve");
    let plan = world.run("plan");
    assert!(plan.stdout.contains("outcome of an earlier create is unknown"), "{plan}");
    world.applied();
    assert_eq!(remote.contacts().len(), 3);
}

/// Kills a push at each of its steps: the state is the old one or the new one, never another.
#[cfg(feature = "failpoints")]
#[test]
fn a_push_that_is_killed_leaves_the_old_state_or_the_new_one() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    world.applied();
    let old = pull(&world, "old.jsonl");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    world.applied();
    let new = pull(&world, "new.jsonl");
    for has_one in [true, false] {
        for (step, arrives) in [("push-loaded", false), ("push-arrived", true), ("push-replaced", true)] {
            fs::remove_dir_all(world.path(STATE)).unwrap();
            if has_one {
                succeeds(&world, "state push old.jsonl --auto-approve");
            }
            world.set("CONTACTSD_FAILPOINT", &format!("{step}:1"));
            let killed = world.run("state push new.jsonl --auto-approve");
            assert_eq!(killed.code, None, "killed at {step}: {killed}");
            world.unset("CONTACTSD_FAILPOINT");
            if !arrives && !has_one {
                assert_eq!(world.run("state pull").code, Some(1), "{step}");
                succeeds(&world, "state push new.jsonl --auto-approve");
            }
            let expected = if arrives || !has_one { &new } else { &old };
            assert_eq!(&pull(&world, "found.jsonl"), expected, "{step}");
        }
    }
}

/// The files are as they were when the index was written, and the index is of another state.
#[test]
fn an_index_says_nothing_of_a_state_that_was_pushed() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    world.applied();
    pull(&world, "old.jsonl");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(world.path("contacts.d/team.yaml")).unwrap().set_modified(long_ago).unwrap();
    world.applied();
    let now = pull(&world, "now.jsonl");
    let index = world.path(STATE).join("index");
    for killed_at in [None, Some("push-arrived:1"), Some("push-replaced:1")] {
        if killed_at.is_some() && cfg!(not(feature = "failpoints")) {
            continue;
        }
        world.run("plan").is_clean();
        assert!(index.exists() && !index.with_extension("behind").exists(), "the plan is made from the index");
        if let Some(step) = killed_at {
            world.set("CONTACTSD_FAILPOINT", step);
            assert_eq!(world.run("state push old.jsonl --force --auto-approve").code, None, "{step}");
            world.unset("CONTACTSD_FAILPOINT");
        } else {
            succeeds(&world, "state push old.jsonl --force --auto-approve");
            assert!(!index.exists());
        }
        assert_eq!(world.run("plan").line("Plan:"), "Plan: 0 to add, 1 to change, 0 to destroy.", "{killed_at:?}");
        succeeds(&world, "state push now.jsonl --auto-approve");
        assert_eq!(pull(&world, "then.jsonl"), now);
    }
}

/// The state would have ada changed again: that it is done says the mark alone.
#[test]
fn a_saved_plan_does_nothing_twice_from_a_pushed_state() {
    let remote = Remote::start();
    let world =
        World::with("contacts:\n  ada: {email: ada@example.com, title: Engineer}\n").against(&remote).one_by_one();
    world.applied();
    world.team("contacts:\n  ada: {email: ada@example.com, title: Director}\n  bo: {email: bo@example.com}\n");
    succeeds(&world, "plan --out team.plan");
    let id = remote.contact("email", "ada@example.com")["id"].as_str().unwrap().to_owned();
    let answer = serde_json::json!({"contact": {"id": id, "email": "bo@example.com"}});
    remote.tap.answer("bo@example.com", 200, &answer);
    assert_eq!(world.run("apply team.plan").code, Some(1));
    pull(&world, "kept.jsonl");
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    succeeds(&world, "state push kept.jsonl --auto-approve");
    remote.take_sent();
    let again = world.run("apply team.plan");
    assert_eq!(again.line("1 of"), "1 of the 2 actions in team.plan were done before.", "{again}");
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn a_state_is_not_pushed_beside_a_service_paused_or_not() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let text = pull(&world, "kept.jsonl");
    let mut watching = world.start("watch");
    watching.wait_for("No changes");
    assert_eq!(pull(&world, "beside.jsonl"), text, "a pull stops nobody");
    let refused = world.run("state push kept.jsonl --auto-approve --force");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert_eq!(world.run("pause").code, Some(0));
    let paused = world.run("state push kept.jsonl --auto-approve --force");
    assert_eq!(paused.stderr, refused.stderr, "a pause changes nothing for it");
    for part in ["is kept in step by `watch`, process", "Stop the service", "Pausing it is not enough"] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&paused.stderr).contains(&words(part)), "{part}: {paused}");
    }
    assert_eq!(pull(&world, "now.jsonl"), text);
    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
    assert_snapshot!(world.run("state push kept.jsonl --auto-approve"), @"
    No changes. The state already holds exactly this.
    [exit 0]
    ");
}

#[test]
fn programs_are_told_what_is_replaced_by_what() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let text = pull(&world, "kept.jsonl");
    assert_eq!(world.run("state pull --json").stdout, text, "it is JSON as it is");
    assert_eq!(world.run("state pull --json-into both.jsonl").stdout, text);
    assert_eq!(fs::read_to_string(world.path("both.jsonl")).unwrap(), text);
    keeps_to("state-pull", &text);
    let none = world.run("state pull --state nowhere --json");
    keeps_to("events", &none.stdout);
    assert_eq!(records(&none.stdout)[0]["diagnostic"]["summary"], "There is no state nowhere");
    assert!(world.run("state push kept.jsonl --json").stdout.contains("Cannot ask for approval"));
    let push = |world: &World| {
        let outcome = world.run("state push kept.jsonl --auto-approve --json");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome}");
        keeps_to("events", &outcome.stdout);
        records(&outcome.stdout).into_iter().skip(1).map(|record| record["push"].clone()).collect::<Vec<_>>()
    };
    let lineage = records(&text)[0]["lineage"].clone();
    let kept = serde_json::json!({"lineage": lineage, "serial": 2, "contacts": 2});
    let told = push(&world);
    assert_eq!(told, [serde_json::json!({"outcome": "unchanged", "current": kept, "pushed": kept})]);
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    let told = push(&world);
    let expected = ["planned", "replaced"];
    assert_eq!(told, expected.map(|how| serde_json::json!({"outcome": how, "current": null, "pushed": kept})));
}

#[test]
fn a_copy_that_does_not_fit_on_the_disk_is_a_failure() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let full = world.run_into("/dev/full", "state pull");
    assert_eq!(full.code, Some(1), "{full}");
    assert!(full.stderr.contains("Error: Cannot write to stdout"), "{full}");
    pull(&world, "kept.jsonl");
}

/// Everything about everybody, and what Apollo answered, which may hold what acts on a terminal.
#[test]
fn a_state_is_not_shown_on_a_terminal() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let refused = world.run_on_terminal("state pull");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused}");
    assert!(refused.stderr.contains("The state is not printed to a terminal"), "{refused}");
    let refused = world.run_on_terminal("state pull --json");
    assert_eq!((refused.code, refused.stdout.lines().count()), (Some(1), 1), "{refused}");
    assert!(!refused.stdout.contains("ada@example.com"), "{refused}");
}
