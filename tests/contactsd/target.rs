//! `--target` and `--exclude`: a part of the plan, and nothing beside it.

use insta::assert_snapshot;

use crate::support::{Remote, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n  \
                    eu.cy: {email: cy@example.com}\n  eu.di: {email: di@example.com}\n";

#[test]
fn a_targeted_plan_says_so_and_shows_that_part() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("plan --target contact.eu.* --exclude eu.di"), @r#"
    Actions are indicated with the following symbols:
      + create

    contactsd will perform the following actions:

      # contact.eu.cy will be created
      # (or imported, if Apollo has a contact with this e-mail)
      + contact "eu.cy" {
          + email = "cy@example.com"
          + id    = (known after apply)
        }

    Plan: 1 to add, 0 to change, 0 to destroy.
    Requests: 2 bulk create, up to 1 search; no wait for quota (600 requests an hour of each kind are
    assumed until Apollo tells its limits).
    Each new contact is searched for before it is created. If the key is not allowed to search: a
    request for many contacts does not change a contact that Apollo matches, but a request for one
    contact overwrites it.
    Digest: [DIGEST]

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Run "contactsd apply --target 'eu.*' --exclude eu.di" to perform these actions. It plans again, and
    asks before anything is sent.
    [stderr]
    Warning: Resource targeting is in effect

    The plan covers only what --target and --exclude select, and the files may ask for more. Use these
    options only in exceptional situations. Run plan without them to see the rest.
    [exit 0]
    "#);
}

#[test]
fn only_the_targets_are_applied_and_the_rest_later() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let outcome = world.run("apply --auto-approve --target ada --target bo");
    assert_eq!(outcome.summary(), "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
    assert!(outcome.stderr.contains("Warning: Resource targeting is in effect"), "{outcome}");
    assert!(outcome.stderr.contains("Warning: Applied changes may be incomplete"), "{outcome}");
    assert_eq!(world.run("state list").stdout, "contact.ada\ncontact.bo\n");
    let nothing = world.run("apply --auto-approve --exclude eu.*");
    assert!(
        nothing.stdout.starts_with("No changes. For the targeted contacts, the files are as last applied."),
        "{nothing}"
    );
    assert_eq!(world.applied().summary(), "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
    world.applied().is_clean();
}

#[test]
fn a_target_may_be_gone_from_the_files_and_limits_count_targets_alone() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    world.team("contacts:\n  ada: {email: ada@example.com, title: Director}\n");
    assert_eq!(world.run("apply --auto-approve --max-forgets 1").code, Some(1));
    let outcome = world.run("apply --auto-approve --max-forgets 1 --target bo");
    assert_eq!(outcome.summary(), "Apply complete! Resources: 0 added, 0 changed, 0 destroyed, 1 forgotten.");
    assert_eq!(remote.contact("email", "ada@example.com")["title"], "Engineer");
}

#[test]
fn a_part_does_not_end_the_look_for_contacts_of_a_lost_state() {
    let remote = Remote::start();
    let unmatched = "contacts:\n  ada: {first_name: Ada, last_name: Quill}\n  bo: {email: bo@example.com}\n";
    let world = World::with(unmatched).against(&remote);
    world.applied();
    std::fs::remove_dir_all(world.path(".contactsd")).unwrap();
    assert_eq!(world.run("apply --auto-approve --target bo").code, Some(0));
    assert!(world.apply().stderr.contains("Apollo has a contact like contact.ada"));
    assert_eq!(remote.contacts().len(), 2);
}

#[test]
fn a_pattern_that_names_nobody_is_an_error() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("plan --target adda"), @"
    Planning failed. There is no plan, and nothing can be applied.
    Read: 4 contacts in 1 file, all valid.
    [stderr]
    Error: --target adda matches no contact

    No key in the contact files or in the state matches it. Did you mean contact.ada?
    [exit 1]
    ");
    assert_snapshot!(world.run("plan --target ada --exclude us.*"), @"
    Planning failed. There is no plan, and nothing can be applied.
    Read: 4 contacts in 1 file, all valid.
    [stderr]
    Error: --exclude us.* matches no contact

    No key in the contact files or in the state matches it.
    [exit 1]
    ");
    assert_eq!(world.run("plan --target a/b").code, Some(1));
}

#[test]
fn a_targeted_plan_is_saved_and_expected_with_its_targets() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    world.set("CI", "true");
    let planned = world.run("plan --out team.plan --target ada");
    assert_eq!(world.run("show team.plan").stdout, planned.stdout);
    assert_eq!(world.run("show team.plan").stderr, planned.stderr);
    assert_eq!(world.run("apply team.plan --target ada").code, Some(1));
    let digest = planned.line("Digest: ").trim_start_matches("Digest: ").to_owned();
    assert_eq!(world.run(&format!("apply --expect {digest}")).code, Some(1));
    assert_eq!(world.run("apply team.plan").code, Some(0));
    assert_eq!(world.run("state list").stdout, "contact.ada\n");
    let digest = world.run("plan --target bo").line("Digest: ").trim_start_matches("Digest: ").to_owned();
    assert_eq!(world.run(&format!("apply --expect {digest} --target bo")).code, Some(0));
    assert_eq!(world.run("state list").stdout, "contact.ada\ncontact.bo\n");
}
