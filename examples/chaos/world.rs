//! One directory of contact files, one state and one sandbox, through many runs.

mod sharing;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use contactsd::failpoints::Step;
use fastrand::Rng;
use tempfile::TempDir;

use super::copies::Copies;
use super::disks::DiskFault;
use super::engine::Place;
use super::kind::Weather;
use super::people::{People, Person};
use super::programs::{self, Fate, Program, Run, Sandbox, Setup};
use super::strangers::Strangers;
use super::{Kind, Storm, Summary, check, damage, preload, wire};
use sharing::Mishap;

const SLOW: Duration = Duration::from_millis(30);
/// A short lag of a search, and one that outlasts most runs.
const SEARCH_LAGS: [Duration; 2] = [Duration::from_millis(40), Duration::from_millis(150)];

/// How long a run waits for the end of an outage.
const LONGEST_OUTAGE: &str = "400ms";

/// Runs that everything may take to come to rest once nothing fails any more.
const RUNS_TO_REST: usize = 6;

/// Runs whose output is kept for the story of a violation.
const RUNS_KEPT: usize = 14;

/// What happens to the server, or to what machines share, during a run.
#[derive(Debug)]
enum Trouble {
    None,
    Killed {
        comes_back: bool,
    },
    /// It fails at everything; when that ends, it does so with these faults.
    Outage {
        ends_with: Option<String>,
    },
    /// It befalls the database, or the runners that share a state.
    OfState(Mishap),
}

pub(super) struct World {
    home: TempDir,
    state: Place,
    program: PathBuf,
    /// What makes reads and writes short, where disks fail.
    library: Option<PathBuf>,
    failpoints: bool,
    number: u64,
    round: u64,
    random: Rng,
    kind: Kind,
    weather: Weather,
    people: People,
    strangers: Strangers,
    copies: Copies,
    sandbox: Sandbox,
    setup: Setup,
    /// Covers the longest delay of a request and the lag of the search.
    settle_after: Duration,
    /// What the sandbox counted, up to the last look.
    counted: wire::Counts,
    /// How long a run takes, about.
    usual: Duration,
    runs: VecDeque<String>,
    broken: bool,
    /// Whether it met what contactsd does not promise to withstand, so that nothing can be said of it any more.
    is_over: bool,
}

impl World {
    pub(super) fn new(storm: &Storm, number: u64) -> Self {
        let mut random = Rng::with_seed(storm.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(number));
        let home = tempfile::tempdir().expect("a world needs a directory");
        let weather = Weather::draw(storm.kind, storm.engine.is_database(), &mut random);
        let setup = Setup {
            dedupe: if random.bool() { "overwrite" } else { "return-existing" },
            witness: if random.bool() { "all" } else { "created-at" },
            search_lag: if random.bool() { SEARCH_LAGS[random.usize(0..2)] } else { Duration::ZERO },
            quirks: weather.quirks.clone(),
            seed: random.u64(..),
        };
        let sandbox = Sandbox::start(&storm.program, home.path(), setup.clone());
        let people = People::new(weather.has(Kind::Batches), &mut random);
        let mut strangers = Strangers::default();
        if weather.is_crowded() {
            strangers.crowd(sandbox.door());
        }
        for person in people.all.iter().filter(|_| weather.has(Kind::Strangers)) {
            if random.bool() {
                strangers.like(person, weather.finds_everybody, &mut random, sandbox.door());
            }
        }
        let library = weather.has(Kind::Disks).then(|| preload::beside(&storm.program)).flatten();
        let name = format!("{}-{}-{number}", storm.kind.name(), storm.seed);
        Self {
            state: storm.engine.place(home.path().join(programs::STATE), name),
            kind: storm.kind,
            settle_after: setup.search_lag + SLOW + Duration::from_millis(30),
            weather,
            people,
            strangers,
            copies: Copies::default(),
            library,
            program: storm.program.clone(),
            failpoints: storm.failpoints,
            number,
            round: 0,
            counted: wire::Counts::default(),
            usual: Duration::from_millis(100),
            runs: VecDeque::new(),
            broken: false,
            is_over: false,
            home,
            random,
            sandbox,
            setup,
        }
    }

