//! The verbs, and the machine output of each. The arguments of a verb are in the file of the verb.

use clap::{Parser, Subcommand};

use super::apply::ApplyArgs;
use super::approve::ApproveArgs;
use super::args::Global;
use super::completions::CompletionsArgs;
use super::convert::ConvertArgs;
use super::drift::DriftArgs;
use super::explain::ExplainArgs;
use super::export::ExportArgs;
use super::fmt::FmtArgs;
use super::forget::ForgetArgs;
use super::import::ImportArgs;
use super::init::InitArgs;
use super::lookup::LookupArgs;
use super::man::ManArgs;
use super::plan::PlanArgs;
use super::probe::ProbeArgs;
use super::sandbox::SandboxArgs;
use super::schema::SchemaArgs;
use super::show::ShowArgs;
use super::state::{StateArgs, StateVerb};
use super::status::StatusArgs;
use super::validate::ValidateArgs;
use super::watch::WatchArgs;
use super::why::WhyArgs;
use crate::ui::json::Layout;

/// Contacts as code for Apollo.io: YAML files say which contacts there are, and contactsd changes Apollo to match them.
#[derive(Debug, Parser)]
#[command(name = "contactsd", version = env!("BUILT_VERSION"), after_help = AFTER_HELP)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

const AFTER_HELP: &str = "\
Every long option can also be set by a variable: --dir by CONTACTSD_DIR. Some can \
be set in contactsd.toml in the working directory. An option wins over a variable, \
and a variable over the file.

Exit codes: 0 done; 1 any error, or not everything was done; 2 changes (plan \
or drift with --detailed-exitcode); 130 interrupted; 143 terminated.";

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a directory of contact files with a first entry, and a pipeline if you want one
    Init(InitArgs),
    /// Check the contact files; sends nothing and needs no key
    Validate(ValidateArgs),
    /// Bring the contact files into one form; what they say stays the same
    Fmt(FmtArgs),
    /// Explain an error or a warning by its code, E011 for example
    Explain(ExplainArgs),
    /// Show what apply would do; changes nothing, and needs a key only to look up names or with --refresh
    Plan(PlanArgs),
    /// Change Apollo to match the contact files
    Apply(ApplyArgs),
    /// Show what has changed in Apollo since it was applied; changes nothing
    Drift(DriftArgs),
    /// Write contacts that Apollo has as contact files, each with its id; changes nothing in Apollo
    Export(ExportArgs),
    /// Write the people of CSV files as contact files; sends nothing and needs no key
    Convert(ConvertArgs),
    /// Show a saved plan, or what the state holds
    Show(ShowArgs),
    /// Keep changing Apollo to match the contact files, as a service
    Watch(WatchArgs),
    /// Show how the running watch is doing, or what the state holds
    Status(StatusArgs),
    /// Make the running watch release the state, so that other commands can write it
    Pause,
    /// Let a paused watch continue
    Resume,
    /// Let the running watch apply one plan that exceeds its limits
    Approve(ApproveArgs),
    /// Find out what Apollo's documentation leaves open, with up to five contacts in a test workspace
    Probe(ProbeArgs),
    /// Serve the stand-in for Apollo until interrupted
    Sandbox(SandboxArgs),
    /// Bind an entry to a contact that Apollo has
    Import(ImportArgs),
    /// Show what is known about a contact, what the next apply would do with it, and why
    Why(WhyArgs),
    /// Remove every trace of a person from the state; asks first
    Forget(ForgetArgs),
    /// List the stages, custom fields or lists that Apollo has, with their ids
    Lookup(LookupArgs),
    /// Show what the state remembers, and correct it
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

/// Whether a verb changes anything or only looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// Its records are the same for the same input, so they tell no time.
    Nothing,
    /// Its records tell when.
    Something,
}

impl Verb {
    /// Says how a verb speaks to programs; `docs/json.md` tells the same.
    pub(super) fn machine_output(&self) -> (Layout, Does) {
        match self {
            Self::Plan(_) | Self::Completions(_) | Self::Explain(_) | Self::Man(_) => (Layout::Stream, Does::Nothing),
            Self::Apply(_)
            | Self::Watch(_)
            | Self::Import(_)
            | Self::Fmt(_)
            | Self::Init(_)
            | Self::Export(_)
            | Self::Convert(_)
            | Self::Sandbox(_)
            | Self::Pause
            | Self::Resume
            | Self::Approve(_)
            | Self::Forget(_) => (Layout::Stream, Does::Something),
            Self::State(args) => match &args.verb {
                StateVerb::List { .. } | StateVerb::Show { .. } | StateVerb::Pull { .. } | StateVerb::Check { .. } => {
                    (Layout::Document, Does::Nothing)
                }
                StateVerb::Rm { .. }
                | StateVerb::Mv { .. }
                | StateVerb::Push(_)
                | StateVerb::Recover { .. }
                | StateVerb::Rebuild(_)
                | StateVerb::Clean { .. } => (Layout::Stream, Does::Something),
            },
            Self::Probe(_) | Self::Drift(_) | Self::Lookup(_) => (Layout::Document, Does::Something),
            Self::Why(_) | Self::Status(_) | Self::Validate(_) | Self::Show(_) | Self::Version | Self::Schema(_) => {
                (Layout::Document, Does::Nothing)
            }
        }
    }
}
