//! `watch`: files change, and contacts follow without anybody asking.

use std::fs;
use std::os::unix::fs::symlink;

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Remote, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

const COMPLETE: &str = "Apply complete!";

#[test]
fn changed_files_are_applied_until_told_to_stop() {
    for signal in [Signal::INT, Signal::TERM] {
        let remote = Remote::start();
        let world = World::with(TEAM).against(&remote).one_by_one();
        let mut watching = world.start("watch --parallelism 1");
        watching.wait_for(COMPLETE);
        assert_eq!(remote.contacts().len(), 2);
        remote.take_sent();
        world.edit("contacts.d/team.yaml", "Engineer", "Director");
        watching.wait_for(COMPLETE);
        assert_eq!(remote.take_calls(), ["PATCH /contacts/[ID] title"]);
        world.write("contacts.d/deep/down/cy.yaml", "contacts:\n  cy: {email: cy@example.com}\n");
        watching.wait_for(COMPLETE);
        assert_eq!(remote.contacts().len(), 3);
        watching.signal(signal);
        let outcome = watching.finish();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        if signal == Signal::TERM {
            assert_snapshot!(outcome, @"
            Watching contacts.d. Press Ctrl-C to end.
            Plan: 2 to add, 0 to change, 0 to destroy.
            contact.ada: Creating...
            contact.ada: Creation complete after 0s [id=[ID1]]
            contact.bo: Creating...
            contact.bo: Creation complete after 0s [id=[ID2]]
            Apply complete! Resources: 2 added, 0 changed, 0 destroyed.
            Plan: 0 to add, 1 to change, 0 to destroy.
            contact.ada: Modifying... [id=[ID1]]
            contact.ada: Modifications complete after 0s [id=[ID1]]
            Apply complete! Resources: 0 added, 1 changed, 0 destroyed.
            Plan: 1 to add, 0 to change, 0 to destroy.
            contact.cy: Creating...
            contact.cy: Creation complete after 0s [id=[ID3]]
            Apply complete! Resources: 1 added, 0 changed, 0 destroyed.
            Stopping: running requests are finished and recorded, and no more are sent. Press again to stop immediately.
            Watch ended after 0 passes. Resources: 3 added, 1 changed, 0 destroyed.
            [exit 0]
            ");
        }
        world.applied().is_clean();
    }
}

#[test]
fn one_pass_tells_by_its_exit_code_whether_all_is_done() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote).one_by_one();
    assert_snapshot!(world.run("watch --once --parallelism 1"), @"
    One pass over contacts.d.
    Plan: 2 to add, 0 to change, 0 to destroy.
    contact.ada: Creating...
    contact.ada: Creation complete after 0s [id=[ID1]]
    contact.bo: Creating...
    contact.bo: Creation complete after 0s [id=[ID2]]
    Apply complete! Resources: 2 added, 0 changed, 0 destroyed.
    [exit 0]
    ");
    assert_eq!(world.run("watch --once").code, Some(0));
    remote.tap.answer("bad@example.com", 422, &json!({"error": "no"}));
    world.write("contacts.d/bad.yaml", "contacts:\n  bad: {email: bad@example.com}\n");
    assert_eq!(world.run("watch --once").code, Some(1));
    world.write("contacts.d/bad.yaml", "contacts: [\n");
    assert_eq!(world.run("watch --once").code, Some(1));
}

#[test]
fn a_dry_run_sends_nothing() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let outcome = world.run("watch --once --dry-run");
    assert_eq!(outcome.code, Some(0));
    assert_snapshot!(outcome, @r#"
    One pass over contacts.d.
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
    Each new contact is searched for before it is created. If the key is not allowed
    to search, a contact that Apollo matches is overwritten.
    Digest: [DIGEST]
    [exit 0]
    "#);
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn a_broken_file_changes_nothing_until_it_is_mended() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    remote.take_sent();
    world.edit("contacts.d/team.yaml", "title: Engineer}", "titel: Director");
    watching.wait_for("Nothing was changed");
    assert_eq!(remote.take_calls(), [""; 0]);
    world.team("contacts:\n  ada: {email: ada@example.com, title: Director}\n  bo: {email: bo@example.com}\n");
    watching.wait_for(COMPLETE);
    assert_eq!(remote.take_calls(), ["PATCH /contacts/[ID] title"]);
}