    /// Edits, then runs contactsd once, to a good end or a bad one.
    pub(super) fn round(&mut self, summary: &mut Summary) {
        self.round += 1;
        let most_edits = if self.weather.has(Kind::Batches) { 30 } else { 6 };
        for _ in 0..self.random.usize(0..most_edits) {
            if let Some(edit) = self.people.edit(&mut self.random, || self.state.read()) {
                Summary::count(&mut summary.edits, edit);
            }
        }
        if self.weather.has(Kind::Strangers) && self.random.u8(0..4) == 0 {
            let person = &self.people.all[self.random.usize(0..self.people.all.len())];
            self.strangers.like(person, self.weather.finds_everybody, &mut self.random, self.sandbox.door());
        }
        if self.weather.has(Kind::Damage)
            && self.random.u8(0..3) == 0
            && let Some(done) = self.state.directory().and_then(|state| damage::strike(state, &mut self.random))
        {
            Summary::count(&mut summary.damages, done);
            self.runs.push_back(format!("--- before round {}: {done}", self.round));
        }
        let faults = self.weather.faults(&mut self.random, SLOW.as_millis());
        wire::set_faults(self.sandbox.door(), &faults).expect("the sandbox takes faults");
        let fate = self.fate();
        let timeout = if self.random.u8(0..8) == 0 { "20ms" } else { "20s" };
        let parallelism = ["1", "2", "10"][self.random.usize(0..3)];
        let batch = ["1", "3", "100", "100"][self.random.usize(0..4)];
        let mut options = vec!["--request-timeout", timeout, "--parallelism", parallelism, "--batch", batch];
        let decided =
            if self.weather.has(Kind::Strangers) && self.random.bool() { self.to_create() } else { Vec::new() };
        summary.created_by_word += decided.len() as u64;
        options.extend(decided.iter().flat_map(|key| ["--create", key.as_str()]));
        let trouble = self.trouble(&faults);
        let (fate, disk) = self.disk(fate);
        let fate = if matches!(trouble, Trouble::OfState(Mishap::Stop)) { Fate::Untouched } else { fate };
        let run = self.run_in(&options, fate, disk.as_ref(), &trouble, summary);
        match fate {
            Fate::Killed(_) if run.was_killed() => summary.random_kills += 1,
            Fate::AtStep(step, _) if run.was_killed() => Summary::count(&mut summary.step_kills, step.name()),
            Fate::Terminated(_) => summary.terminated += 1,
            _ => {}
        }
        summary.bad_disks += u64::from(run.met_bad_disk);
        let title = format!("round {}: {fate:?}, {disk:?}, {trouble:?}, faults {faults}, {options:?}", self.round);
        self.keep(&title, &run);
        if run.was_killed() {
            self.sandbox.quiesce();
        }
        if self.is_over {
            return;
        }
        if let Err(error) = self.state.try_look() {
            self.is_over = true;
            return self.violated(None, &format!("the state cannot be read: {error:?}"), summary);
        }
        if run.was_killed() || run.met_bad_disk || matches!(trouble, Trouble::OfState(_)) {
            self.told_is_kept(&run, summary);
        }
        self.check_always(summary);
        if self.weather.has(Kind::Copies) && self.random.u8(0..3) == 0 {
            self.copies.keep(&self.contactsd(), &self.state, &mut self.random);
        }
    }

    /// Looks for what must never be, whatever has just happened.
    fn check_always(&mut self, summary: &mut Summary) {
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        for (person, what) in check::always(&self.people.all, &self.strangers, &contacts, &self.state.read()) {
            self.violated(person, &what, summary);
        }
    }

