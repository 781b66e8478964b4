//! The sandbox behind `--sandbox`.

use std::path::PathBuf;
use std::sync::Arc;

use super::Exit;
use super::context::Context;
use crate::ops::{Clock, chain};
use crate::sandbox::{self, Options, Sandbox};

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

/// Says where a sandbox keeps what it holds, and which clock it goes by.
pub(super) fn options(data: PathBuf, clock: Clock) -> Options {
    Options::new(data, Arc::new(move || clock.now()))
}

/// Says why the sandbox cannot run.
pub(super) fn failed(context: &mut Context, error: &dyn std::error::Error) -> Exit {
    context.shell.error("The sandbox cannot run", chain(error));
    Exit::Failure
}
