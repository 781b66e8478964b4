//! From typed words to [`Cli`]: flag beats environment beats `contactsd.toml` beats default.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::args::{Cli, ColorWhen, Global, PLANNING};
use super::context::Context;
use super::wanted::{Wanted, lay_out};
use super::{Exit, help, usage};
use crate::ops::chain;
use crate::settings::{Environment, SettingsFile};
use crate::ui::json::{Diagnostic, Record};
use crate::ui::{ColorEnvironment, ColorFlag, Message, Verbosity};

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
    let arguments: Vec<OsString> = arguments.into_iter().map(|argument| with_two_dashes(argument, &known)).collect();
    let mut wanted = Wanted::of(&arguments, &environment);
    let file = match SettingsFile::read(&environment.directory, &known.iter().cloned().collect::<Vec<_>>()) {
        Ok(file) => file,
        Err(error) => {
            let mut shell = wanted.shell(None, &colors(&environment), &environment.directory, Verbosity::Normal)?;
            let detail = "Settings in contactsd.toml have the names of the long options, without dashes in front.";
            shell.error(chain(&error), detail);
            return Err(Exit::Failure);
        }
    };
    wanted.json |= file.get("json") == Some("true");
    let layers = Layers { environment: &environment, file: &file, typed: typed_flags(&arguments), rivals: rivals() };
    let command = layers.add_to(help::command());
    let parsed = command.clone().try_get_matches_from(&arguments).and_then(|matches| {
        no_planning_of_saved_plans(command, &matches)?;
        Ok((Cli::from_arg_matches(&matches)?, color_flag(&matches)))
    });
    let (cli, flag) = parsed.map_err(|error| explain(&error, &arguments, &wanted, &environment, &file))?;
    let verbosity = if cli.global.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let mut environment_colors = colors(&environment);
    environment_colors.contactsd_color = color_asked_for(&cli.global).map(str::to_owned);
    let wanted = Wanted { json: cli.global.json, into: cli.global.json_into.clone() };
    let mut shell = wanted.shell(flag, &environment_colors, &environment.directory, verbosity)?;
    lay_out(&cli.verb, &mut shell);
    if environment.in_automation() {
        shell.without_bars();
    }
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

/// Refuses options that would make another plan of the one in a file.
///
/// Only what was typed counts: the environment and `contactsd.toml` speak to `plan` as well, and did so
/// when the plan was made.
fn no_planning_of_saved_plans(mut command: Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some(("apply", apply)) = matches.subcommand() else { return Ok(()) };
    let Some(file) = apply.get_one::<PathBuf>("file") else { return Ok(()) };
    let typed = |id: &&&str| apply.value_source(id) == Some(ValueSource::CommandLine);
    let Some(id) = PLANNING.iter().find(typed) else { return Ok(()) };
    let text = format!(
        "--{} makes a plan, and the one in {} was made: give it to plan, with --out",
        id.replace('_', "-"),
        file.display()
    );
    let apply = command.find_subcommand_mut("apply").expect("it was just called");
    Err(apply.error(ErrorKind::ArgumentConflict, text))
}

/// Reads the same command line again, with the settings file as it is now; an error says what is wrong with it.
pub(super) fn parse_anew(arguments: &[OsString], environment: &Environment) -> Result<Cli, String> {
    let known = long_flags(&Cli::command());
    let names: Vec<String> = known.iter().cloned().collect();
    let file = SettingsFile::read(&environment.directory, &names).map_err(|error| chain(&error))?;
    let arguments: Vec<_> = arguments.iter().map(|argument| with_two_dashes(argument.clone(), &known)).collect();
    let layers = Layers { environment, file: &file, typed: typed_flags(&arguments), rivals: rivals() };
    let matches = layers.add_to(Cli::command()).try_get_matches_from(arguments);
    matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| error.to_string())
}

