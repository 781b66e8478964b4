//! What may be set again while a service runs.

use std::time::Duration;

use crate::ops::SessionOptions;
use crate::plan::Policy;

/// What may change while a service runs.
#[derive(Clone)]
pub struct Settings {
    pub policy: Policy,
    /// A pass over everything is made after this time even when nothing was noticed.
    pub resync: Duration,
    /// How often it is looked what has changed in Apollo; `None` for never.
    pub refresh: Option<Duration>,
    /// A key is forgotten when two passes at least this far apart did not find it.
    pub forget_after: Duration,
    /// How the state is opened, now and after each pause. Where and what it is never changes.
    pub session: SessionOptions,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("policy", &self.policy).finish_non_exhaustive()
    }
}
