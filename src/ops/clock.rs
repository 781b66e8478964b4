//! The one clock.

use std::time::SystemTime;

use tokio::time::Instant;

use crate::model::Timestamp;

/// Tells the time: the wall clock as it stood at the start, moved on by a clock that never jumps.
///
/// So a wall clock that is set meanwhile moves no wait and no quota window, and a test that pauses
/// tokio's time controls this clock as well.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    anchor: Timestamp,
    since: Instant,
}

impl Clock {
    /// Starts from the machine's wall clock.
    #[expect(clippy::disallowed_methods, reason = "this is the home of the clock")]
    pub fn system() -> Self {
        Self::starting_at(Timestamp::from_system(SystemTime::now()))
    }

    /// Starts from a given time.
    pub fn starting_at(anchor: Timestamp) -> Self {
        Self { anchor, since: Instant::now() }
    }

    pub fn now(&self) -> Timestamp {
        self.anchor + self.since.elapsed()
    }
}
