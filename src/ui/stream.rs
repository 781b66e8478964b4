//! A stream, as far as texts depend on it.

use std::fmt;

use super::wrap::Folded;

/// Columns of a text that no terminal limits.
pub(super) const DEFAULT_WIDTH: usize = 100;

/// What is known of a stream before anything is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    pub is_terminal: bool,
    pub color: bool,
    /// Columns to wrap at.
    pub width: usize,
}

impl Stream {
    /// Breaks the lines of a text between words, where a terminal would break them anywhere.
    pub(super) fn folded<T: fmt::Display>(self, text: T) -> Folded<T> {
        Folded { text, width: self.is_terminal.then_some(self.width) }
    }
}

impl Default for Stream {
    /// A plain file or pipe.
    fn default() -> Self {
        Self { is_terminal: false, color: false, width: DEFAULT_WIDTH }
    }
}
