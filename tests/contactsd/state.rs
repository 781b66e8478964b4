//! `state`, and what protects the state under every verb.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Remote, World};

const TEAM: &str = "contacts:\n  ada:\n    email: ada@example.com\n    title: Engineer\n    label_names: [North, South]\n  \
                    bo: {email: bo@example.com}\n";

#[test]
fn managed_contacts_are_listed_and_shown() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    assert_snapshot!(world.run("state list"), @"[exit 0]");
    world.applied();
    assert_snapshot!(world.run("state list"), @r"
    contact.ada
    contact.bo
    [exit 0]
    ");
    assert_snapshot!(world.run("state show ada"), @"
    # contact.ada: created by contactsd
    # last applied [TIME] from contacts.d/team.yaml
    contacts:
      ada:
        title: Engineer
        email: ada@example.com
        label_names:
          - North
          - South
        apollo_id: [ID1]
    [exit 0]
    ");
    assert_eq!(world.run("state show contact.ada").stdout, world.run("state show ada").stdout);
    for line in [
        "state show adda",
        "state rm adda --auto-approve",
        "import adda 66f0c1000000000000000001 --auto-approve",
        "why adda",
    ] {
        let nobody = world.run(line);
        assert!(nobody.code == Some(1) && nobody.stderr.contains("Did you mean contact.ada?"), "{line}: {nobody}");
    }
    assert_snapshot!(world.run("state show eve"), @"
    [stderr]
    Error: contact.eve is not in the state

    The state .contactsd/contacts.d/state does not manage this contact. `contactsd state list
    --api-url http://127.0.0.1:[PORT]/api/v1` lists those that it manages.
    [exit 1]
    ");
}

#[test]
fn a_state_belongs_to_one_api() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let other = Remote::start();
    let world = world.against(&other);
    for verb in ["plan", "apply --auto-approve", "state rm ada --auto-approve"] {
        let outcome = world.run(verb);
        assert_eq!(outcome.code, Some(1));
        assert!(outcome.stderr.contains("--state"), "{outcome}");
    }
    // What is only read is the same whichever API is meant, and no API is needed to read it.
    drop(remote);
    for verb in ["state list", "state show ada", "state pull", "show", "status"] {
        let outcome = world.run(verb);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{verb}: {outcome}");
    }
    assert_eq!(world.run("state list").stdout, "contact.ada\ncontact.bo\n");
    assert_eq!(other.take_calls(), [""; 0]);
    assert_eq!(world.run("apply --auto-approve --state elsewhere").code, Some(0));
}

#[test]
fn a_second_apply_is_told_who_holds_the_state() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    remote.tap.hold_after(0);
    let running = world.start("apply --auto-approve");
    remote.tap.wait_until_held(1);
    let second = world.apply();
    remote.tap.release();
    assert_eq!(running.finish().code, Some(0));
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
    world.applied().is_clean();
}

#[test]
fn a_damaged_state_without_a_copy_is_refused_and_its_files_are_kept() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    fs::remove_file(world.path(".contactsd/contacts.d/state/copy.jsonl")).unwrap();
    remote.take_sent();
    let database = world.path(".contactsd/contacts.d/state/sled/db");
    let whole = fs::read(&database).unwrap();
    for damaged in [whole[..whole.len() / 2].to_vec(), Vec::new(), vec![0xa5; whole.len()]] {
        fs::write(&database, &damaged).unwrap();
        for verb in ["plan", "state list", "apply --auto-approve"] {
            let outcome = world.run(verb);
            assert_eq!(outcome.code, Some(1), "{verb}\n{outcome}");
            assert!(outcome.stderr.contains("cannot be read"), "{verb}\n{outcome}");
            assert!(!outcome.stderr.contains("panicked"), "{verb}\n{outcome}");
        }
        assert!(database.exists());
    }
    fs::remove_file(&database).unwrap();
    assert_snapshot!(world.apply().errors(), @"

    Error: The state cannot be used

    the state .contactsd/contacts.d/state cannot be read: its sled/db is gone. See with `contactsd
    state recover --api-url http://127.0.0.1:[PORT]/api/v1` what is left of it; it asks before it
    changes anything. Or restore a backup of the whole directory; or move it away (mv
    .contactsd/contacts.d/state .contactsd/contacts.d/state.broken): then every contact is looked up
    again on the next apply
    ");
    fs::write(&database, &whole).unwrap();
    world.applied().is_clean();
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn a_directory_of_something_else_is_no_state() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.write("notes/todo.txt", "buy milk");
    assert_snapshot!(world.run("apply --auto-approve --state notes").errors(), @"

    Error: The state cannot be used

    the state notes cannot be read: it holds files but no head. See with `contactsd state recover
    --state notes --api-url http://127.0.0.1:[PORT]/api/v1` what is left of it; it asks before it
    changes anything. Or restore a backup of the whole directory; or move it away (mv notes
    notes.broken): then every contact is looked up again on the next apply
    ");
    assert_eq!(fs::read_dir(world.path("notes")).unwrap().count(), 1);
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn a_state_that_cannot_be_made_is_an_error_before_anything_is_sent() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.write(".contactsd", "a file in the way");
    assert_snapshot!(world.apply(), @r"
    [stderr]
    Error: The state cannot be used

    cannot read .contactsd: Not a directory (os error 20)
    [exit 1]
    ");
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn a_state_that_cannot_be_written_is_an_error_before_anything_is_sent() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    fs::create_dir(world.path("locked")).unwrap();
    world.set_mode("locked", 0o500);
    if fs::write(world.path("locked/probe"), "").is_ok() {
        // Nothing is read-only to this user.
        return;
    }
    let outcome = world.run("apply --auto-approve --state locked/state");
    world.set_mode("locked", 0o700);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("locked/state") && outcome.stderr.contains("Permission denied"), "{outcome}");
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn two_directories_never_share_a_state_by_accident() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    world.write("people/eve.yaml", "contacts:\n  eve: {email: eve@example.com}\n");
    assert_eq!(world.run("apply --auto-approve --dir people").code, Some(0));
    assert_eq!(world.run("state list --dir people").stdout, "contact.eve\n");
    assert_eq!(world.run("state list").stdout, "contact.ada\ncontact.bo\n");
}

#[test]
fn a_new_key_of_the_same_team_is_proven_and_one_of_another_team_refused() {
    const SECOND: &str = "another-key-of-the-team";
    let remote = Remote::with(|options| options.api_keys.push(SECOND.to_owned()));
    let mut world = World::with(TEAM).against(&remote);
    world.applied();
    remote.take_sent();
    world.set("APOLLO_API_KEY", SECOND);
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    world.applied();
    assert_eq!(remote.take_calls(), ["PATCH /contacts/[ID] title"], "Apollo tells the team");
}
