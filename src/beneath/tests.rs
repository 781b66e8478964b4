//! Links that lead inside, outside, in circles and elsewhere meanwhile.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, Mode, OFlags, mknodat};
use tempfile::TempDir;

use super::*;

/// A directory `people` with a file beside it that is none of its business.
struct World(TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        world.write("people/team/a.yaml", "inside");
        world.write("secret/key", "hunter2");
        world
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn link(&self, path: &str, target: impl AsRef<Path>) {
        symlink(target, self.at(path)).unwrap();
    }

    fn pipe(&self, path: &str) {
        mknodat(CWD, self.at(path), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }

    fn root(&self) -> Root {
        Root::open(&self.at("people"), &Bounds::default()).unwrap()
    }

    /// Reads a file below the directory; else says what came of it.
    fn read(&self, below: &str) -> String {
        text(self.root().file(Path::new(below)))
    }
}

fn text(opened: Result<File, Refused>) -> String {
    match opened {
        Ok(mut file) => {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            text
        }
        Err(Refused::Outside(_)) => "outside".to_owned(),
        Err(Refused::Hidden(_)) => "hidden".to_owned(),
        Err(Refused::NotRegular) => "no file".to_owned(),
        Err(Refused::Io(error)) => format!("{:?}", error.kind()),
    }
}

#[test]
fn links_that_end_inside_are_followed_however_they_are_written() {
    let world = World::new();
    world.write("people/..2026_01/b.yaml", "mounted");
    world.link("people/..data", "..2026_01");
    world.link("people/b.yaml", "..data/b.yaml");
    world.link("people/plain.yaml", "team/a.yaml");
    world.link("people/chain.yaml", "plain.yaml");
    world.link("people/team/up.yaml", "../team/../chain.yaml");
    world.link("people/absolute.yaml", world.at("people/team/a.yaml"));
    world.link("people/round.yaml", "../people/team/a.yaml");
    world.link("people/alias", "team");
    world.link("people/proc.yaml", format!("/proc/self/root{}", world.at("people/team/a.yaml").display()));
    assert_eq!(world.read("b.yaml"), "mounted");
    for below in
        ["plain.yaml", "chain.yaml", "team/up.yaml", "absolute.yaml", "round.yaml", "alias/a.yaml", "proc.yaml"]
    {
        assert_eq!(world.read(below), "inside", "{below}");
    }
}

#[test]
fn nothing_outside_is_opened_through_any_link() {
    let world = World::new();
    world.link("people/plain.yaml", "../secret/key");
    world.link("people/absolute.yaml", world.at("secret/key"));
    world.link("people/chain.yaml", "team/../plain.yaml");
    world.link("people/alias", "../secret");
    world.link("people/deep", "alias");
    world.link("people/environment.yaml", "/proc/self/environ");
    world.link("people/magic", "/proc/self/root");
    world.link("people/itself", "..");
    world.write("people2/key", "hunter2");
    world.link("people/neighbor.yaml", "../people2/key");
    let secret = world.at("secret/key");
    let through_magic = format!("magic{}", secret.display());
    for below in ["plain.yaml", "absolute.yaml", "chain.yaml", "alias/key", "deep/key", "itself/secret/key"] {
        assert_eq!(world.read(below), "outside", "{below}");
    }
    for below in ["environment.yaml", "neighbor.yaml", &through_magic] {
        assert_eq!(world.read(below), "outside", "{below}");
    }
}

#[test]
fn what_is_hidden_is_not_reached_by_a_link() {
    let world = World::new();
    world.write("people/.git/config", "token");
    world.write("people/.env", "token");
    world.link("people/config.yaml", ".git/config");
    world.link("people/env.yaml", "team/../.env");
    world.link("people/git", ".git");
    for below in ["config.yaml", "env.yaml", "git/config"] {
        assert_eq!(world.read(below), "hidden", "{below}");
    }
    // Unless a person named it, as where git-sync keeps its checkouts.
    let bounds = Bounds { root_within: None, follow_within: vec![world.at("people/.git")] };
    let root = Root::open(&world.at("people"), &bounds).unwrap();
    assert_eq!(text(root.file(Path::new("git/config"))), "token");
    assert_eq!(text(root.file(Path::new("env.yaml"))), "hidden");
}

#[test]
fn a_further_directory_is_followed_into_and_no_further() {
    let world = World::new();
    world.write("shared/c.yaml", "shared");
    world.link("shared/out.yaml", "../secret/key");
    world.link("people/c.yaml", "../shared/c.yaml");
    world.link("people/shared", "../shared");
    assert_eq!(world.read("c.yaml"), "outside");
    let bounds = Bounds { root_within: None, follow_within: vec![world.at("missing"), world.at("shared")] };
    let root = Root::open(&world.at("people"), &bounds).unwrap();
    let read = |below: &str| text(root.file(Path::new(below)));
    assert_eq!((read("c.yaml"), read("shared/c.yaml")), ("shared".to_owned(), "shared".to_owned()));
    assert_eq!(read("shared/out.yaml"), "outside");
    assert!(matches!(root.holder(Path::new("c.yaml")), Err(Refused::Outside(FileType::RegularFile))));
    assert!(root.holder(Path::new("team/a.yaml")).is_ok());
}

#[test]
fn loops_and_links_that_lead_nowhere_end() {
    let world = World::new();
    world.link("people/one", "two");
    world.link("people/two", "one");
    world.link("people/gone.yaml", "team/none.yaml");
    world.link("people/file.yaml", "team/a.yaml/b");
    assert_eq!(world.read("one"), "FilesystemLoop");
    assert_eq!(world.read("gone.yaml"), "NotFound");
    assert_eq!(world.read("file.yaml"), "NotADirectory");
}

#[test]
fn only_regular_files_are_opened_and_none_is_waited_for() {
    let world = World::new();
    world.pipe("people/pipe.yaml");
    world.link("people/link.yaml", "pipe.yaml");
    let _listener = UnixListener::bind(world.at("people/socket.yaml")).unwrap();
    for below in ["pipe.yaml", "link.yaml", "socket.yaml", "team"] {
        assert_eq!(world.read(below), "no file", "{below}");
    }
    assert_eq!(text(regular(&world.at("people/link.yaml"))), "no file");
    assert_eq!(text(regular(Path::new("/dev/zero"))), "no file");
    assert_eq!(text(regular_downward(&world.at("people/pipe.yaml"))), "no file");
}

/// Whoever swaps a file for a pipe or a link right after it was looked at gains nothing.
#[test]
fn a_file_that_is_swapped_while_it_is_opened_gives_itself_or_nothing() {
    let world = World::new();
    world.write("people/other", "inside");
    let swaps: [&dyn Fn(); 3] =
        [&|| world.link("people/fresh", "../secret/key"), &|| world.pipe("people/fresh"), &|| {
            fs::write(world.at("people/fresh"), "inside").unwrap();
        }];
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let (from, to) = (world.at("people/fresh"), world.at("people/other"));
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let root = world.root();
            let seen: std::collections::BTreeSet<String> =
                (0..2000).map(|_| text(root.file(Path::new("other")))).collect();
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            seen
        });
        for swap in swaps.iter().cycle() {
            if is_over.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            swap();
            fs::rename(&from, &to).unwrap();
        }
        let seen = reader.join().unwrap();
        let harmless = ["inside", "outside", "no file", "FilesystemLoop", ""];
        assert!(seen.iter().all(|seen| harmless.contains(&seen.as_str())), "{seen:?}");
    });
}

