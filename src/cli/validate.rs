//! `contactsd validate`.

use super::Exit;
use super::context::Context;
use super::reading::load_messages;
use crate::ops::{self, Desired, LoadError};
use crate::ui::Message;
use crate::ui::amounts::counted;
use crate::ui::json::Validation;

pub(super) fn run(context: &mut Context) -> Exit {
    let loaded = ops::load(&context.locations.contacts);
    let (messages, contacts, files) = match &loaded {
        Ok(desired) => (warnings(desired, context), Some(desired.contacts()), Some(desired.files())),
        Err(error @ LoadError::Invalid { files, .. }) => (load_messages(error), None, Some(*files)),
        Err(error @ LoadError::Unreadable(_)) => (load_messages(error), None, None),
    };
    context.shell.documents(std::iter::once_with(|| Validation::new(&messages, contacts, files)));
    context.shell.to_people(|shell| {
        shell.messages(messages);
        if let (Some(contacts), Some(files)) = (contacts, files) {
            let are = if contacts == 1 { "is" } else { "are" };
            let (contacts, files) = (counted(contacts, "contact"), counted(files, "file"));
            shell.result(format!("Success! {contacts} in {files} {are} valid."));
        }
    });
    if loaded.is_ok() { Exit::Success } else { Exit::Failure }
}

fn warnings(desired: &Desired, context: &Context) -> Vec<Message> {
    let mut warnings: Vec<Message> = desired.warnings.iter().map(Message::from).collect();
    if desired.files() == 0 {
        let dir = context.locations.contacts.display();
        warnings.push(Message::warning(format!("{dir} holds no contact files"), "Contact files end in .yaml or .yml."));
    }
    warnings
}
