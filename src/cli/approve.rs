//! `contactsd approve`.

use clap::Args;

use super::Exit;
use super::args::parse_digest;
use super::context::Context;
use super::service::{ask_service, no_service};
use crate::model::Digest;
use crate::ops::watch::Request;
use crate::shell_word::command;
use crate::ui::words::service as words;

#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    /// Digest of the plan, as watch and plan show it
    #[arg(value_name = "DIGEST", value_parser = parse_digest)]
    pub(super) digest: Digest,
}

pub(super) fn run(args: &ApproveArgs, context: &mut Context) -> Exit {
    let digest = args.digest.clone();
    ask_service(context, &Request::Approve(digest.clone()), |context, answer| match answer {
        Some(answer) => match words::approved(&answer, &digest, &command) {
            Ok(text) => {
                context.shell.result(text);
                Exit::Success
            }
            Err(message) => context.fail(&message),
        },
        None => no_service(context, words::NOTHING_TO_APPROVE),
    })
}