#[test]
fn what_is_gone_is_forgotten_only_after_a_while() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.write("contacts.d/cy.yaml", "contacts:\n  cy: {email: cy@example.com}\n");
    let mut watching = world.start("watch --forget-after 1s");
    watching.wait_for(COMPLETE);
    fs::rename(world.path("contacts.d/cy.yaml"), world.path("cy.yaml")).unwrap();
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    watching.wait_for("Modifications complete");
    watching.wait_for("contact.cy: Removed from the state");
    fs::rename(world.path("cy.yaml"), world.path("contacts.d/cy.yaml")).unwrap();
    watching.wait_for("contact.cy: Restoration complete");
    assert_eq!(remote.contacts().len(), 3);
}

#[test]
fn a_directory_that_is_swapped_as_a_whole_is_read_again() {
    let remote = Remote::start();
    let world = World::new().against(&remote);
    world.write("mount/v1/team.yaml", TEAM);
    world.write("mount/v2/team.yaml", &TEAM.replace("Engineer", "Director"));
    symlink("v1", world.path("mount/current")).unwrap();
    symlink("mount/current", world.path("contacts.d")).unwrap();
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    remote.take_sent();
    symlink("v2", world.path("mount/next")).unwrap();
    fs::rename(world.path("mount/next"), world.path("mount/current")).unwrap();
    watching.wait_for(COMPLETE);
    assert_eq!(remote.take_calls(), ["PATCH /contacts/[ID] title"]);
}

#[test]
fn a_directory_that_goes_and_comes_back_loses_nothing() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch --forget-after 0s");
    watching.wait_for(COMPLETE);
    fs::rename(world.path("contacts.d"), world.path("elsewhere")).unwrap();
    watching.wait_for("Nothing was changed");
    fs::write(world.path("elsewhere/team.yaml"), TEAM.replace("Engineer", "Director")).unwrap();
    fs::rename(world.path("elsewhere"), world.path("contacts.d")).unwrap();
    watching.wait_for(COMPLETE);
    assert_eq!(remote.contact("email", "ada@example.com")["title"], "Director");
    assert_eq!(remote.contacts().len(), 2);
}

#[test]
fn polling_sees_changes_too() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch --poll 100ms");
    watching.wait_for(COMPLETE);
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    watching.wait_for(COMPLETE);
    assert!(remote.column("title").contains(&"Director".to_owned()));
}

#[test]
fn a_pass_that_would_do_too_much_is_braked_and_the_watch_goes_on() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let braked = world.run("watch --once --max-creates 1");
    assert_eq!(braked.code, Some(1));
    assert_snapshot!(braked, @"
    One pass over contacts.d.
    Plan: 2 to add, 0 to change, 0 to destroy.
    [stderr]
    Error: 2 contacts would be created, and at most 1 may be

    Nothing was changed. If this is intended, a higher --max-creates allows it. If not, check that the
    contact directory is the right one.
    [exit 1]
    ");
    assert_eq!(remote.take_calls(), [""; 0]);
    world.applied();
    world.team("contacts: {}\n");
    let mut watching = world.start("watch --forget-after 0s");
    watching.wait_for("Plan: 0 to add, 0 to change, 0 to destroy, 2 to forget.");
    world.team("contacts:\n  ada: {email: ada@example.com, title: Director}\n  bo: {email: bo@example.com}\n");
    watching.wait_for(COMPLETE);
    assert_eq!(remote.take_calls().len(), 3, "whether many may be created, one create of two, and one update");
}

#[test]
fn an_apply_beside_a_watch_is_told_of_it() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    let outcome = world.apply();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("Operation: watch"), "{outcome}");
}

#[test]
fn a_single_pass_that_cannot_go_on_is_a_failure() {
    let remote = Remote::with(|options| options.api_keys = vec!["another".to_owned()]);
    let world = World::with(TEAM).against(&remote);
    let outcome = world.run("watch --once --parallelism 1");
    assert_snapshot!(outcome, @"
    One pass over contacts.d.
    Plan: 2 to add, 0 to change, 0 to destroy.
    [stderr]
    Error: The credential cannot be used

    Apollo refused the credential: GET http://127.0.0.1:[PORT]/api/v1/users/api_profile answered 401:
    Invalid access credentials.
    Nothing further was sent. Check APOLLO_API_KEY (or APOLLO_ACCESS_TOKEN for an OAuth token): you
    make an API key in Apollo under Settings > Integrations > API. Apollo refuses an API key in
    APOLLO_ACCESS_TOKEN.
    Nothing is changed until this works. The service tries again, less often each time.
    [exit 1]
    ");
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn a_watch_that_is_killed_leaves_no_twins() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    remote.tap.hold_after(1);
    let watching = world.start("watch");
    remote.tap.wait_until_held(1);
    watching.signal(Signal::KILL);
    watching.finish();
    remote.tap.release();
    assert_eq!(world.run("watch --once").code, Some(0));
    assert_eq!(remote.contacts().len(), 2);
    world.applied().is_clean();
}
