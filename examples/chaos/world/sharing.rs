//! What befalls the database of a state, and the runners that share it.

use std::collections::BTreeSet;

use contactsd::state::Snapshot;
use fastrand::Rng;
use rustix::process::Signal;
use serde_json::Value;

use super::super::kind::Weather;
use super::super::programs::{self, Fate, Run, Running};
use super::super::{Kind, Summary, wire};
use super::World;

/// What befalls them during one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// The database ends at once, and is started again.
    Restart,
    /// All connections are cut, some times.
    Cut,
    /// Connections are cut whose commit has happened and whose answer has not left.
    CutAnswer,
    /// Another machine applies at the same time.
    Another,
    /// The runner is stopped for longer than its lease lasts, another one takes over, and the first one wakes.
    Stop,
}

/// A runner that was stopped, and what there was when it went on.
pub(super) struct Stopped {
    /// What the runner said that took over.
    pub(super) beside: String,
    /// Keys of what it was at.
    open: BTreeSet<String>,
    contacts: Vec<Value>,
    state: Snapshot,
}

impl Mishap {
    /// Draws what befalls a run, most of the time something where the weather has it.
    pub(super) fn draw(weather: &Weather, random: &mut Rng) -> Option<Self> {
        let kinds = [
            (Kind::Restarts, Self::Restart),
            (Kind::Cuts, Self::Cut),
            (Kind::Cuts, Self::CutAnswer),
            (Kind::Runners, Self::Another),
            (Kind::Stops, Self::Stop),
        ];
        let possible: Vec<Self> =
            kinds.iter().filter(|(kind, _)| weather.has(*kind)).map(|(_, mishap)| *mishap).collect();
        if possible.is_empty() || random.u8(0..3) == 0 { None } else { random.choice(possible) }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Restart => "restarted",
            Self::Cut => "cut",
            Self::CutAnswer => "cut before an answer",
            Self::Another => "two at once",
            Self::Stop => "stopped",
        }
    }
}

impl World {
    /// Starts an apply on another machine, which has the same files and shares the state.
    pub(super) fn start_beside(&self, options: &[String]) -> Running {
        let home = self.home.path().join("other");
        self.people.write(&home.join("contacts.d"));
        let waits = ["--lock-timeout".to_owned(), "1m".to_owned()];
        programs::start(&self.contactsd_in(home), &[options, &waits].concat(), Fate::Untouched, None)
    }

    /// Lets it happen to `running`; returns what there was when a stopped runner goes on, if somebody had taken over.
    pub(super) fn befall(
        &mut self,
        mishap: Mishap,
        running: &Running,
        options: &[String],
        summary: &mut Summary,
    ) -> Option<Stopped> {
        Summary::count(&mut summary.mishaps, mishap.name());
        let database = self.state.database()?.database().clone();
        match mishap {
            Mishap::Restart => {
                let pause = self.usual.mul_f64(self.random.f64());
                database.restart(|| programs::pause(pause));
                None
            }
            Mishap::Cut => {
                database.cut(self.random.u32(1..6), self.random.u32(1..60));
                None
            }
            Mishap::CutAnswer => {
                summary.cut_answers += database.cut_between_commit_and_answer(self.random.u32(1..6));
                None
            }
            Mishap::Another => None,
            Mishap::Stop => {
                let stopped = self.stop(running, options);
                if stopped.is_some() {
                    Summary::count(&mut summary.mishaps, "taken over");
                }
                stopped
            }
        }
    }

    fn stop(&mut self, running: &Running, options: &[String]) -> Option<Stopped> {
        running.signal(Signal::STOP);
        let state = self.state.database()?;
        let had_lease = state.end_lease_of(running.process());
        state.end_open_transactions();
        let fence = state.fence();
        let open = self.state.read().intents.into_values().map(|intent| intent.key.as_str().to_owned()).collect();
        let beside = self.start_beside(options).finish();
        self.sandbox.quiesce();
        let was_taken_over = had_lease && self.state.database()?.fence() != fence;
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        let state = self.state.read();
        running.signal(Signal::CONT);
        let beside = beside_text(&beside);
        was_taken_over.then_some(Stopped { beside, open, contacts, state })
    }

    /// Looks what a runner did that woke after somebody else had taken its state over.
    ///
    /// What it was about to send when it was stopped it may send yet, as this machine's clock has not reached the end of
    /// its lease; that is counted, and ends the world. Anything else must not be.
    pub(super) fn woken(&mut self, stopped: &Stopped, summary: &mut Summary) {
        self.sandbox.quiesce();
        if self.state.read() != stopped.state {
            self.violated(None, "a runner that had lost its lease has changed the state", summary);
        }
        let contacts = wire::contacts(self.sandbox.door()).expect("the sandbox shows its contacts");
        let changed: Vec<&Value> = contacts.iter().filter(|contact| !stopped.contacts.contains(contact)).collect();
        for contact in changed {
            let at = self.people.all.iter().position(|person| contact["first_name"] == person.first_name.as_str());
            let was_open = at.is_some_and(|at| self.people.all[at].keys.iter().any(|key| stopped.open.contains(key)));
            if !was_open {
                self.violated(
                    at,
                    "a runner that had lost its lease has written what it was not about to send",
                    summary,
                );
                continue;
            }
            let before = stopped.contacts.iter().find(|before| before["id"] == contact["id"]);
            let what = match before {
                None => "contacts made",
                Some(before) if same_but_for_times(before, contact) => "contacts written as they were",
                Some(_) => "contacts written otherwise",
            };
            Summary::count(&mut summary.late_sends, what);
            self.is_over = true;
        }
    }

    /// Ends the lease of a run that has ended, which otherwise takes minutes.
    pub(super) fn end_lease_of(&self, process: u32, run: &mut Run, summary: &mut Summary) {
        let was_left = self.state.database().is_some_and(|state| state.end_lease_of(process));
        if was_left && !run.was_killed() {
            summary.leases_left += 1;
            run.output.push_str("--- it left its lease\n");
        }
    }
}

/// Waits for the end of a run on another machine; returns what it said.
pub(super) fn told_beside(running: Running, world: &World, summary: &mut Summary) -> String {
    let process = running.process();
    let mut run = running.finish();
    world.end_lease_of(process, &mut run, summary);
    beside_text(&run)
}

fn beside_text(run: &Run) -> String {
    format!("--- on the other machine: {}\n{}", run.status, run.output)
}

fn same_but_for_times(one: &Value, other: &Value) -> bool {
    let without = |contact: &Value| {
        let mut contact = contact.clone();
        if let Some(fields) = contact.as_object_mut() {
            fields.retain(|name, _| !name.ends_with("_at"));
        }
        contact
    };
    without(one) == without(other)
}
