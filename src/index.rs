//! What is known of contact files without reading them again, and what may be skipped for it.
//!
//! Pure: bytes and values in, answers out. Reading and writing the file that this is kept in is
//! `store`'s work, looking at the contact files is `source`'s.

mod marks;
mod named;
mod roster;

pub use marks::{Mark, marks, shared};
pub use named::Named;
pub use roster::{Found, Roster, Sheet};
