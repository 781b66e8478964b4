//! Everything that can be typed. The doc comments are the help texts.
//!
//! Every long flag also has an environment twin, which `parse` adds, so that no flag can be forgotten. Whether it may
//! stand in `contactsd.toml` is decided in `settings`, and a test asks for each.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use super::stream::{parse_beside_stdout, parse_directory, parse_stdin};
use crate::model::{ApolloId, ContactKey, Digest};
use crate::plan::{KeyPattern, Limit, Policy, Scope};
use crate::quota::{Limits, Rules};
use crate::sandbox::{DedupeReading, DeletedAnswer, Faults, Quirks, Quota, Witness};
use crate::settings::{parse_duration, parse_interval};
use crate::source::Code;

/// Contacts as code for Apollo.io: YAML files are the truth, contactsd brings Apollo in step.
#[derive(Debug, Parser)]
#[command(name = "contactsd", version, after_help = AFTER_HELP)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

const AFTER_HELP: &str = "\
Every long option has a twin in the environment, CONTACTSD_ and its name: \
CONTACTSD_DIR. Some may also stand in contactsd.toml in the working directory. \
An option beats the environment, which beats the file.

Exit codes: 0 done; 1 any error, or not everything was done; 2 changes (plan \
--detailed-exitcode only); 130 interrupted; 143 terminated.";

/// Options of every verb.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that is typed or not")]
pub(super) struct Global {
    /// Directory of contact files
    #[arg(long, value_name = "DIR", default_value = "contacts.d", value_parser = parse_directory, global = true)]
    pub(super) dir: PathBuf,
    /// Directory outside of --dir in which links below --dir may end; may be repeated
    #[arg(long, value_name = "DIR", value_delimiter = ':', value_parser = parse_directory, global = true)]
    pub(super) follow_within: Vec<PathBuf>,
    /// Directory of the state [default: .contactsd/NAME/state, NAME being the name of --dir]
    #[arg(long, value_name = "PATH", value_parser = parse_directory, global = true)]
    pub(super) state: Option<PathBuf>,
    /// Work against a stand-in for Apollo on this machine; needs no key, nothing leaves the machine
    #[arg(long, conflicts_with = "api_url", global = true)]
    pub(super) sandbox: bool,
    /// Address of the API
    #[arg(long, value_name = "URL", default_value = crate::apollo::PRODUCTION_URL, global = true)]
    pub(super) api_url: Url,
    /// When to use colors
    #[arg(long, value_name = "WHEN", global = true)]
    pub(super) color: Option<ColorWhen>,
    /// The same as --color never
    #[arg(long, conflicts_with = "color", global = true)]
    pub(super) no_color: bool,
    /// Show results, warnings and errors only
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Print JSON, one record a line, and ask nothing
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Also write what --json would print to this file, emptied first; no link
    #[arg(long, value_name = "FILE", value_parser = parse_beside_stdout, global = true)]
    pub(super) json_into: Option<PathBuf>,
    /// Form of the log on stderr; `watch` then logs everything it tells [default: text; in the journal, watch logs]
    #[arg(long, value_name = "FORMAT", global = true)]
    pub(super) log_format: Option<LogFormat>,
    /// How long to wait for the state, or for the process that has it open to tell about it
    #[arg(long, value_name = "DUR", default_value = "10s", value_parser = parse_duration, global = true, hide = true)]
    pub(super) answer_timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    Always,
    Auto,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check the contact files; sends nothing and needs no key
    Validate(ValidateArgs),
    /// Bring the contact files into one form; what they say stays the same
    Fmt(FmtArgs),
    /// Explain an error or a warning by its code, E011 for example
    Explain(ExplainArgs),
    /// Show what apply would do; sends nothing and needs no key
    Plan(PlanArgs),
    /// Bring Apollo in step with the contact files
    Apply(ApplyArgs),
    /// Show a saved plan, or what the state holds
    Show(ShowArgs),
    /// Keep Apollo in step with the contact files, as a service
    Watch(WatchArgs),
    /// Show how the running watch is doing, or what the state holds
    Status(StatusArgs),
    /// Let the running watch release the state, so that other commands can write it
    Pause,
    /// Let a paused watch go on
    Resume,
    /// Let the running watch apply one plan that passes its limits
    Approve(ApproveArgs),
    /// Serve the stand-in for Apollo until interrupted
    Sandbox(SandboxArgs),
    /// Bind an entry to a contact that Apollo has
    Import(ImportArgs),
    /// Look at what the state remembers, and correct it
    State(StateArgs),
    /// Print the JSON Schema of contact files, or of what --json prints
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the man pages, or write them into a directory
    Man(ManArgs),
    /// Print the version
    Version,
}

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Form of the findings: text, annotations for GitHub, or a SARIF log for code scanning
    #[arg(long, value_name = "FORM", default_value = "human")]
    pub(super) format: FindingsFormat,
    /// Check one file from stdin instead of the directory
    #[arg(value_name = "-", value_parser = parse_stdin)]
    pub(super) stdin: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FindingsFormat {
    Human,
    Github,
    Sarif,
    /// One JSON document, as with --json
    Json,
}

