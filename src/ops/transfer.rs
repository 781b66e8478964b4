//! Carrying a whole state elsewhere and back.

use std::future::ready;
use std::io::Write;
use std::time::Duration;

use super::lock::{self, Waiting};
use crate::aside::aside;
use crate::state::{self, Location};
use crate::store::{self, Held, Options};

/// Writes a copy of a state as lines of text; returns how many rows it has, `None` when there is no state.
///
/// Waits for another process that writes the state as long as `timeout` says, and writes nothing before that.
pub async fn pull(state: &Location, timeout: Duration, out: &mut dyn Write) -> Result<Option<u64>, state::Error> {
    lock::open(timeout, &Waiting::default(), || ready(store::pull(state, out))).await
}

/// Takes the lock of a state that is to be replaced, or made.
///
/// Waits for another process that writes the state as long as `timeout` says, and tells `waiting`.
pub async fn hold(options: Options, timeout: Duration, waiting: &Waiting) -> Result<Held, state::Error> {
    lock::open(timeout, waiting, || {
        let options = options.clone();
        aside(move || Held::take(options))
    })
    .await
}
