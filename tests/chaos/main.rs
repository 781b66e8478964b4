//! A short storm over the program as `cargo test` builds it; `examples/chaos.rs` rages longer.

#[path = "../../examples/chaos/mod.rs"]
mod chaos;

use std::io::Write;
use std::path::PathBuf;

use chaos::{Engine, EngineName, Kind, Storm, Summary};

/// Kills at named steps too when the tests are built with the feature `failpoints`.
#[test]
fn two_hundred_runs_killed_at_random_leave_one_contact_per_entry() {
    let summary = rage(Kind::Faults, 200, Engine::Sled);
    assert!(summary.random_kills > 0 && summary.requests.values().sum::<u64>() > 200, "{summary}");
}

#[test]
fn every_kind_of_storm_leaves_one_contact_per_entry_and_everybody_else_as_they_were() {
    let rounds = 24;
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_for(false) && *kind != Kind::Faults) {
        if kind == Kind::Disks && !chaos::disks_can_fail() {
            let text = "SKIPPED: the storm of failing disks: strace is not there, or may not trace\n";
            std::io::stderr().write_all(text.as_bytes()).unwrap();
            continue;
        }
        rage(kind, rounds, Engine::Sled);
    }
}

#[test]
fn every_kind_of_storm_over_a_database_leaves_one_contact_per_entry() {
    let Some(engine) = Engine::start(EngineName::Postgres) else { return };
    let kinds = [Kind::Restarts, Kind::Cuts, Kind::Runners, Kind::Stops, Kind::Mixed];
    for kind in kinds {
        rage(kind, 24, engine.clone());
    }
}

fn rage(kind: Kind, rounds: u64, engine: Engine) -> Summary {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_contactsd"));
    let failpoints = chaos::has_failpoints(&program);
    assert_eq!(failpoints, cfg!(feature = "failpoints"));
    let storm = Storm { program, engine, kind, rounds, seed: 7, failpoints };
    let summary = chaos::rage(&storm, |_| {});
    assert!(summary.violations.is_empty(), "{}, seed {}\n{summary}", kind.name(), storm.seed);
    assert_eq!(summary.rounds, rounds);
    summary
}
