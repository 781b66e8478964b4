//! `contactsd resume`.

use super::Exit;
use super::connection::holder;
use super::context::Context;
use super::reading::state_error;
use super::service::{ask_service, no_service};
use crate::ops::Clock;
use crate::ops::watch::{Request, resume_without_service};
use crate::ui::words::service as words;

pub(super) fn run(context: &mut Context) -> Exit {
    ask_service(context, &Request::Resume, |context, answer| match answer {
        Some(answer) => {
            context.shell.result(words::resumed(answer));
            Exit::Success
        }
        None => without_service(context),
    })
}

/// Takes the mark of a pause away, so that the next service begins at once.
fn without_service(context: &mut Context) -> Exit {
    let holder = holder(context, "resume", Clock::system().now());
    match resume_without_service(&context.locations.state, &holder) {
        Ok(true) => {
            context.shell.result(words::RESUMED_WITHOUT_SERVICE);
            Exit::Success
        }
        Ok(false) => no_service(context, words::NOTHING_TO_RESUME),
        Err(error) => state_error(context, &error),
    }
}
