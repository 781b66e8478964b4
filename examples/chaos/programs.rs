//! The processes of a world: the sandbox, which goes on, and contactsd, which is run again and again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use contactsd::failpoints::Step;
use rustix::process::Signal;

use super::disks::DiskFault;
use super::wire::{self, Door};

/// Where a world keeps its state, below its directory.
pub(super) const STATE: &str = ".contactsd/contacts.d/state";

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) dedupe: &'static str,
    pub(super) witness: &'static str,
    pub(super) search_lag: Duration,
    pub(super) quirks: String,
    pub(super) seed: u64,
}

/// The program under test, as it is run in one world.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) home: PathBuf,
    pub(super) door: Door,
    /// The URL of a state that is not at its default place.
    pub(super) state: Option<String>,
}

impl Program {
    /// A command against the world's sandbox that sees nothing of the machine it runs on.
    fn command(&self, verb: &[&str]) -> Command {
        let mut command = sealed(&self.path, &self.home);
        let url = format!("http://{}/api/v1", self.door.address);
        command.args(verb).args(["--api-url", &url]).env("APOLLO_API_KEY_FILE", &self.door.key);
        command.envs(self.state.iter().map(|url| ("CONTACTSD_STATE", url)));
        command
    }
}

/// A sandbox process that keeps its address and its data over kills.
pub(super) struct Sandbox {
    program: PathBuf,
    home: PathBuf,
    setup: Setup,
    child: Child,
    door: Door,
}

impl Sandbox {
    pub(super) fn start(program: &Path, home: &Path, setup: Setup) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, address) = launch(program, home, &setup, any).expect("a sandbox starts at a free port");
        let door = Door { address, key: home.join("sandbox/key") };
        Self { program: program.to_owned(), home: home.to_owned(), setup, child, door }
    }

    pub(super) fn door(&self) -> &Door {
        &self.door
    }

    pub(super) fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Starts it again where it was, with its data.
    pub(super) fn restart(&mut self) {
        // Somebody else's connection may pass through our port; it goes away by itself.
        let mut attempts = (0..600).filter_map(|_| {
            let launched = launch(&self.program, &self.home, &self.setup, self.door.address);
            if launched.is_none() {
                pause(Duration::from_millis(50));
            }
            launched
        });
        let (child, _) = attempts.next().expect("the port of a dead sandbox becomes free");
        self.child = child;
    }

    /// Returns once it has worked off what arrived before.
    ///
    /// A kill of contactsd leaves requests behind that lie in the sandbox's sockets.
    pub(super) fn quiesce(&self) {
        let mut before = None;
        loop {
            let now: u64 = wire::counts(&self.door).expect("the sandbox answers").requests.values().sum();
            if before == Some(now) {
                return;
            }
            before = Some(now);
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(program: &Path, home: &Path, setup: &Setup, listen: SocketAddr) -> Option<(Child, SocketAddr)> {
    let errors = File::create(home.join("sandbox.err")).expect("the world's directory can be written");
    let mut child = sealed(program, home)
        .args(["sandbox", "--listen", &listen.to_string(), "--data", "sandbox", "--dedupe", setup.dedupe])
        .args(["--witness", setup.witness, "--seed", &setup.seed.to_string()])
        // Limits that are told and never met: without them a stray 429 counts as a minute used up.
        .args(["--quota", "100000/m,200000/h,400000/d"])
        .args(["--search-lag", &format!("{}ms", setup.search_lag.as_millis())])
        .args(["--quirk", &setup.quirks])
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .expect("the program under test can be run");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let address = first.split_once("http://").and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
    if address.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    Some((child, address?))
}

/// How a run of contactsd is brought to its end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Untouched,
    /// SIGKILL after a time.
    Killed(Duration),
    /// SIGTERM after a time.
    Terminated(Duration),
    /// SIGKILL by itself, the Nth time it reaches the step.
    AtStep(Step, u32),
}

/// What a run of contactsd came to.
pub(super) struct Run {
    pub(super) status: ExitStatus,
    /// stdout and stderr as they came.
    pub(super) output: String,
    /// Whether a call on the state's files was made to fail.
    pub(super) met_bad_disk: bool,
}

impl Run {
    pub(super) fn was_killed(&self) -> bool {
        self.status.signal() == Some(9)
    }
}

/// A `contactsd apply` that goes on. Ends with this value at the latest.
pub(super) struct Running {
    child: Child,
    log: PathBuf,
    /// The fault that it is to meet, and the file that tells whether it did.
    disk: Option<(DiskFault, PathBuf)>,
}

/// Starts `contactsd apply` on a disk that is good or bad; of its fate only the step, as that is its own to meet.
pub(super) fn start(program: &Program, options: &[String], fate: Fate, disk: Option<&DiskFault>) -> Running {
    let log = program.home.join("run.log");
    let output = File::create(&log).expect("the world's directory can be written");
    let errors = output.try_clone().expect("a file can be had twice");
    let mut command = program.command(&["apply", "--auto-approve", "--force"]);
    command.args(options);
    if let Fate::AtStep(step, number) = fate {
        command.env("CONTACTSD_FAILPOINT", format!("{}:{number}", step.name()));
    }
    let home = program.home.canonicalize().expect("the world's directory is there");
    let trace = home.join("trace");
    if let Some(fault) = disk {
        command = fault.around(command, &home.join(STATE), &trace);
    }
    command.stdout(output).stderr(errors);
    let child = command.spawn().expect("the program under test can be run");
    Running { child, log, disk: disk.cloned().map(|fault| (fault, trace)) }
}

impl Running {
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Does what its fate is, if that comes from outside.
    pub(super) fn meet(&self, fate: Fate) {
        let (after, signal) = match fate {
            Fate::Killed(after) => (after, Signal::KILL),
            Fate::Terminated(after) => (after, Signal::TERM),
            Fate::Untouched | Fate::AtStep(..) => return,
        };
        pause(after);
        self.signal(signal);
    }

    pub(super) fn signal(&self, signal: Signal) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal);
    }

    /// Waits for its end.
    pub(super) fn finish(mut self) -> Run {
        let status = self.child.wait().expect("a child can be waited for");
        let output = String::from_utf8_lossy(&fs::read(&self.log).expect("the log is there")).into_owned();
        let met_bad_disk = self.disk.as_ref().is_some_and(|(fault, trace)| fault.was_met(trace));
        Run { status, output, met_bad_disk }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says by hand which contact an entry is, as a person does who was asked.
pub(super) fn import(program: &Program, key: &str, id: &str) -> bool {
    program.command(&["import", key, id, "--auto-approve"]).output().is_ok_and(|done| done.status.success())
}

/// Returns the state as `state pull` prints it; `None` where there is nothing to pull.
pub(super) fn pull(program: &Program) -> Option<Vec<u8>> {
    let done = program.command(&["state", "pull"]).output().expect("the program under test can be run");
    done.status.success().then_some(done.stdout)
}

/// Puts a state that was pulled in place of the one that is there.
pub(super) fn push(program: &Program, file: &Path) -> Output {
    let mut command = program.command(&["state", "push", "--auto-approve", "--force"]);
    command.arg(file).output().expect("the program under test can be run")
}

/// Reports whether the program ends itself at named steps.
pub(in super::super) fn has_failpoints(program: &Path) -> bool {
    let status = Command::new(program)
        .arg("version")
        .env("CONTACTSD_FAILPOINT", "started:1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.signal() == Some(9))
}

/// A command that sees nothing of the machine it runs on.
fn sealed(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(home).stdin(Stdio::null());
    command
}

#[expect(clippy::disallowed_methods, reason = "kills come at moments of real time")]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
