//! The command line: what was typed, which verb it is, and how the process ends.
//!
//! A verb builds the options of an operation, calls it and shows the result; it decides nothing else.

mod apply;
mod apply_file;
mod approve;
mod args;
mod complete;
mod completions;
mod connection;
mod context;
mod convert;
mod current;
mod drift;
mod exit;
mod explain;
mod export;
mod first_process;
mod fmt;
mod forget;
mod help;
mod import;
mod init;
mod lease;
mod listening;
mod loading;
mod logging;
mod lookup;
mod man;
mod mending;
mod names;
mod observer;
mod output_file;
mod parse;
mod pause;
mod plan;
mod probe;
mod reading;
mod rebuild;
mod resume;
mod run;
mod sandbox;
mod saved;
mod schema;
mod service;
mod show;
mod showing;
mod signals;
mod spared;
mod stand_in;
mod state;
mod status;
mod stream;
mod supervisor;
mod transfer;
mod usage;
mod validate;
mod verbs;
mod version;
mod view;
mod wanted;
mod watch;
mod why;

use std::ffi::OsString;

use clap::CommandFactory;
use context::Context;
use verbs::{Cli, Verb};

pub use exit::Exit;

use crate::failpoints::{Step, reached};
use crate::settings::Environment;
use crate::ui::words::command_line::other_verb;

/// Runs the command that `arguments` spell, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(exit) = complete::answer(&arguments, &environment) {
        return exit;
    }
    let (cli, mut context) = match parse::parse(arguments.clone(), environment) {
        Ok(parsed) => parsed,
        Err(exit) => return exit,
    };
    logging::start(&mut context, &cli.global, matches!(cli.verb, Verb::Watch(_)));
    first_process::hear_signals_if_first(&mut context);
    reached(Step::Started);
    let exit = dispatch(cli.verb, &arguments, &mut context);
    context.finish(exit)
}

fn dispatch(verb: Verb, arguments: &[OsString], context: &mut Context) -> Exit {
    match verb {
        Verb::Init(args) => init::run(&args, context),
        Verb::Validate(args) => validate::run(&args, context),
        Verb::Plan(args) => plan::run(&args, context),
        Verb::Apply(args) => match &args.file {
            Some(file) => apply_file::run(file, &args, context),
            None => apply::run(&args, context),
        },
        Verb::Drift(args) => drift::run(&args, context),
        Verb::Export(args) => export::run(&args, context),
        Verb::Convert(args) => convert::run(&args, context),
        Verb::Show(args) => show::run(&args, context),
        Verb::Watch(args) => {
            let again = |environment: &Environment| match parse::parse_again(arguments, environment)?.verb {
                Verb::Watch(args) => Ok(args),
                other => Err(other_verb(&other)),
            };
            watch::run(&args, &again, context)
        }
        Verb::Status(args) => status::run(&args, context),
        Verb::Pause => pause::run(context),
        Verb::Resume => resume::run(context),
        Verb::Approve(args) => approve::run(&args, context),
        Verb::Probe(args) => probe::run(&args, context),
        Verb::Sandbox(args) => sandbox::run(args, context),
        Verb::Import(args) => import::run(&args, context),
        Verb::Why(args) => why::run(&args, context),
        Verb::Forget(args) => forget::run(&args, context),
        Verb::Lookup(args) => lookup::run(&args, context),
        Verb::State(args) => state::run(&args, context),
        Verb::Schema(args) => schema::run(&args, context),
        Verb::Completions(args) => {
            completions::run(&args, complete::visible(&help::added_to(Cli::command()), &[]), context)
        }
        Verb::Fmt(args) => fmt::run(&args, context),
        Verb::Explain(args) => explain::run(&args, context),
        Verb::Man(args) => man::run(&args, help::added_to(Cli::command()), context),
        Verb::Version => version::run(context),
    }
}
