//! From typed words to [`Cli`]: flag beats environment beats `contactsd.toml` beats default.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, ColorChoice, Command, CommandFactory, FromArgMatches};

use super::apply::PLANNING;
use super::args::{ColorWhen, Global};
use super::context::Context;
use super::spared::Spared;
use super::verbs::{Cli, Does};
use super::wanted::{Wanted, is_off};
use super::{Exit, help, usage};
use crate::beneath::Bounds;
use crate::ops::{Clock, chain};
use crate::plan::Limit;
use crate::settings::{Environment, Locations, SettingsFile, database_password, meeting_place};
use crate::source::Diagnostic;
use crate::state::Location;
use crate::store;
use crate::ui::json::Record;
use crate::ui::words::command_line as line;
use crate::ui::words::system::{unknown_variable, variable_not_text};
use crate::ui::{ColorEnvironment, Verbosity, color_choice};

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
    let speak = |wanted: &Wanted, file: &SettingsFile| {
        wanted.shell(&colors(&environment), &spared(&arguments, &environment, file), Verbosity::Normal)
    };
    let file = match SettingsFile::read(&environment.directory, &known.iter().cloned().collect::<Vec<_>>()) {
        Ok(file) => file,
        Err(error) => {
            let mut shell = speak(&wanted, &SettingsFile::default())?;
            let is_flag = |name: &str| known.contains(name);
            shell.error(chain(&error), line::settings_advice(&error, is_flag, variable, SettingsFile::names()));
            return Err(Exit::Failure);
        }
    };
    wanted.json |= file.get("json") == Some("true");
    let is_known = |name: &str| OTHER_VARIABLES.contains(&name) || known.iter().any(|flag| variable(flag) == name);
    if let Some(name) = environment.not_text().find(|name| is_known(name)) {
        let mut shell = speak(&wanted, &file)?;
        shell.message(&variable_not_text(name));
        return Err(Exit::Failure);
    }
    let layers = Layers::new(&environment, &file, &arguments);
    let command = layers.add_to(help::added_to(Cli::command())).color(help_color(&wanted, &environment));
    let parsed = command.clone().try_get_matches_from(&arguments).and_then(|matches| {
        no_looser_brakes(command.clone(), &matches, &file)?;
        no_planning_of_saved_plans(command.clone(), &matches)?;
        let dir_is_named = matches.value_source("dir") != Some(ValueSource::DefaultValue);
        let spared = Spared::new(&command, &matches, &[], &environment);
        Ok((Cli::from_arg_matches(&matches)?, dir_is_named, spared))
    });
    let (cli, dir_is_named, spared) =
        parsed.map_err(|error| explain(&error, &arguments, &wanted, &environment, &file))?;
    let verbosity = if cli.global.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let mut environment_colors = colors(&environment);
    environment_colors.contactsd_color = color_asked_for(&cli.global).map(str::to_owned);
    let wanted = Wanted { json: cli.global.json, into: cli.global.json_into.clone(), ..wanted };
    let mut shell = wanted.shell(&environment_colors, &spared, verbosity)?;
    if let Some(why) = spared.refuses_any() {
        shell.message(&why);
        return Err(Exit::Failure);
    }
    // It would be shown wherever the address is, in a comment on a pull request for one.
    if !cli.global.api_url.username().is_empty() || cli.global.api_url.password().is_some() {
        shell.error(line::SECRET_IN_URL, line::NO_SECRET_IN_URL);
        return Err(Exit::Failure);
    }
    let (layout, does) = cli.verb.machine_output();
    shell.lay_out(layout);
    if does == Does::Something {
        let clock = Clock::system();
        shell.tell_time(move || clock.now());
    }
    if environment.in_automation() {
        shell.without_bars();
    }
    for name in environment.unknown(is_known) {
        let nearest = known
            .iter()
            .map(|flag| variable(flag))
            .max_by(|one, other| strsim::jaro_winkler(one, name).total_cmp(&strsim::jaro_winkler(other, name)));
        let nearest = nearest.filter(|nearest| strsim::jaro_winkler(nearest, name) > 0.9);
        shell.message(&unknown_variable(name, nearest.as_deref()));
    }
    let database = database(&cli.global, &environment).map_err(|why| {
        shell.error(line::STATE_UNUSABLE, why);
        Exit::Failure
    })?;
    let context = Context::new(shell, environment, &cli.global, dir_is_named, database.as_ref());
    Ok((cli, context))
}

