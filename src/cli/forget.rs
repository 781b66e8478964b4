//! `contactsd forget`.

use clap::Args;

use super::args::{ApprovalArgs, LockArgs, parse_address};
use super::context::Context;
use super::run::{approved, block_on, may_approve};
use super::transfer::tell_remarks;
use super::{Exit, connection, loading, reading, stand_in};
use crate::model::ContactKey;
use crate::ops::{self, Clock, Traces, Waiting, Want};
use crate::sandbox;
use crate::state::Location;
use crate::store;
use crate::ui::{purge_text, purged_text, words};

#[derive(Debug, Args)]
pub(super) struct ForgetArgs {
    /// Key of the contact, with or without "contact."
    #[arg(value_name = "KEY", value_parser = parse_address)]
    pub(super) key: ContactKey,
    /// Leave nothing about the person in the state: no rows, and no older parts of its files
    #[arg(long, required = true)]
    pub(super) purge: bool,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
}

pub(super) fn run(args: &ForgetArgs, context: &mut Context) -> Exit {
    if let Err(exit) = may_approve(&args.approval, context) {
        return exit;
    }
    stand_in::announce(context);
    block_on(context, async |context: &mut Context| forget(args, context).await.unwrap_or_else(|exit| exit))
}

async fn forget(args: &ForgetArgs, context: &mut Context) -> Result<Exit, Exit> {
    let key = &args.key;
    reading::own_state(context)?;
    let desired = loading::load(context).await?;
    let declared = desired.entry(key).map_err(|error| reading::load_error(context, &error))?;
    if let Some(entry) = declared {
        return Err(context.fail(&words::managed::still_declared(&entry.place)));
    }
    let location = context.locations.state.clone();
    let failed = |context: &mut Context, error: &crate::state::Error| reading::state_error(context, error);
    if !store::exists(&location).map_err(|error| failed(context, &error))? {
        return Err(context.fail(&words::managed::no_state(&location)));
    }
    let everything = reading::read(context, Want::Everything).await?;
    let traces = Traces::of(key, &everything.snapshot, &location).map_err(|error| failed(context, &error))?;
    let in_sandbox = context.sandbox;
    context.shell.result(purge_text(key, &traces, matches!(location, Location::Database { .. }), in_sandbox));
    if !args.approval.auto_approve && !approved(context) {
        return Err(Exit::Failure);
    }
    let waiting = Waiting::default();
    let options = store::Options {
        location: location.clone(),
        origin: context.origin(),
        own_dir: context.own_dir(),
        holder: connection::holder(context, "forget", Clock::system().now()),
        progress: waiting.progress(),
    };
    let holding = ops::hold(options, args.lock.lock_timeout, &waiting);
    let held = connection::patiently(context, &waiting, holding).await;
    let held = held.map_err(|error| failed(context, &error))?;
    tell_remarks(context, held.remarks());
    if in_sandbox {
        // First, since the state knows which contacts it had.
        let ids = traces.contacts.iter().map(ToString::to_string).collect();
        let purged = sandbox::purge(&context.locations.sandbox_data, ids).await;
        purged.map_err(|error| stand_in::failed(context, &error))?;
    }
    ops::purge(held, &location, key, &traces).await.map_err(|error| failed(context, &error))?;
    context.shell.result(purged_text(key));
    Ok(Exit::Success)
}
