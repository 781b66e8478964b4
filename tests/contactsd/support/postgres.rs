//! PostgreSQL for tests: servers of their own in a temporary directory, as a user without rights. They listen on a Unix
//! socket, and on TCP of this machine only where encryption is asked for.
//!
//! Included by the unit tests as well. Where Debian's packages are missing, [`Server::start`] says SKIPPED and returns
//! nothing. A server ends with the process that started it, however that ends.

#![allow(dead_code, reason = "each of those that include it needs a part")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The ports in the names of the sockets.
const PORT: u16 = 5432;
const BOUNCER_PORT: u16 = 6432;

/// Waits for its stdin to end, then ends the server that it started and removes what it is told to.
const GUARD: &str = r#"remove=$1; shift; "$@" & server=$!; cat >/dev/null; kill -INT "$server" 2>/dev/null
wait "$server"; [ -z "$remove" ] || rm -rf "$remove""#;

/// Makes an authority and a certificate by it, for 127.0.0.1 and localhost.
const CERTIFICATES: &str = r#"
umask 077
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Test authority" -keyout authority.key -out authority.pem
openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > extensions
openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 3650 -extfile extensions \
    -out server.pem
chmod 644 authority.pem"#;

/// A running server, with an empty database `postgres` and a user `postgres` who needs no password.
#[derive(Debug)]
pub(crate) struct Server {
    directory: tempfile::TempDir,
    programs: PathBuf,
    running: Option<Running>,
    bouncer: Option<Running>,
    /// Whether nobody drops it, so that its guard has to clear up.
    is_for_good: bool,
    port: u16,
    /// Further settings, each `name=value`.
    settings: Vec<String>,
}

#[derive(Debug)]
struct Running {
    guard: Child,
    /// Ends the server when it closes.
    _stdin: ChildStdin,
}

impl Server {
    /// Starts a server that lasts as long as this process does, with a pool before it where PgBouncer is installed.
    pub(crate) fn start_for_good() -> Option<Self> {
        let mut server = Self::start_as(true)?;
        server.start_bouncer();
        Some(server)
    }

