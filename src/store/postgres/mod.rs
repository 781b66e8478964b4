//! States in PostgreSQL, for more machines than one.
//!
//! Rows as sled has them, in tables; one writer at a time, by a lease that ends by itself and a fence that keeps late
//! wakers out. Plain SQL with typed parameters alone. Never decides anything.

mod address;
mod connect;
mod engine;
mod error;
mod lease;
mod schema;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use address::{Address, InvalidAddress};
pub(crate) use engine::{Engine, Reading, Writes};
pub(crate) use error::Error;
pub(crate) use lease::Holder;
