//! `validate`, and files with mistakes under every verb.

use std::io::Write;

use insta::assert_snapshot;
use serde_json::Value;

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
    assert_eq!(mistakes, 20, "the first of them");
    assert!(places.len() >= mistakes, "{places:?}");
    let document: Value = serde_json::from_str(&world_of_mistakes().run("validate --json").stdout).unwrap();
    let diagnostics = document["diagnostics"].as_array().unwrap().iter();
    let errors = diagnostics.filter(|diagnostic| diagnostic["severity"] == "error");
    let text = |diagnostic: &Value, name: &str| diagnostic[name].as_str().unwrap().to_owned();
    let summaries: Vec<String> =
        errors.map(|error| format!("Error: {} [{}]", text(error, "summary"), text(error, "code"))).collect();
    assert_snapshot!(summaries.join("\n"), @r#"
    Error: Unknown field "titel" [E011]
    Error: cy and gil share an e-mail address [E029]
    Error: Unknown section "contact" [E008]
    Error: "ada quill" is not a valid key [E012]
    Error: "bo at example.com" is not an e-mail address [E015]
    Error: "www.example.com" is not a full web address [E018]
    Error: "Engines" is not an id for `account_id` [E016]
    Error: `run_dedupe` must be true or false [E019]
    Error: `title` must be text, not a list [E009]
    Error: A list name is empty [E027]
    Error: "first_name" is written twice in one map [E010]
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
        let told = if verb.starts_with("plan") {
            "Planning failed. There is no plan, and nothing can be applied."
        } else {
            ""
        };
        assert_eq!(outcome.stdout.lines().next().unwrap_or_default(), told);
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

    Hint: contactsd explain E011 says more.
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

    Hint: contactsd explain W102 says more.
    [exit 0]
    "#);
}

