//! How the action and the component get a release onto a runner that has none.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::TEAM;
use super::hosting::Repository;

/// Puts a release with the program of these tests onto the stand-in, and returns the checksum of its archive.
fn release(repository: &Repository) -> String {
    let name = format!("contactsd-{}-x86_64-unknown-linux-musl", env!("CARGO_PKG_VERSION"));
    let world = &repository.world;
    let place = format!("hub/releases/v{}", env!("CARGO_PKG_VERSION"));
    world.write(&format!("{place}/{name}/README.md"), "A release.\n");
    symlink(env!("CARGO_BIN_EXE_contactsd"), world.path(format!("{place}/{name}/contactsd"))).unwrap();
    let run = |script: &str| {
        let done = Command::new("bash").args(["-euc", script]).current_dir(world.path(&place)).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    run(&format!("tar -czf {name}.tar.gz {name}; rm -r {name}; sha256sum -- *.tar.gz > SHA256SUMS"));
    run("cut -d ' ' -f 1 SHA256SUMS").trim().to_owned()
}

#[test]
fn a_runner_without_it_gets_the_release_that_has_the_right_checksum() {
    for repository in Repository::of_each(TEAM).into_iter().take(1) {
        let checksum = release(&repository);
        fs::remove_file(repository.world.path("bin/contactsd")).unwrap();
        let path = repository.world.path("temp/path");
        let install = |inputs: &[(&str, &str)]| {
            let _ = fs::remove_file(&path);
            let inputs: BTreeMap<_, _> = inputs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            repository.action(&inputs, "/nowhere").pop().unwrap().1
        };
        for inputs in [&[][..], &[("sha256", checksum.as_str())]] {
            let installed = install(inputs);
            assert_eq!(installed.code, Some(0), "{installed}");
            let added = fs::read_to_string(&path).unwrap();
            assert!(fs::exists(format!("{}/contactsd", added.trim_end())).unwrap(), "{added}");
            assert!(installed.stdout.contains(concat!("contactsd ", env!("CARGO_PKG_VERSION"))), "{installed}");
        }
        for inputs in [[("sha256", "0".repeat(64))], [("version", "9.9.9".to_owned())]] {
            let refused = install(&[(inputs[0].0, &inputs[0].1)]);
            assert_eq!(refused.code, Some(1), "{refused}");
            assert!(!path.exists(), "what is not the release is not put on the path");
        }
    }
}

#[test]
fn nothing_is_planned_without_a_state_and_nothing_unknown_is_run() {
    for repository in Repository::of_each(TEAM).into_iter().take(1) {
        for (run, state, word) in [("plan", "", "CONTACTSD_STATE is empty"), ("aply", "/nowhere", "none of install")] {
            let inputs = [("run".to_owned(), run.to_owned())].into();
            let steps = repository.action(&inputs, state);
            let (first, outcome) = &steps[0];
            assert_eq!((first.as_str(), outcome.code), ("Install", Some(1)), "{outcome}");
            assert!(outcome.stdout.contains(word), "{outcome}");
            assert!(repository.pages().is_empty(), "no plan that takes everybody for new");
        }
    }
}
