//! Who has a state open, for the message of whoever does not get it. Never decides who may write.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// How long a lease on a state that machines share lasts when it is not renewed.
pub const LEASE_TERM: Duration = Duration::from_secs(150);

/// The process that has the state open for writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    /// As `user@host`.
    pub user_host: String,
    /// The verb it runs, `apply` for example.
    pub operation: String,
    pub since: Timestamp,
    /// The version of contactsd.
    pub version: String,
    /// Where it answers readers, once it does.
    pub socket: Option<PathBuf>,
}

impl Holder {
    /// Says who it is, with nothing that looks like an e-mail address.
    pub fn who(&self) -> String {
        let Self { pid, user_host, operation, .. } = self;
        format!("'{operation}' (process {pid} of {})", user_host.replacen('@', " on ", 1))
    }
}

#[cfg(test)]
impl Holder {
    /// Makes a holder that runs a verb and answers nobody.
    pub(crate) fn bare(operation: &str) -> Self {
        Self {
            pid: 1,
            user_host: "ada@example.com".to_owned(),
            operation: operation.to_owned(),
            since: Timestamp(0),
            version: String::new(),
            socket: None,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`, process {} of {}", self.operation, self.pid, self.user_host)
    }
}
