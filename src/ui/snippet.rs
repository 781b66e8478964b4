//! One line of a file with a caret line under the part that is wrong.

use unicode_width::UnicodeWidthChar;

use super::escape::escape;
use crate::source::Location;

/// Columns of `   3: ` before the line itself.
const GUTTER: usize = 6;

/// Columns that a tab takes; where it would jump to is of no use under a gutter.
const TAB: &str = "    ";

/// Stands for what was cut from a long line.
const CUT: &str = "...";

/// Draws the line of `location` and carets under its part, two lines in all; nothing for an empty line.
pub(super) fn snippet(location: &Location, width: usize, tint: impl Fn(&str) -> String) -> String {
    if location.text.is_empty() {
        return String::new();
    }
    let cells: Vec<Cell> = location.text.chars().map(Cell::new).collect();
    let start = location.column.saturating_sub(1).saturating_sub(location.skipped).min(cells.len());
    let end = start.saturating_add(location.width).min(cells.len());
    let Window { text, caret_at, carets } =
        Window::around(&cells, location.skipped > 0, start, end, width.saturating_sub(GUTTER).max(20));
    let carets = tint(&"^".repeat(carets));
    format!("{:>4}: {text}\n{:indent$}{carets}\n", location.line, "", indent = GUTTER + caret_at)
}

/// One character of the file as it is shown.
struct Cell {
    shown: String,
    columns: usize,
}

impl Cell {
    fn new(character: char) -> Self {
        if character == '\t' {
            return Self { shown: TAB.to_owned(), columns: TAB.len() };
        }
        let shown = escape(character.encode_utf8(&mut [0; 4])).into_owned();
        let columns = match shown.chars().count() {
            1 => character.width().unwrap_or(0),
            escaped => escaped,
        };
        Self { shown, columns }
    }
}

/// The part of a line that is shown.
struct Window {
    text: String,
    caret_at: usize,
    carets: usize,
}

impl Window {
    /// Takes what fits in `width` columns, beginning early enough to show what leads to the carets.
    ///
    /// `is_cut` says that the line began before the first of `cells`.
    fn around(cells: &[Cell], is_cut: bool, start: usize, end: usize, width: usize) -> Self {
        let columns = |cells: &[Cell]| cells.iter().map(|cell| cell.columns).sum::<usize>();
        let mut first = 0;
        if columns(cells) > width && columns(&cells[..end]) > width.saturating_sub(CUT.len()) {
            // A third of the width before the carets, the rest for what they mark.
            first = start;
            while first > 0 && columns(&cells[first - 1..start]) + CUT.len() <= width / 3 {
                first -= 1;
            }
        }
        let lead = if first > 0 || is_cut { CUT } else { "" };
        let mut last = first;
        let mut used = lead.len();
        let cut_at_end = used + columns(&cells[first..]) > width;
        let room = if cut_at_end { width - CUT.len() } else { width };
        while last < cells.len() && used + cells[last].columns <= room {
            used += cells[last].columns;
            last += 1;
        }
        let text: String = cells[first..last].iter().map(|cell| cell.shown.as_str()).collect();
        let trail = if last < cells.len() { CUT } else { "" };
        // Characters were escaped one by one; a command of an older CI runner has three of them.
        let text = escape(&format!("{lead}{text}{trail}")).trim_end().to_owned();
        Self {
            caret_at: lead.len() + columns(&cells[first..start.min(last)]),
            carets: columns(&cells[start.min(last)..end.min(last)]).max(1),
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn drawn(text: &str, column: usize, width: usize, columns: usize) -> String {
        let location = Location { path: "a.yaml".into(), line: 12, column, width, text: text.to_owned(), skipped: 0 };
        snippet(&location, columns, str::to_owned)
    }

    #[test]
    fn carets_stand_under_the_part_that_is_wrong() {
        insta::assert_snapshot!(drawn("  email: jane.example.com", 10, 16, 80), @r"
          12:   email: jane.example.com
                       ^^^^^^^^^^^^^^^^
        ");
    }

    #[test]
    fn wide_characters_and_tabs_move_the_carets() {
        insta::assert_snapshot!(drawn("\t名前: x\u{202e}y", 6, 2, 80), @r"
          12:     名前: x\u{202e}y
                        ^^^^^^^^^
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_the_carets() {
        let text = format!("{}email: x{}", "a".repeat(200), "b".repeat(200));
        insta::assert_snapshot!(drawn(&text, 208, 1, 50), @r"
          12: ...aaaaemail: xbbbbbbbbbbbbbbbbbbbbbbbbbb...
                            ^
        ");
        insta::assert_snapshot!(drawn(&text, 1, 3, 50), @r"
          12: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...
              ^^^
        ");
    }

    #[test]
    fn a_line_that_was_cut_before_shows_it() {
        let text = "title: x".to_owned();
        let location = Location { path: "a.yaml".into(), line: 12, column: 508, width: 1, text, skipped: 500 };
        insta::assert_snapshot!(snippet(&location, 50, str::to_owned), @r"
          12: ...title: x
                        ^
        ");
    }

    #[test]
    fn a_place_behind_the_end_of_its_line_gets_one_caret() {
        insta::assert_snapshot!(drawn("contacts", 9, 1, 80), @r"
          12: contacts
                      ^
        ");
    }

    proptest! {
        #[test]
        fn nothing_is_drawn_beyond_the_width(text in "\\PC{1,120}", column in 1_usize..140, width in 0_usize..60) {
            let drawn = drawn(&text, column, width, 60);
            for line in drawn.lines() {
                prop_assert!(line.width() <= 60 + 1, "{line}");
            }
        }
    }
}
