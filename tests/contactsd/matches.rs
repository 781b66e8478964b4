//! Creates that Apollo answers with a contact it had already.

use contactsd::sandbox::{Action, DedupeReading, Witness};
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Remote, World};

const READINGS: [DedupeReading; 2] = [DedupeReading::Overwrite, DedupeReading::ReturnExisting];

const ADA: &str = "
contacts:
  ada:
    first_name: Ada
    last_name: Quill
    title: Engineer
    email: ada@example.com
    website_url: https://ada.example.com
    mobile_phone: +15550100200
    label_names: [North]
";

#[test]
fn a_contact_that_was_there_is_imported_and_brought_up_in_the_same_run() {
    for reading in READINGS {
        let remote = Remote::reading(reading);
        let id = remote.seed(json!({"first_name": "Ada", "title": "Clerk", "email": "ada@example.com",
            "label_names": ["South"], "home_phone": "+15550100999"}));
        let world = World::with(ADA).against(&remote);
        let outcome = world.applied();
        let summary = "Apply complete! Resources: 1 imported, 0 added, 1 changed, 0 destroyed.";
        assert_eq!(outcome.summary(), summary, "{reading:?}\n{outcome}");
        let contact = remote.contact("id", &id);
        assert_eq!(remote.contacts().len(), 1);
        assert_eq!(contact["title"], "Engineer");
        assert_eq!(contact["last_name"], "Quill");
        assert_eq!(contact["website_url"], "https://ada.example.com");
        assert_eq!(contact["label_names"], json!(["North", "South"]));
        let phones = contact["phone_numbers"].as_array().unwrap();
        let numbers: Vec<_> = phones.iter().map(|phone| phone["raw_number"].as_str().unwrap()).collect();
        assert_eq!(numbers, ["+15550100200", "+15550100999"]);
        world.applied().is_clean();
        assert_eq!(remote.requests(Action::Create), 0, "whom the look finds is not written to unseen");
    }
}

