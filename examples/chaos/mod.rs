//! Breaks contactsd at random and proves that it keeps its promises all the same.
//!
//! The real program works against the sandbox as a process of its own; both are killed, requests fail in
//! every way the sandbox knows, and entries change between runs. Each [`Kind`] of storm adds something. At times everything is left to come to
//! rest, and then Apollo's side, the state and the files must agree. `docs/reliability.md` says what is
//! covered and what is not.

mod check;
mod copies;
mod damage;
mod disks;
mod engine;
mod forms;
mod kind;
mod people;
#[path = "../../tests/contactsd/support/postgres.rs"]
#[allow(clippy::unwrap_used, reason = "it was written for tests, where a failure is to end them")]
mod postgres;
#[path = "../../tests/contactsd/support/preload.rs"]
mod preload;
mod programs;
mod strangers;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

pub(super) use disks::can_fail as disks_can_fail;
pub(super) use engine::{Engine, EngineName};
pub(super) use kind::Kind;
pub(super) use programs::has_failpoints;
use world::World;

/// What is asked of one storm.
#[derive(Debug, Clone)]
pub(super) struct Storm {
    /// The program under test; the sandbox is the same program.
    pub(super) program: PathBuf,
    /// What keeps the states.
    pub(super) engine: Engine,
    pub(super) kind: Kind,
    pub(super) rounds: u64,
    pub(super) seed: u64,
    /// Whether the program was built with the feature `failpoints`.
    pub(super) failpoints: bool,
}

/// What happened.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) rounds: u64,
    /// How often contactsd was killed at a random moment.
    pub(super) random_kills: u64,
    /// How often it was killed at each named step.
    pub(super) step_kills: BTreeMap<&'static str, u64>,
    pub(super) terminated: u64,
    pub(super) sandbox_kills: u64,
    /// How often the server failed at everything for a while.
    pub(super) outages: u64,
    /// Runs in which calls on the state's files failed.
    pub(super) bad_disks: u64,
    /// How often a part of the state was damaged between runs, by how.
    pub(super) damages: BTreeMap<&'static str, u64>,
    /// What befell a database, or the runners that share a state in it.
    pub(super) mishaps: BTreeMap<&'static str, u64>,
    /// Connections that were cut between a commit and its answer.
    pub(super) cut_answers: u64,
    /// Leases that were left by a run that was not killed.
    pub(super) leases_left: u64,
    /// What runners did that were stopped when they were about to send, after others had taken over: what nobody promises
    /// to withstand.
    pub(super) late_sends: BTreeMap<&'static str, u64>,
    pub(super) lost_states: u64,
    /// How often an earlier state was put back, by how.
    pub(super) put_back: BTreeMap<&'static str, u64>,
    /// What people decided: which contact is an entry's, and that one is to be made.
    pub(super) imported: u64,
    pub(super) created_by_word: u64,
    pub(super) strangers: u64,
    pub(super) worlds: u64,
    pub(super) checks: u64,
    pub(super) contacts: u64,
    pub(super) edits: BTreeMap<&'static str, u64>,
    pub(super) faults: BTreeMap<String, u64>,
    /// Requests by action.
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) violations: Vec<String>,
}

/// Rounds that one world lives through before another begins with other settings.
const ROUNDS_PER_WORLD: u64 = 48;

/// Rounds between two checks of everything.
const ROUNDS_PER_CHECK: u64 = 12;

/// Lets the storm pass over as many worlds as its rounds take.
pub(super) fn rage(storm: &Storm, mut progress: impl FnMut(&Summary)) -> Summary {
    let mut summary = Summary::default();
    while summary.rounds < storm.rounds {
        let mut world = World::new(storm, summary.worlds);
        summary.worlds += 1;
        for round in 1..=ROUNDS_PER_WORLD {
            world.round(&mut summary);
            summary.rounds += 1;
            if world.is_over() {
                break;
            }
            let last = summary.rounds == storm.rounds || world.is_broken();
            if round % ROUNDS_PER_CHECK == 0 || last {
                world.come_to_rest(&mut summary);
                progress(&summary);
                if last || world.is_broken() {
                    break;
                }
            }
        }
        world.end(&mut summary);
    }
    summary
}

impl Summary {
    fn count(map: &mut BTreeMap<&'static str, u64>, name: &'static str) {
        *map.entry(name).or_default() += 1;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step_kills: u64 = self.step_kills.values().sum();
        let requests: u64 = self.requests.values().sum();
        writeln!(f, "rounds      {} in {} worlds, {} checks of everything", self.rounds, self.worlds, self.checks)?;
        writeln!(
            f,
            "kills       {step_kills} at named steps, {} at random moments, {} by SIGTERM, {} of the sandbox",
            self.random_kills, self.terminated, self.sandbox_kills
        )?;
        writeln!(f, "  at steps  {}", listed(&self.step_kills))?;
        writeln!(f, "outages     {}; disks that failed {}", self.outages, self.bad_disks)?;
        writeln!(f, "states      {} lost, earlier ones put back: {}", self.lost_states, listed(&self.put_back))?;
        writeln!(f, "damages     {}", listed(&self.damages))?;
        writeln!(f, "sharing     {}", listed(&self.mishaps))?;
        writeln!(f, "  of these  {} answers of commits cut off, {} leases left", self.cut_answers, self.leases_left)?;
        writeln!(
            f,
            "late sends  {} (not promised to do no harm): {}",
            self.late_sends.values().sum::<u64>(),
            listed(&self.late_sends)
        )?;
        writeln!(f, "decisions   {} to import, {} to create", self.imported, self.created_by_word)?;
        writeln!(f, "edits       {}", listed(&self.edits))?;
        writeln!(f, "faults      {}", listed(&self.faults))?;
        writeln!(f, "requests    {requests}: {}", listed(&self.requests))?;
        writeln!(f, "contacts    {}, {} of them strangers", self.contacts, self.strangers)?;
        write!(f, "violations  {}", self.violations.len())?;
        self.violations.iter().try_for_each(|violation| write!(f, "\n\n{violation}"))
    }
}

fn listed<K: fmt::Display>(counts: &BTreeMap<K, u64>) -> String {
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}
