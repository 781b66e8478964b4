//! One line of a file with a caret line under the part that is wrong.

use unicode_width::UnicodeWidthStr;

use super::escape::{commands, escape};
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
    let commands = commands(&location.text);
    let cells: Vec<Cell> = location.text.char_indices().map(|(at, c)| Cell::new(c, commands.contains(&at))).collect();
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
    /// `is_spelled_out` says that the character is not to be shown as itself.
    fn new(character: char, is_spelled_out: bool) -> Self {
        let shown = match character {
            '\t' => TAB.to_owned(),
            hidden if is_spelled_out => format!("\\u{{{:x}}}", u32::from(hidden)),
            plain => escape(plain.encode_utf8(&mut [0; 4])).into_owned(),
        };
        Self { columns: shown.width(), shown }
    }

    fn text(cells: &[Self]) -> String {
        cells.iter().map(|cell| cell.shown.as_str()).collect()
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
        let drawn = |last: usize| {
            let trail = if last < cells.len() { CUT } else { "" };
            format!("{lead}{}{trail}", Cell::text(&cells[first..last])).trim_end().to_owned()
        };
        // Some characters are wider together than alone.
        while last > first && drawn(last).width() > width {
            last -= 1;
        }
        let (start, end) = (start.min(last), end.min(last));
        let caret_at = (lead.len() + Cell::text(&cells[first..start]).width()).min(width);
        let carets = Cell::text(&cells[start..end]).width().min(width - caret_at).max(1);
        Self { text: drawn(last), caret_at, carets }
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

    #[test]
    fn carets_stand_where_they_should_after_what_is_spelled_out() {
        insta::assert_snapshot!(drawn("  ::error: ##[x] y", 18, 1, 80), @r"
        12:   \u{3a}:error: #\u{23}[x] y
                                       ^
        ");
    }

    #[track_caller]
    fn fits(text: &str, column: usize, width: usize) {
        let drawn = drawn(text, column, width, 60);
        let lines: Vec<&str> = drawn.lines().collect();
        // A caret may stand behind the end of its line.
        let widths = [lines[0].width(), lines[1].width()];
        assert!(widths[0] <= 60 && widths[1] <= 60 + 1, "{widths:?}\n{drawn}");
    }

    /// Each was drawn wider than its characters are one by one.
    #[test]
    fn what_is_wider_together_than_alone_is_drawn_within_the_width() {
        let emoji = "\u{2600}\u{fe0f}".repeat(40);
        let keycaps = "1\u{fe0f}\u{20e3}".repeat(40);
        let marks = "a\u{897}\u{301}".repeat(40);
        let narrow = "\u{231a}\u{fe0e}".repeat(40);
        let runner = format!("::{}", "x".repeat(80));
        let runners = "##[".repeat(30);
        for text in [emoji, keycaps, marks, narrow, runner, runners] {
            for column in [1, 2, 20, 55, 80, 200] {
                fits(&text, column, 3);
                fits(&text, column, 60);
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_drawn_beyond_the_width(
            text in "(\\PC|[:#\\[ \t\u{2600}\u{fe0f}\u{20e3}\u{200d}\u{897}\u{301}\u{644}\u{627}]){1,120}",
            column in 1_usize..140,
            width in 0_usize..60,
        ) {
            fits(&text, column, width);
        }
    }
}