#[test]
fn an_import_shows_what_it_wrote() {
    let run = |arguments: &str| {
        let remote = Remote::start();
        remote.seed(json!({"first_name": "Ada", "title": "Clerk", "email": "ada@example.com",
            "label_names": ["South"]}));
        let world = World::with(ADA).against(&remote);
        let outcome = world.run(&format!("apply --auto-approve {arguments}"));
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome
    };
    assert_snapshot!(run("").after_plan(), @r#"
    contact.ada: Creating...
    contact.ada: Import complete after 0s [id=[ID1]]
    imported: contact.ada, matched by e-mail, 5 fields changed; the old values of 2 are not known
      ~ contact "ada" {
            id           = "[ID1]"
          + last_name    = "Quill"
          ~ title        = "Clerk" -> "Engineer"
          + website_url  = "https://ada.example.com"
          + label_names  = [
              + "North",
            ]
          + mobile_phone = "+15550100200"
            # (2 unchanged attributes hidden)
        }
    Apply complete! Resources: 1 imported, 0 added, 1 changed, 0 destroyed.
    [exit 0]
    "#);
    let masked = run("--mask");
    assert!(masked.stdout.contains("imported: contact.ada, matched by e-mail, "), "{masked}");
    assert!(!["Clerk", "Engineer", "Quill"].iter().any(|value| masked.stdout.contains(value)), "{masked}");
    let concise = run("--concise");
    assert!(concise.line("~ title").ends_with("= \"Clerk\" -> \"Engineer\""), "{concise}");

    let records = run("--json");
    let records = records.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let told: Vec<_> =
        records.filter(|record| ["imported", "change_summary"].contains(&record["type"].as_str().unwrap())).collect();
    let [_plan, imported, summary] = &told[..] else { panic!("{told:?}") };
    let change = &imported["change"];
    assert_eq!((&change["resource"]["addr"], &imported["found_by"]), (&json!("contact.ada"), &json!("email")));
    assert_eq!((&change["before"]["title"], &change["after"]["title"]), (&json!("Clerk"), &json!("Engineer")));
    assert_eq!(change["importing"]["id"], change["before"]["id"]);
    assert_eq!((&summary["changes"]["import"], &summary["changes"]["change"]), (&json!(1), &json!(1)));
}

#[test]
fn an_import_that_writes_nothing_is_named_too() {
    let remote = Remote::start();
    remote.seed(json!({"first_name": "Ada", "email": "ada@example.com"}));
    let world = World::with("contacts:\n  ada: {first_name: Ada, email: ada@example.com}\n").against(&remote);
    let outcome = world.applied();
    assert_eq!(outcome.line("imported: "), "imported: contact.ada, matched by e-mail, 0 fields changed");
    assert_eq!(outcome.summary(), "Apply complete! Resources: 1 imported, 0 added, 0 changed, 0 destroyed.");
}

#[test]
fn only_what_is_not_confirmed_is_sent_after_a_match() {
    let remote = Remote::reading(DedupeReading::Overwrite);
    remote.seed(json!({"email": "ada@example.com"}));
    World::with(ADA).against(&remote).applied();
    assert_snapshot!(remote.take_calls().join("\n"), @"
    POST /contacts/bulk_create contacts,run_dedupe
    GET /contacts/[ID]
    PATCH /contacts/[ID] first_name,last_name,mobile_phone,title,website_url
    POST /labels/add_entity_ids_to_label_names entity_ids,label_names,modality
    ");
    let remote = Remote::reading(DedupeReading::ReturnExisting);
    remote.seed(json!({"email": "ada@example.com"}));
    World::with(ADA).against(&remote).applied();
    assert_snapshot!(remote.take_calls().join("\n"), @"
    POST /contacts/bulk_create contacts,run_dedupe
    GET /contacts/[ID]
    PATCH /contacts/[ID] first_name,last_name,mobile_phone,title,website_url
    POST /labels/add_entity_ids_to_label_names entity_ids,label_names,modality
    ");
}

#[test]
fn a_match_is_seen_by_its_age_when_apollo_does_not_tell() {
    for reading in READINGS {
        let remote = Remote::with(|options| {
            (options.dedupe, options.witness) = (reading, Witness::CreatedAt);
            options.missing_scopes = [Action::Search].into();
        });
        remote.seed(json!({"title": "Clerk", "email": "ada@example.com"}));
        let world = World::with(ADA).against(&remote);
        let summary = "Apply complete! Resources: 1 imported, 0 added, 1 changed, 0 destroyed.";
        assert_eq!(world.applied().summary(), summary);
        assert_eq!(remote.contacts()[0]["title"], "Engineer");
        world.applied().is_clean();
    }
}

#[test]
fn a_stranger_is_neither_bound_nor_patched_and_not_sent_again() {
    let remote = Remote::with(|options| {
        options.dedupe = DedupeReading::ReturnExisting;
        options.missing_scopes = [Action::Search].into();
    });
    let stranger = json!({"first_name": "Ada", "last_name": "Quill", "organization_name": "Engines",
        "email": "other@example.org"});
    remote.seed(stranger);
    let entry = "contacts:\n  ada:\n    first_name: Ada\n    last_name: Quill\n    organization_name: Engines\n    \
                 email: ada@example.com\n    title: Engineer\n";
    let world = World::with(entry).against(&remote).one_by_one();
    assert_snapshot!(world.apply().after_plan(), @"
    contact.ada: Creating...
    Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.
    What is done is recorded: correct what the errors name, then run the command again.
    [stderr]
    Warning: Creating contacts without looking for them first

    The credential is not allowed to search contacts. A contact that is created in a request of its
    own overwrites one in Apollo with the same e-mail, or the same name and company; contacts that are
    created together do not. To have contactsd look first, give the key the scope
    api/v1/contacts/search. The first such entry is contact.ada.

    Error: Apollo matched contact.ada to somebody else

      with contact.ada,
      contacts.d/team.yaml:2:3
       2:   ada:
            ^^^

    Contact [ID1] has other e-mails or another name than the entry. It was not
    bound to contact.ada and not updated. If a create was sent for the entry, Apollo may have written
    fields of it to that contact. Check it in Apollo. If it is the right person: contactsd import ada
    [ID1] --api-url http://127.0.0.1:[PORT]/api/v1. If not, correct what Apollo
    overwrote, and set run_dedupe: false or correct the entry.
    [exit 1]
    ");
    assert_eq!(remote.take_calls().len(), 1);
    assert_eq!(remote.column("email"), ["other@example.org"]);
    assert_eq!(remote.column("title"), [""]);
    assert_eq!(world.run("state list").stdout, "");
    assert_eq!(world.apply().code, Some(1));
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(1));
    assert_eq!(remote.take_calls(), [""; 0]);
    assert_eq!(world.run("apply --create ada --auto-approve").code, Some(0));
    assert_eq!(remote.column("email"), ["other@example.org", "ada@example.com"]);
    world.applied().is_clean();
}

#[test]
fn two_entries_that_apollo_takes_for_one_are_named_both() {
    let remote = Remote::start();
    let id = remote.seed(json!({"email": "ada@example.com", "contact_emails": ["quill@example.org"]}));
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n  quill: {email: quill@example.org}\n");
    let world = world.against(&remote).one_by_one();
    let outcome = world.run("apply --auto-approve --parallelism 1");
    assert_snapshot!(outcome.after_plan(), @"
    contact.ada: Creating...
    contact.ada: Import complete after 0s [id=[ID1]]
    contact.quill: Creating...
    imported: contact.ada, matched by e-mail, 0 fields changed
    Apply incomplete. Resources: 1 imported, 0 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.
    What is done is recorded: correct what the errors name, then run the command again.
    [stderr]
    Error: Apollo takes contact.quill and contact.ada for the same person

      with contact.quill,
      contacts.d/team.yaml:3:3
       3:   quill: {email: quill@example.org}
            ^^^^^

    Both match contact [ID1], which belongs to contact.ada. Nothing is sent for
    contact.quill until one of the entries changes. If they are one person, remove one of the two
    entries. If they are two, give them different e-mails, or set run_dedupe: false in both. If the
    contact belongs to quill: contactsd state rm ada --api-url http://127.0.0.1:[PORT]/api/v1, then
    contactsd import quill [ID1] --api-url http://127.0.0.1:[PORT]/api/v1.
    [exit 1]
    ");
    assert_snapshot!(world.run("plan"), @r#"
    Actions are indicated with the following symbols:
      ! needs a decision

    contactsd needs a decision before it can continue:

      # contact.quill needs a decision
      # (Apollo takes it and contact.ada for one person: both match "[ID1]")
      # - one person: remove one of the two entries; this one is in contacts.d/team.yaml
      # - two people: correct either entry, or set run_dedupe: false in both
      # - the contact belongs to quill: contactsd state rm ada --api-url http://127.0.0.1:[PORT]/api/v1, then contactsd import quill [ID1] --api-url http://127.0.0.1:[PORT]/api/v1
      ! contact "quill" {
            email = "quill@example.org"
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Also: 1 needs a decision.
    Digest: [DIGEST]
    [exit 1]
    "#);
    assert_eq!(world.run("state list").stdout, "contact.ada\n");
    assert!(world.run("state show ada").stdout.contains(&id));
    remote.take_sent();
    world.apply();
    assert!(remote.take_calls().iter().all(|call| !call.starts_with("POST /contacts")), "the collision is sent again");
    assert_eq!(remote.contacts().len(), 1);
    world.team("contacts:\n  ada: {email: ada@example.com}\n");
    world.applied();
    world.applied().is_clean();
}

#[test]
fn entries_that_refuse_dedupe_are_contacts_of_their_own() {
    let remote = Remote::start();
    let twins = "contacts:\n  one: {email: ada@example.com, run_dedupe: false}\n  \
                 two: {email: ada@example.com, run_dedupe: false}\n";
    let world = World::with(twins).against(&remote);
    let outcome = world.applied();
    assert_eq!(outcome.summary(), "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
    assert_eq!(remote.contacts().len(), 2);
    world.applied().is_clean();
}

#[test]
fn a_lost_state_finds_every_contact_again() {
    let remote = Remote::start();
    let world = World::with(&format!("{ADA}  bo: {{email: bo@example.com, run_dedupe: false}}\n")).against(&remote);
    world.applied();
    std::fs::remove_dir_all(world.path(".contactsd")).unwrap();
    let outcome = world.apply();
    let summary = "Apply incomplete. Resources: 1 imported, 0 added, 1 changed, 0 destroyed. 1 failed, 0 remaining.";
    assert_eq!(outcome.summary(), summary, "{outcome}");
    // Many may share a mailbox that is never matched, so a person says who it is.
    let bo = remote.contact("email", "bo@example.com")["id"].as_str().unwrap().to_owned();
    assert_eq!(world.run(&format!("import bo {bo} --auto-approve")).code, Some(0));
    assert_eq!(remote.contacts().len(), 2);
    world.applied().is_clean();
}

#[test]
fn the_ways_out_of_a_collision_lead_out() {
    let remote = Remote::start();
    remote.seed(json!({"email": "ada@example.com", "contact_emails": ["quill@example.org"]}));
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n  quill: {email: quill@example.org}\n");
    let world = world.against(&remote).one_by_one();
    world.run("apply --auto-approve --parallelism 1");
    let id = remote.contacts()[0]["id"].as_str().unwrap().to_owned();
    let shown = world.run("plan");
    // Each is for this API, whatever else the environment says.
    let flags = format!(" --api-url {}", remote.url());
    let way = format!("contactsd state rm ada{flags}, then contactsd import quill {id}{flags}");
    assert!(shown.stdout.contains(&way), "{shown}");
    world.team("contacts:\n  quill: {email: quill@example.org}\n");
    assert_eq!(world.run("state rm ada --auto-approve").code, Some(0));
    assert_eq!(world.run(&format!("import quill {id} --auto-approve")).code, Some(0));
    assert_eq!(world.run("state list").stdout, "contact.quill\n");
    world.applied().is_clean();
}

#[test]
fn the_ways_out_of_a_match_with_a_stranger_lead_out() {
    let remote = Remote::reading(DedupeReading::ReturnExisting);
    let stranger = json!({"first_name": "Ada", "last_name": "Quill", "email": "ada@example.org",
        "organization_name": "Engines"});
    let id = remote.seed(stranger);
    let entry =
        "contacts:\n  ada: {first_name: Ada, last_name: Quill, organization_name: Engines, email: a@example.com}\n";
    let world = World::with(entry).against(&remote);
    assert_eq!(world.apply().code, Some(1));
    let shown = world.run("plan");
    assert!(shown.stdout.contains(&format!("contactsd import ada {id}")), "{shown}");
    assert_eq!(world.run(&format!("import ada {id} --auto-approve")).code, Some(0));
    assert_eq!(remote.column("email"), ["a@example.com"]);
    world.applied().is_clean();
}

#[test]
fn a_command_by_hand_does_not_end_the_look_for_contacts_of_a_lost_state() {
    let remote = Remote::start();
    let team = "contacts:\n  ada: {email: ada@example.com}\n  twin: {email: twin@example.com, run_dedupe: false}\n";
    let world = World::with(team).against(&remote);
    world.applied();
    std::fs::remove_dir_all(world.path(".contactsd")).unwrap();
    let ada = remote.contact("email", "ada@example.com")["id"].as_str().unwrap().to_owned();
    assert_eq!(world.run(&format!("import ada {ada} --auto-approve")).code, Some(0));
    assert_eq!(world.apply().code, Some(1), "whether it is the same twin only a person can tell");
    assert_eq!(remote.contacts().len(), 2);
}

#[test]
fn an_entry_that_says_its_earlier_key_is_created_when_the_contact_of_that_key_is_gone() {
    let remote = Remote::start();
    let other = "  bo: {email: bo@example.com}\n";
    let world = World::with(&format!("contacts:\n  old: {{email: ada@example.com}}\n{other}")).against(&remote);
    world.applied();
    world.team(&format!("contacts:\n{other}"));
    world.applied();
    remote.delete(remote.contact("email", "ada@example.com")["id"].as_str().unwrap());
    world.team(&format!("contacts:\n  new: {{email: ada@example.com, moved_from: old}}\n{other}"));
    let created = world.apply();
    assert!(created.stderr.contains("The contact that contact.new had is gone"), "{created}");
    assert_eq!(created.summary(), "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
}

#[test]
fn an_identity_that_one_entry_hands_to_another_overwrites_nobody() {
    for reading in [DedupeReading::Overwrite, DedupeReading::ReturnExisting] {
        let remote = Remote::reading(reading);
        let world = World::with("contacts:\n  a.old: {email: sales@example.org, first_name: Olga, title: Head}\n");
        let world = world.against(&remote);
        world.applied();
        world.team(
            "contacts:\n  a.old: {email: olga@example.org, first_name: Olga, title: Head}\n  \
             z.new: {email: sales@example.org, first_name: Nina}\n",
        );
        let outcome = world.run("apply --auto-approve --parallelism 1");
        assert_eq!(outcome.summary(), "Apply complete! Resources: 1 added, 1 changed, 0 destroyed.");
        assert_eq!(remote.contact("email", "olga@example.org")["first_name"], "Olga");
        assert_eq!(remote.contact("email", "sales@example.org")["first_name"], "Nina");
        world.applied().is_clean();
    }
}
