//! What all requests of one sandbox share: the book, the quota, the faults and who may ask.
//!
//! Never answers a request.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use axum::http::request::Parts;
use secrecy::{ExposeSecret, SecretString};

use super::action::Action;
use super::api::Readings;
use super::book::Book;
use super::counts::Counts;
use super::faults::{Dice, Fault, Faults, Struck};
use super::log::{Log, NotWritten};
use super::options::{Clock, DeletedAnswer, Options};
use super::owner::Owner;
use super::quirks::Quirks;
use super::quota::{Exhausted, Standing, Windows};
use crate::hosts::{Hosts, Misdirected};
use crate::model::Timestamp;

/// What all requests of one sandbox share.
pub(super) struct Shared {
    pub(super) owner: Owner,
    readings: Mutex<Readings>,
    pub(super) missing_scopes: BTreeSet<Action>,
    /// The credentials that are accepted.
    keys: Vec<SecretString>,
    hosts: Hosts,
    clock: Clock,
    book: Mutex<Book>,
    pub(super) log: Log,
    windows: Mutex<Windows>,
    dice: Mutex<Dice>,
    counts: Mutex<Counts>,
    /// Number of the last answer, for its id.
    answers: AtomicU64,
}

const UNPOISONED: &str = "no request panics with a lock held";

impl Shared {
    pub(super) fn new(options: Options, keys: Vec<SecretString>, owner: Owner, book: Book, log: Log) -> Self {
        let Options { dedupe, witness, deleted_answer, labels_in_view, quirks, .. } = options;
        Self {
            owner,
            readings: Mutex::new(Readings { dedupe, witness, deleted_answer, labels_in_view, quirks }),
            missing_scopes: options.missing_scopes,
            keys,
            hosts: Hosts::new(&[]),
            clock: options.clock,
            book: Mutex::new(book),
            log,
            windows: Mutex::new(Windows::new(options.quota)),
            dice: Mutex::new(Dice::new(options.faults, options.seed)),
            counts: Mutex::default(),
            answers: AtomicU64::new(0),
        }
    }

    /// Returns the time by the sandbox's clock, which may be a wrong one.
    pub(super) fn now(&self) -> Timestamp {
        self.readings().quirks.clock((self.clock)())
    }

    /// Looks at the host that a request names.
    pub(super) fn check_host(&self, head: &Parts) -> Result<(), Misdirected> {
        self.hosts.check(&head.headers, &head.uri)
    }

    /// Reports whether a credential is a good one.
    pub(super) fn accepts(&self, credential: Option<&str>) -> bool {
        credential.is_some_and(|given| self.keys.iter().any(|key| key.expose_secret() == given))
    }

    /// Does `work` on the book; returns once all that it changed or saw is on disk.
    pub(super) async fn work<T>(&self, work: impl FnOnce(&mut Book) -> T) -> Result<T, NotWritten> {
        let (done, last) = {
            let mut book = self.book();
            let done = work(&mut book);
            (done, self.log.append(&book.take_outbox()))
        };
        self.log.synced(last).await?;
        Ok(done)
    }

    pub(super) fn spend(&self, action: Action, now: Timestamp) -> (Standing, Result<(), Exhausted>) {
        self.windows.lock().expect(UNPOISONED).spend(action, now)
    }

    /// Draws the faults of one request and counts them.
    pub(super) fn draw(&self, action: Action) -> Struck {
        let struck = self.dice.lock().expect(UNPOISONED).draw(action);
        let mut counts = self.counts();
        if struck.delay.is_some() {
            counts.count_fault(Fault::Slow);
        }
        if let Some(fault) = struck.fault {
            counts.count_fault(fault);
        }
        struck
    }

    pub(super) fn readings(&self) -> Readings {
        *self.readings.lock().expect(UNPOISONED)
    }

    pub(super) fn set_deleted_answer(&self, answer: DeletedAnswer) {
        self.readings.lock().expect(UNPOISONED).deleted_answer = answer;
    }

    pub(super) fn set_quirks(&self, quirks: Quirks) {
        self.readings.lock().expect(UNPOISONED).quirks = quirks;
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.dice.lock().expect(UNPOISONED).faults = faults;
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect(UNPOISONED)
    }

    pub(super) fn count(&self, action: Action, outcome: Option<u16>) {
        self.counts().count(action, outcome);
    }

    pub(super) fn request_id(&self) -> String {
        format!("{}-{:08x}", self.owner.token, self.answers.fetch_add(1, Ordering::SeqCst) + 1)
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect(UNPOISONED)
    }
}
