//! `contactsd explain CODE`: the page of one error or warning, which this program carries.

use super::Exit;
use super::args::ExplainArgs;
use super::context::Context;

pub(super) fn run(args: &ExplainArgs, context: &mut Context) -> Exit {
    context.shell.result(args.code.page().trim_end());
    Exit::Success
}
