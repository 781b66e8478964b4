//! The disk fails, or the program is killed, while sled opens, writes and closes its files.
//!
//! strace makes single calls fail. Whatever fails, the program says so in its own words, exits as for any other
//! error, and the state is as good as before once the disk is.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Outcome, Remote, World, numbered};

const STATE: &str = ".contactsd/contacts.d/state";

/// What opens the state, each in a way of its own; the last two write.
const VERBS: [&str; 7] = [
    "plan",
    "status",
    "state list",
    "state show contact.p0",
    "state pull",
    "apply --auto-approve",
    "state rm contact.p0 --auto-approve",
];

/// Reports whether calls can be made to fail here; says so past the test harness if not.
fn can_fail(what: &str) -> bool {
    let mut probe = Command::new("strace");
    probe.args(["-qq", "-o", "/dev/null", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let can = probe.status().is_ok_and(|status| status.success());
    if !can {
        let text = format!("SKIPPED: {what}: strace is not there, or may not trace\n");
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
    can
}

/// A world whose contacts stand applied, and a copy of its state.
struct Kept {
    world: World,
    copy: tempfile::TempDir,
}

impl Kept {
    fn new(remote: &Remote) -> Self {
        let world = World::with(&numbered(0..12)).against(remote);
        world.applied();
        let kept = Self { world, copy: tempfile::tempdir().unwrap() };
        kept.keep();
        kept
    }

    fn keep(&self) {
        copy_tree(&self.world.path(STATE), self.copy.path());
    }

    /// Puts the state back as it was kept, without the index, so that everybody opens sled and reads all of it.
    fn restore(&self) {
        let state = self.world.path(STATE);
        fs::remove_dir_all(&state).unwrap();
        copy_tree(self.copy.path(), &state);
        fs::remove_file(state.join("index")).unwrap();
    }

    /// Names a file of the state as strace does.
    fn file(&self, name: &str) -> PathBuf {
        self.world.path(STATE).canonicalize().unwrap().join(name)
    }

    /// Checks that a command which met a failure said so in plain words.
    #[track_caller]
    fn told(outcome: &Outcome, what: &str) {
        assert_eq!(outcome.code, Some(1), "{what}\n{outcome}");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for word in ["panicked", "unwrap()", "Restore a backup"] {
            assert!(!said.contains(word), "{what}: {word}\n{outcome}");
        }
        assert!(outcome.stderr.contains("Error: "), "{what}\n{outcome}");
    }

    /// Checks that the state holds what it held.
    #[track_caller]
    fn stands(&self, what: &str) {
        let after = self.world.run("state list");
        assert_eq!((after.code, after.stdout.lines().count()), (Some(0), 12), "{what}\n{after}");
    }
}

/// Reports whether a command that only reads found no room and read the copy instead, which it says.
fn is_read_from_the_copy(verb: &str, fault: &str, outcome: &Outcome) -> bool {
    let reads = !["apply", "state rm", "watch"].iter().any(|writing| verb.starts_with(writing));
    reads && fault == "error=ENOSPC" && outcome.code == Some(0) && outcome.stderr.contains("so its copy was")
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Returns the name, in a state, of the one snapshot that sled has there.
fn snapshot(state: &Path) -> String {
    let mut names = fs::read_dir(state.join("sled")).unwrap().map(|entry| entry.unwrap().file_name());
    let name = names.find(|name| name.to_str().unwrap().starts_with("snap.")).unwrap();
    format!("sled/{}", name.to_str().unwrap())
}

/// sled took what it could not read for what was never written, and blanked it: `status` alone was enough.
#[test]
fn a_failed_read_is_told_and_blanks_nothing() {
    if !can_fail("failing reads") {
        return;
    }
    let remote = Remote::start();
    let kept = Kept::new(&remote);
    // The second opening leaves a snapshot.
    kept.stands("before");
    kept.keep();
    let snapshot = snapshot(kept.copy.path());
    // A pull reads the copy alone.
    for verb in VERBS.into_iter().filter(|verb| *verb != "state pull") {
        for file in ["sled/conf", &snapshot, "sled/db"] {
            let mut met = 0;
            for number in 1.. {
                kept.restore();
                // sled itself reads its log by other calls.
                let failed = kept.world.run_with_fault(verb, &kept.file(file), "read", "error=EIO", number);
                let Some(outcome) = failed else { break };
                let what = format!("{verb}: read {number} of {file}");
                Kept::told(&outcome, &what);
                assert!(outcome.stderr.contains("Input/output error"), "{what}\n{outcome}");
                kept.stands(&what);
                met += 1;
            }
            assert!(met > 0, "{verb} reads {file}");
        }
    }
}

/// A plan that finds one entry changed opens the state for a few rows.
#[test]
fn a_failed_read_at_a_partial_plan_blanks_nothing_either() {
    if !can_fail("failing reads of a partial plan") {
        return;
    }
    let remote = Remote::start();
    let kept = Kept::new(&remote);
    kept.world.edit("contacts.d/team.yaml", "p3@", "p3.new@");
    // The log is short: the head of its one segment, and the segment.
    for number in 1..=2 {
        let what = format!("read {number}");
        let failed = kept.world.run_with_fault("plan", &kept.file("sled/db"), "pread64", "error=EIO", number);
        let outcome = failed.unwrap();
        Kept::told(&outcome, &what);
        assert!(outcome.stderr.contains("Input/output error"), "{what}\n{outcome}");
        assert_eq!(kept.world.run("plan").line("Plan:"), "Plan: 0 to add, 1 to change, 0 to destroy.");
    }
    kept.stands("after");
}

/// A failing sync ended in a panic of sled's, exit 101.
#[test]
fn a_failed_sync_or_write_is_an_error_like_any_other() {
    if !can_fail("failing writes and syncs") {
        return;
    }
    let remote = Remote::start();
    let kept = Kept::new(&remote);
    for verb in VERBS.into_iter().chain(["watch --once"]) {
        let mut met = 0;
        for (file, calls, fault) in [
            ("sled/db", "fsync", "error=EIO"),
            ("sled/db", "fdatasync", "error=EIO"),
            ("sled/db", "sync_file_range", "error=EIO"),
            ("sled/db", "pwrite64", "error=ENOSPC"),
            ("head", "fdatasync", "error=EIO"),
            ("head", "pwrite64", "error=ENOSPC"),
        ] {
            for number in 1..4 {
                kept.restore();
                let titled = format!("title: {file} {calls} {number}}}\n");
                kept.world.team(&numbered(0..12).replace("}\n", &format!(", {titled}")));
                let failed = kept.world.run_with_fault(verb, &kept.file(file), calls, fault, number);
                let Some(outcome) = failed else { break };
                let what = format!("{verb}: {calls} {number} of {file}");
                if !is_read_from_the_copy(verb, fault, &outcome) {
                    Kept::told(&outcome, &what);
                }
                if verb.starts_with("state rm") {
                    assert_eq!(kept.world.run("state list").code, Some(0), "{what}");
                } else {
                    kept.stands(&what);
                }
                met += 1;
            }
        }
        assert!(met > 2 || verb == "state pull", "{verb} syncs");
    }
}

/// A state whose head could not be looked for was called damaged, with the advice to move it away.
#[test]
fn a_look_that_fails_is_told_and_not_taken_for_damage() {
    if !can_fail("failing looks at files") {
        return;
    }
    let remote = Remote::start();
    let kept = Kept::new(&remote);
    for verb in VERBS {
        let mut met = 0;
        // Files are looked for by their names in these.
        for directory in [kept.file("head"), kept.file("sled/db")] {
            let directory = directory.parent().unwrap();
            for number in 1.. {
                kept.restore();
                let failed = kept.world.run_with_fault(verb, directory, "newfstatat", "error=EIO", number);
                let Some(outcome) = failed else { break };
                let what = format!("{verb}: look {number} in {}", directory.display());
                // Without the index, which was being looked for, all is done as well.
                if outcome.code != Some(0) {
                    Kept::told(&outcome, &what);
                    assert!(outcome.stderr.contains("Input/output error"), "{what}\n{outcome}");
                    met += 1;
                }
                if verb.starts_with("state rm") {
                    assert_eq!(kept.world.run("state list").code, Some(0), "{what}");
                } else {
                    kept.stands(&what);
                }
            }
        }
        assert!(met > 2 || (met > 0 && verb == "state pull"), "{verb} looks");
    }
}

/// What had arrived was removed without a look at it, and the state was lost.
#[test]
fn a_look_that_fails_while_a_state_is_replaced_loses_neither_of_both() {
    if !can_fail("failing looks while a state is replaced") {
        return;
    }
    let remote = Remote::start();
    let kept = Kept::new(&remote);
    kept.world.write("pulled", &kept.world.run("state pull").stdout);
    assert_eq!(kept.world.run("state rm contact.p0 --auto-approve").code, Some(0));
    fs::remove_dir_all(kept.copy.path()).unwrap();
    kept.world.run("plan");
    kept.keep();
    let push = "state push pulled --auto-approve --force";
    let mut met = 0;
    for number in 1.. {
        kept.restore();
        let failed = kept.world.run_with_fault(push, &kept.file("arrived"), "newfstatat", "error=EIO", number);
        let Some(outcome) = failed else { break };
        Kept::told(&outcome, &format!("look {number}"));
        // Whoever comes next finishes what was decided.
        kept.stands(&format!("look {number}"));
        met += 1;
    }
    assert!(met > 1, "{met}");
}

/// What was begun stood in the way of every later command, for good.
#[test]
fn a_kill_or_a_full_disk_while_a_snapshot_is_written_costs_nothing() {
    if !can_fail("kills and full disks while a snapshot is written") {
        return;
    }
    let remote = Remote::start();
    let kept = Kept::new(&remote);
    kept.stands("before");
    // One that is opened in the same way makes the same.
    let begun = format!("{}.generating", snapshot(&kept.world.path(STATE)));
    let mut met = 0;
    for verb in ["plan", "status", "apply --auto-approve"] {
        for calls in ["write", "fsync", "rename"] {
            for fault in ["signal=KILL", "error=ENOSPC"] {
                for number in 1.. {
                    kept.restore();
                    let failed = kept.world.run_with_fault(verb, &kept.file(&begun), calls, fault, number);
                    let Some(outcome) = failed else { break };
                    let what = format!("{verb}: {fault} at {calls} {number}");
                    if fault.starts_with("error") && !is_read_from_the_copy(verb, fault, &outcome) {
                        Kept::told(&outcome, &what);
                        assert!(outcome.stderr.contains("No space left on device"), "{what}\n{outcome}");
                    }
                    let has_begun = kept.file(&begun).exists();
                    assert!(has_begun || calls == "rename", "{what}");
                    kept.stands(&what);
                    assert!(!kept.file(&begun).exists(), "{what}");
                    met += 1;
                }
            }
        }
    }
    assert!(met >= 3 * 2 * 3, "{met}");
}

/// Each read of the copy, each write and each sync: the command ends in order, and the state holds what it held.
#[test]
fn a_copy_that_cannot_be_read_written_or_synced_costs_nothing() {
    if !can_fail("failing reads and writes of the copy") {
        return;
    }
    let remote = Remote::start();
    let kept = Kept::new(&remote);
    let verbs = VERBS.into_iter().chain(["watch --once", "state check", "state recover --auto-approve"]);
    let mut met = 0;
    for (number_of_verb, verb) in verbs.enumerate() {
        for (file, calls, fault) in [
            ("copy.jsonl", "read", "error=EIO"),
            ("copy.jsonl", "pread64", "error=EIO"),
            ("copy.jsonl", "pwrite64", "error=ENOSPC"),
            ("copy.jsonl", "pwrite64", "error=EIO"),
            ("copy.jsonl", "fdatasync", "error=EIO"),
            ("copy.jsonl.new", "write", "error=ENOSPC"),
            ("copy.jsonl.new", "fsync", "error=EIO"),
        ] {
            for number in 1..4 {
                kept.restore();
                if file == "copy.jsonl.new" {
                    // It is written whole where there is none.
                    fs::remove_file(kept.file("copy.jsonl")).unwrap();
                }
                kept.world
                    .team(&numbered(0..12).replace("}\n", &format!(", title: {file} {calls} {fault} {number}}}\n")));
                let Some(outcome) = kept.world.run_with_fault(verb, &kept.file(file), calls, fault, number) else {
                    break;
                };
                let what = format!("{verb}: {fault} of {calls} {number} of {file}");
                if outcome.code != Some(0) && verb != "state check" {
                    Kept::told(&outcome, &what);
                }
                let listed = kept.world.run("state list");
                assert_eq!(listed.code, Some(0), "{what}\n{listed}");
                if !verb.starts_with("state rm") {
                    kept.stands(&what);
                }
                met += 1;
            }
        }
        if number_of_verb % 3 == 0 {
            kept.world.applied();
            assert_eq!(remote.contacts().len(), 12);
        }
    }
    assert!(met > 20, "{met}");
}

/// Each read and write while a lost sled is built again, and a kill at each: the next command does it.
#[test]
fn a_building_again_that_fails_or_is_killed_anywhere_is_done_by_the_next_command() {
    if !can_fail("failing reads and writes while sled is built again") {
        return;
    }
    let remote = Remote::start();
    let kept = Kept::new(&remote);
    let mut met = 0;
    for (file, calls) in [
        ("copy.jsonl", "read"),
        ("incoming/copy.jsonl.new", "write"),
        ("incoming/copy.jsonl.new", "fsync"),
        ("incoming/sled/db", "pwrite64"),
        ("incoming/sled/db", "fdatasync"),
        ("incoming/head", "pwrite64"),
        ("incoming/head", "fdatasync"),
        ("incoming/keep", "write"),
        ("incoming/keep", "fsync"),
        ("incoming", "rename"),
        ("incoming", "renameat"),
        ("arrived", "renameat"),
        ("sled", "renameat"),
    ] {
        for fault in [if calls == "read" { "error=EIO" } else { "error=ENOSPC" }, "signal=KILL"] {
            for number in 1..4 {
                kept.restore();
                fs::write(kept.file("sled/db"), [0; 600]).unwrap();
                kept.world.team(&numbered(0..12).replace("}\n", &format!(", title: {calls} {fault} {number}}}\n")));
                let failed = kept.world.run_with_fault("apply --auto-approve", &kept.file(file), calls, fault, number);
                let Some(outcome) = failed else { break };
                let what = format!("{fault} of {calls} {number} of {file}");
                if outcome.code.is_some_and(|code| code != 0) {
                    Kept::told(&outcome, &what);
                }
                kept.stands(&what);
                kept.world.applied();
                assert_eq!(remote.contacts().len(), 12, "{what}");
                assert_eq!(kept.world.run("state check").code, Some(0), "{what}");
                kept.world.applied().is_clean();
                met += 1;
            }
        }
    }
    assert!(met > 15, "{met}");
}

/// Each read and write of the state's files does a part of what it was asked for: nothing is different for it.
#[test]
fn short_reads_and_writes_change_nothing() {
    let remote = Remote::start();
    let mut kept = Kept::new(&remote);
    if !kept.world.preloads() {
        return;
    }
    let meant = format!("{}/", kept.world.path(STATE).canonicalize().unwrap().display());
    for verb in VERBS.into_iter().chain(["watch --once", "state check", "state recover --auto-approve"]) {
        let whole = run_short(&mut kept, verb, None);
        for bytes in ["7", "100"] {
            let short = run_short(&mut kept, verb, Some((&meant, bytes)));
            assert_eq!((&short.stdout, short.code), (&whole.stdout, whole.code), "{verb}, {bytes}\n{short}");
            assert!(kept.world.path("met").exists(), "{verb}: no call was short");
            if !verb.starts_with("state rm") {
                kept.stands(&format!("{verb}, {bytes}"));
            }
        }
    }
}

/// Runs a command on a state as it was kept, with one title changed; `short` has a part of the paths of files, and the
/// most bytes that a call reads or writes of them.
fn run_short(kept: &mut Kept, verb: &str, short: Option<(&str, &str)>) -> Outcome {
    kept.restore();
    kept.world.team(&numbered(0..12));
    kept.world.unset("SHORT_IO_FILE");
    // What Apollo holds is the same before each of them.
    kept.world.applied();
    kept.restore();
    kept.world.team(&numbered(0..12).replacen("}\n", ", title: CTO}\n", 1));
    if let Some((file, bytes)) = short {
        let met = kept.world.path("met").display().to_string();
        let _ = fs::remove_file(&met);
        for (name, value) in [("SHORT_IO_FILE", file), ("SHORT_IO_BYTES", bytes), ("SHORT_IO_MET", &met)] {
            kept.world.set(name, value);
        }
    }
    let outcome = kept.world.run(verb);
    kept.world.unset("SHORT_IO_FILE");
    outcome
}

/// A disk takes the first half of a write and nothing after it.
#[test]
fn a_disk_that_is_full_in_the_middle_of_a_write_costs_nothing() {
    let remote = Remote::start();
    let mut kept = Kept::new(&remote);
    if !kept.world.preloads() {
        return;
    }
    let state = kept.world.path(STATE).canonicalize().unwrap();
    let met = kept.world.path("met");
    kept.world.set("SHORT_IO_MET", &met.display().to_string());
    for file in
        ["", "copy.jsonl", "copy.jsonl.new", "head", "index", "index.behind", "index.sled", "holder.json", "sled/"]
    {
        let mut times = 0;
        for number in 1..=3 {
            kept.restore();
            if file == "copy.jsonl.new" {
                // It is written whole where there is none.
                fs::remove_file(kept.file("copy.jsonl")).unwrap();
            }
            if file == "index.behind" {
                // A mark is made where there is an index.
                kept.world.run("plan");
            }
            let _ = fs::remove_file(&met);
            kept.world.team(&numbered(0..12).replace("}\n", &format!(", title: {file} {number}}}\n")));
            kept.world.set("SHORT_IO_FILE", &format!("{}/{file}", state.display()));
            kept.world.set("SHORT_IO_FULL", &number.to_string());
            let outcome = kept.world.apply();
            kept.world.unset("SHORT_IO_FILE");
            if !met.exists() {
                break;
            }
            times += 1;
            let what = format!("write {number} of {file}");
            if outcome.code != Some(0) {
                Kept::told(&outcome, &what);
                assert!(outcome.stderr.contains("No space left on device"), "{what}\n{outcome}");
            }
            kept.stands(&what);
            kept.world.applied();
            assert_eq!(remote.contacts().len(), 12, "{what}");
            assert_eq!(kept.world.run("state check").code, Some(0), "{what}");
        }
        assert!(times > 0, "{file} is written");
    }
}