/// Reads where the state is when it is in a database.
fn database(global: &Global, environment: &Environment) -> Result<Option<Location>, String> {
    let Some(url) = global.state.as_deref().and_then(Path::to_str).filter(|text| store::is_database(text)) else {
        return Ok(None);
    };
    let password = database_password(environment, url).map_err(|error| error.to_string())?;
    let database = store::database(url, password.as_ref(), meeting_place);
    database.map(Some).map_err(line::no_database)
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
    let text = line::already_planned(&id.replace('_', "-"), file);
    let apply = command.find_subcommand_mut("apply").expect("it was just called");
    Err(apply.error(ErrorKind::ArgumentConflict, text))
}

/// Refuses a brake of the settings file that lets more through than the usual one of the verb.
fn no_looser_brakes(mut command: Command, matches: &ArgMatches, file: &SettingsFile) -> Result<(), clap::Error> {
    let Some((verb, of_verb)) = matches.subcommand() else { return Ok(()) };
    let usual = Cli::command();
    for flag in ["max-creates", "max-updates"] {
        let usual =
            usual.find_subcommand(verb).and_then(|verb| verb.get_arguments().find(|arg| arg.get_long() == Some(flag)));
        let Some(usual) = usual.and_then(|arg| arg.get_default_values().first()?.to_str()) else { continue };
        let is_from_file = of_verb.value_source(&flag.replace('-', "_")) == Some(ValueSource::DefaultValue);
        let Some((value, place)) = file.get(flag).zip(file.place(flag)).filter(|_| is_from_file) else { continue };
        let limits = (value.parse(), usual.parse());
        let is_stricter = matches!(limits, (Ok(Limit::Count(set)), Ok(Limit::Count(usual))) if set <= usual);
        if !is_stricter {
            let text = line::looser_brake(flag, value, place, usual, verb);
            let verb = command.find_subcommand_mut(verb).expect("it was just called");
            return Err(verb.error(ErrorKind::ArgumentConflict, text));
        }
    }
    Ok(())
}

/// Reads the same command line again, with the settings file as it is now; an error says what is wrong with it.
pub(super) fn parse_again(arguments: &[OsString], environment: &Environment) -> Result<Cli, String> {
    let known = long_flags(&Cli::command());
    let names: Vec<String> = known.iter().cloned().collect();
    let file = SettingsFile::read(&environment.directory, &names).map_err(|error| chain(&error))?;
    let arguments: Vec<_> = arguments.iter().map(|argument| with_two_dashes(argument.clone(), &known)).collect();
    let command = Layers::new(environment, &file, &arguments).add_to(Cli::command());
    let matches = command.clone().try_get_matches_from(arguments);
    let checked = matches.and_then(|matches| no_looser_brakes(command, &matches, &file).map(|()| matches));
    checked.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| error.to_string())
}

/// Where the contact files and the state of a command line are.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) contacts: PathBuf,
    pub(super) state: Location,
    pub(super) bounds: Bounds,
}

/// Understands what there is to be understood of a command line.
fn half_understood(line: &[OsString], environment: &Environment, file: &SettingsFile) -> (Command, ArgMatches) {
    let command = Layers::new(environment, file, line).add_to(Cli::command()).ignore_errors(true);
    let matches = command.clone().try_get_matches_from(line).unwrap_or_default();
    (command, matches)
}

/// Finds what a command line that is not understood must not be the end of.
fn spared(line: &[OsString], environment: &Environment, file: &SettingsFile) -> Spared {
    let (command, matches) = half_understood(line, environment, file);
    Spared::new(&command, &matches, line, environment)
}

/// Finds the places of a command line that is still being typed, as far as it can be understood.
pub(super) fn places(line: &[OsString], environment: &Environment) -> Places {
    let names: Vec<String> = long_flags(&Cli::command()).into_iter().collect();
    // What is wrong with it is told when the line is run.
    let file = SettingsFile::read(&environment.directory, &names).unwrap_or_default();
    let (_, matches) = half_understood(line, environment, &file);
    let path = |id: &str| matches.try_get_one::<PathBuf>(id).ok().flatten().cloned();
    let is_sandbox = matches.try_get_one::<bool>("sandbox").ok().flatten() == Some(&true);
    let dir = path("dir").unwrap_or_else(|| PathBuf::from("contacts.d"));
    let is_named = matches.value_source("dir").is_some_and(|source| source != ValueSource::DefaultValue);
    let follow_within = matches.try_get_many::<PathBuf>("follow_within").ok().flatten();
    let follow_within = follow_within.into_iter().flatten().cloned().collect();
    let locations = Locations::new(&dir, path("state").as_deref(), is_sandbox, &environment.directory);
    Places {
        contacts: locations.contacts,
        state: locations.state,
        bounds: Bounds { root_within: (!is_named).then(|| environment.directory.clone()), follow_within },
    }
}

