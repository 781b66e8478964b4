//! `plan`: shows what would be, touches nothing, needs no key.

use insta::assert_snapshot;

use crate::support::{Remote, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

#[test]
fn a_plan_needs_no_key_and_leaves_nothing_behind() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("plan"), @r#"
    Actions are indicated with the following symbols:
      + create

    contactsd will perform the following actions:

      # contact.ada will be created
      # (or imported, if Apollo has a contact with this e-mail)
      + contact "ada" {
          + title = "Engineer"
          + email = "ada@example.com"
          + id    = (known after apply)
        }

      # contact.bo will be created
      # (or imported, if Apollo has a contact with this e-mail)
      + contact "bo" {
          + email = "bo@example.com"
          + id    = (known after apply)
        }

    Plan: 2 to add, 0 to change, 0 to destroy.
    Requests: 2 bulk create, up to 2 search; no wait for quota (600 requests an hour of each kind are
    assumed until Apollo tells its limits).
    Each new contact is searched for before it is created. If the key is not allowed to search: a
    request for many contacts does not change a contact that Apollo matches, but a request for one
    contact overwrites it.
    Digest: [DIGEST]

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Run "contactsd apply" to perform these actions. It plans again, and asks before anything is sent.
    [exit 0]
    "#);
    assert!(!world.path(".contactsd").exists());
}

#[test]
fn the_detailed_exit_code_tells_changes_from_none_and_from_errors() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    assert_eq!(world.run("plan").code, Some(0));
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(2));
    world.applied();
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(0));
    world.edit("contacts.d/team.yaml", ", title: Engineer", "");
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(2), "a release is a change");
    world.team("contacts: [");
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(1));
    assert_eq!(world.run("plan --no-such-option").code, Some(1));
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    world.team("contacts:\n  ada: {email: ada@example.com, title: Director}\n  cy: {email: cy@example.com}\n");
    let first = world.run("plan");
    for _ in 0..4 {
        assert_eq!(world.run("plan").stdout, first.stdout);
    }
    assert!(first.line("Digest: ").len() > 20);
}

#[test]
fn every_kind_of_change_has_its_sign() {
    let remote = Remote::start();
    let world = World::with(
        "contacts:\n  ada: {email: ada@example.com, title: Head of the northern office}\n  bo: {email: bo@example.com}\n  \
         cy: {email: cy@example.com, label_names: [North]}\n  di: {email: di@example.com, title: Clerk}\n",
    );
    let world = world.against(&remote);
    world.applied();
    world.team(
        "contacts:\n  ada: {email: ada@example.com, title: Head of the southern office}\n  beau: {email: bo@example.com}\n  \
         cy: {email: cy@example.com, label_names: [South]}\n  ed: {email: ed@example.com}\n",
    );
    assert_snapshot!(world.run("plan"), @r#"
    Actions are indicated with the following symbols:
      + create
      ~ update in-place
      . forget

    contactsd will perform the following actions:

      # contact.ada will be updated in-place
      ~ contact "ada" {
            id    = "[ID1]"
          ~ title = "Head of the northern office" -> "Head of the southern office"
            # (1 unchanged attribute hidden)
        }

      # contact.bo has moved to contact.beau
      # (recognized by its e-mail)
        contact "beau" {
            id = "[ID2]"
            # (1 unchanged attribute hidden)
        }

      # contact.cy will be updated in-place
      ~ contact "cy" {
            id          = "[ID3]"
          ~ label_names = [
              - "North",
              + "South",
            ]
            # (1 unchanged attribute hidden)
        }

      # contact.di will be removed from the state but will not be destroyed
      # (because contact.di is no longer in the contact files)
      # (it was in contacts.d/team.yaml)
      . contact "di" {
            id = "[ID4]"
        }

      # contact.ed will be created
      # (or imported, if Apollo has a contact with this e-mail)
      + contact "ed" {
          + email = "ed@example.com"
          + id    = (known after apply)
        }

    Plan: 1 to add, 2 to change, 0 to destroy, 1 to forget.
    Also: 1 to move.
    Requests: 1 bulk create, 1 update, up to 1 search, 1 list add, 1 list remove; no wait for quota (600
    requests an hour are assumed for update, search, list add and list remove until Apollo tells its
    limits).
    Each new contact is searched for before it is created. If the key is not allowed to search: a
    request for many contacts does not change a contact that Apollo matches, but a request for one
    contact overwrites it.
    Digest: [DIGEST]

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Run "contactsd apply --api-url http://127.0.0.1:[PORT]/api/v1" to perform these actions. It plans
    again, and asks before anything is sent.
    [exit 0]
    "#);
}

#[test]
fn hints_for_people_are_left_out_in_automation() {
    let mut world = World::with(TEAM);
    assert!(world.run("plan").stdout.contains("Run \"contactsd apply\""));
    for name in ["CI", "GITHUB_ACTIONS", "CONTACTSD_IN_AUTOMATION"] {
        world.set(name, "true");
        assert!(!world.run("plan").stdout.contains("Run \"contactsd apply\""), "{name}");
        world.unset(name);
    }
}
