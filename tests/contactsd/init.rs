//! `init`: in an empty directory, in a repository, below one, and where everything is there already.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::World;

/// A world whose directory `repo` is a repository that is pushed to `url`.
fn repository(url: &str) -> World {
    let world = World::new();
    world.write("repo/.git/config", &format!("[core]\n\tbare = false\n[remote \"origin\"]\n\turl = {url}\n"));
    world
}

/// Every file below a directory of the world, with its text.
fn files(world: &World, directory: &str) -> BTreeMap<String, String> {
    fn below(path: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, root, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    below(&world.path(directory), &world.path(directory), &mut found);
    found
}

fn names(world: &World, directory: &str) -> Vec<String> {
    files(world, directory).into_keys().filter(|name| !name.starts_with(".git/")).collect()
}

#[test]
fn an_empty_directory_becomes_one_that_can_be_planned() {
    let world = World::new();
    assert_snapshot!(world.run("init"), @"
    contacts.d/contacts.schema.json: made
    contacts.d/team.yaml: made
    .gitignore: made

    contactsd is set up.

    The person in contacts.d/team.yaml is made up. Replace her with your own contacts.

    To see what applying the files would do, run:
      contactsd plan

    To try it without a key, with nothing leaving this machine, run:
      contactsd apply --sandbox
    [exit 0]
    ");
    assert_eq!(names(&world, ""), [".gitignore", "contacts.d/contacts.schema.json", "contacts.d/team.yaml"]);
    for (verb, told) in
        [("validate", "Success! 1 contact in 1 file is valid.\n"), ("fmt --check", "1 file is already formatted.\n")]
    {
        let outcome = world.run(verb);
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), told, ""), "{verb}");
    }
    let entry = files(&world, "contacts.d")["team.yaml"].clone();
    let schema = entry.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=").unwrap();
    let schema: Value = serde_json::from_str(&files(&world, "contacts.d")[schema]).unwrap();
    let entry: Value = serde_yaml::from_str(&entry).unwrap();
    assert!(jsonschema::options().build(&schema).unwrap().is_valid(&entry));
    let planned = world.run("plan");
    assert!(planned.stdout.contains("Plan: 1 to add, 0 to change, 0 to destroy."), "{planned}");
}