#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    /// Change nothing; list the files that are not in the form, and exit with 1 when there are any
    #[arg(long)]
    pub(super) check: bool,
    /// Change nothing; show what would change
    #[arg(long)]
    pub(super) diff: bool,
    /// Files and directories [default: --dir]; - formats stdin to stdout
    #[arg(value_name = "FILES")]
    pub(super) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Exit with 2 when there are changes, 0 when there are none
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Save the plan in this file, to be applied by `apply FILE`; it replaces a file or a link that is there. With -,
    /// stdout gets the saved plan and stderr the text
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) decisions: DecisionArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    #[command(flatten)]
    pub(super) page: PageArgs,
    #[command(flatten)]
    pub(super) view: ViewArgs,
    #[command(flatten)]
    pub(super) brakes: Brakes,
    #[command(flatten)]
    pub(super) quota: QuotaArgs,
}

/// What a person has decided about single contacts.
#[derive(Debug, Args)]
pub(super) struct DecisionArgs {
    /// Create the contact of this key again after it was deleted in Apollo; may be repeated
    #[arg(long, value_name = "KEY", value_parser = parse_address)]
    pub(super) recreate: Vec<ContactKey>,
    /// Create the contact of this key although Apollo has somebody like it, as a contact of its own; may be repeated
    #[arg(long, value_name = "KEY", value_parser = parse_address)]
    pub(super) create: Vec<ContactKey>,
}

/// How plans are shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is shown")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that is typed or not")]
pub(super) struct ViewArgs {
    /// Show (masked) in place of personal values; keys, ids and names of files stay
    #[arg(long)]
    pub(super) mask: bool,
    /// Show values where they would be masked, in Markdown
    #[arg(long, conflicts_with = "mask")]
    pub(super) no_mask: bool,
    /// Show a line for each action and each change, and no progress
    #[arg(long)]
    pub(super) concise: bool,
    /// Show actions file by file
    #[arg(long)]
    pub(super) by_file: bool,
    /// Show all actions and whole values, however many and long they are
    #[arg(long)]
    pub(super) full: bool,
}

/// What a plan is printed as.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is shown")]
pub(super) struct PageArgs {
    /// Form of the plan: text, or Markdown for a comment under a change
    #[arg(long, value_name = "FORM", default_value = "human")]
    pub(super) format: PlanFormat,
    /// Most bytes of Markdown; what is more is left out and counted
    #[arg(long, value_name = "N", default_value_t = 65_000)]
    pub(super) max_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    Human,
    Markdown,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// File that `plan --out` has saved, or - for stdin: exactly that plan is applied, without asking. It brings its own
    /// planning options
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Apply without asking if the plan has this digest, as plan printed it, and change nothing otherwise
    #[arg(long, value_name = "DIGEST", value_parser = parse_digest)]
    pub(super) expect: Option<Digest>,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) decisions: DecisionArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    #[command(flatten)]
    pub(super) view: ViewArgs,
    #[command(flatten)]
    pub(super) brakes: Brakes,
    #[command(flatten)]
    pub(super) quota: QuotaArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// File that `plan --out` has saved, or - for stdin; without one, the managed contacts are shown
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) page: PageArgs,
    #[command(flatten)]
    pub(super) view: ViewArgs,
}

