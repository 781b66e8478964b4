//! From typed words to [`Cli`]: flag beats environment beats `contactsd.toml` beats default.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::IsTerminal;

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use super::Exit;
use super::args::{Cli, ColorWhen};
use super::context::Context;
use crate::ops::chain;
use crate::settings::{Environment, SettingsFile};
use crate::ui::{ColorEnvironment, ColorFlag, Shell, Verbosity};

/// Variables of ours that are no flag's twin.
const OTHER_VARIABLES: &[&str] = &[
    "CONTACTSD_IN_AUTOMATION",
    "CONTACTSD_LOG",
    #[cfg(feature = "failpoints")]
    crate::failpoints::VARIABLE,
];

/// Reads the command line; `Err` when the process is to end now, everything said.
pub(super) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
) -> Result<(Cli, Context), Exit> {
    let known = long_flags(&Cli::command());
    let file = match SettingsFile::read(&environment.directory, &known.iter().cloned().collect::<Vec<_>>()) {
        Ok(file) => file,
        Err(error) => {
            let mut shell = Shell::of_process(None, &colors(&environment), Verbosity::Normal);
            let detail = "Settings in contactsd.toml have the names of the long options, without dashes in front.";
            shell.error(chain(&error), detail);
            return Err(Exit::Failure);
        }
    };
    let command = layered(Cli::command(), &environment, &file);
    let arguments = arguments.into_iter().map(|argument| with_two_dashes(argument, &known));
    let cli = command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = cli.map_err(|error| usage(&error, &environment, &file))?;
    let flag = match cli.global.color {
        _ if cli.global.no_color => Some(ColorFlag::Never),
        Some(ColorWhen::Always) => Some(ColorFlag::Always),
        Some(ColorWhen::Never) => Some(ColorFlag::Never),
        Some(ColorWhen::Auto) => Some(ColorFlag::Auto),
        None => None,
    };
    let verbosity = if cli.global.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let mut shell = Shell::of_process(flag, &colors(&environment), verbosity);
    let is_known = |name: &str| OTHER_VARIABLES.contains(&name) || known.iter().any(|flag| variable(flag) == name);
    for name in environment.unknown(is_known) {
        let nearest = known
            .iter()
            .map(|flag| variable(flag))
            .max_by(|one, other| strsim::jaro_winkler(one, name).total_cmp(&strsim::jaro_winkler(other, name)));
        let nearest = nearest.filter(|nearest| strsim::jaro_winkler(nearest, name) > 0.9);
        let guess = nearest.map(|nearest| format!(" Did you mean {nearest}?")).unwrap_or_default();
        shell.warning(format!("The variable {name} means nothing"), format!("It is set and has no effect.{guess}"));
    }
    let context = Context::new(shell, environment, &cli.global);
    Ok((cli, context))
}

/// Says what is wrong with the command line, or the help that was asked for.
fn usage(error: &clap::Error, environment: &Environment, file: &SettingsFile) -> Exit {
    // Help and the version go to stdout, mistakes to stderr; clap knows which.
    let printed = error.print();
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if let Some(flag) = invalid_flag(error) {
        let mut shell = Shell::of_process(None, &colors(environment), Verbosity::Normal);
        let twin = variable(&flag);
        if environment.get(&twin).is_some() {
            shell.hint(format!("{twin} is set in the environment; it counts where the option is not typed."));
        } else if file.get(&flag).is_some() {
            shell.hint(format!("{flag} is set in contactsd.toml; it counts where the option is not typed."));
        }
    }
    if asked_for && printed.is_ok() { Exit::Success } else { Exit::Failure }
}

fn colors(environment: &Environment) -> ColorEnvironment {
    let get = |name| environment.get(name).map(str::to_owned);
    ColorEnvironment {
        no_color: get("NO_COLOR"),
        contactsd_color: get("CONTACTSD_COLOR"),
        force_color: get("FORCE_COLOR"),
        clicolor_force: get("CLICOLOR_FORCE"),
    }
}

