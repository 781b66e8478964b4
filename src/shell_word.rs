//! Words in commands that a person copies from a message: each stays one word, whatever it holds, and each command repeats the
//! flags by which it does what the message says.
//!
//! Never runs a command.

use std::fmt::Display;
use std::sync::OnceLock;

static REPEATED: OnceLock<String> = OnceLock::new();

/// Has every command that is shown from here on repeat `flags`: ` --sandbox`, for example.
pub(crate) fn repeat(flags: String) {
    // One process runs one command line.
    REPEATED.get_or_init(|| flags);
}

/// Writes a command as this user would type it.
pub(crate) fn command(verb: &str) -> String {
    format!("contactsd {verb}{}", repeated())
}

/// Returns what a command that is shown ends with, a blank before it.
pub(crate) fn repeated() -> &'static str {
    REPEATED.get().map_or("", String::as_str)
}

/// Writes a word so that a shell takes it as one; a word without signs stays as it is.
pub(crate) fn shell_word(word: impl Display) -> String {
    let word = word.to_string();
    // A shell cannot take a NUL in any way, and no path of a system holds one.
    shlex::Quoter::new().allow_nul(true).quote(&word).expect("only NULs cannot be quoted").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        for plain in ["contacts.d", "/srv/people", "http://127.0.0.1:8080/api/v1", "ada@example.com"] {
            assert_eq!(shell_word(plain), plain);
        }
        for word in ["my people", "a'; rm -r x", "", "*", "team-?", "~", "$HOME", "a\nb", "Zoë", "a\\b", "!x", "^a"] {
            let quoted = shell_word(word);
            assert_ne!(quoted, word);
            assert_eq!(shlex::split(&quoted), Some(vec![word.to_owned()]), "{quoted}");
        }
        assert_eq!(shell_word("my people"), "'my people'");
        assert_eq!(shell_word("a'b c"), "\"a'b c\"");
    }
}
