//! `-` stands for stdin or stdout wherever a file is named, and where it cannot that is said.

use crate::support::World;

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com}\n";

#[test]
fn a_plan_goes_through_a_pipe() {
    let world = World::with(TEAM);
    let planned = world.run("plan --sandbox --out -");
    assert!(planned.stdout.starts_with(r#"{"plan":{"format":"#), "{planned}");
    assert_eq!(planned.stdout.lines().count(), 3, "a header, an action and the end: {planned}");
    assert!(planned.stderr.contains("Plan: 1 to add") && !planned.stderr.contains("Saved the plan"), "{planned}");
    assert!(!world.path("-").exists());

    let shown = world.run_with_input("show -", &planned.stdout);
    assert!(shown.stdout.contains("Plan: 1 to add") && shown.code == Some(0), "{shown}");
    let applied = world.run_with_input("apply --sandbox -", &planned.stdout);
    assert_eq!(applied.summary(), "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.", "{applied}");

    let cut = world.run_with_input("apply --sandbox -", planned.stdout.lines().next().unwrap());
    assert!(cut.stderr.contains("<stdin> is cut") && cut.code == Some(1), "{cut}");
}

#[test]
fn a_plan_on_stdout_stands_alone_there() {
    let world = World::with(TEAM);
    for line in ["plan --out - --json", "plan --out - --format markdown"] {
        let refused = world.run(line);
        let text = format!("{}{}", refused.stdout, refused.stderr);
        assert!(text.contains("cannot be used together") && refused.code == Some(1), "{refused}");
    }
    let into = world.run("plan --out - --json-into records.jsonl");
    assert!(into.stdout.lines().next().unwrap().starts_with(r#"{"plan""#), "{into}");
    let records = std::fs::read_to_string(world.path("records.jsonl")).unwrap();
    assert!(records.contains("planned_change") && !records.contains(r#"{"plan":{"format"#), "{records}");
}

#[test]
fn a_contact_file_is_formatted_from_stdin_to_stdout() {
    let world = World::new();
    let (odd, even) =
        ("contacts:\n    ada:\n        email:   ada@example.com\n", "contacts:\n  ada:\n    email: ada@example.com\n");
    let formatted = world.run_with_input("fmt -", odd);
    assert_eq!((formatted.stdout.as_str(), formatted.stderr.as_str(), formatted.code), (even, "", Some(0)));
    assert_eq!(world.run_with_input("fmt -", even).stdout, even);
    let checked = world.run_with_input("fmt --check -", odd);
    assert_eq!((checked.stdout.as_str(), checked.code), ("<stdin>\n", Some(1)));
    assert_eq!(world.run_with_input("fmt --check -", even).code, Some(0));
    assert!(world.run_with_input("fmt --diff -", odd).stdout.contains("+    email: ada@example.com"));
    let mistaken = world.run_with_input("fmt -", "contacts: [\n");
    assert_eq!((mistaken.stdout.as_str(), mistaken.code), ("", Some(1)));
    assert!(mistaken.stderr.contains("<stdin>:"), "{mistaken}");
    assert!(world.run_with_input("fmt - other.yaml", odd).stderr.contains("no other file"));
}

#[test]
fn a_contact_file_is_checked_from_stdin() {
    let world = World::with("contacts: [\n");
    let valid = world.run_with_input("validate -", TEAM);
    assert_eq!(valid.stdout, "Success! 1 contact in 1 file is valid.\n", "{valid}");
    let twice = "contacts:\n  ada: {email: a@example.com, titel: x}\n  bo: {email: a@example.com}\n";
    let mistaken = world.run_with_input("validate -", twice);
    assert!(mistaken.stderr.contains("<stdin>:2:") && mistaken.stderr.contains("[E029]"), "{mistaken}");
    let json = world.run_with_input("validate --json -", twice);
    assert!(json.stdout.contains(r#""filename":"<stdin>""#) && !json.stdout.contains("stdin.yaml"), "{json}");
}

#[test]
fn where_it_cannot_stand_that_is_said() {
    let mut world = World::with(TEAM);
    for (line, why) in [
        ("plan --dir -", "a directory is needed here"),
        ("plan --state -", "a directory is needed here"),
        ("sandbox --data -", "a directory is needed here"),
        ("plan --json-into -", "use --json"),
        ("validate contacts.d/team.yaml", "only - (stdin)"),
    ] {
        let refused = world.run(line);
        assert!(refused.stderr.contains(why) && refused.code == Some(1), "{line}: {refused}");
    }
    assert!(!world.path("-").exists());
    assert!(world.run("man -").stdout.contains(".TH"));
    world.set("APOLLO_API_KEY_FILE", "-");
    world.unset("APOLLO_API_KEY");
    assert!(world.run("apply --auto-approve").stderr.contains("a key is not read from stdin"));
}
