//! A state in PostgreSQL: every verb directly and behind PgBouncer, from more machines than one.
//!
//! A machine is a world of its own: nothing but the database and Apollo is common to two of them.

use std::fs;
use std::io::Read;
use std::sync::LazyLock;

use contactsd::sandbox::Action;
use rustix::process::Signal;

use crate::kill::has_each_once;
use crate::support::postgres::Server;
use crate::support::{KEY, Remote, Running, World, numbered};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";
const COMPLETE: &str = "Apply complete!";

/// The server that tests share, each with states of its own.
fn server() -> Option<&'static Server> {
    static SERVER: LazyLock<Option<Server>> = LazyLock::new(Server::start_for_good);
    SERVER.as_ref()
}

/// Runs a test over each way to a state of its own: directly, and over a pool that hands out connections by
/// transaction.
fn over_each_way(state: &str, test: impl Fn(&str)) {
    let Some(server) = server() else { return };
    test(&server.url(state));
    if let Some(url) = server.pooled_url(&format!("{state}-pooled")) {
        test(&url);
    }
}

/// A machine with the contacts of the team, whose state is in a database.
fn machine(remote: &Remote, url: &str) -> World {
    let mut world = World::with(TEAM).against(remote);
    world.set("CONTACTSD_STATE", url);
    world
}

#[track_caller]
fn succeeds(world: &World, line: &str) -> String {
    let outcome = world.run(line);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome.stdout
}

#[test]
fn every_verb_works_on_a_state_in_a_database() {
    over_each_way("verbs", |url| {
        let remote = Remote::start();
        let world = machine(&remote, url);
        assert!(world.run("plan").stdout.contains("Plan: 2 to add"));
        assert!(succeeds(&world, "status").contains("There is no state yet"));
        assert_eq!(world.applied().summary(), "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
        world.run("plan").is_clean();
        assert_eq!(succeeds(&world, "state list"), "contact.ada\ncontact.bo\n");
        assert!(succeeds(&world, "state show ada").contains("title: Engineer"));
        succeeds(&world, "state mv ada byron --auto-approve");
        world.edit("contacts.d/team.yaml", "ada:", "byron:");
        world.run("plan").is_clean();
        succeeds(&world, "state rm bo --auto-approve");
        let bo = remote.contact("email", "bo@example.com")["id"].as_str().unwrap().to_owned();
        succeeds(&world, &format!("import bo {bo} --auto-approve"));
        world.edit("contacts.d/team.yaml", "Engineer", "Director");
        succeeds(&world, "plan --out saved.plan");
        succeeds(&world, "apply saved.plan");
        world.edit("contacts.d/team.yaml", "Director", "Captain");
        assert!(succeeds(&world, "watch --once").contains("1 changed"));
        assert_eq!(remote.contact("email", "ada@example.com")["title"], "Captain");
        world.run("plan").is_clean();
        assert_eq!(remote.contacts().len(), 2);
        // Another machine finds all of it.
        let other = machine(&remote, url);
        other.team(&fs::read_to_string(world.path("contacts.d/team.yaml")).unwrap());
        remote.take_sent();
        other.run("plan").is_clean();
        other.applied().is_clean();
        assert_eq!(remote.take_calls(), [""; 0]);
        assert!(!other.path(".contactsd").join("shared").exists(), "nothing is kept on the machine");
    });
}

#[test]
fn a_state_has_a_name_of_its_own() {
    let Some(server) = server() else { return };
    let remote = Remote::start();
    let unnamed = server.url("x").replace("?state=x", "");
    let refused = machine(&remote, &unnamed).run("plan");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("it does not name a state: put ?state=NAME at its end"), "{refused}");
    let one = machine(&remote, &server.url("name-one"));
    one.applied();
    let other = machine(&remote, &server.url("name-other"));
    other.team("contacts:\n  eve: {email: eve@example.com}\n");
    other.applied();
    assert_eq!(succeeds(&one, "state list"), "contact.ada\ncontact.bo\n");
    assert_eq!(succeeds(&other, "state list"), "contact.eve\n");
}

