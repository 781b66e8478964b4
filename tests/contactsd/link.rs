//! Reading beside writing: what `plan` and `state` see while another process has the state open.

use std::fs;

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::support::{Remote, World};

const SOCKET: &str = ".contactsd/contacts.d/state/link.sock";
const HOLDER: &str = ".contactsd/contacts.d/state/holder.json";

fn forty() -> String {
    let entry = |number| format!("  p{number:02}: {{email: p{number:02}@example.com}}\n");
    format!("contacts:\n{}", (0..40).map(entry).collect::<String>())
}

/// Holds an apply of forty when five are done and three under way; `start` starts it.
fn hold_apply<T>(remote: &Remote, start: impl FnOnce() -> T) -> T {
    remote.tap.hold_after(5);
    let running = start();
    remote.tap.wait_until_held(3);
    running
}

/// Reads what the process that has the state open says about itself.
fn holder(world: &World) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(world.path(HOLDER)).unwrap()).unwrap()
}

/// Stops the writer, and returns when it stands still.
fn stop_writer(world: &World) {
    let pid = holder(world)["pid"].as_i64().unwrap();
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED).unwrap();
}

const APPLY: &str = "apply --auto-approve --parallelism 3";

#[test]
fn a_plan_beside_an_apply_shows_what_is_neither_done_nor_under_way() {
    let remote = Remote::start();
    let world = World::with(&forty()).against(&remote).one_by_one();
    let running = hold_apply(&remote, || world.start(APPLY));
    let plan = world.run("plan");
    assert_eq!(plan.code, Some(0), "{plan}");
    assert_eq!(plan.stderr, "");
    assert_snapshot!(plan.to_string().lines().next().unwrap(), @"3 contacts are being applied by 'apply' (process [PID]) right now.");
    assert_snapshot!(plan.line("Plan:"), @"Plan: 32 to add, 0 to change, 0 to destroy.");
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(2));
    assert_eq!(plan.to_string(), world.run("plan").to_string());
    let list = world.run("state list");
    assert_eq!(list.stdout.lines().count(), 5, "{list}");
    let first = list.stdout.lines().next().unwrap();
    assert_eq!(world.run(&format!("state show {first}")).code, Some(0));
    remote.tap.release();
    let applied = running.finish();
    assert_snapshot!(applied.summary(), @"Apply complete! Resources: 40 added, 0 changed, 0 destroyed.");
    world.run("plan").is_clean();
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(0));
}

#[test]
fn a_plan_with_nothing_but_what_is_under_way_does_not_say_that_all_is_done() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&remote);
    // The first answer says that many may be created in one request.
    remote.tap.hold_after(1);
    let running = world.start(APPLY);
    remote.tap.wait_until_held(1);
    let plan = world.run("plan --detailed-exitcode");
    assert_snapshot!(plan, @"
    1 contact is being applied by 'apply' (process [PID]) right now. There is nothing else to change.
    [exit 2]
    ");
    remote.tap.release();
    running.finish();
}

#[test]
fn plans_made_at_the_same_time_all_succeed() {
    let remote = Remote::start();
    let world = World::with(&forty()).against(&remote).one_by_one();
    world.applied();
    let plans: Vec<_> = (0..8).map(|_| world.start("plan")).collect();
    for plan in plans {
        plan.finish().is_clean();
    }
}

