//! Disks that fail: strace makes single calls on the state's files fail.
//!
//! sled takes a read of its own that fails for an empty file, and may blank what is there; the copy brings it back.

use std::path::Path;
use std::process::{Command, Stdio};

use fastrand::Rng;

const READ: [(&str, &str); 5] = [
    ("sled/db", "read"),
    ("sled/db", "pread64"),
    ("sled/conf", "read"),
    ("copy.jsonl", "read"),
    ("copy.jsonl", "pread64"),
];
const WRITTEN: [&str; 6] = ["sled/db", "head", "lock", "index", "copy.jsonl", "copy.jsonl.new"];
const WRITES: [(&str, &str); 6] = [
    ("fsync", "error=EIO"),
    ("fdatasync", "error=EIO"),
    ("sync_file_range", "error=EIO"),
    ("pwrite64", "error=ENOSPC"),
    ("write", "error=ENOSPC"),
    ("pwrite64", "error=EIO"),
];

/// What fails in one run.
#[derive(Debug, Clone)]
pub(super) struct DiskFault {
    file: &'static str,
    calls: &'static str,
    error: &'static str,
    /// Which of the calls fails, as strace reads it: `3`, or `3+` for it and all that follow.
    when: String,
}

impl DiskFault {
    pub(super) fn draw(random: &mut Rng) -> Self {
        if random.u8(0..3) == 0 {
            let (file, calls) = READ[random.usize(0..READ.len())];
            return Self { file, calls, error: "error=EIO", when: format!("{}+", random.u32(1..4)) };
        }
        let (calls, error) = WRITES[random.usize(0..WRITES.len())];
        let most = 1 << random.u32(0..5);
        let number = 1 + random.u32(0..most);
        let on = if random.bool() { "+" } else { "" };
        Self { file: WRITTEN[random.usize(0..WRITTEN.len())], calls, error, when: format!("{number}{on}") }
    }

    /// Has `command` meet the fault on the files of `state`; what happened is written to `trace`.
    pub(super) fn around(&self, command: &Command, state: &Path, trace: &Path) -> Command {
        let Self { file, calls, error, when } = self;
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o"]).arg(trace).arg("-P").arg(state.join(file));
        strace.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{error}:when={when}")]);
        strace.arg(command.get_program()).args(command.get_args()).env_clear().stdin(Stdio::null());
        strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(directory) = command.get_current_dir() {
            strace.current_dir(directory);
        }
        strace
    }
}

/// Reports whether calls can be made to fail on this machine.
pub(in super::super) fn can_fail() -> bool {
    let mut probe = Command::new("strace");
    probe.args(["-qq", "-o", "/dev/null", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
