//! What `convert` tells programs: the tables, each row that is not simply taken, the files, and the counts.
//!
//! Values of rows are never told, but for keys.

use schemars::JsonSchema;
use serde::Serialize;

/// A table as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConvertTable {
    /// As it was typed.
    pub file: String,
    /// What people call its layout; absent where columns were mapped by hand alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<&'static str>,
    pub encoding: String,
    pub delimiter: char,
    /// The line of the header.
    pub header_line: usize,
    pub columns: usize,
    /// Columns that nobody knows, which are left out.
    pub unknown_columns: Vec<String>,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowFate {
    /// It became an entry, and there is something to say.
    Converted,
    /// Its entry was edited, and stays.
    Kept,
    Skipped,
    Refused,
}

impl RowFate {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Kept => "kept",
            Self::Skipped => "skipped",
            Self::Refused => "refused",
        }
    }
}

/// A row of which there is something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConvertRow {
    pub file: String,
    pub line: usize,
    pub outcome: RowFate,
    /// Why, in words, each thing for itself.
    pub reasons: Vec<String>,
}

/// A file of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConvertFile {
    pub path: String,
    /// How many contacts the tables have for it.
    pub contacts: usize,
    pub outcome: FileFate,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFate {
    Written,
    Unchanged,
    Replaced,
    /// It was edited; entries were added, and the others stay.
    Added,
    /// It stays as it is.
    Kept,
    /// It would be written; nothing was.
    Planned,
}

/// The counts: `rows` is the sum of the four below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConvertSummary {
    pub rows: usize,
    pub converted: usize,
    pub kept: usize,
    pub skipped: usize,
    pub refused: usize,
}