#[derive(Debug, Args)]
pub(super) struct ApprovalArgs {
    /// Do not ask for approval
    #[arg(long)]
    pub(super) auto_approve: bool,
    /// Whether approval may be asked for
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub(super) input: bool,
}

/// How verbs that write get the state.
#[derive(Debug, Args)]
pub(super) struct LockArgs {
    /// How long to wait for another process that writes the state
    #[arg(long, value_name = "DUR", default_value = "0s", value_parser = parse_duration)]
    pub(super) lock_timeout: Duration,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Key of the entry, with or without "contact."
    #[arg(value_name = "KEY", value_parser = parse_address)]
    pub(super) key: ContactKey,
    /// Apollo's id of the contact, 24 hexadecimal digits
    #[arg(value_name = "ID", value_parser = parse_id)]
    pub(super) id: ApolloId,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) quota: QuotaArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
}

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Make one pass and exit
    #[arg(long)]
    pub(super) once: bool,
    /// Plan, and apply nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Look at everything again after this time, whatever was noticed
    #[arg(long, value_name = "DUR", default_value = "5m", value_parser = parse_interval)]
    pub(super) resync: Duration,
    /// Look for changes at this interval instead of being told by the system
    #[arg(long, value_name = "DUR", value_parser = parse_interval)]
    pub(super) poll: Option<Duration>,
    /// Forget a contact only when it is still absent from the files after this time
    #[arg(long, value_name = "DUR", default_value = "60s", value_parser = parse_duration)]
    pub(super) forget_after: Duration,
    /// Allow forgetting most or all managed contacts in one pass
    #[arg(long)]
    pub(super) force: bool,
    /// Stop a pass that would create more contacts, a number or N%
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(super) max_creates: Limit,
    /// Stop a pass that would update more contacts, a number or N%
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(super) max_updates: Limit,
    /// Stop a pass that would forget more contacts, a number or N%
    #[arg(long, value_name = "N")]
    pub(super) max_forgets: Option<Limit>,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) quota: QuotaArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
    #[command(flatten)]
    pub(super) listening: ListenArgs,
}

/// What a service answers over HTTP.
#[derive(Debug, Args)]
#[command(next_help_heading = "Status over HTTP")]
pub(super) struct ListenArgs {
    /// Answer /healthz, /readyz, /metrics and /status at this address; port 0 lets the system choose
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,
    /// Host name that requests may go to, beside localhost and addresses; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) listen_name: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Go on showing it: on a terminal every second, elsewhere when it changes
    #[arg(long)]
    pub(super) watch: bool,
}

/// Which part is planned.
#[derive(Debug, Args)]
#[command(next_help_heading = "Targeting")]
pub(super) struct ScopeArgs {
    /// Plan for this contact only, with or without "contact.", * and ? as wildcards; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(super) target: Vec<KeyPattern>,
    /// Leave this contact out, whatever --target says; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(super) exclude: Vec<KeyPattern>,
}

#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    /// Digest of the plan, as watch and plan show it
    #[arg(value_name = "DIGEST", value_parser = parse_digest)]
    pub(super) digest: Digest,
}

/// What stops a plan that nobody meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Brakes")]
pub(super) struct Brakes {
    /// Allow forgetting most or all managed contacts
    #[arg(long)]
    pub(super) force: bool,
    /// Refuse a plan that would create more contacts, a number or N%
    #[arg(long, value_name = "N")]
    pub(super) max_creates: Option<Limit>,
    /// Refuse a plan that would update more contacts, a number or N%
    #[arg(long, value_name = "N")]
    pub(super) max_updates: Option<Limit>,
    /// Refuse a plan that would forget more contacts, a number or N%
    #[arg(long, value_name = "N")]
    pub(super) max_forgets: Option<Limit>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Requests")]
pub(super) struct QuotaArgs {
    /// Requests per minute, hour and day to stay below, for each kind of request: 200/m,400/h,2000/d
    #[arg(long, value_name = "LIMITS")]
    pub(super) limit: Option<Limits>,
    /// Share of each quota window to leave to others
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = parse_percent)]
    pub(super) reserve: u8,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Requests")]