/// Says what is wrong with the command line, or the help that was asked for.
fn explain(
    error: &clap::Error,
    arguments: &[OsString],
    wanted: &Wanted,
    environment: &Environment,
    file: &SettingsFile,
) -> Exit {
    let shell = wanted.shell(None, &colors(environment), &environment.directory, Verbosity::Normal);
    let Ok(mut shell) = shell else { return Exit::Failure };
    let Some(message) = usage::message(error, &Cli::command(), arguments) else {
        // Help and the version go to stdout, help for who typed too little to stderr; clap knows which.
        let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        let printed = if shell.speaks_json() { Ok(()) } else { error.print() };
        let text = error.render().to_string();
        shell.records([if asked_for {
            Record::output(text.trim_end())
        } else {
            Record::diagnostic(Diagnostic::from(&Message::error("The command is not complete", text.trim())))
        }]);
        return if asked_for && printed.is_ok() { Exit::Success } else { Exit::Failure };
    };
    shell.message(&message);
    if let Some(flag) = invalid_flag(error) {
        let twin = variable(&flag);
        if environment.get(&twin).is_some() {
            shell.hint(format!("{twin} is set in the environment; it counts where the option is not typed."));
        } else if file.get(&flag).is_some() {
            shell.hint(format!("{flag} is set in contactsd.toml; it counts where the option is not typed."));
        }
    }
    Exit::Failure
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

/// What stands behind the flags that were not typed.
struct Layers<'a> {
    environment: &'a Environment,
    file: &'a SettingsFile,
    /// The long flags that were typed.
    typed: BTreeSet<String>,
    rivals: BTreeMap<String, Vec<Rival>>,
}

/// A flag that another one rules out.
#[derive(Debug, PartialEq, Eq)]
struct Rival {
    flag: String,
    is_switch: bool,
}

impl Layers<'_> {
    /// Gives every long flag its twin in the environment and its value from the file.
    ///
    /// What beats a flag also beats its rivals: `--api-url` that is typed beats `CONTACTSD_SANDBOX`.
    fn add_to(&self, command: Command) -> Command {
        let command = command.mut_args(|arg| self.add_to_flag(arg));
        let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |verb| self.add_to(verb)))
    }

    fn add_to_flag(&self, arg: Arg) -> Arg {
        let Some(flag) = arg.get_long().map(str::to_owned).filter(|flag| flag != "help") else { return arg };
        let is_switch = is_switch(&arg);
        let arg = if is_switch { arg.value_parser(BoolishValueParser::new()) } else { arg };
        let rivals = || self.rivals.get(&flag).into_iter().flatten();
        if rivals().any(|rival| self.typed.contains(&rival.flag)) {
            return arg;
        }
        let is_beaten = rivals().any(|rival| self.is_in_environment(&rival.flag, rival.is_switch));
        let arg = match self.file.get(&flag).filter(|_| !is_beaten) {
            Some(value) => arg.default_value(value.to_owned()),
            None => arg,
        };
        if self.is_in_environment(&flag, is_switch) { arg.env(variable(&flag)).hide_env(true) } else { arg }
    }

    /// Reports whether the environment says something about a flag.
    ///
    /// Neither an empty variable nor a switch that is off is a thing that was said, which clap does not know.
    fn is_in_environment(&self, flag: &str, is_switch: bool) -> bool {
        self.environment.get(&variable(flag)).is_some_and(|value| !is_switch || !is_off(value))
    }
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// Lists for each long flag those that it cannot stand beside, both ways.
fn rivals() -> BTreeMap<String, Vec<Rival>> {
    let mut command = Cli::command();
    // Options of every verb are known to the verbs only after this.
    command.build();
    let mut rivals = BTreeMap::new();
    add_rivals(&command, &mut rivals);
    rivals
}

fn add_rivals(command: &Command, rivals: &mut BTreeMap<String, Vec<Rival>>) {
    for (one, other) in command.get_arguments().flat_map(|arg| {
        command.get_arg_conflicts_with(arg).into_iter().map(move |other| (arg, other)).collect::<Vec<_>>()
    }) {
        for (arg, other) in [(one, other), (other, one)] {
            let (Some(flag), Some(rival)) = (arg.get_long(), other.get_long()) else { continue };
            let rival = Rival { flag: rival.to_owned(), is_switch: is_switch(other) };
            let known = rivals.entry(flag.to_owned()).or_default();
            if !known.contains(&rival) {
                known.push(rival);
            }
        }
    }
    command.get_subcommands().for_each(|verb| add_rivals(verb, rivals));
}

