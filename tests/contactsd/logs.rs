//! The log of a service: levels, forms, and what never stands in it.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use serde_json::{Value, json};

use crate::support::{KEY, Remote, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

/// Reads the lines of a log, each an object.
#[track_caller]
fn objects(text: &str) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
    text.lines().map(|line| read(line).unwrap_or_else(|| panic!("no object: {line}"))).collect()
}

/// Returns the one object whose message begins so.
#[track_caller]
fn saying<'a>(objects: &'a [Value], start: &str) -> &'a Value {
    let says = |object: &&Value| object["message"].as_str().is_some_and(|message| message.starts_with(start));
    let found: Vec<&Value> = objects.iter().filter(says).collect();
    assert_eq!(found.len(), 1, "{start}: {objects:?}");
    found[0]
}

#[test]
fn as_json_every_line_is_one_object_and_stdout_stays_empty() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let outcome = world.run("watch --once --log-format json");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{outcome}");
    let objects = objects(&outcome.stderr);
    for object in &objects {
        assert!(object["timestamp"].is_string() && object["message"].is_string(), "{object}");
        assert_eq!(object["level"], "INFO", "{object}");
    }
    let created = saying(&objects, "contact.ada: Creation complete");
    let contact = &created["span"];
    assert_eq!((&contact["name"], &contact["key"]), (&json!("contact"), &json!("ada")));
    assert_eq!(contact["apollo_id"], remote.contact("email", "ada@example.com")["id"]);
    assert!(contact["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{contact}");
    saying(&objects, "Plan: 2 to add");
    saying(&objects, "Apply complete! Resources: 2 added");
}

#[test]
fn a_pass_that_changes_nothing_is_quiet() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    world.applied();
    world.set("CONTACTSD_LOG", "warn");
    let outcome = world.run("watch --once --log-format json");
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    world.unset("CONTACTSD_LOG");
    let outcome = world.run("watch --once --log-format json");
    assert!(!outcome.stderr.contains("contact."), "{outcome}");
}

#[test]
fn no_value_and_no_credential_stands_in_the_log_of_a_service() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    let said = "bo@example.com belongs to Bo Rook of Engineer Inc";
    remote.tap.answer("bo@example.com", 422, &json!({ "error": said }));
    let outcome = world.run("watch --once --log-format json");
    assert_eq!(outcome.code, Some(1));
    let rejected = saying(&objects(&outcome.stderr), "Apollo rejected contact.bo").clone();
    assert_eq!(rejected["level"], "ERROR");
    assert_eq!(rejected["place"], "contacts.d/team.yaml:3:8");
    assert_eq!(rejected["span"]["key"], "bo");
    let never = ["@", "Rook", "Engineer", KEY];
    assert!(never.iter().all(|text| !outcome.stderr.contains(text)), "{outcome}");
    // What a value is wrong with says the page of the mistake; the value stays where it is.
    world.team("contacts:\n  ada: {email: ada@@example.com}\n");
    let outcome = world.run("watch --once --log-format text");
    assert!(outcome.stderr.contains("ERROR") && outcome.stderr.contains("code=\"E015\""), "{outcome}");
    assert!(never.iter().all(|text| !outcome.stderr.contains(text)), "{outcome}");
    world.team(TEAM);
    world.set("CONTACTSD_LOG", "debug");
    let outcome = world.run("watch --once --log-format json");
    objects(&outcome.stderr);
    assert!(outcome.stderr.contains("Bo Rook") && !outcome.stderr.contains(KEY), "{outcome}");
}

#[test]
fn what_keeps_a_service_from_beginning_stands_in_its_log() {
    let world = World::with(TEAM);
    let outcome = world.run("watch --log-format json");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    let objects = objects(&outcome.stderr);
    let failed = saying(&objects, "No usable credential");
    assert_eq!(failed["level"], "ERROR");
    assert!(failed["detail"].as_str().unwrap().contains("APOLLO_API_KEY"), "{failed}");
}

#[test]
fn in_the_journal_lines_begin_with_their_priority() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&remote);
    remote.tap.answer("ada@example.com", 422, &json!({"error": "no"}));
    let outcome = world.run_in_journal("watch --once");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome}");
    assert!(outcome.stderr.lines().all(|line| line.starts_with('<')), "{outcome}");
    let starts = |priority: &str, text: &str| {
        outcome.stderr.lines().any(|line| line.starts_with(priority) && line.contains(text))
    };
    assert!(starts("<6>", "Plan: 1 to add"), "{outcome}");
    assert!(starts("<3>", "Apollo rejected contact.ada"), "{outcome}");
    // Told by a log alone: on a terminal or in a pipe it is text for people.
    let outcome = world.run("watch --once");
    assert!(
        outcome.stdout.contains("Plan: 1 to add") && outcome.stderr.contains("Error: Apollo rejected"),
        "{outcome}"
    );
}

#[test]
fn a_level_that_is_none_is_said_and_the_usual_one_holds() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    world.set("CONTACTSD_LOG", "contactsd=loud");
    let outcome = world.run("watch --once --log-format json");
    let objects = objects(&outcome.stderr);
    assert_eq!(saying(&objects, "CONTACTSD_LOG has")["level"], "WARN");
    saying(&objects, "contact.ada: Creation complete");
}

/// Waits until the service has made a pass, and returns its status.
fn passed(world: &World, reached: impl Fn(&Value) -> bool) -> Value {
    loop {
        let outcome = world.run("status --json");
        let service = serde_json::from_str::<Value>(&outcome.stdout).map(|status| status["service"].clone());
        if let Ok(service) = service
            && service["last_good_pass"].is_string()
            && reached(&service)
        {
            return service;
        }
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing_and_status_says_so() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let watching = world.start_into("watch --log-format json", full);
    let service = passed(&world, |service| service["dropped_lines"] != 0);
    assert_eq!(service["ready"], true, "{service}");
    assert!(service["output_error"].as_str().unwrap().contains("No space left"), "{service}");
    assert!(world.run("status").stdout.contains("of output w"), "status says it");
    assert_eq!(remote.contacts().len(), 2);
    watching.signal(rustix::process::Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
}

#[test]
fn a_log_that_nobody_reads_stops_nothing_and_one_signal_ends_the_service() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let (_reader, writer) = std::io::pipe().unwrap();
    fill(&writer);
    let watching = world.start_into("watch --log-format json", writer);
    passed(&world, |service| service["pending"] == 0);
    assert_eq!(remote.contacts().len(), 2);
    watching.signal(rustix::process::Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
}

/// Fills a pipe, so that the next write to it waits.
fn fill(writer: &std::io::PipeWriter) {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut beside = std::fs::File::options()
        .write(true)
        .custom_flags(nonblocking)
        .open(format!("/proc/self/fd/{}", writer.as_raw_fd()))
        .unwrap();
    while beside.write(&[b'\n'; 4096]).is_ok() {}
}
