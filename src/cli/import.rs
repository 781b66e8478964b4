//! `contactsd import`.

use clap::Args;

use super::args::{ApprovalArgs, LockArgs, RequestArgs, parse_address};
use super::context::Context;
use super::run::{Perform, block_on, channel, may_approve, perform};
use super::{Exit, connection, loading, stand_in};
use crate::model::{ApolloId, ContactKey};
use crate::ops::{self, Desired};
use crate::ui::words::command_line::no_contact_id;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Key of the entry, with or without "contact."
    #[arg(value_name = "KEY", value_parser = parse_address)]
    pub(super) key: ContactKey,
    /// Apollo's id of the contact, 24 hexadecimal digits
    #[arg(value_name = "ID", value_parser = parse_id)]
    pub(super) id: ApolloId,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
}

pub(super) fn run(args: &ImportArgs, context: &mut Context) -> Exit {
    if let Err(exit) = may_approve(&args.approval, context) {
        return exit;
    }
    block_on(context, async |context: &mut Context| Box::pin(import(args, context)).await.unwrap_or_else(|exit| exit))
}

async fn import(args: &ImportArgs, context: &mut Context) -> Result<Exit, Exit> {
    let desired = loading::load(context).await?;
    stand_in::announce(context);
    let (tell, events) = channel();
    let connection = connection::open(context, "import", args.lock.lock_timeout, &args.requests, tell).await?;
    // Of the state, everything is wanted: any key may own the contact.
    let nothing = Desired::default();
    perform(context, Perform::approved_by(&args.approval), &nothing, connection, events, |_, snapshot| {
        ops::plan_import(&desired, snapshot, &args.key, &args.id)
    })
    .await
}

fn parse_id(text: &str) -> Result<ApolloId, String> {
    ApolloId::parse(text).ok_or_else(|| no_contact_id(text))
}