/// Returns the long flag whose value was not understood.
fn invalid_flag(error: &clap::Error) -> Option<String> {
    let is_value = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
    let shown = error.get(ContextKind::InvalidArg).filter(|_| is_value)?.to_string();
    Some(shown.strip_prefix("--")?.split([' ', '=']).next()?.to_owned())
}

/// Reports whether a person is at the other end of stdin.
pub(super) fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Returns the environment twin of a long flag.
fn variable(flag: &str) -> String {
    format!("CONTACTSD_{}", flag.to_uppercase().replace('-', "_"))
}

/// Gives every long flag its twin in the environment and its value from the file.
fn layered(command: Command, environment: &Environment, file: &SettingsFile) -> Command {
    let command = command.mut_args(|arg| layered_flag(arg, environment, file));
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |verb| layered(verb, environment, file)))
}

fn layered_flag(arg: Arg, environment: &Environment, file: &SettingsFile) -> Arg {
    let Some(flag) = arg.get_long().map(str::to_owned).filter(|flag| flag != "help") else { return arg };
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    let arg = if is_switch { arg.value_parser(BoolishValueParser::new()) } else { arg };
    let arg = match file.get(&flag) {
        Some(value) => arg.default_value(value.to_owned()),
        None => arg,
    };
    // Neither an empty variable nor a switch that is off is a thing that was said, which clap does not know.
    let is_off =
        |value: &&str| is_switch && ["0", "f", "false", "n", "no", "off"].contains(&value.to_lowercase().as_str());
    match environment.get(&variable(&flag)).filter(|value| !is_off(value)) {
        Some(_) => arg.env(variable(&flag)).hide_env(true),
        None => arg,
    }
}

fn long_flags(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|arg| arg.get_long()).map(str::to_owned);
    own.chain(command.get_subcommands().flat_map(long_flags)).collect()
}

/// Takes `-flag` for `--flag`, as Terraform's users type it.
fn with_two_dashes(argument: OsString, known: &BTreeSet<String>) -> OsString {
    let Some(text) = argument.to_str() else { return argument };
    let Some(typed) = text.strip_prefix('-').filter(|rest| rest.len() > 1 && !rest.starts_with('-')) else {
        return argument;
    };
    let name = typed.split_once('=').map_or(typed, |(name, _)| name);
    if known.contains(name) || name == "help" { OsString::from(format!("-{text}")) } else { argument }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str], file: &SettingsFile) -> Cli {
        let command = layered(Cli::command(), &Environment::default(), file);
        Cli::from_arg_matches(&command.get_matches_from(arguments)).unwrap()
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn one_dash_does_for_a_long_flag() {
        let known = long_flags(&Cli::command());
        let two = |text: &str| with_two_dashes(text.into(), &known).into_string().unwrap();
        assert_eq!(two("-auto-approve"), "--auto-approve");
        assert_eq!(two("-dir=x"), "--dir=x");
        assert_eq!(two("-q"), "-q");
        assert_eq!(two("-"), "-");
        assert_eq!(two("-nonsense"), "-nonsense");
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("contactsd.toml"), "dir = 'people'\nquiet = true\n").unwrap();
        let known: Vec<String> = long_flags(&Cli::command()).into_iter().collect();
        let file = SettingsFile::read(directory.path(), &known).unwrap();
        let dir = |arguments: &[&str], file: &SettingsFile| parsed(arguments, file).global.dir.display().to_string();
        assert_eq!(dir(&["contactsd", "plan"], &SettingsFile::default()), "contacts.d");
        assert_eq!(dir(&["contactsd", "plan"], &file), "people");
        assert_eq!(dir(&["contactsd", "plan", "--dir", "typed"], &file), "typed");
        assert!(parsed(&["contactsd", "plan"], &file).global.quiet);
    }

    #[test]
    fn every_long_flag_has_a_twin_of_its_own() {
        let flags = long_flags(&Cli::command());
        let twins: BTreeSet<String> = flags.iter().map(|flag| variable(flag)).collect();
        assert_eq!(twins.len(), flags.len());
        assert!(twins.contains("CONTACTSD_AUTO_APPROVE"));
    }
}
