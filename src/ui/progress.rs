//! An apply while it runs: a line an event, a bar, or a line now and then.
//!
//! Never reads a clock: times come with the events, so that the same events give the same text. (The
//! bar's own redraws are the terminal's concern; its text is made here.)

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use unicode_width::UnicodeWidthStr;

use super::amounts::{clock, count, duration, wait};
use super::json;
use super::plan_text::Detail;
use super::repeats::Repeats;
use super::shell::Shell;
use super::style::Paint;
use super::words::{self, RENEWED, finished, started, still_running};
use crate::model::{ContactKey, Endpoint, Timestamp};
use crate::ops::Event;
use crate::quota::Span;

/// Up to so many actions, each event has its line.
const FEW_ACTIONS: usize = 20;

/// Said at the first signal.
const STOPPING: &str =
    "Stopping: running requests are finished and recorded, and no more are sent. Press again to stop immediately.";

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
    /// What requests of each kind wait for.
    waits: BTreeMap<Endpoint, Wait>,
    /// Counts down where no bar does.
    count_down: Option<ProgressBar>,
    repeats: Repeats,
}

/// A wait that holds up all requests of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wait {
    is_outage: bool,
    until: Timestamp,
}

#[derive(Debug, Default)]
enum Form {
    /// A line an event.
    #[default]
    Lines,
    /// Many actions on a terminal.
    Bar(ProgressBar),
    /// Many actions elsewhere; when the next line is due, and what the last one counted.
    Folded { due: Duration, told: Option<(usize, usize)> },
}

/// How far the run is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Now {
    actions: usize,
    elapsed: Duration,
    done: usize,
    failed: usize,
    time: Timestamp,
    left: Option<Duration>,
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
                // What waits together has been told why, and for how long.
                if self.waits.is_empty() {
                    self.step_line(shell, Some(still_running(*step, id.as_ref(), *elapsed)), key);
                }
            }
            Event::Finished { key, step, id, elapsed } => {
                self.step_line(shell, Some(finished(*step, id.as_ref(), *elapsed)), key);
            }
            Event::Problem(problem) => {
                let message = words::problem(problem);
                if self.repeats.is_new(&message) {
                    self.above_the_bar(shell, |shell| shell.message(&message));
                } else {
                    shell.message_in_sum(&message);
                }
            }
            Event::Refreshing(reading) => {
                let text = words::refreshing(*reading);
                self.above_the_bar(shell, |shell| shell.status_as(text, []));
            }
            Event::WaitingForQuota { endpoint, window, wait, until } => {
                self.waits.insert(*endpoint, Wait { is_outage: false, until: *until });
                self.above_the_bar(shell, |shell| shell.status_as(waiting(*endpoint, *window, *wait, *until), []));
            }
            Event::Outage { endpoint, status, until, ends_at, is_first, .. } => {
                self.waits.insert(*endpoint, Wait { is_outage: true, until: *until });
                if *is_first {
                    self.above_the_bar(shell, |shell| shell.status_as(outage(*endpoint, *status, *ends_at), []));
                }
            }
            Event::OutageOver { endpoint, lasted } => {
                self.waits.remove(endpoint);
                let text = format!("Apollo answers {endpoint} requests again, after {}.", duration(*lasted));
                self.above_the_bar(shell, |shell| shell.status_as(text, []));
            }
            Event::QuotaLeft { endpoint, left } => drop(self.quota_left.insert(*endpoint, *left)),
            Event::CredentialRenewed => self.above_the_bar(shell, |shell| shell.status_as(RENEWED, [])),
            Event::Stopping => self.above_the_bar(shell, |shell| shell.status_as(STOPPING, [])),
            // The problem that was told says it.
            Event::Failed { .. } | Event::Answered { .. } | Event::Pass(_) => {}
            Event::Tick { elapsed, done, failed, now, left } => {
                let (elapsed, done, failed, time, left) = (*elapsed, *done, *failed, *now, *left);
                self.tick(shell, Now { elapsed, done, failed, time, left, ..self.now });
            }
        }
    }

    /// Takes the bar away, and sums up what was told once for many; what was printed stays.
    pub fn finish(self, shell: &mut Shell) {
        if let Some(count_down) = self.count_down {
            count_down.finish_and_clear();
        }
        if let Form::Bar(bar) = self.form {
            bar.finish_and_clear();
        }
        self.repeats.sums().for_each(|sum| shell.sum(&sum));
    }

    fn begin(&mut self, shell: &Shell, actions: usize) {
        self.now = Now { actions, ..Now::default() };
        self.form = if actions <= FEW_ACTIONS {
            Form::Lines
        } else if shell.has_bars() {
            Form::Bar(bar(shell, actions))
        } else {
            Form::Folded { due: LINE_INTERVAL, told: None }
        };
    }

    fn tick(&mut self, shell: &mut Shell, now: Now) {
        self.now = now;
        // An outage stands until it is told to be over; its next try may be under way.
        self.waits.retain(|_, wait| wait.is_outage || wait.until > now.time);
        match &mut self.form {
            Form::Lines => {}
            Form::Bar(bar) => {
                bar.set_position((now.done + now.failed) as u64);
                let room = shell.stdout().width.saturating_sub(bar_width(shell) + 1);
                bar.set_message(bar_text(now, &self.quota_left, &self.waits, room));
            }
            Form::Folded { due, told } => {
                let counted = Some((now.done, now.failed));
                if now.elapsed >= *due && *told != counted {
                    *due = now.elapsed + LINE_INTERVAL;
                    *told = counted;
                    shell.status_as(folded_text(now), []);
                }
            }
        }
        if matches!(self.form, Form::Lines) && shell.has_bars() {
            self.count_down(shell);
        }
    }

    /// Shows what is waited for below the lines, and takes it away when nothing is.
    fn count_down(&mut self, shell: &Shell) {
        match count_down_text(&self.waits, self.now.time) {
            Some(text) => {
                let new = || {
                    let style = ProgressStyle::with_template("{wide_msg}").expect("the template is well formed");
                    ProgressBar::with_draw_target(None, shell.draw_target()).with_style(style)
                };
                let text = beginning(&text, shell.stdout().width).to_owned();
                self.count_down.get_or_insert_with(new).set_message(text);
            }
            None => {
                if let Some(count_down) = self.count_down.take() {
                    count_down.finish_and_clear();
                }
            }
        }
    }

    /// Prints a line of one contact, where each event has one.
    fn step_line(&self, shell: &mut Shell, text: Option<String>, key: &ContactKey) {
        if let (Form::Lines, Detail::Blocks, Some(text)) = (&self.form, self.detail, text) {
            let paint = Paint { color: shell.stdout().color };
            let line = paint.bold(format_args!("{}: {text}", key.address())).to_string();
            self.above_the_bar(shell, |shell| shell.status_as(line, []));
        }
    }

    /// Prints with the bar out of the way.
    fn above_the_bar(&self, shell: &mut Shell, print: impl FnOnce(&mut Shell)) {
        match (&self.form, &self.count_down) {
            (Form::Bar(bar), _) | (_, Some(bar)) => bar.suspend(|| print(shell)),
            (Form::Lines | Form::Folded { .. }, None) => print(shell),
        }
    }
}

