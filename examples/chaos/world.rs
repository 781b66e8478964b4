//! One directory of contact files, one state and one sandbox, through many runs.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contactsd::failpoints::Step;
use contactsd::store::{self, Snapshot, Wanted};
use fastrand::Rng;
use tempfile::TempDir;

use super::people::People;
use super::programs::{self, Fate, Run, Sandbox, Setup};
use super::{Storm, Summary, check, wire};

/// Covers the longest delay of a request and the longest lag of a search.
const SETTLE_AFTER: Duration = Duration::from_millis(90);
const SLOW: Duration = Duration::from_millis(30);
const SEARCH_LAG: Duration = Duration::from_millis(40);

/// How far the age of a contact must be from "new", for the time of its creation to tell.
const CREATION_SLACK: Duration = Duration::from_secs(4);

/// Runs that everything may take to come to rest once nothing fails any more.
const RUNS_TO_REST: usize = 6;

/// Runs whose output is kept for the story of a violation.
const RUNS_KEPT: usize = 14;

pub(super) struct World {
    home: TempDir,
    program: PathBuf,
    failpoints: bool,
    number: u64,
    round: u64,
    random: Rng,
    people: People,
    sandbox: Sandbox,
    setup: Setup,
    /// What the sandbox counted, up to the last look.
    counted: wire::Counts,
    /// How long a run takes, about.
    usual: Duration,
    runs: VecDeque<String>,
    broken: bool,
}

impl World {
    pub(super) fn new(storm: &Storm, number: u64) -> Self {
        let mut random = Rng::with_seed(storm.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(number));
        let home = tempfile::tempdir().expect("a world needs a directory");
        let setup = Setup {
            dedupe: if random.bool() { "overwrite" } else { "return-existing" },
            witness: if random.bool() { "all" } else { "created-at" },
            search_lag: if random.bool() { SEARCH_LAG } else { Duration::ZERO },
            seed: random.u64(..),
        };
        let sandbox = Sandbox::start(&storm.program, home.path(), setup.clone());
        Self {
            people: People::new(&mut random),
            program: storm.program.clone(),
            failpoints: storm.failpoints,
            number,
            round: 0,
            counted: wire::Counts::default(),
            usual: Duration::from_millis(100),
            runs: VecDeque::new(),
            broken: false,
            home,
            random,
            sandbox,
            setup,
        }
    }

    /// Edits, then runs contactsd once, to a good end or a bad one.
    pub(super) fn round(&mut self, summary: &mut Summary) {
        self.round += 1;
        for _ in 0..self.random.usize(0..6) {
            let state = self.state();
            if let Some(edit) = self.people.edit(&mut self.random, || read(&state)) {
                Summary::count(&mut summary.edits, edit);
            }
        }
        let faults = faults(&mut self.random);
        wire::set_faults(self.sandbox.door(), &faults).expect("the sandbox takes faults");
        let fate = self.fate();
        let timeout = if self.random.u8(0..8) == 0 { "20ms" } else { "20s" };
        let parallelism = ["1", "2", "10"][self.random.usize(0..3)];
        let options = ["--request-timeout", timeout, "--parallelism", parallelism];
        let kills_sandbox = self.random.u8(0..30) == 0;
        let run = self.run(&options, fate, kills_sandbox, summary);
        match fate {
            Fate::Killed(_) if run.was_killed() => summary.random_kills += 1,
            Fate::AtStep(step, _) if run.was_killed() => Summary::count(&mut summary.step_kills, step.name()),
            Fate::Terminated(_) => summary.terminated += 1,
            _ => {}
        }
        self.keep(&format!("round {}: {fate:?}, faults {faults}, {options:?}", self.round), &run);
        if run.was_killed() {
            self.sandbox.quiesce();
            self.told_is_kept(&run, summary);
        }
    }

    /// Lets everything come to rest, then compares both sides.
    pub(super) fn come_to_rest(&mut self, summary: &mut Summary) {
        wire::set_faults(self.sandbox.door(), "").expect("the sandbox takes faults");
        let mut rests = false;
        for number in 0..RUNS_TO_REST {
            let run = self.run(&[], Fate::Untouched, false, summary);
            self.keep(&format!("run {number} to come to rest after round {}", self.round), &run);
            rests = run.status.success() && run.output.contains("No changes.");
            if rests {
                break;
            }
            self.decide();
        }
        summary.checks += 1;
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        let mut found = check::violations(&self.people.all, &contacts, &read(&self.state()));
        if !rests {
            found.push((None, format!("does not come to rest in {RUNS_TO_REST} runs")));
        }
        for (person, what) in found {
            self.violated(person, &what, summary);
        }
        self.people.at_rest();
        if self.random.u8(0..12) == 0 && !self.broken {
            self.lose_state(summary);
        }
    }

