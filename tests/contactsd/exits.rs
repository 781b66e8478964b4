//! Each verb ends with each code that `docs/exit-codes.md` lists for it.

use std::collections::BTreeSet;
use std::io::Write;

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Remote, World};

const ADA: &str = "contacts:\n  ada: {email: ada@example.com}\n";
const BROKEN: &str = "contacts:\n  ada: {email: broken}\n";

/// What was provoked: verb and code, as the page lists them.
#[derive(Default)]
struct Provoked(BTreeSet<(String, i32)>);

impl Provoked {
    #[track_caller]
    fn run(&mut self, world: &World, verb: &str, rest: &str, code: i32) {
        let outcome = world.run(&format!("{verb} {rest}"));
        assert_eq!(outcome.code, Some(code), "{verb} {rest}\n{outcome}");
        self.0.insert((verb.to_owned(), code));
    }

    /// Ends a command whose request is held back, by a signal, or by two where one would be code 0.
    #[track_caller]
    fn interrupt(&mut self, verb: &str, rest: &str, (signal, code): (Signal, i32)) {
        let remote = Remote::start();
        let id = remote.seed(json!({"email": "ada@example.com"}));
        let world = World::with(ADA).against(&remote);
        remote.tap.hold_after(0);
        let mut running = world.start(&format!("{verb} {}", rest.replace("ID", &id)));
        remote.tap.wait_until_held(1);
        running.signal(signal);
        running.wait_for("Stopping");
        if verb == "watch" {
            running.signal(signal);
        } else {
            remote.tap.release();
        }
        let outcome = running.finish();
        assert_eq!(outcome.code, Some(code), "{verb}\n{outcome}");
        self.0.insert((verb.to_owned(), code));
        remote.tap.release();
    }
}

/// Returns what the page promises.
fn promised() -> BTreeSet<(String, i32)> {
    let page =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| {
        let (verb, rest) = row.split_once("` | ").unwrap();
        (verb.to_owned(), rest.split(' ').next().unwrap().parse().unwrap())
    });
    rows.collect()
}

#[test]
fn every_verb_ends_with_every_code_that_is_promised() {
    let mut provoked = Provoked::default();
    files_and_words(&mut provoked);
    plans_and_applies(&mut provoked);
    state(&mut provoked);
    service(&mut provoked);
    signals(&mut provoked);
    let promised = promised();
    let missing: Vec<_> = promised.difference(&provoked.0).collect();
    assert!(missing.is_empty(), "promised and not provoked: {missing:?}");
    let unknown: Vec<_> = provoked.0.difference(&promised).collect();
    assert!(unknown.is_empty(), "provoked and not promised: {unknown:?}");
}

#[test]
fn a_mistake_of_usage_is_one_with_every_verb() {
    let world = World::with(ADA);
    let verbs: BTreeSet<String> = promised().into_iter().map(|(verb, _)| verb).collect();
    assert!(verbs.len() > 10);
    for verb in verbs {
        let outcome = world.run(&format!("{verb} --no-such-flag"));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{verb}");
        assert!(outcome.stderr.contains(&format!("contactsd {verb} --help")), "{outcome}");
        assert_eq!(world.run(&format!("{verb} --help")).code, Some(0), "{verb}");
    }
}

