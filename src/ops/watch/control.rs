//! What a service can be asked and told while it runs, and both ends of asking.

use std::future::ready;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::board::Board;
use super::settings::Settings;
use crate::model::{Digest, Timestamp};
use crate::plan::Counts;
use crate::serve::{self, Role, Routes};
use crate::state::{self, Location};
use crate::store::{self, Seating};

/// What another process may ask a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Request {
    /// How the service is doing.
    Status,
    /// To make no further pass and release the state, until told to resume.
    Pause,
    Resume,
    /// To apply the plan of this digest although it exceeds limits.
    Approve(Digest),
}

impl Request {
    /// Names the call.
    fn name(&self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Approve(_) => "approve",
        }
    }
}

/// Something the service is told to do.
#[derive(Debug)]
pub enum Command {
    Pause {
        reply: oneshot::Sender<Result<PauseAnswer, Unable>>,
    },
    Resume {
        reply: oneshot::Sender<Result<ResumeAnswer, Unable>>,
    },
    Approve {
        digest: Digest,
        reply: oneshot::Sender<Result<ApproveAnswer, Unable>>,
    },
    /// The directory of the state was removed or replaced, and the place of the service was taken again.
    Displaced,
    /// To look at everything again, with these settings from now on.
    Reload(Box<Settings>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PauseAnswer {
    /// The state is released.
    Paused { since: Timestamp },
    /// It was paused before.
    AlreadyPaused { since: Timestamp },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ResumeAnswer {
    Resumed,
    NotPaused,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ApproveAnswer {
    /// The plan is being applied.
    Approved {
        counts: Counts,
    },
    /// The plan that exceeds limits now is another one.
    MovedOn {
        now: Digest,
    },
    /// No plan exceeds limits.
    NothingBraked,
    /// The service only plans.
    DryRun,
    /// There is no plan, because the pass ended before it; the service says why in its log.
    NoPlan,
    Paused {
        since: Timestamp,
    },
}

/// Adds to `pages` what the service answers other processes.
pub(super) fn routes(pages: Routes, board: Board, commands: &UnboundedSender<Command>) -> Routes {
    let (pausing, resuming, approving) = (commands.clone(), commands.clone(), commands.clone());
    pages
        .call("status", move |(): ()| ready(Ok(board.read().clone())))
        .call("pause", move |(): ()| tell(pausing.clone(), |reply| Command::Pause { reply }))
        .call("resume", move |(): ()| tell(resuming.clone(), |reply| Command::Resume { reply }))
        .call("approve", move |digest| tell(approving.clone(), |reply| Command::Approve { digest, reply }))
}

async fn tell<T>(
    commands: UnboundedSender<Command>,
    command: impl FnOnce(oneshot::Sender<Result<T, Unable>>) -> Command,
) -> Result<T, String> {
    let (reply, answer) = oneshot::channel();
    // Both fail only when the service has ended.
    let sent = commands.send(command(reply)).is_ok();
    let answer = answer.await.ok().filter(|_| sent).unwrap_or(Err(Unable::Ending));
    answer.map_err(|why| why.to_string())
}

/// Why a service cannot do what it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unable {
    #[error("it is ending")]
    Ending,
    /// Another service has the state, and makes the plans.
    #[error("it stands by: {holder} has the state, and makes the plans")]
    StandsBy { holder: String },
    #[error("it was started for one pass and cannot be paused")]
    OnePass,
    /// The mark of the pause cannot be written or removed, with what caused that.
    #[error("{0}")]
    Marking(String),
}

/// Why a service could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No service keeps this state in step.
    #[error("no service is running for this state")]
    NoService,
    /// One keeps this state in step and answers nowhere; it says who it is, if anything.
    #[error("{} keeps this state in step and answers at no socket. Its log says why", service_text(holder.as_deref()))]
    Unheard { holder: Option<Box<state::Holder>> },
    #[error(transparent)]
    Serve(#[from] serve::Error),
    /// The directory of the state is not used.
    #[error(transparent)]
    Store(#[from] state::Error),
}

/// How long a service that is not found is asked for again: longer than one takes to make its place again.
const RETURN: Duration = Duration::from_secs(2);
/// How long apart.
const RETURN_PAUSE: Duration = Duration::from_millis(100);

fn service_text(holder: Option<&state::Holder>) -> String {
    holder.map_or_else(|| "a service".to_owned(), |holder| format!("{holder},"))
}

/// Asks the service of `state`, which may take up to `patience` to answer.
///
/// One that is there and is not found is waited for a moment, and so is one that `request` is to change where
/// nothing tells whether there is one: it makes its place again when somebody has removed it.
pub async fn ask<T: DeserializeOwned>(state: &Location, request: &Request, patience: Duration) -> Result<T, AskError> {
    let gives_up = tokio::time::Instant::now() + RETURN;
    loop {
        let unfound = match ask_once(state, request, patience).await {
            Err(AskError::NoService) => store::seating(state)?,
            answered => return answered,
        };
        let (is_worth_a_wait, error) = match unfound {
            Seating::Free => (false, AskError::NoService),
            Seating::Unknown => (*request != Request::Status, AskError::NoService),
            Seating::Taken(holder) => (true, AskError::Unheard { holder }),
        };
        if !is_worth_a_wait || tokio::time::Instant::now() >= gives_up {
            return Err(error);
        }
        tokio::time::sleep(RETURN_PAUSE).await;
    }
}

async fn ask_once<T: DeserializeOwned>(state: &Location, request: &Request, patience: Duration) -> Result<T, AskError> {
    let named = store::seated(state)?.and_then(|holder| holder.socket);
    for socket in serve::candidates(Role::Service, state.directory(), named.as_deref()) {
        match serve::ask(&socket, request.name(), request, patience).await {
            Err(serve::Error::Nobody { .. }) => {}
            answered => return Ok(answered?),
        }
    }
    Err(AskError::NoService)
}

/// Takes the mark of a pause away where no service runs; tells whether there was one.
pub fn resume_without_service(state: &Location, holder: &state::Holder) -> Result<bool, state::Error> {
    match store::paused(state)? {
        Some(_) => store::Seat::take(state, holder)?.resume(),
        None => Ok(false),
    }
}
