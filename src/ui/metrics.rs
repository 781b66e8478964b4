//! A service in figures, as Prometheus reads them: text exposition, version 0.0.4.
//!
//! Counts are a fold over the events of the service; what it is like at the moment comes from its board when
//! the figures are read. Names no contact and no person: labels have a fixed set of values each.

use prometheus::proto::MetricFamily;
use prometheus::{Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};

use super::words;
use crate::model::{Endpoint, Timestamp};
use crate::ops::watch::{Outcome, Status};
use crate::ops::{Event, PassEvent, Step};
use crate::source::Severity;
use crate::store::Footprint;

/// Bounds of the time that passes take, in seconds: from a look at nothing new to a day of quota.
const PASS_SECONDS: [f64; 9] = [0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0];

/// Bounds of the time that requests take, in seconds.
const REQUEST_SECONDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What an answer can be: `4xx` without the `429`s, and `none` where no answer came.
const STATUSES: [&str; 6] = ["2xx", "3xx", "4xx", "429", "5xx", "none"];

const WELL_FORMED: &str = "names and labels are well formed, and each name is used once";

/// The figures that grow.
pub struct Metrics {
    registry: Registry,
    passes: IntCounterVec,
    pass_seconds: Histogram,
    actions: IntCounterVec,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    waits: IntCounterVec,
    problems: IntCounterVec,
}

impl Default for Metrics {
    /// Begins to count; every count there can be is there from the beginning, so that its first step shows.
    fn default() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels).expect(WELL_FORMED);
            registry.register(Box::new(counter.clone())).expect(WELL_FORMED);
            counter
        };
        let passes = counter("contactsd_passes_total", "Passes that ended, by how.", &["outcome"]);
        let actions = counter(
            "contactsd_actions_total",
            "Actions that ended, by what they were and whether they were done.",
            &["kind", "outcome"],
        );
        let requests = counter(
            "contactsd_requests_total",
            "Attempts of requests to Apollo, by status; 4xx without the 429s, none where no answer came.",
            &["action", "status"],
        );
        let waits = counter("contactsd_quota_waits_total", "Waits for a quota window.", &["action"]);
        let problems = counter("contactsd_problems_total", "Problems that were reported, by severity.", &["severity"]);
        let pass_options = HistogramOpts::new("contactsd_pass_duration_seconds", "How long passes took.");
        let pass_seconds = Histogram::with_opts(pass_options.buckets(PASS_SECONDS.to_vec())).expect(WELL_FORMED);
        registry.register(Box::new(pass_seconds.clone())).expect(WELL_FORMED);
        let request_options =
            HistogramOpts::new("contactsd_request_duration_seconds", "How long attempts of requests took.");
        let request_seconds = HistogramVec::new(request_options.buckets(REQUEST_SECONDS.to_vec()), &["action"]);
        let request_seconds = request_seconds.expect(WELL_FORMED);
        registry.register(Box::new(request_seconds.clone())).expect(WELL_FORMED);
        for how in OUTCOMES.map(outcome) {
            passes.with_label_values(&[how]);
        }
        for kind in STEPS.map(kind) {
            for outcome in ["done", "failed"] {
                actions.with_label_values(&[kind, outcome]);
            }
        }
        for endpoint in Endpoint::ALL {
            let endpoint = endpoint.code();
            for status in STATUSES {
                requests.with_label_values(&[endpoint, status]);
            }
            waits.with_label_values(&[endpoint]);
        }
        for severity in ["error", "warning"] {
            problems.with_label_values(&[severity]);
        }
        Self { registry, passes, pass_seconds, actions, requests, request_seconds, waits, problems }
    }
}

