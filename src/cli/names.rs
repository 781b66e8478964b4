//! Asking Apollo for the names that contact files use, and keeping them.

use tokio::sync::mpsc::UnboundedReceiver;

use super::connection::{self, Connection};
use super::context::Context;
use super::reading::state_error;
use super::run::{channel, driven, release};
use super::{Exit, signals};
use crate::model::{NameKind, NameKinds, Names};
use crate::ops::{Clock, Desired, Event, LoadError, Loader, NamesError, Session, SessionError};
use crate::settings::{Credential, CredentialError};
use crate::store;
use crate::ui::words;
use crate::ui::words::system::{Asked, cannot};

/// The names that are to be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToLearn {
    kinds: NameKinds,
    /// Whether the files cannot be used without.
    is_needed: bool,
}

/// Tells which names are to be asked for after the files were read.
pub(super) fn to_learn(loaded: &Result<Desired, LoadError>) -> Option<ToLearn> {
    match loaded {
        Ok(desired) if desired.has_old_names(Clock::system().now()) => {
            Some(ToLearn { kinds: desired.names_used(), is_needed: false })
        }
        Err(LoadError::Invalid { names, .. }) if names.any() => Some(ToLearn { kinds: *names, is_needed: true }),
        _ => None,
    }
}

/// Asks for names and returns all that are known then; `None` where the files are to be taken as they were read.
pub(super) async fn learn(
    context: &mut Context,
    loader: &Loader,
    ToLearn { kinds, is_needed }: ToLearn,
) -> Result<Option<Names>, Exit> {
    let known = loader.known_names();
    if !may_ask(context)? {
        if is_needed && kinds.iter().any(|kind| known.read_at(kind).is_some()) {
            context.shell.hint(words::account::NAMES_NEED_A_KEY);
        }
        return Ok(None);
    }
    let kinds: Vec<NameKind> = kinds.iter().collect();
    match ask(context, "names", &kinds).await? {
        Ok(names) => Ok(Some(known.updated_by(names))),
        Err(error) => {
            if is_needed {
                tell(context, &error);
                return Err(Exit::Failure);
            }
            // What is known is old, and as good as it gets.
            tell_as_warning(context, &error);
            Ok(None)
        }
    }
}

/// Reports whether there is a credential to ask with; one that cannot be used is an error.
pub(super) fn may_ask(context: &mut Context) -> Result<bool, Exit> {
    if context.sandbox {
        return Ok(true);
    }
    match Credential::read(&context.environment) {
        Ok(_) => Ok(true),
        Err(CredentialError::Missing) => Ok(false),
        Err(error) => Err(context.fail(&words::credential(&error))),
    }
}

/// Asks Apollo for names; they are kept in the state where there is one that is not in use.
pub(super) async fn ask(
    context: &mut Context,
    operation: &str,
    kinds: &[NameKind],
) -> Result<Result<Names, NamesError>, Exit> {
    let exists = store::exists(&context.locations.state).map_err(|error| state_error(context, &error))?;
    if exists {
        let (tell, events) = channel();
        let (options, sandbox) = connection::prepare_to_ask(context, operation, tell).await?;
        match connection::begin(context, options).await {
            Ok(session) => return ask_with(context, Connection { session, sandbox }, events, kinds).await,
            // Whoever has it open keeps what it needs itself.
            Err(SessionError::Store(_)) => connection::close_sandbox(context, sandbox).await,
            Err(error) => {
                connection::close_sandbox(context, sandbox).await;
                return Err(connection::session_error(context, &error));
            }
        }
    }
    let aside = tempfile::tempdir().map_err(|error| context.fail(&cannot(Asked::Directory, &error)))?;
    let home = context.locations.state.clone();
    let own_dir = context.locations.own_dir.take();
    context.locations.state = aside.path().join("state").into();
    let asked = ask_aside(context, operation, kinds).await;
    context.locations.state = home;
    context.locations.own_dir = own_dir;
    asked
}

/// Asks with a state that is for this alone.
async fn ask_aside(
    context: &mut Context,
    operation: &str,
    kinds: &[NameKind],
) -> Result<Result<Names, NamesError>, Exit> {
    let (tell, events) = channel();
    let (options, sandbox) = connection::prepare_to_ask(context, operation, tell).await?;
    match connection::begin(context, options).await {
        Ok(session) => ask_with(context, Connection { session, sandbox }, events, kinds).await,
        Err(error) => {
            connection::close_sandbox(context, sandbox).await;
            Err(connection::session_error(context, &error))
        }
    }
}

async fn ask_with(
    context: &mut Context,
    connection: Connection,
    mut events: UnboundedReceiver<Event>,
    kinds: &[NameKind],
) -> Result<Result<Names, NamesError>, Exit> {
    let session = &connection.session;
    let asked = driven(context, session.stop(), &mut events, session.learn_names(kinds)).await;
    let ended = |session: &Session| session.stop().reason().and_then(|ended| signals::exit(&ended));
    let exit = ended(session);
    let outcome = match (&asked, exit) {
        (Err(exit), _) => Err(*exit),
        (Ok(_), Some(exit)) => Err(exit),
        (Ok(_), None) => Ok(Exit::Success),
    };
    release(context, connection, outcome).await?;
    asked
}

/// Says why names are not known.
pub(super) fn tell(context: &mut Context, error: &NamesError) {
    match error {
        NamesError::Session(error) => drop(connection::session_error(context, error)),
        NamesError::Unread(problem) => context.shell.message(&words::problem(problem)),
        // It was told when it happened.
        NamesError::Ended => {}
    }
}

fn tell_as_warning(context: &mut Context, error: &NamesError) {
    if let NamesError::Unread(problem) = error {
        context.shell.message(&words::account::old_names_used(&words::problem(problem)));
    }
}
