//! Links in the way, other owners, and rights that are too wide.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// Says past the test harness that a test did not run.
fn is_root_for(what: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        let line = format!("SKIPPED: {what}: only root can give files to another user\n");
        io::stderr().write_all(line.as_bytes()).unwrap();
    }
    is_root
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_missing_directory_is_made_private_and_found_again() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("new/below/state");
    assert!(PrivateDir::open(&path).unwrap().is_none());
    assert!(!root.path().join("new").exists(), "looking makes nothing");
    let made = PrivateDir::make(&path).unwrap();
    made.write("head", b"1").unwrap();
    for place in ["new", "new/below", "new/below/state"] {
        assert_eq!(mode(&root.path().join(place)), 0o700, "{place}");
    }
    assert_eq!(mode(&path.join("head")), 0o600);
    assert_eq!(PrivateDir::open(&path).unwrap().unwrap().read("head").unwrap(), b"1");
}

#[test]
fn a_link_in_the_directory_is_refused_whatever_it_is_called_and_leads_to() {
    for to in ["victim", "nowhere", "."] {
        for name in ["head", "holder.json", "anything"] {
            let root = tempfile::tempdir().unwrap();
            let (path, victim) = (root.path().join("state"), root.path().join("victim"));
            fs::create_dir(&path).unwrap();
            fs::write(&victim, "mine").unwrap();
            fs::set_permissions(&victim, Permissions::from_mode(0o644)).unwrap();
            symlink(root.path().join(to), path.join(name)).unwrap();
            let opened = PrivateDir::open(&path).unwrap_err();
            assert!(matches!(&opened, Error::Link { path: link, .. } if *link == path.join(name)), "{opened:?}");
            assert!(matches!(PrivateDir::make(&path), Err(Error::Link { .. })));
            assert_eq!((fs::read_to_string(&victim).unwrap(), mode(&victim)), ("mine".to_owned(), 0o644));
            assert!(!root.path().join("nowhere").exists());
        }
    }
}

#[test]
fn a_link_that_comes_later_is_not_followed_either() {
    let root = tempfile::tempdir().unwrap();
    let (path, victim) = (root.path().join("state"), root.path().join("victim"));
    let state = PrivateDir::make(&path).unwrap();
    fs::write(&victim, "mine").unwrap();
    fs::create_dir(root.path().join("elsewhere")).unwrap();
    symlink(&victim, path.join("file")).unwrap();
    symlink(root.path().join("elsewhere"), path.join("sled")).unwrap();
    assert!(state.read("file").is_err() && state.write("file", b"theirs").is_err());
    assert!(state.open_private("file").is_err() && state.create_new("file").is_err());
    assert!(matches!(state.sub("sled"), Err(Error::Link { .. })));
    assert!(state.remove_tree("sled").is_err());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    assert!(state.remove("file").unwrap(), "the link itself may go");
    assert!(victim.exists());
}

#[test]
fn a_directory_that_is_a_link_is_refused_from_our_own_on() {
    let root = tempfile::tempdir().unwrap();
    let real = root.path().join("elsewhere");
    fs::create_dir_all(real.join("team/state")).unwrap();
    let cases = [(HOME, "team/state"), (".contactsd/team", "state"), (".contactsd/team/state", "")];
    for (link, below) in cases {
        let place = root.path().join(link);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(real.join(Path::new(link).strip_prefix(HOME).unwrap()), &place).unwrap();
        for open in [|path: &Path| PrivateDir::open(path).map(drop), |path: &Path| PrivateDir::make(path).map(drop)] {
            let refused = open(&place.join(below)).unwrap_err();
            assert!(matches!(&refused, Error::Link { path, .. } if *path == place), "{link}: {refused:?}");
        }
        fs::remove_file(&place).unwrap();
    }
    assert_eq!(fs::read_dir(real.join("team/state")).unwrap().count(), 0);
}

#[test]
fn what_is_above_a_place_that_was_named_may_be_a_link() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("real")).unwrap();
    symlink("real", root.path().join("home")).unwrap();
    PrivateDir::make(&root.path().join("home/new/state")).unwrap().write("head", b"1").unwrap();
    assert!(root.path().join("real/new/state/head").exists());
    symlink("real/new/state", root.path().join("state")).unwrap();
    assert!(matches!(PrivateDir::open(&root.path().join("state")), Err(Error::Link { .. })), "the last name is not");
}

#[test]
fn a_pipe_is_refused_and_never_waited_for() {
    let root = tempfile::tempdir().unwrap();
    let state = PrivateDir::make(&root.path().join("state")).unwrap();
    let pipe = state.path().join("head");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert!(matches!(PrivateDir::open(state.path()), Err(Error::Special { .. })));
    assert!(state.read("head").is_err());
}

#[test]
fn others_lose_the_right_to_write_before_anything_is_written() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(".contactsd/team/state");
    fs::create_dir_all(&path).unwrap();
    for place in [".contactsd", ".contactsd/team", ".contactsd/team/state"] {
        fs::set_permissions(root.path().join(place), Permissions::from_mode(0o777)).unwrap();
    }
    PrivateDir::open(&path).unwrap().unwrap();
    assert_eq!(mode(&path), 0o777, "looking changes nothing");
    PrivateDir::make(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&root.path().join(".contactsd/team")), 0o755);
    assert_eq!(mode(&root.path().join(".contactsd")), 0o755);
}

#[test]
fn a_directory_of_another_user_is_read_and_never_written_to() {
    if !is_root_for("directories of another user") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    for foreign in [".contactsd", ".contactsd/team", ".contactsd/team/state"] {
        let path = root.path().join(".contactsd/team/state");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("head"), "1").unwrap();
        std::os::unix::fs::chown(root.path().join(foreign), Some(4242), None).unwrap();
        let opened = PrivateDir::open(&path).unwrap().unwrap();
        assert!(!opened.is_ours() && opened.read("head").unwrap() == b"1");
        for refused in [opened.claim(), PrivateDir::make(&path).map(drop)] {
            let Err(Error::OtherOwner { path, owner: 4242, .. }) = refused else { panic!("{foreign}: {refused:?}") };
            assert_eq!(path, root.path().join(foreign));
        }
        let beside = root.path().join(".contactsd/other/state");
        assert_eq!(PrivateDir::make(&beside).is_err(), foreign == HOME, "{foreign}");
        fs::remove_dir_all(root.path().join(HOME)).unwrap();
    }
}

#[test]
fn a_look_that_fails_is_not_taken_for_an_absence() {
    let root = tempfile::tempdir().unwrap();
    let directory = PrivateDir::make(root.path()).unwrap();
    assert!(!directory.has("head").unwrap());
    directory.write("head", b"1").unwrap();
    assert!(directory.has("head").unwrap());
    let too_long = "h".repeat(300);
    assert!(directory.has(&too_long).is_err());
}