impl Metrics {
    /// Counts an event. May be called from several threads.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Finished { step, .. } => self.actions.with_label_values(&[kind(*step), "done"]).inc(),
            Event::Failed { step, .. } => self.actions.with_label_values(&[kind(*step), "failed"]).inc(),
            Event::Problem(problem) => {
                let severity = match words::problem(problem).severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                self.problems.with_label_values(&[severity]).inc();
            }
            Event::Answered { endpoint, status, elapsed } => {
                let endpoint = endpoint.code();
                self.requests.with_label_values(&[endpoint, status_class(*status)]).inc();
                self.request_seconds.with_label_values(&[endpoint]).observe(elapsed.as_secs_f64());
            }
            Event::WaitingForQuota { endpoint, .. } => self.waits.with_label_values(&[endpoint.code()]).inc(),
            Event::Pass(PassEvent::Ended(pass)) => {
                self.passes.with_label_values(&[outcome(pass.outcome)]).inc();
                self.pass_seconds.observe(pass.ended.since(pass.began).as_secs_f64());
            }
            Event::Begun { .. }
            | Event::Refreshing(_)
            | Event::Started { .. }
            | Event::StillRunning { .. }
            | Event::QuotaLeft { .. }
            | Event::CredentialRenewed
            | Event::Outage { .. }
            | Event::OutageOver { .. }
            | Event::Tick { .. }
            | Event::Stopping
            | Event::Pass(_) => {}
        }
    }

    /// Writes all figures: what was counted, and what the service and its state are like.
    pub fn text(&self, status: &Status, is_ready: bool, footprint: Option<Footprint>) -> String {
        let mut families = self.registry.gather();
        families.extend(moment(status, is_ready, footprint));
        families.sort_by(|one, other| one.name().cmp(other.name()));
        TextEncoder::new().encode_to_string(&families).expect("families hold figures, and a text takes them all")
    }
}

/// Measures a service as it is at the moment.
fn moment(status: &Status, is_ready: bool, footprint: Option<Footprint>) -> Vec<MetricFamily> {
    let gauges = Gauges(Registry::new());
    gauges.each(
        "contactsd_build_info",
        "The program that runs; always 1.",
        &["version"],
        [(vec![status.version.as_str()], 1.0)],
    );
    gauges.one("contactsd_start_time_seconds", "When the service began.", seconds(Some(status.started_at)));
    gauges.one("contactsd_ready", "Whether passes succeed, as /readyz says.", flag(is_ready));
    gauges.one("contactsd_paused", "Whether a person has paused the service.", flag(status.paused_since.is_some()));
    let braked = "Whether a plan exceeds limits and waits for approval.";
    gauges.one("contactsd_plan_braked", braked, flag(status.braked.is_some()));
    let dropped = "Lines of output that were dropped since the service began.";
    gauges.one("contactsd_output_dropped_lines", dropped, whole(status.telling.dropped));
    let failing = "Whether the last line of output could not be written.";
    gauges.one("contactsd_output_failing", failing, flag(status.telling.error.is_some()));
    let last_pass = status.last_pass.as_ref().map(|pass| pass.ended);
    gauges.one("contactsd_last_pass_timestamp_seconds", "When the last pass ended; 0 before.", seconds(last_pass));
    let help = "When the last successful pass ended; 0 before.";
    gauges.one("contactsd_last_good_pass_timestamp_seconds", help, seconds(status.last_good_pass));
    gauges.one("contactsd_entries_declared", "Entries in the files when they were last valid.", count(status.declared));
    gauges.one("contactsd_actions_pending", "Actions planned and not done.", count(status.pending));
    let (person, time) = status.failing.iter().partition::<Vec<_>, _>(|failing| failing.next_try.is_none());
    gauges.each(
        "contactsd_entries_failing",
        "Entries that failed and were neither edited nor applied since, by what they wait for.",
        &["waits_for"],
        [(vec!["time"], count(time.len())), (vec!["person"], count(person.len()))],
    );
    let waiting = "Keys no longer in the files and not forgotten yet.";
    gauges.one("contactsd_entries_waiting", waiting, count(status.waiting.len()));
    let windows: Vec<_> = status
        .quota
        .iter()
        .flat_map(|(&endpoint, windows)| windows.iter().map(move |outlook| (endpoint.code(), outlook)))
        .collect();
    let quota = |name: &str, help: &str, value: fn(&crate::quota::Outlook) -> Option<f64>| {
        let known = windows
            .iter()
            .filter_map(|(endpoint, outlook)| Some((vec![*endpoint, outlook.window.name()], value(outlook)?)));
        gauges.each(name, help, &["action", "window"], known);
    };
    quota("contactsd_quota_limit", "Requests that a window allows, what is left to others taken off.", |outlook| {
        outlook.limit.map(whole)
    });
    quota("contactsd_quota_left", "Requests that may still go out in a window.", |outlook| outlook.left.map(whole));
    quota("contactsd_quota_reset_timestamp_seconds", "When an open window closes.", |outlook| {
        outlook.resets_at.map(|at| seconds(Some(at)))
    });
    if let Some(serial) = status.serial {
        gauges.one("contactsd_state_serial", "Writes that changed what is managed.", whole(serial.0));
    }
    if let Some(Footprint { used, free }) = footprint {
        gauges.one("contactsd_state_bytes", "Size of the state on disk.", whole(used));
        gauges.one("contactsd_state_disk_free_bytes", "Free space of the state's file system.", whole(free));
    }
    gauges.0.gather()
}