#[test]
fn a_root_is_what_it_was_when_it_was_opened() {
    let world = World::new();
    world.write("next/team/a.yaml", "next");
    world.link("current", "people");
    let open = || Root::open(&world.at("current"), &Bounds::default()).unwrap();
    let root = open();
    fs::remove_file(world.at("current")).unwrap();
    world.link("current", "next");
    assert_eq!(text(root.file(Path::new("team/a.yaml"))), "inside");
    assert_eq!(text(open().file(Path::new("team/a.yaml"))), "next");
    fs::remove_dir_all(world.at("people")).unwrap();
    world.link("people", "secret");
    assert_eq!(text(root.file(Path::new("key"))), "NotFound");
}

#[test]
fn a_root_that_has_to_stay_somewhere_does() {
    let world = World::new();
    let bounds = Bounds { root_within: Some(world.at("people")), follow_within: Vec::new() };
    let open = |path: &str| Root::open(&world.at(path), &bounds).map(drop);
    world.link("people/inside", "team");
    world.link("people/outside", "../secret");
    world.link("people/above", "..");
    assert!(open("people").is_ok() && open("people/team").is_ok() && open("people/inside").is_ok());
    for outside in ["people/outside", "people/above", "secret", "people/../secret"] {
        assert!(matches!(open(outside), Err(RootError::Outside { .. })), "{outside}");
    }
    assert!(matches!(open("people/none"), Err(RootError::Open { .. })));
    assert!(matches!(open("people/team/a.yaml"), Err(RootError::Open { .. })));
}

