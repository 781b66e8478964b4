//! A command that runs while the test goes on; waits are for what it prints, never for time.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout};

use rustix::process::{Pid, Signal, kill_process};

use super::outcome::Outcome;
use super::world::World;

/// A command under way; killed when dropped.
pub(crate) struct Running<'a> {
    world: &'a World,
    child: Child,
    /// `None` once nobody reads on.
    lines: Option<BufReader<ChildStdout>>,
    stdout: String,
    stderr: PathBuf,
}

impl<'a> Running<'a> {
    pub(super) fn new(world: &'a World, mut child: Child, stderr: PathBuf) -> Self {
        let lines = child.stdout.take().map(BufReader::new);
        Self { world, child, lines, stdout: String::new(), stderr }
    }

    /// Reads on until a line holds `text`, and returns the line.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            let before = self.stdout.len();
            let read = self.read_line();
            let errors = || fs::read_to_string(&self.stderr).unwrap_or_default();
            assert!(read > 0, "it ended without saying {text:?}:\n{}\n{}", self.stdout, errors());
            if self.stdout[before..].contains(text) {
                return self.stdout[before..].to_owned();
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Sends a signal to the one process that this one has started.
    #[track_caller]
    pub(crate) fn signal_child(&self, signal: Signal) {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let child = children.split_whitespace().next().and_then(|child| child.parse().ok()).and_then(Pid::from_raw);
        kill_process(child.expect("it has a child"), signal).unwrap();
    }

    /// Closes the other end of its stdout.
    pub(crate) fn stop_reading(&mut self) {
        self.lines = None;
    }

    fn read_line(&mut self) -> usize {
        self.lines.as_mut().map_or(0, |lines| lines.read_line(&mut self.stdout).unwrap())
    }

    /// Waits for the end.
    pub(crate) fn finish(mut self) -> Outcome {
        while self.read_line() > 0 {}
        let status = self.child.wait().unwrap();
        let stderr = fs::read_to_string(&self.stderr).unwrap();
        self.world.outcome(std::mem::take(&mut self.stdout), stderr, status.code())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Ended already in a test that passes.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
