//! The way to Apollo, or to its stand-in, and the state held for writing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::args::RequestArgs;
use super::context::Context;
use super::reading::{own_state, state_error};
use super::{Exit, first_process, lease, stand_in};
use crate::apollo;
use crate::failpoints::{Step, reached};
use crate::model::Timestamp;
use crate::ops::{
    Clock, CredentialSource, Entropy, Event, HeldUp, Session, SessionError, SessionOptions, Waiting, chain,
};
use crate::quota::{Backoff, Rules};
use crate::sandbox::{Sandbox, read_key};
use crate::settings::Credential;
use crate::state::{Holder, Location};
use crate::ui::json::Record;
use crate::ui::words;
use crate::ui::words::system::{Asked, cannot};

/// How long after its last attempt a create in doubt is looked up, where nobody says otherwise.
///
/// Covers a request still at work on the server and a search that lags behind writes.
const SETTLE_AFTER: Duration = Duration::from_mins(1);

/// The same of one that went out with others: the server may work on them for as long.
///
/// Source: the vendor's pages on requests for many, a limit of 300 seconds (`docs/api-notes.md#calls-for-many-contacts`).
const SETTLE_BATCHES_AFTER: Duration = Duration::from_mins(5);

/// An open session, and the sandbox that it talks to where that runs in this process.
pub(super) struct Connection {
    pub(super) session: Arc<Session>,
    pub(super) sandbox: Option<Sandbox>,
}

