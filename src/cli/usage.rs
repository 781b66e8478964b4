//! Mistakes on the command line, in the form of every other message.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ErrorKind};

use crate::source::Diagnostic;
use crate::ui::words::command_line::{known_elsewhere, more_help, unexpected};

/// Words a mistake; `None` where the text is no mistake but help, which clap words best.
pub(super) fn message(error: &clap::Error, command: &Command, arguments: &[OsString]) -> Option<Diagnostic> {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        return None;
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let (summary, rest) = text.split_once('\n').unwrap_or((text, ""));
    // The usage line and where to look come behind what is wrong; clap's own are left out.
    let rest = rest.split("\nUsage: ").next().unwrap_or_default();
    let rest = rest.split("\nFor more information, try ").next().unwrap_or_default();
    let mut detail: Vec<&str> = rest.trim_end().lines().collect();
    while detail.first().is_some_and(|line| line.trim().is_empty()) {
        detail.remove(0);
    }
    let unknown = invalid(error).map(|word| in_full(&word, arguments).unwrap_or(word));
    let tip = unknown.as_deref().and_then(known_elsewhere).map(|tip| format!("tip: {tip}"));
    if let Some(tip) = &tip {
        detail = vec![tip];
    }
    let summary = match (&unknown, error.kind()) {
        (Some(word), ErrorKind::UnknownArgument) => unexpected(word),
        _ => summary.to_owned(),
    };
    // Only where something is missing; elsewhere clap guesses, and often oddly.
    let usage = error.get(ContextKind::Usage).filter(|_| error.kind() == ErrorKind::MissingRequiredArgument);
    let usage = usage.map(|usage| format!("  {}", usage.to_string().trim()));
    let path = verb(command, arguments).iter().fold(String::new(), |path, name| format!("{path} {name}"));
    let help = more_help(&path);
    let parts = [(!detail.is_empty()).then(|| detail.join("\n")), usage, Some(help)];
    Some(Diagnostic::error(capitalized(&summary), parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")))
}

/// Returns the option or verb that is not known.
fn invalid(error: &clap::Error) -> Option<String> {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => return None,
    };
    let word = error.get(kind)?.to_string();
    Some(word.split([' ', '=']).next().unwrap_or_default().to_owned())
}

/// Returns an option of one dash as it was typed, `-chdir`, of which clap names the first letter.
fn in_full(letter: &str, arguments: &[OsString]) -> Option<String> {
    let is_letter = letter.len() == 2 && letter.starts_with('-') && letter != "--";
    let mut typed = arguments.iter().filter_map(|argument| argument.to_str()).take_while(|word| *word != "--");
    let word = typed.find(|word| is_letter && word.len() > 2 && word.starts_with(letter))?;
    Some(word.split('=').next().unwrap_or(word).to_owned())
}

/// Finds the verb that was typed, as far as there is one.
fn verb(command: &Command, arguments: &[OsString]) -> Vec<String> {
    let mut path = Vec::new();
    let mut at = command;
    let mut words = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    while let Some(word) = words.next() {
        if let Some(flag) = word.strip_prefix("--") {
            let takes_value = !flag.contains('=')
                && [command, at].iter().any(|command| {
                    command.get_arguments().any(|arg| arg.get_long() == Some(flag) && arg.get_action().takes_values())
                });
            if takes_value {
                words.next();
            }
        } else if let Some(below) = at.find_subcommand(word) {
            path.push(below.get_name().to_owned());
            at = below;
        }
    }
    path
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::help;
    use super::super::verbs::Cli;
    use super::*;

    fn command() -> Command {
        help::added_to(Cli::command())
    }

    fn told(line: &str) -> String {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = command().try_get_matches_from(&arguments).unwrap_err();
        let message = message(&error, &command(), &arguments).expect("it is a mistake");
        format!("{}\n{}", message.summary, message.detail)
    }

    #[test]
    fn mistakes_are_worded_with_where_to_look() {
        insta::assert_snapshot!(told("contactsd state shwo"), @"
        Unrecognized subcommand 'shwo'
          tip: a similar subcommand exists: 'show'

        For more help on using this command, run:
          contactsd state --help
        ");
        insta::assert_snapshot!(told("contactsd --dir state plan --color sometimes"), @"
        Invalid value 'sometimes' for '--color <WHEN>'
          [possible values: always, auto, never]

        For more help on using this command, run:
          contactsd plan --help
        ");
        insta::assert_snapshot!(told("contactsd state show"), @"
        The following required arguments were not provided:
          <KEY>

          Usage: contactsd state show <KEY>

        For more help on using this command, run:
          contactsd state show --help
        ");
        insta::assert_snapshot!(told("contactsd apply --paralelism=3"), @"
        Unexpected argument '--paralelism' found
          tip: a similar argument exists: '--parallelism'

        For more help on using this command, run:
          contactsd apply --help
        ");
        insta::assert_snapshot!(told("contactsd plan --sandbox --api-url http://127.0.0.1:1"), @"
        The argument '--sandbox' cannot be used with '--api-url <URL>'
        For more help on using this command, run:
          contactsd plan --help
        ");
    }

    #[test]
    fn what_other_tools_call_it_leads_to_what_it_is_here() {
        for (line, tip) in [
            ("contactsd apply --dry-run", "contactsd plan"),
            ("contactsd plan --dry-run=true", "contactsd plan"),
            ("contactsd apply --yes", "--auto-approve"),
            ("contactsd apply -y", "--auto-approve"),
            ("contactsd diff", "contactsd plan"),
            ("contactsd preview --sandbox", "contactsd plan"),
            ("contactsd sync", "contactsd apply"),
            ("contactsd destroy", "no call that deletes"),
            ("contactsd --chdir x plan", "--dir"),
            ("contactsd -chdir=x plan", "Unexpected argument '-chdir' found"),
            ("contactsd plan -chdir x", "--dir"),
            ("contactsd refresh", "contactsd drift"),
            ("contactsd plan --refresh-only", "contactsd drift"),
            ("contactsd dump", "contactsd export"),
            ("contactsd get-contacts", "contactsd export"),
            ("contactsd pull", "contactsd export"),
            ("contactsd dry-run", "contactsd plan"),
            ("contactsd run", "contactsd watch"),
            ("contactsd test", "contactsd validate"),
            ("contactsd plan --destroy", "no call that deletes"),
            ("contactsd apply --confirm", "--auto-approve"),
            ("contactsd plan --lock=false", "plan never locks it"),
            ("contactsd plan --lock-timeout 5s", "plan never locks it"),
            ("contactsd plan --input=false", "asks for approval alone"),
            ("contactsd apply -v", "CONTACTSD_LOG"),
            ("contactsd list", "contactsd state list"),
            ("contactsd setup", "contactsd init makes"),
            ("contactsd init -upgrade", "--state says where the state is"),
            ("contactsd init -backend-config=x", "--state says where the state is"),
        ] {
            let told = told(line);
            assert!(told.contains("tip: ") && told.contains(tip), "{line}: {told}");
        }
    }

    #[test]
    fn help_that_was_asked_for_is_no_mistake() {
        for line in
            ["contactsd --help", "contactsd plan --help", "contactsd help plan", "contactsd --version", "contactsd"]
        {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let error = command().try_get_matches_from(&arguments).unwrap_err();
            assert_eq!(message(&error, &command(), &arguments), None, "{line}");
        }
    }
}