    /// Answers what only a person can: whose the contacts are that a search found and that could be an entry's.
    ///
    /// Nobody is asked about anybody else's contact: where the one found is not the entry's own, the question stays.
    fn decide(&mut self) {
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        for conflict in read(&self.state()).conflicts.values() {
            let key = conflict.key.as_str();
            let Some(person) = self.people.all.iter().find(|person| person.key == key) else { continue };
            let is_theirs = |contact: &&serde_json::Value| contact["first_name"] == person.first_name.as_str();
            if let [contact] = &contacts.iter().filter(is_theirs).collect::<Vec<_>>()[..]
                && contact["id"] == conflict.apollo_id.as_str()
            {
                programs::import(
                    &self.program,
                    self.home.path(),
                    self.sandbox.door(),
                    key,
                    conflict.apollo_id.as_str(),
                );
            }
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Adds what is known only at the end.
    pub(super) fn end(self, summary: &mut Summary) {
        summary.contacts += wire::contacts(self.sandbox.door()).map_or(0, |contacts| contacts.len() as u64);
    }

    /// Takes the state away, as a lost disk does. Whoever is declared now must be found again.
    fn lose_state(&mut self, summary: &mut Summary) {
        fs::remove_dir_all(self.state()).expect("the state can be removed");
        // A contact made moments ago cannot be told from a new one where Apollo does not say that it matched.
        programs::pause(CREATION_SLACK.max(self.setup.search_lag));
        self.people.state_is_lost();
        summary.lost_states += 1;
    }

    fn fate(&mut self) -> Fate {
        let likely = self.likely_steps();
        let random = &mut self.random;
        let moment = self.usual.mul_f64(random.f64() * 1.2);
        match random.u8(0..100) {
            0..25 if self.failpoints => Fate::AtStep(likely[random.usize(0..likely.len())], 1 + random.u32(0..2)),
            25..50 if self.failpoints => {
                let step = Step::ALL[random.usize(0..Step::ALL.len())];
                // Early passes are the frequent ones; later ones reach into a run.
                let most = 1 << random.u32(0..4);
                Fate::AtStep(step, 1 + random.u32(0..most))
            }
            0..82 => Fate::Killed(moment),
            82..88 => Fate::Terminated(moment),
            _ => Fate::Untouched,
        }
    }

    /// Names the steps that the next run is likely to reach.
    fn likely_steps(&self) -> &'static [Step] {
        const NEW: &[Step] = &[Step::StateBegun, Step::StateMade, Step::IntentWritten, Step::AnswerReceived];
        const IN_DOUBT: &[Step] = &[
            Step::SettleBeforeSearch,
            Step::SettleBeforeBind,
            Step::SettleBeforeSend,
            Step::SettleWritten,
            Step::BoundBeforePatch,
        ];
        const USUAL: &[Step] = &[
            Step::IntentWritten,
            Step::AnswerReceived,
            Step::AnswerLost,
            Step::AnswerWritten,
            Step::BoundBeforePatch,
            Step::RenameWritten,
            Step::ForgetWritten,
            Step::ReleaseWritten,
        ];
        match self.state().exists().then(|| read(&self.state())) {
            None => NEW,
            Some(state) if state.intents.values().any(|intent| intent.apollo_id.is_none()) => IN_DOUBT,
            Some(_) => USUAL,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "kills come at moments of real time")]
    fn run(&mut self, options: &[&str], fate: Fate, kills_sandbox: bool, summary: &mut Summary) -> Run {
        self.people.write(&self.home.path().join("contacts.d"));
        let settle_after = format!("{}ms", SETTLE_AFTER.as_millis());
        let always = ["--retry-base", "2ms", "--settle-after", &settle_after];
        let options: Vec<String> = always.iter().chain(options).map(|&option| option.to_owned()).collect();
        let after = self.usual.mul_f64(self.random.f64());
        if kills_sandbox {
            self.count(summary);
            summary.sandbox_kills += 1;
        }
        let began = Instant::now();
        let (program, home) = (self.program.clone(), self.home.path().to_owned());
        let door = self.sandbox.door().clone();
        let sandbox = &mut self.sandbox;
        let run = programs::apply(&program, &home, &door, &options, fate, || {
            if kills_sandbox {
                programs::pause(after);
                sandbox.kill();
            }
        });
        if kills_sandbox {
            self.sandbox.restart();
            self.counted = wire::Counts::default();
        } else if !run.was_killed() {
            self.usual = (self.usual * 7 + began.elapsed()) / 8;
        }
        self.count(summary);
        run
    }

    /// Adds what the sandbox counted since the last look.
    fn count(&mut self, summary: &mut Summary) {
        let now = wire::counts(self.sandbox.door()).expect("the sandbox answers");
        let add = |total: &mut BTreeMap<String, u64>, now: &BTreeMap<String, u64>, before: &BTreeMap<String, u64>| {
            for (name, count) in now {
                *total.entry(name.clone()).or_default() += count - before.get(name).copied().unwrap_or(0);
            }
        };
        add(&mut summary.requests, &now.requests, &self.counted.requests);
        add(&mut summary.faults, &now.faults, &self.counted.faults);
        self.counted = now;
    }

    /// What was told as created is in the state, whatever happened right after.
    fn told_is_kept(&mut self, run: &Run, summary: &mut Summary) {
        let told: Vec<(String, String)> = run.output.lines().filter_map(told).collect();
        if told.is_empty() {
            return;
        }
        let state = read(&self.state());
        for (key, id) in told {
            let kept =
                state.bindings.iter().any(|(known, binding)| known.as_str() == key && binding.apollo_id.as_str() == id);
            if !kept {
                let person = self.people.all.iter().position(|person| person.key == key);
                self.violated(person, &format!("{key} was told complete with {id} and is not in the state"), summary);
            }
        }
    }

    fn violated(&mut self, person: Option<usize>, what: &str, summary: &mut Summary) {
        self.broken = true;
        let Setup { dedupe, witness, search_lag, seed: _ } = &self.setup;
        let world = format!(
            "world {}, round {}: {dedupe}, witness {witness}, search lag {search_lag:?}",
            self.number, self.round
        );
        let story = match person.map(|at| &self.people.all[at]) {
            Some(person) => format!("{} ({})\n  {}", person.key, person.first_name, person.history.join("\n  ")),
            None => "nobody".to_owned(),
        };
        let runs: Vec<&str> = self.runs.iter().map(String::as_str).collect();
        summary.violations.push(format!("VIOLATION in {world}\n{what}\n{story}\n{}", runs.join("\n")));
    }

    fn keep(&mut self, title: &str, run: &Run) {
        for person in &mut self.people.all {
            let lines = run.output.lines().filter(|line| line.contains(&format!("contact.{}:", person.key)));
            let lines: Vec<String> = lines.map(str::to_owned).collect();
            person.history.push(format!("{title}: {}", lines.join(" | ")));
        }
        if self.runs.len() == RUNS_KEPT {
            self.runs.pop_front();
        }
        self.runs.push_back(format!("--- {title}: {}\n{}", run.status, run.output));
    }

    fn state(&self) -> PathBuf {
        self.home.path().join(".contactsd/contacts.d/state")
    }
}

/// Reads a line that tells of an end, with the id where it has one.
fn told(line: &str) -> Option<(String, String)> {
    let (key, rest) = line.strip_prefix("contact.")?.split_once(": ")?;
    let id = rest.contains(" complete after ").then(|| rest.split_once("[id="))??.1.strip_suffix(']')?;
    Some((key.to_owned(), id.to_owned()))
}

/// Reads the state; one that does not exist yet reads as empty.
fn read(state: &Path) -> Snapshot {
    let snapshot = store::read(state, &Wanted::everything()).expect("a state survives every kill");
    snapshot.unwrap_or_else(|| Snapshot::empty(""))
}

/// Draws what goes wrong with requests in one round.
fn faults(random: &mut Rng) -> String {
    let names = ["lost-reply", "cut-before", "error-500", "html-502", "truncated", "slow", "stray-429"];
    let worst = [0.0, 0.1, 0.3][random.usize(0..3)];
    let rules: Vec<String> = names.iter().map(|name| format!("{name}={:.3}", random.f64() * worst)).collect();
    format!("{},slow-ms={}", rules.join(","), SLOW.as_millis())
}
