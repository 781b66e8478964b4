//! `contactsd completions`.

use clap::{Args, Command};

use super::Exit;
use super::context::Context;

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Shell to complete for
    pub(super) shell: clap_complete::Shell,
}

pub(super) fn run(args: &CompletionsArgs, mut command: Command, context: &mut Context) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "contactsd", &mut script);
    context.shell.result(String::from_utf8_lossy(&script).trim_end());
    Exit::Success
}
