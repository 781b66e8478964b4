//! How a service is doing, or its state while none runs, as a document: of `status --json` and of `/status`.
//!
//! Holds nothing personal: an address where a key or an error has one is masked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::summary::{Changes, seconds};
use super::versions::{FORMAT_VERSION, PROGRAM_VERSION};
use crate::model::{Endpoint, Timestamp};
use crate::ops::watch::{self, Outcome, Phase};
use crate::ops::{Readiness, watch::Status};
use crate::ui::mask::without_addresses;
use crate::ui::status_text::AtRest;
use crate::ui::{readiness_line, time_text, words};

/// What is known of a service and its state. Times are RFC 3339, in UTC.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StatusDocument {
    /// `MAJOR.MINOR`; a new minor adds keys, a reader must refuse a major that it does not know.
    format_version: &'static str,
    /// The program that wrote it.
    contactsd_version: &'static str,
    /// Null when no service runs.
    service: Option<ServiceFacts>,
    /// Only while no service runs: it is the service that knows then.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<StateFacts>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct ServiceFacts {
    contactsd_version: String,
    dir: String,
    started_at: String,
    /// Whether it applies no plan, approved or not.
    dry_run: bool,
    phase: Phase,
    /// What `/readyz` says.
    ready: bool,
    /// The same in words; they may change, so no program should read them.
    readiness: String,
    paused_since: Option<String>,
    passes: u64,
    last_pass: Option<PassFacts>,
    last_good_pass: Option<String>,
    /// The longest that it rests between two passes.
    resync_seconds: u64,
    /// When the next pass is due if nothing changes.
    next_pass: Option<String>,
    /// Entries that the files declared when they were last valid.
    declared: usize,
    /// Actions planned and not done; the failing are among them.
    pending: usize,
    failing: Vec<FailingFacts>,
    /// Keys no longer in the files and not forgotten yet.
    waiting: Vec<WaitingFacts>,
    /// The plan that exceeds limits, and waits for approval unless the service only plans.
    braked: Option<BrakedFacts>,
    /// What keeps the service as a whole from its work.
    trouble: Option<TroubleFacts>,
    quota: BTreeMap<Endpoint, Vec<WindowFacts>>,
    /// The serial of the state; null until it was read.
    serial: Option<u64>,
    /// Lines of output that were dropped, since nobody read them in time or they could not be written.
    dropped_lines: u64,
    /// Why the last line of output was not written; null when it was.
    output_error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct PassFacts {
    began: String,
    ended: String,
    outcome: Outcome,
    done: usize,
    failed: usize,
    /// Actions not begun.
    remaining: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct FailingFacts {
    key: String,
    error: String,
    /// How often it has failed in a row.
    attempts: u32,
    since: String,
    /// Null when it waits for a person.
    next_try: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct WaitingFacts {
    key: String,
    gone_since: String,
    /// Null as long as the directory holds no contact file at all.
    forget_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct BrakedFacts {
    /// What `contactsd approve` takes.
    digest: String,
    /// One line for each limit.
    reasons: Vec<String>,
    changes: Changes,
    since: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct TroubleFacts {
    error: String,
    since: String,
    attempts: u32,
    next_try: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct WindowFacts {
    /// `minute`, `hour` or `day`.
    window: &'static str,
    /// Null when nobody has named a limit.
    limit: Option<u64>,
    left: Option<u64>,
    /// Null when the window is not known to be open.
    resets_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct StateFacts {
    /// Whether there is a state.
    exists: bool,
    /// Contacts managed.
    contacts: usize,
    serial: u64,
    /// Requests whose outcome is not known.
    open_intents: usize,
    /// Entries that need a decision.
    conflicts: usize,
    /// What another process is doing to it right now.
    writer: Option<String>,
    /// Which process that is, in words.
    writer_process: Option<String>,
}

impl StatusDocument {
    /// Describes a running service.
    pub fn of_service(status: &Status, readiness: &Readiness) -> Self {
        Self::new(Some(ServiceFacts::new(status, readiness)), None)
    }

    /// Describes a state that no service keeps in step.
    pub fn at_rest(rest: &AtRest) -> Self {
        let AtRest { exists, contacts, serial, open, undecided, writer } = rest;
        let state = StateFacts {
            exists: *exists,
            contacts: *contacts,
            serial: *serial,
            open_intents: open.len(),
            conflicts: undecided.len(),
            writer: writer.as_ref().map(|holder| holder.operation.clone()),
            writer_process: writer.as_ref().map(|holder| without_addresses(&holder.who())),
        };
        Self::new(None, Some(state))
    }

    fn new(service: Option<ServiceFacts>, state: Option<StateFacts>) -> Self {
        Self { format_version: FORMAT_VERSION, contactsd_version: PROGRAM_VERSION, service, state }
    }
}

impl ServiceFacts {
    fn new(status: &Status, readiness: &Readiness) -> Self {
        // Without `..`: a new fact of a service is told, or left out on purpose, here.
        let Status {
            format: _,
            version,
            dir,
            started_at,
            only_plans,
            phase,
            ready: _,
            passes,
            last_pass,
            // The page draws them, and figures are kept of all of them.
            recent: _,
            // The log and `validate` tell.
            last_load: _,
            last_good_pass,
            resync,
            next_pass,
            declared,
            pending,
            failing,
            waiting,
            braked,
            // The readiness tells.
            standing_by: _,
            paused_since,
            trouble,
            quota,
            serial,
            telling,
        } = status;
        let windows = |windows: &[crate::quota::Outlook; 3]| windows.iter().map(WindowFacts::from).collect();
        Self {
            contactsd_version: version.clone(),
            dir: dir.display().to_string(),
            started_at: time_text(*started_at),
            dry_run: *only_plans,
            phase: *phase,
            ready: readiness.is_ready(),
            readiness: without_addresses(&readiness_line(readiness)),
            paused_since: time(*paused_since),
            passes: *passes,
            last_pass: last_pass.as_ref().map(PassFacts::from),
            last_good_pass: time(*last_good_pass),
            resync_seconds: seconds(*resync),
            next_pass: time(*next_pass),
            declared: *declared,
            pending: *pending,
            failing: failing.iter().map(FailingFacts::from).collect(),
            waiting: waiting.iter().map(WaitingFacts::from).collect(),
            braked: braked.as_ref().map(BrakedFacts::from),
            trouble: trouble.as_ref().map(TroubleFacts::from),
            quota: quota.iter().map(|(&endpoint, outlooks)| (endpoint, windows(outlooks))).collect(),
            serial: serial.map(|serial| serial.0),
            dropped_lines: telling.dropped,
            output_error: telling.error.clone(),
        }
    }
}

impl From<&watch::Pass> for PassFacts {
    fn from(pass: &watch::Pass) -> Self {
        let watch::Pass { began, ended, outcome, done, failed, remaining } = *pass;
        Self { began: time_text(began), ended: time_text(ended), outcome, done, failed, remaining }
    }
}

impl From<&watch::Failing> for FailingFacts {
    fn from(failing: &watch::Failing) -> Self {
        let watch::Failing { key, error, attempts, since, next_try } = failing;
        Self {
            key: without_addresses(key.as_str()),
            error: without_addresses(&words::in_short(error, Some(key))),
            attempts: *attempts,
            since: time_text(*since),
            next_try: time(*next_try),
        }
    }
}

impl From<&watch::Waiting> for WaitingFacts {
    fn from(waiting: &watch::Waiting) -> Self {
        let watch::Waiting { key, gone_since, forget_at } = waiting;
        let key = without_addresses(key.as_str());
        Self { key, gone_since: time_text(*gone_since), forget_at: time(*forget_at) }
    }
}

impl From<&watch::Braked> for BrakedFacts {
    fn from(braked: &watch::Braked) -> Self {
        let watch::Braked { digest, reasons, counts, since } = braked;
        let reasons = reasons.iter().map(|reason| words::in_short(reason, None)).collect();
        let changes = Changes::from(counts);
        Self { digest: digest.0.clone(), reasons, changes, since: time_text(*since) }
    }
}

impl From<&watch::Trouble> for TroubleFacts {
    fn from(trouble: &watch::Trouble) -> Self {
        let watch::Trouble { error, since, attempts, next_try } = trouble;
        let error = without_addresses(&words::in_short(error, None));
        let (since, next_try) = (time_text(*since), time_text(*next_try));
        Self { error, since, attempts: *attempts, next_try }
    }
}

impl From<&crate::quota::Outlook> for WindowFacts {
    fn from(outlook: &crate::quota::Outlook) -> Self {
        let crate::quota::Outlook { window, limit, left, resets_at } = *outlook;
        Self { window: window.name(), limit, left, resets_at: time(resets_at) }
    }
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(time_text)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::ui::json::to_json;
    use crate::ui::test_services::{NOW, begun, busy, in_step, paused, troubled};

    fn document(status: &Status) -> String {
        to_json(&StatusDocument::of_service(status, &Readiness::of(status, NOW)))
    }

    #[test]
    fn a_service_is_told_with_everything_that_waits() {
        let document: Value = serde_json::from_str(&document(&busy())).unwrap();
        let facts = document["service"].as_object().unwrap().iter();
        let lines: Vec<String> = facts.map(|(name, fact)| format!("{name}: {fact}")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        braked: {"changes":{"add":1200,"change":0,"forget":0,"import":0,"move":0,"operation":"plan","release":0,"remove":0,"settle":0},"digest":"0123456789abcdef0123456789abcdef","reasons":["1,200 contacts would be created, and at most 1000 may be"],"since":"2026-03-01T11:55:00Z"}
        contactsd_version: "0.1.0"
        declared: 120
        dir: "contacts.d"
        dropped_lines: 0
        dry_run: false
        failing: [{"attempts":3,"error":"Apollo rejected contact.bo","key":"bo","next_try":"2026-03-01T12:00:42Z","since":"2026-03-01T11:50:00Z"},{"attempts":1,"error":"More than one contact may be the same person as (masked)","key":"(masked)","next_try":null,"since":"2026-03-01T11:50:00Z"}]
        last_good_pass: "2026-03-01T11:59:48Z"
        last_pass: {"began":"2026-03-01T11:59:45Z","done":3,"ended":"2026-03-01T11:59:48Z","failed":2,"outcome":"applied","remaining":1}
        next_pass: "2026-03-01T12:04:48Z"
        output_error: null
        passes: 13
        paused_since: null
        pending: 5
        phase: "resting"
        quota: {"add_to_lists":[{"left":null,"limit":null,"resets_at":null,"window":"minute"},{"left":null,"limit":null,"resets_at":null,"window":"hour"},{"left":null,"limit":null,"resets_at":null,"window":"day"}],"create_contact":[{"left":199,"limit":200,"resets_at":"2026-03-01T12:00:42Z","window":"minute"},{"left":0,"limit":400,"resets_at":"2026-03-01T12:59:00Z","window":"hour"},{"left":null,"limit":null,"resets_at":null,"window":"day"}]}
        readiness: "Ready: the last successful pass ended 2026-03-01T11:59:48Z."
        ready: true
        resync_seconds: 300
        serial: 57
        started_at: "2026-03-01T11:00:00Z"
        trouble: null
        waiting: [{"forget_at":"2026-03-01T12:00:34Z","gone_since":"2026-03-01T11:59:34Z","key":"dee"},{"forget_at":null,"gone_since":"2026-03-01T11:59:34Z","key":"(masked)"}]
        "#);
    }

    #[test]
    fn a_state_at_rest_has_no_service() {
        let rest = AtRest { exists: true, contacts: 120, serial: 57, ..AtRest::default() };
        let document: Value = serde_json::from_str(&to_json(&StatusDocument::at_rest(&rest))).unwrap();
        assert_eq!(document["service"], Value::Null);
        assert_eq!((&document["state"]["contacts"], &document["state"]["serial"]), (&120.into(), &57.into()));
    }

    #[test]
    fn no_address_and_nothing_that_acts_on_a_terminal_stands_in_it() {
        for status in [begun(), in_step(), busy(), troubled(), paused()] {
            let document = document(&status);
            assert!(!document.contains('@') && !document.contains('\u{1b}'), "{document}");
        }
    }
}
