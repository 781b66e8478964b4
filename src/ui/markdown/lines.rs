//! Lines on their way into a fence: tamed, measured, and no more of them than there is room for.

use std::fmt;

use super::safe::{backticks, tame};

/// What a text takes up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes, the newline of each line included.
    pub(super) bytes: usize,
    pub(super) lines: usize,
    /// The longest run of backticks.
    pub(super) backticks: usize,
}

impl Size {
    fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            lines: self.lines + other.lines,
            backticks: self.backticks.max(other.backticks),
        }
    }
}

/// Writes whole lines until there is no more room; an empty one at the very beginning is left out.
#[derive(Default)]
pub(super) struct Lines<'a, 'f> {
    /// `None` only measures.
    to: Option<&'a mut fmt::Formatter<'f>>,
    /// Written before the first line, if there is one; takes none of the room.
    head: String,
    /// The beginning of a line whose end has not come yet.
    line: String,
    room: usize,
    pub(super) written: Size,
    /// Whether a line did not fit; none is written after it.
    pub(super) full: bool,
}

impl<'a, 'f> Lines<'a, 'f> {
    /// Makes a writer that writes nothing, and measures all of what it would have written.
    pub(super) fn measuring() -> Self {
        Self { room: usize::MAX, ..Self::default() }
    }

    /// Makes a writer of at most `room` bytes after `head`, which is left out when no line fits.
    pub(super) fn after(to: &'a mut fmt::Formatter<'f>, head: String, room: usize) -> Self {
        Self { to: Some(to), head, room, ..Self::default() }
    }

    /// Writes `text` as lines of its own; its last one needs no newline.
    pub(super) fn text(&mut self, text: impl fmt::Display) -> fmt::Result {
        fmt::write(self, format_args!("{text}"))?;
        if self.line.is_empty() { Ok(()) } else { self.end_line() }
    }

    /// Writes one more line although there is no more room, for which the caller kept `bytes`.
    pub(super) fn last(&mut self, text: fmt::Arguments<'_>, bytes: usize) -> fmt::Result {
        self.full = false;
        self.room += bytes;
        self.text(text)
    }

    fn end_line(&mut self) -> fmt::Result {
        let line = tame(self.line.trim_end_matches('\r'));
        let bytes = line.len() + 1;
        self.full |= self.written.bytes + bytes > self.room;
        let is_written = !self.full && (self.written.lines > 0 || !line.is_empty());
        if is_written {
            let size = Size { bytes, lines: 1, backticks: backticks(&line) };
            self.written = self.written.and(size);
            if let Some(f) = &mut self.to {
                f.write_str(&std::mem::take(&mut self.head))?;
                f.write_str(&line)?;
                f.write_str("\n")?;
            }
        }
        self.line.clear();
        Ok(())
    }
}

impl fmt::Write for Lines<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive('\n') {
            match piece.strip_suffix('\n') {
                Some(end) => {
                    self.line.push_str(end);
                    self.end_line()?;
                }
                None => self.line.push_str(piece),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Cut(&'static str, usize);

    impl fmt::Display for Cut {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            Lines::after(f, "head\n".to_owned(), self.1).text(self.0)
        }
    }

    #[test]
    fn lines_are_written_whole_or_not_at_all() {
        let cut = |room| Cut("ab\ncdef\ng", room).to_string();
        assert_eq!(
            [cut(2), cut(3), cut(7), cut(8), cut(10)],
            ["", "head\nab\n", "head\nab\n", "head\nab\ncdef\n", "head\nab\ncdef\ng\n"]
        );
    }

    #[test]
    fn nothing_is_written_behind_a_gap() {
        assert_eq!(Cut("abcdef\ng", 3).to_string(), "");
    }

    #[test]
    fn a_size_is_what_would_be_written() {
        let size = |text: &str| {
            let mut lines = Lines::measuring();
            lines.text(text).unwrap();
            lines.written
        };
        assert_eq!(size("\na```b\n\n``"), Size { bytes: 10, lines: 3, backticks: 3 });
        assert_eq!(size(""), Size::default());
        assert!(size(&"`".repeat(500)).backticks <= 15);
    }
}
