//! The processes of a world: the sandbox, which goes on, and contactsd, which is run again and again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use contactsd::failpoints::Step;

use super::wire::{self, Door};

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) dedupe: &'static str,
    pub(super) witness: &'static str,
    pub(super) search_lag: Duration,
    pub(super) seed: u64,
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
}

impl Run {
    pub(super) fn was_killed(&self) -> bool {
        self.status.signal() == Some(9)
    }
}

/// Runs `contactsd apply` in `home`; `meanwhile` is done while it runs.
pub(super) fn apply(
    program: &Path,
    home: &Path,
    door: &Door,
    options: &[String],
    fate: Fate,
    meanwhile: impl FnOnce(),
) -> Run {
    let log = home.join("run.log");
    let output = File::create(&log).expect("the world's directory can be written");
    let errors = output.try_clone().expect("a file can be had twice");
    let mut command = sealed(program, home);
    command
        .args(["apply", "--auto-approve", "--force", "--api-url", &format!("http://{}/api/v1", door.address)])
        .args(options)
        .env("APOLLO_API_KEY_FILE", &door.key)
        .stdout(output)
        .stderr(errors);
    if let Fate::AtStep(step, number) = fate {
        command.env("CONTACTSD_FAILPOINT", format!("{}:{number}", step.name()));
    }
    let mut child = command.spawn().expect("the program under test can be run");
    match fate {
        Fate::Killed(after) => {
            pause(after);
            child.kill().expect("a child can be killed");
        }
        Fate::Terminated(after) => {
            pause(after);
            let pid = rustix::process::Pid::from_child(&child);
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        Fate::Untouched | Fate::AtStep(..) => {}
    }
    meanwhile();
    let status = child.wait().expect("a child can be waited for");
    Run { status, output: String::from_utf8_lossy(&fs::read(&log).expect("the log is there")).into_owned() }
}

/// Says by hand which contact an entry is, as a person does who was asked.
pub(super) fn import(program: &Path, home: &Path, door: &Door, key: &str, id: &str) -> bool {
    let mut command = sealed(program, home);
    command
        .args(["import", key, id, "--auto-approve", "--api-url", &format!("http://{}/api/v1", door.address)])
        .env("APOLLO_API_KEY_FILE", &door.key)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().expect("the program under test can be run").success()
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
