//! What `--help` and the man pages say beside the options: examples, and how each verb can end.
//!
//! `docs/exit-codes.md` holds the same tables; a test compares them.

use std::fmt::Write;

use clap::{Arg, Command};

/// Examples and ends of one verb.
pub(super) struct Help {
    /// As it is typed behind `contactsd`: `state list`.
    pub(super) verb: &'static str,
    /// A command, and what it is for.
    pub(super) examples: &'static [(&'static str, &'static str)],
    /// Each exit code the verb can have, and what it means there.
    pub(super) exits: &'static [(u8, &'static str)],
}

const INTERRUPTED: (u8, &str) = (130, "interrupted (Ctrl-C); what was under way is recorded");
const TERMINATED: (u8, &str) = (143, "terminated (SIGTERM); what was under way is recorded");

const INTERRUPTED_ASKING: (u8, &str) = (130, "interrupted (Ctrl-C) while Apollo was asked");
const TERMINATED_ASKING: (u8, &str) = (143, "terminated (SIGTERM) while Apollo was asked");

/// The verbs in the order of the help.
pub(super) const VERBS: &[Help] = &[
    Help {
        verb: "init",
        examples: &[
            ("contactsd init", "make contacts.d with a first entry"),
            ("contactsd init --pipeline", "also the pipeline for the forge of the git remote"),
            ("contactsd init --pipeline gitlab", "also the pipeline for GitLab CI"),
            ("contactsd init --dir people", "the same with another contact directory"),
        ],
        exits: &[
            (0, "everything is in place; files that existed and differ were kept, and are listed"),
            (1, "a directory or a file cannot be created, or the forge is not known"),
        ],
    },
    Help {
        verb: "validate",
        examples: &[
            ("contactsd validate", "check the files in contacts.d"),
            ("contactsd validate --dir people", "check those in another directory"),
            ("contactsd validate --format github", "annotate a pull request"),
            ("contactsd validate --format gitlab > gl-code-quality-report.json", "for a merge request"),
            ("contactsd validate --format sarif > contacts.sarif", "for code scanning"),
        ],
        exits: &[(0, "the files are valid; warnings count as valid"), (1, "a mistake, or files that cannot be read")],
    },
    Help {
        verb: "fmt",
        examples: &[
            ("contactsd fmt", "format the files in contacts.d"),
            ("contactsd fmt --diff", "see what that would change"),
            ("contactsd fmt --check", "fail in a pipeline when something is not formatted"),
            ("contactsd fmt contacts.d/team.yaml", "format one file"),
        ],
        exits: &[
            (0, "the files are formatted; with --diff, the changes were shown"),
            (1, "a file has mistakes or cannot be written; with --check, a file is not formatted"),
        ],
    },
    Help {
        verb: "explain",
        examples: &[("contactsd explain E011", "what the error means and what to do")],
        exits: &[(0, "the page was printed"), (1, "there is no such code")],
    },
    Help {
        verb: "plan",
        examples: &[
            ("contactsd plan", "see what apply would do"),
            ("contactsd plan --sandbox", "see it against the stand-in, without a key"),
            ("contactsd plan --format markdown > plan.md", "a comment for a pull request"),
            ("contactsd plan --detailed-exitcode", "end with 2 when there are changes, for a pipeline"),
            ("contactsd plan --json-into plan.jsonl", "text for you, records for a program"),
        ],
        exits: &[
            (0, "a plan was made, with changes or without"),
            (1, "a mistake in the files, a state that cannot be read, or a plan that needs a decision"),
            (2, "there are changes; with --detailed-exitcode only"),
        ],
    },
    Help {
        verb: "apply",
        examples: &[
            ("contactsd apply", "plan, ask, and do it"),
            ("contactsd apply --auto-approve", "do it without asking"),
            ("contactsd apply --sandbox --auto-approve", "try it; nothing leaves the machine"),
            ("contactsd apply --max-creates 5", "refuse a plan that creates more"),
            ("contactsd apply --refresh", "also restore what was changed in Apollo"),
            ("contactsd apply --recreate ada", "create a contact again that was deleted in Apollo"),
            ("contactsd apply --create ada", "create a contact although Apollo has one like it"),
        ],
        exits: &[
            (0, "all is done, or there was nothing to do"),
            (1, "an error, a plan that was not approved or that a brake stopped, or not everything was done"),
            INTERRUPTED,
            TERMINATED,
        ],
    },
    Help {
        verb: "drift",
        examples: &[
            ("contactsd drift", "show what has changed in Apollo since it was applied"),
            ("contactsd drift --detailed-exitcode", "end with 2 when something has changed"),
            ("contactsd drift --format markdown", "the same for an issue; personal values are masked"),
            ("contactsd drift --format github", "annotate the entries of contacts that have changed"),
        ],
        exits: &[
            (0, "Apollo was read, and what has changed is shown"),
            (1, "an error, or contacts that could not be compared"),
            (2, "contacts have changed in Apollo; with --detailed-exitcode only"),
            (130, "interrupted (Ctrl-C)"),
            (143, "terminated (SIGTERM)"),
        ],
    },
    Help {
        verb: "export",
        examples: &[
            ("contactsd export", "write all contacts that Apollo has into contacts.d/apollo.yaml"),
            ("contactsd export --list Customers", "only those on a list, into contacts.d/list-customers.yaml"),
            ("contactsd export --split company", "a file for each company"),
            ("contactsd export --diff", "show what would change in files, and write nothing"),
            ("contactsd export --out -", "print them as one file"),
        ],
        exits: &[
            (0, "all that was asked for is in files, or printed; what was left out is listed"),
            (1, "an error, or a file that was not replaced"),
            INTERRUPTED_ASKING,
            TERMINATED_ASKING,
        ],
    },
    Help {
        verb: "convert",
        examples: &[
            ("contactsd convert apollo-contacts-export.csv", "write contacts.d/apollo-contacts-export.yaml"),
            ("contactsd convert people.csv --map \"Work mail=email\"", "say what a column of an unknown table is"),
            ("contactsd convert Connections.csv --dry-run", "see what each row would become"),
            (
                "contactsd convert contacts.csv --rejects rest.csv",
                "keep the rows that were not converted, with the reasons",
            ),
            ("contactsd convert *.csv --out people --split company", "a file for each company, in another directory"),
        ],
        exits: &[
            (0, "the people are in files; rows that were left out are listed"),
            (1, "a table that cannot be read or is not known, or a file that was not replaced"),
        ],
    },
    Help {
        verb: "show",
        examples: &[
            ("contactsd show", "show what the state holds"),
            ("contactsd show team.plan", "show a saved plan as plan did"),
            ("contactsd show --format markdown team.plan", "the same as a comment for a pull request"),
            ("contactsd show --json team.plan", "the same as one JSON document"),
        ],
        exits: &[(0, "it is shown"), (1, "the file is not a complete plan, or the state cannot be read")],
    },
    Help {
        verb: "watch",
        examples: &[
            ("contactsd watch", "apply now, and again whenever files change"),
            ("contactsd watch --once --dry-run", "show what one pass would do"),
            (
                "contactsd watch --resync 1h --forget-after 10m",
                "check all files less often, and wait before contacts are forgotten",
            ),
            ("contactsd watch --listen 127.0.0.1:9477", "show a status page, answer probes and Prometheus"),
        ],
        exits: &[
            (0, "ended by Ctrl-C or SIGTERM; with --once, a pass that did everything"),
            (1, "it could not start or continue; with --once, a pass that was refused or did not do everything"),
            (130, "interrupted twice; the next apply finds out what became of requests under way"),
            (143, "terminated twice; the next apply finds out what became of requests under way"),
        ],
    },
    Help {
        verb: "pause",
        examples: &[("contactsd pause", "release the state, until resume")],
        exits: &[
            (0, "the service is paused and has released the state"),
            (1, "no service is running, or it does not answer"),
        ],
    },
    Help {
        verb: "resume",
        examples: &[("contactsd resume", "take the state again and make a pass")],
        exits: &[
            (0, "the service continues, or the pause was removed"),
            (1, "there is nothing to resume, or the service does not answer"),
        ],
    },
    Help {
        verb: "approve",
        examples: &[(
            "contactsd approve 0123456789abcdef0123456789abcdef",
            "apply the plan with this digest, although it exceeds a limit",
        )],
        exits: &[(0, "the plan was approved"), (1, "no plan with this digest waits for approval")],
    },
    Help {
        verb: "status",
        examples: &[
            ("contactsd status", "how the service is doing, or what the state holds"),
            ("contactsd status --watch", "keep showing it"),
            ("contactsd status --json", "the document that /status of the service returns"),
        ],
        exits: &[(0, "the status was shown, good or bad"), (1, "neither a service nor the state can be read")],
    },
    Help {
        verb: "probe",
        examples: &[
            ("contactsd probe", "show what it would do and where, and ask"),
            ("contactsd probe --sandbox --auto-approve", "try it; nothing leaves the machine"),
            ("contactsd probe --auto-approve --quiet > report.md", "a report to paste into an issue"),
        ],
        exits: &[
            (0, "the report was printed, whatever it says"),
            (1, "it was not approved, or could not start"),
            (130, "interrupted (Ctrl-C); the report says what was made"),
            (143, "terminated (SIGTERM); the report says what was made"),
        ],
    },
    Help {
        verb: "sandbox",
        examples: &[
            ("contactsd sandbox", "serve it at 127.0.0.1:8080"),
            ("contactsd sandbox --listen 127.0.0.1:0 --quota 200/m", "at a free port, with a limit"),
            ("contactsd sandbox --fault lost-reply=0.1", "lose one answer in ten"),
            ("contactsd sandbox --fill-from apollo-contacts-export.csv", "fill it with the contacts of an export"),
        ],
        exits: &[(0, "ended by Ctrl-C or SIGTERM, or filled"), (1, "it cannot listen, or its data cannot be used")],
    },
    Help {
        verb: "import",
        examples: &[("contactsd import ada 6b044a070000000000000004", "bind the entry to this contact")],
        exits: &[
            (0, "the entry is bound to the contact"),
            (1, "an error, an entry that is already bound, or a plan that was not approved"),
            INTERRUPTED,
            TERMINATED,
        ],
    },
    Help {
        verb: "why",
        examples: &[
            ("contactsd why ada", "where it is declared, what happened to it, what comes next"),
            ("contactsd why ada --json", "the same for a program"),
        ],
        exits: &[(0, "it is shown"), (1, "the key is not known, the files have mistakes, or the state cannot be read")],
    },
    Help {
        verb: "forget",
        examples: &[("contactsd forget --purge ada", "handle an erasure request: leave no trace in the state")],
        exits: &[
            (0, "the state holds nothing about the person any more"),
            (1, "an error, an entry that is still declared, no state, or it was not approved"),
        ],
    },
    Help {
        verb: "lookup",
        examples: &[
            ("contactsd lookup stages", "the stages, with their ids"),
            ("contactsd lookup fields", "the custom fields, with types and options"),
            ("contactsd lookup lists --json", "the lists, for a program"),
        ],
        exits: &[
            (0, "they are listed"),
            (1, "Apollo did not list them; without a credential, the state does not know them either"),
            INTERRUPTED_ASKING,
            TERMINATED_ASKING,
        ],
    },
    Help {
        verb: "state",
        examples: &[
            ("contactsd state list", "list the managed contacts"),
            ("contactsd state show ada", "show what is known about one"),
            ("contactsd state pull > kept.jsonl", "keep all of it"),
        ],
        exits: &[(1, "no verb of `state` was given")],
    },
    Help {
        verb: "state list",
        examples: &[
            ("contactsd state list", "one address per line"),
            ("contactsd state list --imported", "those that Apollo had before"),
        ],
        exits: &[(0, "the managed contacts are listed"), (1, "the state cannot be read")],
    },
    Help {
        verb: "state show",
        examples: &[("contactsd state show ada", "its id, its fields and its origin")],
        exits: &[(0, "the contact is shown"), (1, "no such contact is managed, or the state cannot be read")],
    },
    Help {
        verb: "state rm",
        examples: &[
            ("contactsd state rm ada", "plan, ask, and stop managing it"),
            ("contactsd state rm ada basil --auto-approve", "two of them, without asking"),
            ("contactsd state rm 'old-*'", "all that match"),
        ],
        exits: &[(0, "they are no longer managed"), (1, "an error, or a plan that was not approved")],
    },
    Help {
        verb: "state mv",
        examples: &[
            ("contactsd state mv ada ada.quill", "give the contact another key"),
            ("contactsd state mv 'old-*' 'team.*'", "the same for all keys that match"),
        ],
        exits: &[(0, "the contact has the other key"), (1, "an error, or a plan that was not approved")],
    },
    Help {
        verb: "state pull",
        examples: &[
            ("contactsd state pull > kept.jsonl", "save it; the file holds personal data"),
            (
                "contactsd state pull | gpg --encrypt -r ops@example.com > kept.gpg",
                "save it where others can read, too",
            ),
        ],
        exits: &[(0, "the whole state was written"), (1, "there is no state, or it cannot be read")],
    },
    Help {
        verb: "state push",
        examples: &[
            ("contactsd state push kept.jsonl", "show both, ask, and replace the state"),
            ("contactsd state push - --auto-approve < kept.jsonl", "from stdin, without asking"),
            ("contactsd state push kept.jsonl --force", "put an older state back"),
        ],
        exits: &[
            (0, "the state is now the one that was pushed, or was already"),
            (1, "the copy is incomplete, older or of another state, the push was not approved, or a service runs"),
        ],
    },
    Help {
        verb: "state check",
        examples: &[
            ("contactsd state check", "what is wrong with the state, if anything"),
            ("contactsd state check --json", "the same as one object"),
        ],
        exits: &[(0, "nothing is wrong"), (1, "something is wrong and was reported, or there is no state")],
    },
    Help {
        verb: "state recover",
        examples: &[
            ("contactsd state recover", "show what is lost and what is left, ask, and build the state again"),
            ("contactsd state recover --auto-approve", "without asking"),
        ],
        exits: &[
            (0, "the state was built again, or nothing of it was lost"),
            (1, "there is no state, nothing of it is left, it was not approved, or a service runs"),
        ],
    },
    Help {
        verb: "state rebuild",
        examples: &[
            ("contactsd state rebuild", "read the account, show which contacts match, ask, and bind them"),
            ("contactsd state rebuild --full", "the same, with all entries listed"),
            ("contactsd state rebuild --auto-approve", "without asking"),
        ],
        exits: &[
            (0, "the entries that are certain are bound, or there was none"),
            (1, "Apollo could not be read, it was not approved, or a service runs"),
            INTERRUPTED_ASKING,
            TERMINATED_ASKING,
        ],
    },
    Help {
        verb: "state clean",
        examples: &[("contactsd state clean", "list damaged parts that were moved aside, ask, and remove them")],
        exits: &[(0, "they are removed, or there were none"), (1, "there is no state, or it was not approved")],
    },
    Help {
        verb: "schema",
        examples: &[
            ("contactsd schema contacts > contacts.schema.json", "for editors of contact files"),
            ("contactsd schema events", "for the lines that --json prints"),
        ],
        exits: &[(0, "the schema was printed"), (1, "there is no such schema")],
    },
    Help {
        verb: "completions",
        examples: &[
            ("contactsd completions bash > ~/.local/share/bash-completion/completions/contactsd", "for bash"),
            ("contactsd completions fish > ~/.config/fish/completions/contactsd.fish", "for fish"),
        ],
        exits: &[(0, "the script was printed"), (1, "the shell is not known")],
    },
    Help {
        verb: "man",
        examples: &[
            ("contactsd man | man -l -", "read all pages"),
            ("contactsd man ~/.local/share/man/man1", "install them, one file per verb"),
        ],
        exits: &[(0, "the pages were printed or written"), (1, "the directory cannot be written to")],
    },
    Help {
        verb: "version",
        examples: &[("contactsd version", "name and number")],
        exits: &[(0, "the version was printed"), (1, "stdout cannot be written to")],
    },
];

