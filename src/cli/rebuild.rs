//! `contactsd state rebuild`.

use clap::Args;
use tokio::sync::mpsc::UnboundedReceiver;

use super::args::{ApprovalArgs, LockArgs, RequestArgs};
use super::connection::{self, Connection};
use super::context::Context;
use super::reading::{drift_error, snapshot_error, state_error};
use super::run::{approved, block_on, channel, driven, may_approve, prove, release};
use super::{Exit, loading, signals, stand_in};
use crate::ops::{Desired, Event};
use crate::shell_word::command;
use crate::ui::json::StepOutcome;
use crate::ui::{rebuild_record, rebuild_text, rebuilt_text, words};

#[derive(Debug, Args)]
pub(super) struct RebuildArgs {
    /// Show all entries, even if there are many
    #[arg(long)]
    pub(super) full: bool,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
}

pub(super) fn run(args: &RebuildArgs, context: &mut Context) -> Exit {
    if let Err(exit) = may_approve(&args.approval, context) {
        return exit;
    }
    block_on(context, async |context: &mut Context| rebuild(args, context).await.unwrap_or_else(|exit| exit))
}

async fn rebuild(args: &RebuildArgs, context: &mut Context) -> Result<Exit, Exit> {
    let desired = loading::load(context).await?;
    stand_in::announce(context);
    let (tell, events) = channel();
    let opening = connection::open(context, "state rebuild", args.lock.lock_timeout, &args.requests, tell);
    let connection = opening.await?;
    let outcome = with(args, context, &connection, &desired, events).await;
    release(context, connection, outcome).await
}

async fn with(
    args: &RebuildArgs,
    context: &mut Context,
    connection: &Connection,
    desired: &Desired,
    mut events: UnboundedReceiver<Event>,
) -> Result<Exit, Exit> {
    let session = &connection.session;
    let mut snapshot = session.snapshot_to_refresh(desired).await.map_err(|error| snapshot_error(context, &error))?;
    prove(context, connection, &snapshot, &mut events).await?;
    let found = driven(context, session.stop(), &mut events, session.rebuild(desired, &mut snapshot)).await?;
    let ended = session.stop().reason().and_then(|ended| signals::exit(&ended));
    let rebuild =
        found.map_err(|error| ended.unwrap_or_else(|| drift_error(context, error, session.put_off().as_ref())))?;
    if let Some(exit) = ended {
        return Ok(exit);
    }
    context.shell.messages(words::account::not_everybody(rebuild.missed));
    let text = rebuild_text(&rebuild, args.full, &command);
    if rebuild.pairs.is_empty() {
        let none = words::managed::NOBODY_TO_BIND;
        let text = if rebuild.open.is_empty() { none.to_owned() } else { format!("{text}\n\n{none}") };
        context.shell.result_as(text, [rebuild_record(none, StepOutcome::Unchanged, &rebuild)]);
        return Ok(Exit::Success);
    }
    let about = words::managed::WILL_BE_BUILT;
    context.shell.result_as(&text, [rebuild_record(about, StepOutcome::Planned, &rebuild)]);
    if !args.approval.auto_approve && !approved(context) {
        return Err(Exit::Failure);
    }
    let (bound, differing) = (rebuild.pairs.len(), rebuild.pairs.iter().filter(|pair| !pair.differ.is_empty()).count());
    let text = rebuilt_text(bound, differing, &command);
    let record = rebuild_record(&text, StepOutcome::Done, &rebuild);
    session.bind_again(desired, rebuild).await.map_err(|error| state_error(context, &error))?;
    context.shell.result_as(&text, [record]);
    Ok(Exit::Success)
}
