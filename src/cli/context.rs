//! What every verb works with.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::Exit;
use super::args::Global;
use crate::settings::{Environment, Locations};
use crate::ui::Shell;

/// What the sandbox of a directory is called where other APIs have their origin.
pub(super) const SANDBOX_ORIGIN: &str = "sandbox";

/// The shell, the environment and the places of one invocation.
pub(super) struct Context {
    pub(super) shell: Shell,
    pub(super) environment: Environment,
    pub(super) locations: Locations,
    pub(super) sandbox: bool,
    pub(super) api_url: url::Url,
    /// How long a verb that only reads waits for the state.
    pub(super) answer_timeout: Duration,
    /// The flags that a hint repeats so that it works as shown.
    typed: String,
}

impl Context {
    pub(super) fn new(shell: Shell, environment: Environment, global: &Global) -> Self {
        let locations = Locations::new(&global.dir, global.state.as_deref(), global.sandbox, &environment.directory);
        let mut typed = Vec::new();
        if global.dir != Path::new("contacts.d") {
            typed.push(format!(" --dir {}", global.dir.display()));
        }
        if let Some(state) = &global.state {
            typed.push(format!(" --state {}", state.display()));
        }
        if global.sandbox {
            typed.push(" --sandbox".to_owned());
        }
        let typed = typed.concat();
        let Global { sandbox, answer_timeout, .. } = *global;
        Self { shell, environment, locations, sandbox, api_url: global.api_url.clone(), answer_timeout, typed }
    }

    /// Returns a command as this user would type it.
    pub(super) fn command(&self, verb: &str) -> String {
        format!("contactsd {verb}{}", self.typed)
    }

    /// Names the API whose contacts a state holds.
    pub(super) fn origin(&self) -> String {
        if self.sandbox { SANDBOX_ORIGIN.to_owned() } else { self.api_url.origin().ascii_serialization() }
    }

    /// Ends the invocation; output that could not be written makes it a failure, unless nobody reads on.
    pub(super) fn finish(mut self, exit: Exit) -> Exit {
        let exit = match self.shell.finish_file() {
            Ok(()) => exit,
            Err(error) => {
                self.shell.error("Cannot write all records to the file of --json-into", error.to_string());
                Exit::Failure
            }
        };
        match self.shell.finish() {
            Ok(()) => exit,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => exit,
            Err(error) => {
                self.shell.error("Cannot write to stdout", error.to_string());
                Exit::Failure
            }
        }
    }
}
