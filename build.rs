//! Tells the program which commit and which target it was built from, for `contactsd version`.
//!
//! Never fails a build: what cannot be found out is left out. A development build knows no commit, so that a new commit compiles nothing again.
#![expect(clippy::disallowed_macros, reason = "cargo is told on stdout")]
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script what it builds by the environment")]

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_COMMIT");
    let of_cargo = |name: &str| env::var(name).expect("cargo sets it for build scripts");
    let (version, target) = (of_cargo("CARGO_PKG_VERSION"), of_cargo("TARGET"));
    // `cargo run` hands them on to the program, to which what begins with CONTACTSD_ is a setting.
    println!("cargo::rustc-env=BUILT_TARGET={target}");
    let manifest_dir = of_cargo("CARGO_MANIFEST_DIR");
    let root = Path::new(&manifest_dir);
    let given = env::var("SOURCE_COMMIT").ok();
    let commit = given.or_else(|| of_package(root)).or_else(|| {
        let is_release = of_cargo("PROFILE") == "release";
        is_release.then(|| of_checkout(root)).flatten()
    });
    let is_hash = |text: &String| text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match commit.filter(is_hash).map(|hash| hash[..12].to_owned()) {
        Some(commit) => {
            println!("cargo::rustc-env=BUILT_COMMIT={commit}");
            println!("cargo::rustc-env=BUILT_VERSION={version} ({commit}, {target})");
        }
        None => println!("cargo::rustc-env=BUILT_VERSION={version} ({target})"),
    }
}

/// Returns the commit that cargo noted when it made a package of the source.
fn of_package(root: &Path) -> Option<String> {
    let note = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let hash = note.split_once("\"sha1\"")?.1;
    hash.split('"').nth(1).map(str::to_owned)
}

/// Returns the commit that is checked out, unless the source only lies inside of somebody else's repository.
fn of_checkout(root: &Path) -> Option<String> {
    if !root.join(".git").exists() {
        return None;
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    // Changes with each commit and each branch that is checked out.
    if let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "HEAD"])
}
