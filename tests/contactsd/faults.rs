//! Apollo misbehaves: nothing is sent twice that must not be, and nothing is claimed that is not so.

use contactsd::sandbox::{Action, DedupeReading};
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{KEY, Remote, World, numbered};

const READINGS: [DedupeReading; 2] = [DedupeReading::Overwrite, DedupeReading::ReturnExisting];

/// One entry for each way in which Apollo can, or cannot, recognize a person.
const KINDS: [&str; 4] = [
    "contacts:\n  ada: {email: ada@example.com, title: Engineer, mobile_phone: +15550100200}\n",
    "contacts:\n  ada: {first_name: Ada, last_name: Quill, organization_name: Engines, label_names: [North]}\n",
    "contacts:\n  ada: {email: ada@example.com, title: Engineer, run_dedupe: false}\n",
    "contacts:\n  ada: {first_name: Ada, last_name: Quill, title: Engineer}\n",
];

#[test]
fn a_create_whose_answer_is_lost_is_settled_and_never_doubled() {
    for reading in READINGS {
        for entry in KINDS {
            settles("create:lost-reply=1", reading, entry);
        }
    }
}

#[test]
fn a_create_with_half_an_answer_or_none_of_apollos_is_settled_too() {
    for fault in ["create:html-502=1", "create:truncated=1"] {
        for entry in &KINDS[1..3] {
            settles(fault, DedupeReading::ReturnExisting, entry);
        }
    }
}

/// Applies `entry` under `fault`, which comes after the server's work, and once more without it.
#[track_caller]
fn settles(fault: &str, reading: DedupeReading, entry: &str) {
    let remote = Remote::reading(reading);
    remote.set_faults(fault);
    let world = World::with(entry).against(&remote).one_by_one();
    let first = world.apply();
    assert_eq!(first.code, Some(1), "{first}");
    assert_eq!(remote.contacts().len(), 1);
    assert_eq!(world.run("state list").stdout, "");
    remote.set_faults("");
    let second = world.applied();
    assert_eq!(remote.contacts().len(), 1, "{fault} {reading:?} {entry}\n{second}");
    assert_eq!(remote.requests(Action::Create), 1, "{fault} {reading:?} {entry}\n{second}");
    assert_eq!(world.run("state list").stdout, "contact.ada\n");
    world.applied().is_clean();
}

#[test]
fn a_create_that_never_arrived_is_sent_again_once() {
    for entry in KINDS {
        let remote = Remote::start();
        remote.set_faults("create:cut-before=1");
        let world = World::with(entry).against(&remote).one_by_one();
        assert_eq!(world.apply().code, Some(1));
        assert!(remote.contacts().is_empty());
        remote.set_faults("");
        let second = world.applied();
        assert_eq!(remote.contacts().len(), 1, "{entry}\n{second}");
        world.applied().is_clean();
        assert_eq!(remote.requests(Action::Create), 2);
    }
}

