//! What has changed in Apollo since it was applied, and what it costs to see that.

use std::collections::BTreeSet;
use std::fmt::Write;

use contactsd::sandbox::Action;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Outcome, Remote, World};

/// Every call that changes something.
const WRITES: [Action; 7] = [
    Action::Create,
    Action::BulkCreate,
    Action::Update,
    Action::BulkUpdate,
    Action::UpdateStages,
    Action::AddToLists,
    Action::RemoveFromLists,
];

fn writes(remote: &Remote) -> u64 {
    WRITES.iter().map(|action| remote.requests(*action)).sum()
}

fn person(number: usize) -> String {
    format!(
        "  p{number:04}: {{first_name: Pia, last_name: Quill {number}, email: P{number}@Example.com, title: Clerk {number}, \
         organization_name: Harbor {number}, mobile_phone: \"+1555010{number:04}\", present_raw_address: Berlin}}\n"
    )
}

fn people(many: usize) -> String {
    (0..many).fold("contacts:\n".to_owned(), |mut text, number| {
        write!(text, "{}", person(number)).unwrap();
        text
    })
}

/// A world of people who stand applied, and their ids in order.
fn applied(many: usize) -> (World, Remote, Vec<String>) {
    let remote = Remote::start();
    let world = World::with(&people(many)).against(&remote);
    world.applied();
    let contact = |number: usize| remote.contact("last_name", &format!("Quill {number}"));
    let ids = (0..many).map(|number| contact(number)["id"].as_str().unwrap().to_owned()).collect();
    remote.take_sent();
    (world, remote, ids)
}

fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}\n{outcome}"))
}

fn changed(document: &Value) -> BTreeSet<(String, Vec<String>)> {
    let contacts = document["contacts"].as_array().unwrap();
    let names = |contact: &Value| {
        let names = contact["changed"].as_array().unwrap().iter();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    contacts
        .iter()
        .map(|contact| (contact["resource"]["resource_name"].as_str().unwrap().to_owned(), names(contact)))
        .collect()
}

#[test]
fn edits_among_many_are_found_as_exactly_those_and_nothing_is_written() {
    let (world, remote, ids) = applied(200);
    let before = writes(&remote);
    let none = world.run("drift --detailed-exitcode");
    assert_eq!(none.code, Some(0), "{none}");
    assert_eq!(none.stdout.lines().last(), Some("No drift. Apollo holds 200 contacts as they were applied."), "{none}");
    let edits = [
        (3, json!({"title": "Boss"})),
        (17, json!({"first_name": "Mia"})),
        (40, json!({"last_name": "Harbor"})),
        (41, json!({"email": "somebody@example.org"})),
        (77, json!({"mobile_phone": "+15559990000"})),
        (99, json!({"organization_name": "Globex"})),
        (120, json!({"title": ""})),
        (150, json!({"present_raw_address": "Paris, France"})),
        (163, json!({"title": "CLERK 163"})),
        (199, json!({"title": "Clerk", "first_name": "Ada"})),
    ];
    for (number, fields) in &edits {
        remote.edit(&ids[*number], fields);
    }
    let edited = writes(&remote);
    assert_eq!(edited, before + edits.len() as u64);
    let found = world.run("drift --json --detailed-exitcode");
    assert_eq!(found.code, Some(2), "{found}");
    let names = |fields: &Value| {
        let mut names: Vec<String> = fields.as_object().unwrap().keys().cloned().collect();
        names.sort_by_key(|name| if name == "first_name" { 0 } else { 1 });
        names
    };
    let expected: BTreeSet<_> = edits.iter().map(|(number, fields)| (format!("p{number:04}"), names(fields))).collect();
    assert_eq!(changed(&document(&found)), expected);
    assert_eq!(writes(&remote), edited, "drift writes nothing");
    // What was found stays found, and the files get it back.
    assert_eq!(changed(&document(&world.run("drift --json"))), expected);
}

#[test]
fn once_everybody_was_read_a_look_takes_one_request() {
    let (world, remote, ids) = applied(200);
    world.run("drift");
    let reads = |remote: &Remote| remote.requests(Action::Search) + remote.requests(Action::View);
    let before = reads(&remote);
    world.run("drift");
    // All were changed by the apply a moment ago, so that they are read once more.
    assert!(reads(&remote) - before <= 2, "{}", reads(&remote) - before);
    remote.edit(&ids[5], &json!({"title": "Boss"}));
    let drift = world.run("drift");
    assert_eq!(drift.line("Drift:"), "Drift: 1 changed, 0 gone.", "{drift}");
}

#[test]
fn what_apollo_makes_of_values_is_no_drift() {
    let (world, remote, ids) = applied(3);
    remote.edit(&ids[0], &json!({"email": "p0@example.COM", "organization_name": "Harbor 0, Inc."}));
    remote.edit(&ids[1], &json!({"mobile_phone": "+1 (555) 010-0001", "present_raw_address": "Berlin, Germany"}));
    remote.edit(&ids[2], &json!({"home_phone": "+15550100999", "website_url": "https://example.com"}));
    let drift = world.run("drift --detailed-exitcode");
    assert_eq!(drift.code, Some(0), "{drift}");
}

#[test]
fn a_deleted_contact_is_gone_and_only_that_one() {
    let (world, remote, ids) = applied(150);
    world.run("drift");
    remote.delete(&ids[64]);
    let found = document(&world.run("drift --json"));
    assert_eq!((found["changed"].as_u64(), found["gone"].as_u64()), (Some(0), Some(1)), "{found}");
    assert_eq!(found["contacts"][0]["resource"]["resource_name"], "p0064");
    assert_eq!(found["contacts"][0]["kind"], "gone");
    // Whoever is known to be gone costs a view each time.
    assert_eq!(document(&world.run("drift --json"))["gone"], 1);
}

#[test]
fn a_page_that_is_lost_makes_nobody_gone() {
    let (world, remote, _) = applied(150);
    // The second page comes without its rows, as if they were not there.
    let page =
        json!({"contacts": [], "pagination": {"page": 2, "per_page": 100, "total_entries": 150, "total_pages": 2}});
    remote.tap.answer("\"page\":2", 200, &page);
    let drift = world.run("drift --json");
    let found = document(&drift);
    assert_eq!((found["gone"].as_u64(), found["compared"].as_u64()), (Some(0), Some(150)), "{drift}");
}

#[test]
fn an_account_without_any_of_them_accuses_the_credential() {
    let (world, remote, ids) = applied(3);
    ids.iter().for_each(|id| remote.delete(id));
    let drift = world.run("drift");
    assert_eq!(drift.code, Some(1), "{drift}");
    assert!(drift.stderr.contains("None of the contacts is in Apollo"), "{drift}");
}

#[test]
fn drift_is_shown_with_what_was_applied_what_is_there_and_what_the_files_say() {
    let (world, remote, ids) = applied(3);
    remote.edit(&ids[0], &json!({"title": "Boss"}));
    remote.delete(&ids[2]);
    world.edit("contacts.d/team.yaml", "Clerk 0", "Chief");
    assert_snapshot!(world.run("drift"), @"");
    assert_snapshot!(world.run("drift --format markdown"), @"");
    assert_snapshot!(world.run("drift --format github"), @"");
}
