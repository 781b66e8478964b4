//! `contactsd apply`.

use std::path::PathBuf;

use clap::Args;

use super::args::{ApprovalArgs, Brakes, DecisionArgs, LockArgs, RequestArgs, ScopeArgs, ViewArgs, parse_digest};
use super::context::Context;
use super::run::{Perform, block_on, channel, may_approve_plan, perform};
use super::view::View;
use super::{Exit, connection, loading, showing, stand_in};
use crate::model::Digest;
use crate::ops::{self, Planned, Problem, Session};
use crate::state::Snapshot;

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// File that `plan --out` has saved, or - for stdin: applies exactly that plan, without asking, with the planning
    /// options that it was made with
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Apply without asking if the plan has this digest, as plan printed it, and change nothing otherwise
    #[arg(long, value_name = "DIGEST", value_parser = parse_digest)]
    pub(super) expect: Option<Digest>,
    /// First read what has changed in Apollo, and restore what the files say
    #[arg(long)]
    pub(super) refresh: bool,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) decisions: DecisionArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    #[command(flatten)]
    pub(super) view: ViewArgs,
    #[command(flatten)]
    pub(super) brakes: Brakes,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
}

/// The options of `apply` that make its plan; a saved plan was made already.
pub(super) const PLANNING: [&str; 9] =
    ["refresh", "recreate", "create", "target", "exclude", "force", "max_creates", "max_updates", "max_forgets"];

pub(super) fn run(args: &ApplyArgs, context: &mut Context) -> Exit {
    if let Err(exit) = showing::begin(context, View::new(&args.view, None)) {
        return exit;
    }
    // A digest approves the one plan that has it.
    if args.expect.is_none()
        && let Err(exit) = may_approve_plan(&args.approval, context)
    {
        return exit;
    }
    block_on(context, async |context: &mut Context| Box::pin(apply(args, context)).await.unwrap_or_else(|exit| exit))
}

async fn apply(args: &ApplyArgs, context: &mut Context) -> Result<Exit, Exit> {
    let desired = loading::load(context).await?;
    stand_in::announce(context);
    let (tell, events) = channel();
    let connection = connection::open(context, "apply", args.lock.lock_timeout, &args.requests, tell).await?;
    let make = |session: &Session, snapshot: &Snapshot| -> Result<Planned, Box<Problem>> {
        let policy = args.brakes.policy(&args.decisions, &args.scope);
        ops::check_scope(&policy.scope, &desired, snapshot)?;
        let planned = ops::plan(&desired, snapshot, &policy, &args.requests.rules(), session.now())?;
        ops::check_decisions(&planned.plan, &policy)?;
        Ok(planned)
    };
    let how = Perform { approval: &args.approval, expected: args.expect.as_ref(), refresh: args.refresh };
    perform(context, how, &desired, connection, events, make).await
}
