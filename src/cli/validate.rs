//! `contactsd validate`.

use super::Exit;
use super::context::Context;
use super::reading;
use crate::ui::amounts::counted;

pub(super) fn run(context: &mut Context) -> Exit {
    let Ok(desired) = reading::load(context) else { return Exit::Failure };
    let contacts = counted(desired.entries.len(), "contact");
    let files = counted(desired.files, "file");
    context.shell.result(format!("Success! {contacts} in {files} are valid."));
    Exit::Success
}
