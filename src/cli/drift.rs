//! `contactsd drift`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc::UnboundedReceiver;

use super::args::{RequestArgs, parse_count};
use super::connection::{self, close_sandbox, session_error};
use super::context::Context;
use super::reading::drift_error;
use super::run::{block_on, channel, driven};
use super::{Exit, loading, reading, showing, signals, stand_in};
use crate::ops::{self, Desired, Drift, Event, SessionOptions, Viewer, Want};
use crate::settings::Checkout;
use crate::shell_word::command;
use crate::state::Snapshot;
use crate::ui::json::DriftDocument;
use crate::ui::words::system::{OneStdout, exclude_each_other};
use crate::ui::{DriftPage, DriftText, Mask, annotations, words};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that is typed or not")]
pub(super) struct DriftArgs {
    /// Exit with 2 when contacts have changed in Apollo, and with 0 when none have
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Format of the output: text, Markdown for an issue, or annotations for GitHub
    #[arg(long, value_name = "FORM", default_value = "human", help_heading = "What is shown")]
    pub(super) format: DriftFormat,
    /// Largest size of the Markdown in bytes; what does not fit is left out and counted
    #[arg(long, value_name = "N", default_value_t = 65_000, value_parser = parse_count::<usize>, help_heading = "What is shown")]
    pub(super) max_bytes: usize,
    /// Show (masked) in place of personal values; keys, ids and file names stay visible
    #[arg(long, help_heading = "What is shown")]
    pub(super) mask: bool,
    /// Show personal values in Markdown, which masks them by default
    #[arg(long, conflicts_with = "mask", help_heading = "What is shown")]
    pub(super) no_mask: bool,
    /// Show full values, even if they are long
    #[arg(long, help_heading = "What is shown")]
    pub(super) full: bool,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DriftFormat {
    Human,
    Markdown,
    Github,
}

pub(super) fn run(args: &DriftArgs, context: &mut Context) -> Exit {
    if args.format != DriftFormat::Human && context.shell.speaks_json() {
        return context.fail(&exclude_each_other(OneStdout::DriftAndDocument));
    }
    let is_page = args.format == DriftFormat::Markdown;
    if is_page {
        context.shell.keep_messages();
    }
    let masked = args.mask || (is_page && !args.no_mask);
    context.view.mask = if masked { Mask::On } else { Mask::Off };
    context.shell.mask(context.view.mask);
    block_on(context, async |context: &mut Context| match find(args, context).await {
        Ok(drift) => {
            show(args, context, &drift);
            if !drift.unknown.is_empty() {
                // Of somebody nobody knows, so that "none" would be too much.
                Exit::Failure
            } else if args.detailed_exitcode && !drift.is_none() {
                Exit::Difference
            } else {
                Exit::Success
            }
        }
        Err(exit) => {
            if is_page {
                showing::show_failed(context);
            }
            exit
        }
    })
}

async fn find(args: &DriftArgs, context: &mut Context) -> Result<Drift, Exit> {
    let desired = loading::load(context).await?;
    if args.format == DriftFormat::Human {
        stand_in::announce(context);
    }
    let mut snapshot = reading::read_of_api(context, Want::Refresh(&desired)).await?.snapshot;
    look(context, "drift", &args.requests, &desired, &mut snapshot).await
}

/// Looks what has changed in Apollo, showing what is read; keeps what spares requests the next time.
pub(super) async fn look(
    context: &mut Context,
    operation: &str,
    requests: &RequestArgs,
    desired: &Desired,
    snapshot: &mut Snapshot,
) -> Result<Drift, Exit> {
    let (tell, mut events) = channel();
    let (options, sandbox) = connection::prepare(context, operation, Duration::ZERO, requests, tell).await?;
    let with_new = operation == "plan";
    let found = observe(context, options, (desired, snapshot), with_new, &mut events).await;
    close_sandbox(context, sandbox).await;
    found
}

async fn observe(
    context: &mut Context,
    options: SessionOptions,
    (desired, snapshot): (&Desired, &mut Snapshot),
    with_new: bool,
    events: &mut UnboundedReceiver<Event>,
) -> Result<Drift, Exit> {
    let viewer = proven_viewer(context, options.clone(), snapshot, events).await?;
    let found = if with_new {
        driven(context, viewer.stop(), events, ops::drift_and_new(&viewer, desired, snapshot)).await
    } else {
        driven(context, viewer.stop(), events, ops::drift(&viewer, desired, snapshot)).await
    };
    viewer.close().await;
    let ended = viewer.stop().reason().and_then(|ended| signals::exit(&ended));
    let found =
        found?.map_err(|error| ended.unwrap_or_else(|| drift_error(context, error, viewer.put_off().as_ref())))?;
    if let Some(exit) = ended {
        return Err(exit);
    }
    Ok(ops::keep(found, options, snapshot).await)
}

/// Prepares to look at the account, by a credential that is of the team of a state.
pub(super) async fn proven_viewer(
    context: &mut Context,
    options: SessionOptions,
    snapshot: &Snapshot,
    events: &mut UnboundedReceiver<Event>,
) -> Result<Viewer, Exit> {
    let viewer = Viewer::new(options, snapshot).await;
    let viewer = viewer.map_err(|error| context.fail(&words::account::not_asked(&error)))?;
    let proven = driven(context, viewer.stop(), events, viewer.prove_for(snapshot)).await;
    let ended = viewer.stop().reason().and_then(|ended| signals::exit(&ended));
    match proven {
        Ok(Ok(())) => Ok(viewer),
        Ok(Err(error)) => {
            viewer.close().await;
            Err(ended.unwrap_or_else(|| session_error(context, &error)))
        }
        Err(exit) => Err(exit),
    }
}

fn show(args: &DriftArgs, context: &mut Context, drift: &Drift) {
    let mask = context.view.mask;
    context.shell.messages(drift.warnings().iter().map(words::problem));
    match args.format {
        DriftFormat::Human => {
            let stdout = context.shell.stdout();
            let cut = context.view.is_abridged(stdout, drift.contacts.len()) && !args.full;
            let text = DriftText { drift, color: stdout.color, mask, cut, rule: None };
            context.shell.to_people(|shell| shell.result(text));
            if !drift.is_none() && !context.environment.in_automation() {
                let apply = command("apply --refresh");
                context.shell.to_people(|shell| shell.status(words::account::ways_out_of_drift(&apply)));
            }
        }
        DriftFormat::Markdown => {
            let directory = showing::directory(context);
            let everything = command("drift");
            let messages = context.shell.kept_messages();
            let page = DriftPage {
                drift,
                messages: &messages,
                directory: &directory,
                mask,
                max_bytes: args.max_bytes,
                everything: &everything,
            };
            context.shell.to_people(|shell| shell.result(page));
        }
        DriftFormat::Github => {
            let checkout = Checkout::around(&context.locations.contacts, &context.environment);
            let findings = words::drifted(drift);
            let annotations = annotations(&findings, &checkout);
            let text = DriftText { drift, color: false, mask: Mask::On, cut: true, rule: None }.to_string();
            let counts = text.lines().last().unwrap_or_default().to_owned();
            context.shell.to_people(|shell| {
                annotations.commands.iter().for_each(|command| shell.result(command));
                shell.messages(annotations.rest.into_iter().cloned());
                shell.result(counts);
            });
        }
    }
    context.shell.documents([DriftDocument::new(drift, mask)]);
}
