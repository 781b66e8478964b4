//! Saved plans: `plan --out` and what becomes of the file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use crate::support::World;

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

#[test]
fn a_plan_is_saved_for_its_owner_alone_and_names_the_next_command() {
    let mut world = World::with(TEAM);
    let outcome = world.run("plan --out team.plan");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let (_, end) = outcome.stdout.split_once("Digest: ").unwrap();
    assert_snapshot!(end.split_once('\n').unwrap().1, @"

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Saved the plan to: team.plan

    To perform exactly these actions, run the following command to apply:
        contactsd apply team.plan
    ");
    let first = fs::read(world.path("team.plan")).unwrap();
    assert_eq!(fs::metadata(world.path("team.plan")).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(!world.path(".contactsd").exists());
    world.set("CI", "true");
    let outcome = world.run("plan --out team.plan --detailed-exitcode");
    assert!(outcome.stdout.ends_with('\n') && !outcome.stdout.contains("Saved the plan"), "{outcome}");
    assert_eq!(outcome.code, Some(2));
    assert_eq!(fs::read(world.path("team.plan")).unwrap(), first, "the same plan is the same file");
}

#[test]
fn a_plan_that_cannot_be_saved_is_an_error() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("plan --out none/team.plan").errors(), @r"

    Error: The plan was not saved

    cannot write none/team.plan: No such file or directory (os error 2)
    ");
    assert_eq!(world.run("plan --out none/team.plan").code, Some(1));
    assert_eq!(world.run("plan --out /dev/null").code, Some(1));
}

#[test]
fn only_what_is_gone_is_planned_to_be_recreated() {
    let world = World::with(TEAM);
    let outcome = world.run("plan --recreate ada --out team.plan");
    assert!(outcome.stderr.contains("contact.ada is not gone"), "{outcome}");
    assert_eq!(outcome.code, Some(1));
    assert!(!world.path("team.plan").exists());
}