/// Lists the long flags that were typed.
fn typed_flags(arguments: &[OsString]) -> BTreeSet<String> {
    let words = arguments.iter().filter_map(|argument| argument.to_str()).take_while(|word| *word != "--");
    let flags = words.filter_map(|word| word.strip_prefix("--"));
    flags.map(|flag| flag.split_once('=').map_or(flag, |(name, _)| name).to_owned()).collect()
}

/// Returns what was typed about color; the twins in the environment and the file weigh less than `NO_COLOR`.
fn color_flag(matches: &ArgMatches) -> Option<ColorFlag> {
    let is_typed = |flag| matches.value_source(flag) == Some(ValueSource::CommandLine);
    if is_typed("no_color") {
        return Some(ColorFlag::Never);
    }
    matches.get_one("color").filter(|_| is_typed("color")).map(|color| match color {
        ColorWhen::Always => ColorFlag::Always,
        ColorWhen::Never => ColorFlag::Never,
        ColorWhen::Auto => ColorFlag::Auto,
    })
}

/// Returns what flag, environment and file together say about color, in the words of `CONTACTSD_COLOR`.
fn color_asked_for(global: &Global) -> Option<&'static str> {
    match global.color {
        _ if global.no_color => Some("never"),
        Some(ColorWhen::Always) => Some("always"),
        Some(ColorWhen::Never) => Some("never"),
        Some(ColorWhen::Auto) => Some("auto"),
        None => None,
    }
}

/// Reports whether the value of a switch turns it off.
pub(super) fn is_off(value: &str) -> bool {
    ["0", "f", "false", "n", "no", "off"].contains(&value.to_lowercase().as_str())
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

    fn parsed(arguments: &[&str], file: &SettingsFile) -> Result<Cli, clap::Error> {
        let environment = &Environment::default();
        let typed = typed_flags(&arguments.iter().map(OsString::from).collect::<Vec<_>>());
        let layers = Layers { environment, file, typed, rivals: rivals() };
        let matches = layers.add_to(Cli::command()).try_get_matches_from(arguments)?;
        Cli::from_arg_matches(&matches)
    }

    fn settings(text: &str) -> SettingsFile {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("contactsd.toml"), text).unwrap();
        let known: Vec<String> = long_flags(&Cli::command()).into_iter().collect();
        SettingsFile::read(directory.path(), &known).unwrap()
    }

    #[test]
    fn a_flag_beats_the_rival_that_the_file_sets() {
        const URL: &str = "http://127.0.0.1:1/api/v1";
        let sandbox = |arguments: &[&str], file: &SettingsFile| {
            parsed(&[&["contactsd", "plan"], arguments].concat(), file).map(|cli| cli.global.sandbox).ok()
        };
        let file = settings("sandbox = true\n");
        assert_eq!(sandbox(&[], &file), Some(true));
        assert_eq!(sandbox(&["--api-url", URL], &file), Some(false));
        assert_eq!(sandbox(&["--sandbox", "--api-url", URL], &SettingsFile::default()), None, "both typed");
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
        let file = settings("dir = 'people'\nquiet = true\n");
        let dir =
            |arguments: &[&str], file: &SettingsFile| parsed(arguments, file).unwrap().global.dir.display().to_string();
        assert_eq!(dir(&["contactsd", "plan"], &SettingsFile::default()), "contacts.d");
        assert_eq!(dir(&["contactsd", "plan"], &file), "people");
        assert_eq!(dir(&["contactsd", "plan", "--dir", "typed"], &file), "typed");
        assert!(parsed(&["contactsd", "plan"], &file).unwrap().global.quiet);
    }

    #[test]
    fn every_long_flag_has_a_twin_of_its_own() {
        let flags = long_flags(&Cli::command());
        let twins: BTreeSet<String> = flags.iter().map(|flag| variable(flag)).collect();
        assert_eq!(twins.len(), flags.len());
        assert!(twins.contains("CONTACTSD_AUTO_APPROVE"));
    }
}
