//! What an answer means for an entry: what is recorded, what is told, what is sent next.
//!
//! Values in, values out: never sends, looks or writes.

pub(crate) mod binding;
pub(crate) mod change;
pub(crate) mod confirm;
pub(crate) mod create;
pub(crate) mod lists;
pub(crate) mod person;
pub(crate) mod settled;
pub(crate) mod sight;
#[cfg(test)]
mod tests;
