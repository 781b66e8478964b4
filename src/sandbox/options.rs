//! How a sandbox is to behave.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::{Action, Faults, Quota};
use crate::model::Timestamp;

/// Tells the time for ids, dates, windows and lag.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a create with `run_dedupe` does to the contact it matches; the vendor has published both.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum DedupeReading {
    /// Sent fields overwrite, empty ones clear, lists are added (the newer page).
    #[default]
    Overwrite,
    /// The contact is answered as it is (the earlier page).
    ReturnExisting,
}

/// A text that names no reading.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no reading of run_dedupe: write overwrite or return-existing")]
pub struct UnknownReading {
    given: String,
}

impl FromStr for DedupeReading {
    type Err = UnknownReading;

    fn from_str(text: &str) -> Result<Self, UnknownReading> {
        match text {
            "overwrite" => Ok(Self::Overwrite),
            "return-existing" => Ok(Self::ReturnExisting),
            other => Err(UnknownReading { given: other.to_owned() }),
        }
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
    /// Whether a create that matched carries `dedupe_result`: the documentation is at odds about it.
    pub dedupe_result: bool,
    /// Whether viewing a contact answers `labels` beside `contact`: documented, and missing in recorded answers.
    pub labels_in_view: bool,
    pub quota: Quota,
    /// How long after a write search still shows what was before it.
    pub search_lag: Duration,
    pub faults: Faults,
    /// Seeds the dice of the faults, and marks the ids.
    pub seed: u64,
    pub clock: Clock,
    /// Actions that the credential does not reach: 403.
    pub missing_scopes: BTreeSet<Action>,
    /// The one credential that is accepted; any when `None`.
    pub api_key: Option<String>,
}

impl Options {
    /// Returns the defaults: a port of the system's choice, no limits, no faults, no lag.
    pub fn new(data: PathBuf, clock: Clock) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data,
            dedupe: DedupeReading::default(),
            dedupe_result: true,
            labels_in_view: false,
            quota: Quota::default(),
            search_lag: Duration::ZERO,
            faults: Faults::default(),
            seed: 0,
            clock,
            missing_scopes: BTreeSet::new(),
            api_key: None,
        }
    }
}
