//! What all requests of one sandbox share: the book, the quota, the faults and who may ask.
//!
//! Never answers a request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use axum::http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::action::Action;
use super::answer::Answer;
use super::book::Book;
use super::counts::Counts;
use super::faults::{Dice, Fault, Struck};
use super::log::Log;
use super::moment::http_date;
use super::options::Options;
use super::owner::Owner;
use super::quirks::Quirk;
use super::quota::Windows;
use super::sent::Refusal;
use crate::hosts::Hosts;
use crate::model::Timestamp;

/// What all requests of one sandbox share.
pub(super) struct Shared {
    pub(super) owner: Owner,
    pub(super) hosts: Hosts,
    pub(super) log: Log,
    /// The credentials that are accepted.
    keys: Vec<SecretString>,
    desk: Mutex<Desk>,
    /// Number of the last answer, for its id.
    answers: AtomicU64,
}

/// What one request at a time works with.
pub(super) struct Desk {
    /// How the sandbox behaves; the control surface changes some of it.
    pub(super) options: Options,
    pub(super) book: Book,
    pub(super) windows: Windows,
    pub(super) dice: Dice,
    pub(super) counts: Counts,
}

impl Desk {
    /// Draws the faults of one request and counts them.
    pub(super) fn draw(&mut self, action: Action) -> Struck {
        let struck = self.dice.draw(action);
        let slow = struck.delay.map(|_| Fault::Slow);
        slow.into_iter().chain(struck.fault).for_each(|fault| self.counts.count_fault(fault));
        struck
    }
}

impl Shared {
    pub(super) fn new(mut options: Options, keys: Vec<SecretString>, owner: Owner, book: Book, log: Log) -> Self {
        let desk = Desk {
            book,
            windows: Windows::new(options.quota),
            dice: Dice::new(std::mem::take(&mut options.faults), options.seed),
            counts: Counts::default(),
            options,
        };
        Self { owner, hosts: Hosts::new(&[]), log, keys, desk: Mutex::new(desk), answers: AtomicU64::new(0) }
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("no request panics with a lock held")
    }

    /// Returns the time by the sandbox's clock, which may be a wrong one.
    pub(super) fn now(&self) -> Timestamp {
        let Options { quirks, clock, .. } = &self.desk().options;
        quirks.clock(clock())
    }

    /// Returns what the `date` header says, if there is one.
    pub(super) fn date(&self) -> Option<String> {
        let has_date = !self.desk().options.quirks.has(Quirk::NoDate);
        has_date.then(|| http_date(self.now()))
    }

    /// Reports whether a request has a good credential: an API key, or an access token; the two cannot be told apart here.
    pub(super) fn accepts(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = || text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let given = text("x-api-key").or_else(bearer).filter(|credential| !credential.is_empty());
        given.is_some_and(|given| self.keys.iter().any(|key| key.expose_secret() == given))
    }

    /// Does `work`; answers once all that it changed or saw is on disk.
    pub(super) async fn work(&self, work: impl FnOnce(&mut Desk) -> Answer) -> Answer {
        let (done, last) = {
            let mut desk = self.desk();
            let done = work(&mut desk);
            (done, self.log.append(&desk.book.take_outbox()))
        };
        match self.log.synced(last).await {
            Ok(()) => done,
            Err(error) => Refusal::error(500, error.to_string()).into(),
        }
    }

    pub(super) fn request_id(&self) -> String {
        format!("{}-{:08x}", self.owner.token, self.answers.fetch_add(1, Ordering::SeqCst) + 1)
    }
}
