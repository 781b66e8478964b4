//! `apply`: from files to contacts, and from changed files to the fewest requests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use contactsd::sandbox::Action;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Remote, World, hundred_in_fifty_files, numbered};

const ADA: &str = "
contacts:
  ada:
    first_name: Ada
    last_name: Quill
    title: Engineer
    email: ada@example.com
";

fn every_request(remote: &Remote) -> u64 {
    remote.all_requests()
}

#[test]
fn the_samples_are_created_in_the_sandbox_and_stand_from_then_on() {
    let world = World::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("contacts.d");
    let mut declared = 0;
    let mut places = vec![samples.clone()];
    while let Some(place) = places.pop() {
        if place.is_dir() {
            places.extend(fs::read_dir(place).unwrap().map(|inner| inner.unwrap().path()));
            continue;
        }
        let below = place.strip_prefix(&samples).unwrap().display();
        world.write(&format!("contacts.d/{below}"), &fs::read_to_string(&place).unwrap());
        declared += 1;
    }
    assert!(declared > 0);
    let first = world.run("apply --sandbox --auto-approve");
    assert_eq!(first.code, Some(0), "{first}");
    let listed = world.run("state list --sandbox").stdout.lines().count();
    assert_eq!(first.summary(), format!("Apply complete! Resources: {listed} added, 0 changed, 0 destroyed."));
    let again = world.run("apply --sandbox --auto-approve");
    again.is_clean();
    let kept = fs::read_to_string(world.path(".contactsd/contacts.d/sandbox/data/log.jsonl")).unwrap();
    assert_eq!(kept.matches("\"email_status\"").count(), listed, "one write for each contact:\n{kept}");
}

