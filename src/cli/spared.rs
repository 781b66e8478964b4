//! Files that output must not take the place of: what a command reads or also writes, contact files, and what we keep.
//!
//! Looks only; opens nothing.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};

use super::stream::is_stream;
use crate::settings::{Environment, Locations, SettingsFile, credential_files};
use crate::source::{Diagnostic, is_yaml};
use crate::state::Location;
use crate::ui::words::output_file::{self, ANOTHER_ARGUMENT, Spares};

/// The arguments that empty the file they name, by their long flags.
const EMPTYING: &[&str] = &["json-into", "rejects"];

/// What the command line names.
#[derive(Debug, Default)]
pub(super) struct Spared {
    /// Each path with the argument that names it, such as `--out`.
    named: Vec<(String, PathBuf)>,
    /// Where contactsd keeps states.
    own: Vec<PathBuf>,
    /// What every command reads.
    read: Vec<PathBuf>,
    /// Paths are relative to it.
    here: PathBuf,
}

impl Spared {
    /// Looks at what was understood of a command line, and at `words` where not all of it was.
    pub(super) fn new(command: &Command, matches: &ArgMatches, words: &[OsString], environment: &Environment) -> Self {
        let mut spared = Self { here: environment.directory.clone(), ..Self::default() };
        spared.add(command, matches);
        let path = |flag: &str| spared.named.iter().find(|(name, _)| name == flag).map(|(_, path)| path.as_path());
        let dir = path("--dir").unwrap_or(Path::new("contacts.d"));
        for sandbox in [false, true] {
            let locations = Locations::new(dir, path("--state"), sandbox, &spared.here);
            if let Location::Directory(state) = locations.state {
                spared.own.push(state);
            }
            spared.own.push(locations.sandbox_data);
        }
        spared.read.push(SettingsFile::path(&spared.here));
        spared.read.extend(credential_files(environment));
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            let flag = word.to_str().and_then(|word| word.strip_prefix("--"));
            if flag.is_some_and(|flag| EMPTYING.contains(&flag)) {
                words.next();
            } else if flag.is_none() {
                spared.named.push((ANOTHER_ARGUMENT.to_owned(), word.into()));
            }
        }
        spared
    }

    /// Returns the directory that paths are relative to.
    pub(super) fn here(&self) -> &Path {
        &self.here
    }

    fn add(&mut self, command: &Command, matches: &ArgMatches) {
        for arg in command.get_arguments() {
            let name = arg.get_long().map_or_else(|| ANOTHER_ARGUMENT.to_owned(), |long| format!("--{long}"));
            let paths = matches.try_get_many::<PathBuf>(arg.get_id().as_str()).ok().flatten();
            self.named.extend(paths.into_iter().flatten().map(|path| (name.clone(), path.clone())));
        }
        if let Some((verb, matches)) = matches.subcommand()
            && let Some(command) = command.find_subcommand(verb)
        {
            self.add(command, matches);
        }
    }

    /// Says why a file that the command line names for output must not be emptied; `None` when each may be.
    pub(super) fn refuses_any(&self) -> Option<Diagnostic> {
        let mut emptied = self.named.iter().filter(|(name, _)| EMPTYING.contains(&name.trim_start_matches('-')));
        emptied.find_map(|(name, path)| self.refuses(name, path))
    }

    /// Says why `path`, which `flag` names, must not be emptied; `None` when it may be.
    pub(super) fn refuses(&self, flag: &str, path: &Path) -> Option<Diagnostic> {
        let target = self.here.join(path);
        let is_same = |other: &Path| same_file(&target, &self.here.join(other));
        let is_inside = |directory: &Path| is_below(&target, &self.here.join(directory));
        let is_contact_file = path.file_name().is_some_and(is_yaml);
        let others = self.named.iter().filter(|(name, other)| name != flag && !is_stream(other));
        let by_another = |(name, other): &'_ (String, PathBuf)| match () {
            () if is_same(other) => Some(output_file::spared(flag, path, &Spares::Named(name))),
            () if is_contact_file && is_inside(other) => {
                Some(output_file::spared(flag, path, &Spares::ContactFiles(other)))
            }
            () => None,
        };
        match () {
            () if self.read.iter().any(|read| is_same(read)) => {
                Some(output_file::spared(flag, path, &Spares::Settings))
            }
            () if self.own.iter().any(|own| is_inside(own)) => Some(output_file::spared(flag, path, &Spares::State)),
            () => others.into_iter().find_map(by_another),
        }
    }
}

/// Reports whether two paths name one regular file, or would, however they are spelled.
fn same_file(one: &Path, other: &Path) -> bool {
    let found = |path: &Path| path.metadata().ok();
    match (found(one), found(other)) {
        (Some(one), Some(other)) => one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino()),
        (None, None) => place(one).zip(place(other)).is_some_and(|(one, other)| one == other),
        _ => false,
    }
}

fn is_below(file: &Path, directory: &Path) -> bool {
    place(file).zip(directory.canonicalize().ok()).is_some_and(|(file, directory)| file.starts_with(directory))
}

/// Returns where a file is that may not be there yet; `None` where its directory is not there either.
fn place(file: &Path) -> Option<PathBuf> {
    Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?))
}
