//! What verbs read before they do anything: the files, and the state without holding it.

use std::io::ErrorKind;

use super::Exit;
use super::context::{Context, Found, shell_word};
use crate::ops::{self, Desired, LoadError, ReadError, Reading, SnapshotError, Want};
use crate::private_dir::PrivateDir;
use crate::source;
use crate::state::{self, Holder, Location};
use crate::store;
use crate::ui::amounts::wait;
use crate::ui::{Message, time_text};

/// Reads the contact files and says what is wrong with them; `Err` when they cannot be used.
pub(super) fn load(context: &mut Context) -> Result<Desired, Exit> {
    let loader = ops::Loader::new(&context.locations.contacts, &context.locations.state);
    match loader.bounded(&context.bounds).load() {
        Ok(desired) => {
            context.shell.messages(desired.warnings.iter().map(Message::from));
            context.found = Found { files: Some(desired.files()), contacts: Some(desired.contacts()) };
            Ok(desired)
        }
        Err(error) => Err(load_error(context, &error)),
    }
}

/// Says why the contact files cannot be used.
pub(super) fn load_error(context: &mut Context, error: &LoadError) -> Exit {
    let files = match error {
        LoadError::Invalid { files, .. } => Some(*files),
        LoadError::Unreadable(_) => None,
    };
    context.found = Found { files, contacts: None };
    context.shell.messages(load_messages(error));
    Exit::Failure
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

/// Says why a directory cannot be read, and what to do.
pub(super) fn unreadable(error: &source::Error) -> String {
    let why = ops::chain(error);
    match error {
        source::Error::ReadDirectory { source, .. } if source.kind() == ErrorKind::NotFound => format!(
            "{why}\nName the directory with --dir, or make it: a file such as contacts.d/team.yaml holds `contacts:` \
             with a key for each person."
        ),
        source::Error::LeadsOut { dir, .. } => format!(
            "{why}\nIt is a link, and who wrote the repository must not decide which directory of this machine is read. \
             If it is the one you mean, name it: --dir {}",
            shell_word(&dir.display().to_string())
        ),
        _ => why,
    }
}

/// Refuses a state that belongs to another contact directory of the same name.
pub(super) fn own_state(context: &mut Context) -> Result<(), Exit> {
    let Some(own) = context.own_dir() else { return Ok(()) };
    store::check_own_dir(&context.locations.state, &own).map_err(|error| state_error(context, &error))
}

/// Copies from the state what is wanted, whoever has it open; an empty one when there is no state yet.
pub(super) fn state(context: &mut Context, want: Want<'_>) -> Result<Reading, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        context.shell.error("Cannot start the event loop", error.to_string());
        Exit::Failure
    })?;
    runtime.block_on(read(context, want))
}

/// The same as [`state`], for verbs that have an event queue.
pub(super) async fn read(context: &mut Context, want: Want<'_>) -> Result<Reading, Exit> {
    own_state(context)?;
    let origin = context.origin();
    let state = context.locations.state.clone();
    match ops::read(&state, want, context.answer_timeout).await {
        Ok(None) => Reading::without_state(want, &origin).map_err(|error| load_error(context, &error)),
        Ok(Some(reading)) if reading.snapshot.origin == origin => {
            warn_of_owner(context);
            Ok(reading)
        }
        Ok(Some(reading)) => {
            let error = state::Error::OtherOrigin { state, recorded: reading.snapshot.origin, given: origin };
            Err(state_error(context, &error))
        }
        Err(error) => Err(read_error(context, &error)),
    }
}

/// Says once that a state which was read belongs to another user, so that nobody expects to change it.
pub(super) fn warn_of_owner(context: &mut Context) {
    if context.told_owner {
        return;
    }
    // A directory that cannot be opened any more was read a moment ago; whoever opens it next says what is wrong.
    let Ok(Some(state)) = PrivateDir::open(context.locations.state.directory()) else { return };
    let Some((path, owner)) = state.foreign() else { return };
    let detail = format!(
        "{} belongs to user {owner}, and contactsd runs as user {}. The state was read from a copy, which takes longer, \
         and nothing was written to it. Verbs that change it refuse it: run them as user {owner}.",
        path.display(),
        rustix::process::geteuid().as_raw()
    );
    context.shell.warning("The state belongs to another user", detail);
    context.told_owner = true;
}

/// Says why the state cannot be read.
fn read_error(context: &mut Context, error: &ReadError) -> Exit {
    let (state, holder, why) = match error {
        ReadError::Store(error) => return state_error(context, error),
        ReadError::Load(error) => return load_error(context, error),
        ReadError::Unanswered { state, holder, waited, .. } => {
            let why = format!(
                "That process did not answer within {}. It may be stopped or stuck: end it, or try again. One that \
                 is gone leaves nothing to clean up.",
                wait(*waited)
            );
            (state, holder, why)
        }
        ReadError::Unaskable { state, holder, source } => {
            let why = format!(
                "That process cannot be asked about the state: {}.\nRun both in the same version, as the same user, \
                 or try again when it is done.",
                ops::chain(source)
            );
            (state, holder, why)
        }
    };
    let info = lock_info(state, holder.as_deref());
    context.shell.error("Error acquiring the state lock", format!("{info}\n\n{why}"));
    Exit::Failure
}

/// Says why files and state are not compared.
pub(super) fn snapshot_error(context: &mut Context, error: &SnapshotError) -> Exit {
    match error {
        SnapshotError::Store(error) => state_error(context, error),
        SnapshotError::Load(error) => load_error(context, error),
    }
}

/// Says why the state cannot be used.
pub(super) fn state_error(context: &mut Context, error: &state::Error) -> Exit {
    let message = match error {
        state::Error::Locked { state, holder } => {
            let info = lock_info(state, holder.as_deref());
            let next = if holder.as_ref().is_some_and(|holder| holder.operation == "watch") {
                let (pause, resume) = (context.command("pause"), context.command("resume"));
                format!("Nothing was changed. The service releases the state on `{pause}`, until `{resume}`.")
            } else {
                "Nothing was changed. Try again when that process is done, or wait for it with --lock-timeout."
                    .to_owned()
            };
            Message::error("Error acquiring the state lock", format!("{info}\n\n{next}"))
        }
        other => Message::error("The state cannot be used", ops::chain(other)),
    };
    context.shell.message(&message);
    Exit::Failure
}

/// Describes the process that has the state open.
fn lock_info(state: &Location, holder: Option<&Holder>) -> String {
    let Some(Holder { pid, user_host, operation, since, version, socket: _ }) = holder else {
        return format!("Another process has {state} open.");
    };
    format!(
        "Lock Info:\n  Path:      {state}\n  Operation: {operation}\n  Who:       {user_host} (process {pid})\n  \
         Version:   {version}\n  Created:   {}",
        time_text(*since)
    )
}
