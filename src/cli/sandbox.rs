//! `contactsd sandbox`, and the sandbox behind `--sandbox`.

use std::sync::Arc;

use super::args::SandboxArgs;
use super::context::Context;
use super::signals::Signals;
use super::{Exit, apply};
use crate::ops::{Clock, chain};
use crate::sandbox::{self, Options, Sandbox, Server};
use crate::settings::resolved;
use crate::ui::json::Record;

pub(super) fn run(args: SandboxArgs, context: &mut Context) -> Exit {
    apply::block_on(context, async move |context: &mut Context| serve(args, context).await)
}

async fn serve(args: SandboxArgs, context: &mut Context) -> Exit {
    let named = args.data.map(|named| resolved(&named, &context.environment.directory));
    let data = named.unwrap_or_else(|| context.locations.sandbox_data.clone());
    context.keep_from_git(&data);
    let mut options = options(data.clone(), Clock::system());
    options.listen = args.listen;
    options.dedupe = args.dedupe;
    options.witness = args.witness;
    options.deleted_answer = args.deleted_answer;
    options.quota = args.quota.unwrap_or_default();
    options.faults = args.fault.unwrap_or_default();
    options.quirks = args.quirk.unwrap_or_default();
    options.search_lag = args.search_lag;
    options.seed = args.seed;
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return failed(context, &error),
    };
    let server = match Server::start(options).await {
        Ok(server) => server,
        Err(error) => return failed(context, &error),
    };
    let base_url = server.base_url();
    let key_file = sandbox::key_file(&data);
    let text = format!(
        "Sandbox: a stand-in for Apollo at {base_url}\nIts contacts are kept in {data}. It answers to the key in \
         {key}:\nAPOLLO_API_KEY_FILE={key} contactsd apply --api-url {base_url}\nPress Ctrl-C to end it.",
        data = data.display(),
        key = key_file.display(),
    );
    context.shell.result_as(text, [Record::sandbox(&base_url, &data, &key_file)]);
    signals.next().await;
    match server.stop().await {
        Ok(()) => Exit::Success,
        Err(error) => failed(context, &error),
    }
}

/// Starts the sandbox of this directory, or uses the one that runs already.
pub(super) async fn attach(context: &mut Context, clock: Clock) -> Result<Sandbox, Exit> {
    let data = context.locations.sandbox_data.clone();
    context.keep_from_git(&data);
    match sandbox::attach_or_start(options(data, clock)).await {
        Ok(sandbox) => Ok(sandbox),
        Err(error) => Err(failed(context, &error)),
    }
}

/// Says that what follows is not the real thing.
pub(super) fn announce(context: &mut Context) {
    if context.sandbox {
        let data = context.locations.sandbox_data.display();
        let text = format!("Sandbox: nothing leaves this machine; the contacts made here are kept in {data}.\n");
        context.shell.status(text);
    }
}

/// Says so beside a result that programs read from stdout.
pub(super) fn remark(context: &mut Context) {
    if context.sandbox && !context.shell.speaks_json() {
        context.shell.hint("this is the sandbox; nothing leaves this machine.");
    }
}

fn options(data: std::path::PathBuf, clock: Clock) -> Options {
    Options::new(data, Arc::new(move || clock.now()))
}

fn failed(context: &mut Context, error: &dyn std::error::Error) -> Exit {
    context.shell.error("The sandbox cannot run", chain(error));
    Exit::Failure
}
