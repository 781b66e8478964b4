//! States in PostgreSQL, for more machines than one.
//!
//! Rows as sled has them, in tables; one writer at a time, by a lease that ends by itself and a fence that keeps late
//! wakers out. Plain SQL with typed parameters alone. Never decides anything.

mod address;
mod connect;
mod core;
mod error;
mod lease;
mod pools;
mod rows;
mod schema;
mod tables;
#[cfg(test)]
pub(in crate::store) mod tests;

pub(crate) use address::is_meant;
pub use address::{InvalidAddress, database};
pub(super) use core::Held;
pub(super) use rows::{GlanceRows, PostgresEngine, SharedRows, counters, facts};
pub use rows::{SharedPools, SharedQuota};
