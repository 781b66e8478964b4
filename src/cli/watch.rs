//! `contactsd watch`.

use std::sync::Arc;

use tokio::sync::mpsc::unbounded_channel;

use super::apply::{block_on, with_signals};
use super::args::WatchArgs;
use super::context::Context;
use super::reading::load_messages;
use super::signals::Signals;
use super::{Exit, connection, observer, sandbox};
use crate::ops::{self, Ended, Event, PassEvent, WatchOptions, WatchSummary};
use crate::ui::amounts::{counted, duration};
use crate::ui::json::{pass_record, plan_records, report_record, watch_record};
use crate::ui::{Mask, Message, PlanOptions, PlanText, Progress, apply_summary, plan_summary, watch_summary};
use crate::watcher::{self, Watcher};

pub(super) fn run(args: &WatchArgs, context: &mut Context) -> Exit {
    block_on(context, async |context: &mut Context| watch(args, context).await.unwrap_or_else(|exit| exit))
}

async fn watch(args: &WatchArgs, context: &mut Context) -> Result<Exit, Exit> {
    let dir = context.locations.contacts.clone();
    let mut options = watcher::Options::new(dir.clone());
    options.poll = args.poll;
    options.ignore = vec![context.locations.state.clone()];
    let watcher = Watcher::new(options).map_err(|error| {
        context.shell.error("Cannot watch the contact files", ops::chain(&error));
        Exit::Failure
    })?;
    sandbox::announce(context);
    let (sender, mut events) = unbounded_channel();
    let tell = observer::observe(context, sender);
    let connection =
        connection::open(context, "watch", args.lock.lock_timeout, &args.quota, &args.requests, tell).await?;
    // Only now: until here nothing is under way that a signal must not end at once.
    let mut signals = Signals::listen().map_err(|error| {
        context.shell.error("Cannot listen for signals", error.to_string());
        Exit::Failure
    })?;
    let session = Arc::clone(&connection.session);
    let dir_shown = dir.display();
    context.shell.status(if args.once {
        format!("One pass over {dir_shown}.")
    } else {
        format!("Watching {dir_shown}. Press Ctrl-C to end.")
    });
    let options = WatchOptions {
        dir,
        policy: args.policy(),
        rules: args.quota.rules(),
        resync: args.resync,
        forget_after: args.forget_after,
        dry_run: args.dry_run,
        once: args.once,
    };
    let mut view =
        View { context, progress: Progress::default(), dry_run: args.dry_run, has_planned: false, last_refusal: None };
    let work = ops::watch(&session, &options, watcher);
    let result = with_signals(&mut signals, session.stop(), work, &mut events, |event| view.show(event)).await;
    while let Ok(event) = events.try_recv() {
        view.show(&event);
    }
    drop(session);
    let summary = result?;
    connection.close(context).await?;
    Ok(conclude(context, args, &summary))
}

fn conclude(context: &mut Context, args: &WatchArgs, summary: &WatchSummary) -> Exit {
    let color = context.shell.stdout().color;
    if !args.once {
        let text = watch_summary(summary.passes, &summary.total, color);
        context.shell.result_as(text, [watch_record(summary)]);
    }
    let failed = match &summary.ended {
        Ended::Fatal | Ended::QuotaExhausted { .. } => true,
        Ended::Complete | Ended::Interrupted | Ended::Terminated => args.once && !summary.last_pass_was_good,
    };
    if failed { Exit::Failure } else { Exit::Success }
}

/// Shows the events of passes, each with a progress of its own.
struct View<'a> {
    context: &'a mut Context,
    progress: Progress,
    dry_run: bool,
    /// Whether a pass has got as far as a plan; later ones without changes are quiet.
    has_planned: bool,
    /// What was last said about files that cannot be used, so that it is said once.
    last_refusal: Option<String>,
}

impl View<'_> {
    fn show(&mut self, event: &Event) {
        let Event::Pass(pass) = event else {
            self.progress.event(&mut self.context.shell, event);
            return;
        };
        if !matches!(pass, PassEvent::Refused(_)) {
            self.context.shell.records(pass_record(pass));
        }
        match pass {
            PassEvent::Refused(error) => {
                let messages = load_messages(error);
                let plain = crate::ui::Stream::default();
                let text: String = messages.iter().map(|message| message.text(plain)).collect();
                if self.last_refusal.as_ref() != Some(&text) {
                    self.context.shell.messages(messages);
                    let waiting = "Nothing was changed; waiting for the files to be mended.";
                    self.context.shell.status_as(waiting, pass_record(pass));
                    self.last_refusal = Some(text);
                }
            }
            PassEvent::Planned(planned) => {
                self.last_refusal = None;
                let color = self.context.shell.stdout().color;
                let plan = &planned.plan;
                if !plan.is_empty() || !self.has_planned {
                    self.context.shell.records(plan_records(planned, Mask::Off));
                }
                if self.dry_run && !self.context.shell.speaks_log() {
                    let options = PlanOptions { color, digest: planned.digest.as_ref(), ..PlanOptions::default() };
                    self.context.shell.result_as(PlanText { plan, options }, []);
                } else if !plan.is_empty() {
                    self.context.shell.result_as(plan_summary(plan, color), []);
                } else if !self.has_planned {
                    let options = PlanOptions { color, ..PlanOptions::default() };
                    self.context.shell.status_as(PlanText { plan, options }, []);
                }
                self.has_planned = true;
            }
            PassEvent::Absent { contacts, forget_after } => {
                let contacts = counted(*contacts, "contact");
                let time = duration(*forget_after);
                let text = format!("Gone from the files: {contacts}. Forgotten when still gone in {time}.");
                self.context.shell.status_as(text, []);
            }
            PassEvent::Braked(problems) => {
                self.context.shell.messages(problems.iter().map(Message::from));
            }
            PassEvent::Applied(report) => {
                let color = self.context.shell.stdout().color;
                self.context.shell.result_as(apply_summary(report, color), [report_record(report)]);
            }
            PassEvent::Notice(text) => self.context.shell.status(text),
        }
    }
}