#[test]
fn the_doubt_about_a_create_is_shown_and_so_is_its_end() {
    let remote = Remote::start();
    remote.set_faults("create:lost-reply=1");
    let world = World::with(KINDS[0]).against(&remote).one_by_one();
    assert_snapshot!(world.apply().after_plan(), @r"
    contact.ada: Creating...
    Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.
    What is done is recorded: correct what the errors name, then run the command again.
    [stderr]
    Error: It is unknown whether contact.ada was created

      with contact.ada,
      contacts.d/team.yaml:2:3
       2:   ada: {email: ada@example.com, title: Engineer, mobile_phone: +15550100200}
            ^^^

    POST http://127.0.0.1:[PORT]/api/v1/contacts: the connection broke before the answer was complete:
    error sending request: client error (SendRequest): connection closed before message completed
    The next apply first checks whether the contact is there, before anything is sent again.
    [exit 1]
    ");
    remote.set_faults("");
    assert_snapshot!(world.run("plan --detailed-exitcode"), @r#"
    Actions are indicated with the following symbols:
      ? settle

    contactsd will perform the following actions:

      # contact.ada: outcome of an earlier create is unknown
      # (sent, but never answered: contactsd looks for it in Apollo, and sends it again only if it is not there)
      ? contact "ada" {
            email = "ada@example.com"
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Also: 1 to settle.
    Requests: up to 1 create, up to 2 search; no wait for quota (600 requests an hour of each kind are
    assumed until Apollo tells its limits).
    Digest: [DIGEST]

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Run "contactsd apply --api-url http://127.0.0.1:[PORT]/api/v1" to perform these actions. It plans
    again, and asks before anything is sent.
    [exit 2]
    "#);
    assert_snapshot!(world.apply().after_plan(), @r"
    contact.ada: Settling...
    contact.ada: Settled after 0s [id=[ID1]]
    Apply complete! Resources: 0 added, 0 changed, 0 destroyed.
    Also: 1 settled.
    [exit 0]
    ");
}

#[test]
fn a_search_that_lags_doubles_no_contact_that_dedupe_can_match() {
    for reading in READINGS {
        for entry in &KINDS[..2] {
            let remote = Remote::with(|options| {
                options.dedupe = reading;
                options.search_lag = std::time::Duration::from_hours(1);
            });
            remote.set_faults("create:lost-reply=1");
            let world = World::with(entry).against(&remote).one_by_one();
            world.apply();
            remote.set_faults("");
            world.applied();
            assert_eq!(remote.contacts().len(), 1, "{reading:?} {entry}");
            world.applied().is_clean();
        }
    }
}

#[test]
fn a_settled_create_is_brought_to_what_the_file_says_by_then() {
    let remote = Remote::start();
    remote.set_faults("create:lost-reply=1");
    let world = World::with(KINDS[0]).against(&remote).one_by_one();
    world.apply();
    remote.set_faults("");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    world.edit("contacts.d/team.yaml", "  ada:", "  countess:");
    world.applied();
    assert_eq!(remote.column("title"), ["Director"]);
    assert_eq!(world.run("state list").stdout, "contact.countess\n");
    world.applied().is_clean();
}

#[test]
fn an_update_is_sent_again_after_a_failure_of_the_server() {
    let remote = Remote::start();
    let world = World::with(KINDS[0]).against(&remote).one_by_one();
    world.applied();
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    remote.set_faults("update:error-500=1");
    let mut running = world.start("apply --auto-approve");
    running.wait_for("Modifying...");
    remote.tap.wait_until_sent(2);
    remote.set_faults("");
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(outcome.summary(), "Apply complete! Resources: 0 added, 1 changed, 0 destroyed.");
    assert_eq!(remote.column("title"), ["Director"]);
    world.applied().is_clean();
}

#[test]
fn a_refused_credential_stops_the_run_with_what_to_do() {
    let remote = Remote::with(|options| options.api_keys = vec!["another".to_owned()]);
    let world = World::with(&numbered(0..5)).against(&remote);
    assert_snapshot!(world.run("apply --auto-approve --parallelism 1").after_plan(), @"
    [stderr]
    Error: Apollo refused the credential

    GET http://127.0.0.1:[PORT]/api/v1/users/api_profile answered 401: Invalid access credentials.
    Nothing further was sent. Check APOLLO_API_KEY (or APOLLO_ACCESS_TOKEN for an OAuth token): you
    make an API key in Apollo under Settings > Integrations > API. Apollo refuses an API key in
    APOLLO_ACCESS_TOKEN.
    [exit 1]
    ");
    assert_eq!((remote.requests(Action::Profile), remote.requests(Action::Create)), (1, 0));
    assert_eq!(world.run("plan --detailed-exitcode").code, Some(2));
}

#[test]
fn a_missing_scope_is_named_and_stops_its_own_kind_only() {
    let remote = Remote::with(|options| options.missing_scopes = [Action::Create].into());
    let id = remote.seed(json!({"email": "bo@example.com"}));
    let world = World::with(&format!(
        "contacts:\n  ada: {{email: ada@example.com}}\n  bo: {{apollo_id: {id}}}\n  \
                                      cy: {{email: cy@example.com}}\n"
    ));
    let world = world.against(&remote).one_by_one();
    let outcome = world.apply();
    assert_snapshot!(outcome.errors(), @"

    Error: The credential is not allowed to create contacts

    POST http://127.0.0.1:[PORT]/api/v1/contacts answered 403: api/v1/contacts/create is not accessible
    with this api_key
    The key needs the scope api/v1/contacts/create (or must be a master key). No further request of
    this kind was sent; everything else continued.
    ");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(world.run("state list").stdout, "contact.bo\n");
    assert_eq!(remote.requests(Action::Create), 1);
}

#[test]
fn a_create_in_doubt_is_settled_without_the_scope_to_search() {
    let remote = Remote::with(|options| options.missing_scopes = [Action::Search].into());
    remote.set_faults("create:lost-reply=1");
    let world = World::with(KINDS[0]).against(&remote).one_by_one();
    world.apply();
    remote.set_faults("");
    let outcome = world.applied();
    assert_eq!(remote.contacts().len(), 1, "{outcome}");
    world.applied().is_clean();
}

#[test]
fn a_used_up_quota_ends_the_run_with_true_counts() {
    let remote = Remote::with(|options| options.quota = "3/m".parse().unwrap());
    let world = World::with(&numbered(0..5)).against(&remote).one_by_one();
    let outcome = world.run("apply --auto-approve --max-wait 0s");
    assert_eq!(outcome.code, Some(1));
    let summary = "Apply incomplete. Resources: 3 added, 0 changed, 0 destroyed. 0 failed, 2 remaining.";
    assert_eq!(outcome.summary(), summary, "{outcome}");
    assert_eq!(outcome.stderr, "");
    assert_snapshot!(outcome.after_plan().lines().skip_while(|line| !line.starts_with("Apply")).collect::<Vec<_>>().join("\n"), @r"
    Apply incomplete. Resources: 3 added, 0 changed, 0 destroyed. 0 failed, 2 remaining.
    The search quota opens again in [N]m, longer than --max-wait allows. What is done is recorded: run the command again to do the rest.
    [exit 1]
    ");
    assert_eq!(remote.contacts().len(), 3);
    assert_eq!(remote.requests(Action::Create), 3, "the headers tell before a request is wasted");
}

#[test]
fn a_429_without_warning_ends_the_run_when_it_may_not_wait() {
    let remote = Remote::start();
    let message = json!({"message": "The maximum number of api calls allowed is 1 times per hour."});
    remote.tap.answer("ada@example.com", 429, &message);
    let world = World::with(KINDS[0]).against(&remote).one_by_one();
    let outcome = world.run("apply --auto-approve --max-wait 0s");
    assert_snapshot!(outcome.after_plan(), @r"
    contact.ada: Creating...
    Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 0 failed, 1 remaining.
    The create quota opens again in [N]m, longer than --max-wait allows. What is done is recorded: run the command again to do the rest.
    [exit 1]
    ");
    assert_eq!(remote.contacts().len(), 0);
}

#[test]
fn a_fault_in_a_hundred_entries_costs_no_second_contact() {
    for seed in [1, 2] {
        let remote = Remote::with(|options| options.seed = seed);
        remote.set_faults("create:lost-reply=0.2,create:html-502=0.1,create:cut-before=0.1,create:truncated=0.1");
        let world = World::new().against(&remote).one_by_one();
        crate::support::hundred_in_fifty_files(&world);
        let first = world.apply();
        assert_eq!(first.code, Some(1), "{first}");
        remote.set_faults("");
        world.applied();
        let mut emails = remote.column("email");
        assert_eq!(emails.len(), 100);
        emails.sort_unstable();
        emails.dedup();
        assert_eq!(emails.len(), 100);
        world.applied().is_clean();
    }
}

#[test]
fn a_pause_that_apollo_asks_for_holds_for_the_whole_action_and_for_the_next_run() {
    for (status, headers) in [
        ("429 Too Many Requests", "retry-after: 2000"),
        ("429 Too Many Requests", "date: Sat, 28 Nov 2026 16:00:00 GMT\r\nretry-after: Sat, 28 Nov 2026 16:30:00 GMT"),
        ("503 Service Unavailable", "retry-after: 2000"),
        (
            "503 Service Unavailable",
            "date: Sat, 28 Nov 2026 16:00:00 GMT\r\nretry-after: Sat, 28 Nov 2026 16:30:00 GMT",
        ),
        ("503 Service Unavailable", "retry-after: 100000000"),
    ] {
        let remote = Remote::start();
        remote.tap.answer_with("", &format!("{status}\r\n{headers}"), r#"{"message": "later"}"#);
        let world = World::with(&numbered(0..20)).against(&remote);
        let creates = || remote.take_sent().iter().filter(|sent| sent.call == "POST /api/v1/contacts").count();
        let first = world.run("apply --auto-approve --max-wait 1s");
        assert_eq!((first.code, creates()), (Some(1), 1), "{status} {headers}: {first}");
        for _ in 0..2 {
            let again = world.run("apply --auto-approve --max-wait 1s");
            assert_eq!((again.code, creates()), (Some(1), 0), "{status} {headers}: {again}");
        }
        let shown = world.run("apply --auto-approve --max-wait 1s --json").stdout;
        assert!(shown.contains("quota_exhausted"), "{shown}");
    }
}

#[test]
fn an_apollo_that_cannot_be_reached_is_told_once() {
    // A port that nobody listens at: it was the system's choice a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut world = World::new();
    world.set("APOLLO_API_KEY", "test");
    world.team(&numbered(0..20));
    // Until it has answered once, an address is given up after 30 s, or sooner where that is said.
    let line = format!("apply --auto-approve --retry-base 1ms --max-wait 1s --api-url http://127.0.0.1:{port}/api/v1");
    let outcome = world.run(&line);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
    assert!(outcome.stderr.contains("Error: Apollo cannot be reached"), "{outcome}");
    assert!(outcome.stderr.contains("Check the network"), "{outcome}");
    assert_eq!(outcome.stdout.matches("Apollo does not answer profile requests.").count(), 1, "{outcome}");
    // Nothing was sent, so nothing is in doubt.
    let plan = world.run(&format!("plan --api-url http://127.0.0.1:{port}/api/v1"));
    assert!(plan.stdout.contains("Plan: 20 to add, 0 to change, 0 to destroy.\nRequests"), "{plan}");
}

#[test]
fn a_server_that_fails_at_everything_is_asked_little() {
    for fault in ["error-500=1", "html-502=1", "cut-before=1"] {
        let remote = Remote::start();
        remote.set_faults(fault);
        let world = World::with(&numbered(0..400)).against(&remote);
        let outcome = world.run("apply --auto-approve --retry-base 5ms --max-wait 1s");
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let all = [Action::Create, Action::Search, Action::Profile].map(|action| remote.requests(action));
        // Ten under way when the third failed, then one at a time, from 10 ms to a second: eight.
        assert!(all.iter().sum::<u64>() <= 40, "{fault}: {all:?}\n{outcome}");
        assert!(outcome.stderr.contains("Error: Apollo "), "{outcome}");
        assert!(outcome.stdout.contains(" remaining."), "{outcome}");
    }
}

#[test]
fn creates_that_fail_leave_few_doubts_and_cost_few_searches() {
    let remote = Remote::start();
    remote.set_faults("create:error-500=1");
    let world = World::with(&numbered(0..400)).against(&remote).one_by_one();
    let outcome = world.run("apply --auto-approve --retry-base 5ms --max-wait 1s --json");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    let (creates, searches) = (remote.requests(Action::Create), remote.requests(Action::Search));
    assert!(creates <= 20, "{creates} creates\n{outcome}");
    // Whoever waits for creates to go out again looks when they do, not before.
    assert!(searches <= 100, "{searches} searches\n{outcome}");
    assert_eq!(outcome.stdout.matches("\"reason\":\"outage\"").count(), 1, "{outcome}");
    let doubts = world.run("plan").stdout.matches("outcome of an earlier create is unknown").count();
    assert_eq!(u64::try_from(doubts).unwrap(), creates);
    remote.set_faults("");
    world.applied();
    assert_eq!(remote.contacts().len(), 400);
    world.applied().is_clean();
}

#[test]
fn what_apollo_says_of_many_contacts_in_the_same_words_is_one_message_with_a_count() {
    let remote = Remote::start();
    remote.tap.answer("@example.com", 422, &json!({"error": "Parameters misconfigured. no more contacts"}));
    let world = World::new().against(&remote);
    world.team(&numbered(0..150));
    let outcome = world.run("apply --auto-approve --concise");
    assert_eq!(outcome.stderr.matches("Apollo says:").count(), 1, "{outcome}");
    assert!(outcome.stderr.contains("Error: 150 contacts have the same error: Apollo rejected contact."), "{outcome}");
    assert!(outcome.stderr.contains("and 139 more contacts"), "{outcome}");
    assert!(outcome.summary().ends_with("150 failed, 0 remaining."), "{outcome}");
}

/// Pages that contradict themselves say nothing about who is there: a second contact was made of it.
#[test]
fn pages_that_leave_somebody_out_are_not_taken_for_nobody() {
    let row = json!({"id": "66f0c1000000000000000009", "first_name": "Zoe", "last_name": "Ros", "created_at": "2099-01-01T00:00:00.000Z"});
    let empty = json!({"contacts": [], "pagination": {"page": 1, "total_pages": 1, "total_entries": 1}});
    let repeated = json!({"contacts": [row], "pagination": {"page": 1, "total_pages": 2, "total_entries": 2}});
    for page in [empty, repeated] {
        let remote = Remote::start();
        let world =
            World::with("contacts:\n  bob: {first_name: Bob, last_name: Nomail}\n").against(&remote).one_by_one();
        remote.set_faults("create:lost-reply=1");
        assert_eq!(world.run("apply --auto-approve --settle-after 0s").code, Some(1));
        assert_eq!(remote.contacts().len(), 1);
        remote.set_faults("");
        remote.tap.answer_key(KEY, "/contacts/search", 200, &page);
        let unsure = world.run("apply --auto-approve --settle-after 0s");
        assert!(
            unsure.code == Some(1) && unsure.stderr.contains("Cannot tell whether contact.bob was created"),
            "{unsure}"
        );
        assert_eq!(remote.contacts().len(), 1, "{unsure}");
    }
    let remote = Remote::start();
    let empty = json!({"contacts": [], "pagination": {"page": 1, "total_pages": 1, "total_entries": 1}});
    remote.tap.answer_key(KEY, "/contacts/search", 200, &empty);
    let world = World::with("contacts:\n  bob: {first_name: Bob, last_name: Nomail}\n").against(&remote).one_by_one();
    let unsure = world.run("apply --auto-approve");
    assert!(unsure.code == Some(1) && unsure.stderr.contains("does not show all contacts"), "{unsure}");
    assert_eq!(remote.contacts().len(), 0);
}
