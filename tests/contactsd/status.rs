//! `contactsd status`, and the same over HTTP.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Remote, Running, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

/// Asks a server in raw HTTP; returns status and body.
#[track_caller]
pub(crate) fn ask(address: &str, request: &str) -> (u16, String) {
    say(TcpStream::connect(address).unwrap(), request)
}

#[track_caller]
fn say(mut stream: impl Read + Write, request: &str) -> (u16, String) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[track_caller]
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n"))
}

/// Reads on until the service says where it answers.
#[track_caller]
pub(crate) fn address(watching: &mut Running<'_>) -> String {
    let line = watching.wait_for("Status at http://");
    line.trim().trim_start_matches("Status at http://").trim_end_matches('/').to_owned()
}

/// Reads on until a pass over new files is over and its outcome can be asked for.
#[track_caller]
fn wait_until(address: &str, holds: impl Fn(&Value) -> bool) -> Value {
    loop {
        let (_, body) = get(address, "/status");
        let status: Value = serde_json::from_str(&body).unwrap();
        if holds(&status["service"]) {
            return status;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_service_answers_probes_scrapers_and_people() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    remote.tap.hold_after(0);
    let mut watching = world.start("watch --listen 127.0.0.1:0");
    let address = address(&mut watching);
    remote.tap.wait_until_held(1);
    assert_eq!(get(&address, "/healthz"), (200, "The service is alive.\n".to_owned()));
    assert_eq!(get(&address, "/readyz"), (503, "Not ready: no pass has ended yet.\n".to_owned()));
    remote.tap.release();
    watching.wait_for("complete");
    let status = wait_until(&address, |service| service["ready"] == true);
    assert_eq!(get(&address, "/readyz").0, 200);
    let service = &status["service"];
    assert_eq!((&service["declared"], &service["failing"]), (&json!(2), &json!([])));
    let (code, metrics) = get(&address, "/metrics");
    assert_eq!(code, 200);
    for line in [
        "contactsd_actions_total{kind=\"create\",outcome=\"done\"} 2",
        "contactsd_requests_total{action=\"create_contacts\",status=\"2xx\"} 2",
        "contactsd_passes_total{outcome=\"applied\"} 1",
        "contactsd_entries_declared 2",
        "contactsd_ready 1",
    ] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line}\n{metrics}");
    }
    assert!(metrics.contains("contactsd_state_bytes "), "{metrics}");
    let stream = UnixStream::connect(world.path(".contactsd/contacts.d/state/watch.sock")).unwrap();
    assert_eq!(say(stream, "GET /readyz HTTP/1.1\r\nhost: service\r\n\r\n").0, 200);
    // The same document, whoever asks.
    let asked: Value = serde_json::from_str(&world.run("status --json").stdout).unwrap();
    assert_eq!(asked["service"]["last_pass"], service["last_pass"]);
    let text = world.run("status");
    assert!(text.stdout.contains("Ready: the last successful pass ended") && text.code == Some(0), "{text}");
    assert!(text.stdout.contains("2 entries declared, 0 actions pending."), "{text}");
    watching.signal(rustix::process::Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
}

#[test]
fn what_fails_and_what_is_held_is_told_without_values() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let said = json!({"error": "bo@example.com is taken by Bo Rook"});
    let head = "422 Told\r\ncontent-type: application/json\r\nx-request-id: r-of-bo";
    remote.tap.answer_with("bo@example.com", head, said.to_string());
    let mut watching = world.start("watch --listen 127.0.0.1:0 --max-updates 0");
    let address = address(&mut watching);
    let status = wait_until(&address, |service| service["failing"] != json!([]));
    let failing = &status["service"]["failing"][0];
    assert_eq!((&failing["key"], &failing["error"]), (&json!("bo"), &json!("Apollo rejected contact.bo")));
    let why = world.run("why bo");
    assert!(why.stdout.contains("The id of the request in Apollo, for its support: r-of-bo"), "{why}");
    let why: Value = serde_json::from_str(&world.run("why bo --json").stdout).unwrap();
    assert_eq!(why["failing"]["request_id"], "r-of-bo", "{why}");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    let status = wait_until(&address, |service| service["braked"] != Value::Null);
    let digest = status["service"]["braked"]["digest"].as_str().unwrap();
    let text = world.run("status");
    assert!(text.stdout.contains(&format!("To apply it once: contactsd approve {digest}")), "{text}");
    for path in ["/status", "/metrics", "/readyz", "/healthz"] {
        let (_, body) = get(&address, path);
        assert!(!body.contains('@') && !body.contains("Rook") && !body.contains("Engineer"), "{path}: {body}");
    }
    let (_, metrics) = get(&address, "/metrics");
    assert!(metrics.contains("\ncontactsd_plan_braked 1\n"), "{metrics}");
    assert!(metrics.contains("contactsd_actions_total{kind=\"create\",outcome=\"failed\"} 1"), "{metrics}");
}

