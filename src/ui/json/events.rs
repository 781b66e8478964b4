//! What operations tell, as records.

use std::collections::HashMap;
use std::time::Duration;

use super::change::{ActionName, PlannedChange};
use super::drift::{DriftKind, DriftedContact};
use super::record::{Hook, OutageFacts, OutageOver, Pass, Payload, QuotaWait, Record};
use super::summary::{Changes, Forecast, Outcome, PlanFacts, seconds};
use crate::model::{ApolloId, ContactKey};
use crate::ops::{Drift, Event, PassEvent, Planned, Report, Step, WatchSummary};
use crate::quota::Span;
use crate::source;
use crate::ui::imports_text::headline;
use crate::ui::report::watch_summary;
use crate::ui::{Mask, words};
use crate::ui::{apply_summary, plan_summary};

/// Tells an event; `None` for those that are told as messages or only move a progress bar.
pub(in crate::ui) fn event(event: &Event) -> Option<Record<'static>> {
    let hook = |key: &ContactKey, step: Step, id: &Option<ApolloId>, elapsed: Option<Duration>| Hook {
        elapsed_seconds: elapsed.map(|elapsed| elapsed.as_secs()),
        ..Hook::new(key, step.into(), id.as_ref())
    };
    Some(match event {
        Event::Started { key, step, id } => {
            let hook = hook(key, *step, id, None);
            Record::info(said(&hook, "begins"), Payload::ApplyStart { hook })
        }
        Event::StillRunning { key, step, id, elapsed } => {
            let hook = hook(key, *step, id, Some(*elapsed));
            Record::info(said(&hook, "goes on"), Payload::ApplyProgress { hook })
        }
        Event::Finished { key, step, id, elapsed } => {
            let hook = hook(key, *step, id, Some(*elapsed));
            Record::info(said(&hook, "is complete"), Payload::ApplyComplete { hook })
        }
        Event::Failed { key, step, elapsed } => {
            let hook = hook(key, *step, &None, Some(*elapsed));
            Record { level: super::Level::Error, ..Record::info(said(&hook, "failed"), Payload::ApplyErrored { hook }) }
        }
        Event::WaitingForQuota { endpoint, window, wait, until: _ } => {
            let quota = QuotaWait { endpoint: *endpoint, window: window.map(Span::name), seconds: seconds(*wait) };
            let message = match window {
                Some(_) => format!("Waiting {}s for the {endpoint} quota", quota.seconds),
                None => format!("Waiting {}s before the next {endpoint}: Apollo asked for a pause", quota.seconds),
            };
            Record::info(message, Payload::QuotaWait { quota })
        }
        Event::Outage { endpoint, status, wait, .. } => {
            let outage = OutageFacts { endpoint: *endpoint, status: *status, seconds: seconds(*wait) };
            let message = format!("Apollo does not answer {endpoint} correctly; next try in {}s", outage.seconds);
            Record { level: super::Level::Warn, ..Record::info(message, Payload::Outage { outage }) }
        }
        Event::OutageOver { endpoint, lasted } => {
            let outage = OutageOver { endpoint: *endpoint, seconds: lasted.as_secs() };
            Record::info(format!("Apollo answers {endpoint} again"), Payload::OutageOver { outage })
        }
        Event::CredentialRenewed => Record::log(words::RENEWED),
        Event::Stopping => Record::log("Stopping: no further requests are sent."),
        Event::Refreshing(reading) => Record::log(words::refreshing(*reading)),
        Event::Begun { .. }
        | Event::Problem(_)
        | Event::Answered { .. }
        | Event::QuotaLeft { .. }
        | Event::Tick { .. }
        | Event::Pass(_) => return None,
    })
}

fn said(hook: &Hook, how: &str) -> String {
    format!("{}: {} {how}", hook.resource.addr, hook.action.as_str())
}

impl From<Step> for ActionName {
    fn from(step: Step) -> Self {
        match step {
            Step::Create => Self::Create,
            Step::Import => Self::Import,
            Step::Update => Self::Update,
            Step::Move => Self::Move,
            Step::Restore => Self::Restore,
            Step::Release => Self::Release,
            Step::Forget => Self::Forget,
            Step::Settle => Self::Settle,
        }
    }
}

