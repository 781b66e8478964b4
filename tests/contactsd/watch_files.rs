//! `watch` under everything that people and machines do to files while it looks.
//!
//! What a change came to is waited for at the sandbox; a change that is never seen hangs the test.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Remote, Running, World};

/// The forgetting that nothing here may come to.
const FORGOTTEN: &str = "Removed from the state";

type People<'a> = &'a [(&'a str, &'a str)];

/// Writes a file of people, each with a name and a title.
fn team(people: People) -> String {
    let line = |(name, title): &(&str, &str)| format!("  {name}: {{email: {name}@example.com, title: {title}}}\n");
    format!("contacts:\n{}", people.iter().map(line).collect::<String>())
}

/// Waits until exactly these people are at the sandbox, each once.
#[track_caller]
fn reach(watching: &mut Running, remote: &Remote, people: People) {
    let of = |(name, title): &(&str, &str)| (format!("{name}@example.com"), (*title).to_owned());
    reach_all(watching, remote, &people.iter().map(of).collect());
}

#[track_caller]
fn reach_all(watching: &mut Running, remote: &Remote, people: &BTreeMap<String, String>) {
    let holds = || {
        let (emails, titles) = (remote.column("email"), remote.column("title"));
        let count = emails.len();
        let held: BTreeMap<String, String> = emails.into_iter().zip(titles).collect();
        assert_eq!(held.len(), count, "somebody is there twice: {held:?}");
        held == *people
    };
    while !holds() {
        watching.wait_for("Apply ");
    }
}

/// Ends a watch that was to keep everybody, and checks that it did.
#[track_caller]
fn end(watching: Running, world: &World, created: usize) {
    watching.signal(Signal::TERM);
    let outcome = watching.finish();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(!outcome.stdout.contains(FORGOTTEN), "{outcome}");
    let added = format!("Resources: {created} added, ");
    assert!(outcome.line("Watch ended").contains(&added), "{outcome}");
    world.applied().is_clean();
}