#[test]
fn a_directory_that_is_not_there_is_an_error_that_says_what_to_do() {
    assert_snapshot!(World::new().run("validate"), @"
    [stderr]
    Error: Cannot read the contact files

    the directory contacts.d cannot be read: No such file or directory (os error 2)
    Name the directory with --dir, or make it with a first entry: contactsd init
    [exit 1]
    ");
    assert_snapshot!(World::new().run("plan --dir people"), @"
    Planning failed. There is no plan, and nothing can be applied.
    [stderr]
    Error: Cannot read the contact files

    the directory people cannot be read: No such file or directory (os error 2)
    Name the directory with --dir, or make it with a first entry: contactsd init
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

#[test]
fn github_gets_a_command_a_finding_up_to_what_it_shows() {
    let world = World::with("contacts:\n  ada:\n    emial: ada@example.com\n    mobile_phone: unlisted\n");
    assert_snapshot!(world.run("validate --format github"), @r#"
    ::warning file=contacts.d/team.yaml,line=4,col=19,endColumn=26,title=W102%3A A phone number has no digits::"unlisted" has no digits (with contact.ada)%0A`mobile_phone` is meant for a phone number. Write the number, or remove the line if there is none.
    ::error file=contacts.d/team.yaml,line=3,col=5,endColumn=9,title=E011%3A A contact has an unknown field::Unknown field "emial" (with contact.ada)%0AApollo ignores names it does not know, so the value would be lost. Did you mean `email`?
    [exit 1]
    "#);
    let absolute = world.run(&format!("validate --format github --dir {}", world.path("contacts.d").display()));
    assert!(absolute.stdout.starts_with("::"), "{absolute}");
    assert!(absolute.stdout.contains("file=contacts.d/team.yaml,line=3,col=5,endColumn=9,"), "{absolute}");

    let outcome = world_of_mistakes().run("validate --format github");
    assert_eq!(outcome.code, Some(1));
    let of = |kind: &str| outcome.stdout.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!((of("::error "), of("::notice "), outcome.stdout.lines().count()), (10, 1, 11));
    let told = outcome.stderr.lines().filter(|line| line.starts_with("Error: ")).count();
    assert_eq!(told, 13, "what GitHub has no room for stands in the log\n{outcome}");

    world.team("contacts:\n  ada: {email: ada@example.com}\n");
    assert_snapshot!(world.run("validate --format github"), @"
    Success! 1 contact in 1 file is valid.
    [exit 0]
    ");
    assert_snapshot!(World::new().run("validate --format github"), @"
    ::error title=contactsd::Cannot read the contact files%0Athe directory contacts.d cannot be read: No such file or directory (os error 2)%0AName the directory with --dir, or make it with a first entry: contactsd init
    [exit 1]
    ");
}

/// The file that GitHub and code scanning are told of one mistake in `team/contacts.d/a.yaml`.
fn named(world: &World, directory: &str, arguments: &str) -> (String, String) {
    let github = world.run_in(directory, &format!("validate --format github {arguments}"));
    let file = github.stdout.split("file=").nth(1).and_then(|rest| rest.split(',').next());
    let sarif = valid_sarif(&world.run_in(directory, &format!("validate --format sarif {arguments}")).stdout);
    let uri = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    (file.unwrap_or_else(|| panic!("{github}")).to_owned(), uri.as_str().unwrap().to_owned())
}

#[test]
fn files_are_named_from_the_root_of_the_repository() {
    let mut world = World::new();
    world.write("team/contacts.d/a.yaml", "contacts:\n  ada: {emial: ada@example.com}\n");
    let both = |name: &str| (name.to_owned(), name.to_owned());
    let absolute = format!("--dir {}", world.path("team/contacts.d").display());
    let runs =
        [("", "--dir team/contacts.d"), ("team", ""), ("team/contacts.d", "--dir ."), ("team", absolute.as_str())];

    std::fs::create_dir(world.path(".git")).unwrap();
    for (directory, arguments) in runs {
        assert_eq!(named(&world, directory, arguments), both("team/contacts.d/a.yaml"), "{directory} {arguments}");
    }
    let page = world.run_in("team", "plan --format markdown --dir ./contacts.d");
    assert!(page.stdout.starts_with("<!-- contactsd plan: team/contacts.d -->"), "{page}");

    // A runner says itself where the repository is.
    let workspace = world.path("team").display().to_string();
    world.set("GITHUB_WORKSPACE", &workspace);
    for (directory, arguments) in runs {
        assert_eq!(named(&world, directory, arguments), both("contacts.d/a.yaml"), "{directory} {arguments}");
    }
    std::fs::remove_dir(world.path(".git")).unwrap();
    assert_eq!(named(&world, "team/contacts.d", "--dir ."), both("contacts.d/a.yaml"));

    world.unset("GITHUB_WORKSPACE");
    if world.path("").ancestors().any(|above| above.join(".git").exists()) {
        std::io::stderr().write_all(b"SKIPPED: without a repository: temporary files are in one\n").unwrap();
        return;
    }
    assert_eq!(named(&world, "team", ""), both("contacts.d/a.yaml"));
}

#[test]
fn no_value_in_a_file_forges_a_workflow_command() {
    let world = World::with(
        "contacts:\n  ada:\n    \"x\\n::set-output name=a::b\": y\n    email: \"a\\r\\n::error::b ##[error]c%0A::d\"\n",
    );
    let outcome = world.run("validate --format github");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome}");
    assert!(
        outcome.stdout.lines().all(|line| line.starts_with("::error file=contacts.d/team.yaml,line=")),
        "{outcome}"
    );
    assert!(!outcome.stdout.contains(['\r', '\u{1b}']) && !outcome.stdout.contains("##["), "{outcome}");
}

fn valid_sarif(text: &str) -> Value {
    let log: Value = serde_json::from_str(text).unwrap();
    let schema = include_str!("../fixtures/sarif/sarif-schema-2.1.0.json");
    let mut schema: Value = serde_json::from_str(schema).unwrap();
    // A stray bracket makes the standard's own patterns for languages no regular expressions to a strict reader;
    // no log of ours names a language.
    for definition in ["run", "toolComponent"] {
        schema["definitions"][definition]["properties"]["language"].as_object_mut().unwrap().remove("pattern").unwrap();
    }
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0], "{text}");
    let wrong = |pointer: &str, value: &str| {
        let mut wrong = log.clone();
        *wrong.pointer_mut(pointer).unwrap() = value.into();
        wrong
    };
    assert!(!validator.is_valid(&wrong("/version", "2.0.0")), "the schema is one that can say no");
    assert!(!validator.is_valid(&wrong("/$schema", "not a place")), "and knows addresses");
    log
}

#[test]
fn a_sarif_log_keeps_to_the_standards_schema_whatever_was_found() {
    let outcome = world_of_mistakes().run("validate --format sarif");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    let log = valid_sarif(&outcome.stdout);
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 23);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!((&rule["id"], result["locations"].as_array().unwrap().len()), (&result["ruleId"], 1));
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert!(uri.as_str().unwrap().starts_with("contacts.d/"), "{uri}");
    }
    let prints: std::collections::BTreeSet<String> =
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect();
    assert_eq!(prints.len(), results.len());

    let warned = World::with("contacts:\n  ada:\n    email: ada@example.com\n    mobile_phone: unlisted\n");
    let outcome = warned.run("validate --format sarif");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(valid_sarif(&outcome.stdout)["runs"][0]["results"][0]["level"], "warning");

    let outcome = World::new().run("validate --format sarif");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    assert_eq!(valid_sarif(&outcome.stdout)["runs"][0]["invocations"][0]["executionSuccessful"], false);

    let hostile = World::with("contacts:\n  \"\\e[31m{0} [a](b)\": {email: x, \"\\u202e\": y}\n");
    let outcome = hostile.run("validate --format sarif");
    let log = valid_sarif(&outcome.stdout);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 3);
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}']), "{outcome}");
}

