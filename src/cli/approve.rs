//! `contactsd approve`.

use clap::Args;

use super::Exit;
use super::args::parse_digest;
use super::context::Context;
use super::service::{ask_service, no_service};
use crate::model::Digest;
use crate::ops::watch::{ApproveAnswer, Request};
use crate::ui::time_text;

#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    /// Digest of the plan, as watch and plan show it
    #[arg(value_name = "DIGEST", value_parser = parse_digest)]
    pub(super) digest: Digest,
}

pub(super) fn run(args: &ApproveArgs, context: &mut Context) -> Exit {
    let digest = args.digest.clone();
    ask_service(context, &Request::Approve(digest.clone()), |context, answer| match answer {
        Some(ApproveAnswer::Approved { counts }) => {
            context.shell.result(format!(
                "Approved: {} to add, {} to change, {} to forget. The service applies exactly this plan.",
                counts.add, counts.change, counts.forget
            ));
            Exit::Success
        }
        Some(ApproveAnswer::MovedOn { now }) => refused(context, &digest, &now),
        Some(ApproveAnswer::NothingBraked) => {
            let detail =
                "The service stops no plan now: the files or the state have changed, or it was approved before.";
            context.shell.error("There is nothing to approve", detail);
            Exit::Failure
        }
        Some(ApproveAnswer::DryRun) => {
            let detail = "It runs with --dry-run, and applies no plan whatever is approved.";
            context.shell.error("The service only plans", detail);
            Exit::Failure
        }
        Some(ApproveAnswer::NoPlan) => {
            let detail = "The service could not make a plan, and says why in its output. Nothing was approved.";
            context.shell.error("There is nothing to approve", detail);
            Exit::Failure
        }
        Some(ApproveAnswer::Paused { since }) => {
            let resume = context.command("resume");
            let detail = format!("It is paused since {}. First: `{resume}`.", time_text(since));
            context.shell.error("The service makes no plans now", detail);
            Exit::Failure
        }
        None => no_service(context, "There is nothing to approve."),
    })
}

fn refused(context: &mut Context, asked: &Digest, now: &Digest) -> Exit {
    let plan = context.command("plan");
    let detail = format!(
        "Asked for: {asked}\nPlan now:  {now}\n\nThe files or the state have changed since that plan was shown. Nothing was \
         approved. Look at the plan as it is now (`{plan}`), then approve its digest."
    );
    context.shell.error("The plan has moved on", detail);
    Exit::Failure
}