/// Gauges that are set once, for one reading.
struct Gauges(Registry);

impl Gauges {
    fn one(&self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::new(name, help).expect(WELL_FORMED);
        gauge.set(value);
        self.0.register(Box::new(gauge)).expect(WELL_FORMED);
    }

    fn each<'a>(&self, name: &str, help: &str, labels: &[&str], values: impl IntoIterator<Item = (Vec<&'a str>, f64)>) {
        let gauge = GaugeVec::new(Opts::new(name, help), labels).expect(WELL_FORMED);
        for (labels, value) in values {
            gauge.with_label_values(&labels).set(value);
        }
        self.0.register(Box::new(gauge)).expect(WELL_FORMED);
    }
}

const OUTCOMES: [Outcome; 9] = [
    Outcome::InStep,
    Outcome::Applied,
    Outcome::OnlyPlanned,
    Outcome::WaitsForQuota,
    Outcome::Yielded,
    Outcome::Refused,
    Outcome::Braked,
    Outcome::Troubled,
    Outcome::Interrupted,
];

const STEPS: [Step; 8] =
    [Step::Create, Step::Import, Step::Update, Step::Move, Step::Restore, Step::Release, Step::Forget, Step::Settle];

fn kind(step: Step) -> &'static str {
    match step {
        Step::Create => "create",
        Step::Import => "import",
        Step::Update => "update",
        Step::Move => "move",
        Step::Restore => "restore",
        Step::Release => "release",
        Step::Forget => "forget",
        Step::Settle => "settle",
    }
}

fn status_class(status: Option<u16>) -> &'static str {
    match status {
        None => "none",
        Some(429) => "429",
        Some(..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(500..) => "5xx",
    }
}

/// Names passes by how they ended, as `/status` does.
fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::InStep => "in_step",
        Outcome::Applied => "applied",
        Outcome::OnlyPlanned => "only_planned",
        Outcome::WaitsForQuota => "waits_for_quota",
        Outcome::Yielded => "yielded",
        Outcome::Refused => "refused",
        Outcome::Braked => "braked",
        Outcome::Troubled => "troubled",
        Outcome::Interrupted => "interrupted",
    }
}

fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

fn count(number: usize) -> f64 {
    whole(number as u64)
}

#[expect(clippy::cast_precision_loss, reason = "figures are floats; beyond 2^53 nobody counts")]
fn whole(number: u64) -> f64 {
    number as f64
}

/// Writes a time as Prometheus does: seconds since 1970, 0 for none.
fn seconds(at: Option<Timestamp>) -> f64 {
    at.map_or(0.0, |at| whole(at.0) / 1000.0)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
