//! The copy of the state: what is damaged comes back by it, and whoever may not write reads it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use insta::assert_snapshot;

use crate::json::records;
use crate::kill::has_each_once;
use crate::schemas::keeps_to;
use crate::support::{Outcome, Remote, World, numbered};

const STATE: &str = ".contactsd/contacts.d/state";

fn state(world: &World, name: &str) -> PathBuf {
    world.path(STATE).join(name)
}

fn aside(world: &World) -> Vec<String> {
    let names = fs::read_dir(world.path(STATE)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".aside-")).collect()
}

/// Leaves out the numbers of commits: how many batches there are depends on what is ready at the same time.
fn uncounted(outcome: &Outcome) -> String {
    let mut before = String::new();
    let words = outcome.to_string().split_inclusive([' ', '\n']).map(str::to_owned).collect::<Vec<_>>();
    let uncounted = words.into_iter().map(|word| {
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        let counts = ["commit", "commits", "to", "last"].contains(&before.trim_end());
        before.clone_from(&word);
        if is_number && counts { format!("[N]{}", word.trim_start_matches(|c: char| c.is_ascii_digit())) } else { word }
    });
    timeless(&uncounted.collect::<String>())
}

/// Leaves out the times in names.
fn timeless(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(".aside-") {
        out += before;
        out += ".aside-[TIME]";
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == 'T' || c == 'Z' || c == '-');
    }
    out + rest
}

/// What a command warned of.
fn warning(outcome: &Outcome) -> String {
    timeless(outcome.to_string().split_once("[stderr]").unwrap().1)
}

/// What can happen to sled's files.
type Damage = (&'static str, fn(&World));

const DAMAGES: [Damage; 5] = [
    ("removed", |world| fs::remove_dir_all(state(world, "sled")).unwrap()),
    ("no log", |world| fs::remove_file(state(world, "sled/db")).unwrap()),
    ("zeroed", |world| {
        let db = state(world, "sled/db");
        fs::write(&db, vec![0; usize::try_from(fs::metadata(&db).unwrap().len()).unwrap()]).unwrap();
    }),
    ("cut", |world| {
        // All of it is in the first segment, which is longer.
        fs::OpenOptions::new().write(true).open(state(world, "sled/db")).unwrap().set_len(300).unwrap();
    }),
    ("flipped", |world| {
        let mut bytes = fs::read(state(world, "sled/db")).unwrap();
        bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x55);
        fs::write(state(world, "sled/db"), bytes).unwrap();
    }),
];

#[test]
fn a_damaged_database_is_built_again_by_the_next_command_that_writes_which_says_so_once() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..12)).against(&remote);
    world.applied();
    for (number, (what, damage)) in DAMAGES.into_iter().enumerate() {
        damage(&world);
        world.edit("contacts.d/team.yaml", &format!("p{number}@"), &format!("p{number}.new@"));
        let plan = world.run("plan");
        assert_eq!((plan.code, plan.line("Plan:")), (Some(0), "Plan: 0 to add, 1 to change, 0 to destroy."), "{what}");
        assert!(
            plan.stderr.contains("The database of the state cannot be read, so its copy was read"),
            "{what}\n{plan}"
        );
        remote.take_calls();
        let outcome = world.applied();
        let said = "Warning: The database of the state was damaged and was built again from its copy";
        assert_eq!(outcome.stderr.matches(said).count(), 1, "{what}\n{outcome}");
        assert!(outcome.stderr.contains("Nothing is lost."), "{what}\n{outcome}");
        has_each_once(&remote, 12);
        let next = world.applied();
        next.is_clean();
        assert_eq!(next.stderr, "", "{what}");
        assert_eq!(world.run("state check").code, Some(0), "{what}");
    }
    assert_eq!(aside(&world).len(), 4, "one was gone");
    let cleaned = world.run("state clean --auto-approve");
    assert_eq!((cleaned.code, aside(&world).len()), (Some(0), 0), "{cleaned}");
    world.applied().is_clean();
}