/// Puts examples and exit codes behind the help of every verb.
///
/// `-h` shows what is typed every day, `--help` everything that does something for the verb.
pub(super) fn added_to(command: Command) -> Command {
    let global: Vec<Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    with_help(command, "", &global)
}

/// The options of every verb that `-h` shows.
const COMMON: [&str; 3] = ["dir", "sandbox", "json"];

/// The options of every verb that do nothing for one that prints what the program carries with it.
const FOR_PRINTING: &[&str] = &["dir", "follow_within", "state", "sandbox", "api_url", "log_format"];

/// The same for verbs that read the contact files and nothing else.
const FOR_FILES: &[&str] = &["state", "sandbox", "api_url", "log_format"];

/// Returns the options of every verb that do nothing for this one.
fn without_effect(path: &str) -> &'static [&'static str] {
    match path {
        "explain" | "schema" | "completions" | "man" | "version" => FOR_PRINTING,
        "init" | "validate" | "fmt" => FOR_FILES,
        "sandbox" => &["follow_within", "state", "sandbox", "api_url"],
        "pause" | "resume" | "approve" | "status" => &["follow_within", "api_url"],
        _ => &[],
    }
}

fn with_help(command: Command, path: &str, global: &[Arg]) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let command = names.into_iter().fold(command, |command, name| {
        let below = format!("{path} {name}").trim_start().to_owned();
        command.mut_subcommand(&name, |verb| with_help(verb, &below, global))
    });
    // An option of every verb reaches the verbs that do not have it yet.
    let hidden = without_effect(path);
    let hidden = global.iter().filter(|arg| hidden.contains(&arg.get_id().as_str())).map(|arg| arg.clone().hide(true));
    let command = command.args(hidden).mut_args(|arg| {
        let id = arg.get_id().as_str();
        let is_common = arg.get_help_heading().is_none() || COMMON.contains(&id);
        if is_common { arg } else { arg.hide_short_help(true) }
    });
    match of(path) {
        Some(help) => {
            let examples = help.examples();
            command
                .after_help(format!("{examples}\nAll options and exit codes: contactsd {path} --help"))
                .after_long_help(format!("{examples}\n{}", help.exit_codes()))
        }
        None => command,
    }
}