#[test]
fn a_newcomer_sees_what_will_happen_and_what_happened() {
    let world = World::with(ADA);
    assert_snapshot!(world.run("apply --sandbox --auto-approve"), @r#"
    Sandbox: nothing leaves this machine; the contacts made here are kept in .contactsd/contacts.d/sandbox/data.

    Actions are indicated with the following symbols:
      + create

    contactsd will perform the following actions:

      # contact.ada will be created
      # (or imported, if Apollo has a contact with this e-mail)
      + contact "ada" {
          + first_name = "Ada"
          + last_name  = "Quill"
          + title      = "Engineer"
          + email      = "ada@example.com"
          + id         = (known after apply)
        }

    Plan: 1 to add, 0 to change, 0 to destroy.
    Requests: 2 bulk create, up to 2 search.
    Each new contact is searched for before it is created. If the key is not allowed to search: a
    request for many contacts does not change a contact that Apollo matches, but a request for one
    contact overwrites it.
    Digest: [DIGEST]
    contact.ada: Creating...
    contact.ada: Creation complete after 0s [id=[ID1]]
    Apply complete! Resources: 1 added, 0 changed, 0 destroyed.
    [exit 0]
    "#);
    assert_snapshot!(world.run("apply --sandbox --auto-approve"), @r"
    Sandbox: nothing leaves this machine; the contacts made here are kept in .contactsd/contacts.d/sandbox/data.

    No changes. The files are as last applied (1 contact). Apollo was not asked.
    [exit 0]
    ");
}

#[test]
fn one_by_one_a_hundred_entries_take_a_hundred_creates_and_then_no_request() {
    let remote = Remote::start();
    let world = World::new().against(&remote).one_by_one();
    hundred_in_fifty_files(&world);
    let first = world.applied();
    assert_eq!(first.summary(), "Apply complete! Resources: 100 added, 0 changed, 0 destroyed.");
    assert_eq!(remote.requests(Action::Create), 100);
    // One question for the team, and for each entry a look by e-mail and one by name.
    assert_eq!(every_request(&remote), 301);
    let emails: BTreeSet<String> = remote.column("email").into_iter().collect();
    assert_eq!(emails.len(), 100);
    world.applied().is_clean();
    world.run("plan --detailed-exitcode").is_clean();
    assert_eq!(every_request(&remote), 301);
}

#[test]
fn a_changed_title_is_one_field_in_one_request() {
    let remote = Remote::start();
    let world = World::new().against(&remote);
    hundred_in_fifty_files(&world);
    world.applied();
    remote.take_sent();
    world.edit("contacts.d/people-07.yaml", "Title 14\n", "Chief of 14\n");
    assert_snapshot!(world.applied(), @r#"
    Actions are indicated with the following symbols:
      ~ update in-place

    contactsd will perform the following actions:

      # contact.person-14 will be updated in-place
      ~ contact "person-14" {
            id    = "[ID1]"
          ~ title = "Title 14" -> "Chief of 14"
            # (4 unchanged attributes hidden)
        }

    Plan: 0 to add, 1 to change, 0 to destroy.
    Requests: 1 update; no wait for quota.
    Digest: [DIGEST]
    contact.person-14: Modifying... [id=[ID1]]
    contact.person-14: Modifications complete after 0s [id=[ID1]]
    Apply complete! Resources: 0 added, 1 changed, 0 destroyed.
    [exit 0]
    "#);
    let sent = remote.take_sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].call.starts_with("PATCH /api/v1/contacts/"), "{}", sent[0].call);
    assert_eq!(sent[0].body, json!({"title": "Chief of 14"}));
    assert_eq!(remote.contact("email", "person-14@example.com")["title"], "Chief of 14");
}

#[test]
fn a_deleted_entry_is_forgotten_and_the_contact_left_alone() {
    let remote = Remote::start();
    let world = World::new().against(&remote);
    hundred_in_fifty_files(&world);
    world.applied();
    remote.take_sent();
    fs::remove_file(world.path("contacts.d/people-07.yaml")).unwrap();
    assert_snapshot!(world.applied(), @r#"
    Actions are indicated with the following symbols:
      . forget

    contactsd will perform the following actions:

      # contact.person-14 will be removed from the state but will not be destroyed
      # (because contact.person-14 is no longer in the contact files)
      # (it was in contacts.d/people-07.yaml)
      . contact "person-14" {
            id = "[ID1]"
        }

      # contact.person-15 will be removed from the state but will not be destroyed
      # (because contact.person-15 is no longer in the contact files)
      # (it was in contacts.d/people-07.yaml)
      . contact "person-15" {
            id = "[ID2]"
        }

    Plan: 0 to add, 0 to change, 0 to destroy, 2 to forget.
    Digest: [DIGEST]
    contact.person-14: Removed from the state [id=[ID1]]
    contact.person-15: Removed from the state [id=[ID2]]
    Apply complete! Resources: 0 added, 0 changed, 0 destroyed, 2 forgotten.
    [exit 0]
    "#);
    assert_eq!(remote.take_calls(), [""; 0]);
    assert_eq!(remote.contacts().len(), 100);
    world.applied().is_clean();
}

#[test]
fn a_renamed_key_moves_with_or_without_saying_so() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    world.applied();
    let id = world.run("state show ada").line("apollo_id: ").to_owned();
    remote.take_sent();
    world.edit("contacts.d/team.yaml", "  ada:", "  ada.quill:");
    assert_snapshot!(world.applied(), @r#"
    contactsd will perform the following actions:

      # contact.ada has moved to contact.ada.quill
      # (recognized by its e-mail)
        contact "ada.quill" {
            id = "[ID1]"
            # (4 unchanged attributes hidden)
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Also: 1 to move.
    Digest: [DIGEST]
    contact.ada.quill: Moved [id=[ID1]]
    Apply complete! Resources: 0 added, 0 changed, 0 destroyed.
    Also: 1 moved.
    [exit 0]
    "#);
    world.applied().is_clean();
    world.edit("contacts.d/team.yaml", "  ada.quill:", "  quill:\n    moved_from: ada.quill");
    world.edit("contacts.d/team.yaml", "    email: ada@example.com\n", "");
    assert_snapshot!(world.applied(), @r#"
    contactsd will perform the following actions:

      # contact.ada.quill has moved to contact.quill
        contact "quill" {
            id = "[ID1]"
            # (email no longer managed)
            # (3 unchanged attributes hidden)
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Also: 1 to move.
    Digest: [DIGEST]
    contact.quill: Moved [id=[ID1]]
    Apply complete! Resources: 0 added, 0 changed, 0 destroyed.
    Also: 1 moved.
    [exit 0]
    "#);
    world.applied().is_clean();
    assert_eq!(remote.take_calls(), [""; 0]);
    assert_eq!(world.run("state list").stdout, "contact.quill\n");
    assert_eq!(world.run("state show quill").line("apollo_id: "), id);
}

#[test]
fn a_restored_entry_is_the_same_contact_again() {
    let remote = Remote::start();
    let both = format!("{ADA}  bo:\n    email: bo@example.com\n");
    let world = World::with(&both).against(&remote);
    world.applied();
    let id = world.run("state show ada").line("apollo_id: ").to_owned();
    world.team("contacts:\n  bo:\n    email: bo@example.com\n");
    world.applied();
    remote.take_sent();
    world.team(&both);
    assert_snapshot!(world.applied(), @r#"
    contactsd will perform the following actions:

      # contact.ada will be restored
      # (bound to "[ID1]" before it was forgotten)
        contact "ada" {
            id         = "[ID1]"
            first_name = "Ada"
            last_name  = "Quill"
            title      = "Engineer"
            email      = "ada@example.com"
            # (fields that differ in Apollo will be updated to these values)
        }

    Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.
    Requests: up to 1 update, 1 view; no wait for quota (600 requests an hour of each kind are assumed
    until Apollo tells its limits).
    Digest: [DIGEST]
    contact.ada: Restoring... [id=[ID1]]
    contact.ada: Restoration complete after 0s [id=[ID1]]
    imported: contact.ada, bound to the contact it had, 0 fields changed
    Apply complete! Resources: 1 imported, 0 added, 0 changed, 0 destroyed.
    [exit 0]
    "#);
    assert_eq!(remote.take_calls(), ["GET /contacts/[ID]"]);
    assert_eq!(world.run("state show ada").line("apollo_id: "), id);
    assert_eq!(remote.contacts().len(), 2);
    world.applied().is_clean();
}

#[test]
fn a_field_that_is_removed_is_released_and_one_that_is_empty_cleared() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    world.applied();
    remote.take_sent();
    world.edit("contacts.d/team.yaml", "    title: Engineer\n", "");
    assert_snapshot!(world.applied(), @r#"
    contactsd will perform the following actions:

      # contact.ada: fields are no longer managed
      # (Apollo keeps their values)
        contact "ada" {
            id = "[ID1]"
            # (title no longer managed)
            # (3 unchanged attributes hidden)
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Also: 1 to release.
    Digest: [DIGEST]
    contact.ada: Fields released [id=[ID1]]
    Apply complete! Resources: 0 added, 0 changed, 0 destroyed.
    Also: 1 released.
    [exit 0]
    "#);
    assert_eq!(remote.take_calls(), [""; 0]);
    assert_eq!(remote.column("title"), ["Engineer"]);
    world.run("plan --detailed-exitcode").is_clean();
    world.edit("contacts.d/team.yaml", "  ada:\n", "  ada:\n    title: \"\"\n");
    world.applied();
    assert_eq!(remote.take_calls(), ["PATCH /contacts/[ID] title"]);
    assert_eq!(remote.contacts()[0]["title"], json!(null));
    world.applied().is_clean();
}

#[test]
fn lists_are_added_and_removed_by_their_own_calls_and_others_are_left() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada:\n    email: ada@example.com\n    label_names: [North, South]\n");
    let world = world.against(&remote);
    world.applied();
    remote.take_sent();
    world.edit("contacts.d/team.yaml", "[North, South]", "[South, West]");
    world.applied();
    let mut calls = remote.take_calls();
    calls.sort_unstable();
    assert_snapshot!(calls.join("\n"), @r"
    POST /labels/add_entity_ids_to_label_names entity_ids,label_names,modality
    POST /labels/remove_entity_ids_from_label_names entity_ids,label_names,modality
    ");
    assert_eq!(remote.contacts()[0]["label_names"], json!(["South", "West"]));
    world.applied().is_clean();
}

#[test]
fn a_contact_that_is_named_is_adopted_and_brought_to_what_is_declared() {
    let remote = Remote::start();
    let id =
        remote.seed(json!({"first_name": "Ada", "last_name": "Quill", "title": "Clerk", "email": "a@example.com"}));
    let world = World::with(&format!("contacts:\n  ada:\n    apollo_id: {id}\n    title: Engineer\n"));
    let world = world.against(&remote);
    assert_snapshot!(world.applied(), @r#"
    contactsd will perform the following actions:

      # contact.ada will be imported
      # (imported from "[ID1]")
        contact "ada" {
            id    = "[ID1]"
            title = "Engineer"
            # (fields that differ in Apollo will be updated to these values)
        }

    Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.
    Requests: up to 1 update, 1 view; no wait for quota (600 requests an hour of each kind are assumed
    until Apollo tells its limits).
    Digest: [DIGEST]
    contact.ada: Importing... [id=[ID1]]
    contact.ada: Import complete after 0s [id=[ID1]]
    imported: contact.ada, named by its id, 1 field changed
      ~ contact "ada" {
            id    = "[ID1]"
          ~ title = "Clerk" -> "Engineer"
        }
    Apply complete! Resources: 1 imported, 0 added, 1 changed, 0 destroyed.
    [exit 0]
    "#);
    assert_eq!(remote.take_calls(), ["GET /contacts/[ID]", "PATCH /contacts/[ID] title"]);
    assert_eq!(remote.column("title"), ["Engineer"]);
    assert_eq!(remote.column("email"), ["a@example.com"]);
    world.applied().is_clean();
}

#[test]
fn a_contact_that_was_deleted_by_hand_needs_a_decision_and_keeps_its_state() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    world.applied();
    let id = remote.contacts()[0]["id"].as_str().unwrap().to_owned();
    remote.delete(&id);
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    assert_snapshot!(world.apply().after_plan(), @"
    contact.ada: Modifying... [id=[ID1]]
    Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.
    What is done is recorded: correct what the errors name, then run the command again.
    [stderr]
    Error: The contact of contact.ada is gone

      with contact.ada,
      contacts.d/team.yaml:3:3
       3:   ada:
            ^^^

    Contact [ID1] was deleted in Apollo. Nothing is sent for it and its state is
    kept. To create it again: contactsd apply --recreate ada --api-url http://127.0.0.1:[PORT]/api/v1.
    To stop managing it, remove the entry.
    [exit 1]
    ");
    assert_snapshot!(world.run("plan"), @r#"
    Actions are indicated with the following symbols:
      ! needs a decision

    contactsd needs a decision before it can continue:

      # contact.ada needs a decision
      # (bound to "[ID1]", which was deleted in Apollo)
      # - to create it again: contactsd apply --recreate ada --api-url http://127.0.0.1:[PORT]/api/v1
      # - to stop managing it: remove the entry from contacts.d/team.yaml
      ! contact "ada" {
            first_name = "Ada"
            last_name  = "Quill"
            email      = "ada@example.com"
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Also: 1 needs a decision.
    Digest: [DIGEST]
    [exit 1]
    "#);
    remote.take_sent();
    assert_snapshot!(world.apply().after_plan(), @"
    Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.
    What is done is recorded: correct what the errors name, then run the command again.
    [stderr]
    Error: The contact of contact.ada is gone

      with contact.ada,
      contacts.d/team.yaml:3:3
       3:   ada:
            ^^^

    Contact [ID1] was deleted in Apollo. Nothing is sent for it and its state is
    kept. To create it again: contactsd apply --recreate ada --api-url http://127.0.0.1:[PORT]/api/v1.
    To stop managing it, remove the entry.
    [exit 1]
    ");
    assert_eq!(remote.take_calls(), [""; 0]);
    assert_eq!(world.run("state list").stdout, "contact.ada\n");
    assert!(remote.contacts().is_empty());
}

#[test]
fn one_bad_entry_stops_no_other() {
    let remote = Remote::start();
    remote.tap.answer("bad@example.com", 422, &json!({"error": "Parameters misconfigured. title is too odd"}));
    let world = World::with(
        "contacts:\n  ada: {email: ada@example.com}\n  bad:\n    email: bad@example.com\n    title: Odd\n  \
         cy: {email: cy@example.com}\n",
    );
    let world = world.against(&remote).one_by_one();
    assert_snapshot!(world.run("apply --auto-approve --parallelism 1").after_plan(), @"
    contact.ada: Creating...
    contact.ada: Creation complete after 0s [id=[ID1]]
    contact.bad: Creating...
    contact.cy: Creating...
    contact.cy: Creation complete after 0s [id=[ID2]]
    Apply incomplete. Resources: 2 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.
    What is done is recorded: correct what the errors name, then run the command again.
    [stderr]
    Error: Apollo rejected contact.bad

      with contact.bad,
      contacts.d/team.yaml:5:5
       5:     title: Odd
              ^^^^^

    Apollo says: Parameters misconfigured. title is too odd
    The request had no effect. Correct the entry and apply again.
    [exit 1]
    ");
    assert_eq!(remote.column("email"), ["ada@example.com", "cy@example.com"]);
    let again = world.apply();
    assert_eq!(again.code, Some(1));
    assert_eq!(again.summary(), "Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.");
    world.edit("contacts.d/team.yaml", "bad@example.com", "good@example.com");
    world.applied();
    assert_eq!(remote.contacts().len(), 3);
    world.applied().is_clean();
}

#[test]
fn nobody_to_approve_is_an_error_before_anything() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: broken}\n").against(&remote);
    assert_snapshot!(world.run("apply"), @"
    [stderr]
    Error: Cannot ask for approval

    There is no terminal to ask for approval. Add --auto-approve to continue without asking, or run
    plan to see what would happen.
    [exit 1]
    ");
    assert_snapshot!(world.run("apply --input=false"), @"
    [stderr]
    Error: Cannot ask for approval

    There is no terminal to ask for approval. Add --auto-approve to continue without asking, or run
    plan to see what would happen.
    [exit 1]
    ");
    assert!(!world.path(".contactsd").exists());
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn automation_changes_nothing_about_who_approves() {
    let remote = Remote::start();
    let mut world = World::with(ADA).against(&remote);
    world.set("CI", "true");
    assert_eq!(world.run("apply").code, Some(1));
    assert_eq!(remote.contacts().len(), 0);
    let outcome = world.run_at_terminal("apply", "yes\n");
    assert!(outcome.code == Some(0) && outcome.stdout.contains("Do you want to perform these actions?"), "{outcome}");
}

#[test]
fn a_person_at_a_terminal_is_asked_and_only_yes_approves() {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    for typed in ["no\n", "y\n", "\n", "Yes\n", "\u{4}"] {
        let outcome = world.run_at_terminal("apply", typed);
        assert_eq!(outcome.code, Some(1), "{typed:?}\n{outcome}");
        assert!(outcome.stdout.ends_with("Cancelled. Nothing was changed.\n"), "{typed:?}\n{outcome}");
        assert_eq!(world.run("state list").stdout, "");
    }
    assert_eq!(remote.take_calls(), [""; 0]);
    assert_eq!(world.run_at_terminal("apply --input=false", "yes\n").code, Some(1));
    let outcome = world.run_at_terminal("apply", "yes\n");
    assert_snapshot!(outcome.after_plan(), @r"

    Do you want to perform these actions?
      contactsd will perform the actions described above.
      Only 'yes' will be accepted to approve.

      Enter a value: 
    contact.ada: Creating...
    contact.ada: Creation complete after 0s [id=[ID1]]
    Apply complete! Resources: 1 added, 0 changed, 0 destroyed.
    [exit 0]
    ");
    assert_eq!(remote.contacts().len(), 1);
    world.run_at_terminal("apply", "").is_clean();
}

#[test]
fn brakes_stop_a_plan_that_nobody_meant() {
    let remote = Remote::start();
    let world = World::new().against(&remote);
    world.team(&numbered(0..10));
    let refused = world.run("apply --auto-approve --max-creates 9");
    assert_snapshot!(refused.stderr, @"

    Error: The plan is not applied

    10 contacts would be created, and at most 9 may be.
    Nothing was changed. Check that the contact directory is the right one and complete. If the plan
    is intended, a higher --max-creates allows it.
    ");
    assert_eq!(refused.code, Some(1));
    assert_eq!(remote.take_calls(), [""; 0]);
    world.applied();
    remote.take_sent();

    world.team(&numbered(0..6));
    let refused = world.apply();
    assert_snapshot!(refused.stderr, @"

    Error: The plan is not applied

    4 managed contacts would be forgotten, more than 30 %.
    Nothing was changed. Check that the contact directory is the right one and complete. If the plan
    is intended, --force allows it.
    ");
    assert_eq!(refused.code, Some(1));
    assert_snapshot!(world.run("plan").line("Brake"), @"Brake: 4 contacts would be forgotten, and at most 3 are allowed. If this is intended, add --force.");
    world.team("contacts: {}\n");
    let refused = world.apply();
    assert_snapshot!(refused.stderr, @"

    Error: The plan is not applied

    All managed contacts would be forgotten.
    Nothing was changed. Check that the contact directory is the right one and complete. If the plan
    is intended, --force allows it.
    ");
    assert_eq!(refused.code, Some(1));
    assert_eq!(world.run("state list").stdout.lines().count(), 10);

    world.team(&numbered(0..7));
    world.applied();
    let forced = world.run("apply --auto-approve --force --max-forgets 6");
    forced.is_clean();
    world.team("contacts: {}\n");
    assert_eq!(world.run("apply --auto-approve --force --max-forgets 50%").code, Some(1));
    let forced = world.run("apply --auto-approve --force");
    assert_eq!(forced.summary(), "Apply complete! Resources: 0 added, 0 changed, 0 destroyed, 7 forgotten.");
    assert_eq!(remote.contacts().len(), 10);
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn a_contact_that_was_deleted_by_hand_is_created_anew_when_asked_for_and_once_its_entry_was_away() {
    let remote = Remote::start();
    let both = format!("{ADA}  bo: {{email: bo@example.com}}\n");
    let world = World::with(&both).against(&remote);
    world.applied();
    remote.delete(remote.contact("email", "ada@example.com")["id"].as_str().unwrap());
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    assert_eq!(world.apply().code, Some(1));
    let shown = world.run("plan");
    assert!(shown.stdout.contains("to create it again: contactsd apply --recreate ada"), "{shown}");
    let again = world.run("apply --recreate ada --auto-approve");
    assert_eq!(again.summary(), "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
    world.applied().is_clean();
    remote.delete(remote.contact("email", "ada@example.com")["id"].as_str().unwrap());
    world.edit("contacts.d/team.yaml", "Director", "Chair");
    assert_eq!(world.apply().code, Some(1));
    world.team("contacts:\n  bo: {email: bo@example.com}\n");
    world.applied();
    world.team(&both);
    let outcome = world.applied();
    assert_eq!(outcome.summary(), "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
    assert_eq!(remote.contacts().len(), 2);
    world.applied().is_clean();
}

#[test]
fn an_entry_that_names_another_contact_than_its_own_needs_a_decision() {
    let remote = Remote::start();
    let other = remote.seed(json!({"email": "other@example.com"}));
    let world = World::with(ADA).against(&remote);
    world.applied();
    remote.take_sent();
    world.edit("contacts.d/team.yaml", "  ada:\n", &format!("  ada:\n    apollo_id: {other}\n"));
    assert_snapshot!(world.apply(), @r#"
    Actions are indicated with the following symbols:
      ! needs a decision

    contactsd needs a decision before it can continue:

      # contact.ada needs a decision
      # (bound to "[ID1]", but its entry declares apollo_id "[ID2]")
      # - to keep "[ID1]": remove apollo_id from the entry in contacts.d/team.yaml
      # - to take "[ID2]": contactsd state rm ada --api-url http://127.0.0.1:[PORT]/api/v1, and apply again
      ! contact "ada" {
            first_name = "Ada"
            last_name  = "Quill"
            email      = "ada@example.com"
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Also: 1 needs a decision.
    Digest: [DIGEST]
    Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.
    What is done is recorded: correct what the errors name, then run the command again.
    [stderr]
    Error: contact.ada is bound to another contact than its apollo_id

      with contact.ada,
      contacts.d/team.yaml:3:3
       3:   ada:
            ^^^

    The state binds it to [ID1], but the entry says apollo_id:
    [ID2]. To keep the bound contact, remove apollo_id. To use the other one:
    contactsd state rm ada --api-url http://127.0.0.1:[PORT]/api/v1, then apply.
    [exit 1]
    "#);
    assert_eq!(remote.take_calls(), [""; 0]);
    world.edit("contacts.d/team.yaml", "  ada:\n", "  countess:\n");
    let outcome = world.run("apply --auto-approve --force");
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(world.run("state show countess").stdout.contains(&other));
    assert_eq!(remote.contacts().len(), 2);
}

/// Who only ever applies had every file read again each time.
#[test]
fn an_apply_with_nothing_to_do_leaves_an_index() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&remote);
    world.applied();
    let index = world.path(".contactsd/contacts.d/state/index");
    std::fs::remove_file(&index).unwrap();
    assert!(world.run("apply --auto-approve").stdout.starts_with("No changes."));
    assert!(index.exists());
}