#[test]
fn what_is_said_of_a_damaged_database_is_what_was_done() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..3)).against(&remote);
    world.applied();
    fs::remove_file(state(&world, "sled/db")).unwrap();
    assert_snapshot!(world.run("state check"), @"
    The state .contactsd/contacts.d/state has problems (3 contacts, serial 3):

      - The database cannot be used: its sled/db is gone.

    The next command that writes the state, such as apply, brings the database back from its copy.
    [exit 1]
    ");
    assert_snapshot!(world.run("state list"), @"
    contact.p0
    contact.p1
    contact.p2
    [stderr]
    Warning: The database of the state cannot be read, so its copy was read

    What was wrong: its sled/db is gone.
    The copy holds all that was recorded. If the database is damaged, the next command that writes
    builds it again. `contactsd state check --api-url http://127.0.0.1:[PORT]/api/v1` shows more.
    [exit 0]
    ");
    assert_snapshot!(warning(&world.run("state mv p0 q0 --auto-approve")), @"

    Warning: The database of the state was damaged and was built again from its copy

    What was wrong: its sled/db is gone. Nothing is lost. The damaged one is kept at
    .contactsd/contacts.d/state/sled.aside-[TIME]; `state clean` removes it. If this happens
    again, check the disk.
    [exit 0]
    ");
    assert_snapshot!(world.run("state check"), @"
    The state .contactsd/contacts.d/state is complete: 3 contacts, serial 4. Database, copy, index and contact files agree.
    1 earlier damaged part is kept beside it; `contactsd state clean --api-url http://127.0.0.1:[PORT]/api/v1` removes it.
    [exit 0]
    ");
    let json = world.run("state check --json");
    keeps_to("state-check", &json.stdout);
    assert_eq!(records(&json.stdout)[0]["set_aside"].as_array().unwrap().len(), 1);
    let unapproved = world.run("state clean");
    assert!(unapproved.stderr.contains("Cannot ask for approval"), "{unapproved}");
    let listed = world.run("state clean --json --auto-approve");
    keeps_to("events", &listed.stdout);
    assert_snapshot!(world.run("state clean --auto-approve"), @"
    No changes. There are no damaged parts to remove.
    [exit 0]
    ");
    fs::write(state(&world, "copy.jsonl"), "{}\n").unwrap();
    assert_snapshot!(world.run("state check"), @"
    The state .contactsd/contacts.d/state has problems (3 contacts, serial 4):

      - The copy is damaged: line 1: it is not the first line of a pulled state.

    The next command that writes the state, such as apply, writes the copy again.
    [exit 1]
    ");
    assert_snapshot!(warning(&world.run("state mv q0 p0 --auto-approve")), @"

    Warning: The copy of the state was damaged and was written again from its database

    What was wrong: line 1 of copy.jsonl: it is not the first line of a pulled state. Nothing is lost.
    If this happens again, check the disk.
    [exit 0]
    ");
    assert_snapshot!(world.run("state check"), @"
    The state .contactsd/contacts.d/state is complete: 3 contacts, serial 5. Database, copy, index and contact files agree.
    [exit 0]
    ");
}

#[test]
fn what_is_lost_for_good_is_shown_and_saved_once_that_is_approved() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..3)).against(&remote);
    world.applied();
    let earlier = fs::read(state(&world, "copy.jsonl")).unwrap();
    world.team(&numbered(0..5));
    world.applied();
    fs::write(state(&world, "copy.jsonl"), earlier).unwrap();
    fs::remove_dir_all(state(&world, "sled")).unwrap();
    remote.take_calls();
    for verb in ["plan", "apply --auto-approve", "state list", "watch --once"] {
        let outcome = world.run(verb);
        assert_eq!(outcome.code, Some(1), "{verb}\n{outcome}");
        let said = outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("contactsd state recover"), "{verb}\n{outcome}");
    }
    assert_eq!(remote.take_calls(), [""; 0]);
    assert_snapshot!(uncounted(&world.run("state check")), @"
    The state .contactsd/contacts.d/state has problems (3 contacts, serial 3):

      - The database cannot be used: its sled/db is gone.
      - The copy lacks the last [N] commits.

    `contactsd state recover --api-url http://127.0.0.1:[PORT]/api/v1` shows what is left, and asks before it changes anything.
    [exit 1]
    ");
    assert!(world.run("state recover").stderr.contains("Cannot ask for approval"));
    let declined = world.run_at_terminal("state recover", "no\n");
    assert_eq!(declined.code, Some(1), "{declined}");
    assert!(!state(&world, "sled").exists() && aside(&world).is_empty());
    assert_snapshot!(uncounted(&world.run("state recover --auto-approve")), @"
    The state .contactsd/contacts.d/state has lost something.

      it had come to: commit [N], serial 5, 5 contacts
      its database:   cannot be used: its sled/db is gone
      its copy:       commit [N], serial 3, 3 contacts

    It will be built again from its copy. What is there now is kept beside it.
    Lost is what was recorded in commits [N] to [N], 2 contacts fewer than there were.
    The next apply looks for the contacts that are missing before it creates any.
    Those that it does not recognize by their e-mail wait for you.
    It will manage 3 contacts: p0, p1, p2.

    The state now manages 3 contacts, at serial 6. The earlier files are kept:
      .contactsd/contacts.d/state/copy.jsonl.aside-[TIME]
    [exit 0]
    ");
    let again = world.run("state recover --json --auto-approve");
    keeps_to("events", &again.stdout);
    assert_eq!(records(&again.stdout).last().unwrap()["recovery"]["outcome"], "unchanged", "{again}");
    // Whom the state forgot is found by their e-mail.
    let outcome = world.applied();
    assert!(outcome.summary().contains("2 imported") || outcome.stdout.contains("import"), "{outcome}");
    has_each_once(&remote, 5);
    world.applied().is_clean();
}

#[test]
fn a_pull_needs_no_writer_to_stop_and_shows_what_is_recorded() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..20)).against(&remote).one_by_one();
    remote.tap.hold_after(8);
    let running = world.start("apply --auto-approve");
    remote.tap.wait_until_held(1);
    let pulled = world.run("state pull");
    assert_eq!((pulled.code, pulled.stderr.as_str()), (Some(0), ""), "{pulled}");
    keeps_to("state-pull", &pulled.stdout);
    assert!(pulled.stdout.contains("\"i/"), "requests are under way: {pulled}");
    remote.tap.release();
    assert_eq!(running.finish().code, Some(0));
    let after = world.run("state pull").stdout;
    assert_eq!((after.matches("\"b/p").count(), after.contains("\"i/")), (20, false));
    assert!(!after.contains("\"checksum\":\"\"") && after.ends_with("\"}\n"));
}

/// Runs verbs where the state cannot be written to: `prepare` makes it so, in a mount namespace of its own.
fn run_mounted(world: &World, remote: &Remote, prepare: &str, line: &str) -> Option<Outcome> {
    let state = world.path(STATE).canonicalize().unwrap().display().to_string();
    let variables = BTreeMap::from([
        ("STATE".to_owned(), state),
        ("CONTACTSD_API_URL".to_owned(), remote.url()),
        ("PROGRAM".to_owned(), env!("CARGO_BIN_EXE_contactsd").to_owned()),
        ("PATH".to_owned(), "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
    ]);
    let script =
        format!("unshare -m bash -euc '{prepare}' || exit 77; unshare -m bash -euc '{prepare}; exec $PROGRAM {line}'");
    let outcome = world.run_script(&script, &variables);
    if outcome.code == Some(77) {
        let text = format!("SKIPPED: reading a state that cannot be written to: {}\n", outcome.stderr);
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return None;
    }
    Some(outcome)
}

const READ_ONLY: &str = "mount --bind \"$STATE\" \"$STATE\"; mount -o remount,ro,bind \"$STATE\"";
/// All of it in memory, with no room left.
const FULL: &str = "mkdir -p \"$STATE.full\"; mount -t tmpfs -o size=4m tmpfs \"$STATE.full\"; \
                    cp -a \"$STATE/.\" \"$STATE.full/\"; dd if=/dev/zero of=\"$STATE.full/filler\" bs=4k 2>/dev/null || true; \
                    mount --move \"$STATE.full\" \"$STATE\"";

#[test]
fn a_state_on_a_read_only_mount_or_a_full_disk_is_read_from_its_copy() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..12)).against(&remote);
    world.applied();
    for (what, prepare) in [("read-only", READ_ONLY), ("full", FULL)] {
        for damaged in [false, true] {
            world.applied();
            if damaged {
                fs::remove_file(state(&world, "sled/db")).unwrap();
            }
            fs::remove_file(state(&world, "index")).unwrap();
            for (verb, lines) in
                [("plan", 1), ("status", 1), ("state list", 12), ("state show p3", 3), ("state pull", 14), ("show", 12)]
            {
                let Some(outcome) = run_mounted(&world, &remote, prepare, verb) else { return };
                assert_eq!(outcome.code, Some(0), "{what} {verb}\n{outcome}");
                assert!(outcome.stdout.lines().count() >= lines, "{what} {verb}\n{outcome}");
                assert!(verb != "plan" || outcome.stdout.contains("No changes."), "{what}\n{outcome}");
            }
            let Some(outcome) = run_mounted(&world, &remote, prepare, "state rm p3 --auto-approve") else { return };
            assert_eq!(outcome.code, Some(1), "{what}\n{outcome}");
        }
    }
    has_each_once(&remote, 12);
}

