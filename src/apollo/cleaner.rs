//! Foreign text without the credential: what a server repeats of it gets no further than here.
//!
//! Every answer passes through before anything is read from it, cut off it or logged.

use std::fmt;

use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// What stands where the credential stood; it needs no escaping in JSON, in a URL or in a header.
const REPLACEMENT: &[u8] = b"(credential)";

/// Shorter credentials are words: only as whole words they count, or every text that holds them would change.
const WORD: usize = 8;

/// Still shorter ones are nothing to keep secret, and stand in every text.
const NOTHING: usize = 4;

/// Most backslashes before one character of the credential: JSON within JSON doubles them.
const MAX_BACKSLASHES: usize = 8;

/// Takes one credential out of texts, also where it is written with escapes of JSON, URLs or HTML.
#[derive(Clone)]
pub(super) struct Cleaner(SecretString);

impl fmt::Debug for Cleaner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cleaner(****)")
    }
}

impl Cleaner {
    pub(super) fn new(credential: SecretString) -> Self {
        Self(credential)
    }

    /// Takes the credential out of a body; of one that `is_cut`, its beginning at the end as well.
    pub(super) fn body(&self, body: Vec<u8>, is_cut: bool) -> Vec<u8> {
        let mut cleaned = self.text(&body).unwrap_or(body);
        if is_cut && let Some(start) = self.begun_at(&cleaned) {
            cleaned.truncate(start);
            cleaned.extend_from_slice(REPLACEMENT);
        }
        cleaned
    }

    /// Takes the credential out of the values of headers.
    pub(super) fn headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            if let Some(cleaned) = self.text(value.as_bytes()) {
                // What was a header's value is one without a part of it; were it not, nothing is lost by the whole.
                *value = HeaderValue::from_bytes(&cleaned).unwrap_or(HeaderValue::from_static("(credential)"));
            }
        }
    }

    /// Returns `text` without the credential; `None` when it does not hold it.
    fn text(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut cleaned: Option<Vec<u8>> = None;
        let (mut kept, mut at) = (0, 0);
        while at < text.len() {
            let Some(length) = self.matches(text, at) else {
                at += 1;
                continue;
            };
            let cleaned = cleaned.get_or_insert_default();
            cleaned.extend_from_slice(&text[kept..at]);
            cleaned.extend_from_slice(REPLACEMENT);
            at += length;
            kept = at;
        }
        if let Some(cleaned) = &mut cleaned {
            cleaned.extend_from_slice(&text[kept..]);
        }
        cleaned
    }

    /// Returns how many bytes of `text` write the credential from `at` on.
    fn matches(&self, text: &[u8], at: usize) -> Option<usize> {
        let secret = self.0.expose_secret().trim().as_bytes();
        if secret.len() < NOTHING {
            return None;
        }
        let is_word = secret.len() < WORD;
        if is_word && at.checked_sub(1).is_some_and(|before| is_of_word(text[before])) {
            return None;
        }
        let mut end = at;
        for &wanted in secret {
            end += written(&text[end..], wanted, !is_word)?;
        }
        let ends_within_word = is_word && text.get(end).copied().is_some_and(is_of_word);
        (!ends_within_word).then_some(end - at)
    }

    /// Returns where the credential begins that the end of `text` cuts off.
    fn begun_at(&self, text: &[u8]) -> Option<usize> {
        let secret = self.0.expose_secret().trim().as_bytes();
        let longest = secret.len().saturating_sub(1).min(text.len());
        (NOTHING..=longest).rev().find(|&length| text.ends_with(&secret[..length])).map(|length| text.len() - length)
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b'+') || !byte.is_ascii()
}

/// Returns how many bytes at the start of `text` write `wanted`, as an escape or by itself.
fn written(text: &[u8], wanted: u8, ignore_case: bool) -> Option<usize> {
    let is = |byte: u8| byte == wanted || (ignore_case && byte.eq_ignore_ascii_case(&wanted));
    let first = *text.first()?;
    // The escape first, since what begins it may be what is wanted.
    escaped(text, is).or_else(|| (is(first) || (first, wanted) == (b'+', b' ')).then_some(1))
}

