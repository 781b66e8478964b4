//! The command line: what was typed, which verb it is, and how the process ends.
//!
//! A verb builds the options of an operation, calls it and shows the result; it decides nothing else.

mod apply;
mod apply_file;
mod approve;
mod args;
mod completions;
mod connection;
mod context;
mod explain;
mod first_process;
mod fmt;
mod help;
mod import;
mod listening;
mod logging;
mod man;
mod observer;
mod output_file;
mod parse;
mod pause;
mod plan;
mod reading;
mod resume;
mod sandbox;
mod saved;
mod schema;
mod service;
mod show;
mod signals;
mod state;
mod status;
mod stream;
mod supervisor;
mod transfer;
mod usage;
mod validate;
mod version;
mod view;
mod wanted;
mod watch;

use std::ffi::OsString;

use args::{Cli, Verb};
use context::Context;

use crate::failpoints::{Step, reached};
use crate::settings::Environment;

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
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let (cli, mut context) = match parse::parse(arguments.clone(), environment) {
        Ok(parsed) => parsed,
        Err(exit) => return exit,
    };
    context.arguments = arguments;
    logging::start(&mut context, &cli);
    first_process::hear_signals(&mut context);
    reached(Step::Started);
    let exit = dispatch(cli, &mut context);
    context.finish(exit)
}

fn dispatch(cli: Cli, context: &mut Context) -> Exit {
    match cli.verb {
        Verb::Validate(args) => validate::run(&args, context),
        Verb::Plan(args) => plan::run(&args, context),
        Verb::Apply(args) => apply::run(&args, context),
        Verb::Show(args) => show::run(&args, context),
        Verb::Watch(args) => watch::run(&args, context),
        Verb::Status(args) => status::run(&args, context),
        Verb::Pause => pause::run(context),
        Verb::Resume => resume::run(context),
        Verb::Approve(args) => approve::run(&args, context),
        Verb::Sandbox(args) => sandbox::run(args, context),
        Verb::Import(args) => import::run(&args, context),
        Verb::State(args) => state::run(&args, context),
        Verb::Schema(args) => schema::run(&args, context),
        Verb::Completions(args) => completions::run(&args, context),
        Verb::Fmt(args) => fmt::run(&args, context),
        Verb::Explain(args) => explain::run(&args, context),
        Verb::Man(args) => man::run(&args, context),
        Verb::Version => version::run(context),
    }
}
