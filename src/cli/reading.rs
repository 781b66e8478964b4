//! What verbs read before they do anything: the files, and the state without holding it.

use std::io::ErrorKind;

use super::Exit;
use super::context::Context;
use crate::ops::{self, Desired, LoadError};
use crate::source;
use crate::store::{self, Snapshot, Wanted};
use crate::ui::Message;

/// Writes an error with everything that caused it, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Reads the contact files and says what is wrong with them; `Err` when they cannot be used.
pub(super) fn load(context: &mut Context) -> Result<Desired, Exit> {
    match ops::load(&context.locations.contacts) {
        Ok(desired) => {
            context.shell.messages(desired.warnings.iter().map(Message::from));
            Ok(desired)
        }
        Err(error) => {
            for message in load_messages(&error) {
                context.shell.message(&message);
            }
            Err(Exit::Failure)
        }
    }
}

/// Words why the contact files cannot be used, worst last.
pub(super) fn load_messages(error: &LoadError) -> Vec<Message> {
    match error {
        LoadError::Unreadable(error) => vec![Message::error("Cannot read the contact files", unreadable(error))],
        LoadError::Invalid { diagnostics, .. } => {
            let mut messages: Vec<Message> = diagnostics.iter().map(Message::from).collect();
            messages.sort_by_key(|message| message.severity);
            messages
        }
    }
}

fn unreadable(error: &source::Error) -> String {
    let why = chain(error);
    match error {
        source::Error::ReadDirectory { source, .. } if source.kind() == ErrorKind::NotFound => format!(
            "{why}\nName the directory with --dir, or make it: a file such as contacts.d/team.yaml holds `contacts:` \
             with a key for each person."
        ),
        _ => why,
    }
}

/// Copies from the state what a plan needs; an empty one when there is no state yet.
pub(super) fn snapshot(context: &mut Context, wanted: &Wanted<'_>) -> Result<Snapshot, Exit> {
    let origin = context.origin();
    match store::read(&context.locations.state, wanted) {
        Ok(None) => Ok(Snapshot::empty(&origin)),
        Ok(Some(snapshot)) if snapshot.origin == origin => Ok(snapshot),
        Ok(Some(snapshot)) => {
            let path = context.locations.state.clone();
            let error = store::Error::OtherOrigin { path, recorded: snapshot.origin, given: origin };
            Err(state_error(context, &error))
        }
        Err(error) => Err(state_error(context, &error)),
    }
}

/// Says why the state cannot be used.
pub(super) fn state_error(context: &mut Context, error: &store::Error) -> Exit {
    let message = match error {
        store::Error::Locked { path, holder } => {
            let holder = holder.as_deref().map_or_else(
                || "Another process has it open.".to_owned(),
                |holder| {
                    format!(
                        "Lock Info:\n  Path:      {}\n  Operation: {}\n  Who:       {} (process {})\n  Version:   {}",
                        path.display(),
                        holder.operation,
                        holder.user_host,
                        holder.pid,
                        holder.version,
                    )
                },
            );
            Message::error(
                "Error acquiring the state lock",
                format!("{holder}\nNothing was changed. Try again when that process is done."),
            )
        }
        other => Message::error("The state cannot be used", chain(other)),
    };
    context.shell.message(&message);
    Exit::Failure
}
