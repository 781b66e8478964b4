//! What stands in place of personal values where they must not be shown; text, Markdown and JSON ask here.
//!
//! Masked is what an entry declares, lines of the files, and what a server says. Shown stays what a review needs and what
//! tells nothing about a person by itself: keys, file names and places, names of fields, Apollo's ids, counts, and
//! that a value is empty.

use crate::source::Diagnostic;
use std::borrow::Cow;

use crate::model::{Fields, Value};

/// Stands for a value that is not shown.
pub const MASKED: &str = "(masked)";

/// Whether personal values are hidden.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    #[default]
    Off,
    On,
}

impl Mask {
    pub fn is_on(self) -> bool {
        self == Self::On
    }

    /// Returns what to show of a declared text; an empty one says only that a field is cleared.
    pub fn text(self, text: &str) -> &str {
        if self.is_on() && !text.is_empty() { MASKED } else { text }
    }

    /// Returns what to show of a value; masked lists do not tell how many they are.
    pub fn value(self, value: &Value) -> Cow<'_, Value> {
        match value {
            _ if !self.is_on() || value.is_empty() => Cow::Borrowed(value),
            Value::Text(_) => Cow::Owned(Value::Text(MASKED.to_owned())),
            Value::Lists(_) => Cow::Owned(Value::Lists([MASKED.to_owned()].into())),
        }
    }

    pub fn fields(self, fields: &Fields) -> Cow<'_, Fields> {
        if !self.is_on() {
            return Cow::Borrowed(fields);
        }
        Cow::Owned(fields.iter().map(|(field, value)| (field.clone(), self.value(value).into_owned())).collect())
    }

    /// Returns what to show of a message: what is wrong and where, without the lines of the files.
    pub fn message(self, message: &Diagnostic) -> Cow<'_, Diagnostic> {
        if !self.is_on() {
            return Cow::Borrowed(message);
        }
        let mut masked = message.clone();
        for location in masked.location.iter_mut().chain(masked.related.iter_mut().map(|(_, location)| location)) {
            location.text.clear();
        }
        if let Some(said) = masked.said.take() {
            masked.detail = masked.detail.replace(&said, MASKED);
        }
        if let Some(code) = masked.code {
            // The words about a mistake in a file hold the value that is wrong.
            code.title().clone_into(&mut masked.summary);
            masked.detail = format!("The values are masked here. docs/errors/{code}.md says what to do.");
        }
        Cow::Owned(masked)
    }
}

/// Masks the words of a text for everybody that hold an `@`: keys may be e-mail addresses, and errors name keys.
pub(super) fn without_addresses(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let word = |word: &str| if word.contains('@') { MASKED.to_owned() } else { word.to_owned() };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Stream, message_text, test_plans};
    use super::*;
    use crate::model::Field;
    use crate::source::{self, Code};

    #[test]
    fn values_are_masked_and_emptiness_is_not() {
        assert_eq!((Mask::On.text("Ada"), Mask::On.text(""), Mask::Off.text("Ada")), (MASKED, "", "Ada"));
        let fields: Fields =
            [(Field::Title, "CTO".into()), (Field::LabelNames, test_plans::lists(&["A", "B"]))].into_iter().collect();
        let masked = Mask::On.fields(&fields).into_owned();
        assert_eq!(masked.text(&Field::Title), Some(MASKED));
        assert_eq!(masked.lists().collect::<Vec<_>>(), [MASKED]);
        assert_eq!(Mask::Off.fields(&fields).as_ref(), &fields);
    }

    #[test]
    fn a_masked_message_keeps_what_where_and_what_to_do() {
        let messages = test_plans::messages();
        insta::assert_snapshot!(message_text(&Mask::On.message(&messages[0]), Stream::default()), @"

        Error: An e-mail address is malformed [E015]

          with contact.grace,
          contacts.d/team.yaml:7:12

        The values are masked here. docs/errors/E015.md says what to do.
        ");
        let mut refused =
            Diagnostic::error("Apollo rejected contact.ada", "Apollo says: no Ada Byron here\nCorrect the entry.");
        refused.said = Some("no Ada Byron here".to_owned());
        insta::assert_snapshot!(message_text(&Mask::On.message(&refused), Stream::default()), @"

        Error: Apollo rejected contact.ada

        Apollo says: (masked)
        Correct the entry.
        ");
    }

    #[test]
    fn a_word_with_an_address_in_it_is_hidden_whole() {
        assert_eq!(without_addresses("contact.a@b.example: no, a@b"), "(masked) no, (masked)");
        assert_eq!(without_addresses("no address"), "no address");
    }

    /// Every mistake there is, from the samples of the error pages.
    #[test]
    fn no_masked_message_holds_a_value_of_the_files() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors");
        let mut seen = 0;
        for code in Code::ALL {
            let page = std::fs::read_to_string(pages.join(format!("{code}.md"))).unwrap();
            let Some(sample) = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()) else {
                continue;
            };
            let before = seen;
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("a.yaml"), sample).unwrap();
            let values: Vec<&str> =
                sample.lines().filter_map(|line| line.split_once(": ")).map(|(_, value)| value).collect();
            // No name is known.
            let meaning = &source::Meaning::Known(std::sync::Arc::default());
            let options = source::Options { meaning, ..source::Options::plain() };
            for diagnostic in source::load(directory.path(), &options).unwrap().0.diagnostics {
                let text = message_text(&Mask::On.message(&diagnostic), Stream::default());
                let leaked = values.iter().find(|value| value.len() > 4 && text.contains(*value));
                assert_eq!(leaked, None, "{code}: {text}");
                seen += 1;
            }
            assert!(seen > before, "{code}: its sample causes nothing");
        }
        assert!(seen > 30, "{seen}");
    }
}
