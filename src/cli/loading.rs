//! The contact files as verbs read them, with the names in them looked up.

use std::sync::Arc;

use super::context::{Context, Found};
use super::{Exit, names, reading};
use crate::ops::{Desired, Loader};

/// Reads the contact files and says what is wrong with them; `Err` when they cannot be used.
///
/// Asks Apollo for the names in them where those that are known are old, or not good enough.
pub(super) async fn load(context: &mut Context) -> Result<Desired, Exit> {
    let loader = Loader::new(&context.locations.contacts, &context.locations.state).bounded(&context.bounds);
    let read = loader.load();
    let read = match names::to_learn(&read) {
        Some(to_learn) => match names::learn(context, &loader, to_learn).await? {
            Some(names) => loader.knowing(Arc::new(names)).load(),
            None => read,
        },
        None => read,
    };
    match read {
        Ok(desired) => {
            context.shell.messages(desired.warnings.iter().cloned());
            context.found = Found { files: Some(desired.files()), contacts: Some(desired.contacts()) };
            Ok(desired)
        }
        Err(error) => Err(reading::load_error(context, &error)),
    }
}

/// The same, for verbs that have no event queue.
pub(super) fn load_alone(context: &mut Context) -> Result<Desired, Exit> {
    reading::alone(context)?.block_on(load(context))
}