/// Words a wait for quota: how long, for what, and when it goes on.
fn waiting(endpoint: Endpoint, window: Option<Span>, time: Duration, until: Timestamp) -> String {
    let (time, until) = (wait(time), clock(until));
    match window {
        Some(window) => {
            format!(
                "Waiting {time} for the {endpoint} quota: this {} is used up. It continues at {until}...",
                window.name()
            )
        }
        None => {
            format!("Waiting {time} before the next {endpoint}: Apollo asked for a pause. It continues at {until}...")
        }
    }
}

/// Words the beginning of an outage.
fn outage(endpoint: Endpoint, status: Option<u16>, ends_at: Option<Timestamp>) -> String {
    let what = match status {
        Some(status) => format!("Apollo answers each {endpoint} request with {status}."),
        None => format!("Apollo does not answer {endpoint} requests."),
    };
    let until = ends_at.map(|ends_at| format!(", until {} at the latest", clock(ends_at))).unwrap_or_default();
    format!("{what} One request at a time is tried, less and less often{until}...")
}

/// Says what is waited for now; `None` when nothing is.
fn count_down_text(waits: &BTreeMap<Endpoint, Wait>, now: Timestamp) -> Option<String> {
    let texts = waits.iter().map(|(endpoint, Wait { is_outage, until })| {
        let (time, until) = (wait(until.since(now)), clock(*until));
        if *is_outage {
            format!("next try of {endpoint} in {time}")
        } else {
            format!("{endpoint} continues in {time}, at {until}")
        }
    });
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| format!("Waiting: {}", texts.join("; ")))
}

fn bar(shell: &Shell, actions: usize) -> ProgressBar {
    let template = format!("{{bar:{}}} {{wide_msg}}", bar_width(shell));
    let style = ProgressStyle::with_template(&template).expect("the template is well formed");
    ProgressBar::with_draw_target(Some(actions as u64), shell.draw_target()).with_style(style.progress_chars("━╸─"))
}

/// Columns of the bar itself; what stands behind it matters more where there is little room.
fn bar_width(shell: &Shell) -> usize {
    (shell.stdout().width / 4).clamp(8, 24)
}

/// Returns as many whole words of a text as there is room for.
fn beginning(text: &str, room: usize) -> &str {
    let ends = text.match_indices(' ').map(|(end, _)| end).chain([text.len()]);
    &text[..ends.take_while(|end| text[..*end].width() <= room).last().unwrap_or_default()]
}

/// What stands behind the bar: counts, time left, rate and quota left, as much as there is room for.
fn bar_text(now: Now, quota_left: &BTreeMap<Endpoint, u64>, waits: &BTreeMap<Endpoint, Wait>, room: usize) -> String {
    let mut parts = vec![format!("{}/{}", count(now.done + now.failed), count(now.actions))];
    parts.extend((now.failed > 0).then(|| format!("{} failed", count(now.failed))));
    parts.extend(time_left(now));
    let count_down = count_down_text(waits, now.time);
    parts.extend(if count_down.is_some() { count_down } else { rate(now) });
    let quota = quota_left.iter().map(|(endpoint, &left)| format!("{} {endpoint}", number(left)));
    let quota = quota.collect::<Vec<_>>().join(", ");
    parts.extend((!quota.is_empty()).then(|| format!("quota left: {quota}")));
    while parts.len() > 1 && parts.join(" · ").width() > room {
        parts.pop();
    }
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

fn time_left(now: Now) -> Option<String> {
    now.left.map(|left| format!("{} left", wait(left)))
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
