//! How a service is doing, or its state while none runs, in words.

use std::fmt::Write as _;

use super::amounts::{count, counted, duration, wait};
use super::binding_text::time_text;
use super::escape::escape;
use super::plan_text::counts_summary;
use super::style::Paint;
use super::words;
use crate::model::{ContactKey, Endpoint, Timestamp};
use crate::ops::watch::{Braked, Failing, Outcome, Pass, Phase, StandingBy, Status, Telling, Waiting};
use crate::ops::{Health, Readiness};
use crate::quota::Outlook;
use crate::state::Holder;

/// Entries of one kind that are listed; `--json` has them all.
const LISTED: usize = 20;

/// What status text is made for.
#[derive(Clone, Copy)]
pub struct StatusOptions<'a> {
    pub color: bool,
    pub now: Timestamp,
    /// The program with a verb, as this user would type it.
    pub command: &'a dyn Fn(&str) -> String,
}

/// The state while no service runs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct AtRest {
    /// Whether there is a state.
    pub exists: bool,
    pub contacts: usize,
    pub serial: u64,
    /// Keys of requests whose outcome is not known.
    pub open: Vec<ContactKey>,
    /// Keys that need a decision.
    pub undecided: Vec<ContactKey>,
    /// The process that writes it at the moment, on whichever machine.
    pub writer: Option<Holder>,
}

/// Says whether the service lives, in one line.
pub fn health_line(health: Health) -> String {
    match health {
        Health::Alive => "The service is alive.".to_owned(),
        Health::Overdue { since } => format!("The service is stuck: a pass was due {}.", time_text(since)),
        Health::Silent { since } => {
            format!("The service is stuck: its pass has shown no progress since {}.", time_text(since))
        }
    }
}

/// Says whether passes succeed, in one line.
pub fn readiness_line(readiness: &Readiness) -> String {
    match readiness {
        Readiness::Ready { last_good_pass } => {
            format!("Ready: the last successful pass ended {}.", time_text(*last_good_pass))
        }
        Readiness::NotYet { last: None } => "Not ready: no pass has ended yet.".to_owned(),
        Readiness::NotYet { last: Some(last) } => {
            format!("Not ready: no pass was successful yet; the last one {}.", outcome(*last))
        }
        Readiness::Stale { last_good_pass, last } => {
            let last = last.map(|last| format!("; the last one {}", outcome(last))).unwrap_or_default();
            format!("Not ready: the last successful pass ended {}{last}.", time_text(*last_good_pass))
        }
        Readiness::Troubled(trouble) => {
            format!("Not ready since {}: {}.", time_text(trouble.since), plain(&words::in_short(&trouble.error, None)))
        }
        Readiness::StandsBy(StandingBy { holder, since }) => {
            format!("Ready, and standing by since {}: {} has the state.", time_text(*since), plain(holder))
        }
        Readiness::Paused { since } => format!("Not ready: paused since {}.", time_text(*since)),
    }
}

/// Says that output was lost, in one line; `None` when all was written.
pub fn telling_line(telling: &Telling) -> Option<String> {
    let Telling { dropped, error } = telling;
    if *dropped == 0 {
        return None;
    }
    let lines =
        if *dropped == 1 { "1 line of output was".to_owned() } else { format!("{dropped} lines of output were") };
    let why = error.as_ref().map(|error| format!("; the last could not be written: {}", plain(error)));
    Some(format!("{lines} dropped{}.", why.unwrap_or_default()))
}

