//! `show`: a saved plan as `plan` printed it, and what the state holds.

use insta::assert_snapshot;

use crate::support::{Remote, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n  \
                    cy: {email: cy@example.com}\n";

#[test]
fn a_saved_plan_is_shown_as_plan_showed_it() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    let fresh = world.run("plan --out fresh.plan");
    world.applied();
    world.team("contacts:\n  ada: {email: ada@example.com, title: Director}\n  beau: {email: bo@example.com}\n");
    world.set("CI", "true");
    for color in ["never", "always"] {
        let planned = world.run(&format!("plan --out team.plan --color {color} --max-creates 0"));
        assert_eq!(planned.code, Some(0), "{planned}");
        assert_eq!(world.run(&format!("show team.plan --color {color}")).stdout, planned.stdout);
    }
    // The files, the state and the API are not looked at.
    world.team("contacts: [");
    let shown = world.run("show fresh.plan");
    assert!(fresh.stdout.starts_with(shown.stdout.trim_end()), "{fresh}\n{shown}");
    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
}

#[test]
fn what_cannot_be_shown_says_why() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("show none.plan"), @"
    [stderr]
    Error: The plan cannot be read

    cannot read none.plan: No such file or directory (os error 2)
    [exit 1]
    ");
    assert_snapshot!(world.run("show contacts.d/team.yaml"), @"
    [stderr]
    Error: The file is not a plan

    contacts.d/team.yaml is not a plan file
    A plan file is made by `contactsd plan --out FILE`.
    [exit 1]
    ");
}

#[test]
fn without_a_file_the_managed_contacts_are_shown() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    assert_snapshot!(world.run("show"), @"
    The state is empty. No contacts are managed.
    [exit 0]
    ");
    world.applied();
    assert_snapshot!(world.run("show"), @"
    # contact.ada: created by contactsd
    # last applied [TIME] from contacts.d/team.yaml
    contacts:
      ada:
        title: Engineer
        email: ada@example.com
        apollo_id: [ID1]
    ---
    # contact.bo: created by contactsd
    # last applied [TIME] from contacts.d/team.yaml
    contacts:
      bo:
        email: bo@example.com
        apollo_id: [ID2]
    ---
    # contact.cy: created by contactsd
    # last applied [TIME] from contacts.d/team.yaml
    contacts:
      cy:
        email: cy@example.com
        apollo_id: [ID3]
    [exit 0]
    ");
}
