//! `forget --purge`: nothing of a person is left in any byte of the state; and patterns for `state mv` and `state rm`.

use std::path::Path;

use rustix::process::Signal;

use crate::support::{KEY, Remote, World};

const THREE: &str = "\
contacts:
  old-ada: {first_name: Augusta, email: augusta@example.com, title: Enchantress}
  old-bo: {email: bo@example.com}
  cy: {email: cy@example.com}
";

/// Lists the files below a directory that hold one of some texts, in any case.
fn holding(directory: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, texts));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let bytes = bytes.to_ascii_lowercase();
            let holds = |text: &&&str| {
                let text = text.to_ascii_lowercase();
                bytes.windows(text.len()).any(|window| window == text.as_bytes())
            };
            found.extend(texts.iter().find(holds).map(|text| format!("{} holds {text}", path.display())));
        }
    }
    found
}

#[test]
fn nothing_of_a_person_is_left_in_any_byte_of_the_state() {
    let remote = Remote::start();
    let world = World::with(THREE).against(&remote);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    let id = remote.contact("email", "augusta@example.com")["id"].as_str().unwrap().to_owned();
    world.edit("contacts.d/team.yaml", "Enchantress", "Countess");
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    let traces = ["augusta", "enchantress", "countess", "old-ada", &*id];
    assert_ne!(holding(&world.path(".contactsd"), &traces), Vec::<String>::new());
    let declared = world.run("forget --purge old-ada --auto-approve");
    assert!(declared.code == Some(1) && declared.stderr.contains("contact.old-ada is still declared"), "{declared}");
    world.team("contacts:\n  old-bo: {email: bo@example.com}\n  cy: {email: cy@example.com}\n");
    // What was moved out of the way holds everybody.
    let state = world.path(".contactsd/contacts.d/state");
    std::fs::copy(state.join("copy.jsonl"), state.join("copy.jsonl.aside-20260101T000000Z")).unwrap();
    insta::assert_snapshot!(world.run("forget --purge old-ada --auto-approve"), @"
    Every trace of contact.old-ada will be removed from the state:

      - what is managed: its fields, its contact and its runs
      - hashes of its e-mail and name, where the account was read
      - the database, its copy and the index, which are made again without it
      - copy.jsonl.aside-20260101T000000Z, which was moved aside and may hold it

    Not in the state; remove these yourself:

      - the contact in Apollo: delete it there, or apply may find it again
      - the history of the repository that held its entry
      - backups, pulled states, saved plans, logs, and output that was saved elsewhere
      - the data of the sandbox, if it was ever applied there: run this with --sandbox too
      - traces of removed files on the disk
    The state holds nothing about contact.old-ada any more. Nothing was changed in Apollo.
    [exit 0]
    ");
    assert_eq!(holding(&world.path(".contactsd"), &traces), Vec::<String>::new());
    world.run("plan").is_clean();
    assert_eq!(world.run("state list").stdout, "contact.cy\ncontact.old-bo\n");
    assert_eq!(world.run("state check").code, Some(0));
    // Once more is no mistake, and Apollo still has the contact.
    assert_eq!(world.run("forget --purge old-ada --auto-approve").code, Some(0));
    assert_eq!(remote.contacts().len(), 3);
}

#[test]
fn what_was_forgotten_before_is_purged_as_well() {
    let remote = Remote::start();
    let world = World::with(THREE).against(&remote);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    world.team("contacts:\n  old-bo: {email: bo@example.com}\n  cy: {email: cy@example.com}\n");
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    let purged = world.run("forget --purge contact.old-ada --auto-approve");
    assert!(purged.code == Some(0) && purged.stdout.contains("the record that it was managed"), "{purged}");
    assert_eq!(holding(&world.path(".contactsd"), &["augusta", "enchantress", "old-ada"]), Vec::<String>::new());
}

#[test]
fn nothing_of_a_person_is_left_in_any_byte_of_the_sandbox() {
    let world = World::with(THREE);
    let run = |line: &str| world.run(&format!("{line} --sandbox --auto-approve"));
    assert_eq!(run("apply").code, Some(0));
    world.edit("contacts.d/team.yaml", "Enchantress", "Countess");
    assert_eq!(run("apply").code, Some(0));
    let listed = world.run("state show old-ada --sandbox --json").stdout;
    let id = listed.split("\"apollo_id\":\"").nth(1).unwrap()[..24].to_owned();
    let traces = ["augusta", "enchantress", "countess", "old-ada", &*id];
    assert_ne!(holding(&world.path(".contactsd/contacts.d/sandbox/data"), &traces), Vec::<String>::new());
    world.team("contacts:\n  old-bo: {email: bo@example.com}\n  cy: {email: cy@example.com}\n");
    // Whoever has the data has to leave first.
    let mut serving = world.start("sandbox --listen 127.0.0.1:0");
    serving.wait_for("to end it");
    let owned = run("forget --purge old-ada");
    assert!(owned.code == Some(1) && owned.stderr.contains("in use"), "{owned}");
    serving.signal(Signal::TERM);
    assert_eq!(serving.finish().code, Some(0));
    let purged = run("forget --purge old-ada");
    assert!(purged.code == Some(0) && purged.stdout.contains("its contact in the sandbox ("), "{purged}");
    assert!(!purged.stdout.contains("run this with --sandbox too"), "{purged}");
    assert_eq!(holding(&world.path(".contactsd"), &traces), Vec::<String>::new());
    // The others are as they were.
    world.run("plan --sandbox").is_clean();
    let drift = world.run("drift --sandbox --detailed-exitcode");
    assert!(drift.code == Some(0) && drift.stdout.contains("2 contacts"), "{drift}");
}

#[test]
fn the_commands_of_the_guide_do_what_it_says() {
    let guide = include_str!("../../docs/guides/erasure.md");
    let commands: Vec<&str> =
        guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().trim()).collect();
    assert_eq!(commands.len(), 4);
    let remote = Remote::start();
    let mut world = World::with(
        "contacts:\n  ada: {first_name: Augusta, email: augusta@example.com}\n  bo: {email: bo@example.com}\n  cy: {email: cy@example.com}\n  di: {email: di@example.com}\n",
    );
    assert_eq!(world.run("apply --sandbox --auto-approve").code, Some(0));
    world.set("APOLLO_API_KEY", KEY);
    // A person answers what the commands ask.
    world.set("CONTACTSD_AUTO_APPROVE", "1");
    let remote_url = remote.url();
    let run = |command: &str| {
        let api = if command.contains("--sandbox") { "" } else { &remote_url };
        let environment = [("CONTACTSD_API_URL".to_owned(), api.to_owned())].into();
        let script = format!("contactsd() {{ {} \"$@\"; }}\n{command}", env!("CARGO_BIN_EXE_contactsd"));
        let outcome = world.run_script(&script, &environment);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome.stdout
    };
    run("contactsd apply");
    assert!(run(commands[0]).contains("Declared in contacts.d/team.yaml"));
    world.team(
        "contacts:\n  bo: {email: bo@example.com}\n  cy: {email: cy@example.com}\n  di: {email: di@example.com}\n",
    );
    assert!(run(commands[1]).contains("1 forgotten"));
    assert!(run(commands[2]).contains("The state holds nothing about contact.ada any more."));
    assert_eq!(holding(&world.path(".contactsd/contacts.d/state"), &["augusta", "\"ada\""]), Vec::<String>::new());
    run(commands[3]);
    assert_eq!(holding(&world.path(".contactsd"), &["augusta", "\"ada\""]), Vec::<String>::new());
    // contactsd deletes nothing in Apollo.
    assert_eq!(remote.contacts().len(), 4);
}

