//! An account, or a part of it, as contact files.

mod arrange;

pub use arrange::{Omission, Split};
