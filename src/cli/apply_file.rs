//! `contactsd apply FILE`: exactly what a saved plan says, once.

use std::path::Path;

use tokio::sync::mpsc::UnboundedReceiver;

use super::apply::ApplyArgs;
use super::connection::{self, Connection};
use super::context::Context;
use super::reading::{snapshot_error, state_error};
use super::run::{block_on, carry_out, channel, conclude, prove, release};
use super::showing::{self, Shown};
use super::view::View;
use super::{Exit, loading, saved, stand_in};
use crate::ops::{self, Desired, Event, Refusal, Remaining, Resumed, SavedPlan};
use crate::store;
use crate::ui::words;

pub(super) fn run(file: &Path, args: &ApplyArgs, context: &mut Context) -> Exit {
    if let Err(exit) = showing::begin(context, View::new(&args.view, None)) {
        return exit;
    }
    block_on(context, async |context: &mut Context| {
        Box::pin(apply(file, args, context)).await.unwrap_or_else(|exit| exit)
    })
}

async fn apply(file: &Path, args: &ApplyArgs, context: &mut Context) -> Result<Exit, Exit> {
    let saved = saved::read(context, file)?;
    if let Some(expected) = args.expect.as_ref().filter(|expected| *expected != saved.digest()) {
        let file = saved.path.display().to_string();
        return Err(context.fail(&words::run::not_expected_in(&file, expected, saved.digest())));
    }
    let desired = loading::load(context).await?;
    ops::check_plan(&saved, &context.origin(), &desired).map_err(|refusal| saved::refuse(context, &saved, &refusal))?;
    if let Some(planned) = saved.lineage()
        && !store::exists(&context.locations.state).map_err(|error| state_error(context, &error))?
    {
        // Looked at before anything opens the state, which would make one.
        let refusal = Refusal::OtherState { planned: planned.clone(), found: None };
        return Err(saved::refuse(context, &saved, &refusal));
    }
    stand_in::announce(context);
    let (tell, events) = channel();
    let connection = connection::open(context, "apply", args.lock.lock_timeout, &args.requests, tell).await?;
    let outcome = Box::pin(apply_with(saved, args, &desired, &connection, events, context)).await;
    release(context, connection, outcome).await
}

async fn apply_with(
    mut saved: SavedPlan,
    args: &ApplyArgs,
    desired: &Desired,
    connection: &Connection,
    mut events: UnboundedReceiver<Event>,
    context: &mut Context,
) -> Result<Exit, Exit> {
    let session = &connection.session;
    let resumed = ops::resume_plan(session, &saved, desired, &args.requests.rules()).await;
    let resumed = match resumed.map_err(|error| snapshot_error(context, &error))? {
        Ok(resumed) => resumed,
        Err(refusal) => return Err(saved::refuse(context, &saved, &refusal)),
    };
    let Resumed { planned, snapshot, done, replaced, further } = resumed;
    for one in words::plan_file::not_all_of_it(&replaced, &further) {
        context.shell.message(&one);
    }
    if saved.planned.plan.is_empty() {
        showing::show(context, &Shown::of(&planned, context));
        if planned.plan.housekeeping.is_empty() {
            return Ok(Exit::Success);
        }
    } else if done > 0 {
        let all = saved.planned.plan.actions.len();
        context.shell.status(words::plan_file::done_in_part(&saved.path, done, all));
    }
    prove(context, connection, &snapshot, &mut events).await?;
    let begun = saved.begin(session, &snapshot).await.map_err(|error| state_error(context, &error))?;
    if let Err(error) = begun {
        context.shell.message(&words::plan_file::unmarked(&saved.path, &error));
    }
    let remaining = Remaining { digest: saved.digest().clone(), left_out: replaced.len() };
    // What is left of them was planned again.
    saved.planned.plan.actions = Vec::new();
    let scope = planned.plan.scope.clone();
    let applied = (!planned.plan.is_empty()).then_some(&scope);
    let report = carry_out(context, connection, planned.plan, desired, &snapshot, Some(&remaining), events).await?;
    if report.is_complete()
        && applied.is_some()
        && let Err(error) = saved.spend(session, &snapshot)
        && saved.is_begun()
    {
        context.shell.message(&words::plan_file::unmarked(&saved.path, &error));
    }
    Ok(conclude(context, applied, &report))
}
