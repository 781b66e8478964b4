//! What can go wrong between us and the database, sorted by what to do about it.
//!
//! Never holds a password, nor a value of a row: of the database's own words only the message is kept, as the details
//! of a complaint repeat what was sent.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_postgres::error::SqlState;

use super::address::Address;
use crate::state::{self, Holder, Location};

#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot connect to {address}: {why}")]
    Unreachable { address: String, why: String },
    /// The name, the password or the rights are not accepted.
    #[error("{address} refuses: {why}")]
    Denied { address: String, why: String },
    #[error("cannot set up encryption to {address}")]
    Tls { address: String, source: Arc<rustls::Error> },
    #[error("cannot read the certificates in {} (sslrootcert): {why}", path.display())]
    RootCertificates { path: PathBuf, why: String },
    #[error("the connection to {address} was lost: {why}")]
    Lost { address: String, why: String },
    #[error("{address} did not answer for {seconds} s")]
    Silent { address: String, seconds: u64 },
    /// Another transaction was in the way; the same may go through when it is tried again.
    #[error("{address} asks to try again: {why}")]
    InTheWay { address: String, why: String },
    #[error("{address} complains: {why}")]
    Complaint { address: String, code: String, why: String },
    #[error("the tables in {address} have version {found}, made by a newer contactsd; this one knows up to {known}")]
    TooNew { address: String, found: i32, known: i32 },
    #[error(
        "the tables in {address} have version {found}, made by an older contactsd, and this one reads version {known}: \
         the next command that writes (apply or watch) brings them up to date"
    )]
    TooOld { address: String, found: i32, known: i32 },
    /// Somebody else holds the lease.
    #[error("the state in {address} is in use by {holder}")]
    Held { address: String, holder: Box<Holder> },
    /// The lease ended or was taken over: this process changes nothing any more.
    #[error("the lease on the state in {address} was lost, so nothing more is written: {why}")]
    LeaseLost { address: String, why: &'static str },
    #[error("the state in {address} is not whole: {why}")]
    Damaged { address: String, why: String },
}

impl Error {
    pub(super) fn tls(address: &Address, source: rustls::Error) -> Self {
        Self::Tls { address: address.to_string(), source: Arc::new(source) }
    }

    /// Sorts an error of the driver.
    pub(super) fn of(address: &Address, error: &tokio_postgres::Error) -> Self {
        let address = address.to_string();
        let Some(database) = error.as_db_error() else {
            let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            return Self::Lost { address, why };
        };
        let (code, why) = (database.code(), database.message().to_owned());
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
            return Self::InTheWay { address, why };
        }
        match code.code().get(..2) {
            // Connection exceptions, and a server that goes down or comes up.
            Some("08" | "57") => Self::Lost { address, why },
            Some("28") => Self::Denied { address, why },
            _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => Self::Denied { address, why },
            _ => Self::Complaint { address, code: code.code().to_owned(), why },
        }
    }

    /// Says of a failure to connect that it is one.
    pub(super) fn on_connecting(self) -> Self {
        match self {
            Self::Lost { address, why } | Self::Complaint { address, why, .. } => Self::Unreachable { address, why },
            other => other,
        }
    }

    /// Says what it means for a state.
    pub(super) fn told_of(self, state: &Location) -> state::Error {
        match self {
            Self::Held { holder, .. } => state::Error::Locked { state: state.clone(), holder: Some(holder) },
            other => state::Error::Database { state: state.clone(), why: other.to_string() },
        }
    }

    /// Reports whether what was asked for may have been done or not: no answer came.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Silent { .. } | Self::Unreachable { .. })
    }

    pub(super) fn has_code(&self, code: &SqlState) -> bool {
        matches!(self, Self::Complaint { code: found, .. } if found == code.code())
    }
}
