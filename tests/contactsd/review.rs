//! What reviewers are shown: Markdown, masks, and how much of a plan.

use insta::assert_snapshot;

use crate::support::{Remote, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

#[test]
fn markdown_is_a_page_with_masked_values_and_nothing_else() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("plan --format markdown --sandbox"), @r#"
    <!-- contactsd plan: contacts.d -->
    ### contactsd plan: `contacts.d`

    Plan: 2 to add, 0 to change, 0 to destroy.

    Requests: 2 bulk create, up to 2 search.

    Each new contact is searched for before it is created. If the key is not allowed to search: a request for many contacts does not change a contact that Apollo matches, but a request for one contact overwrites it.

    <details><summary>Show plan</summary>

    ```diff
      # contact.ada will be created
      # (or imported, if Apollo has a contact with this e-mail)
    +   contact "ada" {
    +       title = (masked)
    +       email = (masked)
    +       id    = (known after apply)
        }

      # contact.bo will be created
      # (or imported, if Apollo has a contact with this e-mail)
    +   contact "bo" {
    +       email = (masked)
    +       id    = (known after apply)
        }
    ```

    </details>

    Digest: `[DIGEST]`

    This applies exactly this plan, or nothing if the files or the state have changed since:

    ```sh
    contactsd apply --expect [DIGEST] --sandbox
    ```
    [exit 0]
    "#);
    let shown = world.run("plan --format markdown --no-mask");
    assert!(
        shown.stdout.contains("ada@example.com") && shown.stdout.starts_with("<!-- contactsd plan: contacts.d -->\n")
    );
    let cut = world.run("plan --format markdown --max-bytes 700");
    assert!(cut.stdout.len() <= 700 && cut.stdout.contains("\nPlan: 2 to add, "), "{cut}");
    assert_eq!(world.run("plan --format markdown --json").code, Some(1), "stdout is one or the other");
}

#[test]
fn a_saved_plan_is_shown_as_markdown_with_its_own_command() {
    let world = World::with(TEAM);
    assert_eq!(world.run("plan --out it.plan").code, Some(0));
    let page = world.run("show --format markdown it.plan").stdout;
    assert!(page.contains("\ncontactsd apply it.plan\n") && !page.contains("ada@example.com"), "{page}");
    let nothing = world.run("show --format markdown");
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.stderr.contains("There is no plan to show"), "{nothing}");
}

#[test]
fn planning_that_failed_says_so_and_offers_nothing() {
    let world = World::with("contacts:\n  ada: {email: nobody}\n");
    assert_snapshot!(world.run("plan"), @r#"
    Planning failed. There is no plan, and nothing can be applied.
    Read: 1 file, with 1 error.
    [stderr]
    Error: "nobody" is not an e-mail address [E015]

      with contact.ada,
      contacts.d/team.yaml:2:16
       2:   ada: {email: nobody}
                         ^^^^^^

    This is not an e-mail address: it has no @. Apollo drops such an address silently. Write only the
    address, like jane@example.com, or "" to clear the field.

    Hint: contactsd explain E015 says more.
    [exit 1]
    "#);
    assert_snapshot!(world.run("plan --format markdown"), @"
    <!-- contactsd plan: contacts.d -->
    ### contactsd plan: `contacts.d`

    **Planning failed.** There is no plan, and nothing can be applied.

    Read: 1 file, with 1 error.

    <details open><summary>1 error</summary>

    ```text
    Error: An e-mail address is malformed [E015]

      with contact.ada,
      contacts.d/team.yaml:2:16

    The values are masked here. docs/errors/E015.md says what to do.
    ```

    </details>
    [stderr]
    Error: An e-mail address is malformed [E015]

      with contact.ada,
      contacts.d/team.yaml:2:16

    The values are masked here. docs/errors/E015.md says what to do.

    Hint: contactsd explain E015 says more.
    [exit 1]
    ");
    let missing = world.run("plan --dir nowhere");
    assert!(missing.stdout.starts_with("Planning failed.") && missing.code == Some(1), "{missing}");
}

#[test]
fn what_is_masked_is_masked_everywhere() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    let applied = world.run("apply --auto-approve --mask --json-into records.jsonl");
    assert_eq!(applied.code, Some(0), "{applied}");
    let records = std::fs::read_to_string(world.path("records.jsonl")).unwrap();
    let state = world.run("show --mask");
    for text in [&applied.stdout, &records, &state.stdout] {
        assert!(text.contains("(masked)") && !text.contains("@example.com") && !text.contains("Engineer"), "{text}");
    }
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    world.set("CONTACTSD_MASK", "true");
    assert!(world.run("plan").stdout.contains("title = (masked) -> (masked)"));
    assert!(world.run("plan --no-mask").stdout.contains("\"Engineer\" -> \"Director\""), "a flag beats a variable");
}

#[test]
fn a_plan_may_be_short_and_file_by_file() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.write("contacts.d/a.yaml", "contacts:\n  cy: {email: cy@example.com}\n");
    let plan = world.run("plan --concise --by-file");
    assert_snapshot!(plan.stdout.split("\nRequests").next().unwrap(), @"
    contactsd will perform the following actions:

    contacts.d/a.yaml: 1 to add
      + contact.cy will be created (cy@example.com)

    contacts.d/team.yaml: 2 to add
      + contact.ada will be created (ada@example.com)
      + contact.bo will be created (bo@example.com)

    Plan: 3 to add, 0 to change, 0 to destroy.
    ");
    let applied = world.run("apply --auto-approve --concise");
    assert!(!applied.stdout.contains("Creation complete") && applied.summary().contains("3 added"), "{applied}");
}

#[test]
fn a_terminal_gets_the_first_actions_and_a_pipe_all() {
    let contacts: Vec<String> = (0..150).map(|n| format!("  k{n:03}: {{email: k{n:03}@example.com}}\n")).collect();
    let world = World::with(&format!("contacts:\n{}", contacts.concat()));
    let whole = world.run("plan");
    assert_eq!(whole.stdout.matches("will be created").count(), 150);
    let terminal = world.run_on_terminal("plan");
    assert_eq!(terminal.stdout.matches("will be created").count(), 100);
    assert!(
        terminal
            .stdout
            .replace('\n', " ")
            .contains("... and 50 more actions: 50 to add. Add --full to see everything."),
        "{terminal}"
    );
    let full = world.run_on_terminal("plan --full");
    assert_eq!(full.stdout.matches("will be created").count(), 150);
}

#[test]
fn suggested_commands_work_as_they_are_shown() {
    let mut plain = World::new();
    plain.write("my people/ada.yaml", TEAM);
    plain.set("CONTACTSD_DIR", "my people");
    assert!(plain.run("plan").stdout.contains("Run \"contactsd apply --dir 'my people'\""), "{}", plain.run("plan"));
    plain.set("CONTACTSD_API_URL", "http://127.0.0.1:9/api/v1");
    assert!(plain.run("plan").stdout.replace('\n', " ").contains("--api-url http://127.0.0.1:9/api/v1"));
}