fn files_and_words(provoked: &mut Provoked) {
    let good = World::with(ADA);
    let bad = World::with(BROKEN);
    provoked.run(&World::new(), "init", "", 0);
    provoked.run(&good, "init", "--dir contacts.d/team.yaml/below", 1);
    provoked.run(&good, "validate", "", 0);
    provoked.run(&bad, "validate", "", 1);
    provoked.run(&good, "schema", "contacts", 0);
    provoked.run(&good, "schema", "nonsense", 1);
    provoked.run(&good, "fmt", "", 0);
    provoked.run(&bad, "fmt", "", 1);
    good.write("people.csv", "First Name,Last Name,Connected On\nBo,Lund,06 Dec 2025\n");
    provoked.run(&good, "convert", "people.csv", 0);
    provoked.run(&good, "convert", "nowhere.csv", 1);
    provoked.run(&good, "explain", "e011", 0);
    provoked.run(&good, "explain", "E999", 1);
    provoked.run(&good, "completions", "bash", 0);
    provoked.run(&good, "completions", "klingon", 1);
    provoked.run(&good, "man", "", 0);
    provoked.run(&good, "man", "contacts.d/team.yaml/pages", 1);
    provoked.run(&good, "version", "", 0);
    // A disk that is full.
    let outcome = good.run_into("/dev/full", "version");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    provoked.0.insert(("version".to_owned(), 1));
}

fn plans_and_applies(provoked: &mut Provoked) {
    let remote = Remote::start();
    let world = World::with(BROKEN).against(&remote);
    for verb in ["plan", "apply", "watch"] {
        let rest = if verb == "watch" { "--once" } else { "" };
        provoked.run(&world, verb, rest, 1);
    }
    world.team(ADA);
    provoked.run(&world, "plan", "", 0);
    provoked.run(&world, "plan", "--detailed-exitcode", 2);
    provoked.run(&world, "watch", "--once", 0);
    provoked.run(&world, "apply", "--auto-approve", 0);
    provoked.run(&world, "plan", "--detailed-exitcode", 0);
    provoked.run(&world, "drift", "--detailed-exitcode", 0);
    let id = remote.contact("email", "ada@example.com")["id"].as_str().unwrap().to_owned();
    remote.edit(&id, &json!({"email": "bob@example.com"}));
    provoked.run(&world, "drift", "--detailed-exitcode", 2);
    provoked.run(&world, "drift", "--dir nowhere", 1);
    provoked.run(&world, "show", "", 0);
    provoked.run(&world, "show", "contacts.d/team.yaml", 1);
    let remote = Remote::start();
    let id = remote.seed(json!({"email": "ada@example.com"}));
    let world = World::with(ADA).against(&remote);
    provoked.run(&world, "probe", "--auto-approve", 0);
    provoked.run(&world, "probe", "", 1);
    provoked.run(&world, "export", "--out -", 0);
    provoked.run(&world, "export", "--list Nobody", 1);
    provoked.run(&world, "lookup", "stages", 0);
    provoked.run(&World::new(), "lookup", "stages", 1);
    provoked.run(&world, "why", "ada", 0);
    provoked.run(&world, "why", "nobody", 1);
    provoked.run(&world, "import", &format!("ada {id} --auto-approve"), 0);
    provoked.run(&world, "import", &format!("ada {id} --auto-approve"), 1);
    provoked.run(&world, "forget", "--purge nobody --auto-approve", 0);
    provoked.run(&world, "forget", "--purge ada --auto-approve", 1);
}

fn state(provoked: &mut Provoked) {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    world.applied();
    provoked.run(&world, "state", "", 1);
    provoked.run(&world, "state list", "", 0);
    provoked.run(&world, "state show", "ada", 0);
    provoked.run(&world, "state show", "nobody", 1);
    provoked.run(&world, "state mv", "nobody bo --auto-approve", 1);
    provoked.run(&world, "state mv", "ada bo --auto-approve", 0);
    provoked.run(&world, "state pull", "", 0);
    provoked.run(&world, "state pull", "--state nowhere", 1);
    world.write("kept.jsonl", &world.run("state pull").stdout);
    provoked.run(&world, "state push", "kept.jsonl --auto-approve", 0);
    provoked.run(&world, "state push", "contacts.d/team.yaml --auto-approve", 1);
    provoked.run(&world, "state rm", "nobody --auto-approve", 1);
    provoked.run(&world, "state rm", "bo --auto-approve", 0);
    provoked.run(&world, "state check", "", 0);
    provoked.run(&world, "state recover", "--auto-approve", 0);
    provoked.run(&world, "state clean", "--auto-approve", 0);
    provoked.run(&world, "state rebuild", "--auto-approve", 0);
    provoked.run(&world, "state rebuild", "", 1);
    for verb in ["state check", "state recover", "state clean"] {
        let approval = if verb == "state check" { "" } else { "--auto-approve" };
        provoked.run(&world, verb, &format!("{approval} --state nowhere"), 1);
    }
    // What stands there is no state.
    world.write("elsewhere/head", "nonsense");
    provoked.run(&world, "state list", "--state elsewhere", 1);
    provoked.run(&world, "status", "", 0);
    provoked.run(&world, "status", "--state elsewhere", 1);
}

