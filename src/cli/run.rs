//! What verbs share that change something: approval, a run with its signals, and how it ends.

use std::future::Future;
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::Exit;
use super::args::ApprovalArgs;
use super::connection::{self, Connection};
use super::context::Context;
use super::lease;
use super::reading::{drift_error, load_error, snapshot_error, state_error};
use super::showing::{self, Shown};
use super::signals::{self, Signals};
use crate::model::Digest;
use crate::ops::{self, Desired, Drift, Event, Planned, Problem, Remaining, Report, Session, Stop};
use crate::plan::{Plan, Scope};
use crate::state::Snapshot;
use crate::ui::json::report_record;
use crate::ui::words::run::NobodyToAsk;
use crate::ui::words::system::{Asked, cannot};
use crate::ui::{APPROVAL, Progress, apply_summary, approval_prompt, words};

/// Fails at once if there is no approval and no way to ask for it.
pub(super) fn may_approve(approval: &ApprovalArgs, context: &mut Context) -> Result<(), Exit> {
    may_be_approved(approval, false, context)
}

/// Does so for what `plan` shows.
pub(super) fn may_approve_plan(approval: &ApprovalArgs, context: &mut Context) -> Result<(), Exit> {
    may_be_approved(approval, true, context)
}

fn may_be_approved(approval: &ApprovalArgs, is_plan: bool, context: &mut Context) -> Result<(), Exit> {
    let json = context.shell.speaks_json();
    if approval.auto_approve || (approval.input && !json && std::io::stdin().is_terminal()) {
        return Ok(());
    }
    let why = if json { NobodyToAsk::Json } else { NobodyToAsk::NoTerminal };
    Err(context.fail(&words::run::nobody_can_approve(why, is_plan)))
}

/// Most things that are done aside at a time: reading rows and files, which takes a processor each.
///
/// Each thread has memory of its own for what it allocates: sixteen of them kept some twenty megabytes more.
const ASIDE: usize = 4;

/// Runs the future of a verb to its end, on a runtime of its own.
pub(super) fn block_on(context: &mut Context, verb: impl AsyncFnOnce(&mut Context) -> Exit) -> Exit {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    match runtime.worker_threads(2).max_blocking_threads(ASIDE).enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(verb(context));
            // Whatever still runs was left behind on purpose, by a second signal.
            runtime.shutdown_background();
            exit
        }
        Err(error) => context.fail(&cannot(Asked::WorkerThreads, &error)),
    }
}

/// Makes a channel for the events of a run.
pub(super) fn channel() -> (Arc<dyn Fn(Event) + Send + Sync>, UnboundedReceiver<Event>) {
    let (sender, events) = unbounded_channel();
    (Arc::new(move |event| drop(sender.send(event))), events)
}

/// Makes one for a run whose stdout holds its result and nothing else: what goes wrong is told alone.
pub(super) fn channel_of_problems() -> (Arc<dyn Fn(Event) + Send + Sync>, UnboundedReceiver<Event>) {
    let (tell, events) = channel();
    let tell_problem = move |event| {
        if let Event::Problem(_) = event {
            tell(event);
        }
    };
    (Arc::new(tell_problem), events)
}

/// How a plan is made and approved.
#[derive(Clone, Copy)]
pub(super) struct Perform<'a> {
    pub(super) approval: &'a ApprovalArgs,
    /// The digest of the one plan that is approved.
    pub(super) expected: Option<&'a Digest>,
    /// Whether it is looked first what has changed in Apollo.
    pub(super) refresh: bool,
}

impl<'a> Perform<'a> {
    /// A plan that is made from the state as it is, and that somebody is asked about.
    pub(super) fn approved_by(approval: &'a ApprovalArgs) -> Self {
        Self { approval, expected: None, refresh: false }
    }
}

/// Makes a plan, shows it, has it approved and applies it; releases the state at the end.
pub(super) async fn perform(
    context: &mut Context,
    how: Perform<'_>,
    desired: &Desired,
    connection: Connection,
    events: UnboundedReceiver<Event>,
    make: impl FnOnce(&Session, &Snapshot) -> Result<Planned, Box<Problem>>,
) -> Result<Exit, Exit> {
    let outcome = perform_with(context, how, desired, &connection, events, make).await;
    release(context, connection, outcome).await
}

