//! The rules, over rows in memory.

pub(crate) mod model;
pub(crate) mod support;
