//! `why`: where a contact stands, how it came about, and what comes next.

use serde_json::{Value, json};

use crate::support::{Remote, World};

const TWO: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

#[test]
fn what_is_known_of_a_contact_is_told_offline() {
    let remote = Remote::start();
    remote.seed(json!({"email": "bo@example.com"}));
    let mut world = World::with(TWO).against(&remote);
    insta::assert_snapshot!(world.run("why ada"), @r#"
    contact.ada
    Declared in contacts.d/team.yaml:2.
    Not managed: the state has no Apollo contact for it.

    What the next apply does:

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

    Plan: 1 to add, 0 to change, 0 to destroy.
    Each new contact is searched for before it is created. If the key is not allowed to search, a
    contact that Apollo matches is overwritten.
    [exit 0]
    "#);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    let requests = remote.all_requests();
    world.unset("APOLLO_API_KEY");
    let bo = world.run("why bo");
    assert!(
        bo.code == Some(0) && bo.stdout.contains("found in Apollo by its e-mail") && bo.stdout.contains("does nothing"),
        "{bo}"
    );
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    let ada = world.run("why contact.ada");
    let words =
        ["Declared in contacts.d/team.yaml:2.", "created by contactsd", "in run ", "\"Engineer\" -> \"Director\""];
    assert!(ada.code == Some(0) && words.iter().all(|word| ada.stdout.contains(word)), "{ada}");
    let document: Value = serde_json::from_str(&world.run("why ada --json").stdout).unwrap();
    assert_eq!(document["declared"], json!({"file": "contacts.d/team.yaml", "line": 2}));
    assert_eq!((&document["managed"]["origin"], &document["next"][0]["action"]), (&json!("created"), &json!("update")));
    assert_eq!(remote.all_requests(), requests);
    // Nothing was written to the one who was found.
    let document: Value = serde_json::from_str(&world.run("why bo --json").stdout).unwrap();
    assert!(document["run"].is_string() && document["request_id"].is_null(), "{document}");
    let nobody = world.run("why eve");
    assert!(nobody.code == Some(1) && nobody.stderr.contains("Nothing is known about contact.eve"), "{nobody}");
}

#[test]
fn a_request_without_an_answer_and_a_decision_are_told() {
    let remote = Remote::start();
    remote.set_faults("create:lost-reply=1");
    let world = World::with("contacts:\n  ada: {first_name: Ada, last_name: Byron}\n").against(&remote).one_by_one();
    assert_eq!(world.run("apply --auto-approve").code, Some(1));
    let open = world.run("why ada");
    assert!(open.code == Some(0) && open.stdout.contains("Open: a request to create contacts was sent"), "{open}");
    remote.set_faults("");
    let other = Remote::start();
    for _ in 0..2 {
        other.seed(json!({"email": "ada@example.com"}));
    }
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&other);
    assert_eq!(world.run("apply --auto-approve").code, Some(1));
    let undecided = world.run("why ada");
    assert!(undecided.code == Some(0) && undecided.stdout.contains("Has waited for a decision since"), "{undecided}");
    let document: Value = serde_json::from_str(&world.run("why ada --json").stdout).unwrap();
    assert_eq!(document["undecided"]["apollo_ids"].as_array().unwrap().len(), 2);
}

/// Returns the id that Apollo gave the request which the log of a contact names last.
fn logged(log: &str, key: &str) -> Value {
    let objects = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut of_key =
        objects.filter(|object| object["span"]["key"] == key).map(|object| object["span"]["request_id"].clone());
    of_key.rfind(Value::is_string).unwrap_or_else(|| panic!("no request of {key}: {log}"))
}

#[test]
fn the_requests_id_is_told_of_what_was_written_and_of_what_was_refused() {
    let remote = Remote::start();
    let world = World::with(TWO).against(&remote).one_by_one();
    let told = |world: &World| serde_json::from_str::<Value>(&world.run("why ada --json").stdout).unwrap();
    let created = world.run("watch --once --log-format json");
    assert_eq!(created.code, Some(0), "{created}");
    let by_create = logged(&created.stderr, "ada");
    assert_eq!(told(&world)["request_id"], by_create);
    let ada = world.run("why ada");
    let line = format!("Last request that changed the contact, for its support: {}", by_create.as_str().unwrap());
    assert!(ada.stdout.contains(&line), "{ada}");
    // An update is the last that wrote.
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    let by_update = logged(&world.run("watch --once --log-format json").stderr, "ada");
    assert_eq!(told(&world)["request_id"], by_update);
    assert_ne!(by_update, by_create);
    // A create that Apollo failed on, so that its outcome is unknown.
    remote.set_faults("create:error-500=1");
    world.edit("contacts.d/team.yaml", "contacts:\n", "contacts:\n  eve: {first_name: Eve, last_name: Moss}\n");
    assert_eq!(world.run("apply --auto-approve").code, Some(1));
    let document: Value = serde_json::from_str(&world.run("why eve --json").stdout).unwrap();
    let open = document["open"][0]["request_id"].as_str().unwrap_or_else(|| panic!("{document}"));
    let eve = world.run("why eve");
    assert!(eve.stdout.contains(&format!("The id of the request in Apollo, for its support: {open}")), "{eve}");
}
