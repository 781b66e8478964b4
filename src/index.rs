//! What is known of contact files without reading them again, and what may be skipped for it.
//!
//! Pure: bytes and values in, answers out. Reading and writing the file that this is kept in is
//! `store`'s work, looking at the contact files is `source`'s.

mod identity;
mod marks;
mod note;
mod reading;
#[cfg(test)]
mod tests;
mod tree;
mod writing;

pub use identity::Identity;
pub use marks::{Mark, marks, marks_by, shared};
pub use note::{HeadNote, StateNote};
pub use reading::{Contents, Index, ReadAt};
pub use tree::{Damaged, DirectoryRecord, FileRecord, Flags, Tree};
pub use writing::{Noted, WriteError, Writer};