/// Describes a running service, without the last newline.
pub fn service_text(status: &Status, options: &StatusOptions<'_>) -> String {
    let StatusOptions { color, now, command } = *options;
    let paint = Paint { color };
    let mut text = String::new();
    let dir = escape(&status.dir.to_string_lossy()).into_owned();
    let ago = duration(now.since(status.started_at));
    let head = format!(
        "contactsd {} has watched {dir} since {} ({ago}).",
        escape(&status.version),
        time_text(status.started_at)
    );
    text += &paint.bold(head).to_string();
    text.push('\n');
    let readiness = Readiness::of(status, now);
    let line = readiness_line(&readiness);
    let line =
        if readiness.is_ready() { paint.bold_green(line).to_string() } else { paint.bold_yellow(line).to_string() };
    let _ = writeln!(text, "{line}");
    if let Some(line) = telling_line(&status.telling) {
        let _ = writeln!(text, "{}", paint.bold_yellow(line));
    }
    if let Some(pass) = &status.last_pass {
        let _ = writeln!(text, "Last pass: {}", pass_line(pass, now));
    }
    match status.phase {
        Phase::Opening => text += "It waits for the state to be opened.\n",
        Phase::Passing => text += "A pass is running.\n",
        Phase::Ending => text += "The service is ending.\n",
        Phase::Paused => {
            let _ = writeln!(text, "Nothing is read or changed until `{}`.", command("resume"));
        }
        Phase::StandingBy => text += "It takes over when that process releases the state or ends.\n",
        Phase::Resting => {
            if let Some(next) = status.next_pass {
                let _ = writeln!(text, "Next pass: in {}, or as soon as something changes.", wait(next.since(now)));
            }
        }
    }
    if let Some(trouble) = &status.trouble {
        let (times, next) = (counted(trouble.attempts as usize, "time"), wait(trouble.next_try.since(now)));
        let _ = writeln!(text, "Tried {times}; next in {next}.");
    }
    let (declared, pending) = (counted_entries(status.declared), counted(status.pending, "action"));
    let serial = status.serial.map(|serial| format!(" State serial {}.", serial.0)).unwrap_or_default();
    let _ = writeln!(text, "{declared} declared, {pending} pending.{serial}");
    write_braked(&mut text, status, paint, command);
    write_failing(&mut text, &status.failing, paint, now);
    write_waiting(&mut text, &status.waiting, paint, now);
    write_quota(&mut text, status, paint, now);
    text.trim_end().to_owned()
}

/// Describes a state that no service keeps in step, without the last newline.
pub fn at_rest_text(rest: &AtRest, options: &StatusOptions<'_>) -> String {
    let StatusOptions { color, command, .. } = *options;
    let paint = Paint { color };
    let AtRest { exists, contacts, serial, open, undecided, writer } = rest;
    let mut text = paint.bold("No service is running for this state.").to_string();
    if !exists {
        let (apply, watch) = (command("apply"), command("watch"));
        let _ = write!(text, "\nThere is no state yet: `{apply}` or `{watch}` makes it.");
        return text;
    }
    if let Some(holder) = writer {
        let _ = write!(text, "\n{} is writing it right now.", escape(&holder.who()));
    }
    let _ = write!(text, "\n{} managed. State serial {serial}.", counted(*contacts, "contact"));
    if !open.is_empty() {
        let requests = counted(open.len(), "request");
        let _ = write!(
            text,
            "\n\n{}",
            paint.bold(format!("The outcome of {requests} is unknown; the next apply finds out first:"))
        );
        write_keys(&mut text, open);
    }
    if !undecided.is_empty() {
        let needs = if undecided.len() == 1 {
            "1 entry needs".to_owned()
        } else {
            format!("{} entries need", count(undecided.len()))
        };
        let _ = write!(text, "\n\n{}", paint.bold(format!("{needs} a decision; `{}` says which:", command("plan"))));
        write_keys(&mut text, undecided);
    }
    text
}

fn write_keys(text: &mut String, keys: &[ContactKey]) {
    for key in keys.iter().take(LISTED) {
        let _ = write!(text, "\n  {}", key.address());
    }
    if keys.len() > LISTED {
        let _ = write!(text, "\n  and {} more", count(keys.len() - LISTED));
    }
}

fn pass_line(pass: &Pass, now: Timestamp) -> String {
    let Pass { began, ended, outcome: how, done, failed, remaining } = pass;
    let (ago, took) = (duration(now.since(*ended)), duration(ended.since(*began)));
    let counts = match (done, failed, remaining) {
        (0, 0, 0) => String::new(),
        _ => format!(": {done} done, {failed} failed, {remaining} remaining"),
    };
    format!("{} {ago} ago, took {took}{counts}.", outcome(*how))
}

/// Words how a pass ended, to stand after "the last one".
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::InStep => "found nothing to do",
        Outcome::Applied => "applied what could be applied",
        Outcome::OnlyPlanned => "only planned",
        Outcome::WaitsForQuota => "waits for quota",
        Outcome::Yielded => "was stopped because something changed",
        Outcome::Refused => "could not use the files",
        Outcome::Braked => "was stopped by limits",
        Outcome::Troubled => "could not work",
        Outcome::Interrupted => "was interrupted",
    }
}

