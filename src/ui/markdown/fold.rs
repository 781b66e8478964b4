//! A part of the page that is folded away, with a fence in it that nothing inside can end.

use std::fmt;

use super::lines::{Lines, Size};

/// Fewest backticks of a fence.
const SHORTEST_FENCE: usize = 3;

/// Title, language and fence of a folded part.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    /// Words of ours: nothing in it is escaped.
    pub(super) summary: String,
    pub(super) open: bool,
    pub(super) language: &'static str,
    /// Longest run of backticks in what it holds.
    pub(super) backticks: usize,
}

impl Fold {
    /// Returns the bytes that it takes when it holds `bytes`, the empty line before it included.
    pub(super) fn bytes(&self, content: usize) -> usize {
        self.head().len() + content + self.tail().len() + 2
    }

    /// Writes it with as many lines of `content` as `room` holds, and returns what was written of them.
    ///
    /// Writes nothing at all where there is no room for a single line.
    pub(super) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        room: usize,
        content: impl FnOnce(&mut Lines<'_, '_>) -> fmt::Result,
    ) -> Result<Size, fmt::Error> {
        let Some(room) = room.checked_sub(self.bytes(0)) else { return Ok(Size::default()) };
        let mut lines = Lines::after(f, format!("\n\n{}", self.head()), room);
        content(&mut lines)?;
        let written = lines.written;
        if written.lines > 0 {
            f.write_str(&self.tail())?;
        }
        Ok(written)
    }

    fn head(&self) -> String {
        let open = if self.open { " open" } else { "" };
        format!("<details{open}><summary>{}</summary>\n\n{}{}\n", self.summary, self.fence(), self.language)
    }

    fn tail(&self) -> String {
        format!("{}\n\n</details>", self.fence())
    }

    fn fence(&self) -> String {
        "`".repeat(SHORTEST_FENCE.max(self.backticks + 1))
    }
}