#[test]
fn a_state_moves_between_engines_with_lineage_and_serial() {
    over_each_way("moves", |url| {
        let remote = Remote::start();
        let mut world = World::with(TEAM).against(&remote);
        world.applied();
        let local = succeeds(&world, "state pull");
        world.write("local.jsonl", &local);
        world.set("CONTACTSD_STATE", url);
        let pushed = succeeds(&world, "state push local.jsonl --auto-approve");
        assert!(pushed.contains("now: none"), "{pushed}");
        assert_eq!(succeeds(&world, "state pull"), local, "not a byte is lost on the way");
        assert!(succeeds(&world, "state push local.jsonl --auto-approve").contains("already holds exactly this"));
        world.run("plan").is_clean();
        // What was pulled is older once the database has gone on.
        world.edit("contacts.d/team.yaml", "Engineer", "Director");
        world.applied();
        let older = world.run("state push local.jsonl --auto-approve");
        assert!(older.stderr.contains("is older, at serial 2"), "{older}");
        let ahead = succeeds(&world, "state pull");
        world.write("ahead.jsonl", &ahead);
        // And back.
        world.unset("CONTACTSD_STATE");
        succeeds(&world, "state push ahead.jsonl --auto-approve");
        assert_eq!(succeeds(&world, "state pull"), ahead);
        remote.take_sent();
        world.applied().is_clean();
        assert_eq!(remote.take_calls(), [""; 0]);
        // One of another life is refused, here as there.
        let stranger = machine(&remote, &format!("{url}-stranger"));
        stranger.applied();
        stranger.write("ahead.jsonl", &ahead);
        let refused = stranger.run("state push ahead.jsonl --auto-approve");
        assert!(refused.stderr.contains("they never were the same"), "{refused}");
        succeeds(&stranger, "state push ahead.jsonl --auto-approve --force");
        assert_eq!(succeeds(&stranger, "state pull"), ahead);
    });
}

#[test]
fn a_copy_that_is_not_whole_changes_nothing_in_a_database() {
    let Some(server) = server() else { return };
    let remote = Remote::start();
    let world = machine(&remote, &server.url("whole"));
    world.applied();
    let text = succeeds(&world, "state pull");
    let (cut, _) = text.trim_end().rsplit_once('\n').unwrap();
    world.write("cut.jsonl", cut);
    let refused = world.run("state push cut.jsonl --auto-approve --force");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert_eq!(succeeds(&world, "state pull"), text);
    let left = server.sql("SELECT count(*) FROM contactsd_bindings WHERE state = 'whole/incoming'");
    assert_eq!(left, "0");
}

#[test]
fn one_watches_another_stands_by_and_takes_over() {
    over_each_way("standby", |url| {
        let remote = Remote::start();
        let (one, other) = (machine(&remote, url), machine(&remote, url));
        let mut first = one.start("watch");
        first.wait_for(COMPLETE);
        let mut second = other.start("watch");
        let standing = second.wait_for("Standing by");
        assert!(standing.contains("'watch' (process "), "{standing}");
        let status = succeeds(&other, "status");
        assert!(status.contains("Ready, and standing by since"), "{status}");
        // From a machine without a service it is seen who has the state, and a reader waits for nobody.
        let third = machine(&remote, url);
        assert!(succeeds(&third, "status").contains("'watch' (process "));
        third.run("plan").is_clean();
        let refused = third.apply();
        assert!(refused.stderr.contains("Operation: watch"), "{refused}");
        // A pause gives the lease up.
        succeeds(&one, "pause");
        second.wait_for("this service takes over");
        other.edit("contacts.d/team.yaml", "Engineer", "Director");
        second.wait_for(COMPLETE);
        assert_eq!(remote.contact("email", "ada@example.com")["title"], "Director");
        one.edit("contacts.d/team.yaml", "Engineer", "Director");
        succeeds(&one, "resume");
        first.wait_for("Standing by");
        takes_over(first, second);
        assert_eq!(remote.contacts().len(), 2);
    });
}

/// Ends the service at work, makes sure that the one that stands by takes over, and ends that too.
fn takes_over(mut standing_by: Running<'_>, at_work: Running<'_>) {
    at_work.signal(Signal::TERM);
    assert_eq!(at_work.finish().code, Some(0));
    standing_by.wait_for("this service takes over");
    standing_by.signal(Signal::TERM);
    assert_eq!(standing_by.finish().code, Some(0));
}