pub(super) struct RequestArgs {
    /// Requests under way at a time
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(super) parallelism: u16,
    /// Longest wait for quota, or for Apollo to answer again; a longer one ends the run [default: as long as the quota takes, 1h for answers]
    #[arg(long, value_name = "DUR", value_parser = parse_duration)]
    pub(super) max_wait: Option<Duration>,
    /// How long after a create without an answer its contact is looked up [default: 60s, 0s in the sandbox]
    #[arg(long, value_name = "DUR", value_parser = parse_duration)]
    pub(super) settle_after: Option<Duration>,
    /// First pause before a request is sent again; later ones double
    #[arg(long, value_name = "DUR", default_value = "500ms", value_parser = parse_duration, hide = true)]
    pub(super) retry_base: Duration,
    /// Longest time to connect
    #[arg(long, value_name = "DUR", default_value = "10s", value_parser = parse_duration)]
    pub(super) connect_timeout: Duration,
    /// Longest time for a whole request
    #[arg(long, value_name = "DUR", default_value = "60s", value_parser = parse_duration)]
    pub(super) request_timeout: Duration,
}

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// Loopback address to listen at; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// Directory of its data [default: .contactsd/NAME/sandbox/data, NAME being the name of --dir]
    #[arg(long, value_name = "PATH", value_parser = parse_directory)]
    pub(super) data: Option<PathBuf>,
    /// Limits to enforce, 200/m,400/h,2000/d for example [default: none]
    #[arg(long, value_name = "LIMITS")]
    pub(super) quota: Option<Quota>,
    /// What a create with `run_dedupe` does to a contact it matches
    #[arg(long, value_name = "READING", default_value = "overwrite")]
    pub(super) dedupe: DedupeReading,
    /// Faults with their probabilities: lost-reply=0.1,html-502=0.05
    #[arg(long, value_name = "FAULTS")]
    pub(super) fault: Option<Faults>,
    /// Habits of an unusual server, for all requests: stores-nfc,no-date
    #[arg(long, value_name = "QUIRKS")]
    pub(super) quirk: Option<Quirks>,
    /// How long a change takes to show in searches
    #[arg(long, value_name = "DUR", default_value = "0s", value_parser = parse_duration)]
    pub(super) search_lag: Duration,
    /// By what a create shows that it matched: all, dedupe-result, was-existing or created-at
    #[arg(long, value_name = "WITNESS", default_value = "all", hide = true)]
    pub(super) witness: Witness,
    /// How a deleted contact is answered: 422-ids, 422, 422-unknown, 404, 410 or person-deleted
    #[arg(long, value_name = "ANSWER", default_value = "422-ids", hide = true)]
    pub(super) deleted_answer: DeletedAnswer,
    /// Seed of the faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct StateArgs {
    #[command(subcommand)]
    pub(super) verb: StateVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum StateVerb {
    /// List the managed contacts
    List,
    /// Show what is known of one contact
    Show {
        /// Key of the contact, with or without "contact."
        #[arg(value_name = "KEY", value_parser = parse_address)]
        key: ContactKey,
    },
    /// Stop managing contacts; they stay in Apollo as they are
    Rm {
        /// Keys of the contacts, with or without "contact."
        #[arg(value_name = "KEY", required = true, value_parser = parse_address)]
        keys: Vec<ContactKey>,
        #[command(flatten)]
        approval: ApprovalArgs,
        #[command(flatten)]
        lock: LockArgs,
    },
    /// Manage the contact of one key under another
    Mv {
        /// Key it has, with or without "contact."
        #[arg(value_name = "FROM", value_parser = parse_address)]
        from: ContactKey,
        /// Key it gets
        #[arg(value_name = "TO", value_parser = parse_address)]
        to: ContactKey,
        #[command(flatten)]
        approval: ApprovalArgs,
        #[command(flatten)]
        lock: LockArgs,
    },
    /// Write the whole state to stdout, to keep it or to push it elsewhere
    Pull {
        #[command(flatten)]
        lock: LockArgs,
    },
    /// Replace the whole state by one that was pulled, once that is approved
    Push(PushArgs),
}

