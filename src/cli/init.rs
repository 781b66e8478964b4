//! `contactsd init`.

use std::io::IsTerminal;
use std::path::Path;

use clap::{Args, ValueEnum};

use super::Exit;
use super::context::Context;
use super::run::answered;
use crate::ops::{self, Init, Laid, Pipeline};
use crate::settings::{Forge, Repository};
use crate::shell_word::command;
use crate::ui::{NextCommands, escape, init_summary, laid_record, laid_text, pipeline_prompt, words};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Also write the files of a pipeline that plans, applies and looks for drift; without a value, for the forge of the
    /// git remote
    #[arg(long, value_name = "FORGE", num_args = 0..=1, default_missing_value = "auto")]
    pub(super) pipeline: Option<PipelineFor>,
    /// Whether contactsd may ask about a pipeline
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub(super) input: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PipelineFor {
    /// The forge of the git remote
    Auto,
    Github,
    Gitlab,
    /// No pipeline, and no question
    None,
}

pub(super) fn run(args: &InitArgs, context: &mut Context) -> Exit {
    let repository = Repository::around(&context.environment.directory);
    let top = repository.as_ref().map_or(Path::new(""), |repository| &repository.top);
    let found = repository.as_ref().and_then(|repository| repository.forge.as_ref());
    let named = match args.pipeline {
        Some(PipelineFor::Github) => Some(Forge::GitHub),
        Some(PipelineFor::Gitlab) => Some(Forge::GitLab),
        Some(PipelineFor::Auto) => {
            let Some((forge, _)) = found else {
                context.shell.message(&words::forge_unknown(repository.is_some()));
                return Exit::Failure;
            };
            Some(*forge)
        }
        Some(PipelineFor::None) => None,
        None => found.filter(|(forge, host)| asked_for(args, *forge, host, top, context)).map(|(forge, _)| *forge),
    };
    let pipeline = named.map(|forge| Pipeline { forge, top });
    let Context { shell, locations, bounds, .. } = context;
    let mut laid: Vec<Laid> = Vec::new();
    let init = Init { here: Path::new(""), contacts: &locations.contacts, bounds, pipeline };
    let outcome = ops::init(init, |one| {
        shell.result_as(laid_text(&one), [laid_record(&one)]);
        laid.push(one);
    });
    if let Err(error) = outcome {
        shell.message(&words::not_laid_out(&error, !laid.is_empty()));
        return Exit::Failure;
    }
    let try_it = if context.sandbox { "apply" } else { "apply --sandbox" };
    let (plan, try_it) = (command("plan"), command(try_it));
    let next = NextCommands { plan: &escape(&plan), try_it: &escape(&try_it) };
    let next = (!context.environment.in_automation()).then_some(next);
    context.shell.status(init_summary(&laid, named, next));
    Exit::Success
}

/// Asks whether to write a pipeline, if there is a terminal and no pipeline yet.
fn asked_for(args: &InitArgs, forge: Forge, host: &str, top: &Path, context: &mut Context) -> bool {
    let may_ask = args.input && !context.shell.speaks_json() && std::io::stdin().is_terminal();
    if !may_ask || ops::has_pipeline(Pipeline { forge, top }) {
        return false;
    }
    let prompt = pipeline_prompt(forge, host, context.shell.stdout().color);
    answered(context, &prompt)
}
