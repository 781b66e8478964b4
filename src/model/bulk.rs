//! What a state knows of creating many contacts in one request.

use serde::{Deserialize, Serialize};

/// How far such requests are known to work with the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkCreate {
    /// Apollo has said that it may send them.
    Granted,
    /// One has been answered with what became of its contacts.
    Proven,
}
