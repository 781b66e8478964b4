//! An account as contact files, which plan nothing once they are applied.

use contactsd::sandbox::Action;
use serde_json::json;

use crate::support::{KEY, Remote, World};

const CUSTOM: &str = "65a1000000000000000000e0";

/// Seeds an account of odd shapes: shared mailboxes, namesakes, nobody's e-mail, phones of each kind, long texts.
pub(crate) fn seeded(many: usize) -> Remote {
    let remote = Remote::start();
    for number in 0..many {
        let person = match number % 7 {
            0 => json!({"first_name": "Shared", "last_name": format!("N{number}"), "email": "office@example.com"}),
            1 => json!({"first_name": "Ada", "last_name": "Same", "organization_name": "Harbor & Söhne: \"#1\""}),
            2 => json!({"first_name": "李", "last_name": "雷", "title": "one\ntwo \u{2028} three"}),
            3 => {
                json!({"first_name": "Pia", "email": format!("Pia.{number}@Example.com"), "mobile_phone": "+1 202 555 0100",
                "direct_phone": "007", "home_phone": "(0) 30 1", "corporate_phone": "5", "other_phone": "6"})
            }
            4 => json!({"last_name": "null", "typed_custom_fields": {(CUSTOM): "Gold"}, "title": "x".repeat(3000)}),
            5 => json!({"first_name": " Blank ", "last_name": "~", "email": format!("b{number}@bücher.example")}),
            _ => {
                json!({"first_name": "Lee", "last_name": format!("L{number}"), "label_names": ["Leads", format!("L{}", number % 3)],
                "present_raw_address": "Dock 3, Berlin"})
            }
        };
        remote.seed(person);
    }
    remote.take_sent();
    remote
}

pub(crate) fn writes(remote: &Remote) -> u64 {
    let actions = [Action::Create, Action::BulkCreate, Action::Update, Action::BulkUpdate, Action::UpdateStages];
    let lists = [Action::AddToLists, Action::RemoveFromLists];
    actions.iter().chain(&lists).map(|action| remote.requests(*action)).sum()
}

#[test]
fn an_account_that_was_exported_and_applied_plans_nothing_and_costs_its_pages_once() {
    let remote = seeded(420);
    let world = World::new().against(&remote);
    let (before, sent) = (remote.contacts(), remote.all_requests());
    let exported = world.run("export --dir contacts.d");
    assert!(exported.code == Some(0), "{exported}");
    assert!(exported.stdout.contains("contacts.d/apollo.yaml: 420 contacts, written"), "{exported}");
    assert!(world.run("validate").code == Some(0));
    assert!(world.run("fmt --check").code == Some(0));
    let written = writes(&remote);
    let applied = world.run("apply --auto-approve");
    assert!(applied.code == Some(0), "{applied}");
    assert!(applied.stdout.contains("Resources: 420 imported, 0 added, 0 changed, 0 destroyed."), "{applied}");
    let plan = world.run("plan --detailed-exitcode");
    assert_eq!(plan.code, Some(0), "{plan}");
    assert_eq!((writes(&remote), remote.contacts()), (written, before), "nothing was written to Apollo");
    let (pages, names_and_team) = (5, 3 + 2);
    let cost = remote.all_requests() - sent;
    assert!(cost <= pages + names_and_team + 3, "{cost} requests, {} of them views", remote.requests(Action::View));
    assert_eq!(remote.requests(Action::View), 0);
    assert!(world.run("drift --detailed-exitcode").code == Some(0));
}

