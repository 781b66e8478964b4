//! What an answer means for an entry: values in, values out.
//!
//! Never sends, never looks, never writes.

pub(crate) mod confirm;