/// Returns the help of a verb.
pub(super) fn of(verb: &str) -> Option<&'static Help> {
    VERBS.iter().find(|help| help.verb == verb)
}

impl Help {
    fn examples(&self) -> String {
        let mut text = "Examples:\n".to_owned();
        // A command of usual length stands beside what it is for, a long one above.
        let width = self.examples.iter().map(|(command, _)| command.len()).filter(|width| *width <= 50).max();
        let width = width.unwrap_or_default();
        for (command, what) in self.examples {
            let gap = if command.len() > width { format!("\n  {:width$}", "") } else { String::new() };
            writeln!(text, "  {command:width$}{gap}  {what}").expect("writing to a string does not fail");
        }
        text
    }

    fn exit_codes(&self) -> String {
        let mut text = "Exit codes:\n".to_owned();
        for (code, what) in self.exits {
            writeln!(text, "  {code:<3}  {what}").expect("writing to a string does not fail");
        }
        text.truncate(text.trim_end().len());
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory;

    use super::super::verbs::Cli;
    use super::*;

    fn command() -> Command {
        added_to(Cli::command())
    }

    /// Lists every verb but `help`, each as it is typed.
    fn verbs(command: &Command, path: &str, found: &mut BTreeMap<String, Command>) {
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let path = format!("{path} {}", verb.get_name()).trim_start().to_owned();
            verbs(verb, &path, found);
            found.insert(path, verb.clone());
        }
    }

