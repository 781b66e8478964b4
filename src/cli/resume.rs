//! `contactsd resume`.

use super::Exit;
use super::connection::holder;
use super::context::Context;
use super::reading::state_error;
use super::service::{ask_service, no_service};
use crate::ops::Clock;
use crate::ops::watch::{Request, ResumeAnswer, resume_without_service};

pub(super) fn run(context: &mut Context) -> Exit {
    ask_service(context, &Request::Resume, |context, answer| match answer {
        Some(ResumeAnswer::Resumed) => {
            context
                .shell
                .result("Resumed. The service takes the state as soon as it is free, and looks at everything.");
            Exit::Success
        }
        Some(ResumeAnswer::NotPaused) => {
            context.shell.result("Not paused: the service is at work.");
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
            context.shell.result("No service is running. The pause is over: the next one begins at once.");
            Exit::Success
        }
        Ok(false) => no_service(context, "There is nothing to resume."),
        Err(error) => state_error(context, &error),
    }
}
