//! `contactsd validate`.

use super::Exit;
use super::context::Context;
use super::reading;
use crate::ui::amounts::counted;

pub(super) fn run(context: &mut Context) -> Exit {
    let Ok(desired) = reading::load(context) else { return Exit::Failure };
    let contacts = counted(desired.contacts(), "contact");
    let files = counted(desired.files(), "file");
    if desired.files() == 0 {
        let dir = context.locations.contacts.display();
        context.shell.warning(format!("{dir} holds no contact files"), "Contact files end in .yaml or .yml.");
    }
    let are = if desired.contacts() == 1 { "is" } else { "are" };
    context.shell.result(format!("Success! {contacts} in {files} {are} valid."));
    Exit::Success
}
