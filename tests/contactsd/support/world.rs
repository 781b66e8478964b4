//! A directory of its own, in which the program runs with nothing else around it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tempfile::TempDir;

use super::outcome::{Names, Outcome};
use super::preload;
use super::remote::Remote;
use super::running::Running;

/// The credential that the program is given when it is to have one.
pub(crate) const KEY: &str = "test-key-3f9c1";

/// A working directory, an environment, and options that every command gets.
pub(crate) struct World {
    directory: TempDir,
    environment: Vec<(String, String)>,
    options: Vec<String>,
    names: Names,
}

impl World {
    /// Makes a world with nothing in it: no files, no terminal, no credential.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home").display().to_string();
        let environment = [("PATH", "/usr/bin:/bin"), ("HOME", &home), ("TZ", "UTC"), ("USER", "ada")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { directory, environment, options: Vec::new(), names: Names::default() }
    }

    /// Makes a world with one contact file, `contacts.d/team.yaml`.
    pub(crate) fn with(text: &str) -> Self {
        let world = Self::new();
        world.write("contacts.d/team.yaml", text);
        world
    }

    /// Lets every command work against `remote`, with a credential and without waiting to settle.
    pub(crate) fn against(mut self, remote: &Remote) -> Self {
        self.options = vec!["--api-url".to_owned(), remote.url()];
        self.set("APOLLO_API_KEY", KEY);
        self.set("CONTACTSD_SETTLE_AFTER", "0s");
        self
    }

    /// Lets every command send each contact by a request of its own: for tests of what becomes of one request.
    pub(crate) fn one_by_one(mut self) -> Self {
        self.set("CONTACTSD_BATCH", "1");
        self
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces the one occurrence of `from` in a file.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(path)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {path}:\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// Replaces the whole of the one contact file.
    pub(crate) fn team(&self, text: &str) {
        self.write("contacts.d/team.yaml", text);
    }

    pub(crate) fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Sets a variable of the environment from here on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.retain(|(set, _)| set != name);
    }