    fn all() -> BTreeMap<String, Command> {
        let mut found = BTreeMap::new();
        let mut command = command();
        // Options of every verb are known to the verbs only after this.
        command.build();
        verbs(&command, "", &mut found);
        found
    }

    #[test]
    fn every_verb_says_what_it_is_for_shows_examples_and_how_it_ends() {
        let all = all();
        for (path, verb) in &all {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.len() > 10 && about.contains(' '), "{path} has no purpose: {about:?}");
            let help = of(path).unwrap_or_else(|| panic!("{path} has no help in cli/help.rs"));
            assert!(!help.examples.is_empty() && !help.exits.is_empty(), "{path}");
            let text = verb.clone().render_long_help().to_string();
            assert!(text.contains("\nExamples:\n  contactsd ") && text.contains("\nExit codes:\n"), "{path}\n{text}");
            assert!(text.contains(&about), "{path}\n{text}");
        }
        let described: Vec<_> = VERBS.iter().map(|help| help.verb).collect();
        for verb in &described {
            assert!(all.contains_key(*verb), "{verb} is described, and there is no such verb");
        }
        assert_eq!(described.len(), all.len());
    }

    /// Returns the words that the shell would give to the program.
    fn words(example: &str) -> Vec<String> {
        let command = example.split(['>', '<', '|']).next().unwrap();
        shlex::split(command).unwrap_or_else(|| panic!("{example}: quotes that do not close"))
    }

    #[test]
    fn every_example_is_understood_and_is_one_of_its_verb() {
        for help in VERBS {
            for (example, what) in help.examples {
                let start = format!("contactsd {}", help.verb);
                assert!(example.starts_with(&start), "{example}");
                assert!(!what.is_empty() && !what.ends_with('.'), "{what}");
                if let Err(error) = command().try_get_matches_from(words(example)) {
                    panic!("{example}\n{error}");
                }
            }
        }
    }

    #[test]
    fn codes_are_those_there_are_in_order_and_the_page_has_them() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md");
        let page = std::fs::read_to_string(page).unwrap();
        let mut rows = Vec::new();
        for help in VERBS {
            let codes: Vec<u8> = help.exits.iter().map(|(code, _)| *code).collect();
            assert!(codes.is_sorted() && codes.iter().all(|code| [0, 1, 2, 130, 143].contains(code)), "{}", help.verb);
            rows.extend(help.exits.iter().map(|(code, what)| format!("| `{}` | {code} | {what} |", help.verb)));
        }
        let shown: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(shown, rows, "docs/exit-codes.md should hold:\n{}", rows.join("\n"));
    }
}
