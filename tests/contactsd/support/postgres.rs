//! PostgreSQL for tests: servers of their own in a temporary directory, on a Unix socket alone, as a user without rights.
//!
//! Included by the unit tests as well. Where Debian's packages are missing, [`Server::start`] says SKIPPED and returns
//! nothing. A server ends with the process that started it, however that ends.

#![allow(dead_code, reason = "each of those that include it needs a part")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The port in the name of the socket; nothing listens on TCP.
const PORT: u16 = 5432;

/// Waits for its stdin to end, then ends the server that it started.
const GUARD: &str = r#""$@" & server=$!; cat >/dev/null; kill -INT "$server" 2>/dev/null; wait "$server""#;

/// A running server, with an empty database `postgres` and a user `postgres` who needs no password.
#[derive(Debug)]
pub(crate) struct Server {
    directory: tempfile::TempDir,
    programs: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    guard: Child,
    /// Ends the server when it closes.
    _stdin: ChildStdin,
}

impl Server {
    /// Starts a server; `None`, said loudly, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            // Past the capture of tests, so that a run that proves less says so.
            let _ = writeln!(std::io::stderr(), "SKIPPED: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let directory = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        let mut server = Self { directory, programs, running: None };
        server.give_away();
        let data = server.data();
        let mut initdb = server.as_user(&server.programs.join("initdb"));
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        let output = initdb.arg(&data).output().unwrap();
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        server.resume();
        Some(server)
    }

    /// Returns the URL of a state in the server's one database.
    pub(crate) fn url(&self, state: &str) -> String {
        let socket = self.directory.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}:{PORT}/postgres?state={state}")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join(format!(".s.PGSQL.{PORT}"))
    }

    /// Ends the server at once, as a machine that loses power does for all who are connected.
    pub(crate) fn crash(&mut self) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args(["-QUIT", &pid]).status().unwrap().success());
        self.ended();
    }

    /// Ends the server in order.
    pub(crate) fn stop(&mut self) {
        self.ended();
    }

    /// Starts the server again.
    pub(crate) fn resume(&mut self) {
        let mut command = self.as_user(Path::new("/bin/sh"));
        command.args(["-c", GUARD, "sh"]).arg(self.programs.join("postgres"));
        command.arg("-D").arg(self.data()).arg("-k").arg(self.directory.path());
        command.args(["-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=32MB"]);
        let log = fs::File::options().create(true).append(true).open(self.directory.path().join("log")).unwrap();
        let mut guard = command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.running = Some(Running { _stdin: guard.stdin.take().unwrap(), guard });
        self.await_answers();
    }

    /// Runs SQL with `psql`; returns what it prints.
    pub(crate) fn sql(&self, text: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"]);
        let output = psql.arg(self.directory.path()).args(["-c", text]).output().unwrap();
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// PostgreSQL refuses to run as root: the directory goes to a user who owns nothing else.
    fn give_away(&self) {
        fs::set_permissions(self.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if let Some((user, group)) = other_user() {
            chown(self.directory.path(), Some(user), Some(group)).unwrap();
        }
    }

    fn as_user(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory.path()).env("LC_ALL", "C");
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        command
    }

    /// Returns once the server answers; it says so by its status, as each start of a session does.
    fn await_answers(&mut self) {
        loop {
            let mut ready = Command::new(self.programs.join("pg_isready"));
            let ready = ready.arg("-q").arg("-t").arg("10").arg("-h").arg(self.directory.path()).status().unwrap();
            if ready.success() && UnixStream::connect(self.socket()).is_ok() {
                return;
            }
            let guard = &mut self.running.as_mut().unwrap().guard;
            if guard.try_wait().unwrap().is_some() {
                panic!("{}", fs::read_to_string(self.directory.path().join("log")).unwrap());
            }
            std::thread::yield_now();
        }
    }

    fn ended(&mut self) {
        if let Some(Running { mut guard, _stdin: stdin }) = self.running.take() {
            drop(stdin);
            guard.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended();
    }
}

/// Finds the newest of the versions that are installed.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.filter(|path| path.join("bin/initdb").exists()).max_by_key(version)?;
    Some(newest.join("bin"))
}

/// Returns whom to run as, where this process is root.
fn other_user() -> Option<(u32, u32)> {
    /// `nobody`, on all systems with this number.
    const NOBODY: u32 = 65_534;
    (fs::metadata("/proc/self").unwrap().uid() == 0).then_some((NOBODY, NOBODY))
}
