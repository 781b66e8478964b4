//! Makes foreign text safe to show: values, keys, paths and whatever a server said.
//!
//! The one home of escaping. What comes out holds no control character, no bidirectional mark and
//! nothing that a CI runner takes for a command; a reader sees what was there as `\u{202e}`.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Escapes what a terminal or log would act on; text that is safe already comes back as it is.
///
/// Escaping twice gives the same as escaping once, so that a text may pass through two hands.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) && old_command(text).is_none() && !begins_command(text) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    text.chars().for_each(|character| push(&mut escaped, character));
    let escaped = break_old_commands(escaped);
    Cow::Owned(guard(&escaped).into_owned())
}

/// Renders a value as a string of the plan: in quotes, with `\"`, `\\` and `\n` for what they stand for.
pub fn quoted(text: &str) -> String {
    let inner = text.replace('\\', "\\\\").replace('"', "\\\"");
    // Between quotes no `::` begins a line, so only the characters themselves are escaped.
    let mut quoted = String::with_capacity(inner.len() + 2);
    quoted.push('"');
    inner.chars().for_each(|character| push(&mut quoted, character));
    quoted.push('"');
    break_old_commands(quoted)
}

/// Writes what [`quoted`] renders, without a copy where nothing has to be escaped.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = *self;
        if text.contains(|c| c == '"' || c == '\\' || is_unsafe(c)) || old_command(text).is_some() {
            return f.write_str(&quoted(text));
        }
        f.write_str("\"")?;
        f.write_str(text)?;
        f.write_str("\"")
    }
}

/// Escapes in JSON, or in a piece of a string of it, what a terminal or log would act on; it stays the same JSON.
///
/// Beyond ASCII nothing but strings holds characters, and what JSON itself escapes is escaped already.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let is_command = old_command(json).is_some();
    if !is_command && !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_unsafe(character) || (is_command && character == '#') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").expect("writing to a string does not fail");
            }
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Breaks the `::` that a line begins with, so that no CI runner takes the line for a command.
///
/// For lines made by wrapping text that is escaped already.
pub(super) fn guard(line: &str) -> Cow<'_, str> {
    if !begins_command(line) {
        return Cow::Borrowed(line);
    }
    let indent = line.len() - line.trim_start().len();
    Cow::Owned(format!("{}\\u{{3a}}{}", &line[..indent], &line[indent + 1..]))
}

/// Finds where a command of some CI runner begins, anywhere in a line: `##[error]`, `##vso[...]`, `##teamcity[...]`.
pub(super) fn old_command(text: &str) -> Option<usize> {
    text.match_indices('#').map(|(at, _)| at).find(|&at| {
        let after =
            text[at..].strip_prefix("##").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
        after.is_some_and(|rest| rest.starts_with('['))
    })
}

fn break_old_commands(mut text: String) -> String {
    while let Some(at) = old_command(&text) {
        text.replace_range(at + 1..at + 2, "\\u{23}");
    }
    text
}

fn begins_command(text: &str) -> bool {
    text.trim_start().starts_with("::")
}

fn push(escaped: &mut String, character: char) {
    match character {
        '\n' => escaped.push_str("\\n"),
        '\r' => escaped.push_str("\\r"),
        '\t' => escaped.push_str("\\t"),
        hidden if is_unsafe(hidden) => {
            write!(escaped, "\\u{{{:x}}}", u32::from(hidden)).expect("writing to a string does not fail");
        }
        plain => escaped.push(plain),
    }
}

/// Reports whether `character` acts on its surroundings, or is invisible and could hide a change.
///
/// The two joiners U+200C and U+200D stay: names and emoji are written with them.
pub(super) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_safe_stays_letter_for_letter() {
        for text in ["", "Zoë Müller-Nguyễn", "名前", "C:\\dir", "a :: b", "👩\u{200d}💻", "say \"hi\""] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn what_acts_on_a_terminal_becomes_visible() {
        assert_eq!(escape("a\u{1b}[31mb\u{202e}c\u{9b}d\r\ne\tf"), r"a\u{1b}[31mb\u{202e}c\u{9b}d\r\ne\tf");
        assert_eq!(quoted("say \"hi\"\\\n\u{7}"), r#""say \"hi\"\\\n\u{7}""#);
    }

    #[test]
    fn no_text_becomes_a_command_of_a_ci_runner() {
        assert_eq!(escape("  ::error::x"), r"  \u{3a}:error::x");
        assert_eq!(escape("x ###[group]"), r"x ##\u{23}[group]");
        assert_eq!(quoted("##[group]"), r##""#\u{23}[group]""##);
        assert_eq!(escape("a ##vso[task.setvariable]x"), r"a #\u{23}vso[task.setvariable]x");
        assert_eq!(escape("## heading [1]"), "## heading [1]");
    }

    proptest! {
        #[test]
        fn escaped_json_is_harmless_and_means_the_same(text in r#"[\PC\pC:#\["\\]{0,40}"#) {
            let json = serde_json::to_string(&text).expect("text is JSON");
            let escaped = escape_json(&json);
            prop_assert!(!escaped.contains(is_unsafe) && !escaped.contains("##["));
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).expect("it is JSON still"), text);
        }

        #[test]
        fn escaped_text_is_harmless_and_stays_the_same(text in r"[\PC\pC:#\[ ]{0,40}") {
            let escaped = escape(&text).into_owned();
            prop_assert!(!escaped.contains(is_unsafe));
            prop_assert!(!escaped.contains("##["));
            prop_assert!(!begins_command(&escaped));
            prop_assert_eq!(escape(&escaped), escaped.as_str());
        }

        #[test]
        fn quoted_text_is_harmless_and_ends_where_it_ends(text in r#"[\PC\pC:#\["\\]{0,40}"#) {
            let quoted = quoted(&text);
            prop_assert!(!quoted.contains(is_unsafe));
            prop_assert!(!quoted.contains("##["));
            let inner = &quoted[1..quoted.len() - 1];
            let unescaped_quote = inner.replace("\\\\", "").replace("\\\"", "").contains('"');
            prop_assert!(!unescaped_quote, "{}", quoted);
            prop_assert_eq!(Quoted(&text).to_string(), quoted);
        }
    }
}
