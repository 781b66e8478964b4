//! Checkouts that bring links where contactsd keeps its files, and directories of other users.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::{Outcome, World};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com}\n";
const HOME: &str = ".contactsd/contacts.d";
const STATE: &str = ".contactsd/contacts.d/sandbox/state";
const DATA: &str = ".contactsd/contacts.d/sandbox/data";

/// What a person may type in a checkout.
const VERBS: [&str; 7] = [
    "plan --sandbox",
    "apply --sandbox --auto-approve",
    "status --sandbox",
    "state list --sandbox",
    "state pull --sandbox",
    "watch --once --sandbox",
    "pause --sandbox",
];

/// A file of the user's that links lead to.
struct Victim {
    path: PathBuf,
    content: Vec<u8>,
}

impl Victim {
    fn new(world: &World, content: &[u8]) -> Self {
        let path = world.path("victim");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        Self { path, content: content.to_owned() }
    }

    #[track_caller]
    fn is_untouched(&self, by: &str) {
        assert!(fs::read(&self.path).unwrap() == self.content, "{by}: the file was written to");
        assert_eq!(fs::metadata(&self.path).unwrap().permissions().mode() & 0o7777, 0o644, "{by}");
    }
}

#[track_caller]
fn is_refused(outcome: &Outcome, link: &str) {
    assert_eq!(outcome.code, Some(1), "{outcome}");
    let text = outcome.stderr.replace('\n', " ");
    assert!(text.contains(&format!("{link} is a symbolic link")) && text.contains("Remove it"), "{outcome}");
}

#[test]
fn a_link_in_a_state_that_was_never_made_is_neither_read_nor_written() {
    let names = [
        "lock",
        "holder.json",
        "holder.json.new",
        "creating",
        "head",
        "index",
        "index.behind",
        "index.sled",
        "index.new",
        "paused",
        "paused.new",
        "watch.lock",
        "watch.sock",
        "link.sock",
        "sled",
        "incoming",
        "arrived",
        "sled/db",
        "sled/conf",
        "sled/blobs",
        "incoming/sled",
        "arrived/head",
        "anything",
    ];
    for name in names {
        let world = World::with(TEAM);
        let victim = Victim::new(&world, b"mine\n");
        let link = format!("{STATE}/{name}");
        fs::create_dir_all(world.path(&link).parent().unwrap()).unwrap();
        symlink(&victim.path, world.path(&link)).unwrap();
        for verb in ["plan --sandbox", "apply --sandbox --auto-approve"] {
            is_refused(&world.run(verb), &link);
            victim.is_untouched(&format!("{verb}, {name}"));
        }
    }
}

#[test]
fn a_link_in_a_state_that_was_made_is_refused_by_every_verb() {
    let world = World::with(TEAM);
    assert_eq!(world.run("apply --sandbox --auto-approve").code, Some(0));
    for name in ["lock", "head", "index.sled", "holder.json", "watch.lock", "sled/db", "sled/blobs/1"] {
        let (path, kept) = (world.path(STATE).join(name), world.path("kept"));
        let was_there = fs::rename(&path, &kept).is_ok();
        let victim = Victim::new(&world, &if was_there { fs::read(&kept).unwrap() } else { b"{}".to_vec() });
        symlink(&victim.path, &path).unwrap();
        for verb in VERBS {
            is_refused(&world.run(verb), &format!("{STATE}/{name}"));
            victim.is_untouched(&format!("{verb}, {name}"));
        }
        fs::remove_file(&path).unwrap();
        if was_there {
            fs::rename(&kept, &path).unwrap();
        }
    }
    world.run("plan --sandbox").is_clean();
}

#[test]
fn a_directory_on_the_way_that_is_a_link_is_refused() {
    let ways = [".contactsd", HOME, ".contactsd/contacts.d/sandbox", STATE];
    for way in ways {
        let world = World::with(TEAM);
        let elsewhere = world.path("elsewhere");
        fs::create_dir_all(elsewhere.join("contacts.d/sandbox/state")).unwrap();
        fs::create_dir_all(world.path(way).parent().unwrap()).unwrap();
        let inner = elsewhere.join(Path::new(way).strip_prefix(".contactsd").unwrap());
        symlink(&inner, world.path(way)).unwrap();
        for verb in VERBS {
            is_refused(&world.run(verb), way);
        }
        let made = fs::read_dir(elsewhere.join("contacts.d/sandbox/state")).unwrap().count();
        assert_eq!((made, fs::read_dir(elsewhere.join("contacts.d/sandbox")).unwrap().count()), (0, 1), "{way}");
    }
}