#[test]
fn an_edited_file_is_kept_and_keys_stay_whatever_happens_in_apollo() {
    let remote = seeded(14);
    let world = World::new().against(&remote);
    assert!(world.run("export --split company").code == Some(0));
    let file = |name: &str| std::fs::read_to_string(world.path(format!("contacts.d/{name}"))).unwrap();
    let harbor = "harbor-söhne-1.yaml";
    assert!(file(harbor).contains("\n  ada-same_harbor-sohne-1:\n"), "{}", file(harbor));
    // Who moves to another company keeps its key and its file.
    let contacts = remote.contacts();
    let ada = contacts.iter().find(|contact| contact["first_name"] == "Ada").unwrap();
    remote.edit(ada["id"].as_str().unwrap(), &json!({"organization_name": "Elsewhere", "title": "CTO"}));
    let again = world.run("export --split company");
    assert!(again.stdout.contains(&format!("contacts.d/{harbor}: 2 contacts, replaced")), "{again}");
    assert!(file(harbor).contains("title: CTO"));
    world.edit(&format!("contacts.d/{harbor}"), "title: CTO", "title: Mine");
    let kept = world.run("export --split company");
    assert!(
        kept.code == Some(0) && kept.stderr.contains("2 contacts are declared in files that were edited"),
        "{kept}"
    );
    assert!(file(harbor).contains("title: Mine"));
    let difference = world.run("export --split company --diff");
    assert!(
        difference.stdout.contains("+    title: CTO") && difference.stdout.contains("-    title: Mine"),
        "{difference}"
    );
    assert!(world.run("export --split company --force").code == Some(0));
    assert!(file(harbor).contains("title: CTO"));
    // Whoever is gone is not taken out of a file without being asked.
    remote.delete(ada["id"].as_str().unwrap());
    let loses = world.run("export --split company");
    assert!(
        loses.code != Some(0) && loses.stderr.contains("It declares 1 contact that the new file would not have"),
        "{loses}"
    );
}

#[test]
fn a_part_of_an_account_goes_to_a_file_of_its_own_or_to_stdout() {
    let remote = seeded(14);
    let world = World::new().against(&remote);
    let listed = world.run("export --list Leads");
    assert!(listed.stdout.contains("contacts.d/list-leads.yaml: 2 contacts, written"), "{listed}");
    let streamed = world.run("export --list Leads --out -");
    assert!(streamed.stdout.starts_with("contacts:\n  lee-l13:\n    first_name: Lee\n"), "{streamed}");
    let unknown = world.run("export --list Lead");
    assert!(
        unknown.stderr.contains("Apollo has no list \"Lead\"") && unknown.stderr.contains("Apollo has: "),
        "{unknown}"
    );
    // The entry of a person means the same contact, which is not put beside it.
    world.write("contacts.d/team.yaml", "contacts:\n  pia: {first_name: Pia, email: pia.3@example.com}\n");
    let beside = world.run("export");
    assert!(beside.stderr.contains("contact.pia has the same e-mail and is not bound to a contact"), "{beside}");
    assert!(world.run("validate").code == Some(0));
}

#[test]
fn files_for_another_directory_go_by_its_state() {
    let remote = seeded(7);
    let world = World::new().against(&remote);
    assert_eq!(world.run("export --out other.d").code, Some(0));
    assert!(!world.path(".contactsd/contacts.d").exists());
    let applied = world.run("apply --dir other.d --auto-approve");
    assert!(applied.stdout.contains("Resources: 7 imported"), "{applied}");
    assert_eq!(remote.requests(Action::View), 0, "what was seen is kept for them");
    let named = world.run("export --out third.d --state kept");
    assert!(
        named.code == Some(0) && world.path("kept/head").exists() && !world.path(".contactsd/third.d").exists(),
        "{named}"
    );
}

#[test]
fn of_those_who_go_into_no_file_no_value_is_kept() {
    let remote = seeded(14);
    let world = World::new().against(&remote);
    assert!(world.run("export --out -").code == Some(0));
    assert!(world.run("export --list Leads").code == Some(0));
    let kept = std::fs::read_to_string(world.path(".contactsd/contacts.d/state/copy.jsonl")).unwrap();
    assert!(kept.contains("Dock 3, Berlin"), "who is on the list: {kept}");
    assert!(!kept.contains("Pia.3"), "who is not: {kept}");
}

