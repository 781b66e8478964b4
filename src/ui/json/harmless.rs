//! JSON on one line that no terminal and no CI runner acts on.
//!
//! What `ui::escape` makes visible in text is written here as `\u` escapes of JSON, so that a reader of
//! the JSON gets every value letter for letter, and whoever prints the line is safe.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use super::super::escape::escape_json;

/// Writes `value` without a newline; harmless on any terminal, and equal to `value` for any parser.
pub(in crate::ui) fn write_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Harmless)).map_err(io::Error::from)
}

/// Returns `value` as one harmless line, for those who ask over HTTP.
pub fn to_json(value: &impl Serialize) -> String {
    let mut line = Vec::new();
    write_json(&mut line, value).expect("memory takes all that is written, and documents are plain data");
    String::from_utf8(line).expect("JSON is UTF-8")
}

/// Compact, but for characters that act on what they are printed on.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        CompactFormatter.write_string_fragment(writer, &escape_json(fragment))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::escape::is_unsafe;
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_json(&mut out, &text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_acts_on_a_terminal_is_escaped_as_json_escapes() {
        assert_eq!(written("a\u{1b}[31mb\u{202e}c\u{9b}\u{7f}\n"), r#""a\u001b[31mb\u202ec\u009b\u007f\n""#);
        assert_eq!(written("\u{e0041}"), r#""\udb40\udc41""#);
        assert_eq!(written("##[group]"), r#""\u0023\u0023[group]""#);
        assert_eq!(written("Zoë 名前 ## plain"), "\"Zoë 名前 ## plain\"");
    }

    proptest! {
        #[test]
        fn a_reader_gets_every_value_letter_for_letter(text in r#"[\PC\pC:#\["\\]{0,40}"#) {
            let line = written(&text);
            prop_assert!(!line.contains(is_unsafe));
            prop_assert!(!line.contains("##["));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
