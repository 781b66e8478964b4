//! Disks that fail: strace makes single calls on the state's files fail, or a library has them do a part of what is asked.
//!
//! sled takes a read of its own that fails for an empty file, and may blank what is there; the copy brings it back.

use std::fs;
use std::path::{Path, PathBuf};
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
pub(super) enum DiskFault {
    /// Calls on a file fail.
    Failing {
        file: &'static str,
        calls: &'static str,
        error: &'static str,
        /// Which of the calls fails, as strace reads it: `3`, or `3+` for it and all that follow.
        when: String,
    },
    /// A call reads or writes so many bytes of the state's files at most.
    Short { library: PathBuf, bytes: u32 },
    /// There is room for the half of this write to a file, and for nothing after it.
    Full { library: PathBuf, file: &'static str, number: u32 },
}

impl DiskFault {
    /// Draws what fails; short reads and writes where there is the `library` for them.
    pub(super) fn draw(library: Option<&Path>, random: &mut Rng) -> Self {
        if let Some(library) = library.map(Path::to_owned).filter(|_| random.u8(0..4) == 0) {
            if random.bool() {
                return Self::Short { library, bytes: [7, 100, 4000][random.usize(0..3)] };
            }
            let file = WRITTEN[random.usize(0..WRITTEN.len())];
            return Self::Full { library, file, number: random.u32(1..12) };
        }
        if random.u8(0..3) == 0 {
            let (file, calls) = READ[random.usize(0..READ.len())];
            return Self::Failing { file, calls, error: "error=EIO", when: format!("{}+", random.u32(1..4)) };
        }
        let (calls, error) = WRITES[random.usize(0..WRITES.len())];
        let most = 1 << random.u32(0..5);
        let number = 1 + random.u32(0..most);
        let on = if random.bool() { "+" } else { "" };
        Self::Failing { file: WRITTEN[random.usize(0..WRITTEN.len())], calls, error, when: format!("{number}{on}") }
    }

    /// Has `command` meet the fault on the files of `state`; what happened is written to `trace`.
    pub(super) fn around(&self, mut command: Command, state: &Path, trace: &Path) -> Command {
        // One that was left by an earlier run tells of that.
        let _ = fs::remove_file(trace);
        let (library, part) = match self {
            Self::Failing { file, calls, error, when } => {
                return traced(&command, &state.join(file), calls, error, when, trace);
            }
            Self::Short { library, bytes } => {
                command.env("SHORT_IO_BYTES", bytes.to_string());
                (library, "")
            }
            Self::Full { library, file, number } => {
                command.env("SHORT_IO_FULL", number.to_string());
                (library, *file)
            }
        };
        let file = format!("{}/{part}", state.display());
        command.env("LD_PRELOAD", library).env("SHORT_IO_FILE", file).env("SHORT_IO_MET", trace);
        command
    }

    /// Reports whether a run met it, by what was written to `trace`.
    pub(super) fn was_met(&self, trace: &Path) -> bool {
        let traced = fs::read_to_string(trace);
        match self {
            Self::Failing { .. } => traced.is_ok_and(|trace| trace.contains("(INJECTED)")),
            Self::Short { .. } | Self::Full { .. } => traced.is_ok(),
        }
    }
}

fn traced(command: &Command, file: &Path, calls: &str, error: &str, when: &str, trace: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(trace).arg("-P").arg(file);
    strace.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{error}:when={when}")]);
    strace.arg(command.get_program()).args(command.get_args()).env_clear().stdin(Stdio::null());
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        strace.current_dir(directory);
    }
    strace
}

/// Reports whether calls can be made to fail on this machine.
pub(in super::super) fn can_fail() -> bool {
    let mut probe = Command::new("strace");
    probe.args(["-qq", "-o", "/dev/null", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
