//! `contactsd import`.

use super::apply::{block_on, channel, may_approve, perform};
use super::args::ImportArgs;
use super::context::Context;
use super::{Exit, connection, reading, sandbox};
use crate::ops::{self, Desired};

pub(super) fn run(args: &ImportArgs, context: &mut Context) -> Exit {
    if let Err(exit) = may_approve(&args.approval, context) {
        return exit;
    }
    block_on(context, async |context: &mut Context| import(args, context).await.unwrap_or_else(|exit| exit))
}

async fn import(args: &ImportArgs, context: &mut Context) -> Result<Exit, Exit> {
    let desired = reading::load(context)?;
    sandbox::announce(context);
    let (tell, events) = channel();
    let connection =
        connection::open(context, "import", args.lock.lock_timeout, &args.quota, &args.requests, tell).await?;
    // Of the state, everything is wanted: any key may own the contact.
    let nothing = Desired::default();
    perform(context, &args.approval, None, &nothing, connection, events, |_, snapshot| {
        ops::plan_import(&desired, snapshot, &args.key, &args.id)
    })
    .await
}
