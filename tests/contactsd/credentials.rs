//! The credential: where it comes from, and that it shows nowhere.

use std::fs;
use std::path::Path;

use contactsd::sandbox::Action;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{KEY, Outcome, Remote, World, numbered};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n";

#[test]
fn without_a_credential_nothing_is_begun() {
    let world = World::with(TEAM);
    assert_snapshot!(world.apply(), @r"
    [stderr]
    Error: No usable credential

    no credential is set
    Set APOLLO_API_KEY, or APOLLO_API_KEY_FILE to the path of a file that holds the key
    (APOLLO_ACCESS_TOKEN and APOLLO_ACCESS_TOKEN_FILE for an OAuth token). You make an API key in
    Apollo under Settings > Integrations > API. To try contactsd without one, add --sandbox.
    [exit 1]
    ");
    assert!(!world.path(".contactsd").exists());
}

#[test]
fn two_credentials_are_an_error() {
    let mut world = World::with(TEAM);
    world.set("APOLLO_API_KEY", KEY);
    world.set("APOLLO_ACCESS_TOKEN", KEY);
    assert_snapshot!(world.apply(), @r"
    [stderr]
    Error: No usable credential

    APOLLO_API_KEY and APOLLO_ACCESS_TOKEN are both set
    Unset all but one, so that it is clear which account is meant.
    [exit 1]
    ");
}

#[test]
fn a_file_may_hold_the_key() {
    let remote = Remote::with(|options| options.api_keys = vec!["from-a-file".to_owned()]);
    let mut world = World::with(TEAM).against(&remote);
    world.unset("APOLLO_API_KEY");
    world.set("APOLLO_API_KEY_FILE", "key");
    assert_snapshot!(world.apply().errors(), @r"

    Error: No usable credential

    APOLLO_API_KEY_FILE names key, which cannot be read: No such file or directory (os error 2)
    ");
    world.write("key", "from-a-file\n");
    world.applied();
}

#[test]
fn a_token_may_stand_for_the_key() {
    let remote = Remote::with(|options| options.api_keys = vec!["a-token".to_owned()]);
    let mut world = World::with(TEAM).against(&remote);
    world.unset("APOLLO_API_KEY");
    world.set("APOLLO_ACCESS_TOKEN", "a-token");
    world.applied();
}

#[test]
fn the_key_shows_in_no_output_and_in_no_file() {
    let remote = Remote::start();
    let refusing = Remote::with(|options| options.api_keys = vec!["another".to_owned()]);
    for (remote, faults) in [
        (&remote, ""),
        (&remote, "bulk-create:lost-reply=1,create:lost-reply=1"),
        (&remote, "bulk-create:html-502=1,create:html-502=1"),
        (&remote, "bulk-create:truncated=1,create:truncated=1"),
        (&refusing, ""),
    ] {
        let mut world = World::with(TEAM).against(remote);
        world.set("RUST_LOG", "trace");
        world.set("CONTACTSD_LOG", "trace");
        world.set("RUST_BACKTRACE", "full");
        remote.set_faults(faults);
        let commands = [
            "validate",
            "plan",
            "apply --auto-approve",
            "apply --auto-approve",
            "state list",
            "state show ada",
            "state show eve",
            "completions bash",
            "version",
            "help",
            "apply --help",
            "apply --api-key",
            "apply --auto-approve --state contacts.d",
            "nonsense",
        ];
        for command in commands {
            let outcome = world.run(command);
            assert!(!outcome.stdout.contains(KEY), "{command}\n{outcome}");
            assert!(!outcome.stderr.contains(KEY), "{command}\n{outcome}");
        }
        remote.set_faults("");
        assert_nowhere(&world.path(""));
    }
    assert!(remote.requests(Action::BulkCreate) > 0 && refusing.requests(Action::Profile) > 0);
}

#[test]
fn the_key_shows_nowhere_when_every_answer_repeats_it() {
    let id = "66e34b81740c50074e3d1b01";
    let error = format!(r#"{{"error": "no {KEY} {}", "error_code": "{KEY}"}}"#, KEY.replace('-', r"\u002d"));
    let contact = format!(
        r#"{{"contact": {{"id": "{id}", "email": "ada@example.com", "title": "{KEY}", "created_at": "{KEY}",
            "custom_field_errors": {{"{KEY}": "{KEY}"}}, "label_ids": ["{KEY}"]}}, "labels": [{{"id": "{KEY}", "name": "{KEY}"}}]}}"#
    );
    for (status, body) in [
        ("401 Unauthorized", format!("Invalid key {KEY}")),
        ("403 Forbidden", error.clone()),
        ("403 Forbidden", format!("<html>{KEY}</html>")),
        ("422 Unprocessable", error.clone()),
        ("422 Unprocessable", format!("{}{KEY}", "x".repeat(505))),
        ("422 Unprocessable", format!(r#"{{"error": {{"{KEY}": "{KEY}"}}}}"#)),
        ("500 Broken", error.clone()),
        ("200 OK", error),
        ("200 OK", contact.clone()),
        ("200 OK", contact.replace(id, KEY)),
    ] {
        let remote = Remote::start();
        let head = format!("{status}\r\nx-request-id: {KEY}\r\nx-{KEY}: {KEY}\r\ndate: {KEY}\r\netag: \"{KEY}\"");
        remote.tap.answer_with("", &head, &body);
        let mut world = World::with(TEAM).against(&remote);
        world.set("CONTACTSD_LOG", "debug");
        world.set("CONTACTSD_MAX_WAIT", "0s");
        let mut shown = String::new();
        for command in [
            "apply --auto-approve",
            "apply --auto-approve --json",
            "watch --once --log-format json",
            "plan --json",
            "status --json",
            "state list --json",
            "state show ada",
            "state pull",
        ] {
            let outcome = world.run(command);
            assert!(!outcome.stdout.contains(KEY) && !outcome.stderr.contains(KEY), "{command}\n{outcome}");
            shown += &outcome.stderr;
        }
        assert!(shown.contains("(credential)"), "{status} {body}: {shown}");
        assert_nowhere(&world.path(""));
    }
}

fn assert_nowhere(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(&path);
        } else {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{}", path.display());
        }
    }
}

