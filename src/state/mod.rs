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
mod purge;
mod replacement;
mod row;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;

pub use change::{CHANGES_PER_COMMIT, Change};
pub use counters::Drawn;
pub use error::Error;
pub use holder::{Holder, LEASE_TERM};
pub use location::{DatabaseUrl, Location};
pub use lookup::{PlanProgress, PlanRow};
pub use replacement::{Setback, Standing};
pub use snapshot::{Part, Snapshot, Wanted};

pub(crate) use codec::{decode, encode, with_format};
pub(crate) use copy::{
    CopiedRow, CopyEnd, CopyReader, CopyWriter, Header, is_what_it_says, key_of_text, row_of_line, text_of_key,
};
pub(crate) use counters::{Counters, Facts, Totals};
pub(crate) use draft::{Drafts, MAX_BATCH_ROWS};
pub(crate) use engine::{Engine, Rows};
pub(crate) use lookup::{
    account, has_doubts, is_quiet, names, owner_of, plan_progress, quota, some_bindings, some_contacts,
};
pub(crate) use purge::Purge;
pub(crate) use replacement::Counted;
pub(crate) use row::{FORMAT, Row, STATE_FORMAT, Table, Writes};
pub(crate) use snapshot::Gathering;