/// Says past the test harness that a part of a test did not run.
fn skip(what: &str, why: &str) {
    let text = format!("SKIPPED: {what}: {why}\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

#[test]
fn whatever_way_an_editor_saves_is_seen() {
    let remote = Remote::start();
    let world = World::with(&team(&[("ada", "One"), ("bo", "One")])).against(&remote);
    let file = world.path("contacts.d/team.yaml");
    let beside = |name: &str| world.path("contacts.d").join(name);
    let mut watching = world.start("watch");
    reach(&mut watching, &remote, &[("ada", "One"), ("bo", "One")]);

    // vim: a swap file, a probe of the directory, the old text kept under another name until the new is written.
    File::create(beside(".team.yaml.swp")).unwrap();
    File::create(beside("4913")).unwrap();
    fs::remove_file(beside("4913")).unwrap();
    fs::rename(&file, beside("team.yaml~")).unwrap();
    fs::write(&file, team(&[("ada", "Vim"), ("bo", "One")])).unwrap();
    fs::remove_file(beside("team.yaml~")).unwrap();
    fs::remove_file(beside(".team.yaml.swp")).unwrap();
    reach(&mut watching, &remote, &[("ada", "Vim"), ("bo", "One")]);

    // emacs: a lock that leads nowhere, an auto-save, a backup, and the new text renamed into place.
    symlink("ada@host.4242:1700000000", beside(".#team.yaml")).unwrap();
    fs::write(beside("#team.yaml#"), "contacts: [").unwrap();
    fs::hard_link(&file, beside("team.yaml~")).unwrap();
    fs::write(beside("team.yaml.tmp"), team(&[("ada", "Emacs"), ("bo", "One")])).unwrap();
    fs::rename(beside("team.yaml.tmp"), &file).unwrap();
    fs::remove_file(beside("#team.yaml#")).unwrap();
    fs::remove_file(beside(".#team.yaml")).unwrap();
    reach(&mut watching, &remote, &[("ada", "Emacs"), ("bo", "One")]);

    // VS Code: the same file, emptied and written.
    fs::write(&file, team(&[("ada", "Code"), ("bo", "One")])).unwrap();
    reach(&mut watching, &remote, &[("ada", "Code"), ("bo", "One")]);

    let sed = Command::new("sed").args(["-i", "s/Code/Sed/"]).arg(&file).status().unwrap();
    assert!(sed.success());
    reach(&mut watching, &remote, &[("ada", "Sed"), ("bo", "One")]);
    end(watching, &world, 2);
}

#[test]
fn what_is_seen_half_done_forgets_nobody() {
    let remote = Remote::start();
    let world = World::with(&team(&[("ada", "One"), ("bo", "One")])).against(&remote);
    world.write("contacts.d/cy.yaml", &team(&[("cy", "One")]));
    let file = world.path("contacts.d/team.yaml");
    let mut watching = world.start("watch --poll 100ms");
    reach(&mut watching, &remote, &[("ada", "One"), ("bo", "One"), ("cy", "One")]);

    // A write that stops inside an entry, and one that stops between two, which is a valid file.
    let text = team(&[("ada", "Two"), ("bo", "Two")]);
    let between = text.find("  bo:").unwrap();
    for (cut, said) in [(between + 10, "Nothing was changed"), (between, "No longer in the files: 1 contact")] {
        let mut writing = File::create(&file).unwrap();
        writing.write_all(&text.as_bytes()[..cut]).unwrap();
        watching.wait_for(said);
        writing.write_all(&text.as_bytes()[cut..]).unwrap();
        reach(&mut watching, &remote, &[("ada", "Two"), ("bo", "Two"), ("cy", "One")]);
        fs::write(&file, team(&[("ada", "One"), ("bo", "One")])).unwrap();
        reach(&mut watching, &remote, &[("ada", "One"), ("bo", "One"), ("cy", "One")]);
    }

    // A file on its way to another name.
    fs::rename(world.path("contacts.d/cy.yaml"), world.path("cy.yaml")).unwrap();
    watching.wait_for("No longer in the files: 1 contact");
    fs::create_dir(world.path("contacts.d/sales")).unwrap();
    fs::rename(world.path("cy.yaml"), world.path("contacts.d/sales/people.yaml")).unwrap();
    world.edit("contacts.d/sales/people.yaml", "One", "Two");
    reach(&mut watching, &remote, &[("ada", "One"), ("bo", "One"), ("cy", "Two")]);

    // Hangups between the edits, and in the middle of what they lead to.
    for round in 0..20 {
        world.team(&team(&[("ada", &format!("Round{round}")), ("bo", "One")]));
        for _ in 0..10 {
            watching.signal(Signal::HUP);
        }
    }
    reach(&mut watching, &remote, &[("ada", "Round19"), ("bo", "One"), ("cy", "Two")]);
    end(watching, &world, 3);
}

#[test]
fn directories_that_go_are_closed_or_lead_elsewhere_lose_nobody() {
    let remote = Remote::start();
    let mut world = World::with(&team(&[("ada", "One")])).against(&remote);
    world.set("CONTACTSD_FOLLOW_WITHIN", "trees");
    world.write("trees/one/bo.yaml", &team(&[("bo", "One")]));
    world.write("trees/two/bo.yaml", &team(&[("bo", "Two")]));
    symlink("../trees/one", world.path("contacts.d/shared")).unwrap();
    let mut watching = world.start("watch");
    reach(&mut watching, &remote, &[("ada", "One"), ("bo", "One")]);

    let switch = || {
        symlink("../trees/two", world.path("contacts.d/.shared")).unwrap();
        fs::rename(world.path("contacts.d/.shared"), world.path("contacts.d/shared")).unwrap();
    };
    switch();
    reach(&mut watching, &remote, &[("ada", "One"), ("bo", "Two")]);
    world.write("trees/two/bo.yaml", &team(&[("bo", "Three")]));
    reach(&mut watching, &remote, &[("ada", "One"), ("bo", "Three")]);

    fs::remove_dir_all(world.path("contacts.d")).unwrap();
    watching.wait_for("Nothing was changed");
    fs::create_dir(world.path("contacts.d")).unwrap();
    switch();
    world.team(&team(&[("ada", "Back")]));
    reach(&mut watching, &remote, &[("ada", "Back"), ("bo", "Three")]);

    for (path, closed, open) in [("contacts.d/team.yaml", 0o000, 0o600), ("contacts.d", 0o000, 0o700)] {
        world.set_mode(path, closed);
        if File::open(world.path("contacts.d/team.yaml")).is_ok() {
            skip("permissions that are lost", "they do not bind this user");
            world.set_mode(path, open);
            continue;
        }
        watching.wait_for("Nothing was changed");
        world.set_mode(path, open);
        world.team(&team(&[("ada", path.len().to_string().as_str())]));
        reach(&mut watching, &remote, &[("ada", path.len().to_string().as_str()), ("bo", "Three")]);
    }
    end(watching, &world, 2);
}

#[test]
fn a_config_map_is_swapped_as_kubelet_does_it() {
    let remote = Remote::start();
    let world = World::new().against(&remote);
    let at = |below: &str| world.path("contacts.d").join(below);
    let swap = |version: &str| {
        symlink(version, at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
    };
    world.write("contacts.d/..2026_01_01/ada.yaml", &team(&[("ada", "One")]));
    world.write("contacts.d/..2026_01_01/old.yaml", &team(&[("bo", "One")]));
    swap("..2026_01_01");
    for name in ["ada.yaml", "old.yaml"] {
        symlink(format!("..data/{name}"), at(name)).unwrap();
    }
    let mut watching = world.start("watch");
    reach(&mut watching, &remote, &[("ada", "One"), ("bo", "One")]);

    world.write("contacts.d/..2026_01_02/ada.yaml", &team(&[("ada", "Two")]));
    world.write("contacts.d/..2026_01_02/old.yaml", &team(&[("bo", "One")]));
    swap("..2026_01_02");
    fs::remove_dir_all(at("..2026_01_01")).unwrap();
    reach(&mut watching, &remote, &[("ada", "Two"), ("bo", "One")]);

    // An item goes by another name: for a moment its old link leads nowhere.
    world.write("contacts.d/..2026_01_03/ada.yaml", &team(&[("ada", "Three")]));
    world.write("contacts.d/..2026_01_03/new.yaml", &team(&[("bo", "Three")]));
    swap("..2026_01_03");
    watching.wait_for("Nothing was changed");
    symlink("..data/new.yaml", at("new.yaml")).unwrap();
    fs::remove_file(at("old.yaml")).unwrap();
    fs::remove_dir_all(at("..2026_01_02")).unwrap();
    reach(&mut watching, &remote, &[("ada", "Three"), ("bo", "Three")]);
    end(watching, &world, 2);
}

/// How many files git changes at once.
const FILES: usize = 500;

/// Runs git in a world, apart from whatever the machine has set up; `None` where there is none.
fn git(world: &World, line: &str) -> Option<()> {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]);
    git.args(line.split_whitespace()).current_dir(world.path("."));
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env_remove("GIT_DIR");
    let output = match git.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

#[test]
fn a_checkout_of_many_files_is_one_change() {
    let remote = Remote::start();
    let world = World::new().against(&remote);
    if git(&world, "init --quiet").is_none() {
        skip("a checkout of many files", "there is no git");
        return;
    }
    let of = |title: &str| (0..FILES).map(|file| (format!("p{file}@example.com"), title.to_owned())).collect();
    let write = |place: &str, title: &str| {
        for file in 0..FILES {
            let name = format!("p{file}");
            world.write(&format!("{place}/{file:03}.yaml"), &team(&[(name.as_str(), title)]));
        }
    };
    write("contacts.d/a", "One");
    git(&world, "add contacts.d").unwrap();
    git(&world, "commit --quiet --message one").unwrap();
    git(&world, "checkout --quiet -b two").unwrap();
    fs::remove_dir_all(world.path("contacts.d/a")).unwrap();
    write("contacts.d/b", "Two");
    git(&world, "add --all contacts.d").unwrap();
    git(&world, "commit --quiet --message two").unwrap();
    git(&world, "checkout --quiet main").unwrap();
    let mut watching = world.start("watch");
    reach_all(&mut watching, &remote, &of("One"));
    for (branch, title) in [("two", "Two"), ("main", "One")] {
        git(&world, &format!("checkout --quiet {branch}")).unwrap();
        reach_all(&mut watching, &remote, &of(title));
    }
    end(watching, &world, FILES);
}
