//! `state rebuild`: a lost state is built again to the same map, and what is not certain is left to a person.

use std::fmt::Write as _;

use contactsd::sandbox::Action;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::export::{seeded, writes};
use crate::support::{KEY, Remote, World};

const STATE: &str = ".contactsd/contacts.d/state";

/// Declares people of odd shapes: shared mailboxes, namesakes, nobody's e-mail, long texts, phones of each kind.
fn hostile(many: usize) -> String {
    let mut text = "contacts:\n".to_owned();
    for number in 0..many {
        let fields = match number % 8 {
            0 => format!("first_name: Otto, last_name: N{number}, email: office@example.com, run_dedupe: false"),
            1 => format!(
                "first_name: Ada, last_name: Same, organization_name: \"Harbor & Söhne: #1\", run_dedupe: false, \
                 mobile_phone: \"+1202555{number:04}\""
            ),
            2 => {
                format!("first_name: Long, email: long{number}@example.com, title: \"{}\"", "ä ".repeat(400).trim_end())
            }
            3 => format!(
                "first_name: Pia, email: Pia.{number}@Example.com, mobile_phone: \"+1 202 555 {number:04}\", \
                 direct_phone: \"007\", home_phone: \"(0) 30 1\", corporate_phone: \"5\", other_phone: \"6\""
            ),
            4 => format!("first_name: Noel, last_name: Quill, organization_name: House {number}"),
            5 => format!("first_name: 李, last_name: 雷{number}, title: \"one \\u2028 two\""),
            6 => format!("first_name: \" Blank \", last_name: \"~{number}\", email: b{number}@bücher.example"),
            _ => format!(
                "first_name: Lee, last_name: L{number}, email: lee{number}@example.org, label_names: [Leads, L{}], \
                 present_raw_address: \"Dock 3, Berlin\"",
                number % 3
            ),
        };
        writeln!(text, "  p{number}: {{{fields}}}").unwrap();
    }
    text
}

/// Returns which key has which contact.
fn map(world: &World) -> Vec<(String, String)> {
    let listed = world.run("state list --json");
    let text = |contact: &Value, name: &str| contact[name].as_str().unwrap().to_owned();
    let contacts = listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    contacts.map(|contact: Value| (text(&contact, "key"), text(&contact, "apollo_id"))).collect()
}

fn lose_state(world: &World) {
    std::fs::remove_dir_all(world.path(STATE)).unwrap();
}

#[test]
fn a_deleted_state_is_rebuilt_to_the_same_map() {
    let remote = Remote::start();
    for number in 0..40 {
        remote.seed(json!({"first_name": "Noel", "last_name": "Other", "email": format!("x{number}@example.net")}));
    }
    let world = World::with(&hostile(240)).against(&remote);
    world.applied();
    let before = map(&world);
    assert_eq!(before.len(), 240);
    for (_, id) in before.iter().step_by(7) {
        remote.put_on(id, "Of somebody else");
    }
    let (contacts, written, sent) = (remote.contacts(), writes(&remote), remote.all_requests());
    lose_state(&world);
    let rebuilt = world.run("state rebuild --auto-approve");
    assert_eq!(rebuilt.code, Some(0), "{rebuilt}");
    assert!(
        rebuilt.stdout.contains("Rebuild: 240 to bind (0 by id, 120 by e-mail, 120 by name and more)"),
        "{rebuilt}"
    );
    assert_eq!(map(&world), before);
    let (pages, team_and_lists) = (3, 2);
    assert_eq!(remote.all_requests() - sent, pages + team_and_lists);
    world.run("plan --detailed-exitcode").is_clean();
    let drift = world.run("drift --detailed-exitcode");
    assert_eq!(drift.code, Some(0), "{drift}");
    assert_eq!(world.run("state list --imported").stdout.lines().count(), 240);
    // What other people have put contacts on stays, also when an entry drops its lists.
    world.team(&hostile(240).replace(", L1]", "]"));
    world.applied();
    assert_eq!((remote.contacts(), writes(&remote)), (contacts, written), "nothing was written to Apollo");
    assert_eq!(world.run("state check").code, Some(0));
}

