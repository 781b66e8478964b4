//! What has changed in Apollo since it was applied, and what it costs to see that.

use std::collections::BTreeSet;
use std::fmt::Write;

use contactsd::sandbox::Action;
use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{KEY, Outcome, Remote, World};

/// Every call that changes something.
const WRITES: [Action; 7] = [
    Action::Create,
    Action::BulkCreate,
    Action::Update,
    Action::BulkUpdate,
    Action::UpdateStages,
    Action::AddToLists,
    Action::RemoveFromLists,
];

fn writes(remote: &Remote) -> u64 {
    WRITES.iter().map(|action| remote.requests(*action)).sum()
}

fn person(number: usize) -> String {
    format!(
        "  p{number:04}: {{first_name: Pia, last_name: Quill {number}, email: P{number}@Example.com, title: Clerk {number}, \
         organization_name: Harbor {number}, mobile_phone: \"+1555010{number:04}\", present_raw_address: Berlin}}\n"
    )
}

fn people(many: usize) -> String {
    (0..many).fold("contacts:\n".to_owned(), |mut text, number| {
        write!(text, "{}", person(number)).unwrap();
        text
    })
}

/// A world of people who stand applied, and their ids in order.
fn applied(many: usize) -> (World, Remote, Vec<String>) {
    let remote = Remote::start();
    let world = World::with(&people(many)).against(&remote);
    world.applied();
    let contact = |number: usize| remote.contact("last_name", &format!("Quill {number}"));
    let ids = (0..many).map(|number| contact(number)["id"].as_str().unwrap().to_owned()).collect();
    remote.take_sent();
    (world, remote, ids)
}

fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}\n{outcome}"))
}

