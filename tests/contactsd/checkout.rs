//! What a checkout that somebody else has made must not come to: a repository decides nothing for the person.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use insta::assert_snapshot;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::{KEY, Remote, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com}\n";

/// What stands in files that nobody asked for.
const SECRET: &str = "hunter2";

/// Every way in which contact files are read and shown.
const READERS: [&str; 10] = [
    "validate",
    "validate --json",
    "validate --format sarif",
    "validate --format github",
    "validate --format gitlab",
    "plan",
    "plan --json",
    "plan --format markdown --no-mask",
    "apply --auto-approve --sandbox",
    "fmt --diff",
];

fn pipe(world: &World, path: &str) {
    mknodat(CWD, world.path(path), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_link_that_leads_out_shows_nothing_of_what_it_leads_to() {
    let mut world = World::with(TEAM);
    world.set("APOLLO_API_KEY", KEY);
    world.write("secret/key", &format!("{SECRET}\n"));
    world.write("secret/people.yaml", &format!("contacts:\n  eve: {{emial: {SECRET}}}\n"));
    world.write("contacts.d/.env", &format!("{SECRET}\n"));
    let targets =
        ["/proc/self/environ", "/proc/self/fd/0", "/proc/self/cwd/secret/key", "../secret/key", "../secret", ".env"];
    for target in targets {
        symlink(target, world.path("contacts.d/x.yaml")).unwrap();
        for reader in READERS {
            let outcome = world.run(reader);
            assert_eq!(outcome.code, Some(1), "{target}: {outcome}");
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(!said.contains(SECRET) && !said.contains(KEY) && !said.contains("PATH="), "{target}: {outcome}");
            assert!(said.contains("x.yaml"), "{target}: {outcome}");
        }
        fs::remove_file(world.path("contacts.d/x.yaml")).unwrap();
    }
    symlink("/proc/self/environ", world.path("contacts.d/x.yaml")).unwrap();
    assert_snapshot!(world.run("plan"), @r#"
    Planning failed. There is no plan, and nothing can be applied.
    Read: 1 file, with 1 error.
    [stderr]
    Error: contacts.d/x.yaml leads out of the directory [E032]

      contacts.d/x.yaml

    It is a link to "/proc/self/environ" and ends outside of contacts.d, so it was not opened. Files
    of a repository must not show what else is on this machine. Put the file itself here. To follow
    links to a directory that you trust, name that directory with --follow-within.

    Hint: contactsd explain E032 says more.
    [exit 1]
    "#);
}

#[test]
fn links_lead_to_where_the_person_says() {
    let mut world = World::with(TEAM);
    world.write("shared/bo.yaml", "contacts:\n  bo: {email: bo@example.com}\n");
    symlink("../shared", world.path("contacts.d/shared")).unwrap();
    assert_eq!(world.run("validate").code, Some(1));
    let both = "Success! 2 contacts in 2 files are valid.\n";
    assert_eq!(world.run("validate --follow-within shared").stdout, both);
    assert_eq!(world.run("validate --follow-within nowhere --follow-within shared").stdout, both);
    world.set("CONTACTSD_FOLLOW_WITHIN", "nowhere:shared");
    assert_eq!(world.run("validate").stdout, both);
    world.unset("CONTACTSD_FOLLOW_WITHIN");
    world.write("contactsd.toml", "follow-within = 'shared'\n");
    let refused = world.run("validate");
    assert!(
        refused.stderr.contains("contactsd.toml:1:1: a repository must not set `follow-within`: it decides"),
        "{refused}"
    );
}

#[test]
fn mounted_config_maps_and_synced_repositories_are_read() {
    let world = World::new();
    world.write("contacts.d/..2026_01/team.yaml", TEAM);
    symlink("..2026_01", world.path("contacts.d/..data")).unwrap();
    symlink("..data/team.yaml", world.path("contacts.d/team.yaml")).unwrap();
    symlink("team.yaml", world.path("contacts.d/again.yaml")).unwrap();
    assert_eq!(world.run("validate").stdout, "Success! 1 contact in 1 file is valid.\n");
    world.write("git/.worktrees/1a2b/contacts.d/team.yaml", TEAM);
    symlink(".worktrees/1a2b", world.path("git/current")).unwrap();
    let found = "Success! 1 contact in 1 file is valid.\n";
    assert_eq!(world.run("validate --dir git/current/contacts.d").stdout, found);
    fs::remove_dir_all(world.path("contacts.d")).unwrap();
    symlink("git/current/contacts.d", world.path("contacts.d")).unwrap();
    assert_eq!(world.run("validate").stdout, found);
}

#[test]
fn a_directory_that_nobody_named_does_not_lead_out_of_the_working_directory() {
    let mut world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("team.yaml"), format!("{SECRET}: 1\n")).unwrap();
    symlink(elsewhere.path(), world.path("contacts.d")).unwrap();
    for reader in READERS {
        let outcome = world.run(reader);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains(SECRET), "{outcome}");
    }
    let said =
        world.run("plan").stderr.replace(&world.path("").canonicalize().unwrap().display().to_string(), "[HERE]");
    assert!(said.contains("name it: --dir contacts.d"), "{said}");
    fs::write(elsewhere.path().join("team.yaml"), TEAM).unwrap();
    let found = "Success! 1 contact in 1 file is valid.\n";
    assert_eq!(world.run("validate --dir contacts.d").stdout, found);
    world.set("CONTACTSD_DIR", "contacts.d");
    assert_eq!(world.run("validate").stdout, found);
    world.unset("CONTACTSD_DIR");
    fs::remove_file(world.path("contacts.d")).unwrap();
    symlink(elsewhere.path(), world.path("people")).unwrap();
    world.write("contactsd.toml", "dir = 'people'\n");
    let outcome = world.run("validate");
    assert!(outcome.stderr.contains("contactsd.toml:1:7: a repository must not set `dir` to this"), "{outcome}");
}

#[test]
fn pipes_sockets_and_devices_are_told_and_not_waited_for() {
    let world = World::with(TEAM);
    pipe(&world, "contacts.d/pipe.yaml");
    symlink("pipe.yaml", world.path("contacts.d/link.yaml")).unwrap();
    let _listener = UnixListener::bind(world.path("contacts.d/socket.yaml")).unwrap();
    for reader in READERS {
        let outcome = world.run(reader);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for name in ["pipe.yaml", "socket.yaml"] {
            assert!(said.contains(name), "{name}: {outcome}");
        }
    }
    assert_eq!(world.run("fmt contacts.d/pipe.yaml").code, Some(1));
    pipe(&world, ".git");
    assert_eq!(world.run("watch --once --sandbox").code, Some(1));
    pipe(&world, "contactsd.toml");
    assert_snapshot!(world.run("plan"), @"
    [stderr]
    Error: contactsd.toml is not a regular file

    It is read only if it is a file in the working directory.
    [exit 1]
    ");
}

#[test]
fn settings_of_a_repository_name_no_file_and_approve_nothing() {
    let world = World::with(TEAM);
    world.write("precious", "as it was\n");
    let digest = "0123456789abcdef0123456789abcdef";
    for setting in ["out = 'precious'", "json-into = 'precious'", "no-mask = true", "force = true", "mask = false"] {
        world.write("contactsd.toml", &format!("{setting}\n"));
        for line in ["plan", "apply", "validate", "version"] {
            let outcome = world.run(line);
            assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{setting}: {outcome}");
            assert!(outcome.stderr.contains("Error: contactsd.toml:1:"), "{setting}: {outcome}");
        }
    }
    assert_eq!(fs::read_to_string(world.path("precious")).unwrap(), "as it was\n");
    world.write("contactsd.toml", &format!("quiet = true\nexpect = '{digest}'\n"));
    assert_snapshot!(world.run("apply"), @"
    [stderr]
    Error: contactsd.toml:2:1: a repository must not set `expect`: it decides what is applied without asking you

    A repository cannot decide this for you. Remove the line. Where you want it, type --expect or set
    CONTACTSD_EXPECT. A repository may set: dir, parallelism, batch, limit, reserve, max-creates,
    max-updates, max-forgets, mask, concise, by-file, full, format, json, quiet, color, no-color,
    log-format, detailed-exitcode.
    [exit 1]
    ");
    world.write("contactsd.toml", "max-creates = 5000\n");
    assert_snapshot!(world.run("watch --once --sandbox"), @"
    [stderr]
    Error: Contactsd.toml:1:1 must not set max-creates to this

    A repository must not let through more than watch does, which is 1000. Lower it, or remove the
    line and type --max-creates 5000 where you want it.

    For more help on using this command, run:
      contactsd watch --help
    [exit 1]
    ");
    assert_eq!(world.run("plan").code, Some(0));
}

#[test]
fn settings_are_no_link_to_elsewhere() {
    let mut world = World::with(TEAM);
    world.set("APOLLO_API_KEY", KEY);
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("key"), format!("{SECRET} = [\n")).unwrap();
    world.write(".env", &format!("{SECRET} = [\n"));
    for target in [elsewhere.path().join("key"), "/proc/self/environ".into(), ".env".into()] {
        let _ = fs::remove_file(world.path("contactsd.toml"));
        symlink(target, world.path("contactsd.toml")).unwrap();
        insta::allow_duplicates! {
            assert_snapshot!(world.run("plan"), @"
            [stderr]
            Error: contactsd.toml leads out of the working directory or to a hidden file, and was not opened

            It is read only if it is a file in the working directory.
            [exit 1]
            ");
        }
    }
}

#[test]
fn git_passes_over_what_is_kept() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    let ignore = world.path(".contactsd/.gitignore");
    assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n");
    assert_eq!(fs::metadata(world.path(".contactsd")).unwrap().permissions().mode() & 0o777, 0o700);
    fs::remove_file(&ignore).unwrap();
    world.applied();
    assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n");
    let git = |line: &str| {
        let mut git = Command::new("git");
        git.args(line.split_whitespace()).current_dir(world.path("."));
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env_remove("GIT_DIR");
        git.output().map(|output| String::from_utf8(output.stdout).unwrap()).ok()
    };
    if git("init --quiet .").is_some() {
        git("add -A").unwrap();
        assert_eq!(git("ls-files").unwrap(), "contacts.d/team.yaml\n");
    }
}

#[test]
fn a_sandbox_is_passed_over_and_a_place_that_was_named_is_not_touched() {
    let world = World::with(TEAM);
    assert_eq!(world.run("apply --auto-approve --sandbox").code, Some(0));
    assert_eq!(fs::read_to_string(world.path(".contactsd/.gitignore")).unwrap(), "*\n");
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    assert_eq!(world.run("apply --auto-approve --state kept/state").code, Some(0));
    assert!(!world.path(".contactsd").exists() && !world.path("kept/.gitignore").exists());
}
