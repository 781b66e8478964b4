//! What a child process costs: time from start to exit, processor time, and its largest memory.

use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// The cost of one process, or the median of several runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) wall: Duration,
    /// User and system time together.
    pub(crate) cpu: Duration,
    /// Largest resident set, in bytes.
    pub(crate) rss: u64,
}

impl Figure {
    /// Takes the medians of time and the largest memory.
    pub(crate) fn median(figures: &[Self]) -> Self {
        let middle = |time: fn(&Self) -> Duration| {
            let mut times: Vec<Duration> = figures.iter().map(time).collect();
            times.sort_unstable();
            times[times.len() / 2]
        };
        let rss = figures.iter().map(|figure| figure.rss).max().expect("something was measured");
        Self { wall: middle(|figure| figure.wall), cpu: middle(|figure| figure.cpu), rss }
    }
}

/// Runs a command to its end; what it prints goes nowhere, except to stderr what it says there.
///
/// No process shows less memory than this one had when it started it; the report says how much that is.
#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
pub(crate) fn run(command: &mut Command) -> io::Result<(ExitStatus, Figure)> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let ended = command.spawn()?.wait4()?;
    let wall = started.elapsed();
    let usage = ended.rusage;
    Ok((ended.status, Figure { wall, cpu: usage.utime + usage.stime, rss: usage.maxrss }))
}

/// Times a piece of work in this process.
#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

/// Returns the largest resident set of this process so far, in bytes.
pub(crate) fn own_peak() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kibibytes.unwrap_or_default() * 1024)
}