#[test]
fn a_second_time_changes_nothing_and_says_so() {
    let world = repository("https://github.com/example/contacts");
    assert_eq!(world.run_in("repo", "init --pipeline").code, Some(0));
    let before = files(&world, "repo");
    assert_snapshot!(world.run_in("repo", "init --pipeline"), @"
    contacts.d: has contact files, so no example was added
    .gitignore: unchanged
    .github/workflows/contactsd-plan.yaml: unchanged
    .github/workflows/contactsd-apply.yaml: unchanged
    .github/workflows/contactsd-drift.yaml: unchanged

    Nothing was changed: everything is already there.
    [exit 0]
    ");
    assert_eq!(files(&world, "repo"), before);
    assert_snapshot!(world.run_in("repo", "init --quiet"), @"
    contacts.d: has contact files, so no example was added
    .gitignore: unchanged
    [exit 0]
    ");
}

#[test]
fn what_is_there_stays_as_it_is() {
    let world = repository("git@github.com:example/contacts.git");
    let mine = [
        ("repo/contacts.d/people/mine.yml", "contacts:\n  bo: {email: bo@example.com}\n"),
        ("repo/.github/workflows/contactsd-plan.yaml", "name: mine\n"),
        ("repo/.gitignore", "target/\nnode_modules"),
    ];
    for (path, text) in mine {
        world.write(path, text);
    }
    assert_snapshot!(world.run_in("repo", "init --pipeline"), @"
    contacts.d: has contact files, so no example was added
    .gitignore: a line was added
    .github/workflows/contactsd-plan.yaml: exists and differs, so it was kept
    .github/workflows/contactsd-apply.yaml: made
    .github/workflows/contactsd-drift.yaml: made

    contactsd is set up.

    To see what applying the files would do, run:
      contactsd plan

    To try it without a key, with nothing leaving this machine, run:
      contactsd apply --sandbox

    To compare what was kept with what would be written, run this in an empty directory:
      contactsd init --pipeline github

    Before the pipeline can run it needs a database for the state, and its secrets:
      examples/github-actions/README.md of contactsd
    [exit 0]
    ");
    let after = files(&world, "repo");
    assert_eq!(after[".gitignore"], "target/\nnode_modules\n.contactsd/\n");
    for (path, text) in &mine[..2] {
        assert_eq!(after[path.strip_prefix("repo/").unwrap()], *text);
    }
    assert!(!after.contains_key("contacts.d/team.yaml") && !after.contains_key("contacts.d/contacts.schema.json"));
}

#[test]
fn below_the_top_level_the_pipeline_stands_there_and_looks_at_this_directory() {
    let world = repository("git@gitlab.example.com:group/contacts.git");
    world.write("repo/sales/emea/README.md", "");
    assert_snapshot!(world.run_in("repo/sales/emea", "init --pipeline --dir people"), @"
    people/contacts.schema.json: made
    people/team.yaml: made
    .gitignore: made
    ../../.gitlab-ci.yml: made

    contactsd is set up.

    The person in people/team.yaml is made up. Replace her with your own contacts.

    To see what applying the files would do, run:
      contactsd plan --dir people

    To try it without a key, with nothing leaving this machine, run:
      contactsd apply --sandbox --dir people

    Before the pipeline can run it needs a database for the state, and its secrets:
      examples/gitlab-ci/README.md of contactsd
    [exit 0]
    ");
    assert_eq!(
        names(&world, "repo"),
        [
            ".gitlab-ci.yml",
            "sales/emea/.gitignore",
            "sales/emea/README.md",
            "sales/emea/people/contacts.schema.json",
            "sales/emea/people/team.yaml"
        ]
    );
    let pipeline: Value = serde_yaml::from_str(&files(&world, "repo")[".gitlab-ci.yml"]).unwrap();
    assert_eq!(pipeline["include"][0]["inputs"]["dir"], "sales/emea/people");
    let validated = world.run_in("repo", "validate --dir sales/emea/people");
    assert_eq!(validated.code, Some(0), "{validated}");
}

#[test]
fn the_forge_is_the_one_of_the_remote_or_the_one_that_is_named() {
    let world = repository("https://git.example.com/contacts");
    assert_snapshot!(world.run_in("repo", "init --pipeline"), @"
    [stderr]
    Error: Cannot tell which pipeline to write

    No remote of this git repository is on a known forge. Nothing was created. Name the forge:
    --pipeline github or --pipeline gitlab.
    [exit 1]
    ");
    assert_eq!(names(&world, "repo"), [""; 0]);
    assert_eq!(world.run_in("repo", "init --pipeline gitlab").code, Some(0));
    assert!(world.path("repo/.gitlab-ci.yml").exists());
    let world = repository("https://gitlab.com/example/contacts");
    assert_eq!(world.run_in("repo", "init --pipeline=github").code, Some(0));
    let workflows = ["apply", "drift", "plan"].map(|name| format!("contactsd-{name}.yaml"));
    assert_eq!(names(&world, "repo/.github/workflows"), workflows);
    assert!(!world.path("repo/.gitlab-ci.yml").exists());
}

#[test]
fn without_a_repository_the_forge_has_to_be_named() {
    let world = World::new();
    if world.path("").ancestors().any(|above| above.join(".git").exists()) {
        std::io::stderr().write_all(b"SKIPPED: without a repository: temporary files are in one\n").unwrap();
        return;
    }
    assert_snapshot!(world.run("init --pipeline"), @"
    [stderr]
    Error: Cannot tell which pipeline to write

    This directory is not in a git repository, so no remote names the forge. Nothing was created. Name
    the forge: --pipeline github or --pipeline gitlab.
    [exit 1]
    ");
    assert_eq!(names(&world, ""), [""; 0]);
    assert_eq!(world.run("init --pipeline gitlab").code, Some(0));
    assert!(world.path(".gitlab-ci.yml").exists());
}

#[test]
fn a_person_at_a_terminal_is_asked_and_nobody_else() {
    for (typed, is_made) in [("yes\n", true), ("y\n", false), ("\n", false)] {
        let world = repository("https://github.com/example/contacts");
        world.write("repo/contacts.d/mine.yaml", "contacts:\n");
        let outcome = world.run_in_at_terminal("repo", "init", typed);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert!(outcome.stdout.contains("Do you want workflows for GitHub Actions?"), "{outcome}");
        assert_eq!(world.path("repo/.github").exists(), is_made, "{typed:?}");
    }
    for quiet in ["init --pipeline none", "init --input=false", "init --json"] {
        let world = repository("https://github.com/example/contacts");
        let outcome = world.run_in_at_terminal("repo", quiet, "yes\n");
        assert!(outcome.code == Some(0) && !outcome.stdout.contains("Do you want"), "{quiet}: {outcome}");
        assert!(!world.path("repo/.github").exists(), "{quiet}");
    }
    let world = repository("https://github.com/example/contacts");
    assert!(!world.run_in("repo", "init").stdout.contains("Do you want"), "there is no terminal");
    let asked = world.run_in_at_terminal("repo", "init", "yes\n");
    assert!(asked.stdout.contains("Do you want") && world.path("repo/.github").exists(), "{asked}");
    assert!(!world.run_in_at_terminal("repo", "init", "").stdout.contains("Do you want"), "it is there already");
}

#[test]
fn programs_are_told_of_each_file() {
    let world = World::new();
    world.write(".gitignore", "# mine\n");
    let outcome = world.run("init --json");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let records: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = records.iter().filter(|record| record["type"] == "file").map(|record| &record["file"]).collect();
    let told: Vec<_> =
        told.iter().map(|file| (file["path"].as_str().unwrap(), file["outcome"].as_str().unwrap())).collect();
    let expected =
        [("contacts.d/contacts.schema.json", "made"), ("contacts.d/team.yaml", "made"), (".gitignore", "extended")];
    assert_eq!(told, expected);
}

#[test]
fn nothing_is_made_through_a_link_or_outside_of_the_checkout() {
    let world = repository("https://github.com/example/contacts");
    fs::create_dir(world.path("elsewhere")).unwrap();
    world.write("elsewhere/ignore", "");
    symlink("../elsewhere", world.path("repo/contacts.d")).unwrap();
    let refused = world.run_in("repo", "init");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert_eq!(names(&world, "elsewhere"), ["ignore"]);
    world.write("repo/contactsd.toml", "dir = \"people/new\"\n");
    symlink("../elsewhere", world.path("repo/people")).unwrap();
    for verb in ["init", "export --sandbox"] {
        let refused = world.run_in("repo", verb);
        assert_eq!(refused.code, Some(1), "{verb}: {refused}");
        assert_eq!(names(&world, "elsewhere"), ["ignore"], "{verb}");
        assert!(!world.path("elsewhere/new").exists(), "{verb}");
    }
    fs::remove_file(world.path("repo/contactsd.toml")).unwrap();
    symlink("../elsewhere", world.path("repo/.github")).unwrap();
    symlink("../elsewhere/ignore", world.path("repo/.gitignore")).unwrap();
    let outcome = world.run_in("repo", "init --dir mine --pipeline");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stdout.contains(".gitignore: exists and differs, so it was kept"), "{outcome}");
    assert!(outcome.stderr.contains("The files named above stay."), "{outcome}");
    assert_eq!(files(&world, "elsewhere"), BTreeMap::from([("ignore".to_owned(), String::new())]));
    // A person may name any directory.
    let named = world.run_in("repo", "init --dir ../elsewhere/contacts.d");
    assert_eq!(named.code, Some(0), "{named}");
    assert!(world.path("elsewhere/contacts.d/team.yaml").exists());
    let outside = world.run_in("repo", "init --pipeline --dir ../elsewhere/contacts.d");
    assert!(outside.code == Some(1) && outside.stderr.contains("is not in the repository"), "{outside}");
    let odd = world.run_in("repo", "init --pipeline --dir x*y");
    assert!(odd.code == Some(1) && odd.stderr.contains("has signs other than"), "{odd}");
}

#[test]
fn a_place_that_cannot_be_written_to_is_a_plain_error() {
    let world = World::new();
    world.write("contacts.d", "a file is in the way");
    assert_snapshot!(world.run("init"), @"
    [stderr]
    Error: The contact files cannot be set up

    contacts.d cannot be made: Not a directory (os error 20)
    [exit 1]
    ");
    // Whoever is root may write anywhere but here.
    assert_snapshot!(world.run("init --dir /proc/contacts.d"), @"
    [stderr]
    Error: The contact files cannot be set up

    /proc/contacts.d cannot be made: No such file or directory (os error 2)
    [exit 1]
    ");
}