fn write_braked(text: &mut String, status: &Status, paint: Paint, command: &dyn Fn(&str) -> String) {
    let Some(Braked { digest, reasons, counts, since }) = &status.braked else { return };
    let waits = if status.only_plans { "" } else { " and waits for approval" };
    let head = format!("A plan exceeds limits{waits} since {}:", time_text(*since));
    let _ = writeln!(text, "\n{}", paint.bold_yellow(head));
    for reason in reasons {
        let _ = writeln!(text, "  {}", plain(&words::in_short(reason, None)));
    }
    let next = if status.only_plans {
        words::service::ONLY_PLANS.to_owned()
    } else {
        format!("To apply it once: {}", command(&format!("approve {}", digest.0)))
    };
    let _ = writeln!(text, "  Plan: {}\n  {next}", counts_summary(counts));
}

fn write_failing(text: &mut String, failing: &[Failing], paint: Paint, now: Timestamp) {
    if failing.is_empty() {
        return;
    }
    let head = if failing.len() == 1 {
        "1 entry fails:".to_owned()
    } else {
        format!("{} entries fail:", count(failing.len()))
    };
    let _ = writeln!(text, "\n{}", paint.bold_red(head));
    for Failing { key, error, attempts, since, next_try } in failing.iter().take(LISTED) {
        let next = match next_try {
            Some(next_try) => format!("next try in {}", wait(next_try.since(now))),
            None => "waits for you".to_owned(),
        };
        let (times, error) = (counted(*attempts as usize, "time"), words::in_short(error, Some(key)));
        let _ =
            writeln!(text, "  {}: {}\n    {times} since {}; {next}", key.address(), plain(&error), time_text(*since));
    }
    write_more(text, failing.len());
}

fn write_waiting(text: &mut String, waiting: &[Waiting], paint: Paint, now: Timestamp) {
    if waiting.is_empty() {
        return;
    }
    let _ =
        writeln!(text, "\n{}", paint.bold(format!("No longer in the files: {}.", counted(waiting.len(), "contact"))));
    for Waiting { key, gone_since: _, forget_at } in waiting.iter().take(LISTED) {
        let when = match forget_at {
            Some(at) => format!("forgotten in {}, unless it comes back", wait(at.since(now))),
            None => "kept, because there is no contact file at all".to_owned(),
        };
        let _ = writeln!(text, "  {}: {when}", key.address());
    }
    write_more(text, waiting.len());
}

fn write_more(text: &mut String, all: usize) {
    if all > LISTED {
        let _ = writeln!(text, "  and {} more, which --json lists", count(all - LISTED));
    }
}

fn write_quota(text: &mut String, status: &Status, paint: Paint, now: Timestamp) {
    let limited = |windows: &[Outlook; 3]| windows.iter().any(|outlook| outlook.limit.is_some());
    let known: Vec<(&Endpoint, &[Outlook; 3])> = status.quota.iter().filter(|(_, windows)| limited(windows)).collect();
    let Some(width) = known.iter().map(|(endpoint, _)| endpoint.name().len()).max() else { return };
    let _ = writeln!(text, "\n{}", paint.bold("Quota left:"));
    for (endpoint, windows) in known {
        let windows = windows.iter().filter_map(|outlook| window(outlook, now)).collect::<Vec<_>>().join("; ");
        let _ = writeln!(text, "  {:width$}  {windows}", endpoint.name());
    }
}

fn window(outlook: &Outlook, now: Timestamp) -> Option<String> {
    let Outlook { window, limit, left, resets_at } = outlook;
    let resets = resets_at.map(|at| format!(", resets in {}", wait(at.since(now)))).unwrap_or_default();
    Some(format!("{} of {} this {}{resets}", (*left)?, (*limit)?, window.name()))
}

pub(super) fn counted_entries(number: usize) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{} entries", count(number)) }
}

/// Writes foreign text on one line, without a last dot.
fn plain(text: &str) -> String {
    escape(text.trim().trim_end_matches('.')).into_owned()
}

#[cfg(test)]
#[path = "status_text_tests.rs"]
mod tests;
