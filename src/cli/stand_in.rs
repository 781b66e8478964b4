//! The sandbox behind `--sandbox`.

use std::path::PathBuf;
use std::sync::Arc;

use super::Exit;
use super::context::Context;
use crate::ops::Clock;
use crate::sandbox::{self, Options, Sandbox};
use crate::ui::words::sandbox as words;

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
        context.shell.status(words::announced(&context.locations.sandbox_data));
    }
}

/// Says so beside a result that programs read from stdout.
pub(super) fn remark(context: &mut Context) {
    if context.sandbox && !context.shell.speaks_json() {
        context.shell.hint(words::REMARK);
    }
}

/// Says where a sandbox keeps what it holds, and which clock it goes by.
pub(super) fn options(data: PathBuf, clock: Clock) -> Options {
    Options::new(data, Arc::new(move || clock.now()))
}

/// Says why the sandbox cannot run.
pub(super) fn failed(context: &mut Context, error: &dyn std::error::Error) -> Exit {
    context.fail(&words::cannot_run(error))
}
