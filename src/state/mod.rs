//! The rules of a state, whoever keeps it: what a commit may change, what a snapshot shows, what may take its place.
//!
//! Pure: rows come in and go out through the port [`Engine`], and no file, socket or clock is touched. `store` has
//! the engines. `docs/state-format.md` draws the rows.

mod change;
mod codec;
mod copy;
mod counters;
mod draft;
mod engine;
mod error;
mod holder;
mod location;
mod lookup;
mod replacement;
mod row;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;

pub use change::{CHANGES_PER_COMMIT, Change};
pub use counters::Drawn;
pub use error::Error;
pub use holder::Holder;
pub use location::Location;
pub use lookup::{PlanProgress, PlanRow};
pub use replacement::{Setback, Standing};
pub use snapshot::{Part, Snapshot, Wanted};

pub(crate) use codec::{decode, encode};
pub(crate) use copy::{CopiedRow, CopyReader, CopyWriter, Header};
pub(crate) use counters::{Counters, Facts, Totals};
pub(crate) use draft::{Drafts, MAX_BATCH_ROWS};
pub(crate) use engine::{Engine, Rows};
pub(crate) use lookup::{account, is_quiet, owner_of, plan_progress, quota, some_bindings};
pub(crate) use replacement::Counted;
pub(crate) use row::{FORMAT, Row, Table, Writes};
pub(crate) use snapshot::Gathering;
