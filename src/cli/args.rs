//! Arguments that several verbs have in common. The doc comments are the help texts.
//!
//! Every long flag also has an environment twin, which `parse` adds, so that no flag can be forgotten. Whether it may
//! stand in `contactsd.toml` is decided in `settings`, and a test asks for each.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use url::Url;

use super::stream;
use crate::model::{Batching, ContactKey, Digest};
use crate::plan::{KeyPattern, Limit, Policy, Scope};
use crate::quota::{Limits, Rules};
use crate::settings::parse_duration;
use crate::ui::words::command_line::{no_count, no_digest, no_few, no_percentage};

/// Options of every verb.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that is typed or not")]
pub(super) struct Global {
    /// Directory of contact files
    #[arg(long, value_name = "DIR", default_value = "contacts.d", value_parser = stream::directory(), global = true)]
    pub(super) dir: PathBuf,
    /// Directory outside of --dir that symbolic links in --dir are allowed to point to; may be repeated
    #[arg(long, value_name = "DIR", value_delimiter = ':', value_parser = stream::directory(), global = true)]
    pub(super) follow_within: Vec<PathBuf>,
    /// Directory of the state, or the postgres:// URL of a database [default: .contactsd/NAME/state, where NAME is the name of --dir]
    #[arg(long, value_name = "PATH", value_parser = stream::directory(), global = true)]
    pub(super) state: Option<PathBuf>,
    /// Use a stand-in for Apollo on this machine; needs no key, nothing leaves the machine
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
    /// Print JSON, one record per line, and never ask
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Also write the --json output to this file; the file is emptied first and must not be a link
    #[arg(long, value_name = "FILE", value_parser = stream::beside_stdout(), global = true)]
    pub(super) json_into: Option<PathBuf>,
    /// Format of the log on stderr; when it is given, or when stderr is the journal, `watch` logs everything that it reports [default: text]
    #[arg(long, value_name = "FORMAT", global = true)]
    pub(super) log_format: Option<LogFormat>,
    /// How long to wait for the state, or for an answer from the process that has it open
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

/// What a person has decided about single contacts.
#[derive(Debug, Args)]
pub(super) struct DecisionArgs {
    /// Create the contact of this key again after it was deleted in Apollo; may be repeated
    #[arg(long, value_name = "KEY", value_parser = parse_address)]
    pub(super) recreate: Vec<ContactKey>,
    /// Create a new contact for this key although Apollo has a contact like it; may be repeated
    #[arg(long, value_name = "KEY", value_parser = parse_address)]
    pub(super) create: Vec<ContactKey>,
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

/// Limits that stop a plan with unintended changes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Brakes")]
pub(super) struct Brakes {
    /// Allow forgetting most or all managed contacts
    #[arg(long)]
    pub(super) force: bool,
    /// Refuse a plan that would create more contacts than this number or N%
    #[arg(long, value_name = "N")]
    pub(super) max_creates: Option<Limit>,
    /// Refuse a plan that would update more contacts than this number or N%
    #[arg(long, value_name = "N")]
    pub(super) max_updates: Option<Limit>,
    /// Refuse a plan that would forget more contacts than this number or N%
    #[arg(long, value_name = "N")]
    pub(super) max_forgets: Option<Limit>,
}

/// How plans are shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is shown")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that is typed or not")]
pub(super) struct ViewArgs {
    /// Show (masked) in place of personal values; keys, ids and file names stay visible
    #[arg(long)]
    pub(super) mask: bool,
    /// Show personal values in Markdown, which masks them by default
    #[arg(long, conflicts_with = "mask")]
    pub(super) no_mask: bool,
    /// Show one line for each action and each change, and no progress
    #[arg(long)]
    pub(super) concise: bool,
    /// Show actions file by file
    #[arg(long)]
    pub(super) by_file: bool,
    /// Show all actions and full values, even if there are many or they are long
    #[arg(long)]
    pub(super) full: bool,
}

/// What a plan is printed as.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is shown")]
pub(super) struct PageArgs {
    /// Format of the plan: text, or Markdown for a comment on a pull request
    #[arg(long, value_name = "FORM", default_value = "human")]
    pub(super) format: PlanFormat,
    /// Largest size of the Markdown in bytes; what does not fit is left out and counted
    #[arg(long, value_name = "N", default_value_t = 65_000, value_parser = parse_count::<usize>)]
    pub(super) max_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    Human,
    Markdown,
}

#[derive(Debug, Args)]
pub(super) struct ApprovalArgs {
    /// Do not ask for approval
    #[arg(long)]
    pub(super) auto_approve: bool,
    /// Whether contactsd may ask for approval
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

/// Whether to look for contacts before they are created together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Look {
    On,
    Off,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Requests")]
pub(super) struct RequestArgs {
    /// Requests per minute, hour and day to stay below, for each kind of request: 200/m,400/h,2000/d
    #[arg(long, value_name = "LIMITS")]
    pub(super) limit: Option<Limits>,
    /// Share of each quota window to leave to others
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = parse_percent)]
    pub(super) reserve: u8,
    /// Largest number of contacts in one request; 1 sends each in a request of its own
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = parse_few)]
    pub(super) batch: u16,
    /// Whether to look for contacts before they are created in one request; off trusts Apollo not to change contacts that it already has
    #[arg(long, value_name = "WHEN", default_value = "on")]
    pub(super) look: Look,
    /// Number of requests at the same time
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = parse_few)]
    pub(super) parallelism: u16,
    /// Longest wait for quota, or for Apollo to answer again; a longer one ends the run [default: as long as the quota takes, 1h for answers]
    #[arg(long, value_name = "DUR", value_parser = parse_duration)]
    pub(super) max_wait: Option<Duration>,
    /// How long to wait before looking for a contact whose create request got no answer [default: 60s, 300s for many at once, 0s in the sandbox]
    #[arg(long, value_name = "DUR", value_parser = parse_duration)]
    pub(super) settle_after: Option<Duration>,
    /// First pause before a request is sent again; later ones double
    #[arg(long, value_name = "DUR", default_value = "500ms", value_parser = parse_duration, hide = true)]
    pub(super) retry_base: Duration,
    /// Longest time to connect
    #[arg(long, value_name = "DUR", default_value = "10s", value_parser = parse_duration)]
    pub(super) connect_timeout: Duration,
    /// Longest time for a whole request; one for many contacts may take five times as long
    #[arg(long, value_name = "DUR", default_value = "60s", value_parser = parse_duration)]
    pub(super) request_timeout: Duration,
}

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

impl RequestArgs {
    pub(super) fn rules(&self) -> Rules {
        Rules {
            limits: self.limit.unwrap_or_default(),
            reserve_percent: self.reserve,
            batching: Batching { looks: self.look == Look::On, ..Batching::of(usize::from(self.batch)) },
        }
    }
}

fn parse_percent(text: &str) -> Result<u8, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).parse();
    percent.ok().filter(|percent| *percent < 100).ok_or_else(|| no_percentage(text))
}

/// Takes a number of requests, or of contacts in one.
fn parse_few(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|number| (1..=100).contains(number)).ok_or_else(|| no_few(text))
}

/// Takes a whole number.
pub(super) fn parse_count<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| no_count(text))
}

pub(super) fn parse_digest(text: &str) -> Result<Digest, String> {
    let is_digest = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digest = is_digest.then(|| Digest(text.to_lowercase()));
    digest.ok_or_else(|| no_digest(text))
}

pub(super) fn parse_address(text: &str) -> Result<ContactKey, String> {
    ContactKey::parse(text.strip_prefix("contact.").unwrap_or(text)).map_err(|error| error.to_string())
}
