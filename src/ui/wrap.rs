//! Breaks prose into lines of a given width.

use std::fmt::{self, Display, Write};

use anstream::adapter::strip_str;
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

/// A text whose lines a terminal would break, broken between words: those of prose, and comments of a plan.
///
/// Other lines that begin with a space, such as values and commands to copy, are left to the terminal.
pub(super) struct Folded<T> {
    pub(super) text: T,
    /// Columns of the terminal; `None` where nothing breaks lines.
    pub(super) width: Option<usize>,
}

impl<T: Display> Display for Folded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(width) = self.width else { return self.text.fmt(f) };
        let mut folding = Folding { out: f, width, line: String::new() };
        write!(folding, "{}", self.text)?;
        folding.flush()
    }
}

/// Folds line by line, so that a text of any length is never held as a whole.
struct Folding<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    width: usize,
    line: String,
}

impl Write for Folding<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut lines = text.split('\n');
        self.line.push_str(lines.next().unwrap_or_default());
        for line in lines {
            self.flush()?;
            self.out.write_char('\n')?;
            self.line.push_str(line);
        }
        Ok(())
    }
}

impl Folding<'_, '_> {
    fn flush(&mut self) -> fmt::Result {
        let line = std::mem::take(&mut self.line);
        let plain = strip_str(&line).to_string();
        let indent = plain.len() - plain.trim_start_matches(' ').len();
        let lead = match &plain[indent..] {
            _ if plain.width() <= self.width => return self.out.write_str(&line),
            comment if comment.starts_with("# - ") => format!("{:indent$}#   ", ""),
            comment if comment.starts_with("# ") => format!("{:indent$}# ", ""),
            _ if indent == 0 => String::new(),
            _ => return self.out.write_str(&line),
        };
        let mut column = 0;
        for (number, word) in line.split(' ').enumerate() {
            let wide = strip_str(word).to_string().width();
            let is_first = number == 0 || column <= lead.len();
            if !is_first && column + 1 + wide > self.width {
                write!(self.out, "\n{lead}{}", guard(word))?;
                column = lead.len() + wide;
                continue;
            }
            let space = usize::from(number > 0);
            write!(self.out, "{:space$}{word}", "")?;
            column += space + wide;
        }
        Ok(())
    }
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
    fn what_a_terminal_would_break_is_broken_between_words() {
        let text = "\u{1b}[1mone two three four\u{1b}[0m\nfine\n\n  # (five six seven eight)\n  # - to do: nine at\n  \
                    kept = as it is, however long\nincomprehensibilities ok";
        let folded = Folded { text, width: Some(13) }.to_string();
        let expected = "\u{1b}[1mone two three\nfour\u{1b}[0m\nfine\n\n  # (five six\n  # seven\n  # eight)\n  # - to do:\n  \
                        #   nine at\n  kept = as it is, however long\nincomprehensibilities\nok";
        assert_eq!(folded, expected);
        assert_eq!(Folded { text, width: None }.to_string(), text);
        assert_eq!(Folded { text: "a ::error::x", width: Some(4) }.to_string(), "a\n\\u{3a}:error::x");
    }

    #[test]
    fn a_break_never_makes_a_command_of_a_ci_runner() {
        assert_eq!(wrap("answered: ::error::x\u{1b}", 10), ["answered:", r"\u{3a}:error::x\u{1b}"]);
    }
}