#[test]
fn an_exported_account_is_rebuilt_by_its_ids() {
    let remote = seeded(140);
    let world = World::new().against(&remote);
    assert_eq!(world.run("export").code, Some(0));
    world.applied();
    let (before, written, sent) = (map(&world), writes(&remote), remote.all_requests());
    lose_state(&world);
    let rebuilt = world.run("state rebuild --auto-approve");
    assert!(rebuilt.stdout.contains("Rebuild: 140 to bind (140 by id, 0 by e-mail"), "{rebuilt}");
    assert_eq!(map(&world), before);
    assert!(remote.all_requests() - sent <= 2 + 2 + 3, "two pages, the team, and names");
    world.run("plan --detailed-exitcode").is_clean();
    assert_eq!((writes(&remote), remote.requests(Action::View)), (written, 0));
}

#[test]
fn what_is_not_certain_is_left_to_a_person_and_nothing_is_written_unapproved() {
    let remote = Remote::start();
    let seed = |first: &str, last: &str, email: &str| {
        remote.seed(json!({"first_name": first, "last_name": last, "email": email, "organization_name": "Harbor"}))
    };
    let two = ["Ida", "Ina"].map(|name| seed(name, "Rook", "two@example.com"));
    seed("Zed", "", "");
    seed("Sam", "Wren", "sam@example.org");
    seed("Eve", "Same", "");
    seed("Ada", "Quill", "ada@example.com");
    let merged = seed("Mo", "Old", "mo@example.com");
    remote.delete(&merged);
    let world = World::with(&format!(
        "contacts:\n  ada: {{first_name: Ada, last_name: Quill, title: Engineer, email: ADA@example.com}}\n  \
         eve1: {{first_name: Eve, last_name: Same, organization_name: Harbor, run_dedupe: false}}\n  \
         eve2: {{first_name: Eve, last_name: Same, organization_name: Harbor, run_dedupe: false}}\n  \
         gone: {{first_name: Mo, apollo_id: {merged}}}\n  \
         new: {{email: new@example.com}}\n  \
         sam: {{first_name: Sam, last_name: Wren, email: sam@example.com}}\n  \
         two: {{email: two@example.com}}\n  \
         zed: {{first_name: Zed}}\n"
    ))
    .against(&remote);
    let refused = world.run("state rebuild");
    assert!(refused.code == Some(1) && refused.stderr.contains("Cannot ask for approval"), "{refused}");
    let declined = world.run_at_terminal("state rebuild", "no\n");
    assert_eq!((declined.code, map(&world)), (Some(1), Vec::new()), "{declined}");
    let declined = declined.to_string();
    assert_snapshot!(declined.split("\n\nDo you want").next().unwrap(), @"
    Reading all contacts of the account from Apollo, up to 100 per request: 1 search.
    Reading 1 contact from Apollo: 1 view.
    These entries will be bound to contacts that Apollo has:

      1 by their e-mail, which exactly one contact has:
        contact.ada = [ID1] (to be sent: title)

    These entries are not bound:

      contact.eve1: [ID2] may belong to this entry or to contact.eve2. To decide: `contactsd import eve1 [ID2] --api-url http://127.0.0.1:[PORT]/api/v1`
      contact.eve2: [ID2] may belong to this entry or to contact.eve1. To decide: `contactsd import eve2 [ID2] --api-url http://127.0.0.1:[PORT]/api/v1`
      contact.gone: Apollo says that its apollo_id [ID3] does not exist. Correct or remove it.
      contact.sam: no contact in Apollo is certainly the same person; 1 contact is similar: [ID4]. If it is one of them: `contactsd import sam ID --api-url http://127.0.0.1:[PORT]/api/v1`
      contact.two: 2 contacts may be the same person: [ID5], [ID6]. To decide: `contactsd import two ID --api-url http://127.0.0.1:[PORT]/api/v1`
      contact.zed: [ID7] has its name, but nothing else shows that it is the same person. If it is: `contactsd import zed [ID7] --api-url http://127.0.0.1:[PORT]/api/v1`
      contact.new: no contact in Apollo is similar. The next apply creates it.

    Rebuild: 1 to bind (0 by id, 1 by e-mail, 0 by name and more), 7 not bound, 0 bound before.
    ");
    let rebuilt = world.run("state rebuild --json --auto-approve");
    assert_eq!(rebuilt.code, Some(0), "{rebuilt}");
    let done = rebuilt.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let done: Vec<Value> = done.filter(|record| record["type"] == "state_rebuild").collect();
    assert_eq!((&done[0]["rebuild"]["outcome"], &done[1]["rebuild"]["outcome"]), (&json!("planned"), &json!("done")));
    assert_eq!(done[1]["rebuild"]["bound"][0]["differ"], json!(["title"]));
    let reasons: Vec<&str> =
        done[1]["rebuild"]["open"].as_array().unwrap().iter().map(|open| open["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["shared", "shared", "gone", "nobody", "similar", "several", "name_alone"]);
    // What differs is an update of the next plan, and the command that decides does.
    let plan = world.run("plan --target ada");
    assert!(plan.stdout.contains("+ title") && plan.stdout.contains("Plan: 0 to add, 1 to change"), "{plan}");
    assert_eq!(world.run(&format!("import two {} --auto-approve", two[1])).code, Some(0));
    let again = world.run("state rebuild");
    assert!(again.code == Some(1), "nobody is asked where nobody can answer: {again}");
    let nothing = world.run("state rebuild --auto-approve");
    assert!(nothing.stdout.contains("No changes. There is no entry to bind."), "{nothing}");
    let why = world.run("why ada");
    assert!(why.stdout.contains("found by its e-mail when the state was built again"), "{why}");
}

#[test]
fn what_a_restored_copy_lacks_is_bound_and_the_rest_stays() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&remote);
    world.applied();
    world.write("kept.jsonl", &world.run("state pull").stdout);
    world.team("contacts:\n  ada: {email: ada@example.com}\n  bo: {email: bo@example.com}\n");
    world.applied();
    let before = map(&world);
    assert_eq!(world.run("state push kept.jsonl --force --auto-approve").code, Some(0));
    let rebuilt = world.run("state rebuild --auto-approve");
    assert!(
        rebuilt
            .stdout
            .contains("Rebuild: 1 to bind (0 by id, 1 by e-mail, 0 by name and more), 0 not bound, 1 bound before."),
        "{rebuilt}"
    );
    assert_eq!(map(&world), before);
    world.run("plan").is_clean();
}

#[test]
fn where_not_everybody_is_shown_only_ids_count() {
    let remote = Remote::with(|options| options.quirks = "search-repeats-rows".parse().unwrap());
    let ids: Vec<String> = (0..200)
        .map(|number| remote.seed(json!({"first_name": "A", "email": format!("p{number}@example.com")})))
        .collect();
    let world = World::with(&format!(
        "contacts:\n  a: {{first_name: A, apollo_id: {}}}\n  b: {{email: p1@example.com}}\n",
        ids[0]
    ))
    .against(&remote);
    let rebuilt = world.run("state rebuild --auto-approve");
    assert!(rebuilt.stderr.contains("Not all contacts were read"), "{rebuilt}");
    assert_eq!(map(&world), [("a".to_owned(), ids[0].clone())]);
}

#[test]
fn the_commands_of_the_guide_do_what_it_says() {
    let guide = include_str!("../../docs/guides/recover-a-state.md");
    let commands: Vec<&str> =
        guide.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    let shown = guide.split("```text\n").nth(1).unwrap().split("\n```").next().unwrap();
    let remote = Remote::start();
    let mut world = World::with(
        "contacts:\n  ada: {first_name: Ada, last_name: Quill, email: ada@example.com}\n  \
         bo: {first_name: Bo, last_name: Rook, organization_name: Harbor}\n",
    );
    world.set("APOLLO_API_KEY", KEY);
    world.set("CONTACTSD_API_URL", &remote.url());
    world.applied();
    let run = |number: usize| {
        let script = format!("contactsd() {{ {} \"$@\"; }}\n{}", env!("CARGO_BIN_EXE_contactsd"), commands[number]);
        let outcome = world.run_script(&script, &[].into());
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome.stdout
    };
    assert_eq!(commands.len(), 5);
    let before = map(&world);
    // A backup, and a check of what is there.
    run(0);
    assert!(run(1).contains("is complete: 2 contacts"));
    // A database that is damaged is built again from its copy.
    std::fs::remove_dir_all(world.path(STATE).join("sled")).unwrap();
    assert!(run(2).contains("No changes."));
    assert_eq!(map(&world), before);
    // The disk is gone; the backup is not.
    lose_state(&world);
    run(3);
    assert_eq!(map(&world), before);
    // Nothing is left but the files and the account.
    lose_state(&world);
    let rebuilt = run(4);
    assert!(rebuilt.contains(shown) && rebuilt.contains("No changes."), "{rebuilt}");
    assert_eq!((map(&world), remote.contacts().len()), (before, 2));
}