    /// Runs a command to its end; the words of `line` are its arguments.
    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.ended(&mut self.command(line))
    }

    /// Runs a command of words that may be empty, without the options that every other gets.
    pub(crate) fn run_words<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_contactsd"));
        command.args(words).current_dir(self.directory.path()).env_clear().stdin(Stdio::null());
        self.ended(command.envs(self.environment.iter().map(|(name, value)| (name, value))))
    }

    /// Starts a command on a terminal of so many columns, and returns the person's end of it.
    pub(crate) fn start_on_terminal(&self, line: &str, columns: u16) -> (Child, File) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let terminal = ptsname(&person, Vec::new()).unwrap();
        let terminal = rustix::fs::open(terminal, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).unwrap();
        let mut command = self.command(line);
        command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap()).stderr(terminal);
        (command.spawn().unwrap(), File::from(person))
    }

    /// Runs a command in a directory of the world.
    pub(crate) fn run_in(&self, directory: &str, line: &str) -> Outcome {
        self.ended(self.command(line).current_dir(self.path(directory)))
    }

    /// Runs a command whose stdout goes to a file that is there.
    pub(crate) fn run_into(&self, file: &str, line: &str) -> Outcome {
        let file = File::options().write(true).open(file).unwrap();
        self.ended(self.command(line).stdout(file))
    }

    /// Runs a script in bash as pipelines do, with more variables in its environment.
    pub(crate) fn run_script(&self, script: &str, variables: &BTreeMap<String, String>) -> Outcome {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).current_dir(self.directory.path()).stdin(Stdio::null());
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value))).envs(variables);
        self.ended(&mut command)
    }

    /// Runs a command that reads `input` from stdin.
    pub(crate) fn run_with_input(&self, line: &str, input: &str) -> Outcome {
        let mut child =
            self.command(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that does not read all of it leaves a broken pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        self.outcome(text(output.stdout), text(output.stderr), output.status.code())
    }

    fn ended(&self, command: &mut Command) -> Outcome {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        self.outcome(text(output.stdout), text(output.stderr), output.status.code())
    }

    /// Runs a command whose stdout is a terminal.
    pub(crate) fn run_on_terminal(&self, line: &str) -> Outcome {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let terminal = ptsname(&person, Vec::new()).unwrap();
        let terminal = rustix::fs::open(terminal, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut child = self.command(line).stdout(terminal).stderr(Stdio::piped()).spawn().unwrap();
        let mut shown = Vec::new();
        // Ends with an error when the last one that could write has gone.
        let _ = File::from(person).read_to_end(&mut shown);
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let shown = String::from_utf8(shown).expect("the program writes UTF-8").replace("\r\n", "\n");
        let plain = anstream::adapter::strip_str(&shown).to_string();
        self.outcome(plain, errors, child.wait().unwrap().code())
    }

    /// Runs a command whose stdin is a terminal at which `typed` was typed already.
    pub(crate) fn run_at_terminal(&self, line: &str, typed: &str) -> Outcome {
        self.run_in_at_terminal("", line, typed)
    }

    /// The same in a directory of the world.
    pub(crate) fn run_in_at_terminal(&self, directory: &str, line: &str, typed: &str) -> Outcome {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let terminal = ptsname(&person, Vec::new()).unwrap();
        // Never the terminal that controls the tests themselves: its end would end them.
        let terminal = rustix::fs::open(terminal, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut person = File::from(person);
        person.write_all(typed.as_bytes()).unwrap();
        self.ended(self.command(line).current_dir(self.path(directory)).stdin(terminal))
    }

    /// Runs a command whose stderr is the journal's, as far as systemd lets a program know.
    pub(crate) fn run_in_journal(&self, line: &str) -> Outcome {
        let errors = self.path("stderr-in-the-journal");
        let stderr = File::create(&errors).unwrap();
        let stream = rustix::fs::fstat(&stderr).unwrap();
        let mut command = self.command(line);
        command.env("JOURNAL_STREAM", format!("{}:{}", stream.st_dev, stream.st_ino)).stderr(stderr);
        let output = command.output().unwrap();
        let stdout = String::from_utf8(output.stdout).expect("the program writes UTF-8");
        self.outcome(stdout, fs::read_to_string(errors).unwrap(), output.status.code())
    }

    /// Runs a command of which the `number`th call of the system, one of `calls` on `file`, does `fault` instead
    /// (`error=EIO`, `signal=KILL`). `None` when it makes fewer of them; then it ran as it always does.
    pub(crate) fn run_with_fault(
        &self,
        line: &str,
        file: &Path,
        calls: &str,
        fault: &str,
        number: u32,
    ) -> Option<Outcome> {
        let trace = self.path("trace-of-a-command");
        let program = self.command(line);
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o"]).arg(&trace).arg("-P").arg(file);
        command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{fault}:when={number}")]);
        command.arg(program.get_program()).args(program.get_args()).current_dir(self.directory.path());
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        let outcome = self.ended(&mut command);
        let trace = fs::read_to_string(trace).unwrap();
        // The signal is noted by the call that it came with.
        (trace.contains("(INJECTED)") || trace.contains("killed by SIGKILL")).then_some(outcome)
    }

    /// Lets every command from here on load the library of `preload.c`, which reads the variables that it names; reports
    /// whether that can be.
    #[must_use]
    pub(crate) fn preloads(&mut self) -> bool {
        static LIBRARY: LazyLock<Option<PathBuf>> =
            LazyLock::new(|| preload::beside(Path::new(env!("CARGO_BIN_EXE_contactsd"))));
        let Some(library) = &*LIBRARY else { return false };
        self.set("LD_PRELOAD", &library.display().to_string());
        true
    }

    /// Applies without asking.
    pub(crate) fn apply(&self) -> Outcome {
        self.run("apply --auto-approve")
    }

    /// Applies, and expects everything to be done.
    #[track_caller]
    pub(crate) fn applied(&self) -> Outcome {
        let outcome = self.apply();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome
    }

    /// Starts a command and leaves it running.
    pub(crate) fn start(&self, line: &str) -> Running<'_> {
        let errors = self.path("stderr-of-a-running-command");
        let stderr = File::create(&errors).unwrap();
        let child = self.command(line).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        Running::new(self, child, errors)
    }

    /// Starts a command whose stderr leads elsewhere.
    pub(crate) fn start_into(&self, line: &str, stderr: impl Into<Stdio>) -> Running<'_> {
        let errors = self.path("stderr-leads-elsewhere");
        File::create(&errors).unwrap();
        let child = self.command(line).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        Running::new(self, child, errors)
    }

    /// Starts a command as the first process of a container; says why not where that cannot be had.
    pub(crate) fn start_first(&self, line: &str) -> Result<Running<'_>, String> {
        const FLAGS: [&str; 3] = ["-rpf", "--kill-child", "--"];
        let tried = Command::new("unshare").args(FLAGS).arg("true").output();
        let tried = tried.map_err(|error| format!("unshare cannot be run: {error}"))?;
        if !tried.status.success() {
            return Err(String::from_utf8_lossy(&tried.stderr).trim().to_owned());
        }
        let inner = self.command(line);
        let mut command = Command::new("unshare");
        command.args(FLAGS).arg(inner.get_program()).args(inner.get_args()).current_dir(self.directory.path());
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        let errors = self.path("stderr-of-the-first-process");
        let child = command.stdout(Stdio::piped()).stderr(File::create(&errors).unwrap()).spawn().unwrap();
        Ok(Running::new(self, child, errors))
    }

    pub(crate) fn outcome(&self, stdout: String, stderr: String, code: Option<i32>) -> Outcome {
        Outcome::new(stdout, stderr, code, self.names.clone(), self.directory.path())
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_contactsd"));
        command.args(line.split_whitespace()).args(&self.options).current_dir(self.directory.path());
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }
}
