//! Two contact directories of one name, used from one working directory: neither touches what is the other's.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Remote, World, numbered};

/// A world in which the people of team A stand applied.
fn two_teams(remote: &Remote) -> World {
    let world = World::new().against(remote);
    world.write("team-a/contacts.d/team.yaml", &numbered(0..2));
    world.write("team-b/contacts.d/team.yaml", &numbered(5..7));
    let applied = world.run("apply --auto-approve --dir team-a/contacts.d");
    assert_eq!(applied.code, Some(0), "{applied}");
    world
}

/// Each team's apply turned the other's contacts into its own people.
#[test]
fn a_state_is_not_used_for_another_directory_of_the_same_name() {
    let remote = Remote::start();
    let world = two_teams(&remote);
    assert_snapshot!(world.run("apply --auto-approve --dir team-b/contacts.d").errors(), @"

    Error: The state cannot be used

    the state .contactsd/contacts.d/state belongs to the contact files in team-a/contacts.d, not to
    those in team-b/contacts.d; nothing was read or changed. If these are other people, give them a
    state of their own: --state .contactsd/team-b-contacts.d/state. If it is the same directory, which
    was moved, name the state once: --state .contactsd/contacts.d/state
    ");
    remote.take_sent();
    for verb in [
        "plan",
        "apply --auto-approve",
        "watch --once",
        "watch",
        "status",
        "pause",
        "resume",
        "approve 00000000000000000000000000000000",
        "show",
        "state list",
        "state show p0",
        "state pull",
        "state mv p0 p9 --auto-approve",
        "state rm p0 --auto-approve",
        "import p0 65a1b2c3d4e5f60718293a4b --auto-approve",
    ] {
        let refused = world.run(&format!("{verb} --dir team-b/contacts.d"));
        assert_eq!(refused.code, Some(1), "{verb}: {refused}");
        assert!(refused.stderr.contains("belongs to the contact files in team-a/contacts.d"), "{verb}: {refused}");
    }
    assert!(remote.take_sent().is_empty());
    let pulled = world.run("state pull --dir team-a/contacts.d");
    world.write("pulled", &pulled.stdout);
    let pushed = world.run("state push pulled --auto-approve --dir team-b/contacts.d");
    assert!(pushed.stderr.contains("belongs to the contact files in team-a/contacts.d"), "{pushed}");
    // Files are checked whoever's the state is.
    assert_eq!(world.run("validate --dir team-b/contacts.d").code, Some(0));
    // As the message says.
    let own = "--dir team-b/contacts.d --state .contactsd/team-b-contacts.d/state";
    let applied = world.run(&format!("apply --auto-approve {own}"));
    assert_snapshot!(applied.summary(), @"Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
    world.run("apply --auto-approve --dir ./team-a/contacts.d").is_clean();
    world.run(&format!("apply --auto-approve {own}")).is_clean();
    assert_eq!(remote.contacts().len(), 4);
}

#[test]
fn one_directory_is_the_same_however_it_is_spelled() {
    let remote = Remote::start();
    let world = two_teams(&remote);
    std::os::unix::fs::symlink("team-a/contacts.d", world.path("contacts.d")).unwrap();
    let absolute = world.path("team-a/contacts.d");
    for spelled in ["./team-a/contacts.d/", "team-b/../team-a/contacts.d", absolute.to_str().unwrap()] {
        world.run(&format!("plan --dir {spelled}")).is_clean();
    }
    // A link to it has the same people.
    let linked = world.run("plan --dir contacts.d");
    assert!(!linked.stderr.contains("belongs to"), "{linked}");
    let recorded = fs::read_to_string(world.path(".contactsd/contacts.d/state/dir")).unwrap();
    assert_eq!(recorded, "team-a/contacts.d\n");
}

#[test]
fn a_directory_that_was_moved_takes_its_state_along_once_it_is_named() {
    let remote = Remote::start();
    let world = two_teams(&remote);
    fs::create_dir(world.path("people")).unwrap();
    fs::rename(world.path("team-a/contacts.d"), world.path("people/contacts.d")).unwrap();
    assert_eq!(world.run("plan --dir people/contacts.d").code, Some(1));
    let named = "--dir people/contacts.d --state .contactsd/contacts.d/state";
    world.run(&format!("plan {named}")).is_clean();
    world.edit("people/contacts.d/team.yaml", "p1@example.com", "p1.new@example.com");
    let applied = world.run(&format!("apply --auto-approve {named}"));
    assert_eq!(applied.code, Some(0), "{applied}");
    world.run("plan --dir people/contacts.d").is_clean();
}

/// A state of an earlier version says nothing; whoever writes it first from now on is recorded.
#[test]
fn a_state_that_tells_no_directory_is_anybodys_until_it_is_written() {
    let remote = Remote::start();
    let world = two_teams(&remote);
    fs::remove_file(world.path(".contactsd/contacts.d/state/dir")).unwrap();
    assert_eq!(world.run("plan --dir team-a/contacts.d").code, Some(0));
    assert_eq!(world.run("plan --dir team-b/contacts.d").code, Some(0));
    world.edit("team-a/contacts.d/team.yaml", "p1@example.com", "p1.new@example.com");
    assert_eq!(world.run("apply --auto-approve --dir team-a/contacts.d").code, Some(0));
    assert_eq!(world.run("plan --dir team-b/contacts.d").code, Some(1));
}

#[test]
fn the_sandbox_keeps_the_teams_apart_as_well() {
    let world = World::new();
    world.write("team-a/contacts.d/team.yaml", &numbered(0..2));
    world.write("team-b/contacts.d/team.yaml", &numbered(5..7));
    let applied = world.run("apply --auto-approve --sandbox --dir team-a/contacts.d");
    assert_eq!(applied.code, Some(0), "{applied}");
    let refused = world.run("plan --sandbox --dir team-b/contacts.d");
    assert!(refused.stderr.contains("belongs to the contact files in team-a/contacts.d"), "{refused}");
    assert!(refused.stderr.contains("--state .contactsd/team-b-contacts.d/state"), "{refused}");
}