#[test]
fn a_second_writer_waits_as_long_as_it_is_told() {
    let Some(server) = server() else { return };
    let remote = Remote::start();
    let (one, other) = (machine(&remote, &server.url("waits")), machine(&remote, &server.url("waits")));
    let mut watching = one.start("watch");
    watching.wait_for(COMPLETE);
    let refused = other.apply();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("Lock Info:") && refused.stderr.contains("2m30s"), "{refused}");
    other.edit("contacts.d/team.yaml", "Engineer", "Director");
    let mut waiting = other.start("apply --auto-approve --lock-timeout 1h");
    waiting.wait_for("Acquiring state lock");
    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
    waiting.wait_for(COMPLETE);
    assert_eq!(waiting.finish().code, Some(0));
}

#[test]
fn no_password_is_ever_shown() {
    let Some(server) = server() else { return };
    let remote = Remote::start();
    let url = server.url("secret").replace("postgres@", "postgres:s3cret-word@");
    let mut world = machine(&remote, &url);
    let mut shown = String::new();
    for line in ["plan", "apply --auto-approve", "status", "status --json", "state show nobody", "plan --out x.plan"] {
        let outcome = world.run(line);
        shown += &outcome.stdout;
        shown += &outcome.stderr;
    }
    shown += &fs::read_to_string(world.path("x.plan")).unwrap();
    // Neither where it cannot be reached, nor where the address is wrong.
    for wrong in [url.replace("5432", "1"), url.replace("?state=secret", ""), url.replace("5432", "port")] {
        world.set("CONTACTSD_STATE", &wrong);
        let outcome = world.run("plan");
        assert_eq!(outcome.code, Some(1), "{outcome}");
        shown += &outcome.stderr;
    }
    assert!(!shown.contains("s3cret"), "{shown}");
    // What is shown names the state all the same.
    assert!(shown.contains("state=secret"), "{shown}");
}

#[test]
fn a_connection_is_encrypted_to_the_right_server_and_passwords_come_from_where_libpq_finds_them() {
    let Some(server) = Server::start_encrypted() else { return };
    let remote = Remote::start();
    let port = server.port();
    let authority = server.authority().display().to_string();
    let with =
        |user: &str, parameters: &str| format!("postgres://{user}@127.0.0.1:{port}/postgres?state=tls{parameters}");
    let proven = format!("&sslmode=verify-full&sslrootcert={authority}");
    let mut world = machine(&remote, &with("sales", &proven));
    let refused = |world: &World, why: &str| {
        let outcome = world.run("plan");
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let said = outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(why) && !said.contains("s3cret"), "{why}: {outcome}");
    };
    refused(&world, "password");
    world.set("PGPASSWORD", "s3cret-wrong");
    refused(&world, "password authentication failed for user \"sales\"");
    world.set("PGPASSWORD", "s3cret-word");
    world.applied();
    world.unset("PGPASSWORD");
    // A password file, which nobody else may read.
    world.write("passwords", &format!("# ours\nother:*:*:*:s3cret-wrong\n127.0.0.1:{port}:*:sales:s3cret-word\n"));
    world.set("PGPASSFILE", &world.path("passwords").display().to_string());
    world.set_mode("passwords", 0o644);
    refused(&world, "chmod 600");
    world.set_mode("passwords", 0o600);
    world.run("plan").is_clean();
    world.unset("PGPASSFILE");
    // In the URL, in the environment.
    world.set("CONTACTSD_STATE", &with("sales:s3cret-word", &proven));
    world.run("plan").is_clean();
    world.set("CONTACTSD_STATE", &with("sales:s3cret-word", &proven).replace("127.0.0.1", "localhost"));
    world.run("plan").is_clean();
    // Whoever is not known is not trusted with a password: neither by the system's authorities nor by others.
    for unproven in ["&sslmode=require", "&sslmode=verify-full"] {
        world.set("CONTACTSD_STATE", &with("sales:s3cret-word", unproven));
        refused(&world, "cannot connect to postgres://sales@127.0.0.1");
    }
    world.write("nothing.pem", "");
    let missing = format!("&sslmode=require&sslrootcert={}", world.path("missing.pem").display());
    world.set("CONTACTSD_STATE", &with("sales:s3cret-word", &missing));
    refused(&world, "cannot read the certificates in");
    world.set("CONTACTSD_STATE", &with("sales:s3cret-word", "&sslmode=disable"));
    refused(&world, "no encryption");
}

