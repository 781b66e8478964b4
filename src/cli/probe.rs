//! `contactsd probe`.

use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc::UnboundedReceiver;

use super::args::{ApprovalArgs, RequestArgs};
use super::connection::{self, Connection};
use super::context::Context;
use super::run::{asked, block_on, channel, driven, may_approve, release};
use super::{Exit, signals, stand_in};
use crate::ops::{self, Event};
use crate::settings::parse_duration;
use crate::ui::json::ProbeDocument;
use crate::ui::words::system::{Asked, cannot};
use crate::ui::{probe_intro, probe_text, words};

#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    /// Longest time to wait until a search shows a new contact
    #[arg(long, value_name = "DUR", default_value = "60s", value_parser = parse_duration)]
    pub(super) search_wait: Duration,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
}

pub(super) fn run(args: &ProbeArgs, context: &mut Context) -> Exit {
    if let Err(exit) = may_approve(&args.approval, context) {
        return exit;
    }
    stand_in::announce(context);
    // The workspace is no place where contacts are managed, so what it takes to send is kept for this run alone.
    let kept = match tempfile::tempdir() {
        Ok(kept) => kept,
        Err(error) => return context.fail(&cannot(Asked::Directory, &error)),
    };
    context.locations.state = kept.path().join("state").into();
    context.locations.own_dir = None;
    block_on(context, async |context: &mut Context| probe(args, context).await.unwrap_or_else(|exit| exit))
}

async fn probe(args: &ProbeArgs, context: &mut Context) -> Result<Exit, Exit> {
    let (tell, events) = channel();
    let connection = connection::open(context, "probe", Duration::ZERO, &args.requests, tell).await?;
    let outcome = probe_with(args, context, &connection, events).await;
    release(context, connection, outcome).await
}

async fn probe_with(
    args: &ProbeArgs,
    context: &mut Context,
    connection: &Connection,
    mut events: UnboundedReceiver<Event>,
) -> Result<Exit, Exit> {
    let session = &connection.session;
    let api = if context.sandbox { "the sandbox".to_owned() } else { context.origin() };
    let ended = |session: &ops::Session| session.stop().reason().and_then(|ended| signals::exit(&ended));
    let target = driven(context, session.stop(), &mut events, ops::probe_target(session)).await?;
    let target = target.map_err(|error| {
        let ended = ended(session);
        ended.unwrap_or_else(|| connection::session_error(context, &error))
    })?;
    context.shell.status(probe_intro(&target, &api));
    if !args.approval.auto_approve && !asked(context) {
        context.shell.result(words::run::PROBE_CANCELLED);
        return Err(Exit::Failure);
    }
    let report = driven(context, session.stop(), &mut events, ops::probe(session, args.search_wait)).await?;
    let text = probe_text(&report, &api);
    context.shell.to_people(|shell| shell.result(format_args!("\n{text}")));
    context.shell.documents([ProbeDocument::new(&report, &api)]);
    Ok(ended(session).unwrap_or(Exit::Success))
}