    /// Lets everything come to rest, then compares both sides.
    pub(super) fn come_to_rest(&mut self, summary: &mut Summary) {
        wire::set_faults(self.sandbox.door(), "").expect("the sandbox takes faults");
        let mut rests = false;
        for number in 0..RUNS_TO_REST {
            // Nothing fails any more, but quota that the storm has spent may take a window to come back.
            let run = self.run(&["--max-wait", "2m"], summary);
            self.keep(&format!("run {number} to come to rest after round {}", self.round), &run);
            rests = (run.status.success() && run.output.contains("No changes.")) || self.waits_for_people(&run);
            if rests {
                break;
            }
            self.decide(summary);
        }
        summary.checks += 1;
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        let mut found = check::at_rest(&self.people.all, &self.strangers, &contacts, &self.state.read());
        if !rests {
            found.push((None, format!("does not come to rest in {RUNS_TO_REST} runs")));
        }
        for (person, what) in found {
            self.violated(person, &what, summary);
        }
        self.people.at_rest();
        if self.broken || !self.weather.finds_everybody {
            return;
        }
        if self.random.u8(0..12) == 0 {
            self.lose_state(summary);
        } else if self.weather.has(Kind::Copies) && self.random.u8(0..3) > 0 {
            self.put_back(summary);
        }
    }

    /// Answers what only a person can: whose the contacts are that a search found and that could be an entry's.
    ///
    /// Nobody is told to be somebody else's contact: where there is none of the entry's own, some say that one is to be
    /// made, and the others let the question stand.
    fn decide(&mut self, summary: &mut Summary) {
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        let program = self.contactsd();
        let own: Vec<(String, String)> = self
            .asked_for()
            .filter_map(|person| match self.own(person, &contacts)[..] {
                [contact] => Some((person.key.clone(), contact["id"].as_str()?.to_owned())),
                _ => None,
            })
            .collect();
        for (key, id) in own {
            summary.imported += u64::from(programs::import(&program, &key, &id));
        }
        let keys: Vec<String> = self.left_to_create().map(|person| person.key.clone()).collect();
        for key in keys {
            summary.created_by_word += 1;
            let run = self.run(&["--create", &key], summary);
            self.keep(&format!("{key} is to be created, by a person's word"), &run);
        }
    }

    /// Lists the declared people about whom contactsd asks: in conflict, or with a doubt that it does not end.
    fn asked_for(&self) -> impl Iterator<Item = &Person> {
        let state = self.state.read();
        self.people.all.iter().filter(move |person| person.declared && check::is_asked_about(person, &state))
    }

    /// Lists the keys that are in conflict with strangers only, and whose people say so.
    fn to_create(&self) -> Vec<String> {
        let state = self.state.read();
        let people = self.left_to_create().filter(|person| check::is_in_conflict(person, &state));
        people.map(|person| person.key.clone()).collect()
    }

    /// Lists the people about whom contactsd asks because of strangers only, and who say so.
    fn left_to_create(&self) -> impl Iterator<Item = &Person> {
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        self.asked_for().filter(move |person| !person.is_silent() && self.own(person, &contacts).is_empty())
    }

