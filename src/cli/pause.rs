//! `contactsd pause`.

use super::Exit;
use super::context::Context;
use super::service::{ask_service, no_service};
use crate::ops::watch::{PauseAnswer, Request};
use crate::ui::time_text;

pub(super) fn run(context: &mut Context) -> Exit {
    ask_service(context, &Request::Pause, |context, answer| match answer {
        Some(PauseAnswer::Paused { .. }) => {
            context.shell.result(format!(
                "Paused. What was under way is recorded, and other commands can write the state now.\nThe service stays \
                 paused, over restarts as well, until `{}`.",
                context.command("resume")
            ));
            Exit::Success
        }
        Some(PauseAnswer::AlreadyPaused { since }) => {
            context.shell.result(format!("Paused already, since {}.", time_text(since)));
            Exit::Success
        }
        None => no_service(context, "There is nothing to pause: other commands can write the state as it is."),
    })
}
