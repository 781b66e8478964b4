//! Makes foreign text safe to show: values, keys, paths and whatever a server said.
//!
//! The one home of escaping. What comes out holds no control character, no bidirectional mark and
//! nothing that a CI runner takes for a command; a reader sees what was there as `\u{202e}`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::{self, Write};

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

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
pub(super) fn quoted(text: &str) -> String {
    quoted_in(text, Spelling::Usual)
}

/// Renders a value as [`quoted`] does, spelled so.
pub(super) fn quoted_in(text: &str, spelling: Spelling) -> String {
    // Between quotes no `::` begins a line, so only the characters themselves are escaped.
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            other => push_value(&mut quoted, other, spelling),
        }
    }
    quoted.push('"');
    break_old_commands(quoted)
}

/// Renders one line of a value that stands without quotes; no other line is rendered the same.
pub(super) fn line(text: &str, spelling: Spelling) -> Cow<'_, str> {
    let is_plain = !text.contains(|c| is_escaped_in_value(c, spelling));
    if is_plain && old_command(text).is_none() && !begins_command(text) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    text.chars().for_each(|character| push_value(&mut escaped, character, spelling));
    let escaped = break_old_commands(escaped);
    Cow::Owned(guard(&escaped).into_owned())
}

/// How a value is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Usual,
    /// Also what tells texts apart that look the same: combining marks, joiners, other forms of a letter.
    Exact,
}

impl Spelling {
    /// Says how to spell two texts so that no difference between them goes unseen.
    pub(super) fn to_compare(before: &str, after: &str) -> Self {
        let words = |text: &'_ str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
        let (one, other) = (words(before), words(after));
        let looks: BTreeSet<String> = one.difference(&other).map(|word| look(word)).collect();
        let is_alike = look(before) == look(after) || other.difference(&one).any(|word| looks.contains(&look(word)));
        if is_alike { Self::Exact } else { Self::Usual }
    }
}

/// Returns a text that all texts share which look like this one.
fn look(text: &str) -> String {
    text.chars().filter(|&character| !is_ignorable(character)).nfc().collect()
}

/// Writes what [`quoted`] renders, without a copy where nothing has to be escaped.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = *self;
        if text.contains(|c| c == '"' || is_escaped_in_value(c, Spelling::Usual)) || old_command(text).is_some() {
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

/// Lists the characters, by their place in `text`, that are spelled out so that no CI runner takes a line for a command.
pub(super) fn commands(text: &str) -> Vec<usize> {
    let indent = text.len() - text.trim_start().len();
    let mut found: Vec<usize> = begins_command(text).then_some(indent).into_iter().collect();
    let mut rest = text.to_owned();
    while let Some(at) = old_command(&rest) {
        found.push(at + 1);
        rest.replace_range(at + 1..at + 2, "_");
    }
    found
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
        hidden if is_unsafe(hidden) => push_code(escaped, hidden),
        plain => escaped.push(plain),
    }
}

fn push_code(escaped: &mut String, character: char) {
    write!(escaped, "\\u{{{:x}}}", u32::from(character)).expect("writing to a string does not fail");
}

/// Pushes a character of a value, whose own backslashes are told from those of escapes.
fn push_value(escaped: &mut String, character: char, spelling: Spelling) {
    match character {
        '\\' => escaped.push_str("\\\\"),
        plain if is_unsafe(plain) || !is_escaped_in_value(plain, spelling) => push(escaped, plain),
        hidden => push_code(escaped, hidden),
    }
}

fn is_escaped_in_value(character: char, spelling: Spelling) -> bool {
    // Spaces beyond ASCII look like others, U+3000 like two of them.
    let is_hidden =
        || character.is_whitespace() && character != ' ' || spelling == Spelling::Exact && is_form(character);
    character == '\\' || is_unsafe(character) || (!character.is_ascii() && is_hidden())
}

/// Reports whether a character may be another form of others, or be seen on none.
///
/// Two texts without such characters that look the same are the same: both are normalized.
fn is_form(character: char) -> bool {
    is_ignorable(character)
        || is_combining_mark(character)
        || is_nfc_quick(std::iter::once(character)) != IsNormalized::Yes
}

/// Reports whether a character is invisible though it is safe to show.
fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
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
    fn a_line_of_a_value_tells_an_escape_from_the_same_letters() {
        let shown = |text: &'static str| line(text, Spelling::Usual);
        assert_eq!(shown("a\u{202e}b"), r"a\u{202e}b");
        assert_eq!(shown(r"a\u{202e}b"), r"a\\u{202e}b");
        assert_eq!((shown("a\r"), shown(r"a\r")), (r"a\r".into(), r"a\\r".into()));
        assert!(matches!(shown("Zoë: 名前 #1"), Cow::Borrowed(_)));
    }

    #[test]
    fn spaces_that_are_none_of_ascii_are_spelled_out() {
        assert_eq!(quoted("p\u{a0}q r"), r#""p\u{a0}q r""#);
        assert_eq!(Quoted("p\u{202f}q").to_string(), r#""p\u{202f}q""#);
        assert_eq!(line("p\u{3000}q", Spelling::Usual), r"p\u{3000}q");
    }

    #[test]
    fn texts_that_look_the_same_are_shown_so_that_they_do_not() {
        let pairs = [
            ("Zo\u{e9}", "Zoe\u{301}"),
            ("10 \u{212b}", "10 \u{c5}"),
            ("\u{ac00}", "\u{1100}\u{1161}"),
            ("a\u{316}\u{301}", "a\u{301}\u{316}"),
            ("a\u{200d}b", "ab"),
            ("\u{2764}\u{fe0f}", "\u{2764}"),
            ("Zo\u{e9} Miller", "Zoe\u{301} M\u{fc}ller"),
        ];
        for (before, after) in pairs {
            let spelling = Spelling::to_compare(before, after);
            assert_eq!(spelling, Spelling::Exact, "{before:?} {after:?}");
            assert_ne!(look(&quoted_in(before, spelling)), look(&quoted_in(after, spelling)), "{before:?} {after:?}");
        }
        assert_eq!(quoted_in("Zoe\u{301}", Spelling::Exact), r#""Zoe\u{301}""#);
        assert_eq!(Spelling::to_compare("Zoe\u{301} M", "Zoe\u{301} N"), Spelling::Usual);
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
        fn no_two_lines_of_values_are_shown_alike(
            one in r"[\\u{}0-9ae:#\[ \u{a0}\u{301}\u{e9}\u{202e}\u{200d}]{0,12}",
            other in r"[\\u{}0-9ae:#\[ \u{a0}\u{301}\u{e9}\u{202e}\u{200d}]{0,12}",
        ) {
            let spelling = Spelling::to_compare(&one, &other);
            let (shown_one, shown_other) = (line(&one, spelling), line(&other, spelling));
            prop_assert!(!shown_one.contains(is_unsafe) && !begins_command(&shown_one) && !shown_one.contains("##["));
            prop_assert_eq!(one == other, look(&shown_one) == look(&shown_other), "{} {}", shown_one, shown_other);
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
