//! The engine that keeps a state in a directory of this machine, and the one home of sled.
//!
//! It persists and decides nothing: what changes come is up to the caller, and what they may be to `state`.
//! When [`Store::commit`] has returned, the changes survive a crash and a loss of power. A state
//! that is not whole is refused, never read as an emptier one. `docs/state-format.md` draws it.

mod any_rows;
mod barrier;
mod borrowed;
#[cfg(test)]
mod broken;
mod check;
mod copy;
mod engine;
mod exchange;
mod footprint;
mod guard;
mod handle;
mod head;
mod heal;
mod holder;
mod index_file;
mod lease;
mod load;
mod lock;
mod open;
mod opened;
mod own_dir;
mod panics;
mod place;
mod postgres;
mod purge;
mod push;
mod reading;
mod recover;
mod rows;
mod seat;
mod set_aside;
mod since_index;
mod survey;
#[cfg(test)]
mod tests;
mod verdict;
mod writer;

#[cfg(test)]
pub(crate) use broken::{Broken, Moment};
pub use check::{Checked, Fault, check};
pub use footprint::Footprint;
pub use handle::Store;
pub use heal::{Progress, Remark};
pub use index_file::{Basis, file_time, open_index, renew, stands};
pub use lease::Lease;
pub use open::{Options, exists};
pub use own_dir::{OwnDir, check_own_dir};
pub(crate) use postgres::is_meant as is_database;
#[cfg(test)]
pub(crate) use postgres::tests::locations as database_locations;
pub use postgres::{InvalidAddress, SharedPools, SharedQuota, database};
pub use push::{Held, Incoming};
pub use reading::{Read, ReadShared, names, pull, read, read_database, read_noting, read_part};
pub use recover::{Examined, Left, Point, Recovered, Recovery, Source, examine};
pub use seat::{Seat, Seating, paused, seated, seating};
pub use set_aside::{Aside, remove_aside, set_aside};
