//! Where the lines of a text begin that is read piece by piece; as editors count them.

use std::collections::VecDeque;

/// The line ends that were read and not passed yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Where each begins and ends, in bytes of the text.
    ends: VecDeque<(u64, u64)>,
    /// How many were passed.
    passed: usize,
    /// How much was read.
    length: u64,
    ends_with_return: bool,
}

impl Lines {
    /// Takes the next piece of the text.
    pub(super) fn take(&mut self, text: &[u8]) {
        for (at, byte) in (self.length..).zip(text) {
            match byte {
                b'\n' if self.ends_with_return => {
                    if let Some(last) = self.ends.back_mut() {
                        last.1 = at + 1;
                    }
                }
                b'\n' | b'\r' => self.ends.push_back((at, at + 1)),
                _ => {}
            }
            self.ends_with_return = *byte == b'\r';
        }
        self.length += text.len() as u64;
    }

    /// Returns the line of what comes first at `offset` or after it, line ends aside. Offsets only grow.
    pub(super) fn at(&mut self, offset: u64) -> usize {
        let mut reached = offset;
        while let Some(&(begin, end)) = self.ends.front()
            && (begin < offset || begin == reached)
        {
            reached = end.max(reached);
            self.passed += 1;
            self.ends.pop_front();
        }
        self.passed + 1
    }

    /// Returns the last line that was begun.
    pub(super) fn last(&self) -> usize {
        self.passed + self.ends.len() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_one_that_an_editor_shows() {
        let text = "a\r\n\r\n\nb\rc\n\r\nd";
        for piece in 1..text.len() {
            let mut lines = Lines::default();
            text.as_bytes().chunks(piece).for_each(|piece| lines.take(piece));
            let at = |word: &str| text.find(word).unwrap() as u64;
            // Where a reader of rows stands before it passes over empty lines, or in the middle of a line end.
            assert_eq!(lines.at(0), 1);
            assert_eq!(lines.at(at("a") + 2), 4, "{piece}");
            assert_eq!(lines.at(at("c")), 5);
            assert_eq!(lines.at(at("c") + 1), 7);
            assert_eq!(lines.at(at("d")), 7);
            assert_eq!(lines.last(), 7);
        }
    }
}
