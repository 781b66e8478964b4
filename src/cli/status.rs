//! `contactsd status`.

use std::time::Duration;

use clap::Args;

use super::context::Context;
use super::run::block_on;
use super::{Exit, reading};
use crate::ops::watch::{self, AskError, Request, Status};
use crate::ops::{Clock, Readiness, Want};
use crate::shell_word::command;
use crate::ui::json::StatusDocument;
use crate::ui::words::service::unasked;
use crate::ui::{AtRest, StatusOptions, at_rest_text, service_text};

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Keep showing it: on a terminal every second, elsewhere when it changes
    #[arg(long)]
    pub(super) watch: bool,
}

/// How often `--watch` looks.
const REFRESH: Duration = Duration::from_secs(1);

/// What there is to tell.
#[derive(Debug, Clone, PartialEq)]
enum Found {
    Service(Box<Status>),
    AtRest(AtRest),
}

pub(super) fn run(args: &StatusArgs, context: &mut Context) -> Exit {
    block_on(context, async |context: &mut Context| status(args, context).await.unwrap_or_else(|exit| exit))
}

async fn status(args: &StatusArgs, context: &mut Context) -> Result<Exit, Exit> {
    reading::own_state(context)?;
    let mut found = match look(context).await {
        Ok(found) => found,
        Err(unheard) => return Err(unheard.tell(context)),
    };
    show(&found, context);
    if !args.watch {
        return Ok(Exit::Success);
    }
    // Ends by Ctrl-C, or when nobody reads on.
    let mut ticks = tokio::time::interval(REFRESH);
    while !context.shell.has_failed() {
        ticks.tick().await;
        let now = match look(context).await {
            Ok(now) => now,
            // The service begins or ends: what it was is shown until it can be asked again.
            Err(Unheard::Service(AskError::Unheard { .. })) => continue,
            Err(Unheard::Service(AskError::Serve(error))) if error.is_passing() => continue,
            Err(unheard) => return Err(unheard.tell(context)),
        };
        // On a terminal times pass; elsewhere a change alone is news.
        if context.shell.stdout().is_terminal || now != found {
            found = now;
            context.shell.begin_again();
            show(&found, context);
        }
    }
    Ok(Exit::Success)
}

/// Why there is nothing to show.
enum Unheard {
    /// There is a service, and it did not answer.
    Service(AskError),
    /// The state could not be read, and that was told.
    Told(Exit),
}

impl Unheard {
    fn tell(self, context: &mut Context) -> Exit {
        match self {
            Self::Told(exit) => exit,
            Self::Service(error) => context.fail(&unasked(&error)),
        }
    }
}

/// Asks the service, or reads the state where none runs.
async fn look(context: &mut Context) -> Result<Found, Unheard> {
    let state = context.locations.state.clone();
    match watch::ask::<Status>(&state, &Request::Status, context.answer_timeout).await {
        Ok(status) => Ok(Found::Service(Box::new(status))),
        Err(AskError::NoService) => at_rest(context).await.map(Found::AtRest).map_err(Unheard::Told),
        Err(AskError::Store(error)) => Err(Unheard::Told(reading::state_error(context, &error))),
        Err(error) => Err(Unheard::Service(error)),
    }
}

async fn at_rest(context: &mut Context) -> Result<AtRest, Exit> {
    let reading = reading::read(context, Want::Everything).await?;
    let exists = !reading.snapshot.lineage.0.is_empty();
    let writer = reading.beside.as_ref().map(|beside| beside.holder.clone());
    let under_way = reading.under_way();
    let snapshot = reading.snapshot;
    let open = snapshot.intents.into_values().map(|intent| intent.key).filter(|key| !under_way.contains(key));
    let mut open: Vec<_> = open.collect();
    open.sort_unstable();
    open.dedup();
    Ok(AtRest {
        exists,
        contacts: snapshot.bindings.len() + snapshot.unchanged,
        serial: snapshot.serial.0,
        open,
        undecided: snapshot.conflicts.into_keys().collect(),
        writer,
    })
}

fn show(found: &Found, context: &mut Context) {
    let now = Clock::system().now();
    let color = context.shell.stdout().color;
    let options = StatusOptions { color, now, command: &command };
    let (text, document) = match found {
        Found::Service(status) => {
            let readiness = Readiness::of(status, now);
            (service_text(status, &options), StatusDocument::of_service(status, &readiness))
        }
        Found::AtRest(rest) => (at_rest_text(rest, &options), StatusDocument::at_rest(rest)),
    };
    context.shell.result_as(text, []);
    context.shell.documents([document]);
}
