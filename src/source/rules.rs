//! What single values and the text of a file must look like.
//!
//! Says only whether a value is good; the words for a bad one are in `words`.

use std::collections::BTreeSet;
use std::ops::Range;

use email_address::{EmailAddress, Options};
use memchr::memmem;

use super::providers;
use crate::model::{Field, is_hex24};

/// Why a text is not good for its field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Complaint {
    Email(email_address::Error),
    /// The domain of an address has no dot.
    DotlessDomain,
    Id,
    Url(UrlFault),
    SocialUrl,
    PhoneWithoutDigits,
}

/// What keeps a text from being an absolute web address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlFault {
    /// It does not begin with `http://` or `https://`.
    Scheme,
    /// It holds white space or control characters.
    Space,
    Malformed(url::ParseError),
}

/// An address alone: no display name, no address of a machine in brackets.
///
/// A domain without a dot is no more than a warning: it is valid syntax, and company networks use such names.
const EMAIL_OPTIONS: Options =
    Options { minimum_sub_domains: 0, allow_domain_literal: false, allow_display_text: false };

/// Judges the text of one field. An empty text clears and is always good.
pub(super) fn judge(field: &Field, text: &str) -> Option<Complaint> {
    if text.is_empty() {
        return None;
    }
    match field {
        Field::Email if is_plain_email(text) => None,
        Field::Email => {
            if let Err(fault) = EmailAddress::parse_with_options(text, EMAIL_OPTIONS) {
                return Some(Complaint::Email(fault));
            }
            let has_dot = text.rsplit('@').next().is_some_and(|domain| domain.contains('.'));
            (!has_dot).then_some(Complaint::DotlessDomain)
        }
        Field::AccountId | Field::ContactStageId => (!is_hex24(text)).then_some(Complaint::Id),
        Field::WebsiteUrl if is_plain_url(text) => None,
        Field::WebsiteUrl => judge_url(text),
        phone if phone.is_phone() => (!text.contains(char::is_numeric)).then_some(Complaint::PhoneWithoutDigits),
        _ => None,
    }
}

/// Tells that an address is good, of those that hold nothing unusual; nearly all, and taking them apart takes longer.
fn is_plain_email(text: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+');
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_usual);
    let is_plain = |(local, domain): (&str, &str)| {
        local.len() <= SHORT_NAME && local.split('.').all(is_atom) && is_plain_domain(domain)
    };
    text.split_once('@').is_some_and(is_plain)
}

/// The same of a web address.
fn is_plain_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    path.bytes().all(|byte| byte.is_ascii_graphic()) && is_plain_domain(host) && !providers::is_social(host)
}

/// Longest name that is good everywhere, in bytes.
const SHORT_NAME: usize = 63;

/// Reports whether a text is a domain that needs no second look: of plain labels, and no number of a machine.
fn is_plain_domain(text: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(is_usual)
    };
    let Some((_, last)) = text.rsplit_once('.') else { return false };
    // Two dashes mark what is written in another script.
    text.len() <= SHORT_NAME
        && last.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.contains("--")
        && text.split('.').all(is_label)
}

fn judge_url(text: &str) -> Option<Complaint> {
    let has_scheme = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some(Complaint::Url(UrlFault::Space));
    }
    if !has_scheme("http://") && !has_scheme("https://") {
        return Some(Complaint::Url(UrlFault::Scheme));
    }
    match url::Url::parse(text) {
        Err(fault) => Some(Complaint::Url(UrlFault::Malformed(fault))),
        Ok(url) => url.host_str().is_some_and(providers::is_social).then_some(Complaint::SocialUrl),
    }
}

/// Reads YAML's spellings of the two truth values, which must not be quoted.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Reports whether a bare scalar means "no value" in YAML.
pub(super) fn is_null_spelling(text: &str) -> bool {
    matches!(text, "" | "null" | "Null" | "NULL" | "~")
}

/// Reports whether a bare null is spelled in a way that could have been meant as text.
pub(super) fn is_doubtful_null(text: &str) -> bool {
    matches!(text, "Null" | "NULL" | "~")
}

/// Fewer names than this are compared each with each.
const FEW_NAMES: usize = 8;

/// Finds two names that differ only in case.
pub(super) fn twins_by_case(names: &BTreeSet<String>) -> Option<(&str, &str)> {
    // Most are few and plain, and need no copies to tell that there are none.
    if names.len() < FEW_NAMES && names.iter().all(|name| name.is_ascii()) {
        let is_twin = |at: usize, one: &str| names.iter().skip(at + 1).any(|other| one.eq_ignore_ascii_case(other));
        if !names.iter().enumerate().any(|(at, one)| is_twin(at, one)) {
            return None;
        }
    }
    let mut folded: Vec<_> = names.iter().map(|name| (name.to_lowercase(), name)).collect();
    folded.sort_unstable();
    folded.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0].1.as_str(), pair[1].1.as_str()))
}

/// Finds the first control character: nothing but tabs and line ends may stand in a file as such.
///
/// Source: YAML 1.2.2, production `c-printable`. U+0085 is text.
pub(super) fn control_character(text: &str) -> Option<(usize, char)> {
    let is_control = |character: char| match character {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        character => character.is_control(),
    };
    text.char_indices().find(|(_, character)| is_control(*character))
}

