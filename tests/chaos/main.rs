//! A short storm over the program as `cargo test` builds it; `examples/chaos.rs` rages longer.

#[path = "../../examples/chaos/mod.rs"]
mod chaos;

use std::path::PathBuf;

use chaos::Storm;

/// Kills at named steps too when the tests are built with the feature `failpoints`.
#[test]
fn two_hundred_runs_killed_at_random_leave_one_contact_per_entry() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_contactsd"));
    let failpoints = chaos::has_failpoints(&program);
    assert_eq!(failpoints, cfg!(feature = "failpoints"));
    let storm = Storm { program, rounds: 200, seed: 7, failpoints };
    let summary = chaos::rage(&storm, |_| {});
    assert!(summary.violations.is_empty(), "seed {}\n{summary}", storm.seed);
    assert_eq!(summary.rounds, 200);
    assert!(summary.random_kills > 0 && summary.requests.values().sum::<u64>() > 200, "{summary}");
}
