//! A stream, as far as texts depend on it.

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

impl Default for Stream {
    /// A plain file or pipe.
    fn default() -> Self {
        Self { is_terminal: false, color: false, width: DEFAULT_WIDTH }
    }
}
