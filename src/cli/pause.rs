//! `contactsd pause`.

use super::Exit;
use super::context::Context;
use super::service::{ask_service, no_service};
use crate::ops::watch::Request;
use crate::shell_word::command;
use crate::ui::words::service as words;

pub(super) fn run(context: &mut Context) -> Exit {
    ask_service(context, &Request::Pause, |context, answer| match answer {
        Some(answer) => {
            context.shell.result(words::paused(&answer, &command("resume")));
            Exit::Success
        }
        None => no_service(context, words::NOTHING_TO_PAUSE),
    })
}