/// Tells a drift, record by record.
pub fn drift_records(drift: &Drift, mask: Mask) -> impl Iterator<Item = Record<'_>> {
    drift.contacts.iter().map(move |drifted| {
        let drift = DriftedContact::new(drifted, mask);
        let what = match drift.kind {
            DriftKind::Changed => "has changed in Apollo",
            DriftKind::Gone => "is no longer in Apollo",
            DriftKind::Merged => "was merged into another contact in Apollo",
        };
        Record::info(format!("{}: {what}", drift.resource.addr), Payload::ResourceDrift { drift: Box::new(drift) })
    })
}

/// Tells a plan, record by record: its changes in their order, its brakes, its costs, and its counts last.
///
/// Nothing is looked at before the first record is asked for.
pub fn plan_records(planned: &Planned, mask: Mask) -> impl Iterator<Item = Record<'_>> {
    let changes = std::iter::once_with(|| lines(planned)).flat_map(move |lines| {
        let change = move |action| PlannedChange::new(action, line(&lines, action), &planned.names, mask);
        planned.plan.actions.iter().map(change)
    });
    let changes = changes.map(|change| {
        let message = format!("{}: plan to {}", change.resource.addr, change.action.as_str());
        Record::info(message, Payload::PlannedChange { change })
    });
    let brakes = planned.plan.brakes.iter().map(|brake| Record {
        level: super::Level::Warn,
        ..Record::info(words::exceeded(brake), Payload::Brake { brake: brake.clone() })
    });
    let ends = [forecast_record, summary_record].into_iter().map(|end| end(planned));
    changes.chain(brakes).chain(ends)
}

/// Where the entries of a plan stand now.
pub(super) fn lines(planned: &Planned) -> HashMap<ContactKey, usize> {
    source::lines(planned.plan.actions.iter().filter(|action| action.entry().is_some()).map(|action| &action.place))
}

pub(super) fn line(lines: &HashMap<ContactKey, usize>, action: &crate::plan::Action) -> Option<usize> {
    lines.get(action.key()).copied()
}

fn forecast_record(planned: &Planned) -> Record<'_> {
    let forecast = Forecast::from(&planned.forecast);
    let requests: usize = forecast.requests.values().sum();
    Record::info(format!("Requests: at most {requests}"), Payload::Forecast { forecast })
}

fn summary_record(planned: &Planned) -> Record<'_> {
    let changes = Changes::from(&planned.plan.counts());
    let plan = Some(PlanFacts::from(planned));
    Record::info(plan_summary(&planned.plan, false), Payload::ChangeSummary { changes, plan, outcome: None })
}

/// Lists imported contacts, and what was written to them.
pub fn import_records(report: &Report, mask: Mask) -> impl Iterator<Item = Record<'_>> {
    report.imports.iter().map(move |imported| {
        let change = PlannedChange::imported(&imported.action, mask);
        Record::info(headline(imported), Payload::Imported { change, found_by: (&imported.origin).into() })
    })
}

/// Tells what an apply did.
pub fn report_record(report: &Report) -> Record<'static> {
    let (changes, outcome) = (Changes::from(report), Some(Outcome::from(report)));
    Record::info(apply_summary(report, false), Payload::ChangeSummary { changes, plan: None, outcome })
}

/// Tells what a watch did in all its passes.
pub fn watch_record(summary: &WatchSummary) -> Record<'static> {
    let WatchSummary { passes, total, .. } = summary;
    let message = watch_summary(*passes, total, false);
    let (passes, failed) = (*passes, total.failed);
    Record::info(message, Payload::WatchSummary { passes, changes: total.into(), failed })
}

/// Tells what happened in a pass; what belongs to it comes in records of its own. `None` for a mere notice.
pub fn pass_record(event: &PassEvent) -> Option<Record<'static>> {
    let (message, pass) = match event {
        PassEvent::Refused(_) => ("The files cannot be used; nothing was changed".to_owned(), Pass::Refused),
        PassEvent::Planned(_) => ("A plan was made".to_owned(), Pass::Planned),
        PassEvent::Absent { contacts, forget_after } => (
            format!("{contacts} no longer in the files"),
            Pass::Absent { contacts: *contacts, forget_after_seconds: seconds(*forget_after) },
        ),
        PassEvent::Braked { .. } => ("The plan exceeds limits; nothing was changed".to_owned(), Pass::Braked),
        PassEvent::Applied(_) => ("The plan was carried out".to_owned(), Pass::Applied),
        PassEvent::Drifted(_) | PassEvent::Ended(_) | PassEvent::Notice(_) => return None,
    };
    Some(Record::info(message, Payload::Pass { pass }))
}