#[test]
fn a_second_apply_fails_and_names_the_first() {
    let remote = Remote::start();
    let world = World::with(&forty()).against(&remote).one_by_one();
    let running = hold_apply(&remote, || world.start(APPLY));
    let second = world.apply();
    let holder = holder(&world);
    let who = format!("Who:       {} (process {})", holder["user_host"].as_str().unwrap(), holder["pid"]);
    assert!(who.contains("ada@") && second.stderr.contains(&who), "{second}");
    assert_snapshot!(second, @"
    [stderr]
    Error: Another process is using the state

    Lock Info:
      Path:      .contactsd/contacts.d/state
      Operation: apply
      Who:       ada@[HOST] (process [PID])
      Version:   0.1.0
      Created:   [TIME]

    Nothing was changed. Try again when that process is done, or wait for it with --lock-timeout.
    [exit 1]
    ");
    assert!(holder["socket"].as_str().unwrap().ends_with(SOCKET), "{holder}");
    remote.tap.release();
    assert_eq!(running.finish().code, Some(0));
    assert!(!world.path(HOLDER).exists() && !world.path(SOCKET).exists());
}

#[test]
fn with_a_lock_timeout_the_second_waits_and_then_runs() {
    let remote = Remote::start();
    let world = World::with(&forty()).against(&remote).one_by_one();
    let first = hold_apply(&remote, || world.start(APPLY));
    let mut second = world.start("apply --auto-approve --lock-timeout 10m");
    second.wait_for("Acquiring state lock. This may take a few moments...");
    remote.tap.release();
    assert_eq!(first.finish().code, Some(0));
    second.finish().is_clean();
}

#[test]
fn a_stopped_writer_is_named_and_not_waited_for() {
    let remote = Remote::start();
    let world = World::with(&forty()).against(&remote).one_by_one();
    let running = hold_apply(&remote, || world.start(APPLY));
    stop_writer(&world);
    for verb in ["plan", "state list"] {
        let reader = world.run(&format!("{verb} --answer-timeout 100ms"));
        assert_eq!(reader.code, Some(1), "{reader}");
        assert!(reader.stderr.contains("Operation: apply"), "{reader}");
        assert!(reader.stderr.contains("did not answer within 1s"), "{reader}");
    }
    running.signal(Signal::CONT);
    assert_eq!(world.run("plan").code, Some(0));
    remote.tap.release();
    assert_eq!(running.finish().code, Some(0));
}

#[test]
fn a_killed_writer_leaves_nothing_to_clean_up() {
    let remote = Remote::start();
    let world = World::with(&forty()).against(&remote).one_by_one();
    for _ in 0..2 {
        let running = hold_apply(&remote, || world.start(APPLY));
        running.signal(Signal::KILL);
        running.finish();
        remote.tap.release();
        assert!(world.path(HOLDER).exists() && world.path(SOCKET).exists(), "what it leaves is looked past");
        let plan = world.run("plan");
        assert_eq!(plan.code, Some(0), "{plan}");
        assert!(plan.stdout.contains("outcome of an earlier create is unknown"), "{plan}");
        assert!(!plan.stdout.contains("right now"), "{plan}");
    }
    world.applied();
    assert_eq!(remote.contacts().len(), 40);
    assert!(!world.path(HOLDER).exists() && !world.path(SOCKET).exists());
    world.run("plan").is_clean();
}

#[test]
fn a_state_with_a_long_path_is_read_beside_its_writer_too() {
    let remote = Remote::start();
    let mut world = World::with(&forty()).against(&remote).one_by_one();
    let state = format!("deep/{}/state", "d".repeat(120));
    let runtime = world.path("run");
    fs::create_dir(&runtime).unwrap();
    world.set_mode("run", 0o700);
    world.set("XDG_RUNTIME_DIR", runtime.to_str().unwrap());
    let apply = format!("{APPLY} --state {state}");
    let running = hold_apply(&remote, || world.start(&apply));
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 1);
    let plan = world.run(&format!("plan --state {state}"));
    assert_snapshot!(plan.line("Plan:"), @"Plan: 32 to add, 0 to change, 0 to destroy.");
    remote.tap.release();
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0);
}

#[test]
fn a_watch_is_read_between_its_passes_and_what_it_left_in_doubt_shows() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&remote);
    let mut running = world.start("watch --resync 1h");
    running.wait_for("Apply complete!");
    world.run("plan").is_clean();
    remote.set_faults("bulk-create:lost-reply=1");
    world.team("contacts:\n  ada: {email: ada@example.com}\n  bob: {email: bob@example.com}\n");
    running.wait_for("Apply incomplete");
    let plan = world.run("plan");
    assert!(plan.stdout.contains("outcome of an earlier create is unknown"), "{plan}");
    assert!(!plan.stdout.contains("right now"), "{plan}");
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code, Some(0));
}
