//! Services in every state that can be told of, for the tests of text, JSON and figures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::test_plans::id;
use crate::model::{ContactKey, Digest, Endpoint, Serial, Timestamp};
use crate::ops::watch::{Board, Braked, Failing, Outcome, Pass, Phase, Status, Trouble, Waiting};
use crate::ops::{Cause, Fault, ProblemKind};
use crate::plan::{Brake, BrakeKind, Counts, Dispute};
use crate::quota::{Outlook, Span};
use crate::state::Holder;

/// When all of this is looked at: 2026-03-01T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_772_366_400_000);

/// The time so many seconds before [`NOW`].
pub(crate) fn ago(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1000)
}

fn later(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).expect("a test's key is one")
}

/// A process that writes the state.
pub(crate) fn holder() -> Holder {
    Holder {
        pid: 4242,
        user_host: "ada@build-1".to_owned(),
        operation: "apply".to_owned(),
        since: NOW,
        version: "0.1.0".to_owned(),
        socket: None,
    }
}

/// A service that began an hour ago and has made no pass.
pub(crate) fn begun() -> Status {
    let begun = (*Board::new("contacts.d".into(), ago(3600)).read()).clone();
    Status { version: "0.1.0".to_owned(), resync: Duration::from_mins(5), ..begun }
}

/// A service with nothing to do.
pub(crate) fn in_step() -> Status {
    let pass = Pass { began: ago(13), ended: ago(12), outcome: Outcome::InStep, done: 0, failed: 0, remaining: 0 };
    Status {
        phase: Phase::Resting,
        ready: true,
        passes: 13,
        last_pass: Some(pass),
        last_good_pass: Some(ago(12)),
        next_pass: Some(later(288)),
        declared: 120,
        serial: Some(Serial(57)),
        ..begun()
    }
}

/// A service with something of everything, e-mail addresses where they could be among it.
pub(crate) fn busy() -> Status {
    let failing = |name: &str, error: ProblemKind, attempts, next_try| Failing {
        key: key(name),
        error,
        attempts,
        since: ago(600),
        next_try,
    };
    let fault = Fault { why: "422".to_owned(), status: Some(422), message: None, said: None, request_id: None };
    let ids = vec![id(1), id(2)];
    let brake = Brake { kind: BrakeKind::MaxCreates, count: 1200, limit: 1000 };
    let outlook = |window, limit, left, resets_at| Outlook { window, limit, left, resets_at };
    let create = [
        outlook(Span::Minute, Some(200), Some(199), Some(later(42))),
        outlook(Span::Hour, Some(400), Some(0), Some(later(3540))),
        outlook(Span::Day, None, None, None),
    ];
    let pass = Pass { began: ago(15), ended: ago(12), outcome: Outcome::Applied, done: 3, failed: 2, remaining: 1 };
    Status {
        last_pass: Some(pass),
        pending: 5,
        failing: Arc::new(vec![
            failing("bo", ProblemKind::Rejected(fault), 3, Some(later(42))),
            failing("cy@example.com", ProblemKind::Undecided(Dispute::Several { ids }), 1, None),
        ]),
        waiting: Arc::new(vec![
            Waiting { key: key("dee"), gone_since: ago(26), forget_at: Some(later(34)) },
            Waiting { key: key("eve@example.com"), gone_since: ago(26), forget_at: None },
        ]),
        braked: Some(Braked {
            digest: Digest("0123456789abcdef0123456789abcdef".to_owned()),
            reasons: vec![ProblemKind::Braked { brake, gone: 0 }],
            counts: Counts { add: 1200, ..Counts::default() },
            since: ago(300),
        }),
        quota: BTreeMap::from([
            (Endpoint::CreateContact, create),
            (Endpoint::AddToLists, Span::ALL.map(|span| outlook(span, None, None, None))),
        ]),
        ..in_step()
    }
}

/// A service that Apollo turns away.
pub(crate) fn troubled() -> Status {
    let why = "asked as ada@example.com\u{1b}[31m".to_owned();
    let error = ProblemKind::CredentialUnusable(Cause::Other { why });
    Status {
        ready: false,
        trouble: Some(Trouble { error, since: ago(90), attempts: 4, next_try: later(40) }),
        ..in_step()
    }
}

/// A service that a person has paused.
pub(crate) fn paused() -> Status {
    Status { phase: Phase::Paused, paused_since: Some(ago(7200)), next_pass: None, ..in_step() }
}