/// Ends the lease of a state by the database's clock, whatever its holder thinks.
fn end_lease(server: &Server, url: &str) {
    let state = url.rsplit_once("state=").unwrap().1;
    server.sql(&format!("UPDATE contactsd_leases SET expires_at = clock_timestamp() WHERE state = '{state}'"));
}

/// Makes two machines that share a state and the same twenty people.
fn two_machines(remote: &Remote, url: &str) -> (World, World) {
    let (one, other) = (machine(remote, url).one_by_one(), machine(remote, url).one_by_one());
    for world in [&one, &other] {
        world.team(&numbered(0..20));
    }
    (one, other)
}

/// Starts an apply and returns when four of its requests wait for their answers.
fn in_the_middle<'a>(world: &'a World, remote: &Remote) -> Running<'a> {
    let running = world.start("apply --auto-approve --parallelism 4");
    remote.tap.hold_after(6);
    remote.tap.wait_until_held(4);
    running
}

#[test]
fn a_runner_that_was_stopped_for_longer_than_its_lease_changes_nothing_and_ends() {
    over_each_way("stopped", |url| {
        let remote = Remote::start();
        let (one, other) = two_machines(&remote, url);
        let running = in_the_middle(&one, &remote);
        running.signal(Signal::STOP);
        end_lease(server().unwrap(), url);
        remote.tap.release();
        // What the first one had under way is in doubt, and settled before anything is made.
        other.applied();
        has_each_once(&remote, 20);
        let kept = succeeds(&other, "state pull");
        remote.take_sent();
        running.signal(Signal::CONT);
        let outcome = running.finish();
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let stderr = outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(stderr.contains("the lease on the state in") && stderr.contains("was lost"), "{outcome}");
        // It may look at what it was at before it meets the fence, and changes nothing.
        let calls = remote.take_calls();
        let is_look = |call: &String| call.starts_with("GET ") || call.ends_with("/contacts/search");
        assert!(calls.iter().all(is_look), "{calls:?}");
        assert_eq!(succeeds(&other, "state pull"), kept, "and writes nothing");
        has_each_once(&remote, 20);
        for world in [&one, &other] {
            world.applied().is_clean();
        }
    });
}

#[test]
fn what_a_killed_runner_had_under_way_is_settled_by_the_next_one() {
    over_each_way("killed", |url| {
        let remote = Remote::start();
        let (one, other) = two_machines(&remote, url);
        let running = in_the_middle(&one, &remote);
        running.signal(Signal::KILL);
        running.finish();
        remote.tap.release();
        let refused = other.apply();
        assert!(refused.stderr.contains("Operation: apply"), "{refused}");
        let status = succeeds(&other, "status");
        assert!(status.contains("'apply' (process"), "{status}");
        end_lease(server().unwrap(), url);
        other.applied();
        has_each_once(&remote, 20);
        other.applied().is_clean();
    });
}

#[test]
fn twenty_runners_at_once_make_each_contact_once() {
    over_each_way("twenty", |url| {
        let remote = Remote::start();
        let worlds: Vec<World> = (0..20).map(|_| machine(&remote, url).one_by_one()).collect();
        for world in &worlds {
            world.team(&numbered(0..10));
        }
        let running: Vec<_> =
            worlds.iter().map(|world| world.start("apply --auto-approve --lock-timeout 1h")).collect();
        for running in running {
            let outcome = running.finish();
            assert_eq!(outcome.code, Some(0), "{outcome}");
        }
        has_each_once(&remote, 10);
        assert_eq!(remote.requests(Action::Create), 10);
    });
}