#[test]
fn a_link_in_the_data_of_the_sandbox_is_refused() {
    for name in ["/owner.json", "/key", "/log.jsonl", "/log.jsonl.new", "/anything", ""] {
        let world = World::with(TEAM);
        let victim = Victim::new(&world, b"mine\n");
        let link = format!("{DATA}{name}");
        fs::create_dir_all(world.path(&link).parent().unwrap()).unwrap();
        symlink(&victim.path, world.path(&link)).unwrap();
        for verb in ["sandbox --listen 127.0.0.1:0", "apply --sandbox --auto-approve", "watch --once --sandbox"] {
            is_refused(&world.run(verb), &link);
            victim.is_untouched(&format!("{verb}, {name}"));
        }
    }
}

#[test]
fn a_state_that_a_person_named_may_be_reached_over_links() {
    let world = World::with(TEAM);
    fs::create_dir(world.path("disk")).unwrap();
    symlink("disk", world.path("mounted")).unwrap();
    symlink("disk/state", world.path("linked")).unwrap();
    let absolute = world.path("mounted/state").display().to_string();
    assert_eq!(world.run(&format!("apply --sandbox --auto-approve --state {absolute}")).code, Some(0));
    assert!(world.path("disk/state/head").exists());
    for state in ["mounted/state", "disk/state", "linked"] {
        world.run(&format!("plan --sandbox --state {state}")).is_clean();
        world.run(&format!("apply --sandbox --auto-approve --state {state}")).is_clean();
    }
    // What is inside follows no link, whoever named the place.
    symlink("/dev/null", world.path("disk/state/index.behind")).unwrap();
    is_refused(&world.run("plan --sandbox --state disk/state"), "disk/state/index.behind");
}

#[test]
fn a_pipe_in_a_state_is_refused_and_not_waited_for() {
    let world = World::with(TEAM);
    fs::create_dir_all(world.path(STATE)).unwrap();
    let pipe = world.path(STATE).join("head");
    let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, mode, 0).unwrap();
    for verb in VERBS {
        let outcome = world.run(verb);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.stderr.contains("neither a file nor"), "{outcome}");
    }
}