#[test]
fn a_key_is_never_sent_in_the_clear_to_another_machine() {
    let mut world = World::with(TEAM);
    world.set("APOLLO_API_KEY", KEY);
    assert_snapshot!(world.run("apply --auto-approve --api-url http://apollo.example.com/api/v1"), @"
    [stderr]
    Error: The address of the API cannot be used

    http://apollo.example.com/api/v1 would send the credential in the clear: plain http is for this
    machine only
    [exit 1]
    ");
}

#[test]
fn a_redirect_is_not_followed() {
    let remote = Remote::start();
    remote.tap.answer("ada@example.com", 307, &serde_json::json!({}));
    let world = World::with(TEAM).against(&remote).one_by_one();
    let outcome = world.apply();
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(remote.take_calls().len(), 1);
}

/// Applies with a key that is refused after the first create, when the file holds what `rotate` put there.
fn refused_in_the_middle(profile: Option<&str>, rotate: bool) -> (Remote, Outcome) {
    let remote = Remote::with(|options| options.api_keys = vec!["first".to_owned(), "second".to_owned()]);
    let mut world = World::with(&numbered(0..20)).against(&remote).one_by_one();
    world.unset("APOLLO_API_KEY");
    world.write("key", "first\n");
    world.set("APOLLO_API_KEY_FILE", "key");
    remote.tap.hold_after(0);
    let apply = world.start("apply --auto-approve");
    remote.tap.wait_until_held(1);
    remote.tap.answer_key("first", "", 401, &json!({"error": "Invalid access credentials."}));
    if let Some(team) = profile {
        remote.tap.answer_key("second", "/users/api_profile", 200, &json!({"team_id": team}));
    }
    if rotate {
        world.write("key", "second\n");
    }
    remote.tap.release();
    let outcome = apply.finish();
    if rotate && profile.is_none() {
        world.applied().is_clean();
    }
    (remote, outcome)
}

#[test]
fn a_run_goes_on_with_the_key_that_took_the_place_of_one_that_is_refused() {
    let (remote, outcome) = refused_in_the_middle(None, true);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(remote.contacts().len(), 20);
    let told = "Apollo refused the credential. The new one is of the same team";
    assert_eq!(outcome.stdout.matches(told).count(), 1, "{outcome}");
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_key_of_another_team_does_not_take_the_place_of_one_that_is_refused() {
    let (remote, outcome) = refused_in_the_middle(Some("66e34b81740c50074e3dffff"), true);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(remote.contacts().len(), 1);
    assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
    assert!(outcome.stderr.contains("Error: The new credential cannot be used"), "{outcome}");
    assert!(outcome.stderr.contains("66e34b81740c50074e3dffff"), "{outcome}");
}

/// An Apollo with two keys, of which it does not tell the team.
fn two_keys_of_unknown_teams() -> Remote {
    let remote = Remote::with(|options| options.api_keys = vec!["first".to_owned(), "second".to_owned()]);
    for key in ["first", "second"] {
        let barred = json!({"error": "No access", "error_code": "API_INACCESSIBLE"});
        remote.tap.answer_key(key, "/users/api_profile", 403, &barred);
    }
    remote
}

#[test]
fn a_key_that_sees_none_of_the_contacts_that_were_forgotten_restores_nobody() {
    let remote = two_keys_of_unknown_teams();
    let mut world = World::with(TEAM).against(&remote).one_by_one();
    world.set("APOLLO_API_KEY", "first");
    assert_eq!(world.apply().code, Some(0));
    let made = remote.contacts();
    world.write("contacts.d/team.yaml", "contacts: {}\n");
    assert_eq!(world.run("apply --auto-approve --force").code, Some(0));
    world.write("contacts.d/team.yaml", TEAM);
    // Another team has neither of them.
    for contact in &made {
        let gone = json!({"message": "Contact does not exist"});
        remote.tap.answer_key("second", &format!("/contacts/{}", contact["id"].as_str().unwrap()), 422, &gone);
    }
    world.set("APOLLO_API_KEY", "second");
    for line in ["apply --auto-approve", "plan --refresh"] {
        let refused = world.run(line);
        assert!(refused.code == Some(1) && refused.stderr.contains("is new to this state"), "{line}: {refused}");
    }
    assert_eq!(remote.contacts(), made, "nobody was created and nothing was changed");
    world.set("APOLLO_API_KEY", "first");
    assert_eq!(world.apply().code, Some(0));
    assert_eq!(remote.contacts(), made);
}

#[test]
fn a_new_key_for_a_state_of_nothing_but_doubts_sends_nothing() {
    let remote = two_keys_of_unknown_teams();
    remote.tap.answer_with("ada@example.com", "502 Bad Gateway\r\ncontent-type: text/html", "<html>later</html>");
    let mut world = World::with(TEAM).against(&remote).one_by_one();
    world.set("APOLLO_API_KEY", "first");
    assert_eq!(world.apply().code, Some(1));
    remote.take_calls();
    world.set("APOLLO_API_KEY", "second");
    let refused = world.apply();
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.replace('\n', " ").contains("no contact that it could view"), "{refused}");
    assert!(remote.take_calls().iter().all(|call| !call.starts_with("POST")), "nothing was sent");
}

#[test]
fn a_create_that_a_page_answered_is_not_sent_again_with_a_new_key() {
    let remote = Remote::with(|options| options.api_keys = vec!["first".to_owned(), "second".to_owned()]);
    let mut world =
        World::with("contacts:\n  bob: {first_name: Bob, last_name: Nomail}\n").against(&remote).one_by_one();
    world.unset("APOLLO_API_KEY");
    world.write("key", "first\n");
    world.set("APOLLO_API_KEY_FILE", "key");
    remote.tap.answer_with("\"first_name\"", "401 Unauthorized\r\ncontent-type: text/html", "<html>login</html>");
    remote.tap.hold_after(0);
    let apply = world.start("apply --auto-approve");
    remote.tap.wait_until_held(1);
    world.write("key", "second\n");
    remote.tap.release();
    let outcome = apply.finish();
    assert_eq!(outcome.code, Some(1), "{outcome}");
    let creates = remote.take_calls().into_iter().filter(|call| call.starts_with("POST /contacts ")).count();
    assert_eq!(creates, 1, "{outcome}");
}

#[test]
fn a_key_that_is_refused_and_still_the_same_ends_the_run() {
    let (remote, outcome) = refused_in_the_middle(None, false);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(remote.contacts().len(), 1);
    assert_eq!(outcome.stderr.matches("Error: ").count(), 1, "{outcome}");
    assert!(outcome.stderr.contains("Error: Apollo refused the credential"), "{outcome}");
}
