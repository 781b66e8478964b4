//! `validate`, and files with mistakes under every verb.

use insta::assert_snapshot;

use crate::support::{Remote, World};

const MISTAKES: [(&str, &str); 4] = [
    ("a", include_str!("../fixtures/contacts/mistakes/a.yaml")),
    ("b", include_str!("../fixtures/contacts/mistakes/b.yaml")),
    ("c", include_str!("../fixtures/contacts/mistakes/c.yaml")),
    ("d", include_str!("../fixtures/contacts/mistakes/d.yaml")),
];

fn world_of_mistakes() -> World {
    let world = World::new();
    for (name, text) in MISTAKES {
        world.write(&format!("contacts.d/{name}.yaml"), text);
    }
    world
}

#[test]
fn good_files_are_counted() {
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n");
    assert_snapshot!(world.run("validate"), @"
    Success! 1 contact in 1 file is valid.
    [exit 0]
    ");
    world.write("contacts.d/more/bo.yml", "contacts:\n  bo: {email: bo@example.com}\n---\n");
    world.write("contacts.d/.hidden.yaml", "broken: [");
    world.write("contacts.d/team.yaml~", "broken: [");
    world.write("contacts.d/notes.txt", "broken: [");
    assert_snapshot!(world.run("validate"), @r"
    Success! 2 contacts in 2 files are valid.
    [exit 0]
    ");
    assert!(!world.path(".contactsd").exists());
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_places() {
    let outcome = world_of_mistakes().run("validate");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stdout, "");
    let places: Vec<&str> = outcome.stderr.lines().filter(|line| is_place(line)).map(str::trim).collect();
    let mistakes = outcome.stderr.lines().filter(|line| line.starts_with("Error: ")).count();
    assert!(mistakes >= 20, "{mistakes} mistakes");
    assert!(places.len() >= mistakes, "{places:?}");
    let summaries: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("Error: ")).collect();
    assert_snapshot!(summaries.join("\n"), @r#"
    Error: Unknown field "titel" [E011]
    Error: cy and gil share an e-mail address [E029]
    Error: Unknown section "contact" [E008]
    Error: "ada quill" is not a valid key [E012]
    Error: "bo at example.com" is not an e-mail address [E015]
    Error: "www.example.com" is not an absolute web address [E018]
    Error: "Engines" is not an id for `account_id` [E016]
    Error: `run_dedupe` must be true or false [E019]
    Error: `title` must be text, not a list [E009]
    Error: A list name is empty [E027]
    Error: "first_name" stands twice in one map [E010]
    Error: Unknown field "phone" [E011]
    Error: di is moved from its own key [E022]
    Error: "12345" is not an id for `apollo_id` [E016]
    Error: A list name is null [E014]
    Error: The contact "gil" must be a map of fields, not text [E009]
    Error: hal and ida share an e-mail address [E029]
    Error: The key bo is declared twice [E013]
    Error: jo and kit share a name and a company [E030]
    Error: jo is moved from hal, which is still declared [E023]
    Error: mo is moved from gone, and so is another contact [E026]
    Error: The line is indented with a tab [E005]
    Error: The file is not valid YAML [E004]
    "#);
    assert_snapshot!(places.join("\n"), @r"
    contacts.d/a.yaml:2:3
    contacts.d/a.yaml:3:10
    contacts.d/a.yaml:3:10
    contacts.d/a.yaml:4:1
    contacts.d/a.yaml:6:3
    contacts.d/a.yaml:8:12
    contacts.d/a.yaml:9:18
    contacts.d/a.yaml:10:17
    contacts.d/a.yaml:11:17
    contacts.d/a.yaml:12:5
    contacts.d/a.yaml:13:26
    contacts.d/a.yaml:15:5
    contacts.d/a.yaml:14:5
    contacts.d/a.yaml:16:5
    contacts.d/a.yaml:18:43
    contacts.d/a.yaml:19:42
    contacts.d/a.yaml:20:47
    contacts.d/a.yaml:21:8
    contacts.d/b.yaml:2:16
    contacts.d/b.yaml:3:16
    contacts.d/b.yaml:4:3
    contacts.d/a.yaml:7:3
    contacts.d/b.yaml:5:35
    contacts.d/b.yaml:6:36
    contacts.d/b.yaml:5:77
    contacts.d/b.yaml:2:3
    contacts.d/b.yaml:8:43
    contacts.d/b.yaml:7:43
    contacts.d/c.yaml:2:2
    contacts.d/d.yaml:2:16
    ");
}

/// Reports whether a line of stderr is `  path:line:column`.
fn is_place(line: &str) -> bool {
    let mut parts = line.trim().rsplitn(3, ':');
    let is_number = |part: Option<&str>| part.is_some_and(|part| part.parse::<usize>().is_ok());
    line.starts_with("  contacts.d/") && is_number(parts.next()) && is_number(parts.next()) && parts.next().is_some()
}

#[test]
fn files_with_mistakes_plan_nothing_and_send_nothing() {
    let remote = Remote::start();
    let world = world_of_mistakes().against(&remote);
    let expected = world.run("validate").stderr;
    for verb in ["plan", "plan --detailed-exitcode", "apply --auto-approve"] {
        let outcome = world.run(verb);
        assert_eq!(outcome.code, Some(1));
        assert_eq!(outcome.stdout, "");
        assert_eq!(outcome.stderr, expected);
    }
    assert_eq!(remote.take_calls(), [""; 0]);
    assert!(!world.path(".contactsd").exists());
}

#[test]
fn one_bad_file_among_good_ones_changes_nothing_of_what_stands() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&remote);
    world.applied();
    remote.take_sent();
    world.write("contacts.d/bo.yaml", "contacts:\n  bo: {emial: bo@example.com}\n");
    world.team("contacts:\n  ada: {email: ada@example.com, title: New}\n");
    assert_snapshot!(world.apply(), @r#"
    [stderr]
    Error: Unknown field "emial" [E011]

      with contact.bo,
      contacts.d/bo.yaml:2:8
       2:   bo: {emial: bo@example.com}
                 ^^^^^

    Apollo ignores names it does not know, so the value would be lost. Did you mean `email`?
    [exit 1]
    "#);
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn warnings_stop_nothing() {
    let world = World::with("contacts:\n  ada:\n    email: ada@example.com\n    mobile_phone: unlisted\n");
    assert_snapshot!(world.run("validate"), @r#"
    Success! 1 contact in 1 file is valid.
    [stderr]
    Warning: "unlisted" has no digits [W102]

      with contact.ada,
      contacts.d/team.yaml:4:19
       4:     mobile_phone: unlisted
                            ^^^^^^^^

    `mobile_phone` is meant for a phone number. Write the number, or remove the line if there is none.
    [exit 0]
    "#);
}

#[test]
fn a_directory_that_is_not_there_is_an_error_that_says_what_to_do() {
    assert_snapshot!(World::new().run("validate"), @r"
    [stderr]
    Error: Cannot read the contact files

    the directory contacts.d cannot be read: No such file or directory (os error 2)
    Name the directory with --dir, or make it: a file such as contacts.d/team.yaml holds `contacts:`
    with a key for each person.
    [exit 1]
    ");
    assert_snapshot!(World::new().run("plan --dir people"), @r"
    [stderr]
    Error: Cannot read the contact files

    the directory people cannot be read: No such file or directory (os error 2)
    Name the directory with --dir, or make it: a file such as contacts.d/team.yaml holds `contacts:`
    with a key for each person.
    [exit 1]
    ");
}

#[test]
fn an_empty_directory_is_valid() {
    let world = World::new();
    std::fs::create_dir(world.path("contacts.d")).unwrap();
    assert_snapshot!(world.run("validate"), @"
    Success! 0 contacts in 0 files are valid.
    [stderr]
    Warning: contacts.d holds no contact files

    Contact files end in .yaml or .yml.
    [exit 0]
    ");
    assert_snapshot!(world.run("plan"), @r"
    No changes. The contact files declare no contacts.
    [exit 0]
    ");
}

#[test]
fn hostile_files_end_quickly_with_an_error() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    let deep = format!("contacts: {}{}\n", "[".repeat(50_000), "]".repeat(50_000));
    for (name, text) in [("bomb", bomb), ("deep", &deep)] {
        let outcome = World::with(text).run("validate");
        assert_eq!(outcome.code, Some(1), "{name}");
        assert!(outcome.stderr.len() < 10_000, "{name}: {} bytes", outcome.stderr.len());
    }
}
