//! Files that output must not take the place of: what a command reads or also writes, contact files, and what we keep.
//!
//! Looks only; opens nothing.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};

use super::stream::is_stream;
use crate::private_dir::HOME;
use crate::settings::{Environment, SettingsFile, credential_files};
use crate::source::{Diagnostic, is_yaml};
use crate::ui::words::output_file::{self, ANOTHER_ARGUMENT, Spares};

/// The arguments that empty the file they name, by their long flags.
const EMPTYING: &[&str] = &["json-into", "rejects"];

/// What the command line names.
#[derive(Debug, Default)]
pub(super) struct Spared {
    /// Each path with the argument that names it, such as `--out`.
    named: Vec<(String, PathBuf)>,
    /// What every command reads.
    read: Vec<PathBuf>,
    /// Whether the whole line was understood. If not, the contact files may be anywhere.
    is_understood: bool,
    /// Whether `--out` names a file, which is replaced.
    out_is_file: bool,
    /// Paths are relative to it.
    here: PathBuf,
}

impl Spared {
    /// Looks at what was understood of a command line, and at `words` where not all of it was.
    pub(super) fn new(command: &Command, matches: &ArgMatches, words: &[OsString], environment: &Environment) -> Self {
        let mut spared =
            Self { here: environment.directory.clone(), is_understood: words.is_empty(), ..Self::default() };
        spared.add(command, matches);
        spared.out_is_file = matches.subcommand_name() == Some("plan");
        spared.read.push(SettingsFile::path(&spared.here));
        spared.read.extend(credential_files(environment));
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            let flag = word.to_str().and_then(|word| word.strip_prefix("--"));
            let (flag, value) = flag.map_or((None, word.to_str()), |flag| match flag.split_once('=') {
                Some((flag, value)) => (Some(flag), Some(value)),
                None => (Some(flag), None),
            });
            if flag.is_some_and(|flag| EMPTYING.contains(&flag)) {
                // Its own value is no other file.
                _ = if value.is_none() { words.next() } else { None };
            } else if let Some(value) = value {
                spared.named.push((ANOTHER_ARGUMENT.to_owned(), value.into()));
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

    /// Says why a file that the command line names for output must not be written over; `None` when each may be.
    ///
    /// That of `--json-into` is asked about where it is opened, before anything is said.
    pub(super) fn refuses_any(&self) -> Option<Diagnostic> {
        let is_output = |name: &str| name == "--rejects" || (name == "--out" && self.out_is_file);
        let mut outputs = self.named.iter().filter(|(name, path)| is_output(name) && !is_stream(path));
        outputs.find_map(|(name, path)| self.refuses(name, path))
    }

    /// Says why `path`, which `flag` names, must not be written over; `None` when it may be.
    pub(super) fn refuses(&self, flag: &str, path: &Path) -> Option<Diagnostic> {
        let target = self.here.join(path);
        let is_same = |other: &Path| same_file(&target, &self.here.join(other));
        let refused = |spares: Spares<'_>| Some(output_file::spared(flag, path, &spares));
        if self.read.iter().any(|read| is_same(read)) {
            return refused(Spares::Settings);
        }
        if is_in_a_home(&target) {
            return refused(Spares::State);
        }
        if is_stdin(&target) {
            return refused(Spares::Named("stdin"));
        }
        let is_contact_file = path.file_name().is_some_and(is_yaml);
        for (name, other) in self.named.iter().filter(|(name, other)| name != flag && !is_stream(other)) {
            if is_same(other) {
                return refused(Spares::Named(name));
            }
            let directory = self.here.join(other);
            // A state is somewhere else where a person says so, and so are the contacts of the sandbox.
            if ["--state", "--data"].contains(&&**name) && is_below(&target, &directory) {
                return refused(Spares::State);
            }
            // Where a plan is saved is said by `plan` itself. Links that lead elsewhere stand in the other directories.
            let is_read = |directory: &Path| name != "--follow-within" && is_read_in(&target, directory);
            let is_among = is_contact_file && is_below(&target, &directory);
            if flag != "--out" && (is_among || is_read(&directory)) {
                return refused(Spares::ContactFiles(other));
            }
        }
        (!self.is_understood && is_contact_file && target.exists())
            .then(|| output_file::spared(flag, path, &Spares::Unknown))
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

fn is_stdin(file: &Path) -> bool {
    let Ok(stdin) = rustix::fs::fstat(std::io::stdin()) else { return false };
    file.metadata().is_ok_and(|file| file.is_file() && (file.dev(), file.ino()) == (stdin.st_dev, stdin.st_ino))
}

/// Reports whether a file is, or would be, in a directory or one below it, however both are spelled; `None` where that is not
/// there.
pub(super) fn stands_below(file: &Path, directory: &Path) -> Option<bool> {
    let directory = directory.canonicalize().ok()?;
    let above = file.parent().and_then(|above| above.canonicalize().ok());
    Some(above.is_some_and(|above| above.starts_with(directory)))
}

/// The same of a directory that may not be there yet.
fn is_below(file: &Path, directory: &Path) -> bool {
    stands_below(file, directory).unwrap_or_else(|| plain(file).starts_with(plain(directory)))
}

/// Takes away what a path says for nothing.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// How many files are looked at, at most: a word that is typed by mistake may name any directory.
const MOST_SEEN: usize = 1_000_000;

/// Reports whether a file that is there is read for contacts by another name below a directory: by a link, or as one file
/// with two names.
fn is_read_in(file: &Path, directory: &Path) -> bool {
    let Ok(file) = file.metadata().map(|found| (found.is_file(), found.dev(), found.ino())) else { return false };
    let (mut left, mut seen) = (vec![directory.to_owned()], 0);
    while let Some(directory) = left.pop().filter(|_| file.0 && seen < MOST_SEEN) {
        for entry in directory.read_dir().into_iter().flatten().flatten() {
            seen += 1;
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                left.push(path);
            } else if is_yaml(&entry.file_name())
                && path.metadata().is_ok_and(|found| (found.is_file(), found.dev(), found.ino()) == file)
            {
                return true;
            }
        }
    }
    false
}

/// Reports whether a file is in a directory that contactsd keeps for itself, beside whatever contact files.
fn is_in_a_home(file: &Path) -> bool {
    place(file).is_some_and(|file| file.components().any(|part| part.as_os_str() == HOME))
}

/// Returns where a file is that may not be there yet; `None` where its directory is not there either.
fn place(file: &Path) -> Option<PathBuf> {
    Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?))
}
