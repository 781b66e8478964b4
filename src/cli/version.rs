//! `contactsd version`.

use super::Exit;
use super::context::Context;

pub(super) fn run(context: &mut Context) -> Exit {
    context.shell.result(concat!("contactsd ", env!("CARGO_PKG_VERSION")));
    Exit::Success
}
