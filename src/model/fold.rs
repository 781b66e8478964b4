//! One form for texts that mean the same, whoever wrote them down and whatever stored them since.
//!
//! Only for comparison: never shown, sent or stored as a value. It folds what is known to change between a file
//! and Apollo: case, composition, HTML entities, typographic quotes, invisible characters, blanks, and the two
//! spellings of an international domain.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Folds a name, or any other text of one line: lower case, one form of each character, single spaces.
pub fn fold_text(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_text_into(text, &mut folded);
    folded
}

/// The same into memory that is used again.
pub(super) fn fold_text_into(text: &str, folded: &mut String) {
    folded.clear();
    if !text.bytes().all(is_plain) {
        folded.push_str(&fold_any_text(text));
        return;
    }
    for word in text.split_ascii_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded.make_ascii_lowercase();
}

/// Reports whether a byte is a letter of ASCII, or anything else there with one form only; most names have no others.
///
/// A vertical tab is a blank as well, and none of ASCII's.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r' | b'\x0c') && !matches!(byte, b'&' | b'`')
}

fn fold_any_text(text: &str) -> String {
    let lower = plain(text).nfc().collect::<String>().to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

/// Folds an e-mail: lower case, no blanks around it, its domain as the name system spells it.
pub fn fold_email(email: &str) -> String {
    let mut folded = String::with_capacity(email.len());
    fold_email_into(email, &mut folded);
    folded
}

/// The same into memory that is used again.
pub(super) fn fold_email_into(email: &str, folded: &mut String) {
    fold_text_into(email, folded);
    let Some((local, domain)) = folded.rsplit_once('@').filter(|(_, domain)| !domain.is_ascii()) else { return };
    // `straße.example` and `xn--strae-oqa.example` are one domain.
    if let Ok(domain) = idna::domain_to_ascii(domain) {
        *folded = format!("{local}@{domain}");
    }
}

/// Cuts the plus tag out of a folded e-mail: `jane+news@example.com` is `jane@example.com`.
pub fn mailbox(email: &str) -> String {
    mailbox_parts(email).map_or_else(|| email.to_owned(), |(base, domain)| [base, domain].join("@"))
}

/// Returns what stands on both sides of the `@` in a folded e-mail, without the plus tag.
pub(super) fn mailbox_parts(email: &str) -> Option<(&str, &str)> {
    let (local, domain) = email.rsplit_once('@')?;
    let base = local.split_once('+').map_or(local, |(base, _)| base);
    Some((if base.is_empty() { local } else { base }, domain))
}

/// Returns `text` with entities decoded, quotes made straight, and without what cannot be seen.
fn plain(text: &str) -> String {
    let text = if text.contains('&') { html_escape::decode_html_entities(text) } else { Cow::Borrowed(text) };
    text.chars().filter(|character| !is_invisible(*character)).map(straight).collect()
}

/// Makes a typographic quote straight.
fn straight(character: char) -> char {
    match character {
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2035}' | '\u{02b9}' | '\u{02bb}' | '\u{02bc}' | '\u{00b4}' | '`' => {
            '\''
        }
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{00ab}' | '\u{00bb}' => '"',
        other => other,
    }
}

/// Reports whether a character takes no room: marks of direction, joiners, soft hyphens, variation selectors.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
        || (character.is_control() && !character.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_whatever_their_case_spacing_and_composition() {
        assert_eq!(fold_text("  JOSE\u{301}  de la Cruz "), "josé de la cruz");
        assert_eq!(fold_text("İpek"), fold_text("İPEK"));
        assert_eq!(fold_text(" De \t LA\x0bCruz "), "de la cruz");
    }

    #[test]
    fn plain_names_fold_as_any_others() {
        for letter in 0..0x80_u8 {
            let text = format!(" a{0}B{0}{0}c ", char::from(letter));
            assert_eq!(fold_text(&text), fold_any_text(&text), "{text:?}");
        }
    }

    /// A server kept each of these in the other form, and its own new contact was called somebody else.
    #[test]
    fn what_a_server_is_known_to_rewrite_folds_to_one_form() {
        for (sent, kept) in [
            ("O\u{2019}Brien", "O'Brien"),
            ("R&D", "R&amp;D"),
            ("Smith & \u{201c}Sons\u{201d}", "Smith &amp; &quot;Sons&quot;"),
            ("D\u{2019}Arcy", "D&#39;Arcy"),
            ("O`Brien", "O'Brien"),
            ("Jose\u{301}", "Jos\u{e9}"),
            ("An\u{200b}na\u{feff}", "Anna"),
            ("De\u{a0}la Cruz", "De la  Cruz"),
            ("Wei\u{df}", "Wei&szlig;"),
        ] {
            assert_eq!(fold_text(sent), fold_text(kept), "{sent:?} and {kept:?}");
        }
        assert_ne!(fold_text("Müller"), fold_text("Mueller"), "other letters make another name");
        assert_ne!(fold_text("Ann Marie"), fold_text("Annmarie"));
    }

    #[test]
    fn a_domain_is_one_in_both_its_spellings() {
        assert_eq!(fold_email("Jo@Bücher.example"), fold_email("jo@xn--bcher-kva.example"));
        assert_eq!(fold_email(" jo@BU\u{308}cher.example\u{200b}"), "jo@xn--bcher-kva.example");
        assert_ne!(fold_email("jö@example.com"), fold_email("jo@example.com"));
    }

    #[test]
    fn a_plus_tag_is_not_part_of_the_mailbox() {
        assert_eq!(mailbox("jane+a+b@example.com"), "jane@example.com");
        assert_eq!(mailbox("+tag@example.com"), "+tag@example.com");
        assert_eq!(mailbox("jane@example.com"), "jane@example.com");
    }
}
