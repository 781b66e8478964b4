//! The loop of the service: load, plan, brakes, apply; again when something changed, and now and then.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{ContactKey, Timestamp};
use crate::plan::{Operation, Policy};
use crate::quota::Rules;
use crate::watcher::Watcher;

use super::{Ended, Event, Loader, PassEvent, Planned, Problem, Report, Session, apply, brake_problem, problem};

/// What a service keeps in step, and how.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    pub dir: PathBuf,
    pub policy: Policy,
    pub rules: Rules,
    /// A pass is made after this time even when nothing was noticed.
    pub resync: Duration,
    /// A key is forgotten when two passes at least this far apart did not find it.
    pub forget_after: Duration,
    pub dry_run: bool,
    /// Ends after one pass.
    pub once: bool,
}

/// What a service did while it ran.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WatchSummary {
    pub passes: usize,
    /// The sum over all passes.
    pub total: Report,
    /// Whether the last pass left nothing undone.
    pub last_pass_was_good: bool,
    /// Why it ended.
    pub ended: Ended,
}

/// Keeps Apollo in step with the files until the session is asked to stop.
///
/// A pass that cannot be made changes nothing and is tried again when the files change.
pub async fn watch(session: &Arc<Session>, options: &WatchOptions, mut watcher: Watcher) -> WatchSummary {
    let mut summary = WatchSummary::default();
    let mut absent = Absent::default();
    let mut proven = false;
    loop {
        for notice in watcher.notices() {
            session.tell(Event::Pass(PassEvent::Notice(notice.to_string())));
        }
        let outcome = pass(session, options, &mut absent, &mut proven).await;
        summary.passes += 1;
        summary.last_pass_was_good = outcome.is_good;
        if let Some(report) = outcome.report {
            summary.total.add(&report);
        }
        if options.once || session.stop.is_requested() {
            break;
        }
        let next = outcome.again_in.map_or(options.resync, |wait| wait.min(options.resync));
        tokio::select! {
            _ = watcher.changed() => {}
            () = tokio::time::sleep(next) => {}
            () = session.stop.requested() => break,
        }
    }
    summary.ended = session.stop.reason().unwrap_or_default();
    summary
}

/// How one pass ended.
struct PassOutcome {
    report: Option<Report>,
    is_good: bool,
    /// When a pass is worth making even if nothing changes.
    again_in: Option<Duration>,
}

impl PassOutcome {
    fn refused() -> Self {
        Self { report: None, is_good: false, again_in: None }
    }
}

async fn pass(session: &Arc<Session>, options: &WatchOptions, absent: &mut Absent, proven: &mut bool) -> PassOutcome {
    let tell = |event| session.tell(Event::Pass(event));
    let files = Loader::new(&options.dir, session.store.path());
    // Parsing takes every core for a while; the loop stays able to hear a signal meanwhile.
    let loaded = tokio::task::spawn_blocking(move || files.load()).await;
    let desired = match loaded.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())) {
        Ok(desired) => desired,
        Err(error) => {
            tell(PassEvent::Refused(Arc::new(error)));
            return PassOutcome::refused();
        }
    };
    let snapshot = match session.snapshot(&desired) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            session.tell(Event::Problem(Problem::error("The state cannot be read", problem::chain(&error))));
            return PassOutcome::refused();
        }
    };
    let mut planned = match super::plan(&desired, &snapshot, &options.policy, &options.rules, session.now()) {
        Ok(planned) => planned,
        Err(error) => {
            tell(PassEvent::Refused(Arc::new(error)));
            return PassOutcome::refused();
        }
    };
    let (news, again_in) = absent.hold_back(&mut planned, options.forget_after, session.now());
    if news > 0 {
        tell(PassEvent::Absent { contacts: news, forget_after: options.forget_after });
    }
    tell(PassEvent::Planned(Box::new(planned.clone())));
    if options.dry_run || (planned.plan.is_empty() && planned.plan.housekeeping.is_empty()) {
        return PassOutcome { report: None, is_good: true, again_in };
    }
    if !planned.plan.brakes.is_empty() {
        tell(PassEvent::Braked(planned.plan.brakes.iter().map(brake_problem).collect()));
        return PassOutcome { again_in, ..PassOutcome::refused() };
    }
    if !*proven {
        if let Err(error) = session.prove_credential(&snapshot).await {
            session.tell(Event::Problem(Problem::error("The credential cannot be used", problem::chain(&error))));
            return PassOutcome::refused();
        }
        *proven = true;
    }
    let report = apply(session, &planned.plan, &desired, &snapshot).await;
    if !planned.plan.is_empty() {
        tell(PassEvent::Applied(Box::new(report.clone())));
    }
    let is_good = report.failed == 0 && report.remaining == 0;
    PassOutcome { report: Some(report), is_good, again_in }
}

/// The keys that are gone from the files, since when.
///
/// A file that is being moved or written anew looks like one that is gone, so forgetting waits.
#[derive(Debug, Default)]
struct Absent {
    since: BTreeMap<ContactKey, Timestamp>,
}

impl Absent {
    /// Takes out of the plan what was not gone for long enough.
    ///
    /// Returns how many of it this pass missed for the first time, and when the first of all will have been
    /// gone for long enough.
    fn hold_back(
        &mut self,
        planned: &mut Planned,
        forget_after: Duration,
        now: Timestamp,
    ) -> (usize, Option<Duration>) {
        let is_forget = |operation: &Operation| matches!(operation, Operation::Forget { .. });
        let gone = planned.plan.actions.iter().filter(|action| is_forget(&action.operation));
        let before = std::mem::take(&mut self.since);
        self.since = gone
            .map(|action| {
                let key = action.key().clone();
                let since = before.get(&key).copied().unwrap_or(now);
                (key, since)
            })
            .collect();
        let wait = |key: &ContactKey| (self.since[key] + forget_after).since(now);
        planned.plan.actions.retain(|action| !is_forget(&action.operation) || wait(action.key()).is_zero());
        let held_back: Vec<(&ContactKey, Duration)> =
            self.since.keys().map(|key| (key, wait(key))).filter(|(_, wait)| !wait.is_zero()).collect();
        let news = held_back.iter().filter(|(key, _)| !before.contains_key(key)).count();
        (news, held_back.into_iter().map(|(_, wait)| wait).min())
    }
}