#[derive(Debug, Args)]
pub(super) struct PushArgs {
    /// File that holds a pulled state, or - for stdin
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Replace the state even by an older one, by another one of the same serial, or by one that never was the same
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// What the schema is of
    #[arg(value_name = "WHAT")]
    pub(super) of: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// One document of a contact file, for editors that complete and check
    Contacts,
    /// One line of plan, apply, import, watch and sandbox with --json
    Events,
    /// A plan as one document
    Plan,
    /// What validate --json prints
    Validate,
    /// One line of state list --json
    StateList,
    /// What state show --json prints
    StateShow,
    /// One line of what state pull prints
    StatePull,
    /// What status --json prints, and /status of watch --listen
    Status,
    /// What version --json prints
    Version,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Shell to complete for
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Code in brackets behind a message, in capitals or not
    #[arg(value_name = "CODE", value_parser = parse_code)]
    pub(super) code: Code,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Directory to write to, a file for each verb; without one or with -, all pages go to stdout
    #[arg(value_name = "DIR")]
    pub(super) into: Option<PathBuf>,
}

/// The options of `apply` that make its plan; a saved plan was made already.
pub(super) const PLANNING: [&str; 8] =
    ["recreate", "create", "target", "exclude", "force", "max_creates", "max_updates", "max_forgets"];

impl Brakes {
    pub(super) fn policy(&self, decisions: &DecisionArgs, scope: &ScopeArgs) -> Policy {
        Policy {
            force: self.force,
            max_creates: self.max_creates,
            max_updates: self.max_updates,
            max_forgets: self.max_forgets,
            recreate: decisions.recreate.iter().cloned().collect(),
            create: decisions.create.iter().cloned().collect(),
            scope: Scope::new(&scope.target, &scope.exclude),
        }
    }
}

impl WatchArgs {
    pub(super) fn policy(&self) -> Policy {
        Policy {
            force: self.force,
            max_creates: Some(self.max_creates),
            max_updates: Some(self.max_updates),
            max_forgets: self.max_forgets,
            recreate: BTreeSet::new(),
            create: BTreeSet::new(),
            scope: Scope::default(),
        }
    }
}

impl QuotaArgs {
    pub(super) fn rules(&self) -> Rules {
        Rules { limits: self.limit.unwrap_or_default(), reserve_percent: self.reserve }
    }
}

/// Writes the options of a plan that say what it is for, as they are typed: ` --target ada`.
pub(super) fn planning_options(policy: &Policy) -> String {
    let Policy { recreate, create, scope, force: _, max_creates: _, max_updates: _, max_forgets: _ } = policy;
    let option = |flag: &str, value: &str| {
        // A shell would look for files of these names.
        let quote = if value.contains(['*', '?']) { "'" } else { "" };
        format!(" --{flag} {quote}{value}{quote}")
    };
    let recreate = recreate.iter().map(|key| option("recreate", key.as_str()));
    let target = scope.target().iter().map(|pattern| option("target", pattern.as_str()));
    let exclude = scope.exclude().iter().map(|pattern| option("exclude", pattern.as_str()));
    let create = create.iter().map(|key| option("create", key.as_str()));
    recreate.chain(create).chain(target).chain(exclude).collect()
}

fn parse_percent(text: &str) -> Result<u8, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).parse();
    percent.ok().filter(|percent| *percent < 100).ok_or_else(|| format!("{text:?} is no percentage from 0% to 99%"))
}

fn parse_code(text: &str) -> Result<Code, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']').to_ascii_uppercase();
    let last = Code::ALL.last().expect("there are codes");
    Code::named(&bare).ok_or_else(|| format!("there is no code {text:?}; they are {} to {last}", Code::ALL[0]))
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    let is_digest = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digest = is_digest.then(|| Digest(text.to_lowercase()));
    digest.ok_or_else(|| format!("{text:?} is no digest of a plan: 32 hexadecimal digits"))
}

fn parse_id(text: &str) -> Result<ApolloId, String> {
    ApolloId::parse(text).ok_or_else(|| format!("{text:?} is no contact id: 24 hexadecimal digits"))
}

fn parse_address(text: &str) -> Result<ContactKey, String> {
    ContactKey::parse(text.strip_prefix("contact.").unwrap_or(text)).map_err(|error| error.to_string())
}
