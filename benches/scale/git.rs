//! `git status` on the same files: what users feel as fast.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A repository beside a directory of files, which all are committed.
pub(crate) struct Repository {
    repository: PathBuf,
    files: PathBuf,
}

/// Reports whether there is a git to compare with.
pub(crate) fn is_there() -> bool {
    let version = Command::new("git").arg("--version").stdin(Stdio::null()).output();
    version.is_ok_and(|output| output.status.success())
}

impl Repository {
    /// Commits everything below `files`, and looks once, so that git has its index in order.
    pub(crate) fn make(repository: PathBuf, files: &Path) -> io::Result<Self> {
        let this = Self { repository, files: files.to_owned() };
        this.run(&["init", "--quiet"])?;
        this.run(&["add", "--all"])?;
        this.run(&["commit", "--quiet", "--message", "people"])?;
        this.run(&["status"])?;
        Ok(this)
    }

    /// `git status`, with git's own defaults.
    pub(crate) fn status(&self) -> Command {
        let mut command = self.command();
        command.arg("status");
        command
    }

    fn run(&self, arguments: &[&str]) -> io::Result<()> {
        let status = self.command().args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("git {arguments:?}: {status}"))) }
    }

    /// Git as it is installed, with nobody's settings.
    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0"]);
        command.args(["-c", "maintenance.auto=false", "-c", "init.defaultBranch=main"]);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.env("GIT_DIR", &self.repository).env("GIT_WORK_TREE", &self.files).current_dir(&self.files);
        command
    }
}
