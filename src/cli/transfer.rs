//! `contactsd state pull` and `contactsd state push`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use super::args::{ApprovalArgs, LockArgs};
use super::context::Context;
use super::reading::{own_state, state_error, warn_of_owner};
use super::run::{approved, block_on, may_approve};
use super::stream::is_stream;
use super::{Exit, connection, lease, stand_in};
use crate::ops::{self, Clock, ProblemKind, Waiting};
use crate::shell_word::command;
use crate::state;
use crate::store::{self, Held, Incoming};
use crate::ui::json::PushOutcome;
use crate::ui::words::run::NobodyToAsk;
use crate::ui::words::system::cannot_read;
use crate::ui::{replacement_record, replacement_text, words};

#[derive(Debug, Args)]
pub(super) struct PushArgs {
    /// File that holds a pulled state, or - for stdin
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Replace the state even with an older one, a different one of the same serial, or one of another lineage
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
}

pub(super) fn pull(lock: &LockArgs, context: &mut Context) -> Exit {
    // Asked of the system: a shell that speaks JSON says that it is on no terminal.
    if io::stdout().is_terminal() {
        return context.fail(&words::managed::not_to_a_terminal(&command));
    }
    stand_in::remark(context);
    if let Err(exit) = own_state(context) {
        return exit;
    }
    block_on(context, async |context: &mut Context| {
        let state = context.locations.state.clone();
        let pulling = async |context: &mut Context| {
            let mut out = context.shell.raw();
            ops::pull(&state, lock.lock_timeout, &mut out).await
        };
        match pulling(context).await {
            // What could not be written is told at the end, unless whoever read it has left.
            Ok(Some(_)) | Err(state::Error::Output { .. }) => {
                warn_of_owner(context);
                Exit::Success
            }
            Ok(None) => context.fail(&words::managed::no_state(&state)),
            Err(error) => state_error(context, &error),
        }
    })
}

pub(super) fn push(args: &PushArgs, context: &mut Context) -> Exit {
    let from_stdin = is_stream(&args.file);
    if from_stdin && !args.approval.auto_approve {
        return context.fail(&words::run::nobody_can_approve(NobodyToAsk::StdinIsTaken, false));
    }
    if let Err(exit) = may_approve(&args.approval, context) {
        return exit;
    }
    stand_in::announce(context);
    if from_stdin {
        let mut stdin = io::stdin().lock();
        return push_from(args, context, &mut stdin);
    }
    match File::open(&args.file) {
        Ok(file) => push_from(args, context, &mut BufReader::new(file)),
        Err(error) => context.fail(&cannot_read(&args.file, &error)),
    }
}

fn push_from(args: &PushArgs, context: &mut Context, input: &mut dyn BufRead) -> Exit {
    block_on(context, async |context: &mut Context| {
        let location = context.locations.state.clone();
        context.keep_from_git(location.directory());
        let waiting = Waiting::default();
        let options = store::Options {
            location,
            origin: context.origin(),
            own_dir: context.own_dir(),
            holder: connection::holder(context, "state push", Clock::system().now()),
            progress: waiting.progress(),
        };
        connection::about_to_take(context, &options.location);
        let holding = ops::hold(options, args.lock.lock_timeout, &waiting);
        let held = connection::patiently(context, &waiting, holding).await;
        lease::is_held(held.as_ref().ok().and_then(Held::lease));
        let loaded = match held {
            Ok(held) => {
                tell_remarks(context, held.remarks());
                held.load(input, args.force)
            }
            Err(error) => Err(error),
        };
        match loaded {
            Ok(incoming) => replace(args, context, incoming),
            Err(error) => state_error(context, &error),
        }
    })
}

/// Says what was done about a state before it was looked at.
pub(super) fn tell_remarks(context: &mut Context, remarks: &[store::Remark]) {
    let problems = remarks.iter().map(|remark| ProblemKind::StateMended(remark.clone()).into());
    context.shell.messages(problems.map(|problem| words::problem(&problem)));
}

/// Shows what is to be replaced by what, has it approved and does it.
fn replace(args: &PushArgs, context: &mut Context, incoming: Incoming) -> Exit {
    let (now, new) = (incoming.current(), incoming.loaded());
    let record = |text: &str, outcome| [replacement_record(text, now.as_ref(), &new, outcome)];
    if incoming.is_the_same() {
        let text = words::managed::SAME_STATE;
        context.shell.result_as(text, record(text, PushOutcome::Unchanged));
        return Exit::Success;
    }
    let text = replacement_text(&context.locations.state, now.as_ref(), &new, incoming.setback());
    context.shell.result_as(&text, record(words::managed::WILL_BE_REPLACED, PushOutcome::Planned));
    if !args.approval.auto_approve && !approved(context) {
        return Exit::Failure;
    }
    match incoming.install() {
        Ok(()) => {
            let text = words::managed::now_manages(new.bindings, new.serial);
            context.shell.result_as(&text, record(&text, PushOutcome::Replaced));
            Exit::Success
        }
        Err(error) => state_error(context, &error),
    }
}