/// Releases the state after a run, however it ended.
pub(super) async fn release(
    context: &mut Context,
    connection: Connection,
    outcome: Result<Exit, Exit>,
) -> Result<Exit, Exit> {
    if let Err(Exit::Interrupted | Exit::Terminated) = outcome {
        // Left at once: on one machine the state is released with the process.
        lease::give_back().await;
        return outcome;
    }
    let closed = connection.close(context).await;
    let exit = outcome?;
    closed?;
    Ok(exit)
}

async fn perform_with(
    context: &mut Context,
    Perform { approval, expected, refresh }: Perform<'_>,
    desired: &Desired,
    connection: &Connection,
    mut events: UnboundedReceiver<Event>,
    make: impl FnOnce(&Session, &Snapshot) -> Result<Planned, Box<Problem>>,
) -> Result<Exit, Exit> {
    let session = &connection.session;
    let (snapshot, drift) = if refresh {
        let (snapshot, drift) = refreshed(context, connection, desired, &mut events).await?;
        (snapshot, Some(drift))
    } else {
        (session.snapshot(desired).await.map_err(|error| snapshot_error(context, &error))?, None)
    };
    let planned = make(session, &snapshot).map_err(|problem| context.fail(&words::problem(&problem)))?;
    let asks = expected.is_none() && !approval.auto_approve && planned.plan.brakes.is_empty();
    showing::show(context, &Shown { is_decided: !asks, ..Shown::of(&planned, context) });
    if !planned.plan.brakes.is_empty() {
        return Err(context.fail(&words::run::not_applied(&planned.plan.brakes)));
    }
    let is_done = planned.plan.is_empty() && planned.plan.housekeeping.is_empty();
    match expected {
        Some(expected) if is_done && planned.digest.as_ref() != Some(expected) => {
            // The second run of a pipeline finds what the first one left of its plan.
            if !session.has_begun(expected).await.map_err(|error| state_error(context, &error))? {
                return Err(context.fail(&words::run::never_applied(expected)));
            }
            context.shell.status(words::run::done_before(expected));
        }
        Some(expected) => expect(context, expected, planned.digest.as_ref())?,
        None => {}
    }
    if is_done {
        session.renew_index_if_behind(desired, &snapshot).await;
        return Ok(Exit::Success);
    }
    if asks && !planned.plan.is_empty() && !approved(context) {
        return Err(Exit::Failure);
    }
    prove(context, connection, &snapshot, &mut events).await?;
    if let Some(drift) = &drift {
        session.note_found(drift).await.map_err(|error| state_error(context, &error))?;
    }
    let begun = match expected {
        Some(digest) => Some(session.begin_plan(digest).await.map_err(|error| state_error(context, &error))?),
        None => None,
    };
    let scope = planned.plan.scope.clone();
    let applied = (!planned.plan.is_empty()).then_some(&scope);
    let report = carry_out(context, connection, planned.plan, desired, &snapshot, begun.as_ref(), events).await?;
    Ok(conclude(context, applied, &report))
}

/// Looks what has changed in Apollo, and shows it; returns the state as if that had been applied.
async fn refreshed(
    context: &mut Context,
    connection: &Connection,
    desired: &Desired,
    events: &mut UnboundedReceiver<Event>,
) -> Result<(Snapshot, Drift), Exit> {
    let session = &connection.session;
    let mut snapshot = session.snapshot_to_refresh(desired).await.map_err(|error| snapshot_error(context, &error))?;
    prove(context, connection, &snapshot, events).await?;
    let drift = driven(context, session.stop(), events, session.drift(desired, &mut snapshot)).await?;
    let drift = drift.map_err(|error| match session.stop().reason().and_then(|ended| signals::exit(&ended)) {
        Some(exit) => exit,
        None => drift_error(context, error, session.put_off().as_ref()),
    })?;
    showing::show_drift(context, &drift);
    let found = ops::as_found(desired, snapshot, &drift, session.now());
    Ok((found.map_err(|error| load_error(context, &error))?, drift))
}

/// Refuses a plan that is not the one that was reviewed.
fn expect(context: &mut Context, expected: &Digest, found: Option<&Digest>) -> Result<(), Exit> {
    let found = found.expect("only plans made by hand have no digest, and nobody expects one of those");
    if expected == found { Ok(()) } else { Err(context.fail(&words::run::not_expected(expected, found))) }
}

