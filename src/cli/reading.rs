//! What verbs read before they do anything: the state, without holding it. The files are read by `loading`.

use super::Exit;
use super::context::{Context, Found};
use crate::ops::{self, DriftError, LoadError, Problem, ReadError, Reading, SnapshotError, Want};
use crate::private_dir::PrivateDir;
use crate::shell_word::command;
use crate::ui::words;
use crate::ui::words::system::{Asked, cannot};
use crate::{state, store};

/// Makes an event loop for a verb that has none.
pub(super) fn alone(context: &mut Context) -> Result<tokio::runtime::Runtime, Exit> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| context.fail(&cannot(Asked::EventLoop, &error)))
}

/// Says why the contact files cannot be used.
pub(super) fn load_error(context: &mut Context, error: &LoadError) -> Exit {
    let files = match error {
        LoadError::Invalid { files, .. } => Some(*files),
        LoadError::Unreadable(_) => None,
    };
    context.found = Found { files, contacts: None };
    context.shell.messages(words::load(error));
    Exit::Failure
}

/// Refuses a state that belongs to another contact directory of the same name.
pub(super) fn own_state(context: &mut Context) -> Result<(), Exit> {
    let Some(own) = context.own_dir() else { return Ok(()) };
    store::check_own_dir(&context.locations.state, &own).map_err(|error| state_error(context, &error))
}

/// The same as [`state`], and refuses a state of another API than the one that is asked for.
pub(super) fn state_of_api(context: &mut Context, want: Want<'_>) -> Result<Reading, Exit> {
    let reading = state(context, want)?;
    of_api(context, reading)
}

/// The same, for verbs that have an event queue.
pub(super) async fn read_of_api(context: &mut Context, want: Want<'_>) -> Result<Reading, Exit> {
    let reading = read(context, want).await?;
    of_api(context, reading)
}

fn of_api(context: &mut Context, reading: Reading) -> Result<Reading, Exit> {
    let given = context.origin();
    if reading.snapshot.origin == given {
        return Ok(reading);
    }
    let (state, recorded) = (context.locations.state.clone(), reading.snapshot.origin);
    Err(state_error(context, &state::Error::OtherOrigin { state, recorded, given }))
}

/// Copies from the state what is wanted, whoever has it open and whichever API it is of; an empty one when there is no
/// state yet.
pub(super) fn state(context: &mut Context, want: Want<'_>) -> Result<Reading, Exit> {
    alone(context)?.block_on(read(context, want))
}

/// The same as [`state`], for verbs that have an event queue.
pub(super) async fn read(context: &mut Context, want: Want<'_>) -> Result<Reading, Exit> {
    own_state(context)?;
    let origin = context.origin();
    let state = context.locations.state.clone();
    match ops::read(&state, want, context.answer_timeout).await {
        Ok(None) => Reading::without_state(want, &origin).map_err(|error| load_error(context, &error)),
        Ok(Some(reading)) => {
            warn_of_owner(context);
            if let Some(why) = &reading.instead {
                let message = words::read_from_copy(why, &command);
                context.shell.message(&message);
            }
            Ok(reading)
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
    context.shell.message(&words::managed::foreign(path, owner, rustix::process::geteuid().as_raw()));
    context.told_owner = true;
}

/// Says why the state cannot be read.
fn read_error(context: &mut Context, error: &ReadError) -> Exit {
    match error {
        ReadError::Store(error) => state_error(context, error),
        ReadError::Load(error) => load_error(context, error),
        ReadError::Unanswered { state, holder, waited, .. } => {
            context.fail(&words::unanswered(state, holder.as_deref(), *waited))
        }
        ReadError::Unaskable { state, holder, source } => {
            context.fail(&words::unaskable(state, holder.as_deref(), source))
        }
    }
}

/// Says why files and state are not compared.
pub(super) fn snapshot_error(context: &mut Context, error: &SnapshotError) -> Exit {
    match error {
        SnapshotError::Store(error) => state_error(context, error),
        SnapshotError::Load(error) => load_error(context, error),
    }
}

/// Says why nothing can be said; `put_off` is what waits for quota.
pub(super) fn drift_error(context: &mut Context, error: DriftError, put_off: Option<&Problem>) -> Exit {
    match error {
        DriftError::Load(error) => load_error(context, &error),
        DriftError::Problem(problem) => context.fail(&words::problem(&problem)),
        DriftError::Ended => {
            context.shell.messages(put_off.map(words::problem));
            Exit::Failure
        }
    }
}

/// Says why the state cannot be used.
pub(super) fn state_error(context: &mut Context, error: &state::Error) -> Exit {
    let message = words::state(error, &command);
    context.fail(&message)
}
