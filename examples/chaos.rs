//! `cargo run --release --features failpoints --example chaos -- --rounds N --seed S --engine E --kind K`

#[path = "chaos/mod.rs"]
mod chaos;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chaos::{Engine, EngineName, Kind, Storm, Summary};
use clap::Parser;

/// Kills contactsd and its sandbox at random, edits in between, and compares both sides in the end.
#[derive(Parser)]
struct Args {
    /// Runs of contactsd in each kind of storm
    #[arg(long, default_value_t = 100)]
    rounds: u64,
    /// What keeps the states
    #[arg(long, value_enum, default_value_t = EngineName::Sled)]
    engine: EngineName,
    /// Kind of storm; may be repeated [default: all of them, one after the other]
    #[arg(long)]
    kind: Vec<Kind>,
    /// Same seed, same edits, faults and kills; the moments of random kills are the machine's
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program under test [default: contactsd, built by cargo beside this example]
    #[arg(long)]
    program: Option<PathBuf>,
}

#[expect(clippy::disallowed_macros, reason = "the result of an example goes to stdout")]
fn main() -> ExitCode {
    let args = Args::parse();
    let program = args.program.or_else(built).filter(|program| program.is_file());
    let Some(program) = program.filter(|program| chaos::has_failpoints(program)) else {
        eprintln!(
            "There is no contactsd with failpoints. Run this example by cargo, which builds it, or name one with \
             --program:\n  cargo run --release --features failpoints --example chaos"
        );
        return ExitCode::FAILURE;
    };
    // Where there is none, the server has said that it is SKIPPED.
    let Some(engine) = Engine::start(args.engine) else { return ExitCode::SUCCESS };
    let mut kinds = if args.kind.is_empty() { Kind::ALL.to_vec() } else { args.kind };
    kinds.retain(|kind| kind.is_for(args.engine != EngineName::Sled));
    let mut violations = 0;
    for kind in kinds {
        if kind == Kind::Disks && !chaos::disks_can_fail() {
            println!("SKIPPED: the storm of failing disks: strace is not there, or may not trace\n");
            continue;
        }
        let (program, engine) = (program.clone(), engine.clone());
        let storm = Storm { program, engine, kind, rounds: args.rounds, seed: args.seed, failpoints: true };
        let summary = chaos::rage(&storm, |summary| show(kind, summary));
        eprintln!();
        println!("kind        {}\nseed        {}\n{summary}\n", kind.name(), args.seed);
        violations += summary.violations.len();
    }
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::disallowed_macros, reason = "progress goes to stderr")]
fn show(kind: Kind, summary: &Summary) {
    eprint!("\r{}: {} rounds, {} violations ", kind.name(), summary.rounds, summary.violations.len());
}

/// Has cargo build the program, which it does not do by itself for an example; returns where it is.
///
/// `target/release/examples/chaos` stands beside `target/release/contactsd`.
#[expect(clippy::disallowed_methods, reason = "cargo tells the programs it runs where it is by the environment")]
fn built() -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    let program = this.parent().and_then(Path::parent)?.join("contactsd");
    if let Some(cargo) = std::env::var_os("CARGO") {
        let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
        let build = ["build", "--features", "failpoints", "--bin", "contactsd"];
        let status = std::process::Command::new(cargo).args(build).args(profile).status().ok()?;
        return status.success().then_some(program);
    }
    Some(program)
}