/// Asks whether to go on, and says so where it is not.
pub(super) fn approved(context: &mut Context) -> bool {
    let answer = asked(context);
    if !answer {
        context.shell.result(words::run::CANCELLED);
    }
    answer
}

/// Asks whether to go on.
pub(super) fn asked(context: &mut Context) -> bool {
    let prompt = approval_prompt(context.shell.stdout().color);
    answered(context, &prompt)
}

/// Asks a question; only one answer is a yes.
pub(super) fn answered(context: &mut Context, prompt: &str) -> bool {
    let stdin = std::io::stdin();
    let mut input = stdin.lock();
    ask(context, prompt, &mut input)
}

fn ask(context: &mut Context, prompt: &str, input: &mut impl BufRead) -> bool {
    match context.shell.ask(prompt, input) {
        Ok(answer) => answer.as_deref() == Some(APPROVAL),
        Err(error) => {
            context.shell.message(&cannot(Asked::Answer, &error));
            false
        }
    }
}

/// Makes sure whose the credential is, showing what holds that up; a signal ends it.
pub(super) async fn prove(
    context: &mut Context,
    connection: &Connection,
    snapshot: &Snapshot,
    events: &mut UnboundedReceiver<Event>,
) -> Result<(), Exit> {
    let session = &connection.session;
    let proved = driven(context, session.stop(), events, session.prove_credential(snapshot)).await?;
    proved.map_err(|error| match session.stop().reason().and_then(|ended| signals::exit(&ended)) {
        Some(exit) => exit,
        None => connection::session_error(context, &error),
    })
}

/// Applies, showing progress; a second signal ends it at once, as `Err`.
pub(super) async fn carry_out(
    context: &mut Context,
    connection: &Connection,
    plan: Plan,
    desired: &Desired,
    snapshot: &Snapshot,
    saved: Option<&Remaining>,
    mut events: UnboundedReceiver<Event>,
) -> Result<Report, Exit> {
    let session = &connection.session;
    let work = ops::apply_as(session, plan, desired, snapshot, saved);
    let result = driven(context, session.stop(), &mut events, work).await;
    if result.is_err() {
        context.shell.message(&words::run::stopped_at_once());
    }
    result
}

/// How long events wait to be shown together: each one that is waited for costs a switch of threads.
const SHOWN_TOGETHER: Duration = Duration::from_millis(20);

/// Drives `work`, showing its events. The first signal asks it to stop, the second ends it: `Err`.
pub(super) async fn driven<T>(
    context: &mut Context,
    stop: &Stop,
    events: &mut UnboundedReceiver<Event>,
    work: impl Future<Output = T>,
) -> Result<T, Exit> {
    let mut signals = Signals::listen().map_err(|error| context.fail(&cannot(Asked::Signals, &error)))?;
    let mut progress = Progress::new(context.view.detail);
    let shell = &mut context.shell;
    let rest = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(work, rest);
    let mut asked = false;
    let result = loop {
        tokio::select! {
            result = &mut work => break Ok(result),
            () = &mut rest, if !rest.is_elapsed() => {}
            Some(event) = events.recv(), if rest.is_elapsed() => {
                progress.event(shell, &event);
                while let Ok(event) = events.try_recv() {
                    progress.event(shell, &event);
                }
                rest.as_mut().reset(Instant::now() + SHOWN_TOGETHER);
            }
            ended = signals.next() => {
                if asked {
                    break Err(signals::exit(&ended).unwrap_or(Exit::Failure));
                }
                asked = true;
                stop.request(ended);
                progress.event(shell, &Event::Stopping);
            }
        }
    };
    // What was told before the end and not shown yet.
    while let Ok(event) = events.try_recv() {
        progress.event(shell, &event);
    }
    progress.finish(shell);
    result
}

/// Tells what an apply came to; `applied` is what was asked for of the contacts, `None` where nothing was to be done.
pub(super) fn conclude(context: &mut Context, applied: Option<&Scope>, report: &Report) -> Exit {
    if let Some(scope) = applied {
        let color = context.shell.stdout().color;
        showing::show_imports(context, report);
        context.shell.result_as(apply_summary(report, color), [report_record(report)]);
        if !scope.is_whole() {
            context.shell.message(&words::run::incomplete());
        }
    }
    match signals::exit(&report.ended) {
        Some(exit) => exit,
        None if report.is_complete() => Exit::Success,
        None => Exit::Failure,
    }
}
