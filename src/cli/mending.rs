//! `contactsd state check`, `state recover` and `state clean`.

use super::args::{ApprovalArgs, LockArgs};
use super::context::Context;
use super::reading::{own_state, state_error};
use super::run::{approved, block_on, may_approve};
use super::transfer::tell_remarks;
use super::{Exit, connection, stand_in};
use crate::ops::{self, Clock, Waiting};
use crate::shell_word::command;
use crate::state::Location;
use crate::store::{self, Examined, Recovery};
use crate::ui::json::StepOutcome;
use crate::ui::words::managed as words;
use crate::ui::{
    check_document, check_text, clean_record, clean_text, recovered_record, recovered_text, recovery_record,
    recovery_text,
};

pub(super) fn check(lock: &LockArgs, context: &mut Context) -> Exit {
    stand_in::remark(context);
    if let Err(exit) = own_state(context).and_then(|()| in_directory(context)) {
        return exit;
    }
    block_on(context, async |context: &mut Context| {
        let locations = context.locations.clone();
        let checking = ops::check_state(&locations.state, &locations.contacts, &context.bounds, lock.lock_timeout);
        match checking.await {
            Ok(Some(found)) => {
                let text = check_text(&locations.state, &found, &command);
                context.shell.to_people(|shell| shell.result(text));
                context.shell.documents([check_document(&found)]);
                if found.is_whole() { Exit::Success } else { Exit::Failure }
            }
            Ok(None) => nothing(context),
            Err(error) => state_error(context, &error),
        }
    })
}

pub(super) fn recover(approval: &ApprovalArgs, lock: &LockArgs, context: &mut Context) -> Exit {
    if let Err(exit) = may_approve(approval, context).and_then(|()| in_directory(context)) {
        return exit;
    }
    stand_in::announce(context);
    block_on(context, async |context: &mut Context| {
        let waiting = Waiting::default();
        let options = store::Options {
            location: context.locations.state.clone(),
            origin: context.origin(),
            own_dir: context.own_dir(),
            holder: connection::holder(context, "state recover", Clock::system().now()),
            progress: waiting.progress(),
        };
        let examining = ops::examine(options, lock.lock_timeout, &waiting);
        match connection::patiently(context, &waiting, examining).await {
            Ok(Examined::None) => nothing(context),
            Ok(Examined::Whole(remarks)) => {
                tell_remarks(context, &remarks);
                let text = words::NOTHING_LOST;
                context.shell.result_as(text, [recovered_record(text, None)]);
                Exit::Success
            }
            Ok(Examined::Damaged(recovery)) => save(approval, &waiting, *recovery, context).await,
            Err(error) => state_error(context, &error),
        }
    })
}

/// Shows what is left, has it approved and builds the state of it.
async fn save(approval: &ApprovalArgs, waiting: &Waiting, recovery: Recovery, context: &mut Context) -> Exit {
    let text = recovery_text(&recovery);
    let record = recovery_record(words::WILL_BE_BUILT, &recovery);
    context.shell.result_as(&text, [record]);
    if !approval.auto_approve && !approved(context) {
        return Exit::Failure;
    }
    let saving = crate::aside::aside(move || recovery.carry_out());
    match connection::patiently(context, waiting, saving).await {
        Ok(recovered) => {
            let text = recovered_text(&recovered);
            context.shell.result_as(&text, [recovered_record(&text, Some(&recovered))]);
            Exit::Success
        }
        Err(error) => state_error(context, &error),
    }
}

pub(super) fn clean(approval: &ApprovalArgs, context: &mut Context) -> Exit {
    if let Err(exit) = may_approve(approval, context) {
        return exit;
    }
    stand_in::announce(context);
    if let Err(exit) = own_state(context) {
        return exit;
    }
    let state = context.locations.state.clone();
    let things = match store::set_aside(&state) {
        Ok(Some(things)) => things,
        Ok(None) => return nothing(context),
        Err(error) => return state_error(context, &error),
    };
    if things.is_empty() {
        let text = words::NOTHING_TO_CLEAN;
        context.shell.result_as(text, [clean_record(text, StepOutcome::Unchanged, &things)]);
        return Exit::Success;
    }
    let text = clean_text(&state, &things);
    context.shell.result_as(&text, [clean_record(words::WILL_BE_REMOVED, StepOutcome::Planned, &things)]);
    if !approval.auto_approve && !approved(context) {
        return Exit::Failure;
    }
    match store::remove_aside(&state, &things) {
        Ok(()) => {
            let text = words::REMOVED;
            context.shell.result_as(text, [clean_record(text, StepOutcome::Done, &things)]);
            Exit::Success
        }
        Err(error) => state_error(context, &error),
    }
}

/// Refuses a state that is in no directory.
fn in_directory(context: &mut Context) -> Result<(), Exit> {
    let Location::Database { .. } = context.locations.state else { return Ok(()) };
    Err(context.fail(&words::not_for_databases()))
}

fn nothing(context: &mut Context) -> Exit {
    context.fail(&words::no_state(&context.locations.state))
}