#[test]
fn a_database_that_restarts_holds_a_service_up_and_no_more() {
    let Some(mut server) = Server::start() else { return };
    let remote = Remote::start();
    let url = server.url("restarts");
    let world = machine(&remote, &url);
    let mut watching = world.start("watch");
    watching.wait_for(COMPLETE);
    server.crash();
    // Readers say what is wrong.
    let unread = world.run("state list");
    assert_eq!(unread.code, Some(1), "{unread}");
    assert!(unread.stderr.contains("cannot connect to postgres://"), "{unread}");
    server.resume();
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    watching.wait_for(COMPLETE);
    assert_eq!(remote.contact("email", "ada@example.com")["title"], "Director");
    // An older program refuses what a newer one has made, reading and writing.
    server.sql("UPDATE contactsd_schema SET version = 99");
    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0));
    for line in ["plan", "apply --auto-approve", "state pull"] {
        let refused = world.run(line);
        assert_eq!(refused.code, Some(1), "{refused}");
        let said = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("have version 99, made by a newer contactsd; this one knows up to 1"), "{refused}");
    }
}

#[test]
fn tables_of_an_older_version_are_brought_up_to_date_by_whoever_writes() {
    let Some(server) = Server::start() else { return };
    let remote = Remote::start();
    let world = machine(&remote, &server.url("older"));
    world.applied();
    server.sql("UPDATE contactsd_schema SET version = 0");
    // Who reads may not have the right to change them.
    for line in ["plan", "status", "state pull"] {
        let refused = world.run(line);
        assert_eq!(refused.code, Some(1), "{refused}");
        let said = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("have version 0, made by an older contactsd"), "{refused}");
        assert!(said.contains("the next command that writes (apply or watch) brings them up to date"), "{refused}");
    }
    world.applied().is_clean();
    assert_eq!(server.sql("SELECT version FROM contactsd_schema"), "1");
    world.run("plan").is_clean();
}

#[test]
fn a_clock_that_is_wrong_by_hours_neither_takes_a_lease_nor_loses_it() {
    over_each_way("clocks", |url| {
        let (remote, server) = (Remote::start(), server().unwrap());
        let state = url.rsplit_once("state=").unwrap().1;
        let (wrong, others) = if state.ends_with("pooled") { ("-10800", "10800") } else { ("10800", "-10800") };
        let (mut one, mut other) = two_machines(&remote, url);
        for (world, seconds) in [(&mut one, wrong), (&mut other, others)] {
            if !world.preloads() {
                return;
            }
            world.set("CLOCK_SECONDS", seconds);
        }
        let running = in_the_middle(&one, &remote);
        // Neither is the lease over for others, nor longer than it should be.
        let refused = other.apply();
        assert!(refused.stderr.contains("Operation: apply"), "{refused}");
        let left = format!(
            "SELECT expires_at - clock_timestamp() BETWEEN interval '1 minute' AND interval '150 s' \
             FROM contactsd_leases WHERE state = '{state}'"
        );
        assert_eq!(server.sql(&left), "t");
        // When a request was sent is told by one clock, by which the next runner waits for what came of it.
        let sent = format!(
            "SELECT count(*), bool_and(abs(extract(epoch FROM clock_timestamp()) * 1000 \
             - (value::json ->> 'last_sent_at')::bigint) < 600000) FROM contactsd_intents WHERE state = '{state}'"
        );
        assert_eq!(server.sql(&sent), "4|t");
        running.signal(Signal::KILL);
        running.finish();
        remote.tap.release();
        end_lease(server, url);
        other.applied();
        has_each_once(&remote, 20);
        one.applied().is_clean();
    });
}

#[test]
fn a_resting_service_stands_by_as_soon_as_its_lease_is_known_to_be_lost() {
    let Some(server) = server() else { return };
    let remote = Remote::start();
    let url = server.url("resting");
    let (one, other) = (machine(&remote, &url), machine(&remote, &url));
    // It would make its next pass in an hour.
    let mut first = one.start("watch --resync 1h");
    first.wait_for(COMPLETE);
    end_lease(server, &url);
    other.edit("contacts.d/team.yaml", "Engineer", "Director");
    let mut second = other.start("watch");
    second.wait_for(COMPLETE);
    first.wait_for("Standing by");
    takes_over(first, second);
    assert_eq!(remote.contacts().len(), 2);
}