    /// Starts a server; `None`, said loudly, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_as(false)
    }

    /// Starts a server with a pool before it; `None`, said loudly, where one of the two is not installed.
    pub(crate) fn start_pooled() -> Option<Self> {
        let mut server = Self::start()?;
        server.start_bouncer();
        server.bouncer.is_some().then_some(server)
    }

    /// Starts one that also takes encrypted connections over TCP, from whoever has a password: user `sales`, password
    /// `s3cret-word`. Its certificate is for 127.0.0.1 and localhost, by the authority in [`Server::authority`].
    pub(crate) fn start_encrypted() -> Option<Self> {
        let mut server = Self::prepared(false)?;
        let directory = server.directory.path().to_owned();
        let made = server.as_user(Path::new("/bin/sh")).args(["-euc", CERTIFICATES]).output().unwrap();
        if !made.status.success() {
            skipped("no certificates can be made (apt-get install openssl)");
            return None;
        }
        fs::write(directory.join("hba"), "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n").unwrap();
        // A port that is free now; nobody else binds it in between but by chance.
        server.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let of = |name: &str| directory.join(name).display().to_string();
        server.settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", of("server.pem")),
            format!("ssl_key_file={}", of("server.key")),
            format!("hba_file={}", of("hba")),
        ];
        server.resume();
        server.sql("CREATE ROLE sales LOGIN PASSWORD 's3cret-word'; GRANT ALL ON SCHEMA public TO sales");
        Some(server)
    }

    /// The certificate of whoever has signed that of an encrypted server, as a file.
    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn start_as(is_for_good: bool) -> Option<Self> {
        let mut server = Self::prepared(is_for_good)?;
        server.resume();
        Some(server)
    }

    /// Makes a server that does not run yet.
    fn prepared(is_for_good: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            skipped("PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let directory = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        let settings = vec!["listen_addresses=".to_owned()];
        let server = Self { directory, programs, running: None, bouncer: None, is_for_good, port: PORT, settings };
        server.give_away();
        let data = server.data();
        let mut initdb = server.as_user(&server.programs.join("initdb"));
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        let output = initdb.arg(&data).output().unwrap();
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        Some(server)
    }

    /// Returns the URL of a state in the server's one database.
    pub(crate) fn url(&self, state: &str) -> String {
        url(self.directory.path(), self.port, state)
    }

    /// Returns the URL of the same state over a pool that hands connections out by transaction, where there is one.
    pub(crate) fn pooled_url(&self, state: &str) -> Option<String> {
        self.bouncer.as_ref().map(|_| url(self.directory.path(), BOUNCER_PORT, state))
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join(format!(".s.PGSQL.{}", self.port))
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
        let mut postgres = vec![self.programs.join("postgres").into_os_string()];
        postgres.extend(["-D".into(), self.data().into(), "-k".into(), self.directory.path().into()]);
        let port = format!("port={}", self.port);
        // What the process has handed to the system survives the process, whether it is on the disk or not.
        let settings = [&port, "max_connections=200", "shared_buffers=32MB", "fsync=off"].into_iter();
        let settings = settings.chain(self.settings.iter().map(String::as_str));
        postgres.extend(settings.flat_map(|setting| ["-c".into(), setting.into()]));
        let remove = if self.is_for_good { self.directory.path() } else { Path::new("") };
        self.running = Some(self.guarded(remove, &postgres));
        self.await_answers(self.port);
    }

    fn start_bouncer(&mut self) {
        let program = Path::new("/usr/sbin/pgbouncer");
        if !program.exists() {
            return skipped("PgBouncer is not installed (apt-get install pgbouncer)");
        }
        let directory = self.directory.path().display();
        let settings = format!(
            "[databases]\npostgres = host={directory} port={PORT}\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {directory}\n\
             listen_port = {BOUNCER_PORT}\npool_mode = transaction\nauth_type = trust\nauth_file = {directory}/users\n\
             default_pool_size = 10\nmax_client_conn = 500\nserver_login_retry = 1\n"
        );
        fs::write(self.directory.path().join("bouncer.ini"), settings).unwrap();
        fs::write(self.directory.path().join("users"), "\"postgres\" \"\"\n").unwrap();
        let command = [program.into(), "-q".into(), self.directory.path().join("bouncer.ini").into_os_string()];
        self.bouncer = Some(self.guarded(Path::new(""), &command));
        self.await_answers(BOUNCER_PORT);
    }

    /// Starts a program that ends with this process.
    fn guarded(&self, remove: &Path, program: &[std::ffi::OsString]) -> Running {
        let mut command = self.as_user(Path::new("/bin/sh"));
        command.args(["-c", GUARD, "sh"]).arg(remove).args(program);
        let log = fs::File::options().create(true).append(true).open(self.directory.path().join("log")).unwrap();
        let mut guard = command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Running { _stdin: guard.stdin.take().unwrap(), guard }
    }

    /// Runs SQL with `psql`; returns what it prints.
    pub(crate) fn sql(&self, text: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"]);
        psql.arg(self.directory.path()).args(["-p", &self.port.to_string()]);
        let output = psql.args(["-c", text]).output().unwrap();
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
    fn await_answers(&mut self, port: u16) {
        loop {
            let mut ready = Command::new(self.programs.join("pg_isready"));
            ready.args(["-q", "-t", "10", "-d", "postgres", "-U", "postgres", "-p", &port.to_string(), "-h"]);
            if ready.arg(self.directory.path()).status().unwrap().success() {
                return;
            }
            for running in [&mut self.running, &mut self.bouncer].into_iter().flatten() {
                let has_ended = running.guard.try_wait().unwrap().is_some();
                let log = || fs::read_to_string(self.directory.path().join("log")).unwrap();
                assert!(!has_ended, "{}", log());
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

fn url(directory: &Path, port: u16, state: &str) -> String {
    let socket = directory.display().to_string().replace('/', "%2F");
    format!("postgres://postgres@{socket}:{port}/postgres?state={state}")
}

/// Says that less is proven, past the capture of tests.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
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