fn service(provoked: &mut Provoked) {
    let remote = Remote::start();
    let world = World::with(ADA).against(&remote);
    for (verb, rest) in [("pause", ""), ("resume", ""), ("approve", "00000000000000000000000000000000")] {
        provoked.run(&world, verb, rest, 1);
    }
    let mut watching = world.start("watch --max-creates 0");
    let shown = watching.wait_for("To apply exactly this plan");
    let digest = shown.split("approve ").nth(1).unwrap()[..32].to_owned();
    provoked.run(&world, "approve", &digest, 0);
    provoked.run(&world, "pause", "", 0);
    provoked.run(&world, "resume", "", 0);
}

fn signals(provoked: &mut Provoked) {
    for end in [(Signal::INT, 130), (Signal::TERM, 143)] {
        provoked.interrupt("apply", "--auto-approve", end);
        provoked.interrupt("import", "ada ID --auto-approve", end);
        provoked.interrupt("watch", "", end);
        provoked.interrupt("probe", "--auto-approve", end);
        let remote = Remote::start();
        let id = remote.seed(json!({"email": "ada@example.com"}));
        let world = World::with(&format!("contacts:\n  ada: {{email: ada@example.com, apollo_id: {id}}}\n"));
        let world = world.against(&remote);
        // Searches are not held back, and one contact is viewed.
        for (verb, rest) in [("state rebuild", "--auto-approve"), ("drift", "")] {
            remote.tap.hold_after(0);
            let mut looking = world.start(&format!("{verb} {rest}"));
            remote.tap.wait_until_held(1);
            looking.signal(end.0);
            looking.wait_for("Stopping");
            remote.tap.release();
            assert_eq!(looking.finish().code, Some(end.1));
            provoked.0.insert((verb.to_owned(), end.1));
            world.applied();
        }
        provoked.interrupt("lookup", "stages", end);
        provoked.interrupt("export", "", end);
        let world = World::new();
        let mut serving = world.start("sandbox --listen 127.0.0.1:0");
        serving.wait_for("to end it");
        serving.signal(end.0);
        assert_eq!(serving.finish().code, Some(0));
        provoked.0.insert(("sandbox".to_owned(), 0));
    }
    provoked.run(&World::new(), "sandbox", "--listen 127.0.0.1:0 --data /dev/null/data", 1);
}

#[test]
fn as_the_first_process_of_a_container_a_signal_ends_what_waits() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&remote);
    let mut watching = match world.start_first("status --watch") {
        Ok(watching) => watching,
        Err(why) => {
            let text = format!("SKIPPED: signals to the first process of a container: {why}\n");
            return std::io::stderr().write_all(text.as_bytes()).unwrap();
        }
    };
    watching.wait_for("No service is running");
    watching.signal_child(Signal::TERM);
    assert_eq!(watching.finish().code, Some(143));
    let mut service = world.start("watch");
    service.wait_for("Apply complete");
    let mut waiting = world.start_first("apply --auto-approve --lock-timeout 1h").unwrap();
    waiting.wait_for("Acquiring state lock");
    waiting.signal_child(Signal::INT);
    assert_eq!(waiting.finish().code, Some(130));
}