/// Says what is wrong with the command line, or the help that was asked for.
fn explain(
    error: &clap::Error,
    arguments: &[OsString],
    wanted: &Wanted,
    environment: &Environment,
    file: &SettingsFile,
) -> Exit {
    let spared = spared(arguments, environment, file);
    let Ok(mut shell) = wanted.shell(&colors(environment), &spared, Verbosity::Normal) else { return Exit::Failure };
    let Some(message) = usage::message(error, &Cli::command(), arguments) else {
        // Help and the version go to stdout, help for who typed too little to stderr; clap knows which.
        let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        let printed = if shell.speaks_json() { Ok(()) } else { error.print() };
        let text = error.render().to_string();
        shell.records([if asked_for {
            Record::output(text.trim_end())
        } else {
            Record::diagnostic(&Diagnostic::error(line::INCOMPLETE, text.trim()))
        }]);
        return if asked_for && printed.is_ok() { Exit::Success } else { Exit::Failure };
    };
    shell.message(&message);
    if let Some(flag) = invalid_flag(error) {
        let twin = variable(&flag);
        if environment.get(&twin).is_some() {
            shell.hint(line::set_in_environment(&twin));
        } else if file.get(&flag).is_some() {
            let place = file.place(&flag).expect("it has a place where it has a value");
            shell.hint(line::set_in_file(&flag, place));
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
        clicolor: get("CLICOLOR"),
        term: get("TERM"),
    }
}

/// Decides whether help gets color, by the rules of every other text.
fn help_color(wanted: &Wanted, environment: &Environment) -> ColorChoice {
    let has_color = color_choice(wanted.color, &colors(environment), std::io::stdout().is_terminal());
    if has_color { ColorChoice::Always } else { ColorChoice::Never }
}

/// Returns the long flag whose value was not understood.
fn invalid_flag(error: &clap::Error) -> Option<String> {
    let is_value = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
    let shown = error.get(ContextKind::InvalidArg).filter(|_| is_value)?.to_string();
    Some(shown.strip_prefix("--")?.split([' ', '=']).next()?.to_owned())
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
    /// The values that flags choose from, of all verbs that have them.
    choices: BTreeMap<String, BTreeSet<String>>,
}

/// A flag that another one rules out.
#[derive(Debug, PartialEq, Eq)]
struct Rival {
    flag: String,
    is_switch: bool,
}

impl<'a> Layers<'a> {
    fn new(environment: &'a Environment, file: &'a SettingsFile, arguments: &[OsString]) -> Self {
        let mut choices = BTreeMap::new();
        add_choices(&Cli::command(), &mut choices);
        Self { environment, file, typed: typed_flags(arguments), rivals: rivals(), choices }
    }

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
        let arg = match self.file.get(&flag).filter(|value| !is_beaten && !self.is_for_other_verbs(&arg, value)) {
            Some(value) => arg.default_value(value.to_owned()),
            None => arg,
        };
        if self.is_in_environment(&flag, is_switch) { arg.env(variable(&flag)).hide_env(true) } else { arg }
    }

    /// Reports whether a value is none that this verb's flag of the name chooses from, but one that another verb's does.
    fn is_for_other_verbs(&self, arg: &Arg, value: &str) -> bool {
        let is_choice = || arg.get_possible_values().iter().any(|possible| possible.get_name() == value);
        let choices = arg.get_long().and_then(|flag| self.choices.get(flag));
        choices.is_some_and(|choices| choices.contains(value)) && !is_choice()
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

fn add_choices(command: &Command, choices: &mut BTreeMap<String, BTreeSet<String>>) {
    for arg in command.get_arguments() {
        let Some(flag) = arg.get_long().filter(|_| !is_switch(arg)) else { continue };
        let possible = arg.get_possible_values().into_iter().map(|possible| possible.get_name().to_owned());
        choices.entry(flag.to_owned()).or_default().extend(possible);
    }
    command.get_subcommands().for_each(|verb| add_choices(verb, choices));
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
    use super::super::verbs::Verb;
    use super::*;
    use crate::settings::FileError;

    fn parsed(arguments: &[&str], file: &SettingsFile) -> Result<Cli, clap::Error> {
        let environment = Environment::default();
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let command = Layers::new(&environment, file, &arguments).add_to(Cli::command());
        let matches = command.clone().try_get_matches_from(arguments)?;
        no_looser_brakes(command, &matches, file)?;
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
        let color = |arguments: &[&str], file: &SettingsFile| {
            parsed(&[&["contactsd", "plan"], arguments].concat(), file).map(|cli| cli.global.no_color).ok()
        };
        let file = settings("no-color = true\n");
        assert_eq!(color(&[], &file), Some(true));
        assert_eq!(color(&["--color", "always"], &file), Some(false));
        assert_eq!(color(&["--no-color", "--color", "always"], &SettingsFile::default()), None, "both typed");
        let masks = |arguments: &[&str], file: &SettingsFile| {
            let cli = parsed(&[&["contactsd", "plan"], arguments].concat(), file).unwrap();
            let Verb::Plan(args) = cli.verb else { panic!("it is a plan") };
            args.view.mask
        };
        assert!(masks(&[], &settings("mask = true\n")));
        assert!(!masks(&["--no-mask"], &settings("mask = true\n")), "the person decides");
    }

    #[test]
    fn each_flag_may_be_set_by_a_repository_or_says_why_not() {
        let known: Vec<String> = long_flags(&Cli::command()).into_iter().collect();
        let directory = tempfile::tempdir().unwrap();
        let mut allowed = Vec::new();
        for flag in known.iter().filter(|flag| *flag != "help" && *flag != "version") {
            std::fs::write(directory.path().join("contactsd.toml"), format!("{flag} = true\n")).unwrap();
            match SettingsFile::read(directory.path(), &known) {
                Ok(_) => allowed.push(flag.as_str()),
                Err(FileError::Forbidden { why, .. }) => assert!(!why.contains("not known"), "{flag} needs a reason"),
                Err(error) => panic!("{flag}: {error}"),
            }
        }
        let mut names: Vec<_> = SettingsFile::names().collect();
        names.sort_unstable();
        assert_eq!(allowed, names);
    }

    #[test]
    fn a_brake_of_a_repository_only_lets_less_through() {
        let limit = |arguments: &[&str], text: &str| {
            let cli = parsed(arguments, &settings(text)).map_err(|error| error.to_string())?;
            Ok::<_, String>(match cli.verb {
                Verb::Watch(args) => args.policy().max_creates,
                Verb::Plan(args) => args.brakes.max_creates,
                _ => panic!("it is one of the two"),
            })
        };
        let (watch, plan) = (["contactsd", "watch"], ["contactsd", "plan"]);
        assert_eq!(limit(&watch, "max-creates = 10\n"), Ok(Some(Limit::Count(10))));
        assert_eq!(limit(&watch, "max-creates = 1000\n"), Ok(Some(Limit::Count(1000))));
        for loose in ["1001", "'100%'", "'1%'"] {
            let refused = limit(&watch, &format!("quiet = true\nmax-creates = {loose}\n")).unwrap_err();
            assert!(refused.contains("contactsd.toml:2:1 must not set max-creates to this"), "{refused}");
        }
        assert!(limit(&watch, "max-updates = 2000\n").is_err());
        let typed = [&watch[..], &["--max-creates", "5000"]].concat();
        assert_eq!(limit(&typed, "max-creates = 2000\n"), Ok(Some(Limit::Count(5000))), "the person decides");
        assert_eq!(limit(&plan, "max-creates = 2000\n"), Ok(Some(Limit::Count(2000))), "there is no usual one");
    }

    #[test]
    fn a_form_is_for_the_verbs_that_have_it() {
        let format = |verb: &str, text: &str| {
            let cli = parsed(&["contactsd", verb], &settings(text)).map_err(|error| error.kind())?;
            Ok::<_, ErrorKind>(match cli.verb {
                Verb::Plan(args) => format!("{:?}", args.page.format),
                Verb::Validate(args) => format!("{:?}", args.format),
                _ => panic!("it is one of the two"),
            })
        };
        assert_eq!(format("plan", "format = 'markdown'\n"), Ok("Markdown".to_owned()));
        assert_eq!(format("validate", "format = 'markdown'\n"), Ok("Human".to_owned()));
        assert_eq!(format("validate", "format = 'sarif'\n"), Ok("Sarif".to_owned()));
        assert_eq!(format("plan", "format = 'sarif'\n"), Ok("Human".to_owned()));
        assert_eq!(format("plan", "format = 'nonsense'\n"), Err(ErrorKind::InvalidValue));
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