/// A lease that was left by Ctrl-C kept everybody away for minutes.
#[test]
fn who_leaves_the_question_by_a_signal_gives_the_lease_back() {
    let Some(server) = server() else { return };
    let remote = Remote::start();
    let url = server.url("question");
    let (one, other) = (machine(&remote, &url), machine(&remote, &url));
    let leave_question_of = |line: &str| {
        let operation = line.strip_suffix(" older.jsonl --force").unwrap_or(line);
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let (mut asking, mut terminal) = one.start_on_terminal(line, 80);
            let mut said = String::new();
            let mut bytes = [0; 4096];
            while !said.contains("Enter a value:") {
                let count = terminal.read(&mut bytes).unwrap();
                assert!(count > 0, "{line} asks: {said}");
                said.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
            let refused = other.apply();
            assert!(refused.stderr.contains(&format!("Operation: {operation}")), "{refused}");
            rustix::process::kill_process(rustix::process::Pid::from_child(&asking), signal).unwrap();
            assert_eq!(asking.wait().unwrap().code(), Some(code), "{line}");
            assert_eq!(server.sql("SELECT count(*) FROM contactsd_leases WHERE state = 'question'"), "0", "{line}");
        }
    };
    leave_question_of("apply");
    other.applied();
    one.write("older.jsonl", &succeeds(&other, "state pull"));
    other.edit("contacts.d/team.yaml", "Engineer", "Director");
    other.applied();
    let kept = succeeds(&other, "state pull");
    leave_question_of("state push older.jsonl --force");
    assert_eq!(succeeds(&other, "state pull"), kept, "nothing of it was replaced");
}

#[test]
fn a_plan_foresees_by_the_quota_that_runners_share() {
    // The team is the same in all tests, and so is what it may send: a server of its own.
    let Some(server) = Server::start() else { return };
    let remote = Remote::with(|options| options.quota = "30/h".parse().unwrap());
    let spender = machine(&remote, &server.url("spender")).one_by_one();
    spender.team(&numbered(0..20));
    spender.applied();
    // Another state of the team, which has sent nothing itself but who it is.
    let other = machine(&remote, &server.url("other")).one_by_one();
    other.applied();
    other.team(&numbered(0..20).replace("example.com", "example.net"));
    for outcome in [other.run("plan"), other.run("apply --auto-approve --max-wait 1s")] {
        let said = outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!said.contains("no wait for quota"), "{outcome}");
    }
}

#[test]
fn who_only_looks_draws_from_the_quota_that_runners_share() {
    // The team is the same in all tests, and so is what it may send: a server of its own.
    let Some(server) = Server::start_pooled() else { return };
    for url in [server.url("looks"), server.pooled_url("looks-pooled").unwrap()] {
        server.sql("DROP TABLE IF EXISTS contactsd_schema, contactsd_pools");
        let remote = Remote::with(|options| options.quota = "12/h".parse().unwrap());
        machine(&remote, &url).applied();
        let looking = [machine(&remote, &url), machine(&remote, &url)];
        let verbs = ["drift --max-wait 1s", "plan --refresh --max-wait 1s"];
        let ended: Vec<_> = (0..16).map(|turn| looking[turn % 2].run(verbs[turn / 2 % 2])).collect();
        assert_eq!(ended[0].code, Some(0), "{}", ended[0]);
        assert!(ended.iter().all(|outcome| !outcome.stderr.contains("429")));
        assert!(remote.requests(Action::Search) <= 12, "no request was turned down");
        let last = &ended[15];
        assert!(last.code == Some(1) && last.stderr.contains("quota"), "{last}");
    }
}

