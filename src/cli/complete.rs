//! Completions of keys, plans and codes, for a shell that sets the variable `COMPLETE`.
//!
//! Never prints an error: the shell would offer it as a word. Files that cannot be read give no words.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use clap::{Arg, ArgGroup, Command, CommandFactory};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter};
use clap_complete::env::{EnvCompleter, Shells};

use super::Exit;
use super::help;
use super::parse::{self, Places};
use super::verbs::Cli;
use crate::ops::{self, Want};
use crate::settings::Environment;
use crate::source::{self, Code};
use crate::ui::{ColorEnvironment, Shell, Verbosity};

/// Names the shell that asks, as programs made with clap agree on.
const VARIABLE: &str = "COMPLETE";

/// How long another process may take to tell about a state that it has open; a person is waiting for a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers a shell: with the script that makes it ask, or with the words for what is typed. `None` when none asks.
pub(super) fn answer(arguments: &[OsString], environment: &Environment) -> Option<Exit> {
    let name = Path::new(environment.get(VARIABLE)?).file_stem()?.to_str()?;
    let shells = Shells::builtins();
    let asking = shells.completer(name)?;
    let mut out = Vec::new();
    let answered = match arguments {
        [program] => {
            let program = environment.directory.join(program).to_string_lossy().into_owned();
            // What was found by its name in PATH is found again.
            let program =
                if Path::new(&arguments[0]).components().count() > 1 { program } else { "contactsd".to_owned() };
            asking.write_registration(VARIABLE, "contactsd", "contactsd", &program, &mut out)
        }
        [_, dashes, line @ ..] if dashes == "--" => words(asking, line, environment, &mut out),
        // A command like any other; the variable is meant for another program.
        _ => return None,
    };
    let mut shell = Shell::of_process(None, &ColorEnvironment::default(), Verbosity::Normal);
    // Who reads no more has all the words he wants, and of words that are not there nothing is said.
    let told = answered.and_then(|()| std::io::Write::write_all(&mut shell.bytes(), &out));
    Some(if told.and_then(|()| shell.finish()).is_ok() { Exit::Success } else { Exit::Failure })
}

fn words(
    asking: &dyn EnvCompleter,
    line: &[OsString],
    environment: &Environment,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let typed = line.split_last().map_or(line, |(_, before)| before);
    let places = parse::places(typed, environment);
    let mut command = with_words(visible(&help::added_to(Cli::command()), &[]), "", &places);
    asking.write_complete(&mut command, line.to_vec(), Some(&environment.directory), out)
}

/// Returns a command line without what its help leaves out, for completions.
pub(super) fn visible(command: &Command, inherited: &[Arg]) -> Command {
    let own = || command.get_arguments();
    let from_above = inherited.iter().filter(|above| own().all(|arg| arg.get_id() != above.get_id()));
    let all: Vec<Arg> = own().chain(from_above).cloned().map(|arg| arg.global(false)).collect();
    let of_every_verb: Vec<Arg> = own().filter(|arg| arg.is_global_set()).chain(inherited).cloned().collect();
    let (hidden, shown): (Vec<Arg>, Vec<Arg>) = all.into_iter().partition(Arg::is_hide_set);
    let mut shorter = Command::new(command.get_name().to_owned());
    if let Some(version) = command.get_version() {
        shorter = shorter.version(version.to_owned());
    }
    shorter
        .about(command.get_about().cloned().unwrap_or_default())
        .args(shown)
        // Others may say that they exclude them; a group of that name need not hold anything.
        .groups(hidden.iter().map(|arg| ArgGroup::new(arg.get_id().clone())))
        .subcommands(command.get_subcommands().map(|verb| visible(verb, &of_every_verb)))
}

/// Adds to every argument that takes a key, a code or a plan the words that there are.
fn with_words(command: Command, path: &str, places: &Places) -> Command {
    let command = command.mut_args(|arg| match (path, arg.get_id().as_str()) {
        (_, "recreate") | ("state", "key" | "keys" | "from") => arg.add(keys(places, keys_of_state)),
        (_, "target" | "exclude" | "create" | "key") => arg.add(keys(places, keys_of_files)),
        (_, "code") => arg.add(ArgValueCompleter::new(codes)),
        ("apply" | "show", "file") => {
            arg.add(ArgValueCompleter::new(PathCompleter::any().filter(ops::is_plan).stdio()))
        }
        _ => arg,
    });
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        // What is below `state` is about what the state holds.
        let path = if path.is_empty() { name.clone() } else { path.to_owned() };
        command.mut_subcommand(name, |verb| with_words(verb, &path, places))
    })
}

/// Completes a key, with or without "contact." in front.
fn keys(places: &Places, read: fn(&Places) -> Vec<String>) -> ArgValueCompleter {
    let places = places.clone();
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let (prefix, begin) = typed.split_at(if typed.starts_with("contact.") { "contact.".len() } else { 0 });
        let keys = read(&places).into_iter().filter(|key| key.starts_with(begin));
        keys.map(|key| CompletionCandidate::new(format!("{prefix}{key}"))).collect()
    })
}

/// Lists the keys of all contact files that can be read, also of those that hold mistakes.
fn keys_of_files(places: &Places) -> Vec<String> {
    let options = source::Options { bounds: &places.bounds, ..source::Options::plain() };
    let Ok((loaded, _)) = source::load(&places.contacts, &options) else { return Vec::new() };
    let mut keys: Vec<String> =
        loaded.files.iter().flat_map(|file| file.sheet.lines()).map(|(_, key, _)| key.to_owned()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Lists the keys that have a contact in the state.
fn keys_of_state(places: &Places) -> Vec<String> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    match runtime.block_on(ops::read(&places.state, Want::Everything, PATIENCE)) {
        Ok(Some(reading)) => reading.snapshot.bindings.into_keys().map(|key| key.to_string()).collect(),
        Ok(None) | Err(_) => Vec::new(),
    }
}

fn codes(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_ascii_uppercase();
    let codes = Code::ALL.iter().filter(|code| code.as_str().starts_with(&typed));
    codes.map(|code| CompletionCandidate::new(code.as_str()).help(Some(code.title().into()))).collect()
}