    fn own<'c>(&self, person: &Person, contacts: &'c [serde_json::Value]) -> Vec<&'c serde_json::Value> {
        check::of(person, contacts.iter().filter(|contact| !self.strangers.has(contact)))
    }

    /// Reports whether a run had nothing to do but to say again what silent people have not decided.
    fn waits_for_people(&self, run: &Run) -> bool {
        let named = |start: &str, end: &str| -> Vec<String> {
            let name = |line: &str| Some(line.strip_prefix(start)?.strip_suffix(end)?.to_owned());
            run.output.lines().filter_map(name).collect()
        };
        let in_conflict = named("  # contact.", " needs a decision");
        let in_doubt = named("  # contact.", ": outcome of an earlier create is unknown");
        let asked = named("  with contact.", ",");
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        let is_silent = |key: &String| {
            let person = self.people.all.iter().find(|person| person.key == *key);
            person.is_some_and(|person| person.is_silent() && self.own(person, &contacts).is_empty())
        };
        let need = if in_conflict.len() == 1 { "needs" } else { "need" };
        let also = [(in_doubt.len(), "to settle"), (in_conflict.len(), &format!("{need} a decision"))];
        let also: Vec<String> =
            also.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let nothing_else = format!("Plan: 0 to add, 0 to change, 0 to destroy.\nAlso: {}.\n", also.join(", "));
        !also.is_empty()
            && in_conflict.iter().chain(&in_doubt).all(|key| is_silent(key) && asked.contains(key))
            && run.output.contains(&nothing_else)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Adds what is known only at the end.
    pub(super) fn end(self, summary: &mut Summary) {
        summary.strangers += self.strangers.len() as u64;
        summary.contacts += wire::contacts(self.sandbox.door()).map_or(0, |contacts| contacts.len() as u64);
    }

    /// Takes the state away, as a lost disk does. Whoever is declared now must be found again.
    fn lose_state(&mut self, summary: &mut Summary) {
        self.state.lose();
        // A search that lags must show by then what was made last.
        programs::pause(self.settle_after);
        self.people.state_is_lost();
        summary.lost_states += 1;
    }

    /// Puts an earlier state in place of the present one, as people do after they have lost that.
    fn put_back(&mut self, summary: &mut Summary) {
        let program = self.contactsd();
        let Some(how) = self.copies.put_back(&program, &self.state, &mut self.random) else { return };
        programs::pause(self.settle_after);
        self.people.state_is_older(&self.state.read());
        Summary::count(&mut summary.put_back, how);
    }

    fn contactsd(&self) -> Program {
        self.contactsd_in(self.home.path().to_owned())
    }

    fn contactsd_in(&self, home: PathBuf) -> Program {
        Program { path: self.program.clone(), home, door: self.sandbox.door().clone(), state: self.state.url() }
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
        const SHARED: &[Step] = &[
            Step::LeaseTaken,
            Step::RowsSent,
            Step::RowsCommitted,
            Step::IntentWritten,
            Step::AnswerReceived,
            Step::AnswerWritten,
        ];
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
        match self.state.look() {
            None if self.state.directory().is_some() => NEW,
            None => SHARED,
            Some(state) if state.intents.values().any(|intent| intent.apollo_id.is_none()) => IN_DOUBT,
            // Each run passes what commits pass in a database; the other steps are the same there.
            Some(_) if self.state.database().is_some() && self.round.is_multiple_of(2) => SHARED,
            Some(_) => USUAL,
        }
    }

    /// Draws what happens to the server during a round whose usual faults are `faults`.
    fn trouble(&mut self, faults: &str) -> Trouble {
        let random = &mut self.random;
        if let Some(mishap) = Mishap::draw(&self.weather, random) {
            return Trouble::OfState(mishap);
        }
        if !self.weather.has(Kind::Outages) {
            return if random.u8(0..30) == 0 { Trouble::Killed { comes_back: false } } else { Trouble::None };
        }
        match random.u8(0..10) {
            0..2 => Trouble::Killed { comes_back: true },
            2 => Trouble::Killed { comes_back: false },
            3..7 => {
                let outage = Weather::outage(random);
                wire::set_faults(self.sandbox.door(), &outage).expect("the sandbox takes faults");
                Trouble::Outage { ends_with: random.bool().then(|| faults.to_owned()) }
            }
            _ => Trouble::None,
        }
    }

    /// Reports whether sled or the copy was damaged and is not mended yet: who strikes the other one loses both.
    fn has_lost_one_half(&self) -> bool {
        let state = self.state.directory().filter(|_| self.weather.has(Kind::Damage));
        state.and_then(damage::is_damaged) == Some(true)
    }

    /// Draws whether the disk of a round fails; strace would not hand on a kill from outside.
    fn disk(&mut self, fate: Fate) -> (Fate, Option<DiskFault>) {
        if !self.weather.has(Kind::Disks) || self.random.bool() || self.has_lost_one_half() {
            return (fate, None);
        }
        let fate = if matches!(fate, Fate::AtStep(..)) { fate } else { Fate::Untouched };
        (fate, Some(DiskFault::draw(self.library.as_deref(), &mut self.random)))
    }

    /// Runs contactsd once while nothing else happens.
    fn run(&mut self, options: &[&str], summary: &mut Summary) -> Run {
        self.run_in(options, Fate::Untouched, None, &Trouble::None, summary)
    }

    #[expect(clippy::disallowed_methods, reason = "kills come at moments of real time")]
    fn run_in(
        &mut self,
        options: &[&str],
        fate: Fate,
        disk: Option<&DiskFault>,
        trouble: &Trouble,
        summary: &mut Summary,
    ) -> Run {
        self.people.write(&self.home.path().join("contacts.d"));
        let settle_after = format!("{}ms", self.settle_after.as_millis());
        let mut always = vec!["--retry-base", "2ms", "--settle-after", &settle_after];
        if !options.contains(&"--max-wait") {
            always.extend(["--max-wait", LONGEST_OUTAGE]);
        }
        let options: Vec<String> = always.iter().chain(options).map(|&option| option.to_owned()).collect();
        let after = self.usual.mul_f64(self.random.f64());
        let kills_sandbox = matches!(trouble, Trouble::Killed { .. });
        if kills_sandbox {
            self.count(summary);
            summary.sandbox_kills += 1;
        }
        summary.outages += u64::from(matches!(trouble, Trouble::Outage { .. }));
        let began = Instant::now();
        let beside = matches!(trouble, Trouble::OfState(Mishap::Another)).then(|| self.start_beside(&options));
        let running = programs::start(&self.contactsd(), &options, fate, disk);
        running.meet(fate);
        let mut stopped = None;
        match trouble {
            Trouble::None | Trouble::Outage { ends_with: None } => {}
            Trouble::Outage { ends_with: Some(faults) } => {
                programs::pause(after);
                wire::set_faults(self.sandbox.door(), faults).expect("the sandbox takes faults");
            }
            Trouble::Killed { comes_back } => {
                programs::pause(after);
                self.sandbox.kill();
                if *comes_back {
                    programs::pause(after);
                    self.sandbox.restart();
                }
            }
            Trouble::OfState(mishap) => {
                programs::pause(after);
                stopped = self.befall(*mishap, &running, &options, summary);
            }
        }
        let process = running.process();
        let mut run = running.finish();
        self.end_lease_of(process, &mut run, summary);
        if let Some(stopped) = stopped {
            self.woken(&stopped, summary);
            run.output.push_str(&stopped.beside);
        }
        run.output.extend(beside.map(|beside| sharing::told_beside(beside, self, summary)));
        match trouble {
            Trouble::Killed { comes_back } => {
                if !comes_back {
                    self.sandbox.restart();
                }
                self.counted = wire::Counts::default();
            }
            Trouble::None if disk.is_none() && !run.was_killed() => {
                self.usual = (self.usual * 7 + began.elapsed()) / 8;
            }
            Trouble::None | Trouble::Outage { .. } | Trouble::OfState(_) => {}
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
        let state = self.state.read();
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
        let Setup { dedupe, witness, search_lag, quirks, seed: _ } = &self.setup;
        let world = format!(
            "world {} of {}, round {}: {dedupe}, witness {witness}, search lag {search_lag:?}, quirks {quirks:?}",
            self.number,
            self.kind.name(),
            self.round
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
}

/// Reads a line that tells of an end, with the id where it has one.
fn told(line: &str) -> Option<(String, String)> {
    let (key, rest) = line.strip_prefix("contact.")?.split_once(": ")?;
    let id = rest.contains(" complete after ").then(|| rest.split_once("[id="))??.1.strip_suffix(']')?;
    Some((key.to_owned(), id.to_owned()))
}
