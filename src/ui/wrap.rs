//! Breaks prose into lines of a given width.

use unicode_width::UnicodeWidthStr;

use super::escape::{escape, guard};

/// Escapes `text` and breaks it between words; a longer word stands alone on its line.
///
/// Lines that begin with a space are kept whole, for lists and commands to copy.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.trim_end().split('\n') {
        let escaped = escape(paragraph.strip_suffix('\r').unwrap_or(paragraph));
        if escaped.starts_with(' ') || escaped.is_empty() {
            lines.push(escaped.into_owned());
        } else {
            wrap_paragraph(&escaped, width, &mut lines);
        }
    }
    lines
}

fn wrap_paragraph(paragraph: &str, width: usize, lines: &mut Vec<String>) {
    let mut line = String::new();
    for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(guard(&line).into_owned());
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(guard(&line).into_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_breaks_between_words_and_lists_stay_whole() {
        let text = "one two three\n\n  kept as it is, however long\nincomprehensibilities ok\n";
        let expected = ["one two", "three", "", "  kept as it is, however long", "incomprehensibilities", "ok"];
        assert_eq!(wrap(text, 9), expected);
    }

    #[test]
    fn a_break_never_makes_a_command_of_a_ci_runner() {
        assert_eq!(wrap("answered: ::error::x\u{1b}", 10), ["answered:", r"\u{3a}:error::x\u{1b}"]);
    }
}
