//! The real program as a child process, and what the kernel says of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::Outcome;

/// What Linux counts processor time in for programs, whatever it counts in itself.
const TICKS_A_SECOND: u64 = 100;

/// Contact files and a state.
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    pub(crate) api: SocketAddr,
}

impl Place {
    pub(crate) fn contacts(&self) -> PathBuf {
        self.directory.join("contacts.d")
    }

    /// Runs contactsd to its end.
    pub(crate) fn run(&self, arguments: &str) -> Outcome<()> {
        let status = self.command(arguments).stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(format!("contactsd {arguments}: {status}").into()) }
    }

    /// contactsd with `arguments`, and nothing of this environment.
    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_contactsd"));
        command.args(arguments.split_whitespace());
        command.arg("--dir").arg(self.contacts()).arg("--state").arg(self.directory.join("state"));
        command.arg("--api-url").arg(format!("http://{}/api/v1", self.api));
        command.env_clear().env("APOLLO_API_KEY", "none-is-needed").env("HOME", &self.directory);
        command.current_dir(&self.directory).stdin(Stdio::null());
        command
    }
}

/// `contactsd watch` under way; killed when dropped.
pub(crate) struct Service {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Service {
    pub(crate) fn start(place: &Place) -> Outcome<Self> {
        let mut child = place.command("watch").stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("a service without stdout")?);
        Ok(Self { child, lines })
    }

    /// Reads on until a line begins with `text`.
    pub(crate) fn wait_for(&mut self, text: &str) -> Outcome<()> {
        let mut line = String::new();
        while self.lines.read_line(&mut line)? > 0 {
            if line.starts_with(text) {
                return Ok(());
            }
            line.clear();
        }
        Err(format!("the service ended without saying {text:?}").into())
    }

    /// User and system time so far.
    pub(crate) fn processor_time(&self) -> Outcome<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name may hold anything, and ends with the last parenthesis; user and system time are fields 14 and 15.
        let (_, rest) = text.rsplit_once(')').ok_or("a strange /proc/PID/stat")?;
        let field = |number: usize| rest.split_whitespace().nth(number - 3).unwrap_or_default().parse::<u64>();
        let ticks = field(14)? + field(15)?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
    }

    /// Reads one of the sizes in `/proc/PID/status`, in bytes.
    pub(crate) fn memory(&self, name: &str) -> Outcome<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("a strange /proc/PID/status")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn end(mut self) -> Outcome<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the service ended with {status}").into()) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Ended already where all went well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