/// Gives a directory and all in it to another user; says past the test harness when that cannot be done.
fn given_away(world: &World, place: &str) -> bool {
    if !rustix::process::geteuid().is_root() {
        let line = format!("SKIPPED: {place} of another user: only root can give files away\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return false;
    }
    let outcome = std::process::Command::new("chown").args(["-R", "4242:4242"]).arg(world.path(place)).status();
    outcome.unwrap().success()
}

/// Lists what is in a directory, with everything that a write would change.
fn standing(place: &Path) -> Vec<(PathBuf, u32, u32, std::time::SystemTime, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let content = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        found.push((path.clone(), metadata.mode(), metadata.uid(), metadata.modified().unwrap(), content));
        if metadata.is_dir() {
            found.extend(standing(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn another_users_state_is_read_and_not_written_to() {
    let world = World::with(TEAM);
    assert_eq!(world.run("apply --sandbox --auto-approve").code, Some(0));
    let own = world.run("state pull --sandbox").stdout;
    if !given_away(&world, ".contactsd") {
        return;
    }
    let before = standing(&world.path(".contactsd"));
    world.run("plan --sandbox").is_clean();
    assert!(world.run("state list --sandbox").stdout.contains("contact.ada"));
    assert_eq!(world.run("status --sandbox").code, Some(0));
    assert_eq!(world.run("state pull --sandbox").stdout, own);
    for verb in ["plan", "status", "show", "state list", "state show ada", "state pull"] {
        let outcome = world.run(&format!("{verb} --sandbox"));
        let told = outcome.stderr.matches("Warning: The state belongs to another user").count();
        assert_eq!((outcome.code, told), (Some(0), 1), "{verb}: {outcome}");
        assert!(outcome.stderr.contains(".contactsd belongs to user 4242"), "{verb}: {outcome}");
    }
    world.write("copy.jsonl", &own);
    let writing = [
        "apply --sandbox --auto-approve",
        "watch --once --sandbox",
        "state rm ada --auto-approve --sandbox",
        "state push copy.jsonl --auto-approve --sandbox",
        "sandbox --listen 127.0.0.1:0",
    ];
    for verb in writing {
        let outcome = world.run(verb);
        assert_eq!(outcome.code, Some(1), "{verb}: {outcome}");
        let text = outcome.stderr.replace('\n', " ");
        assert!(text.contains(".contactsd belongs to user 4242") && text.contains("chown -R 0"), "{verb}: {outcome}");
    }
    assert_eq!(standing(&world.path(".contactsd")), before);
}

#[test]
fn no_state_is_made_below_another_users_directory() {
    let world = World::with(TEAM);
    fs::create_dir_all(world.path(HOME)).unwrap();
    if !given_away(&world, ".contactsd") {
        return;
    }
    assert_eq!(world.run("plan").code, Some(0), "there is no state, and none is made");
    let refused = world.run("apply --sandbox --auto-approve");
    assert!(refused.code == Some(1) && refused.stderr.contains("belongs to user 4242"), "{refused}");
    assert_eq!(standing(&world.path(".contactsd")).len(), 1);
}

#[test]
fn a_link_in_the_place_of_an_output_keeps_its_target() {
    let world = World::with(TEAM);
    let victim = Victim::new(&world, b"mine\n");
    symlink(&victim.path, world.path("out")).unwrap();
    let refused = world.run("plan --json-into out");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.replace('\n', " ").contains("is a symbolic link"), "{refused}");
    victim.is_untouched("--json-into");
    assert_eq!(world.run("plan --out out").code, Some(0));
    victim.is_untouched("--out");
    assert!(world.path("out").symlink_metadata().unwrap().is_file(), "the plan took the place of the link");
    fs::create_dir(world.path("pages")).unwrap();
    symlink(&victim.path, world.path("pages/contactsd.1")).unwrap();
    assert_eq!(world.run("man pages").code, Some(1));
    victim.is_untouched("man");
}

#[test]
fn output_empties_no_file_that_is_read_or_written_for_something_else() {
    let mut world = World::with(TEAM);
    assert_eq!(world.run("apply --sandbox --auto-approve").code, Some(0));
    assert_eq!(world.run("plan --out saved.plan").code, Some(0));
    world.write("people.csv", "First Name,Last Name,Email,Account Name\nAda,Quill,ada@engines.example.com,Engines\n");
    world.write("contactsd.toml", "mask = true\n");
    world.write("key", "a key");
    world.write("conf/ada.yaml", TEAM);
    fs::create_dir(world.path("linked")).unwrap();
    symlink("../conf/ada.yaml", world.path("linked/ada.yaml")).unwrap();
    fs::hard_link(world.path("people.csv"), world.path("same.csv")).unwrap();
    fs::hard_link(world.path("contacts.d/team.yaml"), world.path("hard")).unwrap();
    world.write("contacts.d/real.d/data", "contacts: {}\n");
    world.write("other/head", "1");
    symlink("real.d/data", world.path("contacts.d/linked.yaml")).unwrap();
    let contents = |path: &str| fs::read(world.path(path)).unwrap();
    let kept = ["contacts.d/team.yaml", "people.csv", "contactsd.toml", "key", "conf/ada.yaml", "saved.plan"];
    let before = kept.map(contents);
    let named = "name the same file";
    let among = "is among the contact files";
    for (line, why) in [
        ("plan --json-into contacts.d/team.yaml", among),
        ("plan --json-into ./conf/../contacts.d/new.yml", among),
        ("apply --auto-approve --json-into contacts.d/team.yaml", among),
        ("validate --json-into contacts.d/team.yaml", among),
        ("fmt contacts.d/team.yaml --json-into contacts.d/team.yaml", among),
        ("fmt conf/ada.yaml --json-into conf/ada.yaml", named),
        ("plan --dir linked --follow-within conf --json-into conf/ada.yaml", among),
        ("export --out conf --json-into conf/ada.yaml", among),
        ("plan --nonsense --json-into contacts.d/team.yaml", among),
        ("plan --json-into=contacts.d/team.yaml --nonsense", among),
        ("convert people.csv --nonsense --json-into people.csv", named),
        ("convert people.csv --json-into same.csv", named),
        ("convert people.csv --rejects same.csv", named),
        ("convert people.csv --rejects rest --json-into rest", named),
        ("convert people.csv --rejects contacts.d/team.yaml", among),
        ("convert people.csv --out conf --rejects conf/ada.yaml", among),
        ("convert people.csv --out conf --rejects contacts.d/team.yaml", among),
        ("show saved.plan --json-into saved.plan", named),
        ("plan --out other.plan --json-into other.plan", named),
        ("plan --json-into contactsd.toml", "contactsd reads contactsd.toml"),
        ("plan --json-into .contactsd/contacts.d/sandbox/state/records", "in a directory of contactsd's own"),
        ("version --dir nowhere --json-into .contactsd/contacts.d/sandbox/state/copy.jsonl", "contactsd's own"),
        ("plan --state elsewhere --json-into .contactsd/contacts.d/sandbox/state/copy.jsonl", "contactsd's own"),
        ("plan --state other --json-into other/head", "contactsd's own"),
        ("plan --json-into hard", among),
        ("plan --json-into contacts.d/real.d/data", among),
        ("paln --dir=conf --json-into=conf/ada.yaml", among),
        ("plan --dri=conf --json-into conf/ada.yaml", among),
        ("plan --dri conf2 --json-into conf/ada.yaml", "may be a contact file"),
        ("convert people.csv --out new --rejects new/rest.yaml", among),
        ("plan --out contactsd.toml", "contactsd reads contactsd.toml"),
        ("plan --out .contactsd/contacts.d/sandbox/state/head", "contactsd's own"),
    ] {
        let refused = world.run(line);
        assert!(refused.code == Some(1) && refused.stderr.contains(why), "{line}: {refused}");
        assert_eq!(kept.map(contents), before, "{line}");
    }
    assert!(!world.path("contacts.d/new.yml").exists() && !world.path("rest").exists());
    let input = world.run_script(
        &format!("{} convert - --rejects people.csv < people.csv", env!("CARGO_BIN_EXE_contactsd")),
        &std::collections::BTreeMap::new(),
    );
    assert!(input.code == Some(1) && input.stderr.contains("--rejects and stdin name the same file"), "{input}");
    world.write("contactsd.toml", "dir = conf\n");
    let wrong = world.run("plan --json-into conf/ada.yaml");
    assert!(wrong.code == Some(1) && wrong.stderr.contains("may be a contact file"), "{wrong}");
    world.write("contactsd.toml", "mask = true\n");
    assert_eq!(kept.map(contents), before);
    // What is read for nothing may stand among the contact files.
    assert_eq!(world.run("plan --json-into contacts.d/records.jsonl").code, Some(0));
    world.set("CONTACTSD_JSON_INTO", "contacts.d/team.yaml");
    let refused = world.run("plan");
    assert!(refused.code == Some(1) && refused.stderr.contains(among), "{refused}");
    assert_eq!(fs::read(world.path("contacts.d/team.yaml")).unwrap(), TEAM.as_bytes());
}

#[test]
fn records_go_to_streams_and_pipes_that_a_person_named() {
    let world = World::with(TEAM);
    let outcome = world.run("plan --json-into /dev/stdout");
    assert!(outcome.code == Some(0) && outcome.stdout.contains("\"type\":"), "{outcome}");
    assert_eq!(world.run("plan --json-into /dev/null").code, Some(0));
    let script = format!("{} plan --json-into /dev/fd/3 3>records", env!("CARGO_BIN_EXE_contactsd"));
    let outcome = world.run_script(&script, &std::collections::BTreeMap::new());
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(fs::read_to_string(world.path("records")).unwrap().contains("\"type\":"));
    let script = format!("mkfifo p; cat p > got & {} plan --json-into p; wait", env!("CARGO_BIN_EXE_contactsd"));
    let outcome = world.run_script(&script, &std::collections::BTreeMap::new());
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(fs::read_to_string(world.path("got")).unwrap().contains("\"type\":"));
}
