//! The command line and `contactsd.toml`: what cannot be understood there, and what to type instead.

use std::fmt::Display;
use std::path::Path;

use crate::settings::FileError;

/// What other tools call an option or a verb, and what does it here.
pub(crate) fn known_elsewhere(word: &str) -> Option<&'static str> {
    let tip = match word {
        "--dry-run" | "--check" | "-n" => "contactsd plan shows what apply would do, and sends nothing",
        "--yes" | "-y" | "--assume-yes" | "--non-interactive" | "--confirm" => "--auto-approve applies without asking",
        "diff" | "preview" | "dry-run" => "contactsd plan shows what apply would do",
        "sync" | "push" | "deploy" | "up" => "contactsd apply changes Apollo to match the contact files",
        "check" | "lint" | "test" => "contactsd validate checks the contact files",
        "format" => "contactsd fmt formats the contact files",
        "run" | "start" | "serve" | "daemon" => {
            "contactsd watch keeps changing Apollo to match the contact files, as a service"
        }
        "stop" => "Ctrl-C or SIGTERM ends contactsd watch; contactsd pause makes it release the state and wait",
        "destroy" | "delete" | "-destroy" | "--destroy" => {
            "Apollo has no call that deletes a contact. Remove the entry and apply: contactsd then forgets the contact. It \
             stays in Apollo, where you can delete it."
        }
        "-chdir" | "--chdir" | "-C" => {
            "run contactsd in that directory, or name the contact files with --dir and the state with --state"
        }
        "refresh" | "--refresh" | "-refresh" | "-refresh-only" | "--refresh-only" => {
            "contactsd drift shows what has changed in Apollo; plan and apply read Apollo first only with --refresh"
        }
        "new" | "setup" | "bootstrap" | "scaffold" => {
            "contactsd init makes a directory of contact files with a first entry"
        }
        "-upgrade" | "--upgrade" | "-migrate-state" | "-reconfigure" | "-backend" | "-backend-config" => {
            "contactsd init has no backend and no plugins to set up; --state says where the state is"
        }
        "list" | "ls" => "contactsd state list lists the managed contacts",
        "rm" | "remove" => "contactsd state rm stops managing a contact, which stays in Apollo",
        "mv" | "rename" => "contactsd state mv changes the key of a contact",
        "dump" => "contactsd export writes the contacts in Apollo as contact files",
        get if get.starts_with("get-") => "contactsd export writes the contacts in Apollo as contact files",
        "pull" => "contactsd state pull writes what the state holds; contactsd export writes the contacts in Apollo",
        "--lock" | "-lock" | "--lock-timeout" => {
            "verbs that write lock the state, and wait for the lock with --lock-timeout; plan never locks it"
        }
        "--input" | "-input" => "contactsd asks for approval alone; --auto-approve applies without asking",
        "--verbose" | "-v" | "-vv" | "--debug" => "to see more, set CONTACTSD_LOG=debug in the environment",
        "unlock" | "force-unlock" => {
            "there is nothing to unlock: the lock of a state ends when its process ends, even after a crash"
        }
        _ => return None,
    };
    Some(tip)
}

pub(crate) fn unexpected(word: &str) -> String {
    format!("unexpected argument '{word}' found")
}

/// Says where more is to be read; `verb` as it is typed behind the program, or empty.
pub(crate) fn more_help(verb: &str) -> String {
    format!("For more help on using this command, run:\n  contactsd{verb} --help")
}

pub(crate) const INCOMPLETE: &str = "The command is not complete";

// Values of options.

/// As a script types it with a variable that is not set.
pub(crate) const EMPTY_DIRECTORY: &str =
    "a directory is needed here, and this is empty; write . for the working directory";
pub(crate) const NEEDS_A_DIRECTORY: &str =
    "a directory is needed here, and - is stdin or stdout; write ./- if a directory has that name";
pub(crate) const STDOUT_IS_TAKEN: &str =
    "stdout holds the text for people; to have the records there instead, use --json";
pub(crate) const ONLY_STDIN: &str =
    "only - (stdin) can be checked as a single file; name a directory of files with --dir";

pub(crate) fn no_percentage(text: &str) -> String {
    format!("{text:?} is not a percentage from 0% to 99%")
}

pub(crate) fn no_few(text: &str) -> String {
    format!("{text:?} is not a whole number from 1 to 100")
}

pub(crate) fn no_count(text: &str) -> String {
    format!("{text:?} is not a whole number")
}

pub(crate) fn no_digest(text: &str) -> String {
    format!("{text:?} is not the digest of a plan, which has 32 hexadecimal digits")
}

pub(crate) fn no_contact_id(text: &str) -> String {
    format!("{text:?} is not the id of a contact, which has 24 hexadecimal digits")
}

pub(crate) fn no_code(text: &str, first: impl Display, last: impl Display) -> String {
    format!("there is no code {text:?}; the codes are {first} to {last}")
}

pub(crate) const SECRET_IN_URL: &str = "The address of the API holds a user name or password";
pub(crate) const NO_SECRET_IN_URL: &str = "Messages and plans show the address. Remove both from --api-url, and set \
                                           APOLLO_API_KEY or APOLLO_API_KEY_FILE.";

// The state that is named.

pub(crate) const STATE_UNUSABLE: &str = "The state that --state names cannot be used";

pub(crate) fn no_database(why: impl Display) -> String {
    format!("It is the URL of a database, and {why}.")
}

// Options that do not go together.

/// A saved plan has its options already.
pub(crate) fn already_planned(flag: &str, file: &Path) -> String {
    format!("--{flag} is an option for making a plan, and {} is a saved plan: make a new plan with it", file.display())
}

/// A brake of the settings file that lets more through than the usual one.
pub(crate) fn looser_brake(flag: &str, value: &str, place: impl Display, usual: &str, verb: &str) -> String {
    format!(
        "{place} must not set {flag} to this\nA repository must not let through more than {verb} does, which is {usual}. Lower it, or remove the line and type --{flag} {value} where you want it."
    )
}

// `contactsd.toml`.

/// Says what to do about a settings file that cannot be used; `variable` is the environment twin of a flag.
pub(crate) fn settings_advice<'a>(
    error: &FileError,
    is_flag: impl Fn(&str) -> bool,
    variable: impl Fn(&str) -> String,
    allowed: impl Iterator<Item = &'a str>,
) -> String {
    match error {
        FileError::Forbidden { name, .. } if is_flag(name) => format!(
            "A repository cannot decide this for you. Remove the line. Where you want it, type --{name} or set {}. A \
             repository may set: {}.",
            variable(name),
            allowed.collect::<Vec<_>>().join(", ")
        ),
        FileError::Value { name, .. } => {
            format!("Remove the line. Where you want it, type --{name} or set {}.", variable(name))
        }
        FileError::LeadsOut | FileError::NotRegular => {
            "It is read only if it is a file in the working directory.".to_owned()
        }
        _ => "Settings in contactsd.toml have the names of the long options, without the leading --.".to_owned(),
    }
}

/// Says where a value that was not typed comes from.
pub(crate) fn set_in_environment(variable: &str) -> String {
    format!("{variable} is set in the environment; it is used when the option is not typed.")
}

pub(crate) fn set_in_file(flag: &str, place: impl Display) -> String {
    format!("{flag} is set in {place}; it is used when the option is not typed.")
}

pub(crate) fn other_verb(verb: &dyn std::fmt::Debug) -> String {
    format!("the command line names another verb now: {verb:?}")
}