#[test]
fn runners_of_one_team_share_its_quota_and_never_exceed_it() {
    // The team is the same in all tests, and so is what it may send: a server of its own.
    let Some(server) = Server::start_for_good() else { return };
    let ways = [Some(server.url("quota")), server.pooled_url("pooled-quota")];
    for url in ways.into_iter().flatten() {
        server.sql("DROP TABLE IF EXISTS contactsd_schema, contactsd_pools");
        let remote = Remote::with(|options| options.quota = "60/h".parse().unwrap());
        // Each has a state of its own, as one for each directory of a team.
        let worlds: Vec<World> = (0..4)
            .map(|runner| {
                let mut world = World::new().against(&remote).one_by_one();
                world.set("CONTACTSD_STATE", &url.replace("state=", &format!("state=runner-{runner}-")));
                let people = (0..30).map(|number| format!("  p{number}: {{email: p{number}@team{runner}.example}}\n"));
                world.write("contacts.d/team.yaml", &format!("contacts:\n{}", people.collect::<String>()));
                world
            })
            .collect();
        let running: Vec<_> = worlds.iter().map(|world| world.start("apply --auto-approve --max-wait 5s")).collect();
        let mut added = 0;
        for running in running {
            let outcome = running.finish();
            assert!(!outcome.stderr.contains("429"), "{outcome}");
            added +=
                outcome.summary().split_once(" added").unwrap().0.rsplit(' ').next().unwrap().parse::<usize>().unwrap();
        }
        assert_eq!(remote.contacts().len(), added);
        assert!((50..=60).contains(&added), "{added} of 60 requests were used");
        let calls = remote.take_calls();
        for call in ["POST /api/v1/contacts", "POST /api/v1/contacts/search"] {
            let sent = calls.iter().filter(|sent| *sent == call).count();
            assert!(sent <= 60, "{sent} of {call}");
        }
        // A later run of another directory knows what is left: nothing, unless one gave back what others waited for no more.
        let late = machine(&remote, &url.replace("state=", "state=late-")).one_by_one();
        late.run("apply --auto-approve --max-wait 5s");
        assert!(remote.contacts().len() <= 60);
        if added == 60 {
            assert!(remote.take_calls().iter().all(|call| call.contains("users")), "it asks who it is at most");
        }
    }
}

/// Returns the fenced blocks of a language in the guide.
fn blocks(language: &str) -> Vec<&'static str> {
    let guide = include_str!("../../docs/guides/many-machines.md");
    guide.split(&format!("\n```{language}\n")).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

#[test]
fn the_commands_of_the_guide_take_a_team_to_a_database_and_back() {
    let Some(server) = Server::start() else { return };
    let remote = Remote::start();
    let mut world = World::with(TEAM);
    world.set("APOLLO_API_KEY", KEY);
    world.set("CONTACTSD_API_URL", &remote.url());
    world.applied();
    for sql in blocks("sql") {
        server.sql(sql);
    }
    let here = |user: &str| server.url("sales").replace("postgres@", &format!("{user}@"));
    let commands = blocks("sh");
    assert_eq!(commands.len(), 4);
    let script = commands.join("\n");
    let (shown, program) =
        ("postgres://contactsd@db.example.com/contactsd?state=sales", env!("CARGO_BIN_EXE_contactsd"));
    assert!(script.contains(shown));
    let script = format!("contactsd() {{ {program} \"$@\"; }}\n{}", script.replace(shown, &here("contactsd")));
    remote.take_sent();
    let outcome = world.run_script(&script, &[].into());
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(outcome.stdout.matches("No changes.").count(), 4, "{outcome}");
    assert_eq!(remote.take_calls(), [""; 0], "nothing is looked up or sent again");
    assert_eq!(server.sql("SELECT count(*) FROM contactsd.contactsd_bindings WHERE state = 'sales'"), "2");
    // Whoever may only read plans and looks, and changes nothing.
    let reader = machine(&remote, &here("contactsd_reader"));
    reader.run("plan").is_clean();
    assert!(succeeds(&reader, "status").contains("2 contacts managed."));
    let looked = reader.run("drift");
    assert!(looked.code == Some(0) && looked.stderr.contains("The shared quota is not used"), "{looked}");
    server.sql("GRANT INSERT, UPDATE ON contactsd.contactsd_pools TO contactsd_reader");
    let looked = reader.run("drift");
    assert!(looked.code == Some(0) && !looked.stderr.contains("The shared quota is not used"), "{looked}");
    let refused = reader.apply();
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("permission denied"), "{refused}");
}