/// Finds the first line that a merge left behind, in a text that holds the beginning or the end of a conflict.
pub(super) fn conflict(text: &str) -> Option<Range<usize>> {
    let has = |sign| marker_lines(text, sign).next();
    let ends = [has("<<<<<<<"), has(">>>>>>>")];
    let first = ends.into_iter().flatten().map(|line| line.start).min()?;
    let divider = conflict_divider(text).filter(|divider| divider.start < first);
    divider.or_else(|| Some(first..line_end(text, first)))
}

/// Finds the first line that stands between the versions of a conflict; in a text without its ends it may be text.
pub(super) fn conflict_divider(text: &str) -> Option<Range<usize>> {
    let lines = ["=======", "|||||||"].into_iter().filter_map(|sign| marker_lines(text, sign).next());
    lines.min_by_key(|line| line.start)
}

/// Lists the lines that begin with a marker of a conflict.
fn marker_lines<'t>(text: &'t str, sign: &'static str) -> impl Iterator<Item = Range<usize>> + 't {
    let begins = move |at: usize| at == 0 || text.as_bytes()[at - 1] == b'\n';
    let lines = memmem::find_iter(text.as_bytes(), sign).filter(move |at| begins(*at));
    lines.map(move |at| at..line_end(text, at)).filter(move |line| {
        let rest = &text[line.start + sign.len()..line.end];
        rest.is_empty() || (sign != "=======" && rest.starts_with(' '))
    })
}

/// Returns the end of the line that `at` stands on, without what ends it.
fn line_end(text: &str, at: usize) -> usize {
    let line = text[at..].split('\n').next().unwrap_or_default();
    at + line.trim_end_matches('\r').len()
}

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Deepest nesting of lists and maps; a contact needs four levels.
pub(super) const MAX_DEPTH: usize = 64;

/// Returns how many values a text may stand for once its aliases are followed.
///
/// A file without aliases holds at most one value every two bytes. Beyond that, room for maps that
/// many contacts share, and an end to the time and memory that a few crafted lines can cost.
pub(super) fn expansion_limit(bytes: usize) -> u64 {
    const FLOOR: u64 = 10_000;
    const PER_BYTE: u64 = 4;
    const CEILING: u64 = 64_000_000;
    (bytes as u64).saturating_mul(PER_BYTE).clamp(FLOOR, CEILING)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            // The same texts in each run.
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            failure_persistence: None,
            cases: 4096,
            ..ProptestConfig::default()
        })]

        #[test]
        fn what_is_plain_is_good_by_the_full_rules(
            email in "[a-z0-9A-Z_+.-]{0,8}@[a-z0-9-]{0,4}[.]?[a-z0-9x-]{0,4}[.][a-z0-9]{1,3}",
            url in "https?://(xn-)?[a-z0-9x-]{0,4}[.]?[0-9x]{0,3}[.][a-z0-9]{1,3}(/[ -~]{0,6})?",
        ) {
            let is_good = |email: &str| EmailAddress::parse_with_options(email, EMAIL_OPTIONS).is_ok();
            prop_assert!(!is_plain_email(&email) || is_good(&email), "{email}");
            prop_assert!(!is_plain_url(&url) || judge_url(&url).is_none(), "{url}");
        }
    }

    #[test]
    fn most_addresses_are_plain() {
        for email in ["jane.doe+news@mail.example.co.uk", "o_brien-1@example.com"] {
            assert!(is_plain_email(email), "{email}");
        }
        for email in
            ["jane@localhost", "jane@192.0.2.1", "jane@xn--bcher-kva.example", "@example.com", "a..b@example.com"]
        {
            assert!(!is_plain_email(email), "{email}");
        }
        assert!(is_plain_url("https://www.example.com") && is_plain_url("http://example.com/a?b#c"));
        for url in
            ["https://192.0.2.1", "https://a.0xab", "https://www.linkedin.com/in/jane", "https://example.com/a b"]
        {
            assert!(!is_plain_url(url), "{url}");
        }
    }

    #[test]
    fn an_e_mail_is_an_address_and_nothing_else() {
        for good in ["", "jane@example.com", "o'brien+x@mail.example.co.uk", "jané@example.com"] {
            assert_eq!(judge(&Field::Email, good), None, "{good}");
        }
        for bad in ["jane", "jane@", "@example.com", "Jane <jane@example.com>", " jane@example.com", "a b@example.com"]
        {
            assert!(matches!(judge(&Field::Email, bad), Some(Complaint::Email(_))), "{bad}");
        }
        assert_eq!(judge(&Field::Email, "jane@localhost"), Some(Complaint::DotlessDomain));
    }

    #[test]
    fn a_website_is_an_absolute_web_address() {
        for good in
            ["", "https://example.com", "http://example.com/a?b#c", "HTTPS://example.com", "https://bücher.example"]
        {
            assert_eq!(judge(&Field::WebsiteUrl, good), None, "{good}");
        }
        for bad in
            ["example.com", "www.example.com", "ftp://example.com", "http:example.com", "https://", "https://a b"]
        {
            assert!(matches!(judge(&Field::WebsiteUrl, bad), Some(Complaint::Url(_))), "{bad}");
        }
        assert_eq!(judge(&Field::WebsiteUrl, "https://www.linkedin.com/in/jane"), Some(Complaint::SocialUrl));
    }

    #[test]
    fn a_phone_needs_a_digit_of_any_script() {
        assert_eq!(judge(&Field::HomePhone, "ext. 7"), None);
        assert_eq!(judge(&Field::HomePhone, "٠١٢"), None);
        assert_eq!(judge(&Field::HomePhone, "unlisted"), Some(Complaint::PhoneWithoutDigits));
    }
}
