//! `fmt`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use insta::assert_snapshot;

use crate::support::{Remote, World};

const ROUGH: &str = "contacts:
    ada:
        email:   ada@example.com # work
        # her name
        first_name: Ada
    bo: {email: bo@example.com}
";

const FINE: &str = "contacts:
  ada:
    # her name
    first_name: Ada
    email: ada@example.com # work

  bo: {email: bo@example.com}
";

fn team(world: &World) -> String {
    fs::read_to_string(world.path("contacts.d/team.yaml")).unwrap()
}

#[test]
fn files_are_brought_into_form_and_named_once() {
    let world = World::with(ROUGH);
    world.write("contacts.d/deep/fine.yml", "contacts:\n  cy: {email: cy@example.com}\n");
    assert_snapshot!(world.run("fmt"), @"
    contacts.d/team.yaml
    [exit 0]
    ");
    assert_eq!(team(&world), FINE);
    assert_snapshot!(world.run("fmt"), @"
    2 files are already formatted.
    [exit 0]
    ");
    assert_eq!(fs::read_dir(world.path("contacts.d")).unwrap().count(), 2, "nothing else is left there");
}

#[test]
fn what_is_formatted_plans_as_before() {
    let remote = Remote::start();
    let world = World::with(ROUGH).against(&remote);
    world.applied();
    assert_eq!(world.run("fmt").code, Some(0));
    assert_eq!(team(&world), FINE);
    world.applied().is_clean();
}

#[test]
fn check_lists_and_diff_shows_and_neither_writes() {
    let mut world = World::with(ROUGH);
    assert_snapshot!(world.run("fmt --check"), @r#"
    contacts.d/team.yaml
    [stderr]Hint: Run "contactsd fmt" to format 1 file.
    [exit 1]
    "#);
    assert_snapshot!(world.run("fmt --diff"), @"
    --- a/contacts.d/team.yaml
    +++ b/contacts.d/team.yaml
    @@ -1,6 +1,7 @@
     contacts:
    -    ada:
    -        email:   ada@example.com # work
    -        # her name
    -        first_name: Ada
    -    bo: {email: bo@example.com}
    +  ada:
    +    # her name
    +    first_name: Ada
    +    email: ada@example.com # work
    +
    +  bo: {email: bo@example.com}
    [exit 0]
    ");
    assert_eq!(world.run("fmt --check --diff").code, Some(1));
    world.set("CI", "true");
    assert_eq!(world.run("fmt --check").stderr, "");
    assert_eq!(team(&world), ROUGH);
    world.team(FINE);
    assert_snapshot!(world.run("fmt --check"), @"
    1 file is already formatted.
    [exit 0]
    ");
    assert_eq!(world.run("fmt --diff --quiet").stdout, "");
}

#[test]
fn files_with_mistakes_are_left_alone_and_the_others_are_not() {
    let world = World::with(ROUGH);
    let bad = "contacts:\n     cy:\n        emial: cy@example.com\n";
    world.write("contacts.d/bad.yaml", bad);
    world.write("contacts.d/latin.yaml", "contacts: {}");
    fs::write(world.path("contacts.d/latin.yaml"), b"# caf\xe9\n").unwrap();
    assert_snapshot!(world.run("fmt"), @r#"
    contacts.d/team.yaml
    [stderr]
    Error: Unknown field "emial" [E011]

      with contact.cy,
      contacts.d/bad.yaml:3:9
       3:         emial: cy@example.com
                  ^^^^^

    Apollo ignores names it does not know, so the value would be lost. Did you mean `email`?

    Error: The file is not UTF-8 text [E002]

      contacts.d/latin.yaml:1:6
       1: # caf�
               ^

    The byte 0xe9 here belongs to another encoding. Save the file as UTF-8, so that names arrive as
    they are written.

    Hint: contactsd explain E011 says more.
    [exit 1]
    "#);
    assert_eq!(team(&world), FINE);
    assert_eq!(fs::read_to_string(world.path("contacts.d/bad.yaml")).unwrap(), bad);
}

#[test]
fn files_and_directories_may_be_named() {
    let world = World::with(ROUGH);
    world.write("elsewhere/a.yaml", ROUGH);
    world.write("elsewhere/b.txt", ROUGH);
    assert_eq!(world.run("fmt elsewhere").stdout, "elsewhere/a.yaml\n");
    assert_eq!(world.run("fmt elsewhere/b.txt contacts.d/team.yaml").stdout, "elsewhere/b.txt\ncontacts.d/team.yaml\n");
    let outcome = world.run("fmt nowhere");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert!(outcome.stderr.contains("There is no file or directory nowhere"), "{outcome}");
}

#[test]
fn links_inside_the_directory_are_followed_and_modes_kept() {
    let world = World::new();
    world.write("contacts.d/..data/real.yaml", ROUGH);
    world.set_mode("contacts.d/..data/real.yaml", 0o604);
    symlink("..data/real.yaml", world.path("contacts.d/team.yaml")).unwrap();
    assert_eq!(world.run("fmt").stdout, "contacts.d/team.yaml\n");
    assert!(world.path("contacts.d/team.yaml").symlink_metadata().unwrap().is_symlink());
    let real = world.path("contacts.d/..data/real.yaml");
    assert_eq!(fs::read_to_string(&real).unwrap(), FINE);
    assert_eq!(fs::metadata(real).unwrap().permissions().mode() & 0o7777, 0o604);
}

#[test]
fn a_file_outside_of_the_directory_is_left_alone_whatever_leads_to_it() {
    let mut world = World::with(FINE);
    world.write("data/real.yaml", ROUGH);
    symlink("../data/real.yaml", world.path("contacts.d/linked.yaml")).unwrap();
    symlink("../data", world.path("contacts.d/more")).unwrap();
    let outcome = world.run("fmt");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("Error: contacts.d/linked.yaml leads out of the directory [E032]"), "{outcome}");
    assert!(outcome.stderr.contains("Error: contacts.d/more leads out of the directory [E032]"), "{outcome}");
    for named in ["contacts.d/linked.yaml", "contacts.d/more/real.yaml"] {
        let outcome = world.run(&format!("fmt {named}"));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome}");
        assert!(outcome.stderr.contains("E032"), "{outcome}");
    }
    // What may be read is not ours to write.
    world.set("CONTACTSD_FOLLOW_WITHIN", "data");
    assert_snapshot!(world.run("fmt"), @"
    1 file is already formatted.
    [stderr]
    Warning: contacts.d/more/real.yaml was not formatted

    It is outside of contacts.d, and only a link leads to it. Format it in its own directory.
    [exit 0]
    ");
    assert_eq!(fs::read_to_string(world.path("data/real.yaml")).unwrap(), ROUGH);
    assert_eq!(fs::read_dir(world.path("data")).unwrap().count(), 1);
    assert_eq!(world.run("fmt data").stdout, "data/real.yaml\n");
}

#[test]
fn what_cannot_be_moved_is_left_with_a_note() {
    let world = World::with("contacts:\n  ada: {\n    email: ada@example.com,\n    first_name: Ada}\n");
    assert_snapshot!(world.run("fmt"), @"
    1 file is already formatted.
    [stderr]
    Warning: Left as it was written

      contacts.d/team.yaml:2:3
       2:   ada: {
            ^^^^^^

    These fields stand in braces over several lines. On lines of their own, without braces, they can
    be put in order.
    [exit 0]
    ");
}

#[test]
fn the_samples_are_formatted() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples =
        fs::read_dir(root.join("examples")).unwrap().map(|example| example.unwrap().path().join("contacts.d"));
    let world = World::new();
    for samples in examples.filter(|samples| samples.is_dir()).chain([root.join("contacts.d")]) {
        let outcome = world.run(&format!("fmt --check --diff {}", samples.display()));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome}");
    }
}