#[test]
fn of_an_unknown_path_only_links_downward_are_followed() {
    let world = World::new();
    world.link("current", "people");
    world.link("people/alias", "team");
    world.link("people/out.yaml", "../secret/key");
    world.link("people/absolute.yaml", world.at("secret/key"));
    world.link("people/out", "../secret");
    let read = |path: &str| text(regular_downward(&world.at(path)));
    assert_eq!(read("people/team/a.yaml"), "inside");
    assert_eq!(read("current/alias/../team/a.yaml"), "inside");
    for path in ["people/out.yaml", "people/absolute.yaml", "people/out/key", "current/out/key"] {
        assert_eq!(read(path), "outside", "{path}");
    }
}

#[test]
fn going_name_by_name_comes_to_the_same() {
    let world = World::new();
    world.link("people/alias", "team");
    world.link("people/a.yaml", "team/a.yaml");
    let root = rustix::fs::open(world.at("people"), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let open = |below: &str, flags| open::name_by_name(root.as_fd(), Path::new(below), flags);
    assert!(open("team/a.yaml", OFlags::RDONLY).is_ok());
    assert!(open("", OFlags::RDONLY | OFlags::DIRECTORY).is_ok());
    assert!(open(world.at("people").canonicalize().unwrap().to_str().unwrap(), OFlags::RDONLY).is_ok());
    for linked in ["alias/a.yaml", "a.yaml", "alias"] {
        let error = open(linked, OFlags::RDONLY).unwrap_err();
        assert!(open::may_be_link(error), "{linked}: {error}");
    }
    assert_eq!(open("team/none", OFlags::RDONLY).unwrap_err(), Errno::NOENT);
}

#[test]
fn directories_are_made_where_the_root_may_be_and_through_no_link() {
    let world = World::new();
    let bounds = Bounds { root_within: Some(world.at("people")), follow_within: Vec::new() };
    let make = |dir: &str| Root::open_or_make(&world.at(dir), &bounds).map(|root| root.real().to_owned());
    let real = world.at("people").canonicalize().unwrap();
    assert_eq!(make("people/new/contacts.d").unwrap(), real.join("new/contacts.d"));
    assert_eq!(make("people/new/contacts.d").unwrap(), real.join("new/contacts.d"), "once more");
    world.link("people/out", "../secret");
    world.link("people/nowhere", "../elsewhere");
    world.link("people/in", "team");
    assert_eq!(make("people/in/contacts.d").unwrap(), real.join("team/contacts.d"));
    assert!(matches!(make("people/out"), Err(MakeError::Root(RootError::Outside { .. }))));
    assert!(matches!(make("people/out/new"), Err(MakeError::Root(RootError::Outside { .. }))));
    assert!(matches!(make("secret/new"), Err(MakeError::Root(RootError::Outside { .. }))));
    for in_the_way in ["people/nowhere", "people/nowhere/new", "people/team/a.yaml/new"] {
        assert!(matches!(make(in_the_way), Err(MakeError::Make { .. })), "{in_the_way}");
    }
    assert!(!world.at("secret/new").exists() && !world.at("elsewhere").exists());
}
