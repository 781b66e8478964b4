//! Which words of a changed text differ: set off by color, named in a remark where there is none, and alone shown with
//! what stands around them where the text is too long.
//!
//! Works on texts that are escaped already, so that no escape is torn apart.

use similar::{DiffOp, DiffableStr, TextDiff};

use super::super::amounts::counted;
use super::super::style::Paint;
use super::attribute::LONGEST_TEXT;

/// Longest pair of texts that is compared, in bytes: comparing takes their product in the worst case.
const MAX_COMPARED_BYTES: usize = 32 * 1024;

/// From this many characters on, a reader without color is told which words differ.
const LONG_TEXT: usize = 40;

/// Changes that a remark names.
const NAMED_CHANGES: usize = 5;

/// Longest text of one side of a change that a remark names, in characters.
const NAMED_CHARACTERS: usize = 60;

/// Words, and the spaces between them, that are kept beside a change of a text that is cut.
const KEPT_TOKENS: usize = 9;

/// Stands for words left out.
const GAP: &str = "...";

/// A stretch of both texts that is the same, or that differs.
struct Stretch<'a> {
    same: bool,
    before: Vec<&'a str>,
    after: Vec<&'a str>,
}

/// Two texts, each in quotes and escaped.
pub(super) struct Words<'a> {
    before: &'a str,
    after: &'a str,
    /// `None` where nothing is shared, or where comparing would take too long.
    stretches: Option<Vec<Stretch<'a>>>,
}

impl<'a> Words<'a> {
    pub(super) fn new(before: &'a str, after: &'a str) -> Self {
        // The quotes stand apart from the words, or the first and last word would always seem to differ.
        let inner = |text: &'a str| &text[1..text.len() - 1];
        let compared = before.len() + after.len() <= MAX_COMPARED_BYTES;
        let stretches = compared.then(|| stretches(inner(before), inner(after)));
        let shares = |stretches: &Vec<Stretch<'_>>| {
            stretches.iter().any(|stretch| stretch.same && stretch.before.iter().any(|word| !word.trim().is_empty()))
        };
        Self { before, after, stretches: stretches.filter(shares) }
    }

    /// Returns both texts as they are shown: with colors where there are any, and cut where they are too long.
    pub(super) fn shown(&self, paint: Paint, cut: bool) -> (String, String) {
        let is_long = |text: &str| text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT;
        let cut = cut && (is_long(self.before) || is_long(self.after));
        match &self.stretches {
            Some(stretches) if paint.color || cut => {
                let side = |words: for<'s> fn(&'s Stretch<'a>) -> &'s [&'a str]| {
                    let mut text = "\"".to_owned();
                    for (index, stretch) in stretches.iter().enumerate() {
                        let (first, last) = (index == 0, index + 1 == stretches.len());
                        let words = words(stretch);
                        match stretch.same {
                            true if cut => push_ends(&mut text, words, first, last),
                            true => text.extend(words.iter().copied()),
                            false if words.is_empty() => {}
                            false => text += &paint.changed(words.concat()).to_string(),
                        }
                    }
                    text + "\""
                };
                let shown = (side(|stretch| &stretch.before), side(|stretch| &stretch.after));
                if cut && (is_long(&shown.0) || is_long(&shown.1)) { self.beginnings() } else { shown }
            }
            None if cut => self.beginnings(),
            Some(_) | None => (self.before.to_owned(), self.after.to_owned()),
        }
    }

    /// Names the words that differ; nothing where that helps nobody.
    pub(super) fn remark(&self) -> Option<String> {
        let is_long = |text: &str| text.chars().nth(LONG_TEXT).is_some();
        let stretches = self.stretches.as_ref().filter(|_| is_long(self.before) || is_long(self.after))?;
        let changes: Vec<&Stretch<'_>> = stretches.iter().filter(|stretch| !stretch.same).collect();
        let named = changes.iter().take(NAMED_CHANGES).map(|change| {
            format!(
                "\"{}\" -> \"{}\"",
                beginning(&change.before.concat(), NAMED_CHARACTERS),
                beginning(&change.after.concat(), NAMED_CHARACTERS)
            )
        });
        let more = changes.len().saturating_sub(NAMED_CHANGES);
        let more = (more > 0).then(|| counted(more, "more change"));
        let named: Vec<String> = named.chain(more).collect();
        (!named.is_empty()).then(|| format!("changed: {}", named.join(", ")))
    }

    /// Cuts both texts after their beginning.
    fn beginnings(&self) -> (String, String) {
        let cut = |text: &str| {
            let inner = &text[1..text.len() - 1];
            format!("\"{}\"", beginning(inner, LONGEST_TEXT))
        };
        (cut(self.before), cut(self.after))
    }
}

