//! Arguments that several verbs have in common. The doc comments are the help texts.
//!
//! Every long flag also has an environment twin, which `parse` adds, so that no flag can be forgotten. Whether it may
//! stand in `contactsd.toml` is decided in `settings`, and a test asks for each.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use url::Url;

use super::stream;
use crate::model::{Batching, ContactKey, Digest};
use crate::plan::{KeyPattern, Limit, Policy, Scope};
use crate::quota::{Limits, Rules};
use crate::settings::parse_duration;

/// Options of every verb.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that is typed or not")]
pub(super) struct Global {
    /// Directory of contact files
    #[arg(long, value_name = "DIR", default_value = "contacts.d", value_parser = stream::directory(), global = true)]
    pub(super) dir: PathBuf,
    /// Directory outside of --dir in which links below --dir may end; may be repeated
    #[arg(long, value_name = "DIR", value_delimiter = ':', value_parser = stream::directory(), global = true)]
    pub(super) follow_within: Vec<PathBuf>,
    /// Directory of the state [default: .contactsd/NAME/state, NAME being the name of --dir]
    #[arg(long, value_name = "PATH", value_parser = stream::directory(), global = true)]
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
    #[arg(long, value_name = "FILE", value_parser = stream::beside_stdout(), global = true)]
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
#[command(next_help_heading = "Requests")]
pub(super) struct QuotaArgs {
    /// Requests per minute, hour and day to stay below, for each kind of request: 200/m,400/h,2000/d
    #[arg(long, value_name = "LIMITS")]
    pub(super) limit: Option<Limits>,
    /// Share of each quota window to leave to others
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = parse_percent)]
    pub(super) reserve: u8,
    /// Contacts that go out by one request, at most; 1 sends each by a request of its own
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(super) batch: u16,
    /// Whether contacts that are created together are looked for first; off trusts Apollo to leave those as they are that it has
    #[arg(long, value_name = "WHEN", default_value = "on")]
    pub(super) look: Look,
}

/// Whether somebody looks before contacts are created together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Look {
    On,
    Off,
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
    /// How long after a create without an answer its contact is looked up [default: 60s, 300s for many at once, 0s in the sandbox]
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

impl QuotaArgs {
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
    percent.ok().filter(|percent| *percent < 100).ok_or_else(|| format!("{text:?} is no percentage from 0% to 99%"))
}

pub(super) fn parse_digest(text: &str) -> Result<Digest, String> {
    let is_digest = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digest = is_digest.then(|| Digest(text.to_lowercase()));
    digest.ok_or_else(|| format!("{text:?} is no digest of a plan: 32 hexadecimal digits"))
}

pub(super) fn parse_address(text: &str) -> Result<ContactKey, String> {
    ContactKey::parse(text.strip_prefix("contact.").unwrap_or(text)).map_err(|error| error.to_string())
}