/// Returns the length of the escape at the start of `text` if it stands for what is wanted.
fn escaped(text: &[u8], is: impl Fn(u8) -> bool) -> Option<usize> {
    let coded = |digits: Option<&[u8]>, base| number(digits?, base).filter(|&byte| is(byte));
    match text.first()? {
        b'%' if text.starts_with(b"%25") => coded(text.get(3..5), 16).map(|_| 5),
        b'%' => coded(text.get(1..3), 16).map(|_| 3),
        b'\\' => {
            let slashes = text.iter().take(MAX_BACKSLASHES).take_while(|&&byte| byte == b'\\').count();
            let after = &text[slashes..];
            match *after.first()? {
                b'u' if coded(after.get(1..5), 16).is_some() => Some(slashes + 5),
                byte if is(byte) => Some(slashes + 1),
                _ => None,
            }
        }
        b'&' => {
            let length = text.iter().take(10).position(|&byte| byte == b';')?;
            let is_meant = match &text[1..length] {
                [b'#', b'x' | b'X', digits @ ..] => coded(Some(digits), 16).is_some(),
                [b'#', digits @ ..] => coded(Some(digits), 10).is_some(),
                b"amp" => is(b'&'),
                b"lt" => is(b'<'),
                b"gt" => is(b'>'),
                b"quot" => is(b'"'),
                b"apos" => is(b'\''),
                _ => false,
            };
            is_meant.then_some(length + 1)
        }
        _ => None,
    }
}

fn number(digits: &[u8], base: u32) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?.trim_start_matches('0'), base).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = r#"Ab3/x+"y\9 zK"#;

    fn cleaned(key: &str, text: &str, is_cut: bool) -> String {
        String::from_utf8(Cleaner::new(key.into()).body(text.as_bytes().to_vec(), is_cut)).unwrap()
    }

    #[test]
    fn a_credential_is_found_however_it_is_escaped() {
        for written in [
            KEY,
            &KEY.to_uppercase(),
            r#"Ab3/x+\"y\\9 zK"#,
            r#"Ab3\/x+\"y\\9 zK"#,
            r#"Ab3\\\/x+\\\"y\\\\9 zK"#,
            r"\u0041b3\u002Fx\u002b\u0022y\u005c9\u0020zK",
            r"\\u0041b3\\u002Fx\\u002b\\u0022y\\u005c9\\u0020zK",
            "Ab3%2Fx%2B%22y%5C9%20zK",
            "Ab3%2fx%2b%22y%5c9+zK",
            "%41%62%33%2F%78%2B%22%79%5C%39%20%7A%4B",
            "Ab3%252Fx%252B%2522y%255C9%2520zK",
            "Ab3/x+&quot;y\\9 zK",
            "&#65;b3&#x2f;x&#43;&#34;y&#92;9&#x20;zK",
        ] {
            let text = format!(r#"{{"error": "not {written}, but {written}"}}"#);
            assert_eq!(cleaned(KEY, &text, false), r#"{"error": "not (credential), but (credential)"}"#, "{written}");
            let joined = format!("key{written}{written}key");
            assert_eq!(cleaned(KEY, &joined, false), "key(credential)(credential)key", "{written}");
        }
    }

    #[test]
    fn a_text_without_the_credential_stays_as_it_is() {
        for text in ["", "Ab3/x", r"\\\\\\\\\\\\\\\\ %4 %zz & &#x; &#99999; \u00 \", "ë漢字 \u{1b}"] {
            assert_eq!(cleaned(KEY, text, false), text);
        }
    }

    #[test]
    fn a_word_is_a_credential_only_by_itself() {
        let text = r#"{"title": "test", "name": "Testing a test", "email": "test@example.com", "x": "a-test atest"}"#;
        let expected = r#"{"title": "(credential)", "name": "Testing a (credential)", "email": "test@example.com", "x": "a-test atest"}"#;
        assert_eq!(cleaned("test", text, false), expected);
        assert_eq!(cleaned("key", r#"{"key": "key"}"#, false), r#"{"key": "key"}"#);
        assert_eq!(cleaned("", "text", true), "text");
    }

    #[test]
    fn a_credential_that_is_cut_off_is_taken_out_too() {
        assert_eq!(cleaned("key-of-the-team", "not key-of-th", true), "not (credential)");
        assert_eq!(cleaned("key-of-the-team", "not key-of-th", false), "not key-of-th");
        assert_eq!(cleaned("key-of-the-team", "not key-of-the-team", true), "not (credential)");
        assert_eq!(cleaned("key-of-the-team", "not key", true), "not key");
    }

    #[test]
    fn headers_lose_it_as_well() {
        let value = HeaderValue::from_static("id-of-key-of-the-team-1");
        let mut headers = HeaderMap::from_iter([(reqwest::header::ETAG, value)]);
        Cleaner::new("key-of-the-team".into()).headers(&mut headers);
        assert_eq!(headers[reqwest::header::ETAG], "id-of-(credential)-1");
    }
}
