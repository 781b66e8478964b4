//! Text that a server wrote, made short and harmless for messages; never used to decide anything.

use std::fmt::Write;

/// Most characters of a server's text in a message.
const MAX_CHARS: usize = 512;

/// Cuts `text` to 512 characters and escapes what could move a terminal's cursor or turn its text around.
pub(super) fn excerpt(text: &str) -> String {
    let text = text.trim();
    let mut shown = String::with_capacity(text.len().min(MAX_CHARS));
    for (count, character) in text.chars().enumerate() {
        if count == MAX_CHARS {
            shown.push('…');
            break;
        }
        if character.is_control() || is_bidirectional_mark(character) {
            write!(shown, "{}", character.escape_default()).expect("writing to a string cannot fail");
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Reports whether `text` is a page for browsers, whose markup tells a reader nothing.
pub(super) fn is_html(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

fn is_bidirectional_mark(character: char) -> bool {
    matches!(character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_direction_marks_are_escaped() {
        assert_eq!(excerpt("a\u{1b}[31m\r\nb\u{202e}c"), "a\\u{1b}[31m\\r\\nb\\u{202e}c");
        assert_eq!(excerpt("  Zoë 漢字 "), "Zoë 漢字");
    }

    #[test]
    fn a_long_text_is_cut_by_characters() {
        assert_eq!(excerpt(&"ë".repeat(512)), "ë".repeat(512));
        assert_eq!(excerpt(&"ë".repeat(513)), format!("{}…", "ë".repeat(512)));
    }
}