fn stretches<'a>(before: &'a str, after: &'a str) -> Vec<Stretch<'a>> {
    let (before, after) = (before.tokenize_words(), after.tokenize_words());
    let diff = TextDiff::from_slices(&before, &after);
    let mut stretches: Vec<Stretch<'a>> = Vec::new();
    for op in diff.ops() {
        let same = matches!(op, DiffOp::Equal { .. });
        if stretches.last().is_none_or(|last| last.same != same) {
            stretches.push(Stretch { same, before: Vec::new(), after: Vec::new() });
        }
        let stretch = stretches.last_mut().expect("one was pushed where none was");
        stretch.before.extend(&before[op.old_range()]);
        stretch.after.extend(&after[op.new_range()]);
    }
    stretches
}

/// Pushes what stands beside the changes at either end of words that stay.
fn push_ends(text: &mut String, words: &[&str], first: bool, last: bool) {
    let head = if first { 0 } else { KEPT_TOKENS };
    let tail = if last { 0 } else { KEPT_TOKENS };
    if words.len() <= head + tail + 1 {
        text.extend(words.iter().copied());
        return;
    }
    text.extend(words[..head].iter().copied());
    text.push_str(GAP);
    text.extend(words[words.len() - tail..].iter().copied());
}

/// Returns the first `characters` of an escaped text, and that there is more.
fn beginning(text: &str, characters: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters) else { return text.to_owned() };
    let start_of_last = text.char_indices().nth(characters.saturating_sub(10)).map_or(0, |(at, _)| at);
    // An escape such as \u{202e} is left out rather than torn apart.
    let end = text[start_of_last..end].rfind('\\').map_or(end, |at| start_of_last + at);
    format!("{}{GAP}", &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::escape::quoted;
    use super::*;

    fn shown(before: &str, after: &str, color: bool, cut: bool) -> (String, String) {
        Words::new(&quoted(before), &quoted(after)).shown(Paint { color }, cut)
    }

    fn remark(before: &str, after: &str) -> Option<String> {
        Words::new(&quoted(before), &quoted(after)).remark()
    }

    #[test]
    fn a_remark_names_changed_words_where_the_eye_would_search() {
        assert_eq!(remark("Head of Sales", "Head of Marketing"), None, "short ones are seen at a glance");
        assert_eq!(remark(&"a".repeat(50), &"b".repeat(50)), None, "nothing is shared");
        let long = "one two three four five six seven eight nine ten";
        assert_eq!(remark(long, &long.replace("five ", "")).unwrap(), r#"changed: "five " -> """#);
        let all = long.replace('e', "E");
        assert!(
            remark(long, &all).unwrap().ends_with(r#""eight" -> "Eight", 2 more changes"#),
            "{:?}",
            remark(long, &all)
        );
    }

    #[test]
    fn a_long_text_that_is_cut_shows_what_stands_around_its_changes() {
        let before = format!("{}needle {}", "hay ".repeat(1000), "hay ".repeat(1000));
        let after = before.replace("needle", "thread");
        let around = |word: &str| format!("\"...{}{word}{}...\"", " hay hay hay hay ", " hay hay hay hay ");
        assert_eq!(shown(&before, &after, false, true), (around("needle"), around("thread")));
        assert_eq!(shown(&before, &after, false, false), (quoted(&before), quoted(&after)));
        let (other, _) = shown(&"\u{202e}".repeat(2000), &before, true, true);
        assert!(other.ends_with("}...\"") && other.chars().count() <= LONGEST_TEXT + 5, "{other}");
    }

    #[test]
    fn texts_too_long_to_compare_are_shown_as_they_are() {
        let (before, after) = ("a ".repeat(20_000), "a b ".repeat(10_000));
        assert_eq!(shown(&before, &after, true, false), (quoted(&before), quoted(&after)));
        assert_eq!(remark(&before, &after), None);
    }

    proptest! {
        #[test]
        fn color_adds_nothing_but_color(before in r#"[a-c "\\\n\u{1b}]{0,30}"#, after in r#"[a-c "\\\n\u{1b}]{0,30}"#) {
            let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
            let (one, other) = shown(&before, &after, true, false);
            prop_assert_eq!(plain(one), quoted(&before));
            prop_assert_eq!(plain(other), quoted(&after));
        }
    }
}
