//! The published schemas are the program's, and what it prints keeps to them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::json::records;
use crate::support::{Remote, World};

const NAMES: [&str; 14] = [
    "contacts",
    "events",
    "plan",
    "drift",
    "validate",
    "state-list",
    "state-show",
    "state-pull",
    "state-check",
    "status",
    "lookup",
    "probe",
    "why",
    "version",
];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
}

#[test]
fn the_published_schemas_are_what_the_program_prints() {
    let world = World::new();
    for name in NAMES {
        let printed = world.run(&format!("schema {name}"));
        let published = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap_or_default();
        assert_eq!(published, printed.stdout, "to publish: contactsd schema {name} > docs/schemas/{name}.json");
        let [as_json] = &records(&world.run(&format!("schema {name} --json")).stdout)[..] else { panic!("{name}") };
        assert_eq!(*as_json, serde_json::from_str::<Value>(&printed.stdout).unwrap());
    }
    assert_eq!(fs::read_dir(folder()).unwrap().count(), NAMES.len());
}

/// Checks every line of an output against a schema.
#[track_caller]
pub(crate) fn keeps_to(schema: &str, output: &str) {
    let schema = fs::read_to_string(folder().join(format!("{schema}.json"))).unwrap();
    let validator = jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap();
    let records = records(output);
    assert!(!records.is_empty());
    for record in &records {
        let faults: Vec<_> = validator.iter_errors(record).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{record:#}\n{faults:#?}");
    }
}

#[test]
fn all_records_keep_to_their_schema() {
    let remote = Remote::start();
    let people = "contacts:\n  ada: {email: ada@example.com, label_names: [Leads]}\n  bob: {email: bob@example.com}\n";
    let world = World::with(people).against(&remote);
    let keeps = |line: &str| keeps_to("events", &world.run(line).stdout);
    keeps("plan --json");
    remote.tap.answer("bob@example.com", 422, &serde_json::json!({ "error": "no" }));
    keeps("apply --json --auto-approve");
    keeps("apply --json");
    keeps("nonsense --json");
    keeps("--help --json");
    keeps("completions bash --json");
    keeps("explain E011 --json");
    world.team("contacts:\n  ada: {email: ada@example.com, title: CTO, mobile_phone: none}\n");
    keeps("plan --json --max-updates 0");
    keeps("watch --once --json --max-updates 0");
    keeps("watch --once --json");
    keeps("import eve 66e34b81740c50074e3d1bd4 --auto-approve --json");
    for what in ["stages", "fields", "lists"] {
        keeps_to("lookup", &world.run(&format!("lookup {what} --json")).stdout);
    }
    keeps_to("why", &world.run("why ada --json").stdout);
    keeps("forget --purge nobody --auto-approve --json");
    keeps("state mv ada countess --auto-approve --json");
    keeps("state rm countess --auto-approve --json");
    world.team("contacts:\n  ada: {emial: x}\n");
    keeps("watch --once --json");
}

#[test]
fn all_documents_keep_to_their_schemas() {
    let world =
        World::with("contacts:\n  ada: {email: ada@example.com, typed_custom_fields: {60c39ed82bd02f01154c470a: 7}}\n");
    world.run("apply --sandbox --auto-approve");
    keeps_to("state-list", &world.run("state list --sandbox --json").stdout);
    keeps_to("state-show", &world.run("state show ada --sandbox --json").stdout);
    keeps_to("state-show", &world.run("show --sandbox --json").stdout);
    world.edit("contacts.d/team.yaml", "7}", "8}");
    world.run("plan --sandbox --out team.plan");
    keeps_to("plan", &world.run("show team.plan --json").stdout);
    keeps_to("status", &world.run("status --sandbox --json").stdout);
    keeps_to("version", &world.run("version --json").stdout);
    keeps_to("validate", &world.run("validate --json").stdout);
    world.team(
        "contacts:\n  ada: {emial: x}\n  b: {email: b@example.com, home_phone: none}\n  c: {email: b@example.com}\n",
    );
    keeps_to("validate", &world.run("validate --json").stdout);
    keeps_to("validate", &world.run("validate --json --dir elsewhere").stdout);
}
