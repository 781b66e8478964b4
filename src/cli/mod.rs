//! The command line: what was typed, which verb it is, and how the process ends.
//!
//! A verb builds the options of an operation, calls it and shows the result; it decides nothing else.

mod apply;
mod args;
mod completions;
mod connection;
mod context;
mod help;
mod import;
mod logging;
mod man;
mod parse;
mod plan;
mod reading;
mod sandbox;
mod saved;
mod show;
mod signals;
mod state;
mod usage;
mod validate;
mod version;
mod wanted;
mod watch;

use std::ffi::OsString;

use args::{Cli, StateVerb, Verb};
use context::Context;

use crate::failpoints::{Step, reached};
use crate::ops::Clock;
use crate::settings::Environment;
use crate::ui::json::Layout;

/// How the process ends; the table of exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// Any error, usage included, and partial failure.
    Failure,
    /// There are changes, asked for by `plan --detailed-exitcode`.
    Difference,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Difference => 2,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

/// Runs the command that `arguments` spell, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> Exit {
    let (cli, mut context) = match parse::parse(arguments, environment) {
        Ok(parsed) => parsed,
        Err(exit) => return exit,
    };
    logging::start(&mut context);
    let (layout, does) = machine_output(&cli.verb);
    context.shell.lay_out(layout);
    if does == Does::Something {
        let clock = Clock::system();
        context.shell.tell_time(move || clock.now());
    }
    reached(Step::Started);
    let exit = dispatch(cli, &mut context);
    context.finish(exit)
}

/// Whether a verb changes anything or only looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Its records are the same for the same input, so they tell no time.
    Nothing,
    /// Its records tell when.
    Something,
}

/// Says how a verb speaks to programs; `docs/json.md` tells the same.
fn machine_output(verb: &Verb) -> (Layout, Does) {
    match verb {
        Verb::Plan(_) | Verb::Show(_) | Verb::Completions(_) | Verb::Man(_) => (Layout::Stream, Does::Nothing),
        Verb::Apply(_) | Verb::Watch(_) | Verb::Import(_) | Verb::Sandbox(_) => (Layout::Stream, Does::Something),
        Verb::State(args) => match &args.verb {
            StateVerb::List | StateVerb::Show { .. } => (Layout::Document, Does::Nothing),
            StateVerb::Rm { .. } | StateVerb::Mv { .. } => (Layout::Stream, Does::Something),
        },
        Verb::Validate | Verb::Version => (Layout::Document, Does::Nothing),
    }
}

fn dispatch(cli: Cli, context: &mut Context) -> Exit {
    match cli.verb {
        Verb::Validate => validate::run(context),
        Verb::Plan(args) => plan::run(&args, context),
        Verb::Apply(args) => apply::run(&args, context),
        Verb::Show(args) => show::run(&args, context),
        Verb::Watch(args) => watch::run(&args, context),
        Verb::Sandbox(args) => sandbox::run(args, context),
        Verb::Import(args) => import::run(&args, context),
        Verb::State(args) => state::run(&args, context),
        Verb::Completions(args) => completions::run(&args, context),
        Verb::Man(args) => man::run(&args, context),
        Verb::Version => version::run(context),
    }
}
