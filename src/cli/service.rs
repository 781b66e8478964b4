//! Asking the running service, for the verbs that do.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Exit;
use super::context::Context;
use super::reading::{own_state, state_error};
use super::run::block_on;
use crate::ops::watch::{AskError, Request, ask};
use crate::shell_word::command;
use crate::ui::words;
use crate::ui::words::service::unasked;

/// How long the service may take: for what is under way, and for a pass over many files.
const PATIENCE: Duration = Duration::from_mins(5);

/// Asks the service and hands its answer to `conclude`; `None` when there is no service.
pub(super) fn ask_service<T: DeserializeOwned>(
    context: &mut Context,
    request: &Request,
    conclude: impl FnOnce(&mut Context, Option<T>) -> Exit,
) -> Exit {
    if let Err(exit) = own_state(context) {
        return exit;
    }
    block_on(context, async |context: &mut Context| match ask(&context.locations.state, request, PATIENCE).await {
        Ok(answer) => conclude(context, Some(answer)),
        Err(AskError::NoService) => conclude(context, None),
        Err(AskError::Store(error)) => state_error(context, &error),
        Err(error) => context.fail(&unasked(&error)),
    })
}

/// Says that there is no service, and what to do.
pub(super) fn no_service(context: &mut Context, next: &str) -> Exit {
    let watch = command("watch");
    context.fail(&words::service::no_service(&context.locations.state, next, &watch))
}