/// Opens the state for writing and prepares to send; says why when that fails.
pub(super) async fn open(
    context: &mut Context,
    operation: &str,
    lock_timeout: Duration,
    requests: &RequestArgs,
    events: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<Connection, Exit> {
    let (options, sandbox) = prepare(context, operation, lock_timeout, requests, events).await?;
    let source = credential_source(context);
    start(context, options, sandbox, Some(source)).await
}

/// Finds the way to Apollo, or starts its stand-in, and says how the state is to be opened.
pub(super) async fn prepare(
    context: &mut Context,
    operation: &str,
    lock_timeout: Duration,
    requests: &RequestArgs,
    events: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<(SessionOptions, Option<Sandbox>), Exit> {
    let (client, sandbox) = client(context).await?;
    let mut options =
        SessionOptions { client: Some(client), ..local(context, operation, lock_timeout, Clock::system(), events)? };
    tune(&mut options, context.sandbox, requests);
    Ok((options, sandbox))
}

/// The same for what only asks, by what is usual.
pub(super) async fn prepare_to_ask(
    context: &mut Context,
    operation: &str,
    events: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<(SessionOptions, Option<Sandbox>), Exit> {
    let (client, sandbox) = client(context).await?;
    let options = local(context, operation, Duration::ZERO, Clock::system(), events)?;
    Ok((SessionOptions { client: Some(client), ..options }, sandbox))
}

async fn client(context: &mut Context) -> Result<(apollo::Options, Option<Sandbox>), Exit> {
    let (base_url, credential, sandbox) = if context.sandbox {
        let sandbox = stand_in::attach(context, Clock::system()).await?;
        let base_url = Url::parse(&sandbox.base_url()).expect("a server's own address is a URL");
        match sandbox_credential(&context.locations.sandbox_data) {
            Ok(credential) => (base_url, credential, Some(sandbox)),
            Err(error) => {
                close_sandbox(context, Some(sandbox)).await;
                return Err(context.fail(&words::sandbox::cannot_use(&error)));
            }
        }
    } else {
        (context.api_url.clone(), credential(context)?, None)
    };
    Ok((apollo::Options::new(base_url, credential), sandbox))
}

/// Sets what the flags about requests decide.
pub(super) fn tune(options: &mut SessionOptions, sandbox: bool, requests: &RequestArgs) {
    let settle_after = if sandbox { Duration::ZERO } else { SETTLE_AFTER };
    options.rules = requests.rules();
    options.max_wait = requests.max_wait;
    options.parallelism = usize::from(requests.parallelism);
    options.settle_after = requests.settle_after.unwrap_or(settle_after);
    let settle_batches_after = if sandbox { Duration::ZERO } else { SETTLE_BATCHES_AFTER };
    options.settle_batches_after = requests.settle_after.unwrap_or(settle_batches_after);
    options.backoff = Backoff { base: requests.retry_base, ..Backoff::REQUEST };
    if let Some(client) = &mut options.client {
        client.connect_timeout = requests.connect_timeout;
        client.request_timeout = requests.request_timeout;
    }
}

/// Returns how the credential is read again.
pub(super) fn credential_source(context: &Context) -> CredentialSource {
    if context.sandbox {
        let data = context.locations.sandbox_data.clone();
        return Arc::new(move || sandbox_credential(&data).map_err(|error| chain(&error)));
    }
    let environment = context.environment.clone();
    Arc::new(move || Credential::read(&environment).map(for_apollo).map_err(|error| chain(&error)))
}

/// Reads the key that the sandbox made for its data, whichever process runs it.
fn sandbox_credential(data: &Path) -> Result<apollo::Credential, crate::sandbox::Error> {
    read_key(data).map(apollo::Credential::ApiKey)
}

fn for_apollo(credential: Credential) -> apollo::Credential {
    match credential {
        Credential::ApiKey(key) => apollo::Credential::ApiKey(key),
        Credential::AccessToken(token) => apollo::Credential::AccessToken(token),
    }
}

/// Opens the state for changes that send nothing; needs no credential.
pub(super) async fn open_local(
    context: &mut Context,
    operation: &str,
    lock_timeout: Duration,
    events: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<Connection, Exit> {
    let options = local(context, operation, lock_timeout, Clock::system(), events)?;
    start(context, options, None, None).await
}

fn local(
    context: &mut Context,
    operation: &str,
    lock_timeout: Duration,
    clock: Clock,
    events: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<SessionOptions, Exit> {
    own_state(context)?;
    let state = context.locations.state.clone();
    context.keep_from_git(state.directory());
    let entropy = Entropy::draw().map_err(|error| context.fail(&cannot(Asked::RandomNumbers, &error)))?;
    Ok(SessionOptions {
        state,
        origin: context.origin(),
        own_dir: context.own_dir(),
        client: None,
        holder: holder(context, operation, clock.now()),
        lock_timeout,
        waiting: Waiting::default(),
        runtime_directory: Some(context.environment.runtime_directory()),
        rules: Rules::default(),
        max_wait: None,
        parallelism: 1,
        settle_after: SETTLE_AFTER,
        settle_batches_after: SETTLE_BATCHES_AFTER,
        backoff: Backoff::REQUEST,
        clock,
        drawn: entropy.drawn,
        run: entropy.run,
        seed: entropy.seed,
        events,
    })
}

/// Says what this process is.
pub(super) fn holder(context: &Context, operation: &str, since: Timestamp) -> Holder {
    Holder {
        pid: std::process::id(),
        user_host: format!("{}@{}", context.environment.user, context.environment.host),
        operation: operation.to_owned(),
        since,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        socket: None,
    }
}

/// Opens a session; says what was done about the state before.
pub(super) async fn begin(context: &mut Context, options: SessionOptions) -> Result<Arc<Session>, SessionError> {
    let session = open_session(context, options).await?;
    context.shell.messages(session.remarks().iter().map(words::problem));
    Ok(Arc::new(session))
}

async fn start(
    context: &mut Context,
    options: SessionOptions,
    sandbox: Option<Sandbox>,
    source: Option<CredentialSource>,
) -> Result<Connection, Exit> {
    match open_session(context, options).await {
        Ok(session) => {
            context.shell.messages(session.remarks().iter().map(words::problem));
            reached(Step::StateOpened);
            let session = match source {
                Some(source) => session.renewing_credential(source),
                None => session,
            };
            Ok(Connection { session: Arc::new(session), sandbox })
        }
        Err(error) => {
            close_sandbox(context, sandbox).await;
            Err(session_error(context, &error))
        }
    }
}

/// Opens the session, and says so when another process is waited for.
async fn open_session(context: &mut Context, options: SessionOptions) -> Result<Session, SessionError> {
    let waiting = options.waiting.clone();
    about_to_take(context, &options.state);
    let opened = patiently(context, &waiting, Session::open(options)).await;
    lease::is_held(opened.as_ref().ok().and_then(|session| session.store().lease()));
    opened
}

/// Hears the signals from here on where a lease on the state is about to be taken.
pub(super) fn about_to_take(context: &mut Context, state: &Location) {
    if matches!(state, Location::Database { .. }) {
        first_process::hear_signals(context);
        lease::is_being_taken();
    }
}

/// Waits for a state to open, and says what holds that up.
pub(super) async fn patiently<T>(context: &mut Context, waiting: &Waiting, opening: impl Future<Output = T>) -> T {
    let mut told = waiting.told();
    let (mut is_taken, mut tenths) = (false, 0);
    tokio::pin!(opening);
    loop {
        tokio::select! {
            biased;
            opened = &mut opening => return opened,
            // It is told by what `waiting` is.
            Ok(()) = told.changed() => {}
        }
        let held_up = *told.borrow_and_update();
        match held_up {
            HeldUp::Taken if !is_taken => {
                is_taken = true;
                let text = words::run::ACQUIRING_LOCK;
                context.shell.status_as(text, [Record::state_lock_acquire(text)]);
            }
            HeldUp::Rebuilt { done, all } if done * 10 / all.max(1) > tenths => {
                tenths = done * 10 / all.max(1);
                let text = words::rebuilding(done, all);
                context.shell.status_as(&text, [Record::log(&text)]);
            }
            HeldUp::Nothing | HeldUp::Taken | HeldUp::Rebuilt { .. } => {}
        }
    }
}

impl Connection {
    /// Releases the state and ends the sandbox; says what went wrong.
    pub(super) async fn close(self, context: &mut Context) -> Result<(), Exit> {
        reached(Step::BeforeClose);
        let session = Arc::into_inner(self.session).expect("every task of a run has ended with it");
        let closed = session.close().await;
        lease::is_held(None);
        close_sandbox(context, self.sandbox).await;
        closed.map_err(|error| context.fail(&words::not_closed(&chain(&error))))
    }
}

pub(super) async fn close_sandbox(context: &mut Context, sandbox: Option<Sandbox>) {
    if let Some(sandbox) = sandbox
        && let Err(error) = sandbox.stop().await
    {
        context.shell.message(&words::sandbox::not_ended(&error));
    }
}

/// Says why a session could not begin.
pub(super) fn session_error(context: &mut Context, error: &SessionError) -> Exit {
    match error {
        SessionError::Store(error) => state_error(context, error),
        // It was told when it was given up.
        SessionError::Out => Exit::Failure,
        other => context.fail(&words::session(other)),
    }
}

fn credential(context: &mut Context) -> Result<apollo::Credential, Exit> {
    match Credential::read(&context.environment) {
        Ok(credential) => Ok(for_apollo(credential)),
        Err(error) => Err(context.fail(&words::credential(&error))),
    }
}