#[cfg(feature = "failpoints")]
#[test]
fn a_kill_at_any_step_of_opening_committing_writing_the_copy_and_building_again_loses_nothing() {
    use contactsd::failpoints::Step;
    let damages = [("nothing", None), ("sled", Some("sled")), ("copy", Some("copy.jsonl"))];
    let steps = [
        Step::StateBegun,
        Step::StateMade,
        Step::BeforeBatch,
        Step::IndexMarked,
        Step::CopyAppended,
        Step::BeforeBarrier,
        Step::AfterBarrier,
        Step::HeadWritten,
        Step::CopyWritten,
        Step::CopyReplaced,
        Step::RolledForward,
        Step::DamagedAside,
        Step::PushLoaded,
        Step::PushArrived,
        Step::PushReplaced,
        Step::BeforeClose,
    ];
    let mut kills = BTreeMap::<&str, u32>::new();
    for (what, lost) in damages {
        for step in steps {
            for time in 1..4 {
                let remote = Remote::start();
                let mut world = World::with(&numbered(0..3)).against(&remote);
                if lost.is_some() || step == Step::RolledForward {
                    world.applied();
                }
                world.team(&numbered(0..5));
                if step == Step::RolledForward {
                    world.set("CONTACTSD_FAILPOINT", &format!("{}:{time}", Step::CopyAppended.name()));
                    world.apply();
                }
                match lost {
                    Some("sled") => fs::remove_dir_all(state(&world, "sled")).unwrap(),
                    Some(name) => fs::remove_file(state(&world, name)).unwrap(),
                    None => {}
                }
                world.set("CONTACTSD_FAILPOINT", &format!("{}:{time}", step.name()));
                let killed = world.apply();
                world.unset("CONTACTSD_FAILPOINT");
                let at = format!("without {what}, killed at {} {time}: {killed}", step.name());
                if killed.code == Some(0) {
                    break;
                }
                assert_eq!(killed.code, None, "{at}");
                *kills.entry(step.name()).or_default() += 1;
                // Whatever was lost before, sled may go now as well.
                if time % 2 == 0
                    && state(&world, "head").exists()
                    && state(&world, "copy.jsonl").exists()
                    && lost != Some("copy.jsonl")
                {
                    let _ = fs::remove_dir_all(state(&world, "sled"));
                }
                let next = world.apply();
                assert_eq!(next.code, Some(0), "{at}\n{next}");
                has_each_once(&remote, 5);
                world.applied().is_clean();
                assert_eq!(world.run("state check").code, Some(0), "{at}");
                assert_eq!(world.run("state list").stdout.lines().count(), 5, "{at}");
            }
        }
    }
    let missed: Vec<_> = steps.iter().filter(|step| !kills.contains_key(step.name())).collect();
    assert!(missed.is_empty(), "never passed: {missed:?}");
}