#[test]
fn a_pattern_moves_and_removes_many() {
    let remote = Remote::start();
    let world = World::with(THREE).against(&remote);
    assert_eq!(world.run("apply --auto-approve").code, Some(0));
    let moved = world.run_words(["state", "mv", "old-*", "team.*", "--auto-approve"]);
    assert_eq!(moved.code, Some(1), "another API than the state's: {moved}");
    let moved = world.run("state mv old-* team.* --auto-approve");
    assert!(moved.code == Some(0) && moved.stdout.contains("contact.old-ada has moved to contact.team.ada"), "{moved}");
    assert_eq!(world.run("state list").stdout, "contact.cy\ncontact.team.ada\ncontact.team.bo\n");
    let taken = world.run("state mv team.* c* --auto-approve");
    assert_eq!(taken.code, Some(0), "{taken}");
    for unclear in ["state mv c* cy", "state mv c* d**", "state mv c? d?", "state mv cy d*"] {
        let refused = world.run(&format!("{unclear} --auto-approve"));
        assert!(refused.code == Some(1) && refused.stderr.contains("which key becomes which"), "{refused}");
    }
    let nothing = world.run("state rm x* --auto-approve");
    assert!(nothing.code == Some(1) && nothing.stderr.contains("No managed key matches x*"), "{nothing}");
    let asked = world.run("state rm c*");
    assert_eq!(asked.code, Some(1), "{asked}");
    let removed = world.run("state rm c* --auto-approve");
    assert!(removed.code == Some(0) && removed.stdout.contains("3 forgotten"), "{removed}");
    assert_eq!(world.run("state list").stdout, "");
}
