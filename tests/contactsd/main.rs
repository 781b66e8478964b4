//! The program as its users meet it: the real binary, in a sealed world, against a real server.
//!
//! Contacts nothing but loopback.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apply;
mod batches;
mod checkout;
mod circles;
mod completions;
mod convert;
mod copy;
mod credentials;
mod databases;
mod disk;
mod docs;
mod drift;
mod erase;
mod examples;
mod exits;
mod expect;
mod explain;
mod export;
mod faults;
mod floors;
mod fmt;
mod general;
mod generate;
mod init;
mod json;
mod kill;
mod link;
mod links;
mod logs;
mod man;
mod matches;
mod names;
mod own_state;
mod page;
mod pipelines;
mod plan;
mod readme;
mod rebuild;
mod review;
mod sandbox_verb;
mod saved;
mod schemas;
mod show;
mod state;
mod status;
mod stdio;
mod support;
mod target;
mod terminal;
mod transfer;
mod validate;
mod values;
mod watch;
mod watch_files;
mod watch_service;
mod why;
mod wire;

#[test]
fn no_file_of_this_folder_was_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contactsd");
    let main = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_module = path.is_dir() || path.extension().is_some_and(|extension| extension == "rs");
        assert!(!is_module || name == "main" || main.contains(&format!("\nmod {name};\n")), "{name}");
    }
}