fn changed(document: &Value) -> BTreeSet<(String, Vec<String>)> {
    let contacts = document["contacts"].as_array().unwrap();
    let names = |contact: &Value| {
        let names = contact["changed"].as_array().unwrap().iter();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    contacts
        .iter()
        .map(|contact| (contact["resource"]["resource_name"].as_str().unwrap().to_owned(), names(contact)))
        .collect()
}

#[test]
fn edits_among_many_are_found_as_exactly_those_and_nothing_is_written() {
    let (world, remote, ids) = applied(200);
    let before = writes(&remote);
    let none = world.run("drift --detailed-exitcode");
    assert_eq!(none.code, Some(0), "{none}");
    assert_eq!(none.stdout.lines().last(), Some("No drift. Apollo holds 200 contacts as they were applied."), "{none}");
    let edits = [
        (3, json!({"title": "Boss"})),
        (17, json!({"first_name": "Mia"})),
        (40, json!({"last_name": "Harbor"})),
        (41, json!({"email": "somebody@example.org"})),
        (77, json!({"mobile_phone": "+15559990000"})),
        (99, json!({"organization_name": "Globex"})),
        (120, json!({"title": ""})),
        (150, json!({"present_raw_address": "Paris, France"})),
        (163, json!({"title": "CLERK 163"})),
        (199, json!({"title": "Clerk", "first_name": "Ada"})),
    ];
    for (number, fields) in &edits {
        remote.edit(&ids[*number], fields);
    }
    let edited = writes(&remote);
    assert_eq!(edited, before + edits.len() as u64);
    let found = world.run("drift --json --detailed-exitcode");
    assert_eq!(found.code, Some(2), "{found}");
    let names = |fields: &Value| {
        let mut names: Vec<String> = fields.as_object().unwrap().keys().cloned().collect();
        names.sort_by_key(|name| name != "first_name");
        names
    };
    let expected: BTreeSet<_> = edits.iter().map(|(number, fields)| (format!("p{number:04}"), names(fields))).collect();
    assert_eq!(changed(&document(&found)), expected);
    assert_eq!(writes(&remote), edited, "drift writes nothing");
    // What was found stays found, and the files get it back.
    assert_eq!(changed(&document(&world.run("drift --json"))), expected);
}

#[test]
fn once_everybody_was_read_a_look_takes_one_request() {
    let (world, remote, ids) = applied(200);
    world.run("drift");
    let reads = |remote: &Remote| remote.requests(Action::Search) + remote.requests(Action::View);
    let before = reads(&remote);
    world.run("drift");
    // All were changed by the apply a moment ago, so that they are read once more.
    assert!(reads(&remote) - before <= 2, "{}", reads(&remote) - before);
    remote.edit(&ids[5], &json!({"title": "Boss"}));
    let drift = world.run("drift");
    assert_eq!(drift.line("Drift:"), "Drift: 1 changed, 0 gone.", "{drift}");
}

#[test]
fn what_apollo_makes_of_values_is_no_drift() {
    let (world, remote, ids) = applied(3);
    remote.edit(&ids[0], &json!({"email": "p0@example.COM", "organization_name": "Harbor 0, Inc."}));
    remote.edit(&ids[1], &json!({"mobile_phone": "+1 (555) 010-0001", "present_raw_address": "Berlin, Germany"}));
    remote.edit(&ids[2], &json!({"home_phone": "+15550100999", "website_url": "https://example.com"}));
    let drift = world.run("drift --detailed-exitcode");
    assert_eq!(drift.code, Some(0), "{drift}");
}

#[test]
fn a_deleted_contact_is_gone_and_only_that_one() {
    let (world, remote, ids) = applied(150);
    world.run("drift");
    remote.delete(&ids[64]);
    let found = document(&world.run("drift --json"));
    assert_eq!((found["changed"].as_u64(), found["gone"].as_u64()), (Some(0), Some(1)), "{found}");
    assert_eq!(found["contacts"][0]["resource"]["resource_name"], "p0064");
    assert_eq!(found["contacts"][0]["kind"], "gone");
    // Whoever is known to be gone costs a view each time.
    assert_eq!(document(&world.run("drift --json"))["gone"], 1);
}

#[test]
fn a_search_that_shows_nobody_makes_nobody_gone() {
    let (world, remote, _) = applied(5);
    let page =
        json!({"contacts": [], "pagination": {"page": 1, "per_page": 100, "total_entries": 5, "total_pages": 1}});
    remote.tap.answer_key(KEY, "/contacts/search", 200, &page);
    let drift = world.run("drift --json");
    let found = document(&drift);
    assert_eq!((found["gone"].as_u64(), found["compared"].as_u64()), (Some(0), Some(5)), "{drift}");
    assert_eq!(remote.requests(Action::View), 5);
}

#[test]
fn an_account_without_any_of_them_accuses_the_credential() {
    let (world, remote, ids) = applied(3);
    for id in &ids {
        remote.delete(id);
    }
    let drift = world.run("drift");
    assert_eq!(drift.code, Some(1), "{drift}");
    assert!(drift.stderr.contains("None of the contacts is in Apollo"), "{drift}");
}

#[test]
fn drift_is_shown_with_what_was_applied_what_is_there_and_what_the_files_say() {
    let (world, remote, ids) = applied(3);
    remote.edit(&ids[0], &json!({"title": "Boss"}));
    remote.delete(&ids[2]);
    world.edit("contacts.d/team.yaml", "Clerk 0", "Chief");
    assert_snapshot!(world.run("drift"), @r#"
    Reading what has changed in Apollo since the last reading: 1 search, or more if much has changed.
    Reading all contacts of the account from Apollo, up to 100 per request: 1 search.
    Reading 1 contact from Apollo: 1 view.
    Note: Contacts have changed outside of contactsd

      # contact.p0000 has changed in Apollo
      # (last changed there [TIME])
      ~ contact "p0000" {
            id    = "[ID1]"
          ~ title = "Clerk 0" -> "Boss"
            # (title is "Chief" in the files)
            # (6 unchanged attributes hidden)
        }

      # contact.p0002 is no longer in Apollo
      - contact "p0002" {
            id                = "[ID2]"
            first_name        = "Pia"
            last_name         = "Quill 2"
            organization_name = "Harbor 2"
            email             = "P2@Example.com"
        }

    Drift: 1 changed, 1 gone.

    To restore what the files say, run: contactsd apply --refresh --api-url http://127.0.0.1:[PORT]/api/v1
    To keep what Apollo has, change the files.
    [exit 0]
    "#);
    assert_snapshot!(world.run("drift --format markdown"), @r#"
    <!-- contactsd plan: contacts.d -->
    ### contactsd drift: `contacts.d`

    Contacts have changed outside of contactsd.

    Drift: 1 changed, 1 gone.

    <details><summary>Show drift</summary>

    ```diff
      # contact.p0000 has changed in Apollo
      # (last changed there [TIME])
    !   contact "p0000" {
            id    = "[ID1]"
    !       title = (masked) -> (masked)
            # (title is (masked) in the files)
            # (6 unchanged attributes hidden)
        }

      # contact.p0002 is no longer in Apollo
    -   contact "p0002" {
            id                = "[ID2]"
            first_name        = (masked)
            last_name         = (masked)
            organization_name = (masked)
            email             = (masked)
        }
    ```

    </details>
    [exit 0]
    "#);
    assert_snapshot!(world.run("drift --format github"), @"
    Reading what has changed in Apollo since the last reading: 1 search, or more if much has changed.
    Reading 1 contact from Apollo: 1 view.
    ::warning file=contacts.d/team.yaml,line=2,col=71,endColumn=75,title=contactsd::title changed in Apollo since it was applied (with contact.p0000)%0ATo restore what the files say, run apply --refresh. To keep what Apollo has, change the file.
    ::warning file=contacts.d/team.yaml,line=4,col=3,endColumn=7,title=contactsd::The contact is no longer in Apollo (with contact.p0002)%0ATo restore what the files say, run apply --refresh. To keep what Apollo has, change the file.
    Drift: 1 changed, 1 gone.
    [exit 0]
    ");
}

#[test]
fn only_our_lists_are_compared() {
    let remote = Remote::start();
    let world = World::with(
        "contacts:\n  ada: {first_name: Ada, email: ada@example.com, label_names: [North, South]}\n  \
         bob: {first_name: Bob, email: bob@example.com}\n",
    )
    .against(&remote);
    world.applied();
    let id = |email: &str| remote.contact("email", email)["id"].as_str().unwrap().to_owned();
    remote.put_on(&id("ada@example.com"), "Foreign");
    remote.put_on(&id("bob@example.com"), "Foreign");
    let none = world.run("drift --detailed-exitcode");
    assert_eq!(none.code, Some(0), "{none}");
    remote.take_off(&id("ada@example.com"), "South");
    let found = document(&world.run("drift --json"));
    assert_eq!(changed(&found), [("ada".to_owned(), vec!["label_names".to_owned()])].into());
    let contact = &found["contacts"][0];
    assert_eq!(
        (&contact["applied"], &contact["now"]),
        (&json!({"label_names": ["North", "South"]}), &json!({"label_names": ["North"]}))
    );
    let restored = world.run("apply --refresh --auto-approve");
    assert_eq!(restored.code, Some(0), "{restored}");
    assert_eq!(remote.contact("email", "ada@example.com")["label_names"], json!(["Foreign", "North", "South"]));
    assert_eq!(world.run("drift --detailed-exitcode").code, Some(0));
}

#[test]
fn what_is_ignored_is_counted_and_left_alone() {
    let remote = Remote::start();
    let world = World::with(
        "defaults: {ignore: [title]}\ncontacts:\n  ada: {first_name: Ada, title: CTO, email: ada@example.com}\n  \
         bob: {first_name: Bob, title: CTO, email: bob@example.com, ignore: {first_name: Sales knows better}}\n  \
         cyd: {first_name: Cyd, title: CTO, email: cyd@example.com, ignore: null}\n",
    )
    .against(&remote);
    world.applied();
    for email in ["ada@example.com", "bob@example.com", "cyd@example.com"] {
        let id = remote.contact("email", email)["id"].as_str().unwrap().to_owned();
        remote.edit(&id, &json!({"first_name": "Somebody", "title": "Boss"}));
    }
    let drift = world.run("drift --json");
    let found = document(&drift);
    let names = |key: &str, names: &[&str]| (key.to_owned(), names.iter().map(|&name| name.to_owned()).collect());
    let expected = [names("ada", &["first_name"]), names("bob", &["title"]), names("cyd", &["first_name", "title"])];
    assert_eq!(changed(&found), expected.into());
    assert_eq!(found["ignored"], 2);
    let restored = world.run("apply --refresh --auto-approve");
    assert_eq!(restored.code, Some(0), "{restored}");
    assert_eq!(remote.column("first_name"), ["Ada", "Somebody", "Cyd"]);
    assert_eq!(remote.column("title"), ["Boss", "CTO", "CTO"]);
    let last = world.run("drift");
    assert!(last.stdout.contains("2 fields ignored"), "{last}");
}

#[test]
fn a_mistake_in_ignore_is_told_at_its_place() {
    let world = World::with("contacts:\n  ada: {email: ada@example.com, ignore: [titel, {mobile_phone: [1]}]}\n");
    let outcome = world.run("validate");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stderr.contains("titel") && outcome.stderr.contains(":2:"), "{outcome}");
}

#[test]
fn a_plan_shows_drift_first_and_changes_nothing_until_it_is_approved() {
    let (world, remote, ids) = applied(3);
    remote.edit(&ids[1], &json!({"title": "Boss"}));
    let before = writes(&remote);
    assert_snapshot!(world.run("plan --refresh"), @r#"
    Reading what has changed in Apollo since the last reading: 1 search, or more if much has changed.
    Note: Contacts have changed outside of contactsd

      # contact.p0001 has changed in Apollo
      # (last changed there [TIME])
      ~ contact "p0001" {
            id    = "[ID1]"
          ~ title = "Clerk 1" -> "Boss"
            # (6 unchanged attributes hidden)
        }

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Actions are indicated with the following symbols:
      ~ update in-place

    contactsd will perform the following actions:

      # contact.p0001 will be updated in-place
      ~ contact "p0001" {
            id    = "[ID1]"
          ~ title = "Boss" -> "Clerk 1"
            # (6 unchanged attributes hidden)
        }

    Plan: 0 to add, 1 to change, 0 to destroy.
    Requests: 1 update; no wait for quota.
    Digest: [DIGEST]

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Run "contactsd apply --refresh --api-url http://127.0.0.1:[PORT]/api/v1" to perform these actions. It
    plans again, and asks before anything is sent.
    [exit 0]
    "#);
    // The state says what it said.
    world.run("plan --detailed-exitcode").is_clean();
    let refused = world.run_with_input("apply --refresh", "no\n");
    assert_ne!(refused.code, Some(0), "{refused}");
    world.run("plan --detailed-exitcode").is_clean();
    assert_eq!(writes(&remote), before);
    let digest = world.run("plan --refresh --detailed-exitcode");
    assert_eq!(digest.code, Some(2), "{digest}");
    let applied = world.run("apply --refresh --auto-approve");
    assert_eq!(applied.summary(), "Apply complete! Resources: 0 added, 1 changed, 0 destroyed.", "{applied}");
    assert_eq!(remote.contact("id", &ids[1])["title"], "Clerk 1");
    assert_eq!(world.run("drift --detailed-exitcode").code, Some(0));
    let plan = world.run("plan --refresh --detailed-exitcode");
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn a_contact_that_is_gone_waits_for_a_person() {
    let (world, remote, ids) = applied(3);
    remote.delete(&ids[0]);
    let plan = world.run("plan --refresh");
    assert_eq!(plan.code, Some(1), "{plan}");
    assert!(plan.stdout.contains("# contact.p0000 needs a decision"), "{plan}");
    world.run("plan --detailed-exitcode").is_clean();
    let applied = world.run("apply --refresh --auto-approve --recreate p0000");
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(remote.contacts().len(), 3);
    assert_eq!(world.run("drift --detailed-exitcode").code, Some(0));
}

#[test]
fn a_service_restores_what_was_changed() {
    let (world, remote, ids) = applied(3);
    remote.edit(&ids[1], &json!({"title": "Boss"}));
    let pass = world.run("watch --once --refresh 1h");
    assert_eq!(pass.code, Some(0), "{pass}");
    assert!(pass.stdout.contains("Contacts have changed outside of contactsd: 1 changed, 0 gone."), "{pass}");
    assert_eq!(remote.contact("id", &ids[1])["title"], "Clerk 1");
}

#[test]
fn drift_goes_beside_a_running_service() {
    let (world, remote, ids) = applied(3);
    let mut service = world.start("watch");
    service.wait_for("Watching contacts.d");
    remote.edit(&ids[2], &json!({"title": "Boss"}));
    let drift = world.run("drift --detailed-exitcode");
    assert_eq!(drift.code, Some(2), "{drift}");
    assert!(drift.stdout.contains("contact.p0002 has changed"), "{drift}");
    service.signal(Signal::TERM);
    assert_eq!(service.finish().code, Some(0));
}

#[test]
fn the_commands_of_the_guide_do_what_it_says() {
    let guide = include_str!("../../docs/guides/review-drift.md");
    let commands: Vec<&str> =
        guide.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    let remote = Remote::start();
    let mut world = World::with(
        "contacts:\n  ada: {first_name: Ada, title: Engineer, email: ada@example.com}\n  \
         bob:\n    first_name: Bob\n    organization_name: Harbor\n    title: Poet\n    email: bob@example.com\n",
    );
    world.set("APOLLO_API_KEY", KEY);
    world.set("CONTACTSD_API_URL", &remote.url());
    world.applied();
    let id = |email: &str| remote.contact("email", email)["id"].as_str().unwrap().to_owned();
    let run = |number: usize| {
        let script = format!("contactsd() {{ {} \"$@\"; }}\n{}", env!("CARGO_BIN_EXE_contactsd"), commands[number]);
        let outcome = world.run_script(&script, &[].into());
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome
    };
    assert_eq!(commands.len(), 5);
    remote.edit(&id("ada@example.com"), &json!({"title": "Director"}));
    let shown = run(0);
    assert!(shown.stdout.contains("~ title = \"Engineer\" -> \"Director\""), "{shown}");
    run(1);
    assert_eq!(remote.contact("email", "ada@example.com")["title"], "Engineer");
    remote.edit(&id("bob@example.com"), &json!({"title": "Laureate"}));
    let entry = guide.split("```yaml\n").nth(1).unwrap().split("\n```").next().unwrap();
    let (views, requests) = (remote.requests(Action::View), remote.all_requests());
    assert_eq!(run(2).stdout.trim_end(), entry);
    assert_eq!((remote.requests(Action::View) - views, remote.all_requests() - requests), (1, 1));
    let kept = run(3);
    assert!(kept.stdout.contains("No changes."), "{kept}");
    remote.edit(&id("bob@example.com"), &json!({"organization_name": "Globex"}));
    let ignored = run(4);
    assert!(ignored.stdout.contains("1 field ignored"), "{ignored}");
}

const ADA: &str = "contacts:\n  ada: {first_name: Ada, last_name: Quill, title: Engineer, email: ada@example.com}\n";

#[test]
fn a_contact_that_apollo_has_is_taken_over_with_evidence() {
    let remote = Remote::start();
    let id = remote
        .seed(json!({"first_name": "Ada", "last_name": "Quill", "title": "Clerk", "email": "Ada@example.com",
        "organization_name": "Harbor"}));
    remote.seed(json!({"first_name": "Ada", "last_name": "Quill", "email": "ada@example.org"}));
    let world = World::with(ADA).against(&remote);
    let before = writes(&remote);
    assert_snapshot!(world.run("plan --refresh"), @r#"
    Reading all contacts of the account from Apollo, up to 100 per request: 1 search.
    Reading 1 contact from Apollo: 1 view.
    contactsd will perform the following actions:

      # contact.ada will be imported
      # (imported from "[ID1]", the only contact with its e-mail)
      # (called "Ada Quill" at "Harbor" in Apollo)
        contact "ada" {
            id    = "[ID1]"
          ~ title = "Clerk" -> "Engineer"
          ~ email = "Ada@example.com" -> "ada@example.com"
            # (2 unchanged attributes hidden)
        }

    Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.
    Requests: 1 update, 1 view; no wait for quota (600 requests an hour of each kind are assumed until
    Apollo tells its limits).
    Digest: [DIGEST]

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Run "contactsd apply --refresh --api-url http://127.0.0.1:[PORT]/api/v1" to perform these actions. It
    plans again, and asks before anything is sent.
    [exit 0]
    "#);
    assert_eq!(writes(&remote), before);
    let applied = world.run("apply --refresh --auto-approve");
    assert_eq!(
        applied.summary(),
        "Apply complete! Resources: 1 imported, 0 added, 1 changed, 0 destroyed.",
        "{applied}"
    );
    assert_eq!(remote.contact("id", &id)["title"], "Engineer");
    assert_eq!(remote.contacts().len(), 2);
    let plan = world.run("plan --refresh --detailed-exitcode");
    assert_eq!(plan.code, Some(0), "{plan}");
    assert!(plan.stdout.contains("No changes. Apollo holds what the files say (1 contact)."), "{plan}");
}

#[test]
fn of_several_with_the_email_nobody_is_guessed() {
    let remote = Remote::start();
    let ids = ["Ada", "Ida"].map(|name| remote.seed(json!({"first_name": name, "email": "ada@example.com"})));
    let world = World::with(ADA).against(&remote);
    let plan = world.run("plan --refresh");
    assert_eq!(plan.code, Some(1), "{plan}");
    assert!(plan.stdout.contains("# contact.ada needs a decision"), "{plan}");
    let applied = world.run("apply --refresh --auto-approve");
    assert_eq!((applied.code, remote.contacts().len()), (Some(1), 2), "{applied}");
    let imported = world.run(&format!("import ada {} --auto-approve", ids[1]));
    assert_eq!(imported.code, Some(0), "{imported}");
}

#[test]
fn namesakes_are_shown_by_a_plan_that_looks_and_never_taken_over() {
    let remote = Remote::start();
    let harbor = json!({"first_name": "Ada", "last_name": "Quill", "organization_name": "Harbor"});
    let id = remote.seed(harbor);
    remote.seed(json!({"first_name": "Ada", "last_name": "Quill", "organization_name": "Elsewhere"}));
    let team = "contacts:\n  ada: {first_name: ada, last_name: QUILL, organization_name: Harbor, email: ada@example.com}\n  \
                bo: {first_name: Ada, last_name: Quill, organization_name: Globex}\n";
    let world = World::with(team).against(&remote);
    let plan = world.run("plan --refresh");
    assert_eq!(plan.code, Some(1), "{plan}");
    assert!(plan.stdout.contains("# contact.ada needs a decision") && plan.stdout.contains(&id), "{plan}");
    assert!(plan.stdout.contains("# contact.bo will be created"), "{plan}");
    let applied = world.run("apply --refresh --auto-approve");
    assert_eq!((applied.code, remote.contacts().len()), (Some(1), 3), "{applied}");
    assert_eq!(world.run(&format!("import ada {id} --auto-approve")).code, Some(0));
}

#[test]
fn a_page_holds_nothing_but_the_page() {
    let (world, remote, ids) = applied(3);
    remote.edit(&ids[1], &json!({"title": "Boss"}));
    for verb in ["drift", "plan --refresh"] {
        let page = world.run(&format!("{verb} --format markdown"));
        assert!(page.stdout.starts_with("<!-- contactsd plan: "), "{page}");
        assert!(page.stdout.contains("1 changed, 0 gone") && !page.stdout.contains("Boss"), "{page}");
    }
}

/// Whoever would be taken over is shown, however many they are: pages show them where that takes fewer requests.
#[test]
fn however_many_would_be_taken_over_all_are_shown_with_what_tells_so() {
    let remote = Remote::start();
    let mut team = String::from("contacts:\n");
    for number in 0..130 {
        remote.seed(json!({"email": format!("p{number}@example.com"), "first_name": "Pia", "last_name": format!("Quill{number}")}));
        let fields = format!("email: p{number}@example.com, first_name: Pia, last_name: Quill{number}");
        writeln!(team, "  p{number}: {{{fields}}}").unwrap();
    }
    let world = World::with(&team).against(&remote);
    let before = remote.requests(Action::Search);
    let plan = world.run("plan --refresh");
    assert!(plan.stdout.contains("Plan: 130 to import, 0 to add"), "{plan}");
    // Two pages of everybody, and the same two again, for whom the entries mean.
    assert_eq!((remote.requests(Action::Search) - before, remote.requests(Action::View)), (4, 0));
    let told = "up to 100 per request: 2 searches";
    assert_eq!(format!("{}{}", plan.stdout, plan.stderr).matches(told).count(), 2, "{plan}");
    let applied = world.run("apply --refresh --auto-approve");
    assert!(applied.code == Some(0) && applied.stdout.contains("130 imported"), "{applied}");
    world.run("plan").is_clean();
}

/// One odd answer said that a contact was deleted. It was shown ever after, and no advice led out.
#[test]
fn a_contact_that_is_shown_again_is_no_longer_gone() {
    let remote = Remote::with(|options| options.api_keys = vec!["first".to_owned(), "second".to_owned()]);
    let mut world =
        World::with("contacts:\n  ada: {email: ada@example.com, title: CTO}\n").against(&remote).one_by_one();
    world.set("APOLLO_API_KEY", "first");
    assert_eq!(world.apply().code, Some(0));
    let id = remote.contacts()[0]["id"].as_str().unwrap().to_owned();
    remote.tap.answer_key(
        "first",
        &format!("/contacts/{id}"),
        422,
        &json!({"error": "gone", "deleted_contact_ids": [id]}),
    );
    world.team("contacts:\n  ada: {email: ada@example.com, title: CEO}\n");
    assert_eq!(world.apply().code, Some(1));
    assert!(world.run("plan").stdout.contains("which was deleted in Apollo"));
    world.set("APOLLO_API_KEY", "second");
    let refreshed = world.run("apply --refresh --auto-approve");
    assert_eq!(refreshed.code, Some(0), "{refreshed}");
    assert_eq!(remote.column("title"), ["CEO"]);
    assert!(world.run("plan").stdout.starts_with("No changes."));
    // A person's word is enough as well.
    world.set("APOLLO_API_KEY", "first");
    world.team("contacts:\n  ada: {email: ada@example.com, title: CFO}\n");
    assert_eq!(world.apply().code, Some(1));
    world.set("APOLLO_API_KEY", "second");
    let imported = world.run(&format!("import ada {id} --auto-approve"));
    assert_eq!(imported.code, Some(0), "{imported}");
    assert_eq!(remote.column("title"), ["CFO"]);
}
