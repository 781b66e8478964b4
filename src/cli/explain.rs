//! `contactsd explain CODE`: the page of one error or warning, which this program carries.

use clap::Args;

use super::Exit;
use super::context::Context;
use crate::source::Code;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Code in brackets behind a message, in capitals or not
    #[arg(value_name = "CODE", value_parser = parse_code)]
    pub(super) code: Code,
}

pub(super) fn run(args: &ExplainArgs, context: &mut Context) -> Exit {
    context.shell.result(args.code.page().trim_end());
    Exit::Success
}

fn parse_code(text: &str) -> Result<Code, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']').to_ascii_uppercase();
    let last = Code::ALL.last().expect("there are codes");
    Code::named(&bare).ok_or_else(|| format!("there is no code {text:?}; they are {} to {last}", Code::ALL[0]))
}
