//! An apply while it runs: a line an event, a bar, or a line now and then.
//!
//! Never reads a clock: times come with the events, so that the same events give the same text. (The
//! bar's own redraws are the terminal's concern; its text is made here.)

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::amounts::{count, duration, wait};
use super::escape::escape;
use super::json;
use super::message::Message;
use super::plan_text::Detail;
use super::shell::Shell;
use super::style::Paint;
use crate::model::{ApolloId, ContactKey, Endpoint};
use crate::ops::{Event, Step};
use crate::quota::Span;

/// Up to so many actions, each event has its line.
const FEW_ACTIONS: usize = 20;

/// Said at the first signal.
const STOPPING: &str =
    "Stopping: requests under way are finished and recorded, no further ones are sent. Once more leaves at once.";

/// Time between two lines where a bar cannot be drawn.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Shows events as they come.
#[derive(Debug, Default)]
pub struct Progress {
    detail: Detail,
    form: Form,
    /// As the last tick told.
    now: Now,
    quota_left: BTreeMap<Endpoint, u64>,
    /// Until when each endpoint is known to wait; ten requests that wait together get one line.
    waiting_until: BTreeMap<Endpoint, Duration>,
}

#[derive(Debug, Default)]
enum Form {
    /// A line an event.
    #[default]
    Lines,
    /// Many actions on a terminal.
    Bar(ProgressBar),
    /// Many actions elsewhere; when the next line is due.
    Folded { due: Duration },
}

/// How far the run is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Now {
    actions: usize,
    elapsed: Duration,
    done: usize,
    failed: usize,
}

impl Progress {
    /// Shows lines as they are asked for; concise ones leave out the steps of each contact.
    pub fn new(detail: Detail) -> Self {
        Self { detail, ..Self::default() }
    }

    /// Shows `event`, or remembers it for the next line.
    pub fn event(&mut self, shell: &mut Shell, event: &Event) {
        shell.records(json::event(event));
        // A log has it already, from where it happened.
        if shell.speaks_log() {
            return;
        }
        match event {
            Event::Begun { actions } => self.begin(shell, *actions),
            Event::Started { key, step, id } => self.step_line(shell, started(*step, id.as_ref()), key),
            Event::StillRunning { key, step, id, elapsed } => {
                self.step_line(shell, Some(still_running(*step, id.as_ref(), *elapsed)), key);
            }
            Event::Finished { key, step, id, elapsed } => {
                self.step_line(shell, Some(finished(*step, id.as_ref(), *elapsed)), key);
            }
            Event::Problem(problem) => {
                let message = Message::from(problem);
                self.above_the_bar(shell, |shell| shell.message(&message));
            }
            Event::WaitingForQuota { endpoint, window, wait } => self.waiting(shell, *endpoint, *window, *wait),
            Event::QuotaLeft { endpoint, left } => drop(self.quota_left.insert(*endpoint, *left)),
            Event::Stopping => self.above_the_bar(shell, |shell| shell.status_as(STOPPING, [])),
            // The problem that was told says it.
            Event::Failed { .. } | Event::Answered { .. } | Event::Pass(_) => {}
            Event::Tick { elapsed, done, failed } => self.tick(shell, *elapsed, *done, *failed),
        }
    }

    /// Takes the bar away; what was printed stays.
    pub fn finish(self) {
        if let Form::Bar(bar) = self.form {
            bar.finish_and_clear();
        }
    }

    fn begin(&mut self, shell: &Shell, actions: usize) {
        self.now = Now { actions, ..Now::default() };
        self.form = if actions <= FEW_ACTIONS {
            Form::Lines
        } else if shell.has_bars() {
            Form::Bar(bar(shell, actions))
        } else {
            Form::Folded { due: LINE_INTERVAL }
        };
    }

    fn tick(&mut self, shell: &mut Shell, elapsed: Duration, done: usize, failed: usize) {
        self.now = Now { elapsed, done, failed, ..self.now };
        match &mut self.form {
            Form::Lines => {}
            Form::Bar(bar) => {
                bar.set_position((done + failed) as u64);
                bar.set_message(bar_text(self.now, &self.quota_left));
            }
            Form::Folded { due } => {
                if elapsed >= *due {
                    *due = elapsed + LINE_INTERVAL;
                    shell.status_as(folded_text(self.now), []);
                }
            }
        }
    }

    /// Prints a line of one contact, where each event has one.
    fn step_line(&self, shell: &mut Shell, text: Option<String>, key: &ContactKey) {
        if let (Form::Lines, Detail::Blocks, Some(text)) = (&self.form, self.detail, text) {
            let paint = Paint { color: shell.stdout().color };
            shell.status_as(paint.bold(format_args!("{}: {text}", key.address())), []);
        }
    }

