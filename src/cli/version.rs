//! `contactsd version`.

use super::Exit;
use super::context::Context;
use crate::ui::json::Version;

pub(super) fn run(context: &mut Context) -> Exit {
    context.shell.to_people(|shell| shell.result(concat!("contactsd ", env!("BUILT_VERSION"))));
    context.shell.documents([Version::CURRENT]);
    Exit::Success
}