/// Reads a report as GitLab's page says that it is: every key is there, and of the kind that it takes.
fn code_quality(text: &str) -> Vec<Value> {
    let schema = serde_json::json!({"type": "array", "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": false,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "pattern": "^[EW][0-9]{3}$"},
            "fingerprint": {"type": "string", "minLength": 16},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^/.]"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    }});
    let report: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::options().build(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0], "{text}");
    report.as_array().unwrap().clone()
}

#[test]
fn gitlab_gets_one_report_of_all_findings_and_stdout_holds_nothing_else() {
    let outcome = world_of_mistakes().run("validate --format gitlab");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    let report = code_quality(&outcome.stdout);
    assert_eq!(report.len(), 23);
    let prints: std::collections::BTreeSet<&str> =
        report.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), report.len());

    let mut world = World::with("contacts:\n  ada:\n    email: ada@example.com\n    mobile_phone: unlisted\n");
    assert_snapshot!(world.run("validate --format gitlab"), @r#"
    [
      {
        "description": "\"unlisted\" has no digits (with contact.ada). `mobile_phone` is meant for a phone number. Write the number, or remove the line if there is none.",
        "check_name": "W102",
        "fingerprint": "59f480d3385bd69d:1",
        "severity": "minor",
        "location": {
          "path": "contacts.d/team.yaml",
          "lines": {
            "begin": 4
          }
        }
      }
    ]
    [exit 0]
    "#);
    let before = code_quality(&world.run("validate --format gitlab").stdout);
    world.team("# A line more.\ncontacts:\n  ada:\n    email: ada@example.com\n    mobile_phone: unlisted\n");
    let after = code_quality(&world.run("validate --format gitlab").stdout);
    assert_eq!(
        (&before[0]["fingerprint"], &after[0]["location"]["lines"]["begin"]),
        (&after[0]["fingerprint"], &5.into())
    );

    world.team("contacts:\n  ada: {email: ada@example.com}\n");
    assert_snapshot!(world.run("validate --format gitlab"), @"
    []
    [exit 0]
    ");
    assert_snapshot!(World::new().run("validate --format gitlab"), @"
    []
    [stderr]
    Error: Cannot read the contact files

    the directory contacts.d cannot be read: No such file or directory (os error 2)
    Name the directory with --dir, or make it with a first entry: contactsd init
    [exit 1]
    ");

    let hostile = World::with("contacts:\n  \"\\e[31m\\n::error::x\": {email: x, \"\\u202e\": y}\n");
    let outcome = hostile.run("validate --format gitlab");
    assert_eq!(code_quality(&outcome.stdout).len(), 3);
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}']), "{outcome}");

    // Paths are GitLab's: from the root of the repository, wherever it was run.
    std::fs::create_dir(world.path(".git")).unwrap();
    world.write("team/contacts.d/a.yaml", "contacts:\n  ada: {emial: ada@example.com}\n");
    world.set("CONTACTSD_FORMAT", "gitlab");
    let outcome = world.run_in("team", "validate");
    assert_eq!(code_quality(&outcome.stdout)[0]["location"]["path"], "team/contacts.d/a.yaml");
}

#[test]
fn of_many_mistakes_the_first_are_shown_and_all_are_counted() {
    let world = World::new();
    for file in ["one", "two"] {
        let person = |number| format!("  {file}-{number}: {{email: {file}{number}@example.com, titel: x}}");
        let people: Vec<String> = (0..40).map(person).collect();
        world.write(&format!("contacts.d/{file}.yaml"), &format!("contacts:\n{}\n", people.join("\n")));
    }
    for verb in ["validate", "plan", "apply --sandbox --auto-approve"] {
        let outcome = world.run(verb);
        assert_eq!(outcome.code, Some(1));
        assert_eq!(outcome.stderr.matches("Error: ").count(), 20, "{outcome}");
        for sum in ["Found 80 errors; the first 20 are shown.", "80  E011  A contact has", "40  contacts.d/two.yaml"] {
            assert!(outcome.stderr.contains(sum), "{sum}: {outcome}");
        }
    }
    assert_eq!(world.run("validate --json").stdout.matches("\"severity\":\"error\"").count(), 80, "programs get all");
    assert_eq!(world.run("plan --json").stdout.matches("\"type\":\"diagnostic\"").count(), 80);
}