#[test]
fn pages_of_the_web_get_no_answer_and_nothing_can_be_changed() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch --listen 127.0.0.1:0 --listen-name status.example.com,contactsd");
    let address = address(&mut watching);
    let as_host = |host: &str| ask(&address, &format!("GET /status HTTP/1.1\r\nhost: {host}\r\n\r\n")).0;
    assert_eq!(as_host("evil.example.net"), 421);
    for host in ["status.example.com", "contactsd:8080", "10.0.0.7:8080", "localhost"] {
        assert_eq!(as_host(host), 200, "{host}");
    }
    assert_eq!(ask(&address, &format!("POST /status HTTP/1.1\r\nhost: {address}\r\n\r\n")).0, 405);
}

#[test]
fn an_address_that_others_can_reach_is_warned_about_and_a_taken_one_is_an_error() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let outcome = world.run("watch --once --listen 0.0.0.0:0");
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stderr.contains("Warning: Other machines can reach the status address"), "{outcome}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let outcome = world.run(&format!("watch --listen {}", taken.local_addr().unwrap()));
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("Error: The status address cannot be used"), "{outcome}");
    world.write("contactsd.toml", "listen = '0.0.0.0:80'\n");
    let outcome = world.run("watch --once");
    assert!(outcome.stderr.contains("a repository must not set `listen`"), "{outcome}");
}

#[test]
fn without_a_service_the_state_is_told() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    assert_snapshot!(world.run("status"), @"
    No service is running for this state.
    There is no state yet: `contactsd apply --api-url http://127.0.0.1:[PORT]/api/v1` or `contactsd watch --api-url http://127.0.0.1:[PORT]/api/v1` makes it.
    [exit 0]
    ");
    world.applied();
    let outcome = world.run("status");
    assert!(outcome.stdout.contains("\n2 contacts managed. State serial "), "{outcome}");
    let document: Value = serde_json::from_str(&world.run("status --json").stdout).unwrap();
    assert_eq!((&document["service"], &document["state"]["contacts"]), (&Value::Null, &json!(2)));
    fs::write(world.path(".contactsd/contacts.d/state/head"), "broken").unwrap();
    assert_eq!(world.run("status").code, Some(1));
}

#[test]
fn a_state_with_open_ends_names_them() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote).one_by_one();
    remote.set_faults("create:lost-reply=1");
    world.apply();
    let outcome = world.run("status");
    assert!(outcome.stdout.contains("The outcome of 2 requests is unknown"), "{outcome}");
    assert!(outcome.stdout.contains("\n  contact.ada\n  contact.bo\n"), "{outcome}");
}

#[test]
fn elsewhere_than_on_a_terminal_watching_shows_changes_alone() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("status --watch");
    watching.wait_for("There is no state yet");
    world.applied();
    watching.wait_for("2 contacts managed");
    watching.signal(rustix::process::Signal::INT);
    let outcome = watching.finish();
    assert_eq!(outcome.stdout.matches("No service is running").count(), 2, "{outcome}");
}

#[test]
fn watching_outlives_the_service_that_it_watches() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut service = world.start("watch");
    service.wait_for("Apply complete!");
    let mut watching = world.start("status --watch");
    watching.wait_for(" has watched ");
    service.signal(rustix::process::Signal::KILL);
    assert_eq!(service.finish().code, None);
    watching.wait_for("2 contacts managed");
    let service = world.start("watch");
    watching.wait_for(" has watched ");
    watching.signal(rustix::process::Signal::INT);
    assert_eq!(watching.finish().stderr, "");
    drop(service);
}
