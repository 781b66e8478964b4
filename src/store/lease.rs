//! The lease on a state in a database, to be given back by whoever ends the process.
//!
//! Never takes one: that is opening the state, or holding it to replace it.

use super::postgres::SharedRows;
use crate::aside::aside;
use crate::state::Error;

/// The lease that keeps others from a state which is open, or held, here.
#[derive(Debug, Clone)]
pub struct Lease(pub(super) SharedRows);

impl Lease {
    /// Gives it back, whatever is under way; a commit that has not ended is awaited. Does nothing the second time.
    pub async fn give_back(self) -> Result<(), Error> {
        aside(move || self.0.close()).await
    }
}
