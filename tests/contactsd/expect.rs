//! `apply --expect`: the digest of a plan is the approval of exactly that plan.

use insta::assert_snapshot;

use crate::support::{Outcome, Remote, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n";

fn digest(outcome: &Outcome) -> String {
    outcome.line("Digest: ").trim_start_matches("Digest: ").to_owned()
}

#[test]
fn the_expected_plan_is_applied_without_asking() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let digest = digest(&world.run("plan"));
    let outcome = world.run(&format!("apply --expect {}", digest.to_uppercase()));
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(outcome.summary(), "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
    assert_eq!(remote.column("title"), ["Engineer"]);
}

#[test]
fn an_expected_plan_that_is_done_is_no_failure() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let digest = digest(&world.run("plan"));
    assert_eq!(world.run(&format!("apply --expect {digest}")).code, Some(0));
    remote.take_calls();
    assert_snapshot!(world.run(&format!("apply --expect {digest}")), @"
    No changes. The files are as last applied (1 contact). Apollo was not asked.
    Nothing is left to do. The expected plan is the one that was applied last: [DIGEST]
    [exit 0]
    ");
    assert_eq!(remote.take_calls(), [""; 0]);
    // Any other digest is that of some other plan, but for that of nothing to do.
    let other = world.run("apply --expect 0123456789abcdef0123456789abcdef");
    assert!(other.code == Some(1) && other.stderr.contains("applied last is not the expected one"), "{other}");
    let plan = world.run("plan --json").stdout;
    let summary = plan.lines().find(|line| line.contains("\"change_summary\"")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(summary).unwrap();
    let nothing = summary["plan"]["digest"].as_str().unwrap();
    assert_eq!(world.run(&format!("apply --expect {nothing}")).code, Some(0));
    // What is left to do has to be the expected plan.
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    let outcome = world.run(&format!("apply --expect {digest}"));
    assert_eq!(outcome.code, Some(1), "{outcome}");
}

#[test]
fn a_plan_made_before_an_edit_is_not_the_expected_one() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let digest = digest(&world.run("plan"));
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    let outcomes = ["", "--auto-approve"].map(|also| world.run(&format!("apply --expect {digest} {also}")));
    for outcome in &outcomes {
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.stdout.contains("\"Director\""), "the plan of now is shown: {outcome}");
        assert!(outcome.stderr.contains(&format!("Expected: {digest}")), "{outcome}");
    }
    assert_snapshot!(outcomes[0].errors(), @"

    Error: The plan is not the expected one

      Expected: [DIGEST]
      Found:    [DIGEST]

    Nothing was changed. The API, the files, the state or the planning options differ from those that
    the expected plan was made with. Review the plan as it is now. To approve it, use its own digest:
    --expect [DIGEST]
    ");
    assert_eq!(remote.take_calls(), [""; 0]);
}

/// The ways to name `contacts.d` of a world, each with the directory it is named from.
fn spellings(world: &World) -> Vec<(&'static str, String)> {
    std::fs::create_dir_all(world.path("elsewhere")).unwrap();
    let relative = ["contacts.d", "./contacts.d", "contacts.d/", "contacts.d/../contacts.d"];
    let absolute = world.path("contacts.d").display().to_string();
    let state = world.path("state").display().to_string();
    let from_here = relative.map(str::to_owned).into_iter().chain([absolute]).map(|dir| ("", dir));
    let all = from_here.chain([("contacts.d", ".".to_owned()), ("elsewhere", "../contacts.d".to_owned())]);
    all.map(|(from, dir)| (from, format!("--dir {dir} --state {state}"))).collect()
}

#[test]
fn a_plan_is_the_same_however_its_directory_is_spelled() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.write("contacts.d/bo.yaml", "contacts:\n  bo: {email: bo@example.com}\n");
    let spelled = spellings(&world);
    let digests = |verb: &str| -> Vec<String> {
        spelled.iter().map(|(from, dir)| digest(&world.run_in(from, &format!("{verb} {dir}")))).collect()
    };
    let created = digests("plan");
    assert!(created.iter().all(|digest| *digest == created[0]), "{created:?}");
    let (from, dir) = &spelled[6];
    let outcome = world.run_in(from, &format!("apply --expect {} {dir}", created[1]));
    assert_eq!(outcome.code, Some(0), "{outcome}");

    // Of what is there already, one is changed, one is forgotten and one is new.
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    world.edit("contacts.d/bo.yaml", "bo: {email: bo@", "cy: {email: cy@");
    let changed = digests("plan --force");
    assert!(changed.iter().all(|digest| *digest == changed[0] && *digest != created[0]), "{changed:?}");
    for (number, (_, planned_as)) in spelled.iter().enumerate().take(5) {
        let outcome = world.run(&format!("plan --force --out {number}.plan {planned_as}"));
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
    let absolute = &spelled[4].1;
    let outcome = world.run(&format!("apply 0.plan {absolute}"));
    assert_eq!(
        outcome.summary(),
        "Apply complete! Resources: 1 added, 1 changed, 0 destroyed, 1 forgotten.",
        "{outcome}"
    );
    // It was that plan, so each other file of it is spent as well.
    for number in 1..5 {
        let outcome = world.run(&format!("apply {number}.plan {}", spelled[0].1));
        assert!(outcome.stderr.contains("Saved plan was already applied"), "{outcome}");
        assert_eq!(outcome.code, Some(1));
    }
    assert_eq!(remote.requests(contactsd::sandbox::Action::BulkCreate), 3);
}

#[test]
fn what_differs_in_a_stale_plan_is_found_whatever_the_spelling() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let saved = world.run("plan --out team.plan --dir ./contacts.d");
    assert_eq!(saved.code, Some(0), "{saved}");
    let outcome = world.run(&format!("apply team.plan --dir {}", world.path("contacts.d").display()));
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(remote.column("title"), ["Engineer"]);
}

/// A first plan knows no state; only its digest can say which API it was reviewed for.
#[test]
fn a_plan_for_another_api_is_not_the_expected_one() {
    let remote = Remote::start();
    let rehearsed = digest(&World::with(TEAM).run("plan --sandbox"));
    let world = World::with(TEAM).against(&remote);
    let outcome = world.run(&format!("apply --expect {rehearsed}"));
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stderr.contains("The plan is not the expected one"), "{outcome}");
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn limits_hold_for_an_expected_plan_too() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let digest = digest(&world.run("plan"));
    let outcome = world.run(&format!("apply --expect {digest} --max-creates 0"));
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn a_file_can_be_held_against_a_digest() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let digest = digest(&world.run("plan --out team.plan"));
    let other = "0".repeat(32);
    let outcome = world.run(&format!("apply team.plan --expect {other}"));
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stderr.contains("team.plan holds another plan"), "{outcome}");
    assert_eq!(world.run(&format!("apply team.plan --expect {digest}")).code, Some(0));
}

#[test]
fn what_is_no_digest_is_a_mistake_of_usage() {
    let outcome = World::with(TEAM).run("apply --expect abc");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("is not the digest of a plan, which has 32 hexadecimal digits"), "{outcome}");
}