    fn waiting(&mut self, shell: &mut Shell, endpoint: Endpoint, window: Option<Span>, time: Duration) {
        let until = self.now.elapsed + time;
        let told = self.waiting_until.get(&endpoint).is_some_and(|told| until <= *told + Duration::from_secs(1));
        if !told {
            self.waiting_until.insert(endpoint, until);
            let time = wait(time);
            let text = match window {
                Some(window) => {
                    format!("Waiting {time} for the {endpoint} quota: this {} is used up...", window.name())
                }
                None => format!("Waiting {time} before the next {endpoint}: Apollo asked for a pause..."),
            };
            self.above_the_bar(shell, |shell| shell.status_as(text, []));
        }
    }

    /// Prints with the bar out of the way.
    fn above_the_bar(&self, shell: &mut Shell, print: impl FnOnce(&mut Shell)) {
        match &self.form {
            Form::Bar(bar) => bar.suspend(|| print(shell)),
            Form::Lines | Form::Folded { .. } => print(shell),
        }
    }
}

fn bar(shell: &Shell, actions: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {wide_msg}").expect("the template is well formed");
    ProgressBar::with_draw_target(Some(actions as u64), shell.draw_target()).with_style(style.progress_chars("━╸─"))
}

/// Words what is written when a step begins; nothing for steps that are over at once.
pub(super) fn started(step: Step, id: Option<&ApolloId>) -> Option<String> {
    let doing = doing(step);
    let id = id.map(|id| format!(" [id={}]", escape(id.as_str()))).unwrap_or_default();
    match step {
        Step::Create | Step::Import | Step::Update | Step::Restore | Step::Settle => Some(format!("{doing}...{id}")),
        Step::Move | Step::Release | Step::Forget => None,
    }
}

pub(super) fn still_running(step: Step, id: Option<&ApolloId>, elapsed: Duration) -> String {
    let id = id.map(|id| format!("id={}, ", escape(id.as_str()))).unwrap_or_default();
    format!("Still {}... [{id}{} elapsed]", doing(step).to_lowercase(), duration(elapsed))
}

pub(super) fn finished(step: Step, id: Option<&ApolloId>, elapsed: Duration) -> String {
    let id = id.map(|id| format!(" [id={}]", escape(id.as_str()))).unwrap_or_default();
    let after = duration(elapsed);
    match step {
        Step::Create => format!("Creation complete after {after}{id}"),
        Step::Import => format!("Import complete after {after}{id}"),
        Step::Update => format!("Modifications complete after {after}{id}"),
        Step::Restore => format!("Restoration complete after {after}{id}"),
        Step::Settle => format!("Settled after {after}{id}"),
        Step::Move => format!("Moved{id}"),
        Step::Release => format!("Fields released{id}"),
        Step::Forget => format!("Removed from the state{id}"),
    }
}

fn doing(step: Step) -> &'static str {
    match step {
        Step::Create => "Creating",
        Step::Import => "Importing",
        Step::Update => "Modifying",
        Step::Move => "Moving",
        Step::Restore => "Restoring",
        Step::Release => "Releasing",
        Step::Forget => "Forgetting",
        Step::Settle => "Settling",
    }
}

/// What stands behind the bar: counts, time left, rate and quota left; a narrow terminal cuts the end.
fn bar_text(now: Now, quota_left: &BTreeMap<Endpoint, u64>) -> String {
    let mut parts = vec![format!("{}/{}", count(now.done + now.failed), count(now.actions))];
    parts.extend((now.failed > 0).then(|| format!("{} failed", count(now.failed))));
    parts.extend(time_left(now));
    parts.extend(rate(now));
    let quota = quota_left.iter().map(|(endpoint, &left)| format!("{} {endpoint}", number(left)));
    let quota = quota.collect::<Vec<_>>().join(", ");
    parts.extend((!quota.is_empty()).then(|| format!("quota left: {quota}")));
    parts.join(" · ")
}

fn folded_text(now: Now) -> String {
    let left = time_left(now).map(|left| format!(", {left}")).unwrap_or_default();
    format!("{} of {} done, {} failed{left}", count(now.done), count(now.actions), count(now.failed))
}

/// Says how many actions a minute come to their end; nothing in the first second.
fn rate(now: Now) -> Option<String> {
    let ended = (now.done + now.failed) as u64;
    let per_minute = (ended * 60).checked_div(now.elapsed.as_secs())?;
    (ended > 0).then(|| format!("{}/min", number(per_minute)))
}

fn number(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Guesses the time left from the pace so far; nothing before the first action has ended.
fn time_left(now: Now) -> Option<String> {
    let ended = u128::try_from(now.done + now.failed).ok().filter(|ended| *ended > 0)?;
    let remaining = now.actions.saturating_sub(now.done + now.failed) as u128;
    let millis = now.elapsed.as_millis() * remaining / ended;
    let left = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
    Some(format!("{} left", wait(left)))
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
