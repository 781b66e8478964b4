//! How a sandbox is to behave.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::choice::{self, UnknownChoice};
use super::{Action, Faults, Quirks, Quota};
use crate::model::Timestamp;

/// Tells the time for ids, dates, windows and lag.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a create with `run_dedupe` does to the contact it matches; the vendor has published both.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DedupeReading {
    /// Sent fields overwrite, empty ones clear, lists are added (the newer page).
    #[default]
    Overwrite,
    /// The contact is answered as it is (the earlier page).
    ReturnExisting,
}

impl FromStr for DedupeReading {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, UnknownChoice> {
        choice::read(text)
    }
}

/// By what a create that matched shows that it did. An old `created_at` always shows it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Witness {
    /// `dedupe_result` and `was_existing`.
    #[default]
    All,
    /// `dedupe_result` alone, from an example of the vendor's page.
    DedupeResult,
    /// `was_existing` alone, as it was seen in 2026.
    WasExisting,
    /// Nothing but the old `created_at`.
    CreatedAt,
}

impl Witness {
    pub(super) fn is_dedupe_result(self) -> bool {
        matches!(self, Self::All | Self::DedupeResult)
    }

    pub(super) fn is_was_existing(self) -> bool {
        matches!(self, Self::All | Self::WasExisting)
    }
}

/// How a contact that was deleted is answered when it is viewed or updated.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeletedAnswer {
    /// 422 with `deleted_contact_ids` (vendor page of the update call).
    #[default]
    #[serde(rename = "422-ids")]
    NamedIn422,
    /// 422 with a text that says so, and nothing else.
    #[serde(rename = "422")]
    Plain422,
    /// 422 as for an id that never was.
    #[serde(rename = "422-unknown")]
    Unknown422,
    #[serde(rename = "404")]
    NotFound404,
    #[serde(rename = "410")]
    Gone410,
    /// 200 with the contact and `person_deleted: true`; what is sent is written all the same.
    PersonDeleted,
}

impl FromStr for Witness {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, UnknownChoice> {
        choice::read(text)
    }
}

impl FromStr for DeletedAnswer {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, UnknownChoice> {
        choice::read(text)
    }
}

/// What [`Server::start`](super::Server::start) needs to know.
///
/// Not `Debug`: it may hold a credential.
pub struct Options {
    /// A loopback address; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The directory that the data lives in; made when missing.
    pub data: PathBuf,
    pub dedupe: DedupeReading,
    /// By what a create shows that it matched: the documentation and what was seen are at odds about it.
    pub witness: Witness,
    /// How a deleted contact is answered; the control surface can change it.
    pub deleted_answer: DeletedAnswer,
    /// Whether viewing a contact answers `labels` beside `contact`: documented, and missing in recorded answers.
    pub labels_in_view: bool,
    pub quota: Quota,
    /// How long after a write search still shows what was before it.
    pub search_lag: Duration,
    pub faults: Faults,
    pub quirks: Quirks,
    /// Seeds the dice of the faults, and marks the ids.
    pub seed: u64,
    pub clock: Clock,
    /// Actions that the credential does not reach: 403.
    pub missing_scopes: BTreeSet<Action>,
    /// The credentials that are accepted in place of the data's own key; that one when there are none.
    pub api_keys: Vec<String>,
}

impl Options {
    /// Returns the defaults: a port of the system's choice, no limits, no faults, no lag.
    pub fn new(data: PathBuf, clock: Clock) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data,
            dedupe: DedupeReading::default(),
            witness: Witness::default(),
            deleted_answer: DeletedAnswer::default(),
            labels_in_view: false,
            quota: Quota::default(),
            search_lag: Duration::ZERO,
            faults: Faults::default(),
            quirks: Quirks::default(),
            seed: 0,
            clock,
            missing_scopes: BTreeSet::new(),
            api_keys: Vec::new(),
        }
    }
}
