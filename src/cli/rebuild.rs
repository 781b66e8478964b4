//! `contactsd state rebuild`.

use clap::Args;
use tokio::sync::mpsc::UnboundedReceiver;

use super::args::{ApprovalArgs, LockArgs, QuotaArgs, RequestArgs};
use super::connection::{self, Connection};
use super::context::Context;
use super::reading::{drift_error, snapshot_error, state_error};
use super::run::{approved, block_on, channel, driven, may_approve, prove, release};
use super::{Exit, loading, signals, stand_in};
use crate::ops::{Desired, Event, Rebuild};
use crate::ui::amounts::counted;
use crate::ui::json::StepOutcome;
use crate::ui::{rebuild_record, rebuild_text, rebuilt_text};

#[derive(Debug, Args)]
pub(super) struct RebuildArgs {
    /// Show all entries, however many they are
    #[arg(long)]
    pub(super) full: bool,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) quota: QuotaArgs,
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
    let opening = connection::open(context, "state rebuild", args.lock.lock_timeout, &args.quota, &args.requests, tell);
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
    let snapshot = session.snapshot_to_refresh(desired).await.map_err(|error| snapshot_error(context, &error))?;
    prove(context, connection, &snapshot, &mut events).await?;
    let found = driven(context, session.stop(), &mut events, session.rebuild(desired, &snapshot)).await?;
    let ended = session.stop().reason().and_then(|ended| signals::exit(&ended));
    let rebuild =
        found.map_err(|error| ended.unwrap_or_else(|| drift_error(context, error, session.put_off().as_ref())))?;
    if let Some(exit) = ended {
        return Ok(exit);
    }
    warn(context, &rebuild);
    let text = rebuild_text(&rebuild, args.full, &|verb| context.command(verb));
    if rebuild.pairs.is_empty() {
        let none = "No changes. There is no entry to bind.";
        let text = if rebuild.open.is_empty() { none.to_owned() } else { format!("{text}\n\n{none}") };
        context.shell.result_as(text, [rebuild_record(none, StepOutcome::Unchanged, &rebuild)]);
        return Ok(Exit::Success);
    }
    let about = "The state will be built again.";
    context.shell.result_as(&text, [rebuild_record(about, StepOutcome::Planned, &rebuild)]);
    if !args.approval.auto_approve && !approved(context) {
        return Err(Exit::Failure);
    }
    let (bound, differing) = (rebuild.pairs.len(), rebuild.pairs.iter().filter(|pair| !pair.differ.is_empty()).count());
    let text = rebuilt_text(bound, differing, &|verb| context.command(verb));
    let record = rebuild_record(&text, StepOutcome::Done, &rebuild);
    session.bind_again(desired, rebuild).await.map_err(|error| state_error(context, &error))?;
    context.shell.result_as(&text, [record]);
    Ok(Exit::Success)
}

/// Says that not everybody was seen.
fn warn(context: &mut Context, rebuild: &Rebuild) {
    let detail = match rebuild.missed {
        Some(0) => return,
        Some(missed) => format!(
            "Apollo counts {} more than it showed. Only entries that name their contact are bound. Run it once more.",
            counted(usize::try_from(missed).unwrap_or(usize::MAX), "contact")
        ),
        None => "The account has more contacts than Apollo shows. Only entries that name their contact are bound."
            .to_owned(),
    };
    context.shell.warning("Not everybody was seen", detail);
}
