//! `contactsd plan`.

use std::path::PathBuf;

use clap::Args;

use super::args::{Brakes, DecisionArgs, PageArgs, RequestArgs, ScopeArgs, ViewArgs};
use super::context::Context;
use super::run::block_on;
use super::showing::{self, Shown};
use super::view::View;
use super::{Exit, drift, loading, reading, saved, stand_in};
use crate::ops::{self, Clock, Desired, Drift, Origins, Planned, Reading, Want};
use crate::plan::Policy;
use crate::shell_word::command;
use crate::ui::json::plan_records;
use crate::ui::words;

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Exit with 2 when there are changes, and with 0 when there are none
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// First read what has changed in Apollo, and plan to restore what the files say; needs a key
    #[arg(long, conflicts_with = "out")]
    pub(super) refresh: bool,
    /// Save the plan in this file for `apply FILE`; an existing file or link is replaced. With -, the saved plan goes to
    /// stdout and the text to stderr
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
    pub(super) requests: RequestArgs,
}

pub(super) fn run(args: &PlanArgs, context: &mut Context) -> Exit {
    if let Err(exit) = showing::begin(context, View::new(&args.view, Some(&args.page))) {
        return exit;
    }
    if let Some(file) = &args.out
        && let Err(exit) = saved::make_room(file, context)
    {
        return exit;
    }
    if let Some(file) = args.out.as_deref().filter(|file| saved::is_among_contact_files(file, context)) {
        return context.fail(&words::plan_file::among_contact_files(file, &context.locations.contacts));
    }
    if args.refresh {
        return block_on(context, async |context: &mut Context| {
            let made = refreshed(args, context).await;
            finish(args, context, made)
        });
    }
    let made = make(args, context);
    finish(args, context, made)
}

fn finish(args: &PlanArgs, context: &mut Context, made: Result<Made, Exit>) -> Exit {
    match made {
        Ok(made) => conclude(args, context, made).unwrap_or_else(|exit| exit),
        Err(exit) => {
            showing::show_failed(context);
            exit
        }
    }
}

/// A plan and what it was made from.
struct Made {
    desired: Desired,
    policy: Policy,
    planned: Planned,
    reading: Reading,
    /// What has changed in Apollo, where that was looked at.
    drift: Option<Drift>,
}

fn make(args: &PlanArgs, context: &mut Context) -> Result<Made, Exit> {
    let desired = loading::load_alone(context)?;
    if !context.view.is_page() {
        stand_in::announce(context);
    }
    let reading = reading::state_of_api(context, Want::Plan(&desired))?;
    made(args, context, desired, reading, None)
}

/// Looks what has changed in Apollo, and plans from that; nothing of it is kept but what spares requests.
async fn refreshed(args: &PlanArgs, context: &mut Context) -> Result<Made, Exit> {
    let desired = loading::load(context).await?;
    if !context.view.is_page() {
        stand_in::announce(context);
    }
    let mut reading = reading::read_of_api(context, Want::Refresh(&desired)).await?;
    let drift = drift::look(context, "plan", &args.requests, &desired, &mut reading.snapshot).await?;
    let snapshot = std::mem::take(&mut reading.snapshot);
    let found = ops::as_found(&desired, snapshot, &drift, Clock::system().now());
    reading.snapshot = found.map_err(|error| reading::load_error(context, &error))?;
    reading.basis = None;
    made(args, context, desired, reading, Some(drift))
}

fn made(
    args: &PlanArgs,
    context: &mut Context,
    desired: Desired,
    reading: Reading,
    drift: Option<Drift>,
) -> Result<Made, Exit> {
    let (policy, rules, now) =
        (args.brakes.policy(&args.decisions, &args.scope), args.requests.rules(), Clock::system().now());
    ops::check_scope(&policy.scope, &desired, &reading.snapshot)
        .map_err(|problem| context.fail(&words::problem(&problem)))?;
    let planned = ops::plan_beside(&desired, &reading.snapshot, &reading.under_way(), &policy, &rules, now);
    let planned = planned.map_err(|error| reading::load_error(context, &error))?;
    ops::check_decisions(&planned.plan, &policy).map_err(|problem| context.fail(&words::problem(&problem)))?;
    Ok(Made { desired, policy, planned, reading, drift })
}

/// Shows the plan, saves it where that was asked for, and says what it means to the caller.
fn conclude(args: &PlanArgs, context: &mut Context, made: Made) -> Result<Exit, Exit> {
    let Made { desired, policy, planned, reading, drift } = made;
    let refresh = if args.refresh { " --refresh" } else { "" };
    let drifted = drift.as_ref().and_then(|drift| showing::show_drift(context, drift));
    let beside = reading.beside.as_ref().filter(|_| planned.left_out > 0);
    let under_way = beside.map(|beside| words::run::under_way(Some(&beside.holder), planned.left_out));
    if context.view.is_page() {
        let note = words::run::under_way(None, planned.left_out);
        let digest = planned.digest.as_ref();
        let shown = Shown {
            apply: digest.map(|digest| command(&format!("apply{refresh} --expect {digest}"))),
            note: (planned.left_out > 0).then_some(&*note).or(drifted.as_deref()),
            ..Shown::of(&planned, context)
        };
        showing::show(context, &shown);
    } else if let Some(under_way) = &under_way
        && planned.plan.is_empty()
    {
        context.shell.messages(planned.warnings().iter().map(words::problem));
        context.shell.result_as(words::run::nothing_else(under_way), plan_records(&planned, context.view.mask));
    } else {
        if let Some(under_way) = under_way {
            context.shell.status(format!("{under_way}\n"));
        }
        let hints = !context.environment.in_automation() && args.out.is_none();
        let next_step = hints.then(|| command(&format!("apply{refresh}{}", words::planning_options(&policy))));
        showing::show(context, &Shown { next_step: next_step.as_deref(), ..Shown::of(&planned, context) });
    }
    ops::renew_index(&context.locations.state, &desired, &reading);
    if let Some(file) = &args.out {
        saved::save(context, file, &planned, &Origins::new(context.origin(), &desired, policy))?;
    }
    Ok(if planned.plan.counts().undecided > 0 {
        Exit::Failure
    } else if args.detailed_exitcode && (!planned.plan.is_empty() || planned.left_out > 0) {
        Exit::Difference
    } else {
        Exit::Success
    })
}