#[test]
fn the_commands_of_the_guide_do_what_it_says() {
    let guide = include_str!("../../docs/guides/start-from-an-account.md");
    let commands = guide.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let shown = guide.split("```text\n").nth(1).unwrap().split("\n```").next().unwrap();
    let remote = seeded(3);
    let mut world = World::new();
    world.set("APOLLO_API_KEY", KEY);
    world.set("CONTACTSD_API_URL", &remote.url());
    let outcomes: Vec<_> = commands
        .map(|command| {
            let script = format!("contactsd() {{ {} \"$@\"; }}\n{command}", env!("CARGO_BIN_EXE_contactsd"));
            let outcome = world.run_script(&script, &[].into());
            assert_eq!(outcome.code, Some(0), "{outcome}");
            outcome.stdout
        })
        .collect();
    assert_eq!(outcomes.len(), 4);
    assert!(outcomes[0].contains(shown), "{}", outcomes[0]);
    assert!(outcomes[1].contains("Plan: 3 to import, 0 to add, 0 to change, 0 to destroy."), "{}", outcomes[1]);
    assert!(outcomes[2].contains("3 imported, 0 added, 0 changed"), "{}", outcomes[2]);
    assert!(outcomes[3].contains("No changes."), "{}", outcomes[3]);
}

#[test]
fn a_person_may_have_the_files_anywhere() {
    let remote = seeded(3);
    let world = World::new().against(&remote);
    let elsewhere = tempfile::tempdir().unwrap();
    let out = elsewhere.path().join("new/people");
    let exported = world.run(&format!("export --out {}", out.display()));
    assert_eq!(exported.code, Some(0), "{exported}");
    assert!(out.join("apollo.yaml").exists(), "{exported}");
}

#[test]
fn an_entry_is_shown_as_apollo_has_it_and_can_take_the_place_of_itself() {
    let remote = Remote::start();
    let fields = json!([{"id": CUSTOM, "modality": "contact", "name": "Tier", "type": "string"}]);
    remote.set_fields(&fields);
    let entry = "contacts:\n  ada:\n    first_name: Ada\n    organization_name: Harbor\n    title: Engineer\n    email: \
                 Ada@example.com\n    website_url: https://example.com\n    label_names:\n      - Leads\n      - News\n    \
                 mobile_phone: \"+1 202 555 0100\"\n    run_dedupe: false\n    ignore:\n      - title\n";
    let mut world = World::with(entry).against(&remote);
    world.applied();
    let (id, written) = (remote.contacts()[0]["id"].as_str().unwrap().to_owned(), writes(&remote));
    let as_it_is = world.run("export --key ada");
    assert_eq!((as_it_is.code, as_it_is.stdout.trim_end()), (Some(0), entry.replace('"', "").trim_end()), "{as_it_is}");
    assert!(as_it_is.stderr.contains("Apollo does not show website_url of contact.ada"), "{as_it_is}");
    remote.edit(&id, &json!({"title": "", "organization_name": "Globex", "mobile_phone": "+1 202 555 0199"}));
    remote.take_off(&id, "News");
    remote.put_on(&id, "Theirs");
    let shown = world.run("export --key a*");
    let now = entry.replace("title: Engineer", "title: ''").replace("Harbor", "Globex").replace("      - News\n", "");
    assert_eq!(shown.stdout.trim_end(), now.replace("0100", "0199").replace('"', "").trim_end(), "{shown}");
    // It takes the place of the entry, and Apollo holds it already.
    world.team(&shown.stdout);
    let plan = world.run("plan --refresh");
    assert!(plan.stdout.contains("No changes."), "{plan}");
    assert!(writes(&remote) > written, "that somebody edited counts");
    let nobody = world.run("export --key nobody");
    assert!(nobody.code == Some(1) && nobody.stderr.contains("nobody"), "{nobody}");
    assert_eq!(world.run("export --key x*").code, Some(1));
    remote.delete(&id);
    let gone = world.run("export --key ada");
    assert!(gone.code == Some(1) && gone.stderr.contains("does not exist"), "{gone}");
    assert_eq!(world.run("export --key ada --out -").code, Some(1), "one or the other");
    world.set("CONTACTSD_SPLIT", "company");
    assert_eq!(world.run("export --key ada").code, Some(1));
}
