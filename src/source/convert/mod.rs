//! Tables of people, as spreadsheets and other programs export them, read row by row as contacts.
//!
//! Never writes contact files and never compares rows with each other. A layout is recognized by the names of its columns,
//! wherever they stand, and never guessed. Values stay letter for letter; what has no place or is no good is told, with
//! its line.

mod columns;
mod encoding;
mod layouts;
mod lines;
mod map;
mod person;
mod rejects;
mod table;
#[cfg(test)]
mod tests;

/// The cells of a row.
pub use csv::StringRecord as Cells;
pub use encoding::Encoding;
pub use layouts::layout_names;
pub use map::Map;
pub use person::{Note, OptedOut, Person, Refusal, Skip, Taken, Unfit};
pub use rejects::Rejects;
pub use table::{About, Row, Table, TableError, TableOptions};
