//! Foreign text in Markdown: always in code, which renders nothing, mentions nobody and runs nothing.
//!
//! [`super::super::escape`] has made the text safe for terminals and runners before. What is left is to keep a text
//! from ending the code it stands in, and from posing as the marker by which a comment is found again.

use std::borrow::Cow;

use super::super::escape::escape;

/// Longest run of backticks that a fence is made longer than; a longer run is broken instead, so that no value can
/// make a fence fill the page.
const LONGEST_RUN: usize = 15;

const COMMENT: &str = "<!--";

/// Breaks what would pose as a marker, and runs of backticks that no fence should have to outgrow.
pub(super) fn tame(line: &str) -> Cow<'_, str> {
    if !line.contains(COMMENT) && backticks(line) <= LONGEST_RUN {
        return Cow::Borrowed(line);
    }
    let mut tamed = String::with_capacity(line.len() + 16);
    let mut run = 0;
    for character in line.replace(COMMENT, "\\u{3c}!--").chars() {
        run = if character == '`' { run + 1 } else { 0 };
        if run > LONGEST_RUN {
            tamed.push_str("\\u{60}");
            run = 0;
        } else {
            tamed.push(character);
        }
    }
    Cow::Owned(tamed)
}

/// Returns the length of the longest run of backticks.
pub(super) fn backticks(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// Renders a text within a line, as code.
pub(super) fn code(text: &str) -> String {
    let escaped = escape(text);
    let tamed = tame(&escaped);
    let ticks = "`".repeat(backticks(&tamed) + 1);
    // A space on either side is taken off again, and keeps backticks of the text apart from the marks.
    let space = if tamed.starts_with(['`', ' ']) || tamed.ends_with(['`', ' ']) { " " } else { "" };
    format!("{ticks}{space}{tamed}{space}{ticks}")
}

/// Renders the hidden line by which the comment of one directory is found again and edited in place.
///
/// The same directory gives the same line. Letters and digits stand for themselves, and `. _ - /` where they cannot end
/// the comment; everything else is written as `%` and the hexadecimal digits of its bytes.
pub(super) fn marker(directory: &str) -> String {
    let mut name = String::new();
    for character in directory.chars() {
        let ends_comment = character == '-' && name.ends_with('-');
        if character.is_alphanumeric() || (matches!(character, '.' | '_' | '-' | '/') && !ends_comment) {
            name.push(character);
        } else {
            let mut bytes = [0; 4];
            name.extend(character.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02x}")));
        }
    }
    format!("<!-- contactsd plan: {name} -->")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn code_is_closed_by_nothing_in_it() {
        assert_eq!(code("contacts.d"), "`contacts.d`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`@octocat`"), "`` `@octocat` ``");
        assert_eq!(code("a\n<!-- contactsd plan: b -->"), "`a\\n\\u{3c}!-- contactsd plan: b -->`");
    }

    #[test]
    fn a_marker_is_one_comment_whatever_the_directory_is_called() {
        assert_eq!(marker("contacts.d"), "<!-- contactsd plan: contacts.d -->");
        assert_eq!(marker("a-b/Zoë"), "<!-- contactsd plan: a-b/Zoë -->");
        assert_eq!(marker("x --> @all\n--!>"), "<!-- contactsd plan: x%20-%2d%3e%20%40all%0a-%2d%21%3e -->");
        assert_ne!(marker("a%20b"), marker("a b"));
    }

    proptest! {
        #[test]
        fn no_line_ends_its_fence_or_is_a_marker(line in "[`<!a -]{0,80}") {
            let tamed = tame(&line);
            prop_assert!(!tamed.contains(COMMENT));
            prop_assert!(backticks(&tamed) <= LONGEST_RUN);
        }

        #[test]
        fn a_marker_holds_no_end_before_its_own(directory in r"[\PC\pC>-]{0,30}") {
            let marker = marker(&directory);
            prop_assert_eq!(marker.find("--!>").or(marker.find("-->")), Some(marker.len() - 3));
            prop_assert!(!marker.contains(['\n', '@']));
        }
    }
}
