//! `contactsd completions`.

use clap::CommandFactory;

use super::Exit;
use super::args::{Cli, CompletionsArgs};
use super::context::Context;

pub(super) fn run(args: &CompletionsArgs, context: &mut Context) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "contactsd", &mut script);
    context.shell.result(String::from_utf8_lossy(&script).trim_end());
    Exit::Success
}
