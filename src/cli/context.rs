//! What every verb needs: the shell, the environment, and the places of files and state.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::Exit;
use super::args::Global;
use super::view::View;
use crate::apollo::PRODUCTION_URL;
use crate::beneath::{Bounds, Root};
use crate::settings::{Environment, Locations, OwnDir, is_at_home, keep_from_git};
use crate::shell_word::{repeat, shell_word};
use crate::source::Diagnostic;
use crate::state::Location;
use crate::store;
use crate::ui::Shell;
use crate::ui::words::system::{Asked, cannot, cannot_open, git_may_take_it};

/// What the sandbox of a directory is called where other APIs have their origin.
pub(super) const SANDBOX_ORIGIN: &str = "sandbox";

/// The shell, the environment and the places of one invocation.
pub(super) struct Context {
    pub(super) shell: Shell,
    pub(super) environment: Environment,
    pub(super) locations: Locations,
    /// Where the contact directory and the links in it may lead.
    pub(super) bounds: Bounds,
    pub(super) sandbox: bool,
    pub(super) api_url: url::Url,
    /// How long a verb that only reads waits for the state.
    pub(super) answer_timeout: Duration,
    /// How plans are shown.
    pub(super) view: View,
    /// Whether it was said that the state belongs to somebody else.
    pub(super) told_owner: bool,
    /// What the contact files were found to hold.
    pub(super) found: Found,
}

/// What is known of the contact files, whatever comes after.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Found {
    pub(super) files: Option<usize>,
    /// `None` when not all files are valid.
    pub(super) contacts: Option<usize>,
}

impl Context {
    /// `dir_is_named` unless the contact directory is the usual one, or the one that `contactsd.toml` says. `database`
    /// has the state where `--state` names one.
    pub(super) fn new(
        shell: Shell,
        environment: Environment,
        global: &Global,
        dir_is_named: bool,
        database: Option<&Location>,
    ) -> Self {
        let named = global.state.as_deref().filter(|_| database.is_none());
        let locations = Locations::new(&global.dir, named, global.sandbox, &environment.directory);
        let locations = match database {
            Some(database) => locations.with_database(database.clone()),
            None => locations,
        };
        let mut typed = Vec::new();
        if global.dir != Path::new("contacts.d") {
            typed.push(format!(" --dir {}", shell_word(global.dir.display())));
        }
        for directory in &global.follow_within {
            typed.push(format!(" --follow-within {}", shell_word(directory.display())));
        }
        let from_environment = environment.get("CONTACTSD_STATE").map(Path::new) == global.state.as_deref();
        match (database, &global.state) {
            // It may hold the password there, and there it still is for whoever types the command.
            (Some(_), _) if from_environment => {}
            (Some(database), _) => typed.push(format!(" --state {}", shell_word(database))),
            (None, Some(state)) => typed.push(format!(" --state {}", shell_word(state.display()))),
            (None, None) => {}
        }
        if global.sandbox {
            typed.push(" --sandbox".to_owned());
        } else if global.api_url.as_str() != PRODUCTION_URL {
            typed.push(format!(" --api-url {}", shell_word(&global.api_url)));
        }
        repeat(typed.concat());
        // Where nobody named it, a repository must not make a link of it that leads anywhere.
        let root_within = (!dir_is_named).then(|| environment.directory.clone());
        let bounds = Bounds { root_within, follow_within: global.follow_within.clone() };
        let Global { sandbox, answer_timeout, .. } = *global;
        Self {
            shell,
            environment,
            locations,
            bounds,
            sandbox,
            api_url: global.api_url.clone(),
            answer_timeout,
            view: View::default(),
            found: Found::default(),
            told_owner: false,
        }
    }

    /// Tells an error; returns how the process ends by it.
    pub(super) fn fail(&mut self, message: &Diagnostic) -> Exit {
        self.shell.message(message);
        Exit::Failure
    }

    /// Opens a directory that contact files are written to.
    pub(super) fn open_root(&mut self, directory: &Path) -> Result<Root, Exit> {
        Root::open(directory, &self.bounds).map_err(|error| self.fail(&cannot_open(directory, &error)))
    }

    /// Sees to it that git passes over what is about to be written at `path`, unless a person chose the place.
    pub(super) fn keep_from_git(&mut self, path: &Path) {
        if !is_at_home(path) {
            return;
        }
        match keep_from_git() {
            Ok(()) => {}
            // Who opens the state says so, and nothing was written that git could take along.
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {}
            Err(error) => self.shell.message(&git_may_take_it(&error)),
        }
    }

    /// Returns the contact directory that the state belongs to, where it is at its default place.
    pub(super) fn own_dir(&self) -> Option<store::OwnDir> {
        let OwnDir { path, names_state } = self.locations.own_dir.clone()?;
        Some(store::OwnDir { path, takes_over: names_state })
    }

    /// Names the API whose contacts a state holds.
    pub(super) fn origin(&self) -> String {
        if self.sandbox { SANDBOX_ORIGIN.to_owned() } else { self.api_url.origin().ascii_serialization() }
    }

    /// Ends the invocation; output that could not be written makes it a failure, unless nobody reads on.
    pub(super) fn finish(mut self, exit: Exit) -> Exit {
        let exit = match self.shell.finish_file() {
            Ok(()) => exit,
            Err(error) => self.fail(&cannot(Asked::Records, &error)),
        };
        let exit = match self.shell.finish() {
            Ok(()) => exit,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => exit,
            Err(error) => self.fail(&cannot(Asked::Stdout, &error)),
        };
        self.shell.drain();
        exit
    }
}
